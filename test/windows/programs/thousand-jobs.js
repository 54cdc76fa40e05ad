'use strict';

// A thousand jobs in flight, a signature in each of two thousand jobs, and one call of each kind of operation. Prints
// one line of JSON at its end.

const assert = require('node:assert');
const crypto = require('node:crypto');
const library = require('../../..');

const { jobFunction, runJob, sign, stats, verify } = library;

async function jobs(count) {
  const pausesTwice = jobFunction(function* (job) {
    yield job.pause();
    yield job.pause();
    return 7;
  });
  const results = await Promise.all(Array.from({ length: count }, () => runJob(pausesTwice)));
  for (const { returnValue, pauses } of results)
    assert.deepStrictEqual({ returnValue, pauses }, { returnValue: 7, pauses: 2 });
  return results.length;
}

async function signatures(digest, { privateKey, publicKey }, count) {
  const messages = Array.from({ length: count }, (_, index) => Buffer.from(`message ${index}`));
  const made = await Promise.all(messages.map((each) => sign(digest, each, privateKey, { provider: 'accelerator' })));
  made.forEach((each, index) => assert.ok(crypto.verify(digest, messages[index], publicKey, each)));
  const verified = await Promise.all(messages.map((each, index) => verify(digest, each, publicKey, made[index])));
  assert.ok(verified.every(Boolean));
  return made.length;
}

async function main() {
  const result = { node: process.version, platform: process.platform, jobs: await jobs(1000) };
  result.ecdsa = await signatures('sha256', crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }), 1000);
  result.rsa = await signatures('sha256', crypto.generateKeyPairSync('rsa', { modulusLength: 2048 }), 50);
  result.ed25519 = await signatures(null, crypto.generateKeyPairSync('ed25519'), 1000);
  const { operations, stacks } = stats();
  result.paused = operations.paused;
  result.stacks = stacks;
  console.log(JSON.stringify(result));
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
