// The pool of jobs that a thread has, and what comes back to it.
import { inChild, resultOf } from '../support/programs';

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
