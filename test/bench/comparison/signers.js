'use strict';

// One signature, in every way that a program on Node.js has. Each side gives a function that signs once.

const crypto = require('node:crypto');
const os = require('node:os');
const path = require('node:path');
const { Worker } = require('node:worker_threads');

const SUBTLE = {
  'RSA-2048': { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
  'P-256': { name: 'ECDSA', hash: 'SHA-256', namedCurve: 'P-256' },
};

/** A pool of workers that sign with crypto.sign(): as many as there are cores but the one of the event loop. */
function workers(key) {
  const waiting = new Map();
  let last = 0;
  const file = path.join(__dirname, 'signer-worker.js');
  const pool = Array.from({ length: Math.max(1, os.availableParallelism() - 1) }, () => {
    const worker = new Worker(file, { workerData: key });
    worker.on('message', ({ id, signature }) => {
      waiting.get(id)(signature);
      waiting.delete(id);
    });
    return worker;
  });
  return (data) =>
    new Promise((resolve) => {
      const id = ++last;
      waiting.set(id, resolve);
      pool[id % pool.length].postMessage({ id, data });
    });
}

const SIGNERS = {
  sync: {
    title: '`crypto.sign()`',
    create: (key) => (data) => crypto.sign('sha256', data, key),
  },
  callback: {
    title: '`crypto.sign()` with a callback',
    create: (key) => (data) =>
      new Promise((resolve, reject) => {
        crypto.sign('sha256', data, key, (error, signature) => (error === null ? resolve(signature) : reject(error)));
      }),
  },
  subtle: {
    title: 'WebCrypto, `subtle.sign()`',
    async create(key, algorithm) {
      const der = key.export({ format: 'der', type: 'pkcs8' });
      const imported = await crypto.subtle.importKey('pkcs8', der, SUBTLE[algorithm], false, ['sign']);
      return (data) => crypto.subtle.sign(SUBTLE[algorithm], imported, data);
    },
  },
  workers: {
    title: 'worker threads with `crypto.sign()`',
    create: workers,
  },
  own: {
    title: 'this package, `sign()`',
    create(key) {
      const { sign } = require('../../../dist');
      return (data) => sign('sha256', data, key);
    },
  },
};

const KEYS = {
  'RSA-2048': () => crypto.generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
  'P-256': () => crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
};

module.exports = { KEYS, SIGNERS };
