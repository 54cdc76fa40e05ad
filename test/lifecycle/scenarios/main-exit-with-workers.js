'use strict';

// The main thread exits while it and four workers have jobs outstanding.
//
//   node main-exit-with-workers.js [exit|throw]

const { isMainThread, parentPort } = require('node:worker_threads');
const { configure } = require('../../support/scenario/library');
const { outstandingJobs } = require('../../support/scenario/outstanding');
const { startWorker } = require('../../support/scenario/worker');

async function main() {
  const workers = Array.from({ length: 4 }, () => startWorker(__filename));
  await outstandingJobs();
  await Promise.all(workers.map(({ said }) => said));
  if (process.argv[2] !== 'throw') process.exit(3);
  setImmediate(() => {
    throw new Error('thrown on purpose');
  });
}

async function inWorker() {
  await outstandingJobs();
  parentPort.postMessage('paused');
}

configure({ drainTimeoutMs: 100 });
void (isMainThread ? main() : inWorker());
