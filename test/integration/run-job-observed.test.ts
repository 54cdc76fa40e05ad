// runJob, as those see it who watch: the async context, channels and figures.
import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { JobMessage } from '../../lib';
import { device, deviceRequest } from '../support/device';
import { rejection, until } from '../support/library';
import { library, native, held } from '../support/scheduled-jobs';

describe('the async context', () => {
  test('of the call is that of the generator and of what follows the promise', async () => {
    const storage = new AsyncLocalStorage<number>();
    const seen: unknown[] = [];
    const func = library.jobFunction(function* (job, id: number) {
      for (let i = 0; i < 3; ++i) {
        seen.push(storage.getStore() === id);
        yield job.pause();
      }
      return id;
    });
    await Promise.all(
      [1, 2, 3].map((id) =>
        storage.run(id, async () => {
          await library.runJob(func, { args: id });
          seen.push(storage.getStore() === id);
          await library.runJob(native.selfWake);
          seen.push(storage.getStore() === id);
        }),
      ),
    );
    expect(seen).toEqual(Array.from({ length: 15 }, () => true));
    expect(storage.getStore()).toBeUndefined();
  });
});

describe('diagnostics_channel', () => {
  const names = ['start', 'pause', 'resume', 'finish'] as const;
  let log: [name: string, message: JobMessage][];
  const subscribers = names.map((name) => (message: unknown) => void log.push([name, message as JobMessage]));

  beforeEach(() => {
    log = [];
    names.forEach((name, i) => {
      subscribe(`openssl-async:job:${name}`, subscribers[i] as () => void);
    });
  });
  afterEach(() => {
    names.forEach((name, i) => unsubscribe(`openssl-async:job:${name}`, subscribers[i] as () => void));
  });

  test('tells of start, pause, resume and finish', async () => {
    await library.runJob(native.selfWake);
    expect(log.map(([name]) => name)).toEqual(names);
    expect(new Set(log.map(([, { id }]) => id)).size).toBe(1);
    expect(log.map(([, { func }]) => func)).toEqual(names.map(() => native.selfWake));
    expect(log.map(([, { pauses }]) => pauses)).toEqual([0, 1, 1, 1]);
    expect(log[2]?.[1].wakeup).toBe('callback');
    expect(log[3]?.[1].returnValue).toBe(1);
  });

  test('tells by what a job was woken', async () => {
    for (const mode of ['fd-fresh', 'callback-thread', 'again'] as const) {
      await library.runJob(native.device, { args: deviceRequest({ mode }) });
    }
    const wakeups = log.filter(([name]) => name === 'resume').map(([, { wakeup }]) => wakeup);
    expect(wakeups).toEqual(['fd', 'callback', 'poll']);
  });

  test('tells of the error of a job that failed', async () => {
    const mine = new Error('mine');
    await rejection(
      library.runJob(
        library.jobFunction(function* () {
          throw mine;
        }),
      ),
    );
    await rejection(library.runJob(native.throwException));
    const errors = log.filter(([name]) => name === 'finish').map(([, { error }]) => error);
    expect(errors).toEqual([mine, expect.objectContaining({ code: 'ERR_ASYNC_NATIVE_EXCEPTION' })]);
  });
});

describe('stats', () => {
  test('begin at nothing', () => {
    const { jobs, wakeups, ticks } = library.stats();
    expect(Object.values({ ...jobs, ...wakeups, ticks }).filter((value) => value !== 0)).toEqual([]);
  });

  test('count what was done', async () => {
    const modes = ['fd-cached', 'callback-thread', 'callback-same-thread', 'again', 'sync'] as const;
    await Promise.all(
      modes.map((mode) => library.runJob(native.device, { args: deviceRequest({ mode, pauses: 2, againCount: 2 }) })),
    );
    const { jobs, wakeups, latency, ticks } = library.stats();
    expect(jobs).toMatchObject({ submitted: 5, started: 5, finished: 5, failed: 0, live: 0, pauses: 8, handOvers: 0 });
    expect(wakeups).toEqual({ fd: 2, callback: 4, poll: 2 });
    expect(ticks).toBeGreaterThan(0);
    for (const { count, min, max, mean, p50, p90, p99 } of [latency.queue, latency.run, latency.total]) {
      expect(count).toBe(5);
      expect([min, p50, p90, p99]).toEqual([min, p50, p90, p99].toSorted((a, b) => a - b));
      expect(mean).toBeGreaterThanOrEqual(min);
      expect(mean).toBeLessThanOrEqual(max);
    }
    expect(latency.total.max).toBeGreaterThanOrEqual(latency.run.max);
  });

  test('show live, queued and waiting jobs as they are', async () => {
    library.configure({ maxJobs: 3 });
    device.holdAll(true);
    const running = Array.from({ length: 5 }, () => library.runJob(native.device, { args: deviceRequest(held) }));
    await until(() => library.stats().jobs.waiting === 3);
    expect(library.stats().jobs).toMatchObject({ live: 3, queued: 2, ready: 0, waiting: 3 });
    device.holdAll(false);
    await Promise.all(running);
    expect(library.stats().jobs).toMatchObject({ live: 0, queued: 0, waiting: 0, finished: 5 });
  });
});
