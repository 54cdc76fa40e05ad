// ASYNC_WAIT_CTX: the ways to wait for a paused job, as the job tells them to its application.
import { brand } from '../base/brand';
import { abortError, asyncError, fromNative, invalidArgValue, isNativeError } from '../base/errors';
import {
  abortedBefore,
  limit,
  promiseOf,
  settle,
  type LimitErrors,
  type Limits,
  type Pending,
  type Resolve,
} from '../base/pending';
import type { NativeWaitContext } from '../native/contract/handles';
import { environment, environmentWithJobs, type Environment, type Listener } from '../native/environment';
import { readOptions, validateAbortSignal, validateFunction, validateInteger } from '../base/validators';
import { WAIT_STATUSES } from '../native/contract/tables';

/** The status of an engine's callbacks, see `ASYNC_WAIT_CTX_get_status(3)`. */
export type WaitStatus = 'unsupported' | 'error' | 'ok' | 'again';

/** The fds that came and went with a job's last pause. */
export interface ChangedFds {
  /** Wait for these from now on. */
  added: number[];
  /** Stop to wait for these, before the added ones: a number may have come back. */
  removed: number[];
}

/**
 * Called when the wait context was closed, or collected, for an fd that was set with it and not cleared: the time to
 * close the fd.
 *
 * @param fd - As given to `setWaitFd`.
 * @param key - As given to `setWaitFd`.
 */
export type WaitFdCleanup = (fd: number, key: unknown) => void;

/** Options of {@link WaitContext.wait}. */
export interface WaitOptions {
  /** Gives up waiting; the job stays paused. */
  signal?: AbortSignal;
  /** Gives up after so many milliseconds, 1 to 2 147 483 647. Without it there is no limit. */
  timeoutMs?: number;
}

const NO_OPTIONS = Object.freeze({ __proto__: null }) as unknown as WaitOptions;

interface FdRecord {
  key: unknown;
  keyId: number;
  fd: number;
  cleanup: WaitFdCleanup | undefined;
}

// Apart from the wait context, so that it can be closed when the context is collected.
interface OpenContext {
  native: NativeWaitContext;
  /** Newest last. */
  fds: FdRecord[];
}

/** False, without effect, while a job uses it. Throws a clean-up function's error, after all were called. */
function closeContext({ native, fds }: OpenContext): boolean {
  const due = environment().addon.waitContexts.close(native);
  if (due === undefined) return false;
  const failures: unknown[] = [];
  for (let i = 0; i < due.length; i += 2) {
    const index = fds.findIndex(({ keyId, fd }) => keyId === due[i] && fd === due[i + 1]);
    if (index < 0) continue;
    const [record] = fds.splice(index, 1) as [FdRecord];
    try {
      record.cleanup?.(record.fd, record.key);
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
  return true;
}

// A context that a job uses is never collected: see start-job.ts and run-job.ts.
const collected = new FinalizationRegistry(closeContext);

/** The library's own access to the parts of a wait context that users do not see. */
export interface WaitContextInternals {
  /** Also false for an object that only has the prototype. */
  isWaitContext(value: unknown): boolean;
  /** Throws when the context is closed. */
  native(context: WaitContext): NativeWaitContext;
  /** Makes the context busy; throws when it is closed or busy already. */
  acquire(context: WaitContext): NativeWaitContext;
  release(context: WaitContext): void;
  /** The number that stands for a key in native code. */
  keyId(context: WaitContext, key: unknown): number;
  noteFdSet(context: WaitContext, key: unknown, fd: number, cleanup: WaitFdCleanup | undefined): void;
  noteFdCleared(context: WaitContext, keyId: number): void;
}

/** @internal */
export let waitContextInternals: WaitContextInternals;

let lastCallbackId = 0;

/**
 * An `ASYNC_WAIT_CTX`: a "session", used by one job at a time and as often as one likes, through which a paused job
 * offers ways to wait for it. See `ASYNC_WAIT_CTX_new(3)`.
 *
 * A wait context belongs to the thread that made it. A forgotten one is closed when it is collected, if no job uses it.
 *
 * @throws `ERR_ASYNC_UNSUPPORTED`; `ERR_MEMORY_ALLOCATION_FAILED`.
 */
export class WaitContext {
  readonly #environment: Environment;
  #open: OpenContext | undefined;
  #busy = false;
  #waiting = false;
  #callback: (() => void) | undefined;
  #callbackId = 0;
  readonly #keyIds = new Map<unknown, number>();

  static {
    waitContextInternals = {
      isWaitContext: (value) => typeof value === 'object' && value !== null && #native in value,
      native: (context) => context.#native(),
      acquire: (context) => {
        context.#environment.enter();
        const native = context.#native();
        if (context.#busy) throw contextInUse();
        context.#busy = true;
        return native;
      },
      release: (context) => {
        context.#busy = false;
      },
      keyId: (context, key) => context.#keyId(key),
      noteFdSet: (context, key, fd, cleanup) => {
        context.#open?.fds.push({ key, keyId: context.#keyId(key), fd, cleanup });
      },
      noteFdCleared: (context, keyId) => {
        const fds = context.#open?.fds ?? [];
        const index = fds.findLastIndex((record) => record.keyId === keyId);
        if (index >= 0) fds.splice(index, 1);
      },
    };
  }

  constructor() {
    this.#environment = environmentWithJobs();
    this.#environment.start();
    const created = this.#environment.addon.waitContexts.create();
    if (isNativeError(created)) throw fromNative(created);
    this.#open = { native: created, fds: [] };
    collected.register(this, this.#open, this);
  }

  /** True while a job is running or paused with this context. */
  get busy(): boolean {
    return this.#busy;
  }

  /** True after {@link WaitContext.close}. */
  get closed(): boolean {
    return this.#open === undefined;
  }

  /**
   * The fds that the job offers now, as `ASYNC_WAIT_CTX_get_all_fds(3)`: one that is readable means that the job should
   * be resumed. On Windows they are waitable handles.
   *
   * @throws `ERR_ASYNC_WAIT_CONTEXT_CLOSED`
   */
  fds(): number[] {
    return this.#environment.addon.waitContexts.fds(this.#native());
  }

  /**
   * The changes since the job's pause before the last, or since the context was made, as
   * `ASYNC_WAIT_CTX_get_changed_fds(3)`.
   *
   * @throws `ERR_ASYNC_WAIT_CONTEXT_CLOSED`
   */
  changedFds(): ChangedFds {
    const [added, removed] = this.#environment.addon.waitContexts.changedFds(this.#native());
    return { added, removed };
  }

  /**
   * Sets the function that an engine calls back when an operation is complete, as `ASYNC_WAIT_CTX_set_callback(3)`;
   * null removes it. Engines that can, then prefer it to fds. The function runs on the thread of this context:
   * before {@link startJob} returns when the engine called within it, else from the event loop. It may not start or
   * resume jobs; an error of the function is an uncaught exception. Set it while no job is paused, or the job's engine
   * may not know.
   *
   * @throws `ERR_INVALID_ARG_TYPE`; `ERR_ASYNC_WAIT_CONTEXT_CLOSED`
   */
  setCallback(callback: (() => void) | null): void {
    const native = this.#native();
    if (callback === null) {
      this.#callback = undefined;
      if (this.#callbackId === 0) return;
      this.#environment.setCallback(this.#callbackId, undefined);
      this.#callbackId = 0;
      this.#environment.addon.waitContexts.stopObserving(native);
      return;
    }
    validateFunction(callback, 'callback');
    this.#callback = callback;
    if (this.#callbackId === 0) {
      this.#callbackId = ++lastCallbackId;
      this.#environment.addon.waitContexts.observe(native, this.#callbackId);
    }
    this.#environment.setCallback(this.#callbackId, callback);
  }

  /** The function that was set, or null: `ASYNC_WAIT_CTX_get_callback(3)`. */
  get callback(): (() => void) | null {
    return this.#callback ?? null;
  }

  /**
   * The engine's last status, as `ASYNC_WAIT_CTX_get_status(3)`: `'ok'` promises a callback, `'again'` asks to resume
   * the job soon without one, `'error'` tells of a fatal problem, and `'unsupported'` is the default. Setting it is for
   * those who play the engine.
   *
   * @throws `ERR_ASYNC_WAIT_CONTEXT_CLOSED`; `ERR_INVALID_ARG_VALUE` for another word.
   */
  get status(): WaitStatus {
    return WAIT_STATUSES[this.#environment.addon.waitContexts.status(this.#native())] ?? 'unsupported';
  }

  /** For those who play the engine. */
  set status(status: WaitStatus) {
    const native = this.#native();
    const index = WAIT_STATUSES.indexOf(status);
    if (index < 0) throw invalidArgValue('status', status, `must be one of: ${WAIT_STATUSES.join(', ')}`);
    this.#environment.addon.waitContexts.setStatus(native, index);
  }

  /**
   * Resolves when the paused job should be resumed: one of its fds is readable, or its callback was called since the
   * pause. For a job that offers neither, it resolves after a short while. It stands for `select(2)` in the man page's
   * example; {@link runJob} does the same by itself.
   *
   * A wait keeps the process alive. One wait at a time. Rejects with `AbortError`, `ERR_ASYNC_TIMEOUT`,
   * `ERR_ASYNC_INVALID_FD` or `ERR_ASYNC_FD_NOT_POLLABLE`.
   *
   * @throws `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`, `ERR_ASYNC_WAIT_CONTEXT_CLOSED`,
   * `ERR_ASYNC_WAIT_CONTEXT_BUSY` while another wait is under way.
   */
  wait(options: WaitOptions = NO_OPTIONS): Promise<void> {
    const limits = options === NO_OPTIONS ? NO_OPTIONS : readWaitOptions(options);
    this.#environment.enter();
    const native = this.#native();
    if (this.#waiting) {
      throw asyncError('ERR_ASYNC_WAIT_CONTEXT_BUSY', 'Another wait() is under way');
    }
    const aborted = abortedBefore(limits, WAIT_ERRORS);
    if (aborted !== undefined) return aborted;
    const wait = new Wait(this.#environment, (waiting) => {
      this.#waiting = waiting;
    });
    return wait.begin(native, limits);
  }

  /**
   * Frees the `ASYNC_WAIT_CTX` and calls the clean-up functions of the fds that are still set, as
   * `ASYNC_WAIT_CTX_free(3)`. Twice is harmless.
   *
   * @throws `ERR_ASYNC_WAIT_CONTEXT_BUSY` while a job uses it or a {@link WaitContext.wait} is under way; the
   * error of a clean-up function, after all of them were called.
   */
  close(): void {
    if (this.#open === undefined) return;
    this.#environment.enter();
    if (this.#busy || this.#waiting) throw contextInUse();
    this.setCallback(null);
    const open = this.#open;
    this.#open = undefined;
    collected.unregister(this);
    closeContext(open);
  }

  /** As {@link WaitContext.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  #native(): NativeWaitContext {
    if (this.#open === undefined) throw asyncError('ERR_ASYNC_WAIT_CONTEXT_CLOSED', 'The wait context is closed');
    return this.#open.native;
  }

  #keyId(key: unknown): number {
    const id = this.#keyIds.get(key) ?? this.#keyIds.size + 1;
    this.#keyIds.set(key, id);
    return id;
  }
}

brand(WaitContext, 'WaitContext');

const WAIT_ERRORS: LimitErrors = {
  aborted: abortError,
  timedOut: (timeoutMs) => asyncError('ERR_ASYNC_TIMEOUT', `The job was not woken within ${String(timeoutMs)} ms`),
};

// An unfinished wait().
class Wait implements Pending<undefined>, Listener {
  id = -1;
  resolve: Resolve<undefined> | undefined = undefined;
  limits: Limits | undefined = undefined;

  constructor(
    private readonly env: Environment,
    private readonly setWaiting: (waiting: boolean) => void,
  ) {}

  begin(native: NativeWaitContext, options: WaitOptions): Promise<void> {
    const { env } = this;
    env.submitting = this;
    this.setWaiting(true);
    const refused = env.addon.waitContexts.await(native, env.listen(this));
    if (refused !== undefined) {
      this.end();
      env.submitting = undefined;
      return Promise.reject(fromNative(refused));
    }
    const promise = promiseOf(this);
    env.submitting = undefined;
    limit(this, options, WAIT_ERRORS);
    return promise;
  }

  receive(): boolean {
    this.end();
    return true;
  }

  conclude(): void {
    settle(this)?.(undefined);
  }

  recall(): void {
    if (this.env.hears(this)) {
      this.env.addon.waitContexts.cancelAwait(this.id);
      this.env.unlisten(this.id);
    }
    this.setWaiting(false);
  }

  giveUp(makeError: () => Error): () => Error {
    if (this.env.hears(this)) {
      this.env.addon.waitContexts.cancelAwait(this.id);
      this.end();
    }
    return makeError;
  }

  // Native code knows nothing of the wait any more.
  private end(): void {
    this.env.unlisten(this.id);
    this.setWaiting(false);
  }
}

function readWaitOptions(options: unknown): WaitOptions {
  const read = readOptions(options, 'options', ['signal', 'timeoutMs']);
  const { signal, timeoutMs } = read;
  if (signal !== undefined) validateAbortSignal(signal, 'options.signal');
  if (timeoutMs !== undefined) validateInteger(timeoutMs, 'options.timeoutMs', 1, 2 ** 31 - 1);
  return read as WaitOptions;
}

function contextInUse(): Error {
  return asyncError('ERR_ASYNC_WAIT_CONTEXT_BUSY', 'The wait context is in use');
}
