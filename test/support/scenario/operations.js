'use strict';

// Some hundreds of operations on the pool, which take it a good while.

const { generateKeyPairSync, randomBytes, verify: verifySync } = require('node:crypto');
const { hash, sign, verify } = require('./library');

const PER_KIND = 150;
const OPERATIONS = 3 * PER_KIND;

const MESSAGE = randomBytes(64);
const LARGE = randomBytes(100_000);
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-384' });

/** Starts them. `options` are those that every operation takes. */
function startOperations(options = {}) {
  const onPool = { mode: 'offload', ...options };
  return Array.from({ length: PER_KIND }, () => [
    sign('sha256', MESSAGE, privateKey, onPool),
    sign('sha384', MESSAGE, ec.privateKey, onPool),
    hash('sha512', LARGE, onPool),
  ]).flat();
}

/** Resolves with whether operations work. */
async function operationsWork() {
  const signature = await sign('sha256', MESSAGE, privateKey);
  const [valid, invalid] = await Promise.all([
    verify('sha256', MESSAGE, publicKey, signature, { mode: 'offload' }),
    verify('sha256', LARGE, publicKey, signature, { mode: 'offload' }),
  ]);
  return valid && !invalid && verifySync('sha256', MESSAGE, publicKey, signature);
}

module.exports = { OPERATIONS, operationsWork, startOperations };
