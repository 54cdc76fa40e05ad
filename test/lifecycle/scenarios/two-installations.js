'use strict';

// Two installations of the package in one process, and what each does to the other's jobs.
//
//   node two-installations.js STEP

const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');
const library = require('../../support/scenario/library');
const { addonOf, copies, estrange, install, load } = require('../../support/scenario/installations');

const { device, int32Args, report } = library;
const codeOf = (action) => {
  try {
    action();
    return undefined;
  } catch ({ code, message }) {
    return { code, message };
  }
};

const failure = async (action) => {
  try {
    await action();
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

// What one made is refused by the other, with the reason.
steps.objects = async (first, second, folder) => {
  const context = new second.WaitContext();
  const func = second.jobFunction(function* (job) {
    yield job.pause();
  });
  const { job } = second.startJob(null, context, func);
  const privateKey = crypto.generateKeyPairSync('ed25519').privateKey;
  const key = await second.createPrivateKey(privateKey);
  const own = new first.WaitContext();
  const stolen = first.jobFunction(function* () {
    yield job.pause();
  });
  const failures = {
    key: await failure(() => first.sign(null, 'data', key)),
    'key in an object': await failure(() => first.sign(null, 'data', { key })),
    'public key': await failure(() => first.verify(null, 'data', key, Buffer.alloc(64))),
    'compared key': await failure(() => first.createPrivateKey(privateKey).equals(key)),
    'wait context': await failure(() => first.startJob(null, context, stolen)),
    job: await failure(() => first.startJob(job, own)),
    'job function': await failure(() => first.startJob(null, own, func)),
    'wait context of runJob()': await failure(() => first.runJob(stolen, { waitContext: context })),
    command: await failure(() => first.runJob(stolen)),
  };
  const signature = await first.sign(null, 'data', key.toKeyObject());
  report({ folder: fs.realpathSync(folder), failures, valid: await second.verify(null, 'data', key, signature) });
};

// The second loads an engine that the first has; whoever unloads first, it works until both have.
steps.engine = async (first, second) => {
  const file = path.join(library.root, 'build', 'Release', 'reference_engine.so');
  const pem = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const loadWith = (from, capacity) => from.loadEngine(file, { preInit: [['CAPACITY', capacity]], pauses: true });
  const signsWith = async ({ sign }, engine) => {
    const signature = await sign('sha256', 'data', engine.bindKey(pem));
    return crypto.verify('sha256', Buffer.from('data'), crypto.createPublicKey(pem), signature);
  };
  const orders = [
    [first, second],
    [second, first],
  ];
  for (const [one, other] of orders) {
    const [engine, same] = [await loadWith(one, 10), await other.loadEngine(file, { pauses: true })];
    const seen = { one: await signsWith(one, engine), other: await signsWith(other, same) };
    const otherCommands = await failure(() => loadWith(other, 11));
    engine.unload();
    const afterUnload = await signsWith(other, same);
    const again = await loadWith(one, 10);
    const joined = await signsWith(one, again);
    again.unload();
    same.unload();
    report({ ...seen, otherCommands, afterUnload, joined });
  }
  const anew = await loadWith(first, 12); // which nobody could while it was loaded
  report({ anew: await signsWith(first, anew) });
  anew.unload();
};

// A key that the engine gives to both stays the second's when the first has let go of it.
steps.token = async (first, second) => {
  const { TOKEN_MODULE, TOKEN_PIN: pin } = process.env;
  const uri = 'pkcs11:token=keys;object=ec';
  const load = async ({ loadEngine }) => {
    const engine = await loadEngine('pkcs11', { preInit: [['MODULE_PATH', TOKEN_MODULE]] });
    return { engine, key: await engine.loadPrivateKey(uri, { pin }) };
  };
  const [one, other] = [await load(first), await load(second)];
  const valid = [await first.sign('sha256', 'data', one.key), await second.sign('sha256', 'data', other.key)];
  one.engine.unload();
  const reloaded = await other.engine.loadPrivateKey(uri, { pin });
  valid.push(await second.sign('sha256', 'data', other.key), await second.sign('sha256', 'data', reloaded));
  other.engine.unload();
  const anew = await load(first);
  valid.push(await first.sign('sha256', 'data', anew.key));
  anew.engine.unload();
  report(valid.map((signature) => signature.toString('hex')));
};

// The other cannot be asked: nothing is done that could harm it.
steps.stranger = async (first, second, folder) => {
  const { finish } = pausedJob(second);
  const refused = codeOf(() => first.cleanupThread());
  const init = codeOf(() => first.initThread());
  report({ refused, init, path: addonOf(folder), returnValue: finish(), ran: await runs(first) });
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
  if (step === 'stranger') estrange(folder);
  library.isCapable();
  await steps[step](library, load(folder), folder);
}

void main();
