'use strict';

// The process ends with hundreds of operations on the pool: nobody waits for them.
//
//   node operations-exit.js [plain|result|exit-handler|throw|throw-in-result|workers]

const { isMainThread, parentPort } = require('node:worker_threads');
const { operationsWork, startOperations } = require('../../support/scenario/operations');
const { startWorker } = require('../../support/scenario/worker');

function fail() {
  throw new Error('thrown on purpose');
}

const WAYS = {
  plain: () => process.exit(3),
  // From within the telling of results.
  result: () => void Promise.race(startOperations()).then(() => process.exit(3)),
  'exit-handler': () => {
    // More of them in the last moment.
    process.on('exit', () => startOperations());
    process.exit(3);
  },
  throw: fail,
  'throw-in-result': () => void Promise.race(startOperations()).then(() => setImmediate(fail)),
  workers: async () => {
    const workers = Array.from({ length: 4 }, () => startWorker(__filename));
    await Promise.all(workers.map(({ said }) => said));
    process.exit(3);
  },
};

async function main() {
  if (!(await operationsWork())) throw new Error('operations do not work');
  startOperations();
  await WAYS[process.argv[2] ?? 'plain']();
}

if (isMainThread) {
  void main();
} else {
  startOperations();
  parentPort.postMessage('started');
}
