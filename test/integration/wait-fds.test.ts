// The fds that a job offers in its wait context, and the signals that are made for them.
import { closeSync, openSync } from 'node:fs';
import { jobFunction, WaitSignal, type Job, type PausedResult } from '../../lib';
import { codeOf } from '../support/library';
import { pauseTwice, resume, toEnd } from '../support/job-steps';
import { context, start, startPaused } from '../support/started-jobs';

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
