// The pipe of the man page's example.
import { asyncError, fromNative, isNativeError } from '../base/errors';
import type { NativeWaitSignal } from '../native/contract/handles';
import { environment } from '../native/environment';

/**
 * Something to wake a job with: a readable fd for the job to offer, and a way to make it readable. The man page's
 * example does this with `pipe(2)`.
 *
 * @example
 * ```ts
 * const signal = new WaitSignal();
 * const func = jobFunction(function* (job) {
 *   yield job.setWaitFd('example', signal.fd);
 *   while (!signal.clear()) yield job.pause();
 *   yield job.clearFd('example');
 *   return 1;
 * });
 * setTimeout(() => signal.wake(), 10);
 * await runJob(func);
 * signal.close();
 * ```
 *
 * @throws `ERR_ASYNC_UNSUPPORTED`; `EMFILE` or `ENFILE` when there are no file descriptors left, else `ERR_SYSTEM_ERROR`.
 */
export class WaitSignal {
  #handle: NativeWaitSignal | undefined;

  constructor() {
    const created = environment().addon.signals.create();
    if (isNativeError(created)) throw fromNative(created);
    this.#handle = created;
  }

  /** The fd (on Windows, the event object) that is readable while the signal is woken. */
  get fd(): number {
    return environment().addon.signals.fd(this.#open());
  }

  /** Makes {@link WaitSignal.fd} readable. Waking it twice is as good as once. */
  wake(): void {
    environment().addon.signals.wake(this.#open());
  }

  /** Makes {@link WaitSignal.fd} unreadable again. False when nobody had woken it: a job should then pause again. */
  clear(): boolean {
    return environment().addon.signals.clear(this.#open());
  }

  /** Closes the fd. A job that still waits for it must have cleared it from its wait context before. Twice is harmless. */
  close(): void {
    if (this.#handle === undefined) return;
    environment().addon.signals.close(this.#handle);
    this.#handle = undefined;
  }

  /** As {@link WaitSignal.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  #open(): NativeWaitSignal {
    if (this.#handle === undefined) throw asyncError('ERR_ASYNC_WAIT_SIGNAL_CLOSED', 'The wait signal is closed');
    return this.#handle;
  }
}
