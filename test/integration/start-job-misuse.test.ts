// Calls of startJob that OpenSSL would not survive, and job functions that fail at once.
import {
  cleanupThread,
  initThread,
  jobFunction,
  nativeJobFunction,
  runJob,
  startJob,
  stats,
  WaitContext,
  WaitSignal,
  type Job,
} from '../../lib';
import { device } from '../support/device';
import { codeOf, rejectionCode, until } from '../support/library';
import { pauseTwice, resume, toEnd } from '../support/job-steps';
import { pauseOnce, selfWake, context, start, startPaused, expectUsable } from '../support/started-jobs';

describe('misuse', () => {
  const untyped = startJob as (...args: unknown[]) => unknown;

  test.each([
    ['no wait context', () => untyped(null), 'ERR_INVALID_ARG_TYPE'],
    ['a foreign object as wait context', () => untyped(null, {}, pauseOnce), 'ERR_INVALID_ARG_TYPE'],
    ['no function', () => untyped(null, context), 'ERR_INVALID_ARG_TYPE'],
    ['a plain function', () => untyped(null, context, () => 1), 'ERR_INVALID_ARG_TYPE'],
    ['an external', () => untyped(null, context, device.functions.empty), 'ERR_INVALID_ARG_TYPE'],
    ['a foreign object as job', () => untyped({}, context, pauseOnce), 'ERR_INVALID_ARG_TYPE'],
    ['a string as job', () => untyped('job', context), 'ERR_INVALID_ARG_TYPE'],
    ['an object as bytes', () => untyped(null, context, pauseOnce, {}), 'ERR_INVALID_ARG_TYPE'],
    ['a number as bytes', () => untyped(null, context, pauseOnce, 1), 'ERR_INVALID_ARG_TYPE'],
    ['more than 1 GiB', () => untyped(null, context, pauseOnce, new ArrayBuffer(2 ** 30 + 1)), 'ERR_OUT_OF_RANGE'],
    [
      'more than 1 GiB for a generator',
      () => untyped(null, context, pauseTwice, new ArrayBuffer(2 ** 30 + 1)),
      'ERR_OUT_OF_RANGE',
    ],
  ])('with %s throws and changes nothing', (_, misuse, code) => {
    const before = stats().jobs;
    expect(codeOf(misuse)).toBe(code);
    expect(stats().jobs).toEqual(before);
    expect(context.busy).toBe(false);
    expectUsable();
  });

  test('with arguments that cannot be copied throws and changes nothing', () => {
    expect(() => startJob(null, context, pauseTwice, () => 1)).toThrow(
      expect.objectContaining({ name: 'DataCloneError' }),
    );
    expectUsable();
  });

  test.each([
    ['jobFunction', () => jobFunction(1 as never)],
    ['jobFunction', () => jobFunction(undefined as never)],
    ['nativeJobFunction', () => nativeJobFunction(undefined)],
    ['nativeJobFunction', () => nativeJobFunction({})],
    ['nativeJobFunction', () => nativeJobFunction(() => 1)],
    ['nativeJobFunction', () => nativeJobFunction(process)],
  ])('of %s throws ERR_INVALID_ARG_TYPE', (_, misuse) => {
    expect(codeOf(misuse)).toBe('ERR_INVALID_ARG_TYPE');
  });

  test('of a finished job throws and changes nothing', () => {
    const { job } = startPaused(pauseOnce);
    resume(job);
    expect(codeOf(() => resume(job))).toBe('ERR_ASYNC_JOB_FINISHED');
    const next = startPaused(pauseTwice).job;
    expect(codeOf(() => resume(job))).toBe('ERR_ASYNC_JOB_FINISHED');
    expect(next.state).toBe('paused');
    expect(toEnd(resume(next))).toEqual({ status: 'finish', returnValue: 7 });
  });

  test("with another job's wait context throws and changes nothing", () => {
    const { job } = startPaused(pauseTwice);
    const other = new WaitContext();
    expect(codeOf(() => startJob(job, other))).toBe('ERR_ASYNC_WAIT_CONTEXT_MISMATCH');
    expectUsable(other);
    other.close();
    expect(codeOf(() => startJob(job, other))).toBe('ERR_ASYNC_WAIT_CONTEXT_CLOSED');
    expect(job.state).toBe('paused');
    expect(toEnd(resume(job))).toEqual({ status: 'finish', returnValue: 7 });
  });

  test('of a job that runJob drives throws, and runJob goes on', async () => {
    const signal = new WaitSignal();
    let job: Job | undefined;
    const running = runJob(
      jobFunction(function* (inside) {
        job = inside;
        yield inside.setWaitFd('signal', signal.fd);
        while (!signal.clear()) yield inside.pause();
        yield inside.clearFd('signal');
        return 4;
      }),
      { waitContext: context },
    );
    await until(() => job !== undefined);
    expect(codeOf(() => startJob(job as Job, context))).toBe('ERR_ASYNC_JOB_SCHEDULED');
    signal.wake();
    await expect(running).resolves.toMatchObject({ returnValue: 4 });
    expect(codeOf(() => startJob(job as Job, context))).toBe('ERR_ASYNC_JOB_FINISHED');
    signal.close();
  });

  test('from inside a job or a callback throws ERR_ASYNC_NESTED_START, and the job goes on', () => {
    const other = new WaitContext();
    const waiting = startPaused(pauseTwice, undefined, other).job;
    const codes: unknown[] = [];
    const misuse = (): void => {
      codes.push(
        codeOf(() => startJob(null, new WaitContext(), pauseOnce)),
        codeOf(() => startJob(waiting, other)),
        codeOf(() => {
          initThread();
        }),
        codeOf(() => {
          cleanupThread();
        }),
      );
    };
    const func = jobFunction(function* (job) {
      misuse();
      yield job.pause();
      misuse();
      return 6;
    });
    expect(resume(startPaused(func).job)).toEqual({ status: 'finish', returnValue: 6 });
    context.setCallback(misuse);
    expect(resume(startPaused(selfWake).job)).toEqual({ status: 'finish', returnValue: 1 });
    expect(codes).toEqual(Array.from({ length: 12 }, () => 'ERR_ASYNC_NESTED_START'));
    expect(waiting.state).toBe('paused');
    expect(toEnd(resume(waiting))).toEqual({ status: 'finish', returnValue: 7 });
    other.close();
  });

  test("throws errors whose stack begins with the caller's line", () => {
    const stackOf = (misuse: () => unknown): string => {
      try {
        misuse();
      } catch (error) {
        return String((error as Error).stack);
      }
      return '';
    };
    const other = new WaitContext();
    const wait = other.wait();
    const stacks = [
      () => untyped(null),
      () => untyped(null, context),
      () => resume({} as never),
      () => other.wait(),
      () => {
        other.close();
      },
      () => {
        initThread({ maxSize: -1 });
      },
    ].map(stackOf);
    for (const stack of stacks) expect(stack).toContain(__filename);
    return wait;
  });
});

describe('a job function that fails before its first line', () => {
  // Parameters are bound when a generator function is called, not at its first next().
  const mine = new Error('mine');
  const func = jobFunction(function* (_job, args?: { fail: boolean }, fail = args?.fail ?? thrower()) {
    return fail ? 0 : 1;
  });
  function thrower(): never {
    throw mine;
  }

  test("is the job's error in startJob, and the context stays usable", () => {
    const result = start(func);
    expect(result.status).toBe('error');
    expect((result as { error: unknown }).error).toBe(mine);
    expect(context.busy).toBe(false);
    expectUsable();
  });

  test('rejects runJob, and the context stays usable', async () => {
    await expect(runJob(func, { waitContext: context })).rejects.toBe(mine);
    expect(context.busy).toBe(false);
    expectUsable();
  });

  test('or gives no generator is an error with a code', async () => {
    const plain = jobFunction((() => 1).bind(null) as never);
    expect(start(plain)).toMatchObject({ status: 'error', error: { code: 'ERR_INVALID_RETURN_VALUE' } });
    expect(await rejectionCode(runJob(plain, { waitContext: context }))).toBe('ERR_INVALID_RETURN_VALUE');
    expectUsable();
  });
});
