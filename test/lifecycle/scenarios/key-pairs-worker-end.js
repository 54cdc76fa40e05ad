'use strict';

// Workers that make key pairs of types that are made fast, and are terminated while they do.
//
//   key-pairs-worker-end.js ROUNDS

const { createPublicKey, KeyObject } = require('node:crypto');
const { isMainThread, parentPort } = require('node:worker_threads');
const { startWorker } = require('../../support/scenario/worker');
const { report } = require('../../support/scenario/library');

const KINDS = [
  ['ec', { namedCurve: 'P-256' }],
  ['ed25519', {}],
  ['ec', { namedCurve: 'P-384' }],
  ['ed448', {}],
  ['x25519', { publicKeyEncoding: { format: 'jwk' }, privateKeyEncoding: { format: 'jwk' } }],
  ['ec', { namedCurve: 'P-384', privateKeyEncoding: { format: 'pem', type: 'sec1' } }],
];

async function main() {
  const rounds = Number(process.argv[2] ?? 30);
  for (let round = 0; round < rounds; ++round) {
    const workers = [1, 2].map(() => startWorker(__filename));
    await Promise.all(workers.map((worker) => worker.said));
    // At an instant that is another one each time.
    for (let i = 0; i < (round * 7) % 40; ++i) await new Promise((resolve) => setImmediate(resolve));
    await Promise.all(workers.map(({ worker }) => worker.terminate()));
  }
  report({ rounds });
}

async function work() {
  const { check, generateKeyPair } = require('../../support/scenario/library');
  for (const [type, options] of KINDS) {
    for (const mode of ['auto', 'offload', 'inline']) {
      const { publicKey, privateKey } = await generateKeyPair(type, options, { mode });
      const isPair = isObject(privateKey) && isObject(publicKey) ? samePair(publicKey, privateKey) : true;
      check(isPair && isObject(privateKey) === !options.privateKeyEncoding, `${type} ${mode}`);
    }
  }
  let made = 0;
  const make = async (index) => {
    for (;;) {
      await generateKeyPair(...KINDS[index % KINDS.length]);
      if (++made === 20) parentPort.postMessage('busy');
    }
  };
  for (let i = 0; i < 18; ++i) void make(i);
}

const isObject = (key) => key instanceof KeyObject;
const samePair = (publicKey, privateKey) => createPublicKey(privateKey).equals(publicKey);

if (isMainThread) main();
else work();
