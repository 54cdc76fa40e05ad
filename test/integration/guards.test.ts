// What breaks plain OpenSSL, row by row: here it is an error with a code, or simply works.
import { createHash, createPrivateKey, createSign, generateKeyPairSync } from 'node:crypto';
import {
  cleanupThread,
  jobFunction,
  nativeJobFunction,
  runJob,
  startJob,
  stats,
  WaitContext,
  WaitSignal,
  type Job,
  type JobFunction,
} from '../../lib';
import { device, deviceRequest, int32Args } from '../support/device';
import { inChild, resultOf } from '../support/programs';
import { codeOf, rejectionCode, turn, until } from '../support/library';
import { pauseTwice, resume, toEnd } from '../support/job-steps';

const native = Object.fromEntries(
  Object.entries(device.functions).map(([name, external]) => [name, nativeJobFunction(external)]),
) as Record<keyof typeof device.functions, JobFunction>;

const contexts: WaitContext[] = [];
function newContext(): WaitContext {
  const context = new WaitContext();
  contexts.push(context);
  return context;
}

afterEach(async () => {
  device.holdAll(false);
  await until(() => stats().jobs.live === 0);
  for (const context of contexts.splice(0)) context.close();
});

function startPaused(func: JobFunction, args?: unknown, context = newContext()): Job {
  const result = startJob(null, context, func, args);
  if (result.status !== 'pause') throw new Error(`The job did not pause: ${result.status}`);
  return result.job;
}

async function expectThreadUsable(): Promise<void> {
  expect(toEnd(resume(startPaused(pauseTwice)))).toEqual({ status: 'finish', returnValue: 7 });
  expect(resume(startPaused(native.wasBlocked))).toEqual({ status: 'finish', returnValue: 0 });
  await expect(runJob(native.wasBlocked)).resolves.toMatchObject({ returnValue: 0, pauses: 1 });
}

describe('start or resume inside a job', () => {
  test('is an error with a code, in a generator of startJob and of runJob', async () => {
    const waiting = startPaused(pauseTwice);
    const codes: unknown[] = [];
    const func = jobFunction(function* (job) {
      for (let i = 0; i < 2; ++i) {
        codes.push(
          codeOf(() => startJob(null, new WaitContext(), native.empty)),
          codeOf(() => resume(waiting)),
        );
        yield job.pause();
      }
      return 1;
    });
    expect(toEnd(startJob(null, newContext(), func))).toEqual({ status: 'finish', returnValue: 1 });
    await expect(runJob(func)).resolves.toMatchObject({ returnValue: 1 });
    expect(codes).toEqual(Array.from({ length: 8 }, () => 'ERR_ASYNC_NESTED_START'));
    expect(toEnd(resume(waiting))).toEqual({ status: 'finish', returnValue: 7 });
  });

  test('is no error for runJob, which starts it when the other job has paused', async () => {
    let inner: Promise<unknown> | undefined;
    const func = jobFunction(function* (job) {
      inner = runJob(native.selfWake);
      yield job.pause();
      return 1;
    });
    await expect(runJob(func)).resolves.toMatchObject({ returnValue: 1 });
    await expect(inner).resolves.toMatchObject({ returnValue: 1 });
  });

  test('leaves a C function that looks at its job untouched', async () => {
    await expect(runJob(native.nestedStart)).resolves.toMatchObject({ returnValue: 1 });
    expect(toEnd(resume(startPaused(native.nestedStart)))).toMatchObject({ returnValue: 1 });
  });
});

describe("start or resume inside a wait context's callback", () => {
  test.each(['callback-same-thread', 'callback-thread'] as const)('is an error with a code (%s)', async (mode) => {
    const waiting = startPaused(pauseTwice);
    const context = newContext();
    const codes: unknown[] = [];
    context.setCallback(() => {
      codes.push(
        codeOf(() => startJob(null, new WaitContext(), native.empty)),
        codeOf(() => resume(waiting)),
      );
    });
    await runJob(native.device, { args: deviceRequest({ mode }), waitContext: context });
    await until(() => codes.length > 0);
    expect(codes).toEqual(['ERR_ASYNC_NESTED_START', 'ERR_ASYNC_NESTED_START']);
    expect(toEnd(resume(waiting))).toEqual({ status: 'finish', returnValue: 7 });
  });
});

describe('restart of a finished job', () => {
  test('is an error with a code, also when OpenSSL has given its job to another', () => {
    const finished = startPaused(native.pauseOnce);
    resume(finished);
    const next = startPaused(native.device, deviceRequest({ mode: 'none', returnValue: 55 }), finished.waitContext);
    expect(codeOf(() => resume(finished))).toBe('ERR_ASYNC_JOB_FINISHED');
    expect(toEnd(resume(next))).toEqual({ status: 'finish', returnValue: 55 });
  });
});

describe('resume on another thread', () => {
  test('is out of reach: what arrives there is no job', () => {
    const job = startPaused(pauseTwice);
    const sent = structuredClone({ state: job.state });
    expect(codeOf(() => startJob(sent as Job, job.waitContext))).toBe('ERR_INVALID_ARG_TYPE');
    expect(toEnd(resume(job))).toEqual({ status: 'finish', returnValue: 7 });
  });
});

describe('a wait context that is closed or shared while a job lives', () => {
  test('is an error with a code, and the job and its fds are as before', async () => {
    const context = newContext();
    const signal = new WaitSignal();
    const running = runJob(
      jobFunction(function* (job) {
        yield job.setWaitFd('signal', signal.fd);
        while (!signal.clear()) yield job.pause();
        yield job.clearFd('signal');
        return 3;
      }),
      { waitContext: context },
    );
    await until(() => stats().jobs.waiting === 1);
    const uses: (() => unknown)[] = [
      () => {
        context.close();
      },
      () => startJob(null, context, native.empty),
      () => runJob(native.empty, { waitContext: context }),
    ];
    expect(uses.map(codeOf)).toEqual(uses.map(() => 'ERR_ASYNC_WAIT_CONTEXT_BUSY'));
    expect(context.fds()).toEqual([signal.fd]);
    signal.wake();
    await expect(running).resolves.toMatchObject({ returnValue: 3 });
    signal.close();
  });
});

describe('cleaning the thread up', () => {
  test('with a paused job is an error with a code, whoever drives the job', async () => {
    const job = startPaused(pauseTwice);
    expect(codeOf(cleanupThread)).toBe('ERR_ASYNC_JOBS_OUTSTANDING');
    toEnd(resume(job));
    device.holdAll(true);
    const running = runJob(native.device, { args: deviceRequest({ mode: 'callback-thread' }) });
    await until(() => stats().jobs.waiting === 1);
    expect(codeOf(cleanupThread)).toBe('ERR_ASYNC_JOBS_OUTSTANDING');
    device.holdAll(false);
    await expect(running).resolves.toMatchObject({ returnValue: 1 });
    cleanupThread();
    await expect(runJob(native.selfWake)).resolves.toMatchObject({ returnValue: 1 });
  });
});

describe('a pause that a job leaves blocked', () => {
  const leaveBlocked = jobFunction(function* (job, times: number) {
    for (let i = 0; i < times; ++i) yield job.blockPause();
    return 1;
  });

  test.each([1, 3])('by a generator of startJob, %i times, is lifted at its end', async (times) => {
    expect(startJob(null, newContext(), leaveBlocked, times)).toEqual({ status: 'finish', returnValue: 1 });
    expect(resume(startPaused(native.wasBlocked))).toEqual({ status: 'finish', returnValue: 0 });
    await expect(runJob(native.wasBlocked)).resolves.toMatchObject({ returnValue: 0 });
  });

  test.each([1, 3])('by a generator of runJob, %i times, is lifted at its end', async (times) => {
    const both = [runJob(leaveBlocked, { args: times }), runJob(native.wasBlocked)] as const;
    await expect(both[0]).resolves.toMatchObject({ returnValue: 1 });
    await expect(both[1]).resolves.toMatchObject({ returnValue: 0, pauses: 1 });
    expect(resume(startPaused(native.wasBlocked))).toEqual({ status: 'finish', returnValue: 0 });
  });

  test('by a generator that throws is lifted, too', () => {
    const func = jobFunction(function* (job) {
      yield job.blockPause();
      throw new Error('mine');
    });
    expect(startJob(null, newContext(), func).status).toBe('error');
    expect(resume(startPaused(native.wasBlocked))).toEqual({ status: 'finish', returnValue: 0 });
  });

  test.each([1, 100])('by a native function of startJob, %i times, is lifted at its end', async (times) => {
    expect(startJob(null, newContext(), native.leaveBlocked, int32Args(times)).status).toBe('finish');
    expect(resume(startPaused(native.wasBlocked))).toEqual({ status: 'finish', returnValue: 0 });
    await expect(runJob(native.wasBlocked)).resolves.toMatchObject({ returnValue: 0 });
  });

  test.each([1, 100])('by a native function of runJob, %i times, is lifted before long', async (times) => {
    for (let i = 0; i < 40; ++i) await runJob(native.leaveBlocked, { args: int32Args(times) });
    await expect(runJob(native.wasBlocked)).resolves.toMatchObject({ returnValue: 0, pauses: 1 });
    await Promise.all(Array.from({ length: 100 }, () => runJob(native.leaveBlocked, { args: int32Args(times) })));
    expect(resume(startPaused(native.wasBlocked))).toEqual({ status: 'finish', returnValue: 0 });
  });

  test('does not keep a generator from handing over', async () => {
    const before = runJob(native.leaveBlocked, { args: int32Args(2) });
    const generator = runJob(pauseTwice);
    await before;
    await expect(generator).resolves.toMatchObject({ returnValue: 7 });
  });
});

describe('the error queue and errno', () => {
  test('belong to each job, however jobs interleave', async () => {
    const results = await Promise.all(
      Array.from({ length: 200 }, (_, tag) => runJob(native.raiseErrors, { args: int32Args(tag, 1 + (tag % 7)) })),
    );
    expect(new Set(results.map(({ returnValue }) => returnValue))).toEqual(new Set([1]));
    expect(results.some(({ opensslErrorStack }) => opensslErrorStack !== undefined)).toBe(false);
  });

  test('belong to each job that startJob runs, in any order of resumes', () => {
    let jobs = Array.from({ length: 20 }, (_, tag) => startPaused(native.raiseErrors, int32Args(tag, 5)));
    const values: number[] = [];
    while (jobs.length > 0) {
      const results = jobs.toReversed().map(resume);
      values.push(...results.flatMap((result) => (result.status === 'finish' ? result.returnValue : [])));
      jobs = results.flatMap((result) => (result.status === 'pause' ? result.job : []));
    }
    expect(values).toEqual(Array.from({ length: 20 }, () => 1));
  });

  test('are not those of node:crypto, on either side', async () => {
    const failing = (): unknown =>
      codeOf(() => createPrivateKey('-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----'));
    const expected = failing();
    expect(expected).toMatch(/^ERR_OSSL_/);
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const codes: unknown[] = [];
    const busy = jobFunction(function* (job) {
      for (let i = 0; i < 3; ++i) {
        codes.push(failing());
        createSign('sha256').update('text').sign(privateKey);
        yield job.pause();
      }
      return 1;
    });
    const raising = startPaused(native.raiseErrors, int32Args(4, 3));
    const running = [runJob(busy), ...[1, 2, 3].map((tag) => runJob(native.raiseErrors, { args: int32Args(tag, 4) }))];
    for (let i = 0; i < 3; ++i) {
      codes.push(failing());
      await turn();
    }
    createHash('sha256').update('text').digest();
    const results = await Promise.all(running);
    expect(results.map(({ returnValue }) => returnValue)).toEqual([1, 1, 1, 1]);
    expect(toEnd(resume(raising))).toEqual({ status: 'finish', returnValue: 1 });
    expect(codes).toEqual(Array.from({ length: 6 }, () => expected));
  });

  test('that a job leaves are told with its result, and to nobody else', async () => {
    const args = deviceRequest({ mode: 'sync', failEvery: 1 });
    const [failed, next] = await Promise.all([runJob(native.device, { args }), runJob(native.empty)]);
    expect(failed.opensslErrorStack).toHaveLength(1);
    expect(next.opensslErrorStack).toBeUndefined();
  });
});

describe('a callback before the pause', () => {
  test('is not lost: the job is resumed for it', async () => {
    const results = await Promise.all(Array.from({ length: 50 }, () => runJob(native.selfWake)));
    for (const { wakeups } of results) expect(wakeups).toEqual({ fd: 0, callback: 1, poll: 0 });
  });
});

describe('a callback after the end of its job', () => {
  test('is at most a spurious resume of the next job of the same context', async () => {
    device.holdAll(true);
    const context = newContext();
    const before = device.stats().foreignCallbacks;
    await expect(runJob(native.lateCallback, { args: int32Args(0), waitContext: context })).resolves.toMatchObject({
      returnValue: 1,
    });
    const signal = new WaitSignal();
    const next = runJob(
      jobFunction(function* (job) {
        yield job.setWaitFd('signal', signal.fd);
        while (!signal.clear()) yield job.pause();
        yield job.clearFd('signal');
        return 1;
      }),
      { waitContext: context },
    );
    await until(() => stats().jobs.waiting === 1);
    device.holdAll(false);
    await until(() => device.stats().foreignCallbacks > before);
    for (let i = 0; i < 5; ++i) await turn();
    signal.wake();
    await expect(next).resolves.toMatchObject({ returnValue: 1, wakeups: { fd: 1, poll: 0 } });
    signal.close();
  });
});

describe('a C++ exception that leaves a native function', () => {
  test.each([0, 1, 2])('is an error with a code (kind %i), and the thread goes on', async (kind) => {
    const context = newContext();
    const result = toEnd(startJob(null, context, native.throwException, int32Args(kind)));
    expect(result).toMatchObject({ status: 'error', error: { code: 'ERR_ASYNC_NATIVE_EXCEPTION' } });
    expect(context.busy).toBe(false);
    expect(await rejectionCode(runJob(native.throwException, { args: int32Args(kind) }))).toBe(
      'ERR_ASYNC_NATIVE_EXCEPTION',
    );
    expect(resume(startPaused(native.wasBlocked))).toEqual({ status: 'finish', returnValue: 0 });
  });
});

describe('a spurious resume', () => {
  test.each(['fd-cached', 'fd-fresh', 'fds-many', 'callback-or-fd'] as const)(
    'finds a job that checks its own condition paused again (%s)',
    async (mode) => {
      device.holdAll(true);
      const before = device.stats().spuriousResumes;
      const job = startPaused(native.device, deviceRequest({ mode, returnValue: 12 }));
      for (let i = 0; i < 5; ++i) expect(resume(job)).toMatchObject({ status: 'pause', job });
      expect(device.stats().spuriousResumes - before).toBe(5);
      device.holdAll(false);
      await job.waitContext.wait();
      expect(resume(job)).toEqual({ status: 'finish', returnValue: 12 });
    },
  );
});

describe('a fd number that comes back', () => {
  test('at the next pause of the same job is the new fd', async () => {
    const numbers: number[] = [];
    const func = jobFunction(function* (job) {
      for (let i = 0; i < 20; ++i) {
        const signal = new WaitSignal();
        numbers.push(signal.fd);
        yield job.setWaitFd('signal', signal.fd);
        setImmediate(() => {
          signal.wake();
        });
        while (!signal.clear()) yield job.pause();
        yield job.clearFd('signal');
        signal.close();
      }
      return 1;
    });
    await expect(runJob(func)).resolves.toMatchObject({ returnValue: 1, pauses: 20, wakeups: { fd: 20 } });
    expect(new Set(numbers).size).toBeLessThan(20);
  });

  test('in another job is the fd of that one', async () => {
    const round = jobFunction(function* (job, clear: boolean) {
      const signal = new WaitSignal();
      yield job.setWaitFd('signal', signal.fd, () => undefined);
      setImmediate(() => {
        signal.wake();
      });
      while (!signal.clear()) yield job.pause();
      if (clear) yield job.clearFd('signal');
      signal.close();
      return 1;
    });
    // Without being cleared, the closed fd stays on its context while its number is used by others.
    for (let i = 0; i < 10; ++i) {
      const running = [true, false, false].map((args) => runJob(round, { args, waitContext: newContext() }));
      for (const { returnValue, wakeups } of await Promise.all(running)) {
        expect([returnValue, wakeups]).toEqual([1, { fd: 1, callback: 0, poll: 0 }]);
      }
    }
  });

  test('over and over in native jobs never leaves one waiting', async () => {
    const args = deviceRequest({ mode: 'fd-fresh', pauses: 30 });
    const results = await Promise.all(Array.from({ length: 20 }, () => runJob(native.device, { args })));
    for (const { wakeups } of results) expect(wakeups).toEqual({ fd: 30, callback: 0, poll: 0 });
  });
});

describe('an exception in the middle of completions', () => {
  test('is uncaught, and the completions behind it still arrive', async () => {
    const outcome = await inChild(async ({ library, device: { functions }, require }) => {
      const { subscribe } = require('node:diagnostics_channel') as typeof import('node:diagnostics_channel');
      const uncaught: string[] = [];
      process.on('uncaughtException', (error) => uncaught.push(error.message));
      subscribe('openssl-async:job:finish', () => {
        throw new Error('of a subscriber');
      });
      const func = library.nativeJobFunction(functions.selfWake);
      const waitContext = new library.WaitContext();
      waitContext.setCallback(() => {
        throw new Error('of a callback');
      });
      const results = await Promise.all(
        Array.from({ length: 20 }, (_, i) => library.runJob(func, i === 3 ? { waitContext } : {})),
      );
      await new Promise((resolve) => setTimeout(resolve, 1));
      return { finished: results.filter(({ returnValue }) => returnValue === 1).length, uncaught: uncaught.sort() };
    });
    expect(resultOf(outcome)).toEqual({
      finished: 20,
      uncaught: ['of a callback', ...Array.from({ length: 20 }, () => 'of a subscriber')],
    });
  });
});

describe('handles that are idle', () => {
  test('do not keep the process: it ends by itself after any use', async () => {
    const outcome = await inChild(async ({ library, device: { functions } }) => {
      const waitContext = new library.WaitContext();
      waitContext.setCallback(() => undefined);
      await library.runJob(library.nativeJobFunction(functions.selfWake), { waitContext, timeoutMs: 600_000 });
      await library.runJob(library.nativeJobFunction(functions.pauseOnce));
      return 'done';
    });
    expect(resultOf(outcome)).toBe('done');
  });
});

describe('after all of this', () => {
  test('the thread is still usable', expectThreadUsable);
});
