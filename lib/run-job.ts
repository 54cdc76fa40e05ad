// Jobs that the event loop starts, waits for and resumes.
import { AsyncLocalStorage } from 'node:async_hooks';
import { cancelWith, letGo, type Cancellable, type Limits } from './cancellation';
import { channels, publish, wantsTrace, type WakeupKind } from './diagnostics';
import { abortError, asyncError, fromNative, invalidArgType } from './errors';
import { GeneratorRun } from './generator-run';
import { Job } from './job';
import {
  cloneArgs,
  GeneratorJobFunction,
  toBytes,
  validateJobFunction,
  type JobFunction,
  type NativeJobFunction,
} from './job-function';
import { EventKind, EventWord, type NativeWaitContext } from './native/contract';
import { environment, errorForNone, type Environment, type Listener } from './native/environment';
import { validateAbortSignal, validateInteger, validateOptions } from './validators';
import { WaitContext, waitContextInternals } from './wait-context';

/** Options of {@link runJob}. */
export interface RunJobOptions<Args = unknown> {
  /** Copied, as with {@link startJob}. */
  args?: Args;
  /** For this job alone until it has ended. Without it, the job has one of the library's, which keeps engines' fds. */
  waitContext?: WaitContext;
  /** Rejects with an `AbortError` at once; the job itself is driven to its end in the background. */
  signal?: AbortSignal;
  /** Rejects with `ERR_ASYNC_TIMEOUT` after so many milliseconds, 1 to 2 147 483 647; the job as with `signal`. */
  timeoutMs?: number;
}

/** How often jobs were resumed, and why. */
export interface WakeupCounts {
  /** An fd was readable. */
  fd: number;
  /** The callback was called. */
  callback: number;
  /** It was time to try again. */
  poll: number;
}

/** What became of a job. */
export interface JobResult {
  /** What the job's function returned. */
  returnValue: number;
  /** How often it paused. */
  pauses: number;
  /** What it was resumed for. */
  wakeups: WakeupCounts;
  /** What the function left in its OpenSSL error queue, oldest first, if anything. */
  opensslErrorStack?: string[];
}

const RUN_JOB_OPTIONS = ['args', 'waitContext', 'signal', 'timeoutMs'] as const;
const NO_OPTIONS: RunJobOptions<never> = {};
const WAKEUP_KINDS: readonly WakeupKind[] = ['fd', 'callback', 'poll'];

type Resolve = (result: JobResult) => void;
type Reject = (error: unknown) => void;

/** Counters that native code does not have. */
export const cancellations = { aborted: 0, timedOut: 0, refused: 0 };

/** What only some submissions have. */
interface Extras extends Limits {
  waitContext?: WaitContext;
  /** Nobody else has it: it is closed with the job. */
  ownsWaitContext?: boolean;
  generator?: {
    run: GeneratorRun;
    job: Job;
    /** Runs a function in the async context of the call. */
    inContext: ReturnType<typeof AsyncLocalStorage.snapshot>;
  };
}

// One for each unfinished call, ten thousand at a time: plain fields, and few.
class Submission implements Listener, Cancellable {
  id = 0;
  extras: Extras | undefined = undefined;

  constructor(
    readonly func: JobFunction,
    // Undefined once the promise is settled.
    private resolve: Resolve | undefined,
    private reject: Reject | undefined,
  ) {}

  onEvent(words: Int32Array, offset: number): void {
    const value = words[offset + EventWord.value] as number;
    const detail = words[offset + EventWord.detail] as number;
    switch (words[offset + EventWord.kind] as number) {
      case EventKind.finished:
        this.onFinished(value, detail !== 0, words, offset);
        break;
      case EventKind.failed:
        this.onFailed(words[offset + EventWord.pauses] as number);
        break;
      case EventKind.handedOver:
        this.onHandedOver(value === 1, detail);
        break;
      case EventKind.unwatchable:
        this.cancel(fromNative(environment().addon.takeFailure(this.id)));
        break;
      case EventKind.started:
        publish('start', this.message(words, offset));
        break;
      case EventKind.paused:
        publish('pause', this.message(words, offset));
        break;
      case EventKind.resumed:
        publish('resume', { ...this.message(words, offset), wakeup: WAKEUP_KINDS[value] });
        break;
    }
  }

  /** Rejects now. The job itself, if it has begun, goes on unheard. */
  cancel(error: Error): void {
    const { reject } = this;
    if (reject === undefined) return;
    flush();
    this.settle();
    const { addon } = environment();
    const generator = this.extras?.generator;
    if (addon.abandon(this.id)) {
      this.release();
    } else if (generator !== undefined) {
      generator.run.interrupt(error);
      addon.interrupt(this.id);
    }
    reject(error);
  }

  private onFinished(returnValue: number, hasErrors: boolean, words: Int32Array, offset: number): void {
    const { resolve, reject, extras } = this;
    const pauses = words[offset + EventWord.pauses] as number;
    const result: JobResult = {
      returnValue,
      pauses,
      wakeups: {
        fd: words[offset + EventWord.fd] as number,
        callback: words[offset + EventWord.callback] as number,
        poll: words[offset + EventWord.poll] as number,
      },
    };
    if (hasErrors) result.opensslErrorStack = [...environment().addon.takeFailure(this.id).opensslErrors];
    this.settle();
    const end = extras?.generator?.run.end;
    if (end !== undefined && 'error' in end) {
      if (channels.finish.hasSubscribers) this.publishFinish(pauses, { error: end.error });
      reject?.(end.error);
    } else {
      if (end !== undefined) result.returnValue = end.returnValue;
      if (channels.finish.hasSubscribers) this.publishFinish(pauses, { returnValue: result.returnValue });
      resolve?.(result);
    }
    this.release(); // last: a clean-up function may throw
  }

  private onFailed(pauses: number): void {
    const error = fromNative(environment().addon.takeFailure(this.id));
    const { reject } = this;
    this.settle();
    this.publishFinish(pauses, { error });
    reject?.(error);
    this.release();
  }

  private onHandedOver(ok: boolean, fd: number): void {
    const { run, inContext } = this.extras?.generator as NonNullable<Extras['generator']>;
    const { kind, keyId = 0, fd: commandFd = 0, cleanup } = inContext(() => run.step(ok, fd));
    environment().addon.continueJob(this.id, kind, keyId, commandFd, cleanup !== undefined, 0);
  }

  // The promise is settled or about to be.
  private settle(): void {
    this.resolve = this.reject = undefined;
    const { extras } = this;
    if (extras !== undefined) letGo(extras, this);
  }

  // Native code knows nothing of the job any more.
  private release(): void {
    environment().unlisten(this.id);
    const { extras } = this;
    if (extras === undefined) return;
    if (extras.generator !== undefined) extras.generator.job.currentState = 'finished';
    if (extras.waitContext === undefined) return;
    waitContextInternals.release(extras.waitContext);
    if (extras.ownsWaitContext === true) extras.waitContext.close();
  }

  private message(words: Int32Array, offset: number): { id: number; func: JobFunction; pauses: number } {
    return { id: this.id, func: this.func, pauses: words[offset + EventWord.pauses] as number };
  }

  private publishFinish(pauses: number, end: { returnValue: number } | { error: unknown }): void {
    publish('finish', { id: this.id, func: this.func, pauses, ...end });
  }
}

// Jobs of native functions without arguments or wait contexts are handed to native code together, at the end of the
// current microtask; all others by themselves, behind what was collected.
const BATCH_SIZE = 1024;
const batch = { ids: new Int32Array(BATCH_SIZE), count: 0, func: undefined as NativeJobFunction | undefined };
let tracing = false;

function flush(): void {
  if (batch.count === 0) return;
  const { count, func } = batch;
  batch.count = 0;
  trace();
  environment().addon.submitBatch(batch.ids, count, (func as NativeJobFunction).external);
}

// Before jobs are handed over: whether somebody wants to hear what happens to them.
function trace(): void {
  if (wantsTrace() === tracing) return;
  tracing = !tracing;
  environment().addon.setTracing(tracing);
}

function collect(id: number, func: NativeJobFunction): void {
  if (batch.count === BATCH_SIZE || (batch.count > 0 && batch.func !== func)) flush();
  if (batch.count === 0) void Promise.resolve().then(flush);
  batch.func = func;
  batch.ids[batch.count++] = id;
}

// Saves a closure per call: the executor of a promise runs before its constructor returns.
let resolveNext: Resolve;
let rejectNext: Reject;
function executor(resolve: Resolve, reject: Reject): void {
  resolveNext = resolve;
  rejectNext = reject;
}

/**
 * Runs a job on the event loop: starts it as soon as there is a place, waits in whichever way it offers when it pauses
 * (callback, fds, or trying again after a while), resumes it and resolves when its function has returned.
 *
 * Jobs start in the order of the calls, from the event loop, not before this function returns. A job that has begun is
 * always driven to its end, also when the promise was rejected early. The promise rejects with what a generator threw,
 * with OpenSSL's error, or with `AbortError`, `ERR_ASYNC_TIMEOUT`, `ERR_ASYNC_QUEUE_FULL`, `ERR_ASYNC_NATIVE_EXCEPTION`,
 * `ERR_ASYNC_INVALID_FD` or `ERR_ASYNC_FD_NOT_POLLABLE` (the job offers an fd that cannot be waited for),
 * `ERR_ASYNC_UNSUPPORTED`. A generator whose call was cancelled has the error thrown at the yield where it stands.
 *
 * @throws `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`, `ERR_ASYNC_WAIT_CONTEXT_BUSY`,
 * `ERR_ASYNC_WAIT_CONTEXT_CLOSED`: misuse, without any effect.
 */
export function runJob<Args = unknown>(
  func: JobFunction<Args>,
  options: RunJobOptions<NoInfer<Args>> = NO_OPTIONS,
): Promise<JobResult> {
  validateJobFunction(func);
  if (options !== NO_OPTIONS) validateRunJobOptions(options);
  const missing = errorForNone();
  if (missing !== undefined) return Promise.reject(missing);
  const env = environment();
  const { args, waitContext, signal, timeoutMs } = options;
  const isGenerator = func instanceof GeneratorJobFunction;
  const copy = isGenerator ? cloneArgs(args) : toBytes(args);
  if (signal?.aborted === true) {
    return Promise.reject(aborted(signal.reason));
  }
  if (env.listening >= maxUnfinished(env)) {
    ++cancellations.refused;
    return Promise.reject(asyncError('ERR_ASYNC_QUEUE_FULL', 'Too many jobs wait for a place'));
  }
  const nativeContext = waitContext === undefined ? null : waitContextInternals.acquire(waitContext);

  const promise = new Promise(executor);
  const submission = new Submission(func, resolveNext, rejectNext);
  if (!env.started) env.start();
  const id = (submission.id = env.listen(submission));
  if (isGenerator) {
    submitGenerator(env, submission, func, copy, waitContext, nativeContext);
  } else if (nativeContext === null && copy === null) {
    collect(id, func);
  } else {
    if (waitContext !== undefined) submission.extras = { waitContext };
    flush();
    trace();
    env.addon.submit(id, func.external, copy as Uint8Array | null, nativeContext);
  }
  if (signal !== undefined || timeoutMs !== undefined) limit(submission, signal, timeoutMs);
  return promise;
}

function submitGenerator(
  env: Environment,
  submission: Submission,
  func: GeneratorJobFunction,
  args: unknown,
  waitContext: WaitContext | undefined,
  nativeContext: NativeWaitContext | null,
): void {
  // A generator's commands need a context to look at; those of the scheduler's own have no face.
  const context = waitContext ?? new WaitContext();
  const native = nativeContext ?? waitContextInternals.acquire(context);
  const job = new Job(context, true);
  const run = new GeneratorRun(env, job, func, args);
  submission.extras = {
    waitContext: context,
    ownsWaitContext: waitContext === undefined,
    generator: { run, job, inContext: AsyncLocalStorage.snapshot() },
  };
  flush();
  trace();
  env.addon.submit(submission.id, null, null, native);
}

function aborted(reason: unknown): Error {
  ++cancellations.aborted;
  return abortError(reason);
}

function limit(submission: Submission, signal: AbortSignal | undefined, timeoutMs: number | undefined): void {
  const extras: Extras = (submission.extras ??= {});
  if (signal !== undefined) {
    extras.signal = signal;
    cancelWith(signal, submission, aborted);
  }
  if (timeoutMs !== undefined) {
    extras.timer = setTimeout(() => {
      ++cancellations.timedOut;
      submission.cancel(asyncError('ERR_ASYNC_TIMEOUT', `The job did not finish within ${String(timeoutMs)} ms`));
    }, timeoutMs);
  }
}

function validateRunJobOptions(options: unknown): asserts options is RunJobOptions {
  validateOptions(options, 'options', RUN_JOB_OPTIONS);
  const { waitContext, signal, timeoutMs } = options;
  if (waitContext !== undefined && !waitContextInternals.isWaitContext(waitContext)) {
    throw invalidArgType('options.waitContext', 'an instance of WaitContext', waitContext);
  }
  if (signal !== undefined) validateAbortSignal(signal, 'options.signal');
  if (timeoutMs !== undefined) validateInteger(timeoutMs, 'options.timeoutMs', 1, 2 ** 31 - 1);
}

function maxUnfinished({ options, poolLimit }: Environment): number {
  return (poolLimit === 0 ? options.maxJobs : Math.min(options.maxJobs, poolLimit)) + options.maxQueued;
}
