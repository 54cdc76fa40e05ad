// ASYNC_start_job(3) and ASYNC_WAIT_CTX_new(3), function by function.
import { closeSync, openSync } from 'node:fs';
import {
  cleanupThread,
  getCurrentJob,
  initThread,
  isCapable,
  jobFunction,
  nativeJobFunction,
  opensslVersion,
  runJob,
  startJob,
  stats,
  unsupportedReason,
  WaitContext,
  WaitSignal,
  type FinishedResult,
  type Job,
  type JobFunction,
  type PausedResult,
  type StartJobResult,
  type WaitStatus,
} from '../../lib';
import { checksum, countBytesArgs, device, deviceRequest, int32Args } from '../support/device';
import { inChild, resultOf } from '../support/programs';
import { codeOf, rejectionCode, turn, until } from '../support/library';

const returnArg = nativeJobFunction(device.functions.returnArg);
const countBytes = nativeJobFunction(device.functions.countBytes);
const pauseOnce = nativeJobFunction(device.functions.pauseOnce);
const selfWake = nativeJobFunction(device.functions.selfWake);
const simulated = nativeJobFunction(device.functions.device);

const pauseTwice = jobFunction(function* (job) {
  yield job.pause();
  yield job.pause();
  return 7;
});

let context: WaitContext;
const paused: Job[] = [];

beforeEach(() => {
  context = new WaitContext();
});

// Every test leaves nothing behind: what it has paused can still be resumed, whatever was done to it meanwhile.
afterEach(() => {
  for (const job of paused.splice(0)) if (job.state === 'paused') toEnd(resume(job));
  context.close();
  expect(stats().jobs.live).toBe(0);
});

function start(func: JobFunction, args?: unknown, waitContext: WaitContext = context): StartJobResult {
  const result = startJob(null, waitContext, func, args);
  if (result.status === 'pause') paused.push(result.job);
  return result;
}

function startPaused(func: JobFunction, args?: unknown, waitContext?: WaitContext): PausedResult {
  const result = start(func, args, waitContext);
  expect(result.status).toBe('pause');
  return result as PausedResult;
}

function resume(job: Job): StartJobResult {
  return startJob(job, job.waitContext);
}

function toEnd(result: StartJobResult): StartJobResult {
  while (result.status === 'pause') result = resume(result.job);
  return result;
}

function expectUsable(waitContext: WaitContext = context): void {
  expect(start(returnArg, int32Args(5), waitContext)).toEqual({ status: 'finish', returnValue: 5 });
}

describe('the library', () => {
  test("is capable of OpenSSL's own jobs", () => {
    expect(isCapable()).toBe(true);
    expect(unsupportedReason()).toBeUndefined();
  });

  test("uses the process's own OpenSSL", () => {
    const [version] = process.versions.openssl.split('+');
    expect(opensslVersion()).toContain(`OpenSSL ${String(version)}`);
  });
});

describe('startJob with a native function', () => {
  test.each([0, 1, -1, 2 ** 31 - 1, -(2 ** 31)])('finishes at once and returns %p', (value) => {
    expect(start(returnArg, int32Args(value))).toEqual({ status: 'finish', returnValue: value });
    expect(context.busy).toBe(false);
  });

  test('passes NULL when there are no arguments', () => {
    expect(start(returnArg)).toEqual({ status: 'finish', returnValue: -1 });
    expect(start(returnArg, null)).toEqual({ status: 'finish', returnValue: -1 });
  });

  const bytes = Uint8Array.from({ length: 32 }, (_, i) => i * 7);
  const message = countBytesArgs(bytes);
  const shared = new SharedArrayBuffer(message.length);
  new Uint8Array(shared).set(message);
  const own = new Uint8Array(message).buffer;
  test.each([
    ['a Buffer', message],
    ['a view into the middle of a buffer', Buffer.concat([Buffer.alloc(3), message]).subarray(3)],
    ['a typed array of wider elements', new Int32Array(own)],
    ['a DataView', new DataView(own)],
    ['an ArrayBuffer', own],
    ['a SharedArrayBuffer', shared],
  ])('passes the bytes of %s', (_, args) => {
    expect(start(countBytes, args)).toEqual({ status: 'finish', returnValue: checksum(bytes) });
  });

  test('passes a string as UTF-8', () => {
    expect(start(returnArg, '\x01\x02\u00e9')).toEqual({ status: 'finish', returnValue: 0xa9c30201 | 0 });
  });

  test('pauses and goes on where it paused', () => {
    const { job, waitFds } = startPaused(pauseOnce);
    expect(waitFds).toEqual([]);
    expect(job.state).toBe('paused');
    expect(context.busy).toBe(true);
    expect(resume(job)).toEqual({ status: 'finish', returnValue: 1 });
    expect(job.state).toBe('finished');
    expect(context.busy).toBe(false);
  });

  test('tells what the function left in its error queue', () => {
    const result = toEnd(start(simulated, deviceRequest({ mode: 'sync', failEvery: 1 }))) as FinishedResult;
    expect(result).toMatchObject({ status: 'finish', returnValue: 0 });
    expect(result.opensslErrorStack).toHaveLength(1);
  });

  test('gives getCurrentJob() nothing: it is the C function that is inside', () => {
    const { job } = startPaused(pauseOnce);
    expect(getCurrentJob()).toBeNull();
    resume(job);
    expect(getCurrentJob()).toBeNull();
  });
});

describe('startJob with a generator', () => {
  test('runs to the first pause, and on from there at each resume', () => {
    const log: string[] = [];
    const func = jobFunction(function* (job, name: string) {
      log.push(`${name} 1`);
      yield job.pause();
      log.push(`${name} 2`);
      yield job.pause();
      log.push(`${name} 3`);
      return 3;
    });
    const { job } = startPaused(func, 'job');
    expect(log).toEqual(['job 1']);
    const again = resume(job) as PausedResult;
    expect(again.status).toBe('pause');
    expect(again.job).toBe(job);
    expect(log).toEqual(['job 1', 'job 2']);
    expect(resume(job)).toEqual({ status: 'finish', returnValue: 3 });
    expect(log).toEqual(['job 1', 'job 2', 'job 3']);
  });

  test('ignores a function and arguments at a resume', () => {
    const { job } = startPaused(pauseTwice);
    expect(startJob(job, context, returnArg, int32Args(1)).status).toBe('pause');
    expect(startJob(job, context, returnArg, int32Args(1))).toEqual({ status: 'finish', returnValue: 7 });
  });

  test('passes bytes as a Buffer, and a copy of everything else', () => {
    const seen: unknown[] = [];
    const func = jobFunction(function* (_job, args: unknown) {
      seen.push(args);
      return 1;
    });
    const object = { nested: { list: [1, 2n], when: new Date(0) } };
    for (const args of [Uint8Array.of(1, 2), object, 'text', 42, null, undefined]) start(func, args);
    expect(Buffer.isBuffer(seen[0])).toBe(true);
    expect(seen[0]).toEqual(Buffer.of(1, 2));
    expect(seen[1]).toEqual(object);
    expect(seen[1]).not.toBe(object);
    expect(seen.slice(2)).toEqual(['text', 42, null, undefined]);
  });

  test.each([0, -1, 2 ** 31 - 1, -(2 ** 31)])('returns %p', (value) => {
    expect(
      start(
        jobFunction(function* () {
          return value;
        }),
      ),
    ).toEqual({ status: 'finish', returnValue: value });
  });

  test('keeps jobs apart that run side by side', () => {
    const others = [new WaitContext(), new WaitContext(), new WaitContext()];
    const func = jobFunction(function* (job, value: number) {
      let sum = value;
      for (let i = 0; i < 5; ++i) {
        yield job.pause();
        sum += value;
      }
      return sum;
    });
    const jobs = others.map((other, i) => startPaused(func, i + 1, other).job);
    const results: StartJobResult[] = [];
    for (let i = 0; i < 5; ++i) results.splice(0, 3, ...jobs.toReversed().map(resume));
    expect(results.map((result) => (result as FinishedResult).returnValue)).toEqual([18, 12, 6]);
    for (const other of others) other.close();
  });

  test('tells inside and outside apart through job.state and getCurrentJob()', () => {
    const inside: unknown[] = [];
    const func = jobFunction(function* (job) {
      inside.push(job.state, getCurrentJob() === job, job.waitContext === context);
      yield job.pause();
      inside.push(job.state, getCurrentJob() === job);
      return 1;
    });
    expect(getCurrentJob()).toBeNull();
    const { job } = startPaused(func);
    expect([job.state, getCurrentJob()]).toEqual(['paused', null]);
    resume(job);
    expect([job.state, getCurrentJob()]).toEqual(['finished', null]);
    expect(inside).toEqual(['running', true, true, 'running', true]);
  });

  test.each([
    ['an Error', new Error('mine')],
    ['a string', 'mine'],
    ['undefined', undefined],
  ])("reports %s that it throws as the job's error, the very same", (_, thrown) => {
    const func = jobFunction(function* (job, pauses: number) {
      for (let i = 0; i < pauses; ++i) yield job.pause();
      throw thrown;
    });
    for (const pauses of [0, 1]) {
      const result = toEnd(start(func, pauses));
      expect(result.status).toBe('error');
      expect((result as { error: unknown }).error).toBe(thrown);
    }
    expectUsable();
  });

  test.each([[1.5], [2 ** 31], [Number.NaN], ['1'], [undefined], [1n]])('refuses %p as a return value', (value) => {
    const result = start(
      jobFunction(function* () {
        return value as number;
      }),
    );
    expect(result).toMatchObject({ status: 'error', error: { code: 'ERR_INVALID_RETURN_VALUE' } });
    expectUsable();
  });

  test.each([
    ['undefined', () => undefined],
    ['a number', () => 1],
    ['a promise', () => Promise.resolve()],
    ['a command of another job', (other: Job) => other.pause()],
  ])('throws where %s is yielded, and the function can go on', (_, yielded) => {
    const other = startPaused(pauseTwice, undefined, new WaitContext());
    const codes: unknown[] = [];
    const func = jobFunction(function* (job) {
      try {
        yield yielded(other.job) as never;
      } catch (error) {
        codes.push((error as { code: unknown }).code);
      }
      yield job.pause();
      return 9;
    });
    const { job } = startPaused(func);
    expect(codes).toEqual(['ERR_ASYNC_INVALID_COMMAND']);
    expect(resume(job)).toEqual({ status: 'finish', returnValue: 9 });
    toEnd(resume(other.job));
    other.job.waitContext.close();
  });

  test('ends with the error of a wrong yield that it does not catch', () => {
    const func = jobFunction(function* () {
      yield 'nothing' as never;
      return 1;
    });
    expect(start(func)).toMatchObject({ status: 'error', error: { code: 'ERR_ASYNC_INVALID_COMMAND' } });
    expectUsable();
  });

  test('ends a function that yields without end', () => {
    const func = jobFunction(function* (job) {
      for (;;) {
        try {
          yield job.blockPause();
        } catch {
          // Not even this keeps it going.
        }
      }
    });
    expect(start(func)).toMatchObject({ status: 'error', error: { code: 'ERR_ASYNC_COMMAND_LIMIT' } });
    expectUsable();
  });

  test('runs the finally blocks of a function that throws', () => {
    const signal = new WaitSignal();
    const func = jobFunction(function* (job) {
      yield job.setWaitFd('key', signal.fd);
      try {
        yield job.pause();
        throw new Error('mine');
      } finally {
        yield job.clearFd('key');
      }
    });
    expect(resume(startPaused(func).job).status).toBe('error');
    expect(context.fds()).toEqual([]);
    signal.close();
  });
});

describe('wait fds', () => {
  let signal: WaitSignal;
  let second: WaitSignal;

  beforeEach(() => {
    signal = new WaitSignal();
    second = new WaitSignal();
  });
  afterEach(() => {
    signal.close();
    second.close();
  });

  test('are offered at a pause, and come and go with the pauses', () => {
    const func = jobFunction(function* (job) {
      yield job.setWaitFd('a', signal.fd);
      yield job.pause();
      yield job.setWaitFd('b', second.fd);
      yield job.pause();
      yield job.clearFd('a');
      yield job.pause();
      yield job.pause();
      yield job.clearFd('b');
      return 1;
    });
    const a = signal.fd;
    const b = second.fd;
    expect(context.fds()).toEqual([]);
    const { job, waitFds } = startPaused(func);
    expect(waitFds).toEqual([a]);
    expect(context.fds()).toEqual([a]);
    expect(context.changedFds()).toEqual({ added: [a], removed: [] });

    expect((resume(job) as PausedResult).waitFds.toSorted()).toEqual([a, b].toSorted());
    expect(context.changedFds()).toEqual({ added: [b], removed: [] });

    expect((resume(job) as PausedResult).waitFds).toEqual([b]);
    expect(context.changedFds()).toEqual({ added: [], removed: [a] });

    expect((resume(job) as PausedResult).waitFds).toEqual([b]);
    expect(context.changedFds()).toEqual({ added: [], removed: [] });

    expect(resume(job).status).toBe('finish');
    expect(context.fds()).toEqual([]);
    expect(context.changedFds()).toEqual({ added: [], removed: [b] });
  });

  test('that came and went between two pauses are no change', () => {
    const func = jobFunction(function* (job) {
      yield job.setWaitFd('a', signal.fd);
      yield job.clearFd('a');
      yield job.pause();
      return 1;
    });
    expect(startPaused(func).waitFds).toEqual([]);
    expect(context.changedFds()).toEqual({ added: [], removed: [] });
  });

  test('are read back with the type that they have', () => {
    const seen: unknown[] = [];
    const func = jobFunction(function* (job) {
      const before: number | null = yield* job.getFd('key');
      yield* job.setWaitFd('key', signal.fd);
      const set: number | null = yield* job.getFd('key');
      const other: number | null = yield* job.getFd('another key');
      const cleared: boolean = yield* job.clearFd('key');
      const clearedTwice: boolean = yield* job.clearFd('key');
      const after = (yield job.getFd('key')) as number | null;
      seen.push(before, set, other, cleared, clearedTwice, after);
      return 1;
    });
    expect(start(func).status).toBe('finish');
    expect(seen).toEqual([null, signal.fd, null, true, false, null]);
  });

  test('are told apart by any value as a key', () => {
    const keys: unknown[] = [Symbol('key'), {}, 'text', '', 0, false];
    const signals = keys.map(() => new WaitSignal());
    const func = jobFunction(function* (job) {
      for (const [i, key] of keys.entries()) yield job.setWaitFd(key, (signals[i] as WaitSignal).fd);
      const fds: (number | null)[] = [];
      for (const key of keys) fds.push(yield* job.getFd(key));
      expect(fds).toEqual(signals.map(({ fd }) => fd));
      for (const key of keys) yield job.clearFd(key);
      return 1;
    });
    expect(start(func)).toEqual({ status: 'finish', returnValue: 1 });
    for (const each of signals) each.close();
  });

  test('outlive the job, for the next one of the context', () => {
    const set = jobFunction(function* (job) {
      yield job.setWaitFd('cached', signal.fd);
      return 1;
    });
    const get = jobFunction(function* (job) {
      return (yield* job.getFd('cached')) ?? -1;
    });
    start(set);
    expect(start(get)).toEqual({ status: 'finish', returnValue: signal.fd });
  });

  test('are cleaned up when the context is closed, unless they were cleared', () => {
    const calls: unknown[][] = [];
    const cleanup = (...args: unknown[]): void => void calls.push(args);
    const key = { a: 'key' };
    const func = jobFunction(function* (job) {
      yield job.setWaitFd(key, signal.fd, cleanup);
      yield job.setWaitFd('cleared', second.fd, cleanup);
      yield job.clearFd('cleared');
      return 1;
    });
    start(func);
    expect(calls).toEqual([]);
    context.close();
    expect(calls).toEqual([[signal.fd, key]]);
    context.close();
    expect(calls).toHaveLength(1);
  });

  test('are all cleaned up even when one clean-up throws', () => {
    const mine = new Error('mine');
    let cleaned = 0;
    const func = jobFunction(function* (job) {
      for (const key of ['a', 'b', 'c']) {
        yield job.setWaitFd(key, signal.fd, () => {
          ++cleaned;
          if (key === 'b') throw mine;
        });
      }
      return 1;
    });
    start(func);
    expect(() => {
      context.close();
    }).toThrow(mine);
    expect(cleaned).toBe(3);
    expect(context.closed).toBe(true);
  });

  test.each([
    ['a missing key', (job: Job) => job.setWaitFd(undefined, 0), 'ERR_INVALID_ARG_TYPE'],
    ['null as a key', (job: Job) => job.getFd(null), 'ERR_INVALID_ARG_TYPE'],
    ['a missing key to clear', (job: Job) => job.clearFd(undefined), 'ERR_INVALID_ARG_TYPE'],
    ['a fd that is no number', (job: Job) => job.setWaitFd('key', '3' as never), 'ERR_INVALID_ARG_TYPE'],
    ['a negative fd', (job: Job) => job.setWaitFd('key', -1), 'ERR_OUT_OF_RANGE'],
    ['a fraction as fd', (job: Job) => job.setWaitFd('key', 1.5), 'ERR_OUT_OF_RANGE'],
    ['a huge fd', (job: Job) => job.setWaitFd('key', 2 ** 31), 'ERR_OUT_OF_RANGE'],
    ['a clean-up that is no function', (job: Job) => job.setWaitFd('key', 0, 1 as never), 'ERR_INVALID_ARG_TYPE'],
  ])('refuse %s before anything is yielded', (_, command, code) => {
    const { job } = startPaused(pauseTwice);
    expect(codeOf(() => command(job))).toBe(code);
    expect(context.fds()).toEqual([]);
    expect(toEnd(resume(job))).toEqual({ status: 'finish', returnValue: 7 });
  });

  test('that are closed or regular files are refused where they are yielded, and are not set', () => {
    const file = openSync(__filename, 'r');
    const closed = openSync(__filename, 'r');
    closeSync(closed);
    const codes: unknown[] = [];
    const func = jobFunction(function* (job) {
      for (const fd of [closed, file]) {
        try {
          yield job.setWaitFd('key', fd);
        } catch (error) {
          codes.push((error as { code: unknown }).code);
        }
      }
      yield job.pause();
      return 1;
    });
    const { job, waitFds } = startPaused(func);
    closeSync(file);
    expect(codes).toEqual(['ERR_ASYNC_INVALID_FD', 'ERR_ASYNC_FD_NOT_POLLABLE']);
    expect(waitFds).toEqual([]);
    expect(context.changedFds()).toEqual({ added: [], removed: [] });
    expect(resume(job)).toEqual({ status: 'finish', returnValue: 1 });
  });
});

describe('blockPause and unblockPause', () => {
  test('make pauses return at once, as deep as they are nested', () => {
    const log: string[] = [];
    const func = jobFunction(function* (job) {
      yield job.blockPause();
      yield job.blockPause();
      yield job.pause();
      log.push('blocked twice');
      yield job.unblockPause();
      yield job.pause();
      log.push('blocked once');
      yield job.unblockPause();
      yield job.pause();
      log.push('unblocked');
      return 1;
    });
    const { job } = startPaused(func);
    expect(log).toEqual(['blocked twice', 'blocked once']);
    expect(resume(job)).toEqual({ status: 'finish', returnValue: 1 });
    expect(log).toEqual(['blocked twice', 'blocked once', 'unblocked']);
  });

  test('let other jobs of the thread pause meanwhile', () => {
    const func = jobFunction(function* (job) {
      yield job.pause();
      yield job.blockPause();
      const other = (yield* job.getFd('none')) === null;
      yield job.pause();
      return other ? 2 : 3;
    });
    const { job } = startPaused(func);
    const other = new WaitContext();
    expect(resume(startPaused(pauseOnce, undefined, other).job).status).toBe('finish');
    other.close();
    expect(resume(job)).toEqual({ status: 'finish', returnValue: 2 });
  });

  test('have no effect when unblocked once too often', () => {
    const func = jobFunction(function* (job) {
      yield job.unblockPause();
      yield job.unblockPause();
      yield job.blockPause();
      yield job.pause();
      yield job.unblockPause();
      yield job.pause();
      return 1;
    });
    expect(resume(startPaused(func).job)).toEqual({ status: 'finish', returnValue: 1 });
  });

  test('end with the job that has blocked', () => {
    const func = jobFunction(function* (job) {
      yield job.blockPause();
      yield job.pause();
      return 1;
    });
    expect(start(func)).toEqual({ status: 'finish', returnValue: 1 });
    expect(resume(startPaused(pauseOnce).job).status).toBe('finish');
    expect(toEnd(start(pauseTwice)).status).toBe('finish');
  });
});

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

describe('a wait signal', () => {
  test('is readable from wake() to clear(), however often it is woken', () => {
    const signal = new WaitSignal();
    expect(signal.clear()).toBe(false);
    signal.wake();
    signal.wake();
    expect(signal.clear()).toBe(true);
    expect(signal.clear()).toBe(false);
    expect(signal.fd).toBeGreaterThan(2);
    signal.close();
  });

  test('that is closed refuses everything but to be closed', () => {
    const signal = new WaitSignal();
    signal[Symbol.dispose]();
    signal.close();
    const uses: (() => unknown)[] = [
      () => signal.fd,
      () => {
        signal.wake();
      },
      () => signal.clear(),
    ];
    expect(uses.map(codeOf)).toEqual(uses.map(() => 'ERR_ASYNC_WAIT_SIGNAL_CLOSED'));
  });
});

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

describe("the thread's pool", () => {
  test('gives no jobs beyond its size, changes nothing by that, and gives one again later', async () => {
    const outcome = await inChild(({ library, device: { functions } }) => {
      library.initThread({ maxSize: 2, initSize: 1 });
      const pauseOnceHere = library.nativeJobFunction(functions.pauseOnce);
      const contexts = [1, 2, 3].map(() => new library.WaitContext());
      const statuses: unknown[] = [];
      const results = contexts.map((waitContext) => library.startJob(null, waitContext, pauseOnceHere));
      statuses.push(results.map(({ status }) => status));
      const [first] = results;
      const third = contexts[2] as (typeof contexts)[number];
      statuses.push(third.busy, third.fds());
      const generator = library.jobFunction(function* () {
        return 1;
      });
      statuses.push(library.startJob(null, third, generator).status);
      if (first?.status === 'pause') statuses.push(library.startJob(first.job, first.job.waitContext).status);
      statuses.push(library.startJob(null, third, generator).status);
      third.close();
      return { statuses, keys: Object.keys(results[2] ?? {}), live: library.stats().jobs.liveInThread };
    });
    expect(resultOf(outcome)).toEqual({
      statuses: [['pause', 'pause', 'no-jobs'], false, [], 'no-jobs', 'finish', 'finish'],
      keys: ['status'],
      live: 1,
    });
  });

  test('queues the jobs of runJob beyond its size', async () => {
    const outcome = await inChild(async ({ library, device: { functions } }) => {
      library.initThread({ maxSize: 3 });
      const func = library.nativeJobFunction(functions.selfWake);
      let most = 0;
      library.jobFunction(function* () {
        return 1;
      });
      const counting = library.jobFunction(function* (job) {
        most = Math.max(most, library.stats().jobs.live);
        yield job.pause();
        return 1;
      });
      const results = await Promise.all(
        Array.from({ length: 40 }, (_, i) => library.runJob(i % 2 === 0 ? func : counting)),
      );
      return { most, values: [...new Set(results.map(({ returnValue }) => returnValue))] };
    });
    expect(resultOf(outcome)).toEqual({ most: 3, values: [1] });
  });

  test('is initialised once, before the first job', async () => {
    const outcome = await inChild(({ library, codeOf: code, device: { functions } }) => {
      const codes: unknown[] = [];
      const options = [
        { maxSize: -1 },
        { maxSize: 1.5 },
        { initSize: '1' },
        { maxSize: 1, initSize: 2 },
        { size: 1 },
        null,
      ];
      for (const each of options)
        codes.push(
          code(() => {
            library.initThread(each as never);
          }),
        );
      library.initThread({ initSize: 4 });
      codes.push(
        code(() => {
          library.initThread();
        }),
      );
      const waitContext = new library.WaitContext();
      const func = library.nativeJobFunction(functions.pauseOnce);
      const result = library.startJob(null, waitContext, func);
      codes.push(result.status);
      codes.push(
        code(() => {
          library.cleanupThread();
        }),
      );
      if (result.status === 'pause') codes.push(library.startJob(result.job, waitContext).status);
      library.cleanupThread();
      library.cleanupThread();
      library.initThread({ maxSize: 1 });
      library.cleanupThread();
      codes.push(library.startJob(null, waitContext, func).status);
      codes.push(
        code(() => {
          library.initThread();
        }),
      );
      return codes;
    });
    expect(resultOf(outcome)).toEqual([
      'ERR_OUT_OF_RANGE',
      'ERR_OUT_OF_RANGE',
      'ERR_INVALID_ARG_TYPE',
      'ERR_OUT_OF_RANGE',
      'ERR_INVALID_ARG_VALUE',
      'ERR_INVALID_ARG_TYPE',
      'ERR_ASYNC_THREAD_INITIALIZED',
      'pause',
      'ERR_ASYNC_JOBS_OUTSTANDING',
      'finish',
      'pause',
      'ERR_ASYNC_THREAD_INITIALIZED',
    ]);
  });

  test('belongs to its thread: a worker has one of its own', async () => {
    const outcome = await inChild(({ library, require }) => {
      library.initThread({ maxSize: 1 });
      const { Worker } = require('node:worker_threads') as typeof import('node:worker_threads');
      const worker = new Worker(
        `const { parentPort } = require('node:worker_threads');
         const library = require('./dist');
         library.initThread({ maxSize: 2 });
         const func = library.jobFunction(function* (job) { yield job.pause(); return 1; });
         const start = () => library.startJob(null, new library.WaitContext(), func);
         const results = [start(), start(), start()];
         for (const { status, job } of results) if (status === 'pause') library.startJob(job, job.waitContext);
         parentPort.postMessage(results.map(({ status }) => status));`,
        { eval: true },
      );
      return new Promise((resolve, reject) => {
        worker.on('message', resolve).on('error', reject);
      });
    });
    expect(resultOf(outcome)).toEqual(['pause', 'pause', 'no-jobs']);
  });
});

describe('a paused job that its application forgot', () => {
  test('is driven to its end when it is collected', async () => {
    const outcome = await inChild(
      async ({ library, device: own }) => {
        const native = library.nativeJobFunction(own.functions.pauseOnce);
        const generator = library.jobFunction(function* (job) {
          yield job.pause();
          return 1;
        });
        for (let i = 0; i < 10; ++i)
          library.startJob(null, new library.WaitContext(), i % 2 === 0 ? native : generator);
        const before = library.stats().jobs.live;
        while (library.stats().jobs.live > 0) {
          (globalThis as { gc?: () => void }).gc?.();
          await new Promise((resolve) => setImmediate(resolve));
        }
        return { before, abandoned: library.stats().jobs.abandoned };
      },
      { nodeArgs: ['--expose-gc'] },
    );
    expect(resultOf(outcome)).toEqual({ before: 10, abandoned: 10 });
  });
});
