// The library, the process's OpenSSL and this thread's pool of jobs.
import { asyncError, fromNative, outOfRange } from '../base/errors';
import { CONFIGURE_OPTIONS, resolveOptions, type ConfigureOptions } from '../base/options';
import { loadConfiguration } from '../native/configuration';
import {
  environment,
  environmentWithJobs,
  reasonForNoJobs,
  reasonForNone,
  versionOfOpenSSL,
} from '../native/environment';
import { validateInteger, readOptions } from '../base/validators';

/** Options of {@link initThread}. */
export interface InitThreadOptions {
  /** Jobs that the pool may have, in use or not; 0 for no limit. 0 to 1 000 000. @defaultValue 0 */
  maxSize?: number;
  /** Jobs that are created at once. 0 to 1 000 000, and not more than `maxSize` unless that is 0. @defaultValue 0 */
  initSize?: number;
}

const MAX_POOL = 1_000_000;

/**
 * Whether real OpenSSL async jobs run in this process: `ASYNC_is_capable(3)`. Where they do not, operations may work all
 * the same: see {@link capability}. Never throws.
 */
export function isCapable(): boolean {
  return reasonForNoJobs() === undefined;
}

/** Why {@link isCapable} is false, in one sentence; undefined when it is true. Never throws. */
export function unsupportedReason(): string | undefined {
  return reasonForNoJobs();
}

/** The parts of the library that work in a process; see {@link capability}. */
export type Capability = 'jobs' | 'operations' | 'none';

/**
 * The parts of the library that work in this process. Never throws.
 *
 * - `'jobs'`: everything. {@link isCapable} is true.
 * - `'operations'`: everything but jobs, as on musl. Operations, keys, streams, stores and remote keys work on threads;
 *   `startJob()`, `runJob()`, `WaitContext`, `initThread()` and `requireOffload` fail with `ERR_ASYNC_UNSUPPORTED`.
 * - `'none'`: nothing, as without the addon or with BoringSSL. Use `node:crypto`.
 */
export function capability(): Capability {
  if (reasonForNone() !== undefined) return 'none';
  return isCapable() ? 'jobs' : 'operations';
}

/**
 * The version of the OpenSSL that this process runs jobs with, for example `'OpenSSL 3.0.19 27 Jan 2026'`; undefined when
 * the addon could not be loaded. Never throws.
 */
export function opensslVersion(): string | undefined {
  return versionOfOpenSSL();
}

/**
 * Creates this thread's pool of jobs: `ASYNC_init_thread(3)`. Optional: the first job creates a pool without a limit.
 * With `maxSize`, {@link startJob} gives `'no-jobs'` when all are in use, and {@link runJob} queues.
 *
 * @throws `ERR_ASYNC_THREAD_INITIALIZED` when the thread has a pool; `ERR_ASYNC_NESTED_START`;
 * `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`; `ERR_ASYNC_INIT_FAILED`; `ERR_ASYNC_UNSUPPORTED`
 */
export function initThread(options: InitThreadOptions = {}): void {
  const { maxSize = 0, initSize = 0 } = readOptions(options, 'options', ['maxSize', 'initSize']);
  validateInteger(maxSize, 'options.maxSize', 0, MAX_POOL);
  validateInteger(initSize, 'options.initSize', 0, MAX_POOL);
  if (maxSize !== 0 && initSize > maxSize) {
    throw outOfRange('options.initSize', `<= maxSize (${String(maxSize)})`, initSize);
  }
  const env = environmentWithJobs();
  if (env.insideJob) throw asyncError('ERR_ASYNC_NESTED_START', 'initThread() cannot be called from within a job');
  const refused = env.addon.thread.init(maxSize, initSize);
  if (refused !== undefined) throw fromNative(refused);
  env.started = true;
  env.poolLimit = maxSize;
}

/**
 * Frees this thread's pool: `ASYNC_cleanup_thread(3)`. Optional: it happens when the thread ends. Afterwards
 * {@link initThread} may be called again.
 *
 * @throws `ERR_ASYNC_JOBS_OUTSTANDING`, without any effect, while jobs of the thread have not finished;
 * `ERR_ASYNC_NESTED_START`; `ERR_ASYNC_UNSUPPORTED`
 */
export function cleanupThread(): void {
  const env = environment();
  if (env.insideJob) throw asyncError('ERR_ASYNC_NESTED_START', 'cleanupThread() cannot be called from within a job');
  const refused = env.addon.thread.cleanup();
  if (refused !== undefined) throw fromNative(refused);
  env.poolLimit = 0;
}

/**
 * Sets limits and habits, before the first use on this thread. `stackSizeBytes`, `maxGuardedStacks`, `threads` and
 * `spareThread` are the process's: set them before any thread has run a job or an operation.
 *
 * @throws `ERR_ASYNC_ALREADY_STARTED`; `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` for an unknown option,
 * `ERR_OUT_OF_RANGE`; `ERR_ASYNC_CONFIGURATION` for a file that OpenSSL does not take; `ERR_ASYNC_UNSUPPORTED`
 */
export function configure(options: ConfigureOptions): void {
  const env = environment();
  const given = readOptions(options, 'options', CONFIGURE_OPTIONS);
  const resolved = resolveOptions(given, env.options);
  if (env.started) {
    throw asyncError('ERR_ASYNC_ALREADY_STARTED', 'configure() must be called before the first use on this thread');
  }
  const { addon } = env;
  if (given.opensslConfig !== undefined) loadConfiguration(resolved.opensslConfig);
  const { stackSizeBytes, maxGuardedStacks, threads, spareThread } = resolved;
  const largest = given.stackSizeBytes === undefined ? stackSizeBytes : addon.thread.largestStackBytes();
  if (stackSizeBytes > largest) {
    throw outOfRange('options.stackSizeBytes', `<= ${String(largest)} in this program`, stackSizeBytes);
  }
  if (given.stackSizeBytes !== undefined || given.maxGuardedStacks !== undefined) {
    if (!addon.thread.configureStacks(stackSizeBytes, maxGuardedStacks)) {
      throw asyncError('ERR_ASYNC_ALREADY_STARTED', 'The stacks of this process have been set up already');
    }
  }
  if (given.threads !== undefined || given.spareThread !== undefined) {
    if (!addon.thread.configurePool(threads, spareThread)) {
      throw asyncError('ERR_ASYNC_ALREADY_STARTED', 'The pool of this process has been started already');
    }
  }
  const { maxJobs, tickBudgetMicros, poll, drainTimeoutMs, maxInlineMicros, maxInFlight } = resolved;
  addon.thread.configure(maxJobs, tickBudgetMicros, poll.initialIntervalMs, poll.maxIntervalMs, drainTimeoutMs);
  addon.operations.configure(maxInlineMicros, maxInFlight);
  env.options = resolved;
}
