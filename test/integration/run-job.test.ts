// runJob: jobs that the event loop starts, waits for and resumes.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { JobFunction, JobMessage, RunJobOptions } from '../../lib';
import { checksum, countBytesArgs, device, deviceRequest, int32Args } from '../support/device';
import { codeOf, rejection, rejectionCode, turn, until } from '../support/library';
import { library, native, held, untilWoken } from '../support/scheduled-jobs';

describe('the result', () => {
  test('of a native function that does not pause', async () => {
    await expect(library.runJob(native.empty)).resolves.toEqual({
      returnValue: 1,
      pauses: 0,
      wakeups: { fd: 0, callback: 0, poll: 0 },
    });
  });

  test.each([0, -1, 2 ** 31 - 1, -(2 ** 31)])('has the return value %p', async (value) => {
    const generator = library.jobFunction(function* (_job, args: number) {
      return args;
    });
    await expect(library.runJob(native.returnArg, { args: int32Args(value) })).resolves.toMatchObject({
      returnValue: value,
    });
    await expect(library.runJob(generator, { args: value })).resolves.toMatchObject({ returnValue: value });
  });

  test('counts the pauses and what ended them', async () => {
    const func = library.jobFunction(function* (job) {
      for (let i = 0; i < 3; ++i) yield job.pause();
      return 1;
    });
    await expect(library.runJob(func)).resolves.toEqual({
      returnValue: 1,
      pauses: 3,
      wakeups: { fd: 0, callback: 0, poll: 3 },
    });
    await expect(library.runJob(native.selfWake)).resolves.toEqual({
      returnValue: 1,
      pauses: 1,
      wakeups: { fd: 0, callback: 1, poll: 0 },
    });
  });

  test('has what the function left in its error queue', async () => {
    const args = deviceRequest({ mode: 'callback-same-thread', failEvery: 1 });
    const result = await library.runJob(native.device, { args });
    expect(result.returnValue).toBe(0);
    expect(result.opensslErrorStack).toHaveLength(1);
    expect(library.stats().jobs).toMatchObject({ finished: 1, failed: 0 });
  });

  test('of a job whose engine reports a fatal problem is what the function makes of it', async () => {
    const result = await library.runJob(native.device, { args: deviceRequest({ mode: 'status-error' }) });
    expect(result).toMatchObject({ returnValue: 0, pauses: 1 });
    expect(result.opensslErrorStack).toHaveLength(1);
    expect(library.stats().jobs.engineErrors).toBe(1);
  });

  test('is an error when a generator throws: that very one', async () => {
    const mine = new Error('mine');
    const func = library.jobFunction(function* (job, pauses: number) {
      for (let i = 0; i < pauses; ++i) yield job.pause();
      throw mine;
    });
    for (const args of [0, 2]) expect(await rejection(library.runJob(func, { args }))).toBe(mine);
  });

  test('is an error with a code when a native function throws', async () => {
    for (const kind of [0, 1, 2]) {
      const running = library.runJob(native.throwException, { args: int32Args(kind) });
      expect(await rejectionCode(running)).toBe('ERR_ASYNC_NATIVE_EXCEPTION');
    }
    expect(library.stats().jobs).toMatchObject({ failed: 3, finished: 0 });
    await expect(library.runJob(native.empty)).resolves.toMatchObject({ returnValue: 1 });
  });

  test.each([
    ['closedFd', 'ERR_ASYNC_INVALID_FD'],
    ['regularFileFd', 'ERR_ASYNC_FD_NOT_POLLABLE'],
  ] as const)(
    'is an error when the job offers a fd nobody can wait for (%s); the job is driven on',
    async (name, code) => {
      expect(await rejectionCode(library.runJob(native[name], { args: int32Args(3) }))).toBe(code);
      await until(() => library.stats().jobs.live === 0);
      expect(library.stats().jobs).toMatchObject({ finished: 1, pauses: 3 });
      await expect(library.runJob(native.selfWake)).resolves.toMatchObject({ returnValue: 1 });
    },
  );

  test('of thousands of jobs is each its own', async () => {
    const values = Array.from({ length: 3000 }, (_, i) => i);
    const results = await Promise.all(
      values.map((value) => library.runJob(native.returnArg, { args: int32Args(value) })),
    );
    expect(results.map(({ returnValue }) => returnValue)).toEqual(values);
  });
});

describe('starting', () => {
  test('is done by the event loop, not by the call', async () => {
    let started = false;
    const func = library.jobFunction(function* () {
      started = true;
      return 1;
    });
    const running = library.runJob(func);
    expect(started).toBe(false);
    await Promise.resolve();
    expect(started).toBe(false);
    await running;
    expect(started).toBe(true);
  });

  test('follows the order of the calls, whatever kind they are of', async () => {
    const order: number[] = [];
    const messages: JobMessage[] = [];
    const onStart = (message: unknown): void => void messages.push(message as JobMessage);
    subscribe('openssl-async:job:start', onStart);
    const functions = Array.from({ length: 60 }, (_, i) =>
      i % 3 === 0
        ? native.empty
        : i % 3 === 1
          ? native.returnArg
          : library.jobFunction(function* () {
              order.push(i);
              return i;
            }),
    );
    const waitContext = new library.WaitContext();
    await Promise.all(
      functions.map((func, i) => library.runJob(func, i === 31 ? { waitContext, args: int32Args(i) } : {})),
    );
    unsubscribe('openssl-async:job:start', onStart);
    waitContext.close();
    expect(messages.map(({ func }) => func)).toEqual(functions);
    expect(order).toEqual(order.toSorted((a, b) => a - b));
    expect(order).toHaveLength(20);
  });

  test('has its arguments copied before: what happens to them later changes nothing', async () => {
    const bytes = Uint8Array.from({ length: 100 }, (_, i) => i);
    const message = countBytesArgs(bytes);
    const object = { list: [1, 2, 3] };
    const shared = Uint8Array.of(1, 2, 3);
    const sum = library.jobFunction(function* (job, args: { list: number[] } | Buffer) {
      yield job.pause();
      return [...('list' in args ? args.list : args)].reduce((a, b) => a + b);
    });
    const running = [
      library.runJob(native.countBytes, { args: message }),
      library.runJob(sum, { args: object }),
      library.runJob(sum, { args: shared as Buffer }),
    ];
    message.fill(0);
    object.list.push(100);
    shared.fill(0);
    const results = await Promise.all(running);
    expect(results.map(({ returnValue }) => returnValue)).toEqual([checksum(bytes), 6, 6]);
  });

  test('gives each job its own arguments, of whatever length, and tells none from empty ones', async () => {
    const lengths = [0, 1, 100, 1000, 1016, 1017, 5000, 70_000];
    const bytes = Array.from({ length: 800 }, (_, i) =>
      Uint8Array.from({ length: lengths[i % lengths.length] as number }, (_, at) => i * 7 + at),
    );
    const counted = bytes.map((each) => library.runJob(native.countBytes, { args: countBytesArgs(each) }));
    const absent = [undefined, null].map((args) => library.runJob(native.countBytes, { args }));
    const results = await Promise.all([...counted, ...absent]);
    expect(results.map(({ returnValue }) => returnValue)).toEqual([...bytes.map(checksum), -1, -1]);
    await expect(library.runJob(native.hasArgument, { args: '' })).resolves.toMatchObject({ returnValue: 1 });
    await expect(library.runJob(native.hasArgument)).resolves.toMatchObject({ returnValue: 0 });
  });

  test('waits for a place when as many jobs live as may', async () => {
    library.configure({ maxJobs: 2 });
    let most = 0;
    const func = library.jobFunction(function* (job) {
      most = Math.max(most, library.stats().jobs.live);
      yield job.pause();
      return 1;
    });
    await Promise.all(Array.from({ length: 9 }, () => library.runJob(func)));
    expect(most).toBe(2);
    expect(library.stats().jobs).toMatchObject({ submitted: 9, started: 9, finished: 9 });
  });

  test('is refused when as many wait for a place as may, and not later', async () => {
    library.configure({ maxJobs: 1, maxQueued: 2 });
    device.holdAll(true);
    const args = deviceRequest(held);
    const running = [1, 2, 3].map(() => library.runJob(native.device, { args }));
    expect(await rejectionCode(library.runJob(native.device, { args }))).toBe('ERR_ASYNC_QUEUE_FULL');
    expect(
      await rejectionCode(
        library.runJob(
          library.jobFunction(function* () {
            return 1;
          }),
        ),
      ),
    ).toBe('ERR_ASYNC_QUEUE_FULL');
    device.holdAll(false);
    await Promise.all(running);
    await expect(library.runJob(native.device, { args })).resolves.toMatchObject({ returnValue: 1 });
    expect(library.stats().jobs).toMatchObject({ refused: 2, submitted: 4, finished: 4 });
  });
});

describe.each([
  ['a signal', 'ABORT_ERR', 'aborted'],
  ['a time limit', 'ERR_ASYNC_TIMEOUT', 'timedOut'],
] as const)('cancelling by %s', (by, code, counter) => {
  // Runs the job, and cancels it once `when` holds; a time limit that small passes when it likes.
  async function cancelled(func: JobFunction, options: RunJobOptions, when: () => boolean): Promise<unknown> {
    // Within which the job has begun, also where it is slow.
    if (by === 'a time limit') return rejection(library.runJob(func, { ...options, timeoutMs: 100 }));
    const controller = new AbortController();
    const running = rejection(library.runJob(func, { ...options, signal: controller.signal }));
    await until(when);
    controller.abort(new Error('mine'));
    return running;
  }

  test('rejects at once for a job that waits for a place, which never begins', async () => {
    library.configure({ maxJobs: 1 });
    device.holdAll(true);
    const first = library.runJob(native.device, { args: deviceRequest(held) });
    await until(() => library.stats().jobs.waiting === 1);
    let began = false;
    const func = library.jobFunction(function* () {
      began = true;
      return 1;
    });
    const context = new library.WaitContext();
    const error = await cancelled(func, { waitContext: context }, () => library.stats().jobs.queued === 1);
    expect(error).toMatchObject({ code });
    expect(library.stats().jobs).toMatchObject({ queued: 0, cancelled: 1, abandoned: 0, [counter]: 1 });
    context.close();
    device.holdAll(false);
    await first;
    await turn();
    expect(began).toBe(false);
    expect(library.stats().jobs).toMatchObject({ submitted: 2, started: 1, finished: 1 });
  });

  test('rejects at once for a paused native job, which goes on to its end unheard', async () => {
    device.holdAll(true);
    const waitContext = new library.WaitContext();
    const options = { args: deviceRequest({ mode: 'fd-cached' }), waitContext };
    const error = await cancelled(native.device, options, () => library.stats().jobs.waiting === 1);
    expect(error).toMatchObject({ code });
    expect(library.stats().jobs).toMatchObject({ live: 1, abandoned: 1, cancelled: 0, [counter]: 1 });
    expect(
      codeOf(() => {
        waitContext.close();
      }),
    ).toBe('ERR_ASYNC_WAIT_CONTEXT_BUSY');
    device.holdAll(false);
    await until(() => library.stats().jobs.live === 0);
    expect(library.stats().jobs.finished).toBe(1);
    await until(() => !waitContext.busy);
    await expect(library.runJob(native.device, options)).resolves.toMatchObject({ returnValue: 1 });
    waitContext.close();
  });

  test('rejects for a paused generator, which has the error thrown where it stands and may clean up', async () => {
    const signal = new library.WaitSignal();
    const thrown: unknown[] = [];
    const waitContext = new library.WaitContext();
    const func = untilWoken(signal, (error) => thrown.push(error));
    const error = await cancelled(func, { waitContext }, () => library.stats().jobs.waiting === 1);
    expect(error).toMatchObject({ code });
    await until(() => library.stats().jobs.live === 0);
    expect(thrown).toEqual([error]);
    expect(waitContext.fds()).toEqual([]);
    await until(() => !waitContext.busy);
    waitContext.close();
    signal.close();
  });

  test('lets a generator that catches the error go on pausing', async () => {
    const signal = new library.WaitSignal();
    let pausesAfter = 0;
    const func = library.jobFunction(function* (job) {
      yield job.setWaitFd('signal', signal.fd);
      try {
        for (;;) yield job.pause();
      } catch {
        yield job.clearFd('signal');
        for (; pausesAfter < 3; ++pausesAfter) yield job.pause();
      }
      return 1;
    });
    expect(await cancelled(func, {}, () => library.stats().jobs.waiting === 1)).toMatchObject({ code });
    await until(() => library.stats().jobs.live === 0);
    expect(pausesAfter).toBe(3);
    expect(library.stats().jobs).toMatchObject({ finished: 1, failed: 0 });
    signal.close();
  });

  test('does nothing to a job that has finished', async () => {
    const controller = new AbortController();
    const options = by === 'a signal' ? { signal: controller.signal } : { timeoutMs: 60_000 };
    await expect(library.runJob(native.selfWake, options)).resolves.toMatchObject({ returnValue: 1 });
    controller.abort();
    await turn();
    expect(library.stats().jobs).toMatchObject({ [counter]: 0, abandoned: 0, cancelled: 0 });
  });
});

describe('a signal', () => {
  test("gives its reason as the error's cause", async () => {
    const controller = new AbortController();
    const reason = { not: 'an error' };
    const signal = new library.WaitSignal();
    const running = rejection(library.runJob(untilWoken(signal), { signal: controller.signal }));
    await turn();
    controller.abort(reason);
    const error = (await running) as Error;
    expect(error).toMatchObject({ name: 'AbortError', code: 'ABORT_ERR' });
    expect(error.cause).toBe(reason);
    await until(() => library.stats().jobs.live === 0);
    signal.close();
  });

  test('that is aborted already keeps the job from being submitted', async () => {
    const waitContext = new library.WaitContext();
    const running = library.runJob(native.empty, { signal: AbortSignal.abort(), waitContext });
    expect(await rejectionCode(running)).toBe('ABORT_ERR');
    expect(waitContext.busy).toBe(false);
    expect(library.stats().jobs).toMatchObject({ submitted: 0, aborted: 1 });
  });

  test('that is shared by many jobs ends all of them', async () => {
    const { signal, abort } = ((controller) => ({
      signal: controller.signal,
      abort: () => {
        controller.abort();
      },
    }))(new AbortController());
    device.holdAll(true);
    const args = deviceRequest(held);
    const running = Array.from({ length: 8 }, () => rejectionCode(library.runJob(native.device, { args, signal })));
    await turn();
    abort();
    expect(new Set(await Promise.all(running))).toEqual(new Set(['ABORT_ERR']));
  });
});

describe('a wait context of one’s own', () => {
  test('is busy until the job has ended, and keeps what engines left on it', async () => {
    const waitContext = new library.WaitContext();
    const before = device.stats();
    for (let i = 0; i < 3; ++i) {
      const running = library.runJob(native.device, { args: deviceRequest({ mode: 'fd-cached' }), waitContext });
      expect(waitContext.busy).toBe(true);
      await expect(running).resolves.toMatchObject({ returnValue: 1, wakeups: { fd: 1 } });
      expect(waitContext.busy).toBe(false);
    }
    expect(waitContext.fds()).toHaveLength(1);
    expect(device.stats().fdsOpened - before.fdsOpened).toBe(1);
    waitContext.close();
    expect(device.stats().fdsClosed - before.fdsClosed).toBe(1);
  });

  test('is what a generator finds as job.waitContext', async () => {
    const waitContext = new library.WaitContext();
    let same = false;
    const func = library.jobFunction(function* (job) {
      same = job.waitContext === waitContext;
      return 1;
    });
    await library.runJob(func, { waitContext });
    expect(same).toBe(true);
    waitContext.close();
  });

  test("still calls the application's callback", async () => {
    const waitContext = new library.WaitContext();
    const callback = jest.fn();
    waitContext.setCallback(callback);
    await library.runJob(native.selfWake, { waitContext });
    await library.runJob(native.device, { waitContext, args: deviceRequest({ mode: 'callback-thread' }) });
    await until(() => callback.mock.calls.length === 2);
    waitContext.close();
  });

  test('serves startJob again afterwards', async () => {
    const waitContext = new library.WaitContext();
    await library.runJob(native.selfWake, { waitContext });
    const result = library.startJob(null, waitContext, native.pauseOnce);
    expect(result.status).toBe('pause');
    if (result.status === 'pause') expect(library.startJob(result.job, waitContext).status).toBe('finish');
    waitContext.close();
  });
});

describe('the event loop', () => {
  test('goes on while 10 000 jobs are ready all the time', async () => {
    library.configure({ tickBudgetMicros: 100 });
    const args = deviceRequest({ mode: 'callback-same-thread', pauses: 20 });
    let timers = 0;
    let immediates = 0;
    let done = false;
    const countTimers = (): void => {
      ++timers;
      if (!done) setTimeout(countTimers, 1);
    };
    const countImmediates = (): void => {
      ++immediates;
      if (!done) setImmediate(countImmediates);
    };
    const running = Promise.all(Array.from({ length: 10_000 }, () => library.runJob(native.device, { args })));
    setTimeout(countTimers, 1);
    setImmediate(countImmediates);
    const results = await running;
    done = true;
    expect(results.every(({ pauses, wakeups }) => pauses === 20 && wakeups.callback === 20)).toBe(true);
    expect(timers).toBeGreaterThan(3);
    expect(immediates).toBeGreaterThan(30);
    expect(library.stats().ticks).toBeGreaterThan(30);
  });
});

describe('misuse of runJob', () => {
  test.each([
    ['no function', () => library.runJob(undefined as never), 'ERR_INVALID_ARG_TYPE'],
    ['a plain function', () => library.runJob((() => 1) as never), 'ERR_INVALID_ARG_TYPE'],
    ['null as options', () => library.runJob(native.empty, null as never), 'ERR_INVALID_ARG_TYPE'],
    ['an array as options', () => library.runJob(native.empty, [] as never), 'ERR_INVALID_ARG_TYPE'],
    ['an unknown option', () => library.runJob(native.empty, { timeout: 1 } as never), 'ERR_INVALID_ARG_VALUE'],
    [
      'a foreign wait context',
      () => library.runJob(native.empty, { waitContext: {} as never }),
      'ERR_INVALID_ARG_TYPE',
    ],
    ['a foreign signal', () => library.runJob(native.empty, { signal: {} as never }), 'ERR_INVALID_ARG_TYPE'],
    ['a time limit of 0', () => library.runJob(native.empty, { timeoutMs: 0 }), 'ERR_OUT_OF_RANGE'],
    ['a fraction as time limit', () => library.runJob(native.empty, { timeoutMs: 0.5 }), 'ERR_OUT_OF_RANGE'],
    ['a string as time limit', () => library.runJob(native.empty, { timeoutMs: '1' as never }), 'ERR_INVALID_ARG_TYPE'],
    ['a number as bytes', () => library.runJob(native.empty, { args: 1 }), 'ERR_INVALID_ARG_TYPE'],
    ['more than 1 GiB', () => library.runJob(native.empty, { args: new ArrayBuffer(2 ** 30 + 1) }), 'ERR_OUT_OF_RANGE'],
  ])('with %s throws at the call and submits nothing', (_, misuse, code) => {
    expect(codeOf(misuse)).toBe(code);
    expect(library.stats().jobs.submitted).toBe(0);
  });

  test('leaves the wait context as it was', async () => {
    const waitContext = new library.WaitContext();
    const options = [{ timeoutMs: 0 }, { args: 1 }, { signal: 1 as never }, { signal: { aborted: false } as never }];
    for (const each of options) {
      expect(() => library.runJob(native.empty, { waitContext, ...each })).toThrow();
      expect(waitContext.busy).toBe(false);
    }
    expect(library.stats().jobs.submitted).toBe(0);
    await library.runJob(native.selfWake, { waitContext });
    waitContext.close();
  });
});
