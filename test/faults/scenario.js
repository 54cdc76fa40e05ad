'use strict';

// A short day of a program that uses everything that needs memory, threads or file descriptors. It is run while one call
// of the addon to the system fails, so errors are expected, once: each has a code, what does not fail is right, and the
// rounds after it are clean, on the same thread.
//
//   node scenario.js main|worker
//
// The last line that it prints is { rounds, errors }.

const { createCipheriv, createHash, createHmac, generateKeyPairSync, hkdfSync } = require('node:crypto');
const { sign: signSync, verify: verifySync } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { isMainThread, Worker, workerData } = require('node:worker_threads');

const root = path.join(__dirname, '..', '..');
process.env.OPENSSL_ASYNC_ADDON ??= path.join(root, 'build', 'Release', 'openssl_async.node');

const device = require(path.join(root, 'build', 'Release', 'test_device.node'));

const CLEAN_ROUNDS = 2;
const MOST_ROUNDS = 5;

const MESSAGE = Buffer.from('fault injection');
const LARGE = Buffer.alloc(200_000, 7);
const ed25519 = generateKeyPairSync('ed25519');
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** @returns the operations of one round: what each gives, and whether that is right. */
function operationsOf(library) {
  const remote = () => {
    const { createRemoteKey, sign } = library;
    const ask = ({ data }) => new Promise((resolve) => setImmediate(resolve, signSync(null, data, ed25519.privateKey)));
    return sign(null, MESSAGE, createRemoteKey({ publicKey: ed25519.publicKey, sign: ask, verify: true }));
  };
  const watched = () => {
    const { jobFunction, runJob, WaitSignal } = library;
    const signal = new WaitSignal();
    let wake = () => signal.wake();
    const body = jobFunction(function* (job) {
      yield job.setWaitFd('signal', signal.fd);
      setImmediate(() => wake());
      yield job.pause();
      yield job.clearFd('signal');
      return 7;
    });
    return runJob(body).finally(() => {
      wake = () => {};
      signal.close();
    });
  };
  const byHand = () => {
    const { jobFunction, startJob, WaitContext } = library;
    const context = new WaitContext();
    const body = jobFunction(function* (job, args) {
      yield job.pause();
      return args[0];
    });
    const first = startJob(null, context, body, Buffer.alloc(100_000, 5));
    const second = first.status === 'pause' ? startJob(first.job, context) : first;
    if (second.status !== 'pause') context.close();
    return second;
  };
  const verified = (key, digest) => (signature) => verifySync(digest, MESSAGE, key, signature);
  const same = (expected) => (found) => Buffer.compare(Buffer.from(found), expected) === 0;
  const aes = { key: Buffer.alloc(32, 1), iv: Buffer.alloc(12, 2) };
  return {
    hash: [() => library.hash('sha256', MESSAGE), same(createHash('sha256').update(MESSAGE).digest())],
    hashOfMuch: [
      () => library.hash('sha256', LARGE, { mode: 'offload' }),
      same(createHash('sha256').update(LARGE).digest()),
    ],
    hmac: [() => library.hmac('sha256', 'key', MESSAGE), same(createHmac('sha256', 'key').update(MESSAGE).digest())],
    hkdf: [
      () => library.hkdf('sha256', 'k', 's', 'i', 5000),
      same(Buffer.from(hkdfSync('sha256', 'k', 's', 'i', 5000))),
    ],
    signed: [() => library.sign(null, MESSAGE, ed25519.privateKey), verified(ed25519.publicKey, null)],
    inline: [
      () => library.sign(null, MESSAGE, ed25519.privateKey, { mode: 'inline' }),
      verified(ed25519.publicKey, null),
    ],
    offloaded: [
      () => library.sign('sha256', MESSAGE, ec.privateKey, { mode: 'offload' }),
      verified(ec.publicKey, 'sha256'),
    ],
    accelerated: [
      () => library.sign('sha256', MESSAGE, ec.privateKey, { provider: 'accelerator' }),
      verified(ec.publicKey, 'sha256'),
    ],
    awaitedByFd: [
      async () => {
        await library.loadProvider('accelerator', { wait: 'fd' });
        return library.sign('sha256', MESSAGE, ec.privateKey, { provider: 'accelerator' });
      },
      verified(ec.publicKey, 'sha256'),
    ],
    sealed: [
      async () => {
        const sealed = await library.encrypt('aes-256-gcm', aes.key, aes.iv, LARGE);
        return library.decrypt('aes-256-gcm', aes.key, aes.iv, sealed.data, { authTag: sealed.authTag });
      },
      same(LARGE),
    ],
    random: [() => library.randomBytes(100), (bytes) => bytes.length === 100 && bytes.some((byte) => byte !== 0)],
    remote: [remote, verified(ed25519.publicKey, null)],
    watched: [watched, ({ returnValue }) => returnValue === 7],
    byHand: [byHand, ({ status, returnValue }) => status === 'finish' && returnValue === 5],
    loaded: [
      async () => {
        const options = { path: path.join(root, 'build', 'Release', 'reference_provider.so') };
        const provider = await library.loadProvider('reference', options);
        provider.unload();
        return provider;
      },
      ({ loaded }) => !loaded,
    ],
    copied: [
      () => library.runJob(library.nativeJobFunction(device.functions.returnArg), { args: LARGE }),
      ({ returnValue }) => returnValue === LARGE.readInt32LE(),
    ],
  };
}

async function runRound(operations) {
  const errors = [];
  for (const [name, [begin, isRight]] of Object.entries(operations)) {
    try {
      const result = await begin();
      if (!isRight(result)) throw new Error(`${name} gave a wrong result`);
    } catch (error) {
      errors.push({ name, code: error.code, message: error.code === undefined ? error.stack : error.message });
    }
  }
  return errors;
}

/** Rounds until some in a row were clean. */
async function run(library) {
  const operations = operationsOf(library);
  const errors = [];
  let rounds = 0;
  for (let clean = 0; clean < CLEAN_ROUNDS && rounds < MOST_ROUNDS; ++rounds) {
    const found = await runRound(operations);
    clean = found.length === 0 ? clean + 1 : 0;
    if (found.length > 0) errors.push(found);
  }
  // Jobs that nobody waits for any more are driven to their end.
  while (library.stats().jobs.live > 0) await new Promise((resolve) => setImmediate(resolve));
  return { rounds, errors, nodeWorks: nodeWorks() };
}

// OpenSSL keeps for ever that it found no implementation, though it was for want of memory, and then node:crypto is
// without it too.
function nodeWorks() {
  try {
    createHmac('sha256', 'key').update(MESSAGE).digest();
    hkdfSync('sha256', 'k', 's', 'i', 5000);
    verifySync(null, MESSAGE, ed25519.publicKey, signSync(null, MESSAGE, ed25519.privateKey));
    verifySync('sha256', MESSAGE, ec.publicKey, signSync('sha256', MESSAGE, ec.privateKey));
    createCipheriv('aes-256-gcm', Buffer.alloc(32), Buffer.alloc(12)).final();
    return true;
  } catch {
    return false;
  }
}

module.exports = { operationsOf, run, runRound };

async function main() {
  if (isMainThread && process.argv[2] === 'worker') {
    const worker = new Worker(__filename, { workerData: 'scenario' });
    worker.on('error', (error) => {
      throw error;
    });
    return;
  }
  const result = await run(require(path.join(root, 'dist', 'index.js')));
  fs.writeSync(1, `${JSON.stringify(result)}\n`);
}

if (require.main === module || (!isMainThread && workerData === 'scenario')) void main();
