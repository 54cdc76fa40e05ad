// Calls that a signal or a time limit may end early.

/** A call whose promise can be rejected before its work has ended. */
export interface Cancellable {
  /** Rejects now, unless the promise is settled. */
  cancel(error: Error): void;
}

/** What a call that was limited has to let go of. */
export interface Limits {
  timer?: NodeJS.Timeout;
  signal?: AbortSignal;
}

// One listener for each signal, however many calls share it: Node warns of more than ten.
const bySignal = new WeakMap<AbortSignal, Set<Cancellable>>();

/** Cancels `call` with `makeError(reason)` when `signal` is aborted. */
export function cancelWith(signal: AbortSignal, call: Cancellable, makeError: (reason: unknown) => Error): void {
  const known = bySignal.get(signal);
  if (known !== undefined) {
    known.add(call);
    return;
  }
  const calls = new Set([call]);
  bySignal.set(signal, calls);
  const onAbort = (): void => {
    bySignal.delete(signal);
    for (const each of calls) each.cancel(makeError(signal.reason));
  };
  signal.addEventListener('abort', onAbort, { once: true });
}

/** The call is over. */
export function letGo(limits: Limits, call: Cancellable): void {
  clearTimeout(limits.timer);
  if (limits.signal !== undefined) bySignal.get(limits.signal)?.delete(call);
}
