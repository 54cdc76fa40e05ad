// Calls that a signal or a time limit may end early.

/** A call whose promise can be rejected before its work has ended. */
export interface Cancellable {
  /** Has the promise rejected with what `makeError` makes, unless it is settled. */
  cancel(makeError: () => Error): void;
}

/** What limits a call: read once, from options that were checked. */
export interface LimitOptions {
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
}

/** The errors of those that were ended early. */
export interface LimitErrors {
  aborted(reason: unknown): Error;
  timedOut(timeoutMs: number): Error;
}

/** What a call that was limited has to let go of. */
export class Limits {
  #timer: NodeJS.Timeout | undefined;
  #signal: AbortSignal | undefined;
  #isOver = false;

  constructor(
    private readonly call: Cancellable,
    private readonly errors: LimitErrors,
  ) {}

  /**
   * Has the call cancelled when `options` say so. A signal of another make may throw, or be aborted, while it is asked:
   * that cancels the call too, which therefore holds these limits by now.
   */
  begin(options: LimitOptions): void {
    try {
      this.#begin(options);
      if (this.#isOver) this.letGo();
    } catch (error) {
      this.call.cancel(() => error as Error);
    }
  }

  /** The call is over. */
  letGo(): void {
    this.#isOver = true;
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    if (this.#signal !== undefined) bySignal.get(this.#signal)?.delete(this.call);
    this.#timer = this.#signal = undefined;
  }

  #begin({ signal, timeoutMs }: LimitOptions): void {
    const { call, errors } = this;
    if (timeoutMs !== undefined) {
      this.#timer = setTimeout(() => {
        call.cancel(() => errors.timedOut(timeoutMs));
      }, timeoutMs);
    }
    if (signal === undefined) return;
    this.#signal = signal;
    sharedListener(signal).add(call, errors);
  }
}

// One listener for each signal, however many calls share it: Node warns of more than ten. It is taken off with the last
// of them, as a signal that was derived from another lives as long as it has listeners.
class SharedListener {
  readonly #calls = new Map<Cancellable, LimitErrors>();
  readonly #onAbort = (): void => {
    bySignal.delete(this.signal);
    const { reason } = this.signal as { reason: unknown };
    for (const [call, errors] of this.#calls) call.cancel(() => errors.aborted(reason));
  };

  constructor(readonly signal: AbortSignal) {
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  add(call: Cancellable, errors: LimitErrors): void {
    this.#calls.set(call, errors);
  }

  delete(call: Cancellable): void {
    this.#calls.delete(call);
    if (this.#calls.size > 0) return;
    bySignal.delete(this.signal);
    this.signal.removeEventListener('abort', this.#onAbort);
  }
}

const bySignal = new WeakMap<AbortSignal, SharedListener>();

function sharedListener(signal: AbortSignal): SharedListener {
  const known = bySignal.get(signal);
  if (known !== undefined) return known;
  const made = new SharedListener(signal);
  bySignal.set(signal, made);
  return made;
}
