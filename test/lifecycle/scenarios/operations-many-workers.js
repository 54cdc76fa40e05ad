'use strict';

// Many workers use operations at once, and every third of them ends in the middle. Then they start again.

const { isMainThread, parentPort, workerData } = require('node:worker_threads');
const { openFds, report, stats, until } = require('../../support/scenario/library');
const { operationsWork, startOperations } = require('../../support/scenario/operations');
const { startWorker } = require('../../support/scenario/worker');

const WORKERS = 6;
const ROUNDS = 2;

async function inWorker({ leaves }) {
  const promises = startOperations();
  if (leaves) {
    await Promise.race(promises);
    process.exit(5);
  }
  const results = await Promise.all(promises);
  parentPort.postMessage(results.every(Buffer.isBuffer) && (await operationsWork()));
}

async function main() {
  let fds;
  for (let round = 0; round < ROUNDS; ++round) {
    const workers = Array.from({ length: WORKERS }, (_, i) => startWorker(__filename, { leaves: i % 3 === 2 }));
    const ours = startOperations();
    const ends = await Promise.all(workers.map(({ ended }) => ended));
    await Promise.all(ours);
    report(ends.map(({ code, error, messages }) => error?.message ?? [code, ...messages]));
    fds ??= openFds();
  }
  await until(() => stats().pool.running === 0 && stats().pool.queued === 0);
  report({ fdGrowth: openFds() - fds });
}

void (isMainThread ? main() : inWorker(workerData));
