'use strict';

// A foreign thread calls back when the job has ended, and the wait context and the environment are gone. Another
// environment may have taken over what the callback points to.
//
//   node late-callbacks.js [worker|main]

const { isMainThread, parentPort, workerData } = require('node:worker_threads');
const {
  WaitContext,
  device,
  deviceRequest,
  int32Args,
  native,
  report,
  runJob,
  startJob,
  until,
} = require('../../support/scenario/library');
const { startWorker } = require('../../support/scenario/worker');

const JOBS = 200;

async function leaveLateCallbacks(delayMs) {
  const func = native('lateCallback');
  const args = int32Args(delayMs);
  const scheduled = await Promise.all(Array.from({ length: JOBS }, () => runJob(func, { args })));
  for (let i = 0; i < JOBS; ++i) {
    const context = new WaitContext();
    context.setCallback(() => report('called back'));
    startJob(null, context, func, args);
    context.close();
  }
  return scheduled.filter(({ returnValue }) => returnValue === 1).length;
}

async function main() {
  if (process.argv[2] === 'main') {
    // They come while the process exits.
    report(await leaveLateCallbacks(600_000));
    return;
  }
  for (let round = 0; round < 3; ++round) {
    const before = device.stats().foreignCallbacks;
    const first = startWorker(__filename, { part: 'leave' });
    report(await first.ended);
    // Some arrive at nobody's, the rest while the next one runs jobs.
    const half = startWorker(__filename, { part: 'run' });
    await half.said;
    device.completeAll();
    report({ ...(await half.ended), late: device.stats().foreignCallbacks - before >= 2 * JOBS });
  }
  await leaveLateCallbacks(600_000);
}

async function inWorker() {
  if (workerData.part === 'leave') {
    parentPort.postMessage(await leaveLateCallbacks(600_000));
    return;
  }
  parentPort.postMessage('running');
  const before = device.stats().foreignCallbacks;
  let right;
  const func = native('device');
  // Until the late ones have come.
  do {
    const jobs = Array.from({ length: 100 }, (_, i) =>
      runJob(func, { args: deviceRequest({ mode: i % 2 === 0 ? 'callback-thread' : 'fd-cached', returnValue: i }) }),
    );
    right = (await Promise.all(jobs)).filter(({ returnValue }, i) => returnValue === i).length;
  } while (right === 100 && device.stats().foreignCallbacks - before < 2 * JOBS);
  await until(() => device.stats().inFlight === 0);
  parentPort.postMessage(right);
}

void (isMainThread ? main() : inWorker());
