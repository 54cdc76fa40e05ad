'use strict';

// A worker ends with hundreds of operations that wait for its remote keys; those of the main thread go on.
//
//   node remote-keys-worker-end.js [terminate|exit|throw|again]

const { isMainThread, parentPort, workerData } = require('node:worker_threads');
const { openFds, report, sign } = require('../../support/scenario/library');
const { answeringKey, startRemoteOperations } = require('../../support/scenario/remote-keys');
const { startWorker } = require('../../support/scenario/worker');

const TURNS = 20;

async function inWorker({ end }) {
  const { asked } = await startRemoteOperations();
  parentPort.postMessage(asked);
  if (end === 'exit') process.exit(5);
  if (end === 'throw') throw new Error('thrown on purpose');
  setInterval(() => {}, 1000);
}

async function endWorker(end) {
  const { worker, said, ended } = startWorker(__filename, { end });
  await said;
  if (end === 'terminate') void worker.terminate();
  const { code, error, messages } = await ended;
  return { code, error: error?.message, messages };
}

async function main(end) {
  if (end === 'again') {
    await endWorker('terminate');
    const before = openFds();
    for (let turn = 0; turn < TURNS; ++turn) await endWorker('terminate');
    report({ fdGrowth: openFds() - before });
    return;
  }
  const key = answeringKey();
  const ours = Array.from({ length: 100 }, () => sign(null, 'data', key));
  report(await endWorker(end));
  const all = await Promise.all([...ours, sign(null, 'data', key)]);
  report({ ours: all.every(({ length }) => length === 64) });
}

void (isMainThread ? main(process.argv[2] ?? 'terminate') : inWorker(workerData));
