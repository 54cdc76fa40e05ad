'use strict';

// Code of users that runs in the middle of the library's: every call of test/helpers/operation-corpus.js, and jobs, where
// that code makes calls of its own. Nobody may get anybody else's result, and nothing may be left behind.
//
//   node reentrancy.js KIND

const crypto = require('node:crypto');
const { channel } = require('node:diagnostics_channel');
const library = require('../support/library');
const { operationCorpus } = require('../../helpers/operation-corpus');

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
  signals: { options: (options) => ({ ...options, signal: foreignSignal(), timeoutMs: 60_000 }) },
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
