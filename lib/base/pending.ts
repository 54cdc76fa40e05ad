// Promises that are settled once: by the end of their work, or before it by a signal or a time limit.
import { rejectWith } from './errors';

/** The limits of a call: read once, from options that were checked. */
export interface LimitOptions {
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
}

/** The errors of calls that their limits ended. */
export interface LimitErrors {
  aborted(reason: unknown): Error;
  timedOut(timeoutMs: number): Error;
}

type Cancel = (makeError: () => Error) => void;

/** Settles a promise. */
export type Resolve<T> = (value: T) => void;

/** The rejection of a call whose signal is aborted already; undefined for others. */
export function abortedBefore({ signal }: LimitOptions, errors: LimitErrors): Promise<never> | undefined {
  return signal?.aborted === true ? Promise.reject(errors.aborted(signal.reason)) : undefined;
}

// Saves a closure per call: the executor of a promise runs before its constructor returns.
let resolveNext: Resolve<never>;
function executor(resolve: Resolve<never>): void {
  resolveNext = resolve;
}

/**
 * Work with a promise. Ten thousand may be unfinished at a time, so the record of a call is its own Pending, with
 * limits only where somebody sets them. Not a base class: V8 makes objects of derived classes more slowly.
 */
export interface Pending<T> {
  /** Undefined before there is a promise, and once it is settled. */
  resolve: Resolve<T> | undefined;
  /** Undefined without limits. */
  limits: Limits | undefined;
  /**
   * The work is wanted no more. Returns the function that makes the error of the promise, in which code of users may
   * run (`Error.prepareStackTrace`).
   */
  giveUp(makeError: () => Error): () => Error;
}

/** Makes the promise, once. No code but the library's runs. */
export function promiseOf<T>(pending: Pending<T>): Promise<T> {
  const promise = new Promise<T>(executor as (resolve: Resolve<T>) => void);
  pending.resolve = resolveNext as Resolve<T>;
  return promise;
}

/** Begins the limits of `options`, if any. Their signal's methods may be code of users; the call may end meanwhile. */
export function limit<T>(pending: Pending<T>, options: LimitOptions, errors: LimitErrors): void {
  if (options.signal === undefined && options.timeoutMs === undefined) return;
  const cancelIt: Cancel = (makeError) => {
    cancel(pending, makeError);
  };
  pending.limits = new Limits(cancelIt, errors);
  pending.limits.begin(options);
}

/**
 * Ends the wait, and lets go of the limits, whose signal's methods may be code of users. Returns the function that
 * settles the promise; undefined when nobody waits.
 */
export function settle<T>(pending: Pending<T>): Resolve<T> | undefined {
  const { resolve, limits } = pending;
  pending.resolve = undefined;
  limits?.letGo();
  return resolve;
}

/** Rejects with the error that `makeError` makes, unless the promise is settled. */
export function cancel<T>(pending: Pending<T>, makeError: () => Error): void {
  const resolve = settle(pending);
  if (resolve !== undefined) rejectWith(resolve, pending.giveUp(makeError));
}

// Lets go of the timer and of the signal when its call is over.
export class Limits {
  #timer: NodeJS.Timeout | undefined;
  #signal: AbortSignal | undefined;
  #isOver = false;

  constructor(
    private readonly cancel: Cancel,
    private readonly errors: LimitErrors,
  ) {}

  /**
   * Has the call cancelled when `options` say so. A foreign signal may throw, or be aborted, while it is asked:
   * that cancels the call too, which therefore holds these limits by now.
   */
  begin(options: LimitOptions): void {
    try {
      this.#begin(options);
      if (this.#isOver) this.letGo();
    } catch (error) {
      this.cancel(() => error as Error);
    }
  }

  /** The call is over. */
  letGo(): void {
    this.#isOver = true;
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    if (this.#signal !== undefined) bySignal.get(this.#signal)?.delete(this.cancel);
    this.#timer = this.#signal = undefined;
  }

  #begin({ signal, timeoutMs }: LimitOptions): void {
    const { cancel: cancelIt, errors } = this;
    if (timeoutMs !== undefined) {
      this.#timer = setTimeout(() => {
        cancelIt(() => errors.timedOut(timeoutMs));
      }, timeoutMs);
    }
    if (signal === undefined) return;
    this.#signal = signal;
    sharedListener(signal).add(cancelIt, errors);
  }
}

// One listener for each signal, however many calls share it: Node warns of more than ten. It is removed with the
// last call, because a signal that was derived from another lives as long as it has listeners.
class SharedListener {
  readonly #calls = new Map<Cancel, LimitErrors>();
  readonly #onAbort = (): void => {
    bySignal.delete(this.signal);
    const { reason } = this.signal as { reason: unknown };
    for (const [cancelIt, errors] of this.#calls) cancelIt(() => errors.aborted(reason));
  };

  constructor(readonly signal: AbortSignal) {
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  add(cancelIt: Cancel, errors: LimitErrors): void {
    this.#calls.set(cancelIt, errors);
  }

  delete(cancelIt: Cancel): void {
    this.#calls.delete(cancelIt);
    if (this.#calls.size > 0) return;
    bySignal.delete(this.signal);
    try {
      this.signal.removeEventListener('abort', this.#onAbort);
    } catch {
      // A foreign signal threw. The listener has no calls left to cancel, and this call is still to be settled.
    }
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
