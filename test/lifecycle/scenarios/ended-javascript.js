'use strict';

// JavaScript that is ended in the middle of the library, at random instants: by a time limit of node:vm, which skips every
// `finally`, or by an exhausted stack. Whoever comes next works as ever, and gets nobody else's result.
//
//   node ended-javascript.js vm|stack|generator [SECONDS]

const crypto = require('node:crypto');
const vm = require('node:vm');
const library = require('../../support/scenario/library');

const { WaitContext, check, deviceRequest, hash, jobFunction, native, operations, report, runJob } = library;
const { sign, startJob, stats, until, verify } = library;

const { privateKey, publicKey } = crypto.generateKeyPairSync('ed25519');
const FORGED = Buffer.alloc(64, 7);
const sha256 = (data) => crypto.createHash('sha256').update(data).digest('hex');

const device = native('device');
const PAUSES = { mode: 'callback-thread', pauses: 2 };

let number = 0;
const others = [];

// The calls of those who are not ended.
function callForOthers() {
  const expect = (promise, isRight) => others.push(promise.then((value) => check(isRight(value), 'another')));
  for (const mode of ['inline', 'offload', 'auto']) {
    const data = `other ${++number}`;
    expect(hash('sha256', data, { outputEncoding: 'hex', mode }), (value) => value === sha256(data));
    expect(verify(null, data, publicKey, FORGED, { mode }), (value) => value === false);
  }
  const data = `other ${++number}`;
  expect(sign(null, data, privateKey, { provider: 'accelerator' }), (value) =>
    crypto.verify(null, Buffer.from(data), publicKey, value),
  );
  const returned = number;
  expect(
    runJob(device, { args: deviceRequest({ ...PAUSES, returnValue: returned }) }),
    ({ returnValue }) => returnValue === returned,
  );
}

// What is ended somewhere: calls of every kind, over and over.
const busy = {
  number: 0,
  library,
  signal: new AbortController().signal,
  privateKey,
  publicKey,
  FORGED,
  device,
  request: deviceRequest(PAUSES),
  large: Buffer.alloc(20_000, 1),
  job: jobFunction(function* (job) {
    yield job.pause();
    return 1;
  }),
  ignore() {},
};
busy.once = new Function(
  'busy',
  `
  const { library, signal, privateKey, publicKey, FORGED, device, request, large, job, ignore } = busy;
  const { WaitContext, hash, runJob, sign, startJob, verify } = library;
  const mode = busy.number++ % 2 === 0 ? 'inline' : 'offload';
  hash('sha256', 'ended', { mode, signal }).then(ignore, ignore);
  hash('shake256', large, { mode, outputLength: 20000 }).then(ignore, ignore);
  verify(null, 'ended', publicKey, FORGED, { mode, timeoutMs: 5000 }).then(ignore, ignore);
  sign(null, 'ended', privateKey, { provider: 'accelerator' }).then(ignore, ignore);
  runJob(device, { args: request }).then(ignore, ignore);
  runJob(device).then(ignore, ignore);
  runJob(job).then(ignore, ignore);
  const waitContext = new WaitContext();
  const { job: paused } = startJob(null, waitContext, job);
  waitContext.wait({ signal }).then(ignore, ignore);
  startJob(paused, waitContext);
  `,
);

function endByTimeLimit() {
  const script = new vm.Script('for (;;) busy.once(busy);');
  try {
    script.runInContext(vm.createContext({ busy }), { timeout: 1 + (number % 3) });
  } catch (error) {
    check(error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT', `ended by ${error.code ?? error}`);
  }
}

function endByStack() {
  const depths = (function measure() {
    try {
      return 1 + measure();
    } catch {
      return 1;
    }
  })();
  const descend = (left) => (left === 0 ? busy.once(busy) : descend(left - 1));
  for (let left = depths; left > depths - 60; --left) {
    try {
      descend(left);
    } catch (error) {
      check(error instanceof RangeError || error.code === 'ERR_ASYNC_NESTED_START', `ended by ${error}`);
    }
  }
}

// A generator of startJob()'s that never yields: the job itself stands in the middle.
function endInGenerator() {
  const context = vm.createContext({ startJob, waitContext: new WaitContext(), ...library });
  const forEver = 'startJob(null, waitContext, jobFunction(function* () { for (;;); }))';
  try {
    vm.runInContext(forEver, context, { timeout: 5 });
  } catch (error) {
    check(error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT', `ended by ${error.code ?? error}`);
  }
  const waitContext = new WaitContext();
  const finishes = jobFunction(function* (job) {
    check(library.getCurrentJob() === job, 'the current job');
    yield job.getFd('none');
    return 3;
  });
  const { status, returnValue } = startJob(null, waitContext, finishes);
  check(status === 'finish' && returnValue === 3, 'the next job');
  waitContext.close();
  check(library.getCurrentJob() === null, 'no job is left the current one');
  contexts.push(context.waitContext);
}

const contexts = [];
const WAYS = { vm: endByTimeLimit, stack: endByStack, generator: endInGenerator };

async function main() {
  const gc = library.garbageCollector();
  const end = WAYS[process.argv[2]];
  const until_ = performance.now() + 1000 * Number(process.argv[3] ?? 3);
  let rounds = 0;
  while (performance.now() < until_ || rounds < 20) {
    callForOthers();
    end();
    callForOthers();
    ++rounds;
    await Promise.all(others.splice(0));
  }
  await hash('sha256', 'the last', { mode: 'offload' });
  // A paused job that nobody can resume any more ends when it is collected.
  await until(() => {
    gc();
    return operations.inFlight === 0 && stats().jobs.live === 0 && stats().jobs.queued === 0;
  });
  // The contexts of jobs whose generator was ended are free again.
  for (const waitContext of contexts) waitContext.close();
  library.cleanupThread();
  report({ right: true });
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
