// A stream that has what sockets of node:net have beside their connection: a time limit, and the methods of streams where
// net.Socket's own would look for a handle.
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { TLSSocket as NodeTLSSocket } from 'node:tls';
import { invalidArgType, outOfRange } from '../base/errors';
import { validateFunction } from '../base/validators';

const MOST_MS = 2 ** 31 - 1;

// As timers of Node.js have it, with their warning.
function toDuration(value: unknown): number {
  if (typeof value !== 'number') throw invalidArgType('msecs', 'of type number', value);
  if (value < 0 || !Number.isFinite(value)) throw outOfRange('msecs', 'a non-negative finite number', value);
  if (value <= MOST_MS) return value;
  const words = `${String(value)} does not fit into a 32-bit signed integer.`;
  process.emitWarning(`${words}\nTimer duration was truncated to ${String(MOST_MS)}.`, 'TimeoutOverflowWarning');
  return MOST_MS;
}

/** See `SocketStream`. */
export class TimedStream extends Duplex {
  /** The time limit that `setTimeout` has set, in milliseconds; 0 for none. */
  timeout = 0;

  #timer: NodeJS.Timeout | undefined = undefined;
  #timerMs = 0;
  #below: { _unrefTimer(): void } | undefined = undefined;

  /** There is no 'timeout' any more. @internal */
  static stop(stream: TimedStream): void {
    clearTimeout(stream.#timer);
    stream.#timer = undefined;
  }

  /** Traffic of `stream` is that of the socket below it, too. @internal */
  static putAbove(stream: TimedStream, below: Socket): void {
    stream.#below = below as unknown as { _unrefTimer(): void };
  }

  /** As that of `net.Socket`: emits 'timeout' after `ms` milliseconds without traffic. 0 for never. */
  setTimeout(ms: number, callback?: () => void): this {
    if (this.destroyed) return this;
    const duration = toDuration(ms);
    if (callback !== undefined) validateFunction(callback, 'callback');
    this.timeout = ms;
    if (callback !== undefined) {
      if (ms === 0) this.removeListener('timeout', callback);
      else this.once('timeout', callback);
    }
    if (ms === 0) return this;
    // http sets and clears the same limit for every request: the timer stays.
    if (this.#timer !== undefined && this.#timerMs === ms) {
      this.#timer.refresh();
      return this;
    }
    clearTimeout(this.#timer);
    this.#timerMs = ms;
    this.#timer = setTimeout(() => {
      if (this.timeout === this.#timerMs) this.emit('timeout');
    }, duration).unref();
    return this;
  }

  /** There was traffic: for us, and for http. @internal */
  _unrefTimer(): void {
    if (this.timeout !== 0) this.#timer?.refresh();
    this.#below?._unrefTimer();
  }

  /** Destroys the socket once everything has been written. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', () => this.destroy());
  }
  /** As that of streams. */
  override end(...args: unknown[]): this {
    (Duplex.prototype.end as (...given: unknown[]) => unknown).apply(this, args);
    return this;
  }
  /** As that of streams. */
  override pause(): this {
    Duplex.prototype.pause.call(this);
    return this;
  }
  /** As that of streams. */
  override resume(): this {
    Duplex.prototype.resume.call(this);
    return this;
  }
  /** As that of streams. */
  override read(size?: number): unknown {
    return Duplex.prototype.read.call(this, size);
  }
}

// Whoever asks for `instanceof tls.TLSSocket` of Node.js is right to. Duplex's constructor remains the one that is called.
Object.setPrototypeOf(TimedStream.prototype, NodeTLSSocket.prototype);
