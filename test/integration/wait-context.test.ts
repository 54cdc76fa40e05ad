// ASYNC_WAIT_CTX_new(3), function by function; fds have a file of their own.
import { jobFunction, nativeJobFunction, runJob, startJob, WaitContext, WaitSignal, type WaitStatus } from '../../lib';
import { device, deviceRequest } from '../support/device';
import { inChild, resultOf } from '../support/programs';
import { codeOf, rejectionCode, turn, until } from '../support/library';
import { pauseTwice, resume, toEnd } from '../support/job-steps';
import { pauseOnce, selfWake, simulated, context, start, startPaused, expectUsable } from '../support/started-jobs';

describe('callbacks', () => {
  test('run before startJob returns when the engine calls within it', () => {
    const log: string[] = [];
    context.setCallback(() => log.push('called back'));
    const { job } = startPaused(selfWake);
    log.push('paused');
    expect(log).toEqual(['called back', 'paused']);
    expect(resume(job).status).toBe('finish');
    expect(log).toHaveLength(2);
  });

  test('run from the event loop when another thread calls', async () => {
    device.holdAll(true);
    let called = 0;
    context.setCallback(() => ++called);
    const { job } = startPaused(simulated, deviceRequest({ mode: 'callback-thread' }));
    expect(context.status).toBe('ok');
    await turn();
    expect(called).toBe(0);
    device.holdAll(false);
    await context.wait();
    await until(() => called > 0);
    expect(called).toBe(1);
    expect(resume(job).status).toBe('finish');
  });

  test('can be read back, replaced and removed', () => {
    const first = jest.fn();
    const second = jest.fn();
    expect(context.callback).toBeNull();
    context.setCallback(first);
    expect(context.callback).toBe(first);
    context.setCallback(second);
    expect(context.callback).toBe(second);
    resume(startPaused(selfWake).job);
    expect([first.mock.calls.length, second.mock.calls.length]).toEqual([0, 1]);
    context.setCallback(null);
    expect(context.callback).toBeNull();
    const { job, waitFds } = startPaused(selfWake);
    expect(waitFds).toHaveLength(1);
    resume(job);
    expect(second).toHaveBeenCalledTimes(1);
  });

  test('must be functions', () => {
    expect(
      codeOf(() => {
        context.setCallback(1 as never);
      }),
    ).toBe('ERR_INVALID_ARG_TYPE');
    expect(context.callback).toBeNull();
  });

  test('that throw are uncaught exceptions, and the job goes on', async () => {
    const outcome = await inChild(({ library, device: { functions } }) => {
      const uncaught: string[] = [];
      process.on('uncaughtException', (error) => uncaught.push(error.message));
      const waitContext = new library.WaitContext();
      waitContext.setCallback(() => {
        throw new Error('mine');
      });
      let result = library.startJob(null, waitContext, library.nativeJobFunction(functions.selfWake));
      if (result.status === 'pause') result = library.startJob(result.job, waitContext);
      return new Promise((resolve) =>
        setImmediate(() => {
          resolve({ result, uncaught });
        }),
      );
    });
    expect(resultOf(outcome)).toEqual({ result: { status: 'finish', returnValue: 1 }, uncaught: ['mine'] });
  });
});

describe('the status', () => {
  test('is unsupported until an engine says otherwise, and can be played', () => {
    expect(context.status).toBe('unsupported');
    for (const status of ['ok', 'again', 'error', 'unsupported'] satisfies WaitStatus[]) {
      context.status = status;
      expect(context.status).toBe(status);
    }
  });

  test('must be one of the four words', () => {
    context.status = 'ok';
    expect(
      codeOf(() => {
        context.status = 'fine' as never;
      }),
    ).toBe('ERR_INVALID_ARG_VALUE');
    expect(context.status).toBe('ok');
  });

  test.each([
    ['again', 'again'],
    ['error', 'status-error'],
  ] as const)('is %s while a job of the mode %s is paused', (status, mode) => {
    const { job } = startPaused(simulated, deviceRequest({ mode }));
    expect(context.status).toBe(status);
    toEnd(resume(job));
  });
});

describe('wait', () => {
  const waitOn = (signal: WaitSignal) =>
    jobFunction(function* (job) {
      yield job.setWaitFd('signal', signal.fd);
      while (!signal.clear()) yield job.pause();
      yield job.clearFd('signal');
      return 1;
    });

  test('resolves when a wait fd is readable, not before', async () => {
    const signal = new WaitSignal();
    const { job } = startPaused(waitOn(signal));
    let woken = false;
    const wait = context.wait().then(() => (woken = true));
    await turn();
    await turn();
    expect(woken).toBe(false);
    signal.wake();
    await wait;
    expect(resume(job)).toEqual({ status: 'finish', returnValue: 1 });
    signal.close();
  });

  test('resolves at once for a callback that has come already', async () => {
    context.setCallback(() => undefined);
    const { job } = startPaused(selfWake);
    await context.wait();
    expect(resume(job).status).toBe('finish');
  });

  test('resolves for what happens while it is told of something else', async () => {
    context.setCallback(() => undefined);
    for (let i = 0; i < 3; ++i) {
      const { job } = startPaused(selfWake);
      await context.wait(); // resolves within the delivery of events, and so the next job is started there
      expect(resume(job).status).toBe('finish');
    }
  });

  test('resolves after a while for a job that offers nothing', async () => {
    const { job } = startPaused(pauseOnce);
    await context.wait();
    expect(resume(job).status).toBe('finish');
  });

  test('can be given up by a signal and a time limit; the job stays paused and can be waited for again', async () => {
    const signal = new WaitSignal();
    const { job } = startPaused(waitOn(signal));
    const reason = new Error('mine');
    const controller = new AbortController();
    const aborted = context.wait({ signal: controller.signal });
    controller.abort(reason);
    await expect(aborted).rejects.toMatchObject({ name: 'AbortError', code: 'ABORT_ERR', cause: reason });
    expect(await rejectionCode(context.wait({ signal: controller.signal }))).toBe('ABORT_ERR');
    expect(await rejectionCode(context.wait({ timeoutMs: 1 }))).toBe('ERR_ASYNC_TIMEOUT');
    expect(job.state).toBe('paused');
    signal.wake();
    await context.wait({ timeoutMs: 60_000, signal: new AbortController().signal });
    expect(resume(job).status).toBe('finish');
    signal.close();
  });

  test('is refused while another one is under way, which goes on', async () => {
    const signal = new WaitSignal();
    const { job } = startPaused(waitOn(signal));
    const wait = context.wait();
    expect(codeOf(() => context.wait())).toBe('ERR_ASYNC_WAIT_CONTEXT_BUSY');
    signal.wake();
    await wait;
    resume(job);
    signal.close();
  });

  test.each([
    [{ timeoutMs: 0 }, 'ERR_OUT_OF_RANGE'],
    [{ timeoutMs: 1.5 }, 'ERR_OUT_OF_RANGE'],
    [{ timeoutMs: 2 ** 31 }, 'ERR_OUT_OF_RANGE'],
    [{ timeoutMs: '1' }, 'ERR_INVALID_ARG_TYPE'],
    [{ signal: {} }, 'ERR_INVALID_ARG_TYPE'],
    [{ timeout: 1 }, 'ERR_INVALID_ARG_VALUE'],
    [null, 'ERR_INVALID_ARG_TYPE'],
    [1, 'ERR_INVALID_ARG_TYPE'],
  ])('refuses the options %p', (options, code) => {
    expect(codeOf(() => context.wait(options as never))).toBe(code);
  });

  test.each([
    ['closedFd', 'ERR_ASYNC_INVALID_FD'],
    ['regularFileFd', 'ERR_ASYNC_FD_NOT_POLLABLE'],
  ] as const)('rejects for a job that offers a fd nobody can wait for (%s)', async (name, code) => {
    const { job } = startPaused(nativeJobFunction(device.functions[name]));
    expect(await rejectionCode(context.wait())).toBe(code);
    expect(resume(job)).toEqual({ status: 'finish', returnValue: 1 });
    expectUsable();
  });
});

describe('a wait context', () => {
  test('is used by one job after the other', () => {
    for (let i = 0; i < 3; ++i) expect(toEnd(start(pauseTwice))).toEqual({ status: 'finish', returnValue: 7 });
  });

  test('is closed by close() and by dispose, and twice is harmless', () => {
    const other = new WaitContext();
    expect(other.closed).toBe(false);
    other[Symbol.dispose]();
    expect(other.closed).toBe(true);
    other.close();
    expect(other.closed).toBe(true);
  });

  test('that is closed refuses everything', () => {
    const other = new WaitContext();
    other.close();
    const uses: (() => unknown)[] = [
      () => startJob(null, other, pauseOnce),
      () => runJob(pauseOnce, { waitContext: other }),
      () => other.wait(),
      () => other.fds(),
      () => other.changedFds(),
      () => other.status,
      () => (other.status = 'ok'),
      () => {
        other.setCallback(() => undefined);
      },
    ];
    expect(uses.map(codeOf)).toEqual(uses.map(() => 'ERR_ASYNC_WAIT_CONTEXT_CLOSED'));
  });

  test('that is in use is neither closed nor shared, and its job goes on', async () => {
    const { job } = startPaused(pauseTwice);
    expect(
      codeOf(() => {
        context.close();
      }),
    ).toBe('ERR_ASYNC_WAIT_CONTEXT_BUSY');
    expect(codeOf(() => startJob(null, context, pauseOnce))).toBe('ERR_ASYNC_WAIT_CONTEXT_BUSY');
    expect(codeOf(() => runJob(pauseOnce, { waitContext: context }))).toBe('ERR_ASYNC_WAIT_CONTEXT_BUSY');
    const wait = context.wait();
    expect(
      codeOf(() => {
        context.close();
      }),
    ).toBe('ERR_ASYNC_WAIT_CONTEXT_BUSY');
    await wait;
    expect(toEnd(resume(job))).toEqual({ status: 'finish', returnValue: 7 });
    expectUsable();
  });
});
