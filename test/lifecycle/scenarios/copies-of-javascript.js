'use strict';

// The library's JavaScript, loaded again and again over one addon, as Jest, proxyquire and development servers do it. Each
// copy hears of its own calls; what nobody uses any more goes.
//
//   node copies-of-javascript.js results|collected

const crypto = require('node:crypto');
const path = require('node:path');
const library = require('../../support/scenario/library');

const { check, deviceRequest, device, garbageCollector, openFds, report, root, until } = library;
const ENTRY = path.join(root, 'dist', 'index.js');
const sha256 = (data) => crypto.createHash('sha256').update(data).digest('hex');

function anotherCopy() {
  for (const file of Object.keys(require.cache)) if (!file.endsWith('.node')) delete require.cache[file];
  module.children.length = 0; // which keep what they are
  return require(ENTRY);
}

function callsOf({ hash, nativeJobFunction, runJob, jobFunction, sign, createRemoteKey }, name) {
  const { publicKey, privateKey } = crypto.generateKeyPairSync('rsa', { modulusLength: 1024 });
  const key = createRemoteKey({
    publicKey,
    sign: ({ digest }) =>
      crypto.createHash('md5').update(name).update(digest).digest().toString('hex').repeat(4).slice(0, 128),
  });
  const func = nativeJobFunction(device.functions.device);
  const own = jobFunction(function* (job, value) {
    yield job.pause();
    return value;
  });
  const expect = async (promise, isRight) => check(isRight(await promise), `a call of ${name}`);
  return Array.from({ length: 50 }, (_, i) => {
    const data = `${name} ${i}`;
    const mode = i % 2 === 0 ? 'offload' : 'inline';
    return [
      expect(hash('sha256', data, { mode, outputEncoding: 'hex' }), (value) => value === sha256(data)),
      expect(
        runJob(func, { args: deviceRequest({ mode: 'callback-thread', pauses: 2, returnValue: i }) }),
        ({ returnValue }) => returnValue === i,
      ),
      expect(runJob(own, { args: i }), ({ returnValue }) => returnValue === i),
      expect(sign('sha256', data, privateKey), (signature) =>
        crypto.verify('sha256', Buffer.from(data), publicKey, signature),
      ),
      sign('sha256', data, key).then(
        () => check(false, 'text is no signature'),
        ({ code }) => check(code === 'ERR_ASYNC_REMOTE_KEY_INVALID_RESULT', code),
      ),
    ];
  }).flat();
}

async function results() {
  const copies = [library, anotherCopy(), anotherCopy(), anotherCopy()];
  await Promise.all(copies.flatMap((copy, index) => callsOf(copy, `copy ${index}`)));
  for (const { operations, stats } of copies) check(operations.inFlight === 0 && stats().jobs.live === 0, 'in flight');
  // Jobs are the thread's: none may be destroyed for another copy.
  const waitContext = new library.WaitContext();
  const pauses = library.jobFunction(function* (job) {
    yield job.pause();
    return 1;
  });
  const { job } = library.startJob(null, waitContext, pauses);
  try {
    copies[1].cleanupThread();
    check(false, 'the thread was cleaned up');
  } catch ({ code }) {
    check(code === 'ERR_ASYNC_JOBS_OUTSTANDING', code);
  }
  check(library.startJob(job, waitContext).returnValue === 1, 'the job of the first copy');
  waitContext.close();
}

async function useOne(i) {
  const copy = anotherCopy();
  const data = `collected ${i}`;
  check((await copy.hash('sha256', data, { mode: 'offload', outputEncoding: 'hex' })) === sha256(data), data);
}

async function collected() {
  const gc = garbageCollector();
  await useOne(0);
  const before = openFds();
  for (let i = 1; i <= 40; ++i) await useOne(i);
  anotherCopy();
  await until(() => {
    gc();
    return openFds() <= before + 5;
  });
}

const WAYS = { results, collected };

WAYS[process.argv[2]]().then(
  () => report({ right: true }),
  (error) => {
    console.error(error);
    process.exitCode = 1;
  },
);
