// The number of operations in flight, for callers that want to hold back.
import { EventEmitter } from 'node:events';
import type { Environment } from '../native/environment';

/** The events of {@link operations}. */
export interface OperationsEvents {
  /**
   * There is room again: after calls were refused with `ERR_ASYNC_QUEUE_FULL`, half of `maxInFlight` is free;
   * otherwise, the last operation in flight has ended.
   */
  drain: [];
}

/** The operations in flight on this thread. */
export interface Operations extends EventEmitter<OperationsEvents> {
  /** The number of operations in flight. */
  readonly inFlight: number;
}

class InFlight extends EventEmitter<OperationsEvents> implements Operations {
  /** @internal */
  count = 0;
  #env: Environment | undefined;
  #refusing = false;

  get inFlight(): number {
    return this.count;
  }

  attach(env: Environment): void {
    this.#env = env;
  }

  refused(): void {
    this.#refusing = true;
  }

  /** An operation has ended, and is not counted any more. */
  ended(): void {
    const left = this.count;
    if (left > 0 && !this.#refusing) return;
    if (left > 0 && left > (this.#env?.options.maxInFlight ?? 0) / 2) return;
    this.#refusing = false;
    if (this.listenerCount('drain') > 0) process.nextTick(() => this.emit('drain'));
  }
}

export const inFlight = new InFlight();

/**
 * The operations in flight on this thread: `operations.inFlight` counts them, and `'drain'` is emitted when there is
 * room for more.
 *
 * @example
 * ```ts
 * if (operations.inFlight > 1000) await once(operations, 'drain');
 * ```
 */
export const operations: Operations = inFlight;
