// Jobs that the event loop starts, waits for and resumes.
import { captureContext, type InContext } from '../base/async-context';
import { abortError, asyncError, fromNative, invalidArgType, rejectWith } from '../base/errors';
import {
  abortedBefore,
  cancel,
  limit,
  promiseOf,
  settle,
  type LimitErrors,
  type Limits,
  type Pending,
  type Resolve,
} from '../base/pending';
import { GeneratorRun } from './generator-run';
import { Job } from './job';
import { JobBatch } from './job-batch';
import { channels, publish, wantsJobs, wantsTrace, type JobMessage, type WakeupKind } from './job-channels';
import {
  cloneArgs,
  type GeneratorJobFunction,
  toBytes,
  validateJobFunction,
  type JobFunction,
  NativeJobFunction,
} from './job-function';
import type { NativeError } from '../native/contract/error';
import type { NativeWaitContext } from '../native/contract/handles';
import { EventKind, EventWord, WAKEUP_KINDS } from '../native/contract/tables';
import { environment, errorForNoJobs, type Environment, type Listener } from '../native/environment';
import { validateAbortSignal, validateInteger, validateOptions } from '../base/validators';
import { WaitContext, waitContextInternals } from './wait-context';

/** Options of {@link runJob}. */
export interface RunJobOptions<Args = unknown> {
  /** Copied, as with {@link startJob}. */
  args?: Args;
  /**
   * For this job alone until it has ended. By default the job has a context of the library's, which keeps engines' fds.
   */
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

/** The outcome of a job. */
export interface JobResult {
  /** The return value of the job's function. */
  returnValue: number;
  /** How often it paused. */
  pauses: number;
  /** How often it was resumed, by reason. */
  wakeups: WakeupCounts;
  /** The errors that the function left in its OpenSSL error queue, oldest first, if any. */
  opensslErrorStack?: string[];
}

const RUN_JOB_OPTIONS = ['args', 'waitContext', 'signal', 'timeoutMs'] as const;
const NO_OPTIONS = Object.freeze({
  args: undefined,
  waitContext: undefined,
  signal: undefined,
  timeoutMs: undefined,
}) as unknown as RunJobOptions<never>;

const LIMIT_ERRORS: LimitErrors = {
  aborted: (reason) => {
    ++environment().cancellations.aborted;
    return abortError(reason);
  },
  timedOut: (timeoutMs) => {
    ++environment().cancellations.timedOut;
    return asyncError('ERR_ASYNC_TIMEOUT', `The job did not finish within ${String(timeoutMs)} ms`);
  },
};

/** An event of a job, to be published when the events behind it were read. */
type Happening =
  | { what: 'start' | 'pause' | 'resume'; message: JobMessage }
  | { what: 'handed-over'; ok: boolean; fd: number }
  | { what: 'unwatchable'; error: NativeError };

// Fields that only some submissions have.
class Extras {
  /** In use until the job has ended. */
  waitContext: WaitContext | undefined = undefined;
  /** The wait context is the job's alone, and closed with it. */
  ownsWaitContext = false;
  generator: { run: GeneratorRun; job: Job } | undefined = undefined;
  /** Runs a function in the async context of the call. */
  inContext: InContext | undefined = undefined;
  happenings: Happening[] = [];
}

// An unfinished call. There may be ten thousand at a time: plain fields, and few.
class Submission implements Pending<JobResult>, Listener {
  id = -1;
  resolve: Resolve<JobResult> | undefined = undefined;
  limits: Limits | undefined = undefined;
  extras: Extras | undefined = undefined;
  // The job's result, or its error; undefined until the end.
  private result: JobResult | undefined = undefined;
  private failure: { readonly error: NativeError; readonly pauses: number } | undefined = undefined;

  constructor(readonly func: JobFunction) {}

  get inContext(): InContext | undefined {
    return this.extras?.inContext;
  }

  receive(words: Int32Array, offset: number): boolean {
    const value = words[offset + EventWord.value] as number;
    const detail = words[offset + EventWord.detail] as number;
    const { jobs } = environment();
    switch (words[offset + EventWord.kind] as number) {
      case EventKind.finished: {
        const result: JobResult = {
          returnValue: value,
          pauses: words[offset + EventWord.pauses] as number,
          wakeups: {
            fd: words[offset + EventWord.fd] as number,
            callback: words[offset + EventWord.callback] as number,
            poll: words[offset + EventWord.poll] as number,
          },
        };
        if (detail !== 0) result.opensslErrorStack = [...jobs.takeFailure(this.id).opensslErrors];
        this.result = result;
        environment().unlisten(this.id);
        break;
      }
      case EventKind.failed:
        this.failure = { error: jobs.takeFailure(this.id), pauses: words[offset + EventWord.pauses] as number };
        environment().unlisten(this.id);
        break;
      case EventKind.handedOver:
        this.happened({ what: 'handed-over', ok: value === 1, fd: detail });
        break;
      case EventKind.unwatchable:
        this.happened({ what: 'unwatchable', error: jobs.takeFailure(this.id) });
        break;
      case EventKind.started:
        this.happened({ what: 'start', message: this.message(words, offset) });
        break;
      case EventKind.paused:
        this.happened({ what: 'pause', message: this.message(words, offset) });
        break;
      case EventKind.resumed: {
        const wakeup = WAKEUP_KINDS[value] as WakeupKind;
        this.happened({ what: 'resume', message: { ...this.message(words, offset), wakeup } });
        break;
      }
    }
    return true;
  }

  conclude(): void {
    const happening = this.extras?.happenings.shift();
    if (happening !== undefined) this.tell(happening);
    else if (this.hasEnded) this.settleWithEnd();
  }

  recall(): void {
    const env = environment();
    settle(this);
    if (env.hears(this)) {
      if (batch.has(this.id) || (env.jobs.knows(this.id) && !env.jobs.abandon(this.id))) return;
      env.unlisten(this.id);
    }
    this.release();
  }

  // The job itself, if it has begun, goes on unheard.
  giveUp(makeError: () => Error): () => Error {
    const env = environment();
    flush(env);
    const error = once(makeError);
    if (this.hasEnded) return error;
    const generator = this.extras?.generator;
    if (env.jobs.abandon(this.id)) {
      env.unlisten(this.id);
      this.release();
    } else if (generator !== undefined) {
      generator.run.interrupt(error);
      env.jobs.interrupt(this.id);
    }
    return error;
  }

  private get hasEnded(): boolean {
    return this.result !== undefined || this.failure !== undefined;
  }

  private happened(happening: Happening): void {
    (this.extras ??= new Extras()).happenings.push(happening);
  }

  private tell(happening: Happening): void {
    switch (happening.what) {
      case 'handed-over':
        this.carryOn(happening.ok, happening.fd);
        break;
      case 'unwatchable': {
        const { error } = happening;
        cancel(this, () => fromNative(error));
        break;
      }
      case 'start':
      case 'pause':
      case 'resume':
        this.publish(happening.what, happening.message);
    }
  }

  private carryOn(ok: boolean, fd: number): void {
    const { generator, inContext } = this.extras as Extras;
    const { run } = generator as NonNullable<Extras['generator']>;
    const { kind, keyId = 0, fd: commandFd = 0, cleanup } = (inContext as InContext)(() => run.step(ok, fd));
    environment().jobs.continue(this.id, kind, keyId, commandFd, cleanup !== undefined, 0);
  }

  private settleWithEnd(): void {
    const { extras } = this;
    const resolve = settle(this);
    const failed = this.makesError();
    if (failed === undefined) {
      const result = this.result as JobResult;
      const end = extras?.generator?.run.end;
      if (end?.failed === false) result.returnValue = end.returnValue;
      if (channels.finish.hasSubscribers) this.publishFinish({ returnValue: result.returnValue });
      this.result = undefined; // of ten thousand calls some are old by now, and would make it old
      resolve?.(result);
    } else {
      const makeError = (): unknown => {
        const error = failed();
        this.publishFinish({ error });
        return error;
      };
      if (resolve === undefined) makeError();
      else rejectWith(resolve, makeError);
    }
    if (extras !== undefined) this.release(); // last: a clean-up function may throw
  }

  private makesError(): (() => unknown) | undefined {
    const { failure } = this;
    if (failure !== undefined) return () => fromNative(failure.error);
    const end = this.extras?.generator?.run.end;
    return end?.failed === true ? () => end.error : undefined;
  }

  // Native code knows nothing of the job any more.
  private release(): void {
    const { extras } = this;
    if (extras === undefined) return;
    if (extras.generator !== undefined) extras.generator.job.currentState = 'finished';
    const { waitContext } = extras;
    if (waitContext === undefined) return;
    extras.waitContext = undefined;
    waitContextInternals.release(waitContext);
    if (extras.ownsWaitContext) waitContext.close();
  }

  private message(words: Int32Array, offset: number): JobMessage {
    return { id: this.id, func: this.func, pauses: words[offset + EventWord.pauses] as number };
  }

  private publishFinish(end: { returnValue: number } | { error: unknown }): void {
    const { id, func } = this;
    const pauses = this.result?.pauses ?? this.failure?.pauses ?? 0;
    this.publish('finish', { id, func, pauses, ...end });
  }

  private publish(name: keyof typeof channels, message: JobMessage): void {
    const { inContext } = this;
    if (inContext === undefined) publish(name, message);
    else
      inContext(() => {
        publish(name, message);
      });
  }
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

const batch = new JobBatch(flush);
let tracing = false;

function flush(env: Environment): void {
  trace(env);
  batch.submit(env);
}

// Before jobs are handed over: whether somebody wants to hear what happens to them.
function trace(env: Environment): void {
  const wanted = wantsTrace();
  if (wanted === tracing) return;
  env.jobs.setTracing(wanted);
  tracing = wanted;
}

/**
 * Runs a job on the event loop: starts it as soon as there is room, waits in whichever way it offers when it pauses
 * (callback, fds, or trying again after a while), resumes it and resolves when its function has returned.
 *
 * Jobs start in the order of the calls, from the event loop, not before this function returns. A job that has begun is
 * always driven to its end, also when the promise was rejected early. The promise rejects with the error of a
 * generator, with OpenSSL's error, or with `AbortError`, `ERR_ASYNC_TIMEOUT`, `ERR_ASYNC_QUEUE_FULL`,
 * `ERR_ASYNC_NATIVE_EXCEPTION`, `ERR_ASYNC_INVALID_FD` or `ERR_ASYNC_FD_NOT_POLLABLE` (the job offers an fd that cannot
 * be waited for), `ERR_ASYNC_UNSUPPORTED`. When the call of a generator is cancelled, the error is thrown at its
 * current `yield`.
 *
 * @throws `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`, `ERR_ASYNC_WAIT_CONTEXT_BUSY`,
 * `ERR_ASYNC_WAIT_CONTEXT_CLOSED`: misuse, without any effect.
 */
export function runJob<Args = unknown>(
  func: JobFunction<Args>,
  options: RunJobOptions<NoInfer<Args>> = NO_OPTIONS,
): Promise<JobResult> {
  validateJobFunction(func);
  const given = options === NO_OPTIONS ? NO_OPTIONS : readRunJobOptions(options);
  const missing = errorForNoJobs();
  if (missing !== undefined) return Promise.reject(missing);
  const env = environment();
  const { args, waitContext } = given;
  const isGenerator = !NativeJobFunction.is(func);
  const copy = isGenerator ? cloneArgs(args) : toBytes(args);
  const aborted = abortedBefore(given, LIMIT_ERRORS);
  if (aborted !== undefined) return aborted;
  env.enter();
  if (env.listening >= maxUnfinished(env)) {
    ++env.cancellations.refused;
    return Promise.reject(asyncError('ERR_ASYNC_QUEUE_FULL', 'Too many jobs wait for a place'));
  }
  env.start();
  const submission = new Submission(func);
  if (isGenerator) return submitGenerator(env, submission, func, copy, given);
  if (wantsJobs()) inContextOfCall(submission);
  const bytes = copy as Uint8Array | null;
  if (waitContext !== undefined || !batch.takes(bytes)) return submitAlone(env, submission, func, bytes, given);
  env.submitting = submission;
  batch.add(env, env.listen(submission), func, bytes);
  return promised(env, submission, given);
}

// Native code has the submission.
function promised(env: Environment, submission: Submission, options: RunJobOptions): Promise<JobResult> {
  const promise = promiseOf(submission);
  env.submitting = undefined;
  limit(submission, options, LIMIT_ERRORS);
  return promise;
}

function submitAlone(
  env: Environment,
  submission: Submission,
  func: NativeJobFunction,
  args: Uint8Array | null,
  options: RunJobOptions,
): Promise<JobResult> {
  flush(env);
  const { waitContext } = options;
  let native: NativeWaitContext | null = null;
  if (waitContext !== undefined) {
    const extras = (submission.extras ??= new Extras());
    native = waitContextInternals.acquire(waitContext);
    env.submitting = submission;
    extras.waitContext = waitContext;
  }
  env.submitting = submission;
  env.jobs.submit(env.listen(submission), func.external, args, native);
  return promised(env, submission, options);
}

// A generator's commands need a wait context in JavaScript; the scheduler's own contexts have none.
function submitGenerator(
  env: Environment,
  submission: Submission,
  func: GeneratorJobFunction,
  args: unknown,
  options: RunJobOptions,
): Promise<JobResult> {
  flush(env);
  const { waitContext } = options;
  const context = waitContext ?? new WaitContext();
  const job = new Job(context, true);
  const extras = inContextOfCall(submission);
  extras.generator = { run: new GeneratorRun(env, job, func, args), job };
  extras.ownsWaitContext = waitContext === undefined;
  const native = waitContextInternals.acquire(context);
  env.submitting = submission;
  extras.waitContext = context;
  env.jobs.submit(env.listen(submission), null, null, native);
  return promised(env, submission, options);
}

function inContextOfCall(submission: Submission): Extras {
  const extras = (submission.extras ??= new Extras());
  extras.inContext = captureContext();
  return extras;
}

function readRunJobOptions(options: unknown): RunJobOptions {
  validateOptions(options, 'options', RUN_JOB_OPTIONS);
  const { args, waitContext, signal, timeoutMs } = options;
  if (waitContext !== undefined && !waitContextInternals.isWaitContext(waitContext)) {
    throw invalidArgType('options.waitContext', 'an instance of WaitContext', waitContext);
  }
  if (signal !== undefined) validateAbortSignal(signal, 'options.signal');
  if (timeoutMs !== undefined) validateInteger(timeoutMs, 'options.timeoutMs', 1, 2 ** 31 - 1);
  // The object has all options of its own, and so inherits none.
  return { args, waitContext, signal, timeoutMs } as RunJobOptions;
}

function maxUnfinished({ options, poolLimit }: Environment): number {
  return (poolLimit === 0 ? options.maxJobs : Math.min(options.maxJobs, poolLimit)) + options.maxQueued;
}
