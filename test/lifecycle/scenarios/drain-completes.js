'use strict';

// The environment ends with jobs outstanding that the device is about to complete: they are driven to their end.
//
//   node drain-completes.js [normal|exit|worker|terminate|released|device-first]

const { isMainThread, parentPort, workerData } = require('node:worker_threads');
const {
  check,
  configure,
  device,
  jobFunction,
  native,
  openFds,
  report,
  runJob,
} = require('../../support/scenario/library');
const { outstandingJobs } = require('../../support/scenario/outstanding');
const { startWorker } = require('../../support/scenario/worker');

const LATENCY_MICROS = 200_000;

async function leave({ hold = false } = {}) {
  configure({ drainTimeoutMs: 20_000 });
  const { abort } = await outstandingJobs({ hold, latencyMicros: LATENCY_MICROS });
  check(device.stats().inFlight > 0, 'jobs are outstanding');
  return abort;
}

async function main() {
  const kind = process.argv[2] ?? 'normal';
  if (kind === 'normal' || kind === 'exit') {
    const abort = await leave();
    if (kind === 'exit') process.exit(3);
    await abort();
    return;
  }
  await runJob(
    jobFunction(function* (job) {
      yield job.pause();
      return 1;
    }),
  );
  await runJob(native('empty'));
  // What Node opens for the first worker it keeps.
  await startWorker(__filename, { kind: 'nothing' }).ended;
  const before = openFds();
  const worker = startWorker(__filename, { kind });
  await worker.said;
  if (kind === 'terminate') void worker.worker.terminate();
  if (kind === 'released') device.holdAll(false); // while the worker drains, or just before
  const { code } = await worker.ended;
  const { inFlight, fdsOpened, fdsClosed } = device.stats();
  report({ code, inFlight, leakedFds: fdsOpened - fdsClosed, leakedNumbers: Math.max(0, openFds() - before) });
}

async function inWorker() {
  const { kind } = workerData;
  if (kind === 'nothing') return;
  const abort = await leave({ hold: kind === 'released' });
  if (kind === 'worker' || kind === 'released') {
    await abort();
    process.on('exit', () => parentPort.postMessage('exiting'));
    process.exit(0);
  }
  parentPort.postMessage('paused');
}

void (isMainThread ? main() : inWorker());
