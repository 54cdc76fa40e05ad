'use strict';

// A worker ends with jobs outstanding. The device is released afterwards: its callbacks come from a foreign thread when
// their environment is gone, and the fds that it signals are still its own. Then another worker runs jobs.
//
//   node worker-end.js [terminate|exit|throw|reject|abandon|message]

const { isMainThread, parentPort, workerData } = require('node:worker_threads');
const {
  configure,
  check,
  device,
  deviceRequest,
  native,
  report,
  runJob,
  until,
} = require('../../support/scenario/library');
const { outstandingJobs } = require('../../support/scenario/outstanding');
const { startWorker } = require('../../support/scenario/worker');

const END = {
  terminate: () => undefined, // by the main thread
  exit: () => process.exit(5),
  throw: () =>
    setImmediate(() => {
      throw new Error('thrown on purpose');
    }),
  reject: () => void Promise.reject(new Error('rejected on purpose')),
  // It ends by itself, because nothing keeps it alive.
  abandon: ({ abort }) => abort().then(() => parentPort.close()),
};

async function inWorker() {
  const { end } = workerData;
  if (end === undefined) {
    const results = await Promise.all(
      ['fd-cached', 'fds-many', 'callback-thread', 'none'].flatMap((mode) =>
        Array.from({ length: 50 }, (_, i) =>
          runJob(native('device'), { args: deviceRequest({ mode, returnValue: i }) }),
        ),
      ),
    );
    parentPort.postMessage(results.every(({ returnValue }, i) => returnValue === i % 50));
    return;
  }
  configure({ drainTimeoutMs: 100 });
  const outstanding = await outstandingJobs();
  parentPort.postMessage('paused');
  parentPort.on('message', () => END[end](outstanding));
}

async function main() {
  const end = process.argv[2] ?? 'terminate';
  const first = startWorker(__filename, { end });
  await first.said;
  if (end === 'terminate') void first.worker.terminate();
  else first.worker.postMessage('go on');
  const { code, error } = await first.ended;
  report({ code, error: error?.message });

  const held = device.stats();
  check(held.inFlight > 300, 'the operations of abandoned jobs are still in flight');
  device.holdAll(false);
  await until(() => device.stats().inFlight === 0);
  report({ foreignCallbacks: device.stats().foreignCallbacks, wakesWritten: device.stats().wakesWritten });

  const second = startWorker(__filename, {});
  await second.ended;
  report({ second: second.messages });
}

void (isMainThread ? main() : inWorker());
