'use strict';

// Hundreds of operations that wait for remote keys which never answer.

const { generateKeyPairSync, sign: signSync } = require('node:crypto');
const { createRemoteKey, diffieHellman, isCapable, privateDecrypt, sign, until } = require('./library');

// Without jobs, the operations hold threads, of which some are to be left.
const PER_KIND = isCapable() ? 100 : 10;
const OPERATIONS = 4 * PER_KIND;

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ed25519 = generateKeyPairSync('ed25519');
const x25519 = generateKeyPairSync('x25519');
const never = () => new Promise(() => {});

/**
 * Starts them, and resolves when all have been asked for. `answer()` is what the functions do.
 * @returns `{ promises }`, whose rejections nobody need handle
 */
async function startRemoteOperations({ answer = never, options, key = {} } = {}) {
  let asked = 0;
  const ask = () => {
    ++asked;
    return answer();
  };
  const settings = { maxConcurrent: OPERATIONS, timeoutMs: 60_000, ...key };
  const rsaKey = createRemoteKey({ publicKey: rsa.publicKey, sign: ask, decrypt: ask, ...settings });
  const edKey = createRemoteKey({ publicKey: ed25519.publicKey, sign: ask, verify: true, ...settings });
  const xKey = createRemoteKey({ publicKey: x25519.publicKey, derive: ask, ...settings });
  const peer = { privateKey: xKey, publicKey: x25519.publicKey };
  const promises = Array.from({ length: PER_KIND }, () => [
    sign('sha256', 'data', rsaKey, options),
    privateDecrypt(rsaKey, Buffer.alloc(256, 1), options),
    sign(null, 'data', edKey, options),
    diffieHellman(peer, options),
  ]).flat();
  for (const promise of promises) promise.catch(() => {});
  await until(() => asked === OPERATIONS);
  return { promises, asked };
}

/** An Ed25519 key that is answered at the next turn of the event loop. */
function answeringKey(settings = {}) {
  const { publicKey, privateKey } = ed25519;
  const ask = ({ data }) => new Promise((resolve) => setImmediate(() => resolve(signSync(null, data, privateKey))));
  return createRemoteKey({ publicKey, sign: ask, verify: true, ...settings });
}

module.exports = { OPERATIONS, answeringKey, never, publicKey: ed25519.publicKey, startRemoteOperations };
