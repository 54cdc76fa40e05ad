// Checked by `npm run test:types`; never run.
import { expectTypeOf } from 'expect-type';
import {
  configure,
  getCurrentJob,
  initThread,
  capability,
  isCapable,
  jobFunction,
  nativeJobFunction,
  opensslVersion,
  runJob,
  startJob,
  stats,
  unsupportedReason,
  WaitSignal,
  type AsyncErrorCode,
  type ChangedFds,
  type Command,
  type ErrorResult,
  type FinishedResult,
  type GeneratorJobFunction,
  type Job,
  type JobFunction,
  type JobResult,
  type JobState,
  type NativeJobFunction,
  type NoJobsResult,
  type PausedResult,
  type RunJobOptions,
  type StartJobResult,
  type WaitContext,
  type WaitStatus,
} from '../../lib';

declare const job: Job;
declare const waitContext: WaitContext;
declare const native: NativeJobFunction;
declare const result: StartJobResult;

// The union of ASYNC_start_job()'s results is told apart by its status.
expectTypeOf<StartJobResult['status']>().toEqualTypeOf<'error' | 'no-jobs' | 'pause' | 'finish'>();
switch (result.status) {
  case 'pause':
    expectTypeOf(result).toEqualTypeOf<PausedResult>();
    expectTypeOf(result.job).toEqualTypeOf<Job>();
    expectTypeOf(result.waitFds).toEqualTypeOf<number[]>();
    break;
  case 'finish':
    expectTypeOf(result).toEqualTypeOf<FinishedResult>();
    expectTypeOf(result.returnValue).toBeNumber();
    expectTypeOf(result.opensslErrorStack).toEqualTypeOf<string[] | undefined>();
    break;
  case 'error':
    expectTypeOf(result).toEqualTypeOf<ErrorResult>();
    expectTypeOf(result.error).toBeUnknown();
    break;
  case 'no-jobs':
    expectTypeOf(result).toEqualTypeOf<NoJobsResult>();
    break;
  default:
    expectTypeOf(result).toBeNever();
}
// @ts-expect-error -- not before it is known to be paused
expectTypeOf(result.job).toEqualTypeOf<Job>();

// Commands give what OpenSSL answers.
expectTypeOf(job.pause()).toEqualTypeOf<Command<void>>();
expectTypeOf(job.blockPause()).toEqualTypeOf<Command<void>>();
expectTypeOf(job.unblockPause()).toEqualTypeOf<Command<void>>();
expectTypeOf(job.setWaitFd('key', 1)).toEqualTypeOf<Command<void>>();
expectTypeOf(job.getFd('key')).toEqualTypeOf<Command<number | null>>();
expectTypeOf(job.clearFd('key')).toEqualTypeOf<Command<boolean>>();
expectTypeOf(job.state).toEqualTypeOf<JobState>();
expectTypeOf<JobState>().toEqualTypeOf<'running' | 'paused' | 'finished'>();
expectTypeOf(job.waitContext).toEqualTypeOf<WaitContext>();

// With yield*, their results have types.
export const typed = jobFunction(function* (inside, args: { name: string }) {
  expectTypeOf(inside).toEqualTypeOf<Job>();
  expectTypeOf(args).toEqualTypeOf<{ name: string }>();
  const fd = yield* inside.getFd('key');
  expectTypeOf(fd).toEqualTypeOf<number | null>();
  const cleared = yield* inside.clearFd('key');
  expectTypeOf(cleared).toEqualTypeOf<boolean>();
  yield* inside.setWaitFd('key', 1, (closed, key) => {
    expectTypeOf(key).toBeUnknown();
    expectTypeOf(closed).toBeNumber();
  });
  yield inside.pause();
  return 1;
});
expectTypeOf(typed).toEqualTypeOf<GeneratorJobFunction<{ name: string }>>();

// Job functions return numbers and yield commands; arguments are those of the function.
// @ts-expect-error -- a string is no return value
jobFunction(function* () {
  return 'one';
});
// @ts-expect-error -- 1 is no command
jobFunction(function* () {
  yield 1;
  return 1;
});
// @ts-expect-error -- not a generator
jobFunction(() => 1);

startJob(null, waitContext, typed, { name: 'a' });
// @ts-expect-error -- not the function's arguments
startJob(null, waitContext, typed, { title: 'a' });
// @ts-expect-error -- a job needs a function
startJob(null, waitContext);
// @ts-expect-error -- and a wait context
startJob(null);
// @ts-expect-error -- a plain function is no job function
startJob(null, waitContext, () => 1);
startJob(job, waitContext);
startJob(null, waitContext, native, Buffer.alloc(1));
expectTypeOf(startJob(null, waitContext, typed)).toEqualTypeOf<StartJobResult>();

void runJob(typed, { args: { name: 'a' }, timeoutMs: 1, signal: new AbortController().signal, waitContext });
// @ts-expect-error -- not the function's arguments
void runJob(typed, { args: 1 });
// @ts-expect-error -- a misspelled option
void runJob(typed, { timeout: 1 });
// @ts-expect-error -- a plain function is no job function
void runJob(() => 1);
void runJob(native, { args: 'text' });
expectTypeOf(runJob(native)).resolves.toEqualTypeOf<JobResult>();
expectTypeOf<JobResult['wakeups']>().toEqualTypeOf<{ fd: number; callback: number; poll: number }>();
expectTypeOf<RunJobOptions<string>['args']>().toEqualTypeOf<string | undefined>();
expectTypeOf(nativeJobFunction({})).toEqualTypeOf<NativeJobFunction>();
expectTypeOf<NativeJobFunction>().toExtend<JobFunction>();
expectTypeOf(typed).toExtend<JobFunction>();
expectTypeOf<GeneratorJobFunction<string>>().not.toExtend<GeneratorJobFunction<number>>();

// The rest of the man page.
expectTypeOf(isCapable).returns.toBeBoolean();
expectTypeOf(capability).returns.toEqualTypeOf<'jobs' | 'operations' | 'none'>();
expectTypeOf(unsupportedReason).returns.toEqualTypeOf<string | undefined>();
expectTypeOf(opensslVersion).returns.toEqualTypeOf<string | undefined>();
expectTypeOf(getCurrentJob).returns.toEqualTypeOf<Job | null>();
expectTypeOf(waitContext.fds()).toEqualTypeOf<number[]>();
expectTypeOf(waitContext.changedFds()).toEqualTypeOf<ChangedFds>();
expectTypeOf<ChangedFds>().toEqualTypeOf<{ added: number[]; removed: number[] }>();
expectTypeOf(waitContext.callback).toEqualTypeOf<(() => void) | null>();
expectTypeOf(waitContext.status).toEqualTypeOf<WaitStatus>();
expectTypeOf<WaitStatus>().toEqualTypeOf<'unsupported' | 'error' | 'ok' | 'again'>();
expectTypeOf(waitContext.wait({ timeoutMs: 1 })).resolves.toBeVoid();
expectTypeOf<WaitContext>().toExtend<Disposable>();
expectTypeOf<WaitSignal>().toExtend<Disposable>();
expectTypeOf(new WaitSignal().clear()).toBeBoolean();
// @ts-expect-error -- not a status
waitContext.status = 'fine';
// @ts-expect-error -- what OpenSSL knows cannot be set
waitContext.callback = null;

initThread({ maxSize: 1, initSize: 1 });
// @ts-expect-error -- a misspelled option
initThread({ size: 1 });
configure({ maxJobs: 1, poll: { initialIntervalMs: 1 } });
// @ts-expect-error -- a misspelled option
configure({ stackSize: 1 });
// @ts-expect-error -- a misspelled option
configure({ poll: { interval: 1 } });
expectTypeOf(stats().jobs.live).toBeNumber();
expectTypeOf(stats().stacks.highWaterBytes).toEqualTypeOf<number | null>();

expectTypeOf<'ERR_ASYNC_TIMEOUT'>().toExtend<AsyncErrorCode>();
expectTypeOf<'ERR_ASYNC_NONE'>().not.toExtend<AsyncErrorCode>();
