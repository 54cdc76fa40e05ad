'use strict';

// The main thread and four workers load the addon at the same time and run jobs of every kind, which all end.

const { isMainThread, parentPort, workerData } = require('node:worker_threads');
const { startWorker } = require('../../support/scenario/worker');

const THREADS = 5;

async function runJobs() {
  // All threads come here, then load together.
  const { gate } = workerData ?? {};
  if (gate !== undefined) {
    Atomics.add(gate, 0, 1);
    while (Atomics.load(gate, 0) < THREADS);
  }
  const { MODES, deviceRequest, jobFunction, native, runJob, stats } = require('../../support/scenario/library');
  const func = native('device');
  const jobs = Object.keys(MODES)
    .filter((mode) => mode !== 'status-error')
    .flatMap((mode) =>
      Array.from({ length: 60 }, (_, i) =>
        runJob(func, {
          args: deviceRequest({ mode, pauses: 3, latencyMicros: 500, latencySpreadMicros: 500, returnValue: i }),
        }),
      ),
    );
  const generator = jobFunction(function* (job, value) {
    for (let i = 0; i < 3; ++i) yield job.pause();
    return value;
  });
  for (let i = 0; i < 60; ++i) jobs.push(runJob(generator, { args: i }));
  const results = await Promise.all(jobs);
  return {
    right: results.filter(({ returnValue }, i) => returnValue === i % 60).length,
    live: stats().jobs.liveInThread,
  };
}

async function main() {
  const gate = new Int32Array(new SharedArrayBuffer(4));
  const workers = Array.from({ length: THREADS - 1 }, () => startWorker(__filename, { gate }));
  while (Atomics.load(gate, 0) < THREADS - 1) await new Promise((resolve) => setImmediate(resolve));
  Atomics.add(gate, 0, 1);
  const results = [await runJobs()];
  for (const { ended } of workers) results.push((await ended).messages[0]);
  process.stdout.write(`${JSON.stringify(results)}\n`);
}

if (isMainThread) void main();
else void runJobs().then((result) => parentPort.postMessage(result));
