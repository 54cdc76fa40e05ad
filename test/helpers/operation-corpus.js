'use strict';

// Calls of operations, good and bad, for programs that run many of them. To extend it, add rows: those whose function
// the library does not have are left out.
//
//   operation  the exported function
//   title      what is special about the arguments
//   call       (options) => a promise; `options` are those that every operation takes
//   isRight    of a good call: whether the result is what it should be
//   code       of a bad call: what it rejects with; `value` instead, when it is not an error

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

const PKCS8_PEM = { type: 'pkcs8', format: 'pem' };
const PEM_P256 = KEYS.p256.privateKey.export(PKCS8_PEM);
const ENCRYPTED_P256 = KEYS.p256.privateKey.export({ ...PKCS8_PEM, cipher: 'aes-128-cbc', passphrase: 'right' });
const SIGNATURES = {
  rsa: crypto.sign('sha256', MESSAGE, KEYS.rsa.privateKey),
  p256: crypto.sign('sha256', MESSAGE, KEYS.p256.privateKey),
  ed25519: crypto.sign(null, MESSAGE, KEYS.ed25519.privateKey),
};

const isSignature =
  (digest, { publicKey }, options = {}) =>
  (signature) =>
    crypto.verify(digest, MESSAGE, { key: publicKey, ...options }, signature);

function goodCalls({ sign, verify, hash }) {
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
  ];
}

function badCalls({ sign, verify, hash }) {
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
    hashing('no digest of this name', 'ERR_CRYPTO_INVALID_DIGEST', 'sha257', MESSAGE),
    hashing('an empty name', 'ERR_CRYPTO_INVALID_DIGEST', '', MESSAGE),
    hashing('data that is a number', 'ERR_INVALID_ARG_TYPE', 'sha256', 7),
    hashing('a length that the digest cannot have', 'ERR_CRYPTO_OPERATION_FAILED', 'sha256', MESSAGE, {
      outputLength: 5,
    }),
    hashing('a negative length', 'ERR_OUT_OF_RANGE', 'shake128', MESSAGE, { outputLength: -1 }),
    hashing('no such encoding', 'ERR_INVALID_ARG_VALUE', 'sha256', MESSAGE, { outputEncoding: 'base65' }),
    hashing('no such option', 'ERR_INVALID_ARG_VALUE', 'sha256', MESSAGE, { outputSize: 5 }),
    hashing('no such provider', 'ERR_CRYPTO_INVALID_DIGEST', 'sha256', MESSAGE, { provider: 'no-such-provider' }),
  ];
}

const has = (library) => (row) => typeof library[row.operation] === 'function';

/** @returns {{ good: object[], bad: object[] }} the rows whose function `library` has */
function operationCorpus(library) {
  return { good: goodCalls(library).filter(has(library)), bad: badCalls(library).filter(has(library)) };
}

module.exports = { operationCorpus };
