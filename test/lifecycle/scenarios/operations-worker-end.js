'use strict';

// A worker ends with hundreds of operations on the pool. The pool forgets those that have not begun; another worker and
// the main thread go on with it.
//
//   node operations-worker-end.js [terminate|exit|throw|abort]

const { isMainThread, parentPort, workerData } = require('node:worker_threads');
const { report, stats, until } = require('../../support/scenario/library');
const { OPERATIONS, operationsWork, startOperations } = require('../../support/scenario/operations');
const { startWorker } = require('../../support/scenario/worker');

async function inWorker({ end }) {
  if (end === undefined) {
    parentPort.postMessage(await operationsWork());
    return;
  }
  const aborter = new AbortController();
  const promises = startOperations({ signal: aborter.signal });
  parentPort.postMessage('started');
  if (end === 'exit') process.exit(5);
  if (end === 'throw') throw new Error('thrown on purpose');
  if (end === 'abort') {
    aborter.abort();
    const results = await Promise.allSettled(promises);
    parentPort.postMessage(results.every(({ reason }) => reason?.name === 'AbortError'));
  }
}

async function main() {
  const end = process.argv[2] ?? 'terminate';
  await operationsWork();
  const submittedBefore = stats().pool.submitted;
  const ours = startOperations();
  const first = startWorker(__filename, { end });
  await first.said;
  if (end === 'terminate') void first.worker.terminate();
  const { code, error, messages } = await first.ended;
  report({ code, error: error?.message, messages });

  const second = startWorker(__filename);
  await Promise.all(ours);
  await second.ended;
  await until(() => stats().pool.running === 0 && stats().pool.queued === 0);
  const { submitted, completed } = stats().pool;
  report({
    second: second.messages,
    submitted: submitted - submittedBefore >= 2 * OPERATIONS,
    cancelled: submitted > completed,
  });
}

void (isMainThread ? main() : inWorker(workerData));
