'use strict';

// The operations, as each side carries them out:
//
//   ours   as a promise
//   node   `{ call(done) }`, or `{ promise() }` where Node has no callback form
//   sync   returns the result
//
// `isRight` tells whether a result is what it should be.

const crypto = require('node:crypto');
const path = require('node:path');
const { device, deviceRequest } = require('../device.js');

const library = require(path.join(__dirname, '..', '..', '..', 'dist', 'index.js'));

const MESSAGE_BYTES = 64;
const REFERENCE_ENGINE = path.join(__dirname, '..', '..', '..', 'build', 'Release', 'reference_engine.so');
const MOST_REMOTE_CALLS = 65_536;
const { subtle } = crypto.webcrypto;

const KEY_PAIRS = {
  'RSA-2048': ['rsa', { modulusLength: 2048 }],
  'RSA-3072': ['rsa', { modulusLength: 3072 }],
  'P-256': ['ec', { namedCurve: 'P-256' }],
  'P-384': ['ec', { namedCurve: 'P-384' }],
  Ed25519: ['ed25519', {}],
  X25519: ['x25519', {}],
};

const newKeyPair = (subject) => crypto.generateKeyPairSync(...KEY_PAIRS[subject]);

function signing(subject) {
  const { privateKey, publicKey } = newKeyPair(subject);
  const digest = subject === 'Ed25519' ? null : 'sha256';
  return { privateKey, publicKey, digest, data: crypto.randomBytes(MESSAGE_BYTES) };
}

const OPERATIONS = {
  sign({ subject }) {
    const { privateKey, publicKey, digest, data } = signing(subject);
    return {
      ours: () => library.sign(digest, data, privateKey),
      node: { call: (done) => crypto.sign(digest, data, privateKey, done) },
      sync: () => crypto.sign(digest, data, privateKey),
      isRight: (result) => crypto.verify(digest, data, publicKey, result),
    };
  },

  verify({ subject }) {
    const { privateKey, publicKey, digest, data } = signing(subject);
    const signature = crypto.sign(digest, data, privateKey);
    return {
      ours: () => library.verify(digest, data, publicKey, signature),
      node: { call: (done) => crypto.verify(digest, data, publicKey, signature, done) },
      sync: () => crypto.verify(digest, data, publicKey, signature),
      isRight: (result) => result === true,
    };
  },

  diffieHellman({ subject }) {
    const { privateKey } = newKeyPair(subject);
    const { publicKey } = newKeyPair(subject);
    const options = { privateKey, publicKey };
    const expected = crypto.diffieHellman(options);
    return {
      ours: () => library.diffieHellman(options),
      node: crypto.diffieHellman.length > 1 ? { call: (done) => crypto.diffieHellman(options, done) } : undefined,
      nodePrepare: () => deriveBits(subject, options, expected.length),
      sync: () => crypto.diffieHellman(options),
      isRight: (result) => expected.equals(Buffer.from(result)),
    };
  },

  generateKeyPair({ subject }) {
    const [type, options] = KEY_PAIRS[subject];
    return {
      ours: () => library.generateKeyPair(type, options),
      node: { call: (done) => crypto.generateKeyPair(type, options, done) },
      sync: () => crypto.generateKeyPairSync(type, options),
      isRight: (result) => (result.privateKey ?? result).asymmetricKeyType === type,
    };
  },

  pbkdf2({ subject }) {
    const ITERATIONS = 1000;
    const args = ['password', crypto.randomBytes(16), ITERATIONS, 32, subject];
    const expected = crypto.pbkdf2Sync(...args);
    return {
      ours: () => library.pbkdf2(...args),
      node: { call: (done) => crypto.pbkdf2(...args, done) },
      sync: () => crypto.pbkdf2Sync(...args),
      isRight: (result) => expected.equals(result),
    };
  },

  scrypt({ subject }) {
    const args = ['password', crypto.randomBytes(16), 32, { cost: Number(subject.slice(1)) }];
    const expected = crypto.scryptSync(...args);
    return {
      ours: () => library.scrypt(...args),
      node: { call: (done) => crypto.scrypt(...args, done) },
      sync: () => crypto.scryptSync(...args),
      isRight: (result) => expected.equals(result),
    };
  },

  hash({ subject, size }) {
    const data = crypto.randomBytes(size);
    const once = () => crypto.createHash(subject).update(data).digest();
    return {
      ours: () => library.hash(subject, data),
      node: { promise: () => subtle.digest('SHA-256', data) },
      sync: once,
      isRight: (result) => once().equals(Buffer.from(result)),
    };
  },

  encrypt({ subject, size }) {
    const data = crypto.randomBytes(size);
    const secret = crypto.randomBytes(32);
    const iv = crypto.randomBytes(12);
    const key = crypto.createSecretKey(secret);
    const once = () => {
      const cipher = crypto.createCipheriv(subject, key, iv);
      return { data: Buffer.concat([cipher.update(data), cipher.final()]), authTag: cipher.getAuthTag() };
    };
    const expected = once();
    const whole = Buffer.concat([expected.data, expected.authTag]);
    return {
      ours: () => library.encrypt(subject, key, iv, data),
      nodePrepare: async () => {
        const cryptoKey = await subtle.importKey('raw', secret, 'AES-GCM', false, ['encrypt']);
        const algorithm = { name: 'AES-GCM', iv };
        return { promise: () => subtle.encrypt(algorithm, cryptoKey, data) };
      },
      sync: once,
      // WebCrypto has the tag behind the ciphertext.
      isRight: (result) =>
        whole.equals('data' in result ? Buffer.concat([result.data, result.authTag]) : Buffer.from(result)),
    };
  },

  accelerator() {
    const run = library.nativeJobFunction(device.functions.device);
    const options = { args: deviceRequest(1000) };
    const work = pbkdf2OfOneMillisecond();
    return {
      ours: () => library.runJob(run, options),
      node: { call: (done) => crypto.pbkdf2(...work, done) },
      isRight: (result) => result.returnValue === 1 || Buffer.isBuffer(result),
    };
  },

  // A device that announces nothing: looked at when that is worth it, against a look each millisecond by the application.
  polled({ subject }) {
    const { privateKey, publicKey } = newKeyPair('P-256');
    const data = crypto.randomBytes(MESSAGE_BYTES);
    const load = (options) =>
      library.loadEngine(REFERENCE_ENGINE, {
        pauses: true,
        preInit: [
          ['MODE', 'poll'],
          ['LATENCY_MICROS', Number.parseInt(subject, 10)],
        ],
        ...options,
      });
    let key;
    const heuristic = async () => (await load({ poll: {} })).bindKey(privateKey);
    return {
      ours: async () => library.sign('sha256', data, await (key ??= heuristic())),
      nodePrepare: async () => {
        const engine = await load({});
        const bound = engine.bindKey(privateKey);
        setInterval(() => void engine.control('POLL'), 1).unref();
        return { promise: async () => library.sign('sha256', data, await bound) };
      },
      isRight: (result) => crypto.verify('sha256', data, publicKey, result),
    };
  },

  // Node has nothing of the kind: its side is what asks the holder of the key, by itself.
  remoteKey({ subject }) {
    const { privateKey, publicKey } = crypto.generateKeyPairSync('ed25519');
    const data = crypto.randomBytes(MESSAGE_BYTES);
    const signature = crypto.sign(null, data, privateKey);
    const latencyMs = Number.parseInt(subject, 10);
    const ask = () => new Promise((resolve) => setTimeout(resolve, latencyMs, signature));
    const key = library.createRemoteKey({ publicKey, sign: ask, maxConcurrent: MOST_REMOTE_CALLS });
    return {
      ours: () => library.sign(null, data, key),
      node: { promise: ask },
      isRight: (result) => crypto.verify(null, data, publicKey, result),
    };
  },
};

// What Node has instead of a callback form of crypto.diffieHellman(), up to Node 22.
async function deriveBits(subject, { privateKey, publicKey }, bytes) {
  const algorithm = subject === 'X25519' ? { name: 'X25519' } : { name: 'ECDH', namedCurve: subject };
  const [ours, theirs] = await Promise.all([
    subtle.importKey('jwk', privateKey.export({ format: 'jwk' }), algorithm, false, ['deriveBits']),
    subtle.importKey('jwk', publicKey.export({ format: 'jwk' }), algorithm, false, []),
  ]);
  const params = { name: algorithm.name, public: theirs };
  return { promise: () => subtle.deriveBits(params, ours, bytes * 8) };
}

function pbkdf2OfOneMillisecond() {
  const args = ['password', 'salt', 1000, 32, 'sha256'];
  const once = () => {
    const began = performance.now();
    crypto.pbkdf2Sync(...args);
    return performance.now() - began;
  };
  args[2] = Math.max(1, Math.round(args[2] / Math.min(...Array.from({ length: 20 }, once))));
  return args;
}

// Operations that are not called as the function that they measure.
const FUNCTIONS = { accelerator: 'runJob', remoteKey: 'createRemoteKey', polled: 'loadEngine' };

/** Why ours cannot be measured, as far as the library is concerned; undefined when it can. */
function whyMissing(operation) {
  const name = FUNCTIONS[operation] ?? operation;
  return typeof library[name] === 'function' ? undefined : `openssl-async has no ${name}()`;
}

module.exports = { OPERATIONS, whyMissing };
