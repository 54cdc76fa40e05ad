'use strict';

// Environments end in the middle of a storm of jobs, with nothing paused for long: workers that are terminated at any
// moment, then the process itself.

const { isMainThread, parentPort } = require('node:worker_threads');
const {
  MODES,
  WaitContext,
  configure,
  deviceRequest,
  jobFunction,
  native,
  report,
  runJob,
} = require('../../support/scenario/library');
const { startWorker } = require('../../support/scenario/worker');

const ROUNDS = 12;

function storm() {
  const func = native('device');
  const generator = jobFunction(function* (job) {
    yield job.pause();
    return 1;
  });
  const requests = Object.keys(MODES).map((mode) =>
    deviceRequest({ mode, pauses: 2, latencyMicros: 300, latencySpreadMicros: 300 }),
  );
  const observed = Array.from({ length: 20 }, () => new WaitContext());
  for (const context of observed) context.setCallback(() => undefined);
  const again = (start) => void start().then(() => again(start));
  for (let i = 0; i < 300; ++i) again(() => runJob(func, { args: requests[i % requests.length] }));
  for (const waitContext of observed) again(() => runJob(native('selfWake'), { waitContext }));
  for (let i = 0; i < 50; ++i) again(() => runJob(generator));
  for (let i = 0; i < 50; ++i) again(() => runJob(native('selfWake')));
}

async function main() {
  const codes = [];
  for (let round = 0; round < ROUNDS; ++round) {
    const workers = [startWorker(__filename), startWorker(__filename)];
    await Promise.all(workers.map(({ said }) => said));
    for (let turns = 0; turns < round * 3; ++turns) await new Promise((resolve) => setImmediate(resolve));
    await Promise.all(workers.map(({ worker }) => worker.terminate()));
    for (const { ended } of workers) codes.push((await ended).code);
  }
  report(codes);
  storm();
  const worker = startWorker(__filename);
  await worker.said;
  process.exit(3);
}

if (isMainThread) {
  void main();
} else {
  configure({ drainTimeoutMs: Number(process.env.DRAIN ?? 20_000) });
  storm();
  setImmediate(() => parentPort.postMessage('running'));
}
