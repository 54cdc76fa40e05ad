'use strict';

// Code of users that runs in the middle of the library's: every call of test/support/operation-corpus.js, and jobs, where
// that code makes calls of its own. Nobody may get anybody else's result, and nothing may be left behind.
//
//   node reentrancy.js KIND

const crypto = require('node:crypto');
const { channel } = require('node:diagnostics_channel');
const library = require('../../support/scenario/library');
const { operationCorpus } = require('../../support/operation-corpus');

const { WaitContext, check, getCurrentJob, hash, jobFunction, operations, randomBytes, report, runJob } = library;
const { sign, startJob, stats, verify } = library;

const { privateKey, publicKey } = crypto.generateKeyPairSync('ed25519');
const FORGED = Buffer.alloc(64, 7);
const sha256 = (data) => crypto.createHash('sha256').update(data).digest('hex');
const hex = { outputEncoding: 'hex' };

// --- The code of users

const intrusions = [];
const MOST_INTRUDERS = 2000;
let intruders = 0;
let within = false;

/** Makes calls of its own; their results are looked at later. */
function intrude() {
  // Its own calls are heard of too.
  if (within || intruders === MOST_INTRUDERS) return;
  within = true;
  const number = String(++intruders);
  const mode = intruders % 2 === 0 ? 'inline' : 'offload';
  const expect = (promise, isRight) => intrusions.push(promise.then((value) => check(isRight(value), 'an intruder')));
  expect(hash('sha256', number, { ...hex, mode }), (value) => value === sha256(number));
  expect(verify(null, number, publicKey, FORGED, { mode }), (value) => value === false);
  expect(randomBytes(32, { mode }), (value) => value.some((byte) => byte !== 0));
  expect(sign(null, number, privateKey, { mode, provider: 'accelerator' }), (value) =>
    crypto.verify(null, Buffer.from(number), publicKey, value),
  );
  // Where C would be in a job, one cannot be started.
  const { status, code } = startOne();
  check(status === 'finish' || code === 'ERR_ASYNC_NESTED_START', `a job: ${status ?? code}`);
  within = false;
}

function startOne() {
  const waitContext = new WaitContext();
  try {
    return startJob(null, waitContext, jobFunction(returnsSeven));
  } catch (error) {
    return error;
  } finally {
    waitContext.close();
  }
}

// eslint-disable-next-line require-yield -- it has nothing to wait for
function* returnsSeven() {
  return 7;
}

// --- The ways in

const CHANNELS = ['start', 'end', 'asyncStart', 'asyncEnd', 'error', 'finish', 'not-offloaded'];

/** Options whose properties are got by calling intrude(). */
function withGetters(options) {
  const result = {};
  for (const [name, value] of Object.entries(options)) {
    Object.defineProperty(result, name, {
      enumerable: true,
      get() {
        intrude();
        return value;
      },
    });
  }
  return result;
}

function asProxy(options) {
  const intruding =
    (trap) =>
    (...args) => {
      intrude();
      return Reflect[trap](...args);
    };
  const traps = ['get', 'has', 'ownKeys', 'getOwnPropertyDescriptor', 'getPrototypeOf'];
  return new Proxy(options, Object.fromEntries(traps.map((trap) => [trap, intruding(trap)])));
}

// A signal that somebody else has made.
function foreignSignal() {
  const { signal } = new AbortController();
  return {
    get aborted() {
      intrude();
      return signal.aborted;
    },
    get reason() {
      intrude();
      return signal.reason;
    },
    addEventListener(...args) {
      intrude();
      signal.addEventListener(...args);
    },
    removeEventListener(...args) {
      intrude();
      signal.removeEventListener(...args);
    },
  };
}

const KINDS = {
  subscribers: {
    begin() {
      for (const name of CHANNELS) channel(`openssl-async:operation:${name}`).subscribe(intrude);
      for (const name of ['start', 'pause', 'resume', 'finish'])
        channel(`openssl-async:job:${name}`).subscribe(intrude);
    },
  },
  getters: { options: withGetters },
  proxies: { options: asProxy },
  signals: {
    // Of bags that take one.
    options: (options) => {
      const takesSignal = 'mode' in options || 'args' in options;
      return takesSignal ? { ...options, signal: foreignSignal(), timeoutMs: 60_000 } : options;
    },
  },
  thenables: {
    begin() {
      Object.defineProperty(Object.prototype, 'then', {
        configurable: true,
        get() {
          intrude();
          return undefined;
        },
      });
    },
    end() {
      delete Object.prototype.then;
    },
  },
  errors: {
    begin() {
      Error.prepareStackTrace = (error) => {
        intrude();
        return String(error);
      };
    },
    end() {
      delete Error.prepareStackTrace;
    },
  },
};

// --- The calls

async function outcome({ call }, options) {
  try {
    return { value: await call(options) };
  } catch (error) {
    return { rejected: true, code: error.code };
  }
}

async function callAll(makeOptions) {
  const { good, bad } = operationCorpus(library);
  const modes = [{ mode: 'auto' }, { mode: 'inline' }, { mode: 'offload' }];
  await Promise.all(
    modes.flatMap((options) => [
      ...good.map(async (row) => {
        const { value, code } = await outcome(row, makeOptions(options));
        check(code === undefined && row.isRight(value), `${row.operation}, ${row.title}: ${code ?? 'wrong'}`);
      }),
      ...bad.map(async (row) => {
        const { value, rejected, code } = await outcome(row, makeOptions(options));
        const as = 'value' in row ? value === row.value : rejected && code === row.code;
        check(as, `${row.operation}, ${row.title}: ${code ?? value}`);
      }),
    ]),
  );
}

const MESSAGE = Buffer.from('the message');

/** Everything else that takes options, or bags that hold keys. */
async function callOthers(makeOptions) {
  const { createCipheriv, createDecipheriv, createHash, createRemoteKey, diffieHellman, generateKeyPair } = library;
  const { listProviders, loadProvider, privateDecrypt, publicEncrypt, randomFill } = library;
  const digest = await createHash('shake256', makeOptions({ outputLength: 20, mode: 'offload' }))
    .update(MESSAGE)
    .digest('hex');
  const expected = crypto.createHash('shake256', { outputLength: 20 }).update(MESSAGE).digest('hex');
  check(digest === expected, 'createHash()');

  const [key, iv] = [Buffer.alloc(32, 1), Buffer.alloc(12, 2)];
  const cipher = createCipheriv('aes-256-gcm', key, iv, makeOptions({ authTagLength: 16 }));
  const sealed = Buffer.concat([await cipher.update(MESSAGE), await cipher.final()]);
  const decipher = createDecipheriv('aes-256-gcm', key, iv, makeOptions({ mode: 'inline' }));
  decipher.setAuthTag(cipher.getAuthTag());
  check(MESSAGE.equals(Buffer.concat([await decipher.update(sealed), await decipher.final()])), 'ciphers');

  const ec = await generateKeyPair(
    'ec',
    makeOptions({
      namedCurve: 'P-256',
      privateKeyEncoding: makeOptions({ format: 'pem', type: 'pkcs8', cipher: 'aes-128-cbc', passphrase: 'secret' }),
    }),
  );
  const bag = { key: ec.privateKey, passphrase: 'secret', dsaEncoding: 'ieee-p1363' };
  const signature = await sign('sha256', MESSAGE, makeOptions(bag), makeOptions({ mode: 'inline' }));
  const publicBag = { key: ec.publicKey, dsaEncoding: 'ieee-p1363' };
  check(crypto.verify('sha256', MESSAGE, publicBag, signature), 'sign() with a bag');
  check((await verify('sha256', MESSAGE, makeOptions(publicBag), Buffer.alloc(64, 3))) === false, 'a forged one');

  const rsa = crypto.generateKeyPairSync('rsa', { modulusLength: 1024 });
  const encrypted = await publicEncrypt(makeOptions({ key: rsa.publicKey, oaepHash: 'sha256' }), MESSAGE);
  check(
    MESSAGE.equals(await privateDecrypt(makeOptions({ key: rsa.privateKey, oaepHash: 'sha256' }), encrypted)),
    'RSA',
  );
  const x = [crypto.generateKeyPairSync('x25519'), crypto.generateKeyPairSync('x25519')];
  const keys = { privateKey: x[0].privateKey, publicKey: x[1].publicKey };
  check(crypto.diffieHellman(keys).equals(await diffieHellman(makeOptions(keys))), 'diffieHellman()');
  const filled = await randomFill(new Uint8Array(64), 0, 64, makeOptions({ mode: 'offload' }));
  check(
    filled.some((byte) => byte !== 0),
    'randomFill()',
  );

  const remote = createRemoteKey(
    makeOptions({
      publicKey: rsa.publicKey,
      sign: async ({ digest: hashed }) => {
        intrude();
        await null;
        const info = Buffer.concat([Buffer.from('3031300d060960864801650304020105000420', 'hex'), hashed]);
        return crypto.privateEncrypt(rsa.privateKey, info);
      },
    }),
  );
  const remotely = await Promise.all([1, 2, 3].map((n) => sign('sha256', `message ${n}`, remote)));
  remotely.forEach((each, i) => {
    check(crypto.verify('sha256', `message ${i + 1}`, rsa.publicKey, each), 'a remote key');
  });

  const legacy = await loadProvider('legacy', makeOptions({ pauses: false, wait: 'auto' })).catch(({ code }) => code);
  if (legacy !== 'ERR_ASYNC_PROVIDER_NOT_LOADED') {
    const md4 = await hash('md4', 'abc', makeOptions({ provider: 'legacy', outputEncoding: 'hex' }));
    check(md4 === 'a448017aaf21d8525fc10ae87aa6729d', 'loadProvider()');
    await legacy.unload();
  }
  check(listProviders(makeOptions({ selfTest: false })).length > 0, 'listProviders()');
  check(stats().operations.failed >= 0, 'stats()');
}

function* pausesTwice(job, args) {
  intrude();
  check(getCurrentJob() === job, 'the current job');
  yield job.pause();
  intrude();
  yield job.pause();
  return args.value;
}

async function runAll(makeOptions) {
  const func = jobFunction(pausesTwice);
  await Promise.all(
    Array.from({ length: 50 }, async (_, value) => {
      const { returnValue } = await runJob(func, makeOptions({ args: { value } }));
      check(returnValue === value, `job ${value}`);
    }),
  );
  const waitContext = new WaitContext();
  waitContext.setCallback(intrude);
  let result = startJob(null, waitContext, func, { value: 5 });
  while (result.status === 'pause') {
    await waitContext.wait(makeOptions({}));
    result = startJob(result.job, waitContext);
  }
  check(result.returnValue === 5, 'the job of startJob()');
  waitContext.close();
}

async function main() {
  const { begin, end, options = (given) => ({ ...given }) } = KINDS[process.argv[2]];
  begin?.();
  await callAll(options);
  await callOthers(options);
  await runAll(options);
  end?.();
  check(intruders > 100, 'they did come in');
  await Promise.all(intrusions);
  check(operations.inFlight === 0 && stats().jobs.live === 0, 'nothing is in flight');
  report({ right: true });
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
