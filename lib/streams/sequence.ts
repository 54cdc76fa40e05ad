// Calls on the state of a stream: each begins when the one before it has ended.
import { attempt } from '../operations/call';

export class Sequence {
  #last: Promise<unknown> | undefined;
  // The error of a call that was given up: it may still be at work on the state, which nobody may use any more.
  #lost: { error: unknown } | undefined;

  /** True when no call is under way: the next one begins, and reads its inputs, at once. */
  get idle(): boolean {
    return this.#last === undefined;
  }

  run<T>(start: () => Promise<T>): Promise<T> {
    const begin = (): Promise<T> =>
      attempt(() => {
        if (this.#lost !== undefined) throw this.#lost.error;
        return start();
      });
    const started = this.#last === undefined ? begin() : this.#last.then(begin, begin);
    const ended: Promise<T> = started.then(
      (value) => {
        if (this.#last === ended) this.#last = undefined;
        return value;
      },
      (error: unknown) => {
        if (this.#last === ended) this.#last = undefined;
        if (isGivenUp(error)) this.#lost ??= { error };
        throw error;
      },
    );
    this.#last = ended;
    return ended;
  }
}

function isGivenUp(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return code === 'ABORT_ERR' || code === 'ERR_ASYNC_TIMEOUT';
}
