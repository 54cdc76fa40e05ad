// The option `onread` of node:net: plaintext goes into memory of the caller's, and no 'data' is emitted.
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

  /** False when some of it has to wait until `goOn()`. `bytes` are valid during the call only. */
  receive(bytes: Uint8Array): boolean {
    this.#rest = this.#rest === undefined ? bytes : Buffer.concat([this.#rest, bytes]);
    return this.goOn();
  }

  /** Behind everything that was received. */
  receiveEnd(end: () => void): void {
    if (this.#rest === undefined) end();
    else this.#end = end;
  }

  /** Whether the caller has taken all that was received. The caller's function may throw. */
  goOn(): boolean {
    let rest = this.#rest;
    try {
      while (rest !== undefined && !this.isHeld) {
        const size = Math.min(rest.length, this.#buffer.length);
        this.#buffer.set(rest.subarray(0, size));
        rest = size === rest.length ? undefined : rest.subarray(size);
        this.#fill(size);
      }
    } finally {
      this.#rest = rest === undefined ? undefined : copyOf(rest);
    }
    if (rest !== undefined) return false;
    const end = this.#end;
    this.#end = undefined;
    end?.();
    return !this.isHeld;
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
