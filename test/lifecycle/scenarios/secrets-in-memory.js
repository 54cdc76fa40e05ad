'use strict';

// Works with many secrets, wipes each as soon as it is not needed any more, and waits to have its memory searched.
//
//   secrets-in-memory.js ours|node OPERATION MODE
//
// Prints the secrets, masked, so that it has no copies of them itself.

const crypto = require('node:crypto');
const { promisify } = require('node:util');
const { setFlagsFromString } = require('node:v8');
const { runInNewContext } = require('node:vm');

const [which, operation, mode] = process.argv.slice(2);
const COUNT = 200;
const MASK = 0xa5;
const SIZE = 32;

const library = which === 'ours' ? require('../../support/scenario/library') : undefined;
const options = { mode };
const masked = [];

/** A secret that the caller wipes: a Buffer in memory of its own, outside of V8's heap. */
function newSecret(size = SIZE) {
  const secret = Buffer.from(new ArrayBuffer(size));
  crypto.randomFillSync(secret);
  return remembered(secret);
}

function remembered(secret) {
  const copy = Buffer.alloc(secret.length);
  for (let i = 0; i < secret.length; ++i) copy[i] = secret[i] ^ MASK;
  masked.push(copy);
  return secret;
}

const asBuffer = (bytes) => (Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes));
const PUBLIC = Buffer.alloc(16, 7);
const rsa = crypto.generateKeyPairSync('rsa', { modulusLength: 1024 });

// By way of DER: Node.js 20 may wait for itself for ever when the object that generated a key is collected while the key
// is exported, because both lock the key.
function x25519() {
  const { publicKey, privateKey } = crypto.generateKeyPairSync('x25519', {
    publicKeyEncoding: { format: 'der', type: 'spki' },
    privateKeyEncoding: { format: 'der', type: 'pkcs8' },
  });
  return {
    publicKey: crypto.createPublicKey({ key: publicKey, format: 'der', type: 'spki' }),
    privateKey: crypto.createPrivateKey({ key: privateKey, format: 'der', type: 'pkcs8' }),
  };
}

const oaep = { key: rsa.privateKey, oaepHash: 'sha256' };

/** By name: makes and wipes secrets. */
const OPERATIONS = {
  async hkdf() {
    const key = newSecret();
    const derive = library
      ? library.hkdf('sha256', key, 'salt', 'info', SIZE, options)
      : promisify(crypto.hkdf)('sha256', key, 'salt', 'info', SIZE);
    key.fill(0);
    remembered(asBuffer(await derive)).fill(0);
  },
  async pbkdf2() {
    const password = newSecret();
    const derive = library
      ? library.pbkdf2(password, 'salt', 1, SIZE, 'sha256', options)
      : promisify(crypto.pbkdf2)(password, 'salt', 1, SIZE, 'sha256');
    password.fill(0);
    remembered(await derive).fill(0);
  },
  async scrypt() {
    const password = newSecret();
    const derive = library
      ? library.scrypt(password, 'salt', SIZE, { N: 2, ...options })
      : promisify(crypto.scrypt)(password, 'salt', SIZE, { N: 2 });
    password.fill(0);
    remembered(await derive).fill(0);
  },
  async randomBytes() {
    remembered(await (library ? library.randomBytes(SIZE, options) : promisify(crypto.randomBytes)(SIZE))).fill(0);
  },
  async randomFill() {
    const buffer = Buffer.from(new ArrayBuffer(SIZE));
    await (library ? library.randomFill(buffer, 0, SIZE, options) : promisify(crypto.randomFill)(buffer));
    remembered(buffer).fill(0);
  },
  async hmac() {
    const key = newSecret();
    if (library) await library.hmac('sha256', key, 'data', options);
    else crypto.createHmac('sha256', key).update('data').digest();
    key.fill(0);
  },
  async hash() {
    const data = newSecret();
    if (library) await library.hash('sha256', data, options);
    else crypto.createHash('sha256').update(data).digest();
    data.fill(0);
  },
  async createHash() {
    const data = newSecret();
    if (library) await library.createHash('sha256', options).update(data).digest();
    else crypto.createHash('sha256').update(data).digest();
    data.fill(0);
  },
  async encrypt() {
    const [key, data] = [newSecret(), newSecret()];
    if (library) await library.encrypt('aes-256-gcm', key, PUBLIC, data, options);
    else encryptSync(key, data);
    key.fill(0);
    data.fill(0);
  },
  async decrypt() {
    const [key, data] = [newSecret(), newSecret()];
    const sealed = encryptSync(key, data);
    data.fill(0);
    const { text, authTag } = sealed;
    if (library) {
      (await library.decrypt('aes-256-gcm', key, PUBLIC, text, { authTag, ...options })).fill(0);
    } else {
      const decipher = crypto.createDecipheriv('aes-256-gcm', key, PUBLIC).setAuthTag(authTag);
      decipher.update(text).fill(0);
      decipher.final();
    }
    key.fill(0);
  },
  async createDecipheriv() {
    const [key, data] = [newSecret(), newSecret()];
    const { text, authTag } = encryptSync(key, data);
    data.fill(0);
    const decipher = (library ?? crypto).createDecipheriv('aes-256-gcm', key, PUBLIC, library && options);
    decipher.setAuthTag(authTag);
    key.fill(0);
    (await decipher.update(text)).fill(0);
    await decipher.final();
  },
  async diffieHellman() {
    const [own, peer] = [x25519(), x25519()];
    const keys = { privateKey: own.privateKey, publicKey: peer.publicKey };
    remembered(await (library ? library.diffieHellman(keys, options) : crypto.diffieHellman(keys))).fill(0);
  },
  async privateDecrypt() {
    const data = newSecret();
    const sealed = crypto.publicEncrypt({ key: rsa.publicKey, oaepHash: 'sha256' }, data);
    data.fill(0);
    (await (library ? library.privateDecrypt(oaep, sealed, options) : crypto.privateDecrypt(oaep, sealed))).fill(0);
  },
  async generateKeyPair() {
    const encodings = {
      publicKeyEncoding: { format: 'der', type: 'spki' },
      privateKeyEncoding: { format: 'der', type: 'pkcs8' },
    };
    const { privateKey } = await (library
      ? library.generateKeyPair('ed25519', encodings, options)
      : promisify(crypto.generateKeyPair)('ed25519', encodings));
    remembered(privateKey.subarray(-SIZE));
    privateKey.fill(0);
  },
  async secretKeyObject() {
    const secret = newSecret();
    const key = crypto.createSecretKey(secret);
    secret.fill(0);
    if (library) await library.hmac('sha256', key, 'data', options);
    else crypto.createHmac('sha256', key).update('data').digest();
  },
};

function encryptSync(key, data) {
  const cipher = crypto.createCipheriv('aes-256-gcm', key, PUBLIC);
  const text = cipher.update(data);
  cipher.final();
  return { text, authTag: cipher.getAuthTag() };
}

// Key objects keep their secrets until then.
async function collectGarbage() {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc');
  for (let i = 0; i < 3; ++i) {
    gc();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function main() {
  for (let i = 0; i < COUNT; ++i) await OPERATIONS[operation]();
  if (operation === 'secretKeyObject') await collectGarbage();
  console.log(JSON.stringify({ mask: MASK, masked: masked.map((bytes) => bytes.toString('hex')) }));
  process.stdin.resume();
}

void main();
