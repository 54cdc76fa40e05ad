'use strict';

// Only workers load the addon, so Node unloads it whenever the last of them ends. It stays: OpenSSL frees the stacks of
// its jobs with our functions, as late as at the exit of the process.

const fs = require('node:fs');
const { isMainThread, parentPort } = require('node:worker_threads');
const { startWorker } = require('../../support/scenario/worker');

async function inWorker() {
  const { configure, deviceRequest, native, runJob, stats } = require('../../support/scenario/library');
  const { outstandingJobs } = require('../../support/scenario/outstanding');
  configure({ drainTimeoutMs: 50 });
  const modes = ['fd-cached', 'fd-fresh', 'callback-thread', 'none'];
  const jobs = modes.flatMap((mode) =>
    Array.from({ length: 50 }, () => runJob(native('device'), { args: deviceRequest({ mode }) })),
  );
  const results = await Promise.all(jobs);
  const { live } = stats().jobs;
  // The device is held for all threads: none may still wait for it.
  const everybodyIsDone = new Promise((resolve) => parentPort.once('message', resolve));
  parentPort.postMessage('done');
  await everybodyIsDone;
  const { abort } = await outstandingJobs();
  await abort();
  parentPort.postMessage({ finished: results.length, live });
}

function mappings() {
  return fs
    .readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .filter((line) => line.includes('openssl_async.node')).length;
}

async function main() {
  for (let round = 0; round < 3; ++round) {
    const workers = Array.from({ length: 3 }, () => startWorker(__filename));
    await Promise.all(workers.map(({ said }) => said));
    for (const { worker } of workers) worker.postMessage('go on');
    const ends = await Promise.all(workers.map(({ ended }) => ended));
    process.stdout.write(`${JSON.stringify({ ends, mapped: mappings() > 0 })}\n`);
  }
}

void (isMainThread ? main() : inWorker());
