'use strict';

// Two installations of the package in one process, and what each does to the other's jobs.
//
//   node two-installations.js STEP

const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');
const library = require('../support/library');
const { addonOf, copies, install, load } = require('../support/installations');

const { device, int32Args, report } = library;
const codeOf = (action) => {
  try {
    action();
    return undefined;
  } catch ({ code, message }) {
    return { code, message };
  }
};

function pausedJob({ WaitContext, jobFunction, startJob }) {
  const context = new WaitContext();
  const func = jobFunction(function* (job) {
    yield job.pause();
    return 7;
  });
  const { status, job } = startJob(null, context, func);
  return { status, finish: () => startJob(job, context).returnValue };
}

async function runs({ runJob, jobFunction }) {
  const func = jobFunction(function* (job) {
    yield job.pause();
    return 3;
  });
  return (await runJob(func)).returnValue;
}

const steps = {
  // A thread's pool is not freed while the other's job is paused.
  async cleanup(first, second, folder) {
    const { finish } = pausedJob(first);
    const refused = codeOf(() => second.cleanupThread());
    const liveInThread = second.stats().jobs.liveInThread;
    const returnValue = finish();
    second.cleanupThread();
    const backwards = pausedJob(second);
    const refusedToFirst = codeOf(() => first.cleanupThread());
    backwards.finish();
    first.cleanupThread();
    report({ refused, refusedToFirst, liveInThread, returnValue, ran: [await runs(first), await runs(second)] });
    report({ paths: [process.env.OPENSSL_ASYNC_ADDON, addonOf(folder)] });
  },

  // The pool of one is the other's, with its limit.
  async pool(first, second) {
    first.initThread({ maxSize: 1 });
    const again = codeOf(() => second.initThread({ maxSize: 5 }));
    const { finish } = pausedJob(first);
    const full = pausedJob(second).status;
    const queued = runs(second);
    await new Promise((resolve) => setImmediate(resolve));
    finish();
    const ran = await queued;
    first.cleanupThread();
    second.initThread({ maxSize: 2 });
    report({ again, full, ran, back: codeOf(() => first.initThread()) });
  },

  // A job of one that leaves pausing blocked does not make the other's synchronous.
  async blocked(first, second) {
    await first.runJob(first.nativeJobFunction(device.functions.leaveBlocked), { args: int32Args(2) });
    const { returnValue } = await second.runJob(second.nativeJobFunction(device.functions.wasBlocked));
    report({ blocked: returnValue });
  },

  // The stacks of one are the other's: who made them frees them, and both know the same of them.
  async stacks(first, second) {
    first.configure({ stackSizeBytes: 128 * 1024 });
    const paused = [pausedJob(first), pausedJob(second)];
    const seen = [first, second].map(({ stats }) => stats().stacks);
    const late = codeOf(() => second.configure({ stackSizeBytes: 64 * 1024 }));
    for (const { finish } of paused) finish();
    second.cleanupThread();
    report({ seen, late, left: [first, second].map(({ stats }) => stats().stacks.guarded) });
  },

  // The process ends while both have jobs that nobody completes.
  async exit(first, second) {
    for (const { configure } of [first, second]) configure({ drainTimeoutMs: 100 });
    device.holdAll(true);
    for (const { runJob, nativeJobFunction } of [first, second, second]) {
      const func = nativeJobFunction(device.functions.device);
      void runJob(func, { args: library.deviceRequest({ mode: 'fd-cached' }) });
    }
    await library.until(() => first.stats().jobs.pauses === 1 && second.stats().jobs.pauses === 2);
    report({ live: first.stats().jobs.liveInThread });
    process.exit(0);
  },
};

// Many threads load copies at once: whichever makes the registry, all copies are in it.
async function threads() {
  const folders = Array.from({ length: 6 }, install);
  const start = new Int32Array(new SharedArrayBuffer(4));
  const found = folders.map(
    (folder) =>
      new Promise((resolve, reject) => {
        const worker = new Worker(__filename, { workerData: { folder, start } });
        worker.on('message', resolve).on('error', reject);
      }),
  );
  Atomics.store(start, 0, 1);
  Atomics.notify(start, 0);
  await Promise.all(found);
  load(folders[0]);
  const known = copies(folders[0]);
  report({ missing: folders.map(addonOf).filter((path) => !known.includes(path)) });
}

async function main() {
  if (!isMainThread) {
    Atomics.wait(workerData.start, 0, 0);
    const { runJob } = load(workerData.folder);
    parentPort.postMessage(await runs({ ...require(`${workerData.folder}/dist/index.js`), runJob }));
    return;
  }
  const [step] = process.argv.slice(2);
  if (step === 'threads') {
    await threads();
    return;
  }
  const folder = install();
  library.isCapable();
  await steps[step](library, load(folder), folder);
}

void main();
