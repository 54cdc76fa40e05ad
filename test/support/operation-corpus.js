'use strict';

// Calls of operations, good and bad, for programs that run many of them. To extend it, add rows: those whose function
// the library does not have are left out.
//
//   operation  the exported function
//   title      what is special about the arguments
//   call       (options) => a promise; `options` are those that every operation takes
//   isRight    of a good call: whether the result is what it should be
//   code       of a bad call: what it rejects with, undefined for an error without a code; `value` instead, when it is
//              no error

const crypto = require('node:crypto');

const MESSAGE = Buffer.from('the message');
const LARGE = Buffer.alloc(100_000, 'large');

const KEYS = {
  rsa: crypto.generateKeyPairSync('rsa', { modulusLength: 1024 }),
  p256: crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  ed25519: crypto.generateKeyPairSync('ed25519'),
  x25519: crypto.generateKeyPairSync('x25519'),
  dsa: crypto.generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 }),
};
const SECRET = crypto.createSecretKey(Buffer.alloc(32, 1));
const PSS = { padding: crypto.constants.RSA_PKCS1_PSS_PADDING };

// Of one key in 256, what a wrong passphrase makes of it ends like a padding: OpenSSL then says something else.
function encryptedP256() {
  for (;;) {
    const pem = KEYS.p256.privateKey.export({ ...PKCS8_PEM, cipher: 'aes-128-cbc', passphrase: 'right' });
    try {
      crypto.createPrivateKey({ key: pem, passphrase: 'wrong' });
    } catch (error) {
      if (error.code === 'ERR_OSSL_BAD_DECRYPT') return pem;
    }
  }
}

const PKCS8_PEM = { type: 'pkcs8', format: 'pem' };
const PEM_P256 = KEYS.p256.privateKey.export(PKCS8_PEM);
const ENCRYPTED_P256 = encryptedP256();
const SIGNATURES = {
  rsa: crypto.sign('sha256', MESSAGE, KEYS.rsa.privateKey),
  p256: crypto.sign('sha256', MESSAGE, KEYS.p256.privateKey),
  ed25519: crypto.sign(null, MESSAGE, KEYS.ed25519.privateKey),
};

const X25519_PEER = crypto.generateKeyPairSync('x25519');
const P256_PEER = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
const SEALED_FOR_RSA = crypto.publicEncrypt(KEYS.rsa.publicKey, MESSAGE);

const GCM = 'aes-256-gcm';
const IV = Buffer.alloc(12, 2);

function seal(data) {
  const cipher = crypto.createCipheriv(GCM, SECRET, IV);
  return { data: Buffer.concat([cipher.update(data), cipher.final()]), authTag: cipher.getAuthTag() };
}

const isSignature =
  (digest, { publicKey }, options = {}) =>
  (signature) =>
    crypto.verify(digest, MESSAGE, { key: publicKey, ...options }, signature);

function goodCalls(library) {
  const { sign, verify, hash } = library;
  const signing = (title, digest, pair, options) => ({
    operation: 'sign',
    title,
    call: (limits) =>
      sign(digest, MESSAGE, options === undefined ? pair.privateKey : { key: pair.privateKey, ...options }, limits),
    isRight: isSignature(digest, pair, options),
  });
  return [
    signing('RSA', 'sha256', KEYS.rsa),
    signing('RSA-PSS', 'sha256', KEYS.rsa, { ...PSS, saltLength: 20 }),
    signing('P-256', 'sha256', KEYS.p256),
    signing('P-256, IEEE P1363', 'sha384', KEYS.p256, { dsaEncoding: 'ieee-p1363' }),
    signing('Ed25519', null, KEYS.ed25519),
    signing('DSA', 'sha256', KEYS.dsa),
    {
      operation: 'sign',
      title: 'a PEM key',
      call: (limits) => sign('sha256', MESSAGE, PEM_P256, limits),
      isRight: isSignature('sha256', KEYS.p256),
    },
    ...['rsa', 'p256', 'ed25519'].map((type) => ({
      operation: 'verify',
      title: type,
      call: (limits) =>
        verify(type === 'ed25519' ? null : 'sha256', MESSAGE, KEYS[type].publicKey, SIGNATURES[type], limits),
      isRight: (valid) => valid,
    })),
    ...[Buffer.alloc(0), MESSAGE, LARGE].map((data) => {
      const expected = crypto.createHash('sha256').update(data).digest();
      return {
        operation: 'hash',
        title: `${data.length} bytes`,
        call: (limits) => hash('sha256', data, limits),
        isRight: (digest) => expected.equals(digest),
      };
    }),
    {
      operation: 'hash',
      title: 'extendable, more than fits an event',
      call: (limits) => hash('shake256', MESSAGE, { ...limits, outputLength: 50_000 }),
      isRight: (digest) => digest.length === 50_000,
    },
    ...goodSecretKeyCalls(library),
    ...goodKeyPairCalls(library),
  ];
}

// What takes a secret key, a password, or nothing.
function goodSecretKeyCalls({ encrypt, decrypt, hmac, hkdf, pbkdf2, scrypt, randomBytes }) {
  const gives = (operation, title, expected, call) => ({
    operation,
    title,
    call,
    isRight: (result) => expected.equals(Buffer.from(result)),
  });
  const encrypting = (title, data) => ({
    operation: 'encrypt',
    title,
    call: (limits) => encrypt(GCM, SECRET, IV, data, limits),
    isRight: (result) => seal(data).data.equals(result.data) && seal(data).authTag.equals(result.authTag),
  });
  const { data: sealed, authTag } = seal(MESSAGE);
  const { data: sealedLarge, authTag: largeTag } = seal(LARGE);
  return [
    encrypting('short', MESSAGE),
    encrypting('large', LARGE),
    gives('decrypt', 'short', MESSAGE, (limits) => decrypt(GCM, SECRET, IV, sealed, { ...limits, authTag })),
    gives('decrypt', 'large', LARGE, (limits) =>
      decrypt(GCM, SECRET, IV, sealedLarge, { ...limits, authTag: largeTag }),
    ),
    gives('hmac', 'SHA-256', crypto.createHmac('sha256', SECRET).update(MESSAGE).digest(), (limits) =>
      hmac('sha256', SECRET, MESSAGE, limits),
    ),
    gives('hkdf', 'SHA-256', Buffer.from(crypto.hkdfSync('sha256', SECRET, MESSAGE, 'info', 64)), (limits) =>
      hkdf('sha256', SECRET, MESSAGE, 'info', 64, limits),
    ),
    gives('pbkdf2', 'SHA-256', crypto.pbkdf2Sync('password', MESSAGE, 100, 64, 'sha256'), (limits) =>
      pbkdf2('password', MESSAGE, 100, 64, 'sha256', limits),
    ),
    gives('scrypt', 'N = 64', crypto.scryptSync('password', MESSAGE, 64, { N: 64 }), (limits) =>
      scrypt('password', MESSAGE, 64, { N: 64, ...limits }),
    ),
    {
      operation: 'randomBytes',
      title: '1000',
      call: (limits) => randomBytes(1000, limits),
      isRight: (bytes) => bytes.length === 1000,
    },
  ];
}

function goodKeyPairCalls({ diffieHellman, generateKeyPair, publicEncrypt, privateDecrypt }) {
  const agreeing = (title, { privateKey }, { publicKey }) => ({
    operation: 'diffieHellman',
    title,
    call: (limits) => diffieHellman({ privateKey, publicKey }, limits),
    isRight: (secret) => crypto.diffieHellman({ privateKey, publicKey }).equals(secret),
  });
  const generating = (title, type, options) => ({
    operation: 'generateKeyPair',
    title,
    call: (limits) => generateKeyPair(type, options, limits),
    isRight: ({ privateKey }) => privateKey.asymmetricKeyType === type,
  });
  const { publicKey, privateKey } = KEYS.rsa;
  return [
    agreeing('X25519', KEYS.x25519, X25519_PEER),
    agreeing('P-256', KEYS.p256, P256_PEER),
    generating('P-256', 'ec', { namedCurve: 'P-256' }),
    generating('Ed25519', 'ed25519', undefined),
    {
      operation: 'publicEncrypt',
      title: 'OAEP',
      call: (limits) => publicEncrypt(publicKey, MESSAGE, limits),
      isRight: (sealed) => crypto.privateDecrypt(privateKey, sealed).equals(MESSAGE),
    },
    {
      operation: 'privateDecrypt',
      title: 'OAEP',
      call: (limits) => privateDecrypt(privateKey, SEALED_FOR_RSA, limits),
      isRight: (message) => MESSAGE.equals(message),
    },
  ];
}

function badCalls(library) {
  const { sign, verify, hash } = library;
  const signing = (title, code, digest, data, key) => ({
    operation: 'sign',
    title,
    code,
    call: (options) => sign(digest, data, key, options),
  });
  const verifying = (title, expected, digest, key, signature) => ({
    operation: 'verify',
    title,
    ...expected,
    call: (options) => verify(digest, MESSAGE, key, signature, options),
  });
  const hashing = (title, code, digest, data, options = {}) => ({
    operation: 'hash',
    title,
    code,
    call: (limits) => hash(digest, data, { ...limits, ...options }),
  });
  const invalid = { value: false };
  const { rsa, p256, ed25519, x25519 } = KEYS;
  return [
    signing('no digest of this name', 'ERR_CRYPTO_INVALID_DIGEST', 'sha257', MESSAGE, p256.privateKey),
    signing('a digest that is no string', 'ERR_INVALID_ARG_TYPE', 256, MESSAGE, p256.privateKey),
    signing('a digest with Ed25519', 'ERR_OSSL_INVALID_DIGEST', 'sha256', MESSAGE, ed25519.privateKey),
    signing('no data', 'ERR_INVALID_ARG_TYPE', 'sha256', undefined, p256.privateKey),
    signing('no key', 'ERR_CRYPTO_SIGN_KEY_REQUIRED', 'sha256', MESSAGE, undefined),
    signing('a public key', 'ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE', 'sha256', MESSAGE, p256.publicKey),
    signing('a secret key', 'ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE', 'sha256', MESSAGE, SECRET),
    signing(
      'a key that cannot sign',
      'ERR_OSSL_EVP_OPERATION_NOT_SUPPORTED_FOR_THIS_KEYTYPE',
      'sha256',
      MESSAGE,
      x25519.privateKey,
    ),
    signing('text that is no key', 'ERR_OSSL_UNSUPPORTED', 'sha256', MESSAGE, 'no key'),
    signing('a truncated key', 'ERR_OSSL_UNSUPPORTED', 'sha256', MESSAGE, PEM_P256.slice(0, 90)),
    signing(
      'a damaged key',
      'ERR_OSSL_UNSUPPORTED',
      'sha256',
      MESSAGE,
      PEM_P256.replace(/[A-Z]{3}/, 'AAA').slice(0, -40),
    ),
    signing('an encrypted key', 'ERR_OSSL_CRYPTO_INTERRUPTED_OR_CANCELLED', 'sha256', MESSAGE, { key: ENCRYPTED_P256 }),
    signing('a wrong passphrase', 'ERR_OSSL_BAD_DECRYPT', 'sha256', MESSAGE, {
      key: ENCRYPTED_P256,
      passphrase: 'wrong',
    }),
    signing('no such padding', 'ERR_OSSL_ILLEGAL_OR_UNSUPPORTED_PADDING_MODE', 'sha256', MESSAGE, {
      key: rsa.privateKey,
      padding: 77,
    }),
    signing('a padding that is no number', 'ERR_INVALID_ARG_VALUE', 'sha256', MESSAGE, {
      key: rsa.privateKey,
      padding: '1',
    }),
    signing('a salt that does not fit', 'ERR_OSSL_RSA_DATA_TOO_LARGE_FOR_KEY_SIZE', 'sha256', MESSAGE, {
      key: rsa.privateKey,
      ...PSS,
      saltLength: 9999,
    }),
    signing('a digest that does not fit the key', 'ERR_OSSL_RSA_DATA_TOO_LARGE_FOR_KEY_SIZE', 'sha512', MESSAGE, {
      key: rsa.privateKey,
      ...PSS,
      saltLength: 64,
    }),
    signing('no such encoding', 'ERR_INVALID_ARG_VALUE', 'sha256', MESSAGE, { key: p256.privateKey, dsaEncoding: 'x' }),
    verifying('another message', invalid, 'sha384', p256.publicKey, SIGNATURES.p256),
    verifying('an empty signature', invalid, 'sha256', p256.publicKey, Buffer.alloc(0)),
    verifying('a truncated signature', invalid, 'sha256', p256.publicKey, SIGNATURES.p256.subarray(0, 30)),
    verifying('a signature that is too long', invalid, 'sha256', rsa.publicKey, Buffer.alloc(5000, 1)),
    verifying('zeros', invalid, null, ed25519.publicKey, Buffer.alloc(64)),
    verifying(
      'DER where r and s are expected',
      invalid,
      'sha256',
      { key: p256.publicKey, dsaEncoding: 'ieee-p1363' },
      SIGNATURES.p256,
    ),
    verifying('another kind of key', invalid, 'sha256', rsa.publicKey, SIGNATURES.p256),
    verifying('a signature that is text', { code: 'ERR_INVALID_ARG_TYPE' }, 'sha256', p256.publicKey, 'signature'),
    verifying('a secret key', { code: 'ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE' }, 'sha256', SECRET, SIGNATURES.p256),
    verifying('no digest of this name', { code: 'ERR_CRYPTO_INVALID_DIGEST' }, 'none', p256.publicKey, SIGNATURES.p256),
    hashing('no digest of this name', undefined, 'sha257', MESSAGE),
    hashing('an empty name', undefined, '', MESSAGE),
    hashing('data that is a number', 'ERR_INVALID_ARG_TYPE', 'sha256', 7),
    hashing('a length that the digest cannot have', undefined, 'sha256', MESSAGE, {
      outputLength: 5,
    }),
    hashing('a negative length', 'ERR_OUT_OF_RANGE', 'shake128', MESSAGE, { outputLength: -1 }),
    hashing('no such encoding', 'ERR_INVALID_ARG_VALUE', 'sha256', MESSAGE, { outputEncoding: 'base65' }),
    hashing('no such option', 'ERR_INVALID_ARG_VALUE', 'sha256', MESSAGE, { outputSize: 5 }),
    hashing('no such provider', 'ERR_ASYNC_PROVIDER_NOT_LOADED', 'sha256', MESSAGE, { provider: 'no-such-provider' }),
    ...badSecretKeyCalls(library),
    ...badKeyPairCalls(library),
  ];
}

function badSecretKeyCalls({ encrypt, decrypt, hmac, hkdf, pbkdf2, scrypt, randomBytes }) {
  const bad = (operation, title, code, call) => ({ operation, title, code, call });
  const { data: sealed, authTag } = seal(MESSAGE);
  const otherTag = Buffer.alloc(16, 9);
  const otherData = Buffer.alloc(LARGE.length, 7);
  return [
    bad('encrypt', 'no cipher of this name', 'ERR_CRYPTO_UNKNOWN_CIPHER', (limits) =>
      encrypt('aes-257-gcm', SECRET, IV, MESSAGE, limits),
    ),
    bad('encrypt', 'a short key', 'ERR_CRYPTO_INVALID_KEYLEN', (limits) =>
      encrypt(GCM, Buffer.alloc(31), IV, MESSAGE, limits),
    ),
    bad('encrypt', 'an empty IV', 'ERR_CRYPTO_INVALID_IV', (limits) =>
      encrypt(GCM, SECRET, Buffer.alloc(0), MESSAGE, limits),
    ),
    bad('encrypt', 'a public key', 'ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE', (limits) =>
      encrypt(GCM, KEYS.rsa.publicKey, IV, MESSAGE, limits),
    ),
    bad('decrypt', 'another tag', undefined, (limits) =>
      decrypt(GCM, SECRET, IV, sealed, { ...limits, authTag: otherTag }),
    ),
    bad('decrypt', 'other data', undefined, (limits) => decrypt(GCM, SECRET, IV, otherData, { ...limits, authTag })),
    bad('decrypt', 'no tag', undefined, (limits) => decrypt(GCM, SECRET, IV, sealed, limits)),
    bad('hmac', 'no digest of this name', 'ERR_CRYPTO_INVALID_DIGEST', (limits) =>
      hmac('none', SECRET, MESSAGE, limits),
    ),
    bad('hkdf', 'more than it can give', 'ERR_CRYPTO_INVALID_KEYLEN', (limits) =>
      hkdf('sha256', SECRET, 'salt', '', 255 * 32 + 1, limits),
    ),
    bad('pbkdf2', 'no digest of this name', 'ERR_CRYPTO_INVALID_DIGEST', (limits) =>
      pbkdf2('password', 'salt', 1, 32, 'none', limits),
    ),
    bad('pbkdf2', 'no iterations', 'ERR_OUT_OF_RANGE', (limits) => pbkdf2('password', 'salt', 0, 32, 'sha256', limits)),
    bad('scrypt', 'a cost that is no power of two', 'ERR_CRYPTO_INVALID_SCRYPT_PARAMS', (limits) =>
      scrypt('password', 'salt', 32, { N: 63, ...limits }),
    ),
    bad('scrypt', 'more memory than allowed', 'ERR_CRYPTO_INVALID_SCRYPT_PARAMS', (limits) =>
      scrypt('password', 'salt', 32, { N: 64, maxmem: 1024, ...limits }),
    ),
    bad('randomBytes', 'a negative size', 'ERR_OUT_OF_RANGE', (limits) => randomBytes(-1, limits)),
  ];
}

function badKeyPairCalls({ diffieHellman, generateKeyPair, publicEncrypt, privateDecrypt }) {
  const bad = (operation, title, code, call) => ({ operation, title, code, call });
  const { rsa, p256, x25519 } = KEYS;
  return [
    bad('diffieHellman', 'keys of two types', 'ERR_CRYPTO_INCOMPATIBLE_KEY', (limits) =>
      diffieHellman({ privateKey: x25519.privateKey, publicKey: p256.publicKey }, limits),
    ),
    bad('diffieHellman', 'keys that cannot agree', 'ERR_CRYPTO_INCOMPATIBLE_KEY', (limits) =>
      diffieHellman({ privateKey: rsa.privateKey, publicKey: rsa.publicKey }, limits),
    ),
    bad('generateKeyPair', 'no such type', 'ERR_INVALID_ARG_VALUE', (limits) =>
      generateKeyPair('none', undefined, limits),
    ),
    bad('generateKeyPair', 'no such curve', 'ERR_CRYPTO_INVALID_CURVE', (limits) =>
      generateKeyPair('ec', { namedCurve: 'P-257' }, limits),
    ),
    bad('publicEncrypt', 'more than fits', 'ERR_OSSL_RSA_DATA_TOO_LARGE_FOR_KEY_SIZE', (limits) =>
      publicEncrypt(rsa.publicKey, LARGE, limits),
    ),
    bad('publicEncrypt', 'a key of another type', 'ERR_OSSL_EVP_OPERATION_NOT_SUPPORTED_FOR_THIS_KEYTYPE', (limits) =>
      publicEncrypt(p256.publicKey, MESSAGE, limits),
    ),
    bad('privateDecrypt', 'what was never encrypted', 'ERR_OSSL_RSA_OAEP_DECODING_ERROR', (limits) =>
      privateDecrypt(rsa.privateKey, Buffer.alloc(128, 1), limits),
    ),
  ];
}

const has = (library) => (row) => typeof library[row.operation] === 'function';

/** @returns {{ good: object[], bad: object[] }} the rows whose function `library` has */
function operationCorpus(library) {
  return { good: goodCalls(library).filter(has(library)), bad: badCalls(library).filter(has(library)) };
}

module.exports = { operationCorpus };
