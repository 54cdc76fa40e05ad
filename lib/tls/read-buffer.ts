// The option `onread` of node:net: plaintext goes into memory of the caller's, and no 'data' is emitted.
import { invalidArgValue, type CodedError } from '../base/errors';
import { copyOf } from './chunks';

type Take = (size: number, buffer: Uint8Array) => unknown;

export class ReadBuffer {
  #buffer: Uint8Array;
  readonly #next: (() => unknown) | undefined;
  readonly #take: Take;
  // Plaintext that the caller has not taken, and the end behind it.
  #rest: Uint8Array | undefined = undefined;
  #end: (() => void) | undefined = undefined;
  /** The caller wants no more for now. */
  isHeld = false;

  private constructor(buffer: Uint8Array, next: (() => unknown) | undefined, take: Take) {
    this.#buffer = buffer;
    this.#next = next;
    this.#take = take;
  }

  /** Of the option's value; undefined for what Node.js passes over. */
  static of(value: unknown): ReadBuffer | undefined {
    if (typeof value !== 'object' || value === null) return undefined;
    const { buffer, callback } = value as { buffer?: unknown; callback?: unknown };
    if (typeof callback !== 'function') return undefined;
    const next = typeof buffer === 'function' ? (buffer as () => unknown) : undefined;
    const first = next === undefined ? buffer : next();
    // Nothing fits into an empty one.
    return first instanceof Uint8Array && first.length > 0 ? new ReadBuffer(first, next, callback as Take) : undefined;
  }

  /**
   * Gives the caller what was received. False when some of it has to wait until `goOn()`. `bytes` are valid during the
   * call only. The caller's function may throw: `again` is told then, and nothing is lost.
   */
  receive(bytes: Uint8Array, again: () => void): boolean {
    this.#rest = this.#rest === undefined ? bytes : Buffer.concat([this.#rest, bytes]);
    return this.goOn(again);
  }

  /** Behind everything that was received. */
  receiveEnd(end: () => void): void {
    if (this.#rest === undefined) end();
    else this.#end = end;
  }

  /** As `receive()`, of what was received before. */
  goOn(again: () => void): boolean {
    let rest = this.#rest;
    let isThrown = true;
    try {
      while (rest !== undefined && !this.isHeld && this.#buffer.length > 0) {
        const size = Math.min(rest.length, this.#buffer.length);
        this.#buffer.set(rest.subarray(0, size));
        rest = size === rest.length ? undefined : rest.subarray(size);
        this.#fill(size);
      }
      isThrown = false;
    } finally {
      this.#rest = rest === undefined ? undefined : copyOf(rest);
      if (isThrown) again();
    }
    if (rest !== undefined) return false;
    const end = this.#end;
    this.#end = undefined;
    end?.();
    return !this.isHeld;
  }

  /** The error of memory that is empty by now: its ArrayBuffer was resized or transferred. */
  get fault(): CodedError | undefined {
    if (this.#rest === undefined || this.isHeld || this.#buffer.length > 0) return undefined;
    return invalidArgValue('options.onread.buffer', this.#buffer, 'must not become empty');
  }

  #fill(size: number): void {
    if ((0, this.#take)(size, this.#buffer) === false) this.isHeld = true;
    const next = this.#next?.();
    if (next instanceof Uint8Array && next.length > 0) this.#buffer = next;
  }

  /** Nothing is told any more. */
  clear(): void {
    this.isHeld = true;
    this.#rest = undefined;
    this.#end = undefined;
  }
}
