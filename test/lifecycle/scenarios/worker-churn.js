'use strict';

// Many workers, one after the other, each of which runs jobs. Prints how the process grew.
//
//   node worker-churn.js [workers] [without]    (without: the same workers without the library, to compare)

const { isMainThread, workerData } = require('node:worker_threads');

async function inWorker() {
  if (workerData.without) return;
  const {
    WaitContext,
    deviceRequest,
    jobFunction,
    native,
    runJob,
    startJob,
  } = require('../../support/scenario/library');
  const func = native('device');
  const context = new WaitContext();
  context.setCallback(() => undefined);
  const generator = jobFunction(function* (job) {
    yield job.pause();
    return 1;
  });
  startJob(null, new WaitContext(), generator); // left paused
  await Promise.all([
    ...['fd-cached', 'fd-fresh', 'fds-many', 'callback-thread', 'none'].map((mode) =>
      runJob(func, { args: deviceRequest({ mode, pauses: 2 }) }),
    ),
    runJob(func, { args: deviceRequest({ mode: 'callback-thread' }), waitContext: context }),
    runJob(generator),
  ]);
}

async function main() {
  const workers = Number(process.argv[2] ?? 1000);
  const without = process.argv[3] === 'without';
  const { device, garbageCollector, openFds, report } = require('../../support/scenario/library');
  const { startWorker } = require('../../support/scenario/worker');
  const { slope } = require('../../support/slope');
  const gc = garbageCollector();
  const warmUp = Math.floor(workers / 4);
  const rss = [];
  const fds = [];
  const codes = new Set();
  const began = performance.now();
  let ended = 0;
  // Two at a time, for two cores: each starts when the one before it has ended.
  const lane = async () => {
    for (let i = 0; i < workers / 2; ++i) {
      const { code, error } = await startWorker(__filename, { without }).ended;
      if (error !== undefined) throw error;
      codes.add(code);
      if (++ended < warmUp || ended % 10 !== 0) continue;
      gc();
      rss.push(process.memoryUsage.rss());
      fds.push(openFds());
    }
  };
  await Promise.all([lane(), lane()]);
  const { inFlight, fdsOpened, fdsClosed } = device.stats();
  report({
    workers,
    codes: [...codes],
    rssBytesPerWorker: slope(rss) / 10,
    fdsPerWorker: slope(fds) / 10,
    firstMiB: rss[0] / 2 ** 20,
    lastMiB: rss.at(-1) / 2 ** 20,
    lastFds: fds.at(-1),
    inFlight,
    deviceFdsLeft: fdsOpened - fdsClosed,
    seconds: (performance.now() - began) / 1000,
  });
}

void (isMainThread ? main() : inWorker());
