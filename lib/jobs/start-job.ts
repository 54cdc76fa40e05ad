// ASYNC_start_job() and ASYNC_get_current_job(), for applications that resume their jobs themselves.
import type { CommandParts } from './command';
import { asyncError, fromNative, invalidArgType } from '../base/errors';
import { currentJob, GeneratorRun } from './generator-run';
import { Job } from './job';
import { cloneArgs, GeneratorJobFunction, toBytes, validateJobFunction, type JobFunction } from './job-function';
import type { NativeJob } from '../native/contract/handles';
import { RunStatus } from '../native/contract/tables';
import {
  environment,
  environmentWithJobs,
  type Environment,
  type Listener,
  type Recallable,
} from '../native/environment';
import { waitContextInternals, type WaitContext } from './wait-context';

/** `ASYNC_PAUSE`: the job paused. Resume it with {@link startJob} when one of `waitFds` is readable. */
export interface PausedResult {
  /** Tells the results apart. */
  status: 'pause';
  /** The job to resume. */
  job: Job;
  /** The fds that the job offers now; empty when it uses a callback, or has to be tried from time to time. */
  waitFds: number[];
}

/** `ASYNC_FINISH`: the job's function returned. */
export interface FinishedResult {
  /** Tells the results apart. */
  status: 'finish';
  /** The return value of the function. */
  returnValue: number;
  /** The errors that the function left in its OpenSSL error queue, oldest first, if any. */
  opensslErrorStack?: string[];
}

/** `ASYNC_NO_JOBS`: the pool has no job at the moment. Try again later; nothing has changed. */
export interface NoJobsResult {
  /** Tells the results apart. */
  status: 'no-jobs';
}

/** `ASYNC_ERR`: OpenSSL could not run the job, or its generator threw. */
export interface ErrorResult {
  /** Tells the results apart. */
  status: 'error';
  /** OpenSSL's error, or the generator's. */
  error: unknown;
}

/** The four results of `ASYNC_start_job()`. */
export type StartJobResult = PausedResult | FinishedResult | NoJobsResult | ErrorResult;

// A job of startJob()'s that has not ended.
class Started implements Recallable {
  native: NativeJob | undefined = undefined;
  run: GeneratorRun | undefined = undefined;

  constructor(
    readonly env: Environment,
    readonly job: Job,
    readonly waitContext: WaitContext,
  ) {}

  /** JavaScript was ended while the job ran: nobody can resume it any more. */
  recall(): void {
    const { env, job, native, waitContext } = this;
    job.currentState = 'finished';
    this.run?.abandon();
    forgotten.unregister(job);
    if (native === undefined) waitContextInternals.release(waitContext);
    else letGo(env, native, waitContext);
  }
}

const startedJobs = new WeakMap<Job, Started>();

// A paused job that its application forgot is driven to its end all the same. Its wait context has to live that long;
// the generator, which refers to the job, is gone.
const forgotten = new FinalizationRegistry<{ native: NativeJob; waitContext: WaitContext }>(
  ({ native, waitContext }) => {
    letGo(environment(), native, waitContext);
  },
);

// The job goes on without its application, if it has not ended, and keeps its wait context until then.
function letGo(env: Environment, native: NativeJob, waitContext: WaitContext): void {
  const end = (): void => {
    waitContextInternals.release(waitContext);
  };
  const listener: Listener = {
    id: -1,
    receive: () => {
      env.unlisten(listener.id);
      return true;
    },
    conclude: end,
    recall: end,
  };
  if (env.jobs.release(native, env.listen(listener))) return;
  env.unlisten(listener.id);
  end();
}

/**
 * Starts a job, or resumes a paused one: `ASYNC_start_job(3)`. The job's function runs, on a stack of its own, until it
 * pauses or ends. To resume, pass the job and its own wait context; further arguments are ignored then.
 *
 * A paused job must be resumed to its end, on the same thread. The wait context tells when to resume it:
 * see {@link WaitContext.wait}. {@link runJob} does all this by itself.
 *
 * @param job - null to start a new job, or the job to resume.
 * @param waitContext - For this job alone until it has ended.
 * @param func - The function that the job runs.
 * @param args - Copied. For a native function, bytes (a string as UTF-8) of at most 1 GiB; for a generator, anything
 * that `structuredClone()` takes.
 *
 * @throws Without any effect: `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`, `ERR_ASYNC_NESTED_START` from within a job
 * function or a callback, `ERR_ASYNC_JOB_FINISHED`, `ERR_ASYNC_JOB_SCHEDULED` for a job of `runJob()`'s,
 * `ERR_ASYNC_WAIT_CONTEXT_BUSY`, `ERR_ASYNC_WAIT_CONTEXT_CLOSED`, `ERR_ASYNC_WAIT_CONTEXT_MISMATCH`,
 * `ERR_ASYNC_UNSUPPORTED`.
 *
 * @example
 * ```ts
 * const waitContext = new WaitContext();
 * let result = startJob(null, waitContext, func, 'Hello world!');
 * while (result.status === 'pause') {
 *   await waitContext.wait();
 *   result = startJob(result.job, waitContext);
 * }
 * waitContext.close();
 * ```
 */
export function startJob<Args = unknown>(
  job: null,
  waitContext: WaitContext,
  func: JobFunction<Args>,
  args?: NoInfer<Args>,
): StartJobResult;
export function startJob(job: Job, waitContext: WaitContext, func?: JobFunction, args?: unknown): StartJobResult;
export function startJob(
  job: Job | null,
  waitContext: WaitContext,
  func?: JobFunction,
  args?: unknown,
): StartJobResult {
  const env = environmentWithJobs();
  env.enter();
  if (!waitContextInternals.isWaitContext(waitContext)) {
    throw invalidArgType('waitContext', 'an instance of WaitContext', waitContext);
  }
  if (job !== null && !(job instanceof Job)) throw invalidArgType('job', 'null or a Job', job);
  if (env.insideJob) {
    throw asyncError('ERR_ASYNC_NESTED_START', 'A job cannot be started or resumed from within a job or a callback');
  }
  return job === null ? start(env, waitContext, func, args) : resume(env, job, waitContext);
}

function start(env: Environment, waitContext: WaitContext, func: unknown, args: unknown): StartJobResult {
  validateJobFunction(func);
  const isGenerator = GeneratorJobFunction.is(func);
  const copy = isGenerator ? cloneArgs(args) : toBytes(args);
  env.start();
  const job = new Job(waitContext, false);
  const started = new Started(env, job, waitContext);
  const nativeContext = waitContextInternals.acquire(waitContext);
  env.driving = started;
  if (isGenerator) started.run = new GeneratorRun(env, job, func, copy);
  started.native = isGenerator
    ? env.jobs.create(null, null, nativeContext)
    : env.jobs.create(func.external, copy as Uint8Array | null, nativeContext);
  startedJobs.set(job, started);
  const result = drive(started);
  if (result.status === 'pause') forgotten.register(job, { native: started.native, waitContext }, job);
  env.driving = undefined;
  return result;
}

function resume(env: Environment, job: Job, waitContext: WaitContext): StartJobResult {
  const started = startedJobs.get(job);
  if (job.currentState === 'finished') throw asyncError('ERR_ASYNC_JOB_FINISHED', 'The job has finished');
  if (started === undefined) {
    throw asyncError('ERR_ASYNC_JOB_SCHEDULED', 'The job belongs to runJob(), which resumes it by itself');
  }
  waitContextInternals.native(waitContext);
  if (started.waitContext !== waitContext) {
    throw asyncError(
      'ERR_ASYNC_WAIT_CONTEXT_MISMATCH',
      'A job must be resumed with the wait context it was started with',
    );
  }
  env.driving = started;
  const result = drive(started);
  if (result.status !== 'pause') forgotten.unregister(job);
  env.driving = undefined;
  return result;
}

// Runs the job until it pauses for its application or ends. Hand-overs in between go to its generator.
function drive(started: Started): StartJobResult {
  const { env, job, run, waitContext } = started;
  const native = started.native as NativeJob;
  const { addon, jobs } = env;
  const before = job.currentState;
  job.currentState = 'running';
  for (;;) {
    const status = jobs.run(native);
    if (typeof status !== 'number') {
      job.currentState = before;
      if (before === 'running') abandonStart(started);
      env.driving = undefined;
      throw fromNative(status);
    }
    if (env.hasCallbacks) env.runCallbacks(addon.waitContexts.takeCallbacks());
    switch (status) {
      case RunStatus.handedOver: {
        const [ok, fd] = jobs.outcome(native);
        carryOn(env, native, (run as GeneratorRun).step(ok === 1, fd));
        break;
      }
      case RunStatus.pause:
        job.currentState = 'paused';
        return { status: 'pause', job, waitFds: waitContext.fds() };
      case RunStatus.noJobs:
        abandonStart(started);
        return { status: 'no-jobs' };
      default:
        return finish(started, status === RunStatus.error);
    }
  }
}

function carryOn(env: Environment, native: NativeJob, command: CommandParts): void {
  const { kind, keyId = 0, fd = 0, cleanup } = command;
  env.jobs.continue(native, kind, keyId, fd, cleanup !== undefined, 0);
}

// The job never began.
function abandonStart({ env, job, native, waitContext }: Started): void {
  env.jobs.release(native as NativeJob, 0);
  job.currentState = 'finished';
  waitContextInternals.release(waitContext);
}

function finish({ env, job, native, run, waitContext }: Started, failed: boolean): StartJobResult {
  const { returnValue, exception, opensslErrors } = env.jobs.end(native as NativeJob);
  job.currentState = 'finished';
  waitContextInternals.release(waitContext);
  if (run?.end !== undefined) {
    return run.end.failed
      ? { status: 'error', error: run.end.error }
      : { status: 'finish', returnValue: run.end.returnValue };
  }
  if (failed) {
    const message = 'OpenSSL could not run the job';
    return { status: 'error', error: fromNative({ code: 'ERR_ASYNC_JOB_FAILED', message, opensslErrors }) };
  }
  if (exception !== undefined) {
    const error = fromNative({ code: 'ERR_ASYNC_NATIVE_EXCEPTION', message: exception, opensslErrors });
    return { status: 'error', error };
  }
  return opensslErrors.length > 0
    ? { status: 'finish', returnValue, opensslErrorStack: opensslErrors }
    : { status: 'finish', returnValue };
}

/**
 * The job whose function is running, or null outside of job functions: `ASYNC_get_current_job(3)`.
 */
export function getCurrentJob(): Job | null {
  return currentJob();
}
