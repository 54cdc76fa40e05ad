'use strict';

// Properties that somebody has put on Object.prototype: option bags inherit them, as node:crypto's do; nothing else does.
// Nobody's key or result takes the place of another's.

const crypto = require('node:crypto');
const library = require('../../support/scenario/library');
const { operationCorpus } = require('../../support/operation-corpus');

const { WaitContext, check, createPublicKey, jobFunction, operations, report, runJob, startJob, stats } = library;

const attacker = crypto.generateKeyPairSync('ed25519');
const owner = crypto.generateKeyPairSync('ed25519');
const MESSAGE = Buffer.from('the message');
const FORGED = crypto.sign(null, MESSAGE, attacker.privateKey);

const VALUES = {
  key: attacker.publicKey,
  privateKey: attacker.privateKey,
  publicKey: attacker.publicKey,
  uri: 'file:/none',
  error: new Error('not this one'),
  code: 'ERR_OF_SOMEBODY',
  opensslErrors: ['error:0:a:b:c'],
  failed: true,
  provider: 'none',
  properties: 'provider=none',
  mode: 'inline',
  signal: AbortSignal.abort(),
  timeoutMs: 1,
  fallback: { native: {} },
  requireOffload: true,
  source: { native: {} },
  scope: { library: 'own', properties: 'provider=none', mayPause: true, blocks: true, backend: 'provider:none' },
  held: { native: {}, scope: { library: 'process', properties: '', mayPause: false }, holder: 'nobody' },
  generation: 7,
  passesOver: true,
  mayPause: true,
  isSecret: true,
  numbers: [1, 2, 3],
  keys: [{}],
  bytes: [Buffer.alloc(3)],
  names: ['md5'],
  returnValue: 99,
  cleanup: () => check(false, 'somebody else cleans up'),
  keyId: 77,
  fd: 0,
  kind: 6,
  args: 'not these',
  waitContext: {},
  value: 1,
  output: () => Buffer.alloc(8),
  then: undefined,
  cause: 'not this',
  inContext: () => check(false, 'a context of nobody'),
  limits: {},
  padding: undefined,
  0: 'first',
  3: 'fourth',
};

const own = { __proto__: null, mode: 'offload', provider: undefined, properties: undefined, signal: undefined };
const OFFLOAD = Object.assign(own, { timeoutMs: undefined, fallback: undefined, requireOffload: undefined });

async function outcome({ call }) {
  try {
    return { __proto__: null, value: await call(Object.assign({ __proto__: null }, OFFLOAD)) };
  } catch (error) {
    return { __proto__: null, rejected: true, code: Object.hasOwn(error, 'code') ? error.code : undefined };
  }
}

async function callAll(name, corpus) {
  for (const row of corpus.good) {
    // Rows that pass a bag of their own inherit, as they would with node:crypto.
    const { value, rejected } = await outcome(row);
    check(rejected === true || row.isRight(value), `${name}: ${row.operation}, ${row.title}`);
  }
  const { verify, sign, hash } = library;
  for (const key of [owner.publicKey, createPublicKey(owner.publicKey)]) {
    check((await verify(null, MESSAGE, key, FORGED)) === false, `${name}: a forged signature`);
  }
  const signature = await sign(null, MESSAGE, owner.privateKey);
  check(crypto.verify(null, MESSAGE, owner.publicKey, signature), `${name}: a signature`);
  const digest = crypto.createHash('sha256').update(MESSAGE).digest('hex');
  check((await hash('sha256', MESSAGE)).toString('hex') === digest, `${name}: a digest`);
  const twice = jobFunction(function* (job) {
    yield job.pause();
    return 1;
  });
  check((await runJob(twice)).returnValue === 1, `${name}: a job`);
  const waitContext = new WaitContext();
  let result = startJob(null, waitContext, twice);
  await waitContext.wait();
  result = startJob(result.job, waitContext);
  check(result.status === 'finish' && result.returnValue === 1, `${name}: a job of startJob()`);
  waitContext.close();
}

async function main() {
  const corpus = operationCorpus(library);
  for (const [name, value] of Object.entries(VALUES)) {
    Object.defineProperty(Object.prototype, name, { configurable: true, writable: true, value });
    try {
      await callAll(name, corpus);
    } finally {
      delete Object.prototype[name];
    }
  }
  check(operations.inFlight === 0 && stats().jobs.live === 0, 'nothing is in flight');
  report({ right: true });
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
