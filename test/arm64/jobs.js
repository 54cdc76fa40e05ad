'use strict';

// Many jobs in flight at once, and signatures that pause while the accelerator's pool makes them.
//
//   node jobs.js [JOBS] [SIGNATURES]

const crypto = require('node:crypto');
const { jobFunction, runJob, sign, stats, verify } = require('../..');

const [jobs = 1000, signatures = 1000] = process.argv.slice(2).map(Number);

const pausesTwice = jobFunction(function* (job, index) {
  yield job.pause();
  yield job.pause();
  return index;
});

async function inFlight(count) {
  const results = await Promise.all(Array.from({ length: count }, (_, index) => runJob(pausesTwice, { args: index })));
  return results.filter(({ returnValue, pauses }, index) => returnValue === index && pauses === 2).length;
}

/** How many of `count` signatures are right, as the library and node:crypto see it. */
async function verified(count, digest, { privateKey, publicKey }) {
  const messages = Array.from({ length: count }, (_, index) => Buffer.from(`message ${index}`));
  const made = await Promise.all(messages.map((each) => sign(digest, each, privateKey, { provider: 'accelerator' })));
  const ours = await Promise.all(messages.map((each, index) => verify(digest, each, publicKey, made[index])));
  return messages.filter((each, index) => ours[index] && crypto.verify(digest, each, publicKey, made[index])).length;
}

async function main() {
  const started = performance.now();
  const finished = await inFlight(jobs);
  const begun = performance.now();
  const right = {
    ecdsa: await verified(signatures, 'sha256', crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' })),
    ed25519: await verified(signatures, null, crypto.generateKeyPairSync('ed25519')),
    rsa: await verified(
      Math.ceil(signatures / 20),
      'sha256',
      crypto.generateKeyPairSync('rsa', { modulusLength: 2048 }),
    ),
  };
  const { paused } = stats().operations;
  const { arch, version } = process;
  const seconds = { jobs: (begun - started) / 1000, signatures: (performance.now() - begun) / 1000 };
  console.log(JSON.stringify({ arch, version, finished, right, paused, seconds }));
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
