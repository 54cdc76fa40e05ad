// Signatures of every kind of key, checked against node:crypto and published vectors.
import * as crypto from 'node:crypto';
import { createPrivateKey, createPublicKey, generateKeyPair, sign, verify, type SigningKey } from '../../../lib';
import { ECDSA, EDDSA, JSON_WEB_SIGNATURES } from '../../support/vectors';
import { rejectionCode } from '../../support/library';
import {
  BAD_PRIVATE_KEYS,
  BAD_PUBLIC_KEYS,
  DATA,
  expectSameError,
  hasOpenSSL,
  KEYS,
  MODES,
  privateForms,
  publicForms,
  type KeyName,
} from './support';

const {
  RSA_NO_PADDING,
  RSA_PKCS1_OAEP_PADDING,
  RSA_PKCS1_PADDING,
  RSA_PKCS1_PSS_PADDING,
  RSA_PSS_SALTLEN_AUTO,
  RSA_PSS_SALTLEN_DIGEST,
  RSA_PSS_SALTLEN_MAX_SIGN,
  RSA_X931_PADDING,
} = crypto.constants;

type Scheme = readonly [key: KeyName, digest: string | null, options: object];
const PSS = { padding: RSA_PKCS1_PSS_PADDING };

const SCHEMES: readonly Scheme[] = [
  ['rsa1024', 'sha256', {}],
  ['rsa1024', 'SHA512', {}],
  ['rsa1024', 'RSA-SHA1', {}],
  ['rsa1024', 'sha3-256', {}],
  ['rsa1024', 'md5-sha1', {}],
  ['rsa1024', null, {}],
  ['rsa2048', 'sha384', { padding: RSA_PKCS1_PADDING }],
  ['rsa1024', 'sha1', { padding: RSA_X931_PADDING }],
  ['rsa1024', 'sha256', PSS],
  ['rsa1024', null, PSS],
  ['rsa1024', 'sha256', { ...PSS, saltLength: 0 }],
  ['rsa1024', 'sha256', { ...PSS, saltLength: 17 }],
  ['rsa1024', 'sha256', { ...PSS, saltLength: RSA_PSS_SALTLEN_DIGEST }],
  ['rsa1024', 'sha256', { ...PSS, saltLength: RSA_PSS_SALTLEN_MAX_SIGN }],
  ['rsaPss', 'sha256', {}],
  ['rsaPss', null, {}],
  ['rsaPss', 'sha256', { saltLength: 20 }],
  ['rsaPss', 'sha256', { ...PSS, saltLength: 30 }],
  ['rsaPssFree', 'sha512', {}],
  ['rsaPssFree', 'sha1', PSS],
  ['dsa', 'sha256', {}],
  ['dsa', null, {}],
  ['dsa', 'sha1', { dsaEncoding: 'ieee-p1363' }],
  ['p256', 'sha256', {}],
  ['p256', null, {}],
  ['p256', 'sha512', { dsaEncoding: 'ieee-p1363' }],
  ['p256', 'sha1', { dsaEncoding: 'der' }],
  ['p384', 'sha384', {}],
  ['p521', 'sha512', { dsaEncoding: 'ieee-p1363' }],
  ['secp256k1', 'sha256', {}],
  ['brainpool', 'sha256', { dsaEncoding: 'ieee-p1363' }],
  ['p256Explicit', 'sha256', {}],
  ['ed25519', null, {}],
  ['ed448', null, {}],
  // Options of other kinds of keys are left alone.
  ['ed25519', null, { ...PSS, saltLength: 3, dsaEncoding: 'ieee-p1363' }],
  ['p256', 'sha256', PSS],
  ['rsa1024', 'sha256', { context: Buffer.alloc(0) }],
  ['rsa1024', 'sha256', { padding: -1 }],
];

describe.each(SCHEMES)('%s %s %o', (name, digest, options) => {
  const priv = { key: KEYS[name].privateKey, ...options };
  const pub = { key: KEYS[name].publicKey, ...options };

  test.each(MODES)('is verified by node:crypto, and the other way round: %s', async (mode) => {
    const signature = await sign(digest, DATA, priv, { mode });
    expect(crypto.verify(digest, DATA, pub, signature)).toBe(true);
    expect(await verify(digest, DATA, pub, crypto.sign(digest, DATA, priv), { mode })).toBe(true);
  });

  test('is not valid once anything changed', async () => {
    const signature = await sign(digest, DATA, priv);
    expect(await verify(digest, 'other data', pub, signature)).toBe(false);
    const changed = Buffer.from(signature);
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
    expect(await verify(digest, DATA, pub, changed)).toBe(false);
    for (const wrong of [Buffer.alloc(0), Buffer.concat([signature, Buffer.of(0)])]) {
      expect(await verify(digest, DATA, pub, wrong)).toBe(false);
    }
    // OpenSSL takes an RSA-PSS signature without its leading zeros.
    const shorter = signature.subarray(1);
    expect(await verify(digest, DATA, pub, shorter)).toBe(crypto.verify(digest, DATA, pub, shorter));
  });
});

test('PSS without a salt length has the longest salt, whatever the version of OpenSSL', async () => {
  const signature = await sign('sha256', DATA, { key: KEYS.rsa1024.privateKey, ...PSS });
  const longest = 128 - 32 - 2;
  const key = { key: KEYS.rsa1024.publicKey, ...PSS };
  expect(crypto.verify('sha256', DATA, { ...key, saltLength: longest }, signature)).toBe(true);
  expect(await verify('sha256', DATA, { ...key, saltLength: RSA_PSS_SALTLEN_AUTO }, signature)).toBe(true);
  expect(await verify('sha256', DATA, { ...key, saltLength: 20 }, signature)).toBe(false);
});

describe('vectors', () => {
  const part = (hex: string) => Buffer.from(hex, 'hex').toString('base64url');

  test.each(EDDSA)('RFC 8032, $source', async ({ type, privateKey, publicKey, message, context, signature }) => {
    const crv = type === 'ed25519' ? 'Ed25519' : 'Ed448';
    const jwk = { kty: 'OKP', crv, d: part(privateKey), x: part(publicKey) };
    const key = createPrivateKey({ key: jwk, format: 'jwk' });
    const data = Buffer.from(message, 'hex');
    const options = { key, context: context === undefined ? undefined : Buffer.from(context, 'hex') };
    if (context !== undefined && !hasOpenSSL(2)) {
      // Not signed without it: that would be another signature.
      expect(await rejectionCode(sign(null, data, options))).toBe('ERR_CRYPTO_OPERATION_FAILED');
      return;
    }
    expect((await sign(null, data, options)).toString('hex')).toBe(signature);
    expect(await verify(null, data, options, Buffer.from(signature, 'hex'))).toBe(true);
    if (context !== undefined) expect(await verify(null, data, key, Buffer.from(signature, 'hex'))).toBe(false);
  });

  test.each(ECDSA)('RFC 6979, $source, $message', async ({ curve, x, y, digest, message, r, s }) => {
    const jwk = { kty: 'EC', crv: curve, x: part(x), y: part(y) };
    const key = { key: jwk, format: 'jwk', dsaEncoding: 'ieee-p1363' } as const;
    expect(await verify(digest, message, key, Buffer.from(r + s, 'hex'))).toBe(true);
    expect(await verify(digest, `${message}.`, key, Buffer.from(r + s, 'hex'))).toBe(false);
  });

  test.each(JSON_WEB_SIGNATURES)('RFC 7515, $source', async ({ key: jwk, input, signature }) => {
    const key = { key: jwk, format: 'jwk', dsaEncoding: 'ieee-p1363' } as const;
    expect(await verify('sha256', input, key, Buffer.from(signature, 'base64url'))).toBe(true);
  });
});

const postQuantum = hasOpenSSL(5) && 'encapsulate' in crypto ? test : test.skip;
postQuantum.each(['ml-dsa-44', 'ml-dsa-65', 'slh-dsa-sha2-128f'] as const)('%s', async (type) => {
  const { publicKey, privateKey } = await generateKeyPair(type);
  const signature = await sign(null, DATA, privateKey);
  expect(crypto.verify(null, DATA, publicKey, signature)).toBe(true);
  expect(await verify(null, DATA, publicKey, crypto.sign(null, DATA, privateKey))).toBe(true);
  const context = Buffer.from('context');
  const bound = await sign(null, DATA, { key: privateKey, context });
  expect(await verify(null, DATA, { key: publicKey, context }, bound)).toBe(true);
  expect(await verify(null, DATA, publicKey, bound)).toBe(false);
});

describe.each(['rsa1024', 'p256', 'ed25519', 'dsa'] as const)('keys of %s', (name) => {
  const digest = name === 'ed25519' ? null : 'sha256';

  test.each(privateForms(name))('may be private in every form: %s', async (_form, key) => {
    const signature = await sign(digest, DATA, key as SigningKey);
    expect(crypto.verify(digest, DATA, KEYS[name].publicKey, signature)).toBe(true);
  });

  test.each(publicForms(name))('may be public in every form: %s', async (_form, key) => {
    const signature = crypto.sign(digest, DATA, KEYS[name].privateKey);
    expect(await verify(digest, DATA, key as SigningKey, signature)).toBe(true);
  });
});

test('keys may be CryptoKeys, or of this library', async () => {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
  const pair = await crypto.webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const signature = await sign('sha256', DATA, pair.privateKey);
  expect(await verify('sha256', DATA, pair.publicKey, signature)).toBe(true);
  expect(await verify('sha256', DATA, createPublicKey({ key: pair.publicKey }), signature)).toBe(true);
  const key = createPrivateKey(pair.privateKey);
  const dsaEncoding = 'ieee-p1363';
  const p1363 = await sign('sha256', DATA, { key, dsaEncoding });
  expect(p1363).toHaveLength(64);
  expect(await verify('sha256', DATA, { key, dsaEncoding }, p1363)).toBe(true);
});

test('data may be a string or bytes of any kind', async () => {
  const bytes = new Uint8Array(DATA);
  const shared = new SharedArrayBuffer(DATA.length);
  new Uint8Array(shared).set(DATA);
  const views = [DATA.toString(), bytes, bytes.buffer, new DataView(bytes.buffer), shared, new Uint8Array(shared)];
  const { privateKey, publicKey } = KEYS.ed25519;
  const expected = crypto.sign(null, DATA, privateKey);
  for (const data of views) {
    expect(await sign(null, data, privateKey)).toEqual(expected);
    expect(await verify(null, data, publicKey, new DataView(new Uint8Array(expected).buffer))).toBe(true);
  }
});

const BAD_CALLS: readonly [digest: unknown, key: KeyName, options: object, data?: unknown][] = [
  ['nonsense', 'rsa1024', {}],
  ['', 'rsa1024', {}],
  [5, 'rsa1024', {}],
  ['md4', 'rsa1024', {}],
  ['md4', 'p256', {}],
  ['shake256', 'rsa1024', {}],
  ['shake256', 'rsa1024', PSS],
  ['blake2b512', 'rsa1024', {}],
  ['sha256', 'ed25519', {}],
  ['sha256', 'ed448', {}],
  ['sha256', 'x25519', {}],
  [null, 'x25519', {}],
  ['sha256', 'dh', {}],
  ['sha1', 'rsaPss', {}],
  ['sha512', 'rsaPss', {}],
  ['sha256', 'rsaPss', { padding: RSA_PKCS1_PADDING }],
  ['sha256', 'rsaPss', { saltLength: 10 }],
  ['sha256', 'rsa1024', { padding: RSA_PKCS1_OAEP_PADDING }],
  ['sha256', 'rsa1024', { padding: RSA_NO_PADDING }],
  ['sha256', 'rsa1024', { padding: 77 }],
  ['sha256', 'rsa1024', { padding: 'x' }],
  ['sha256', 'rsa1024', { padding: null }],
  ['sha256', 'rsa1024', { padding: 1.5 }],
  ['sha256', 'rsa1024', { padding: 2 ** 31 }],
  ['sha256', 'rsa1024', { ...PSS, saltLength: 'x' }],
  ['sha256', 'rsa1024', { ...PSS, saltLength: -5 }],
  ['sha256', 'p256', { dsaEncoding: 'nonsense' }],
  ['sha256', 'p256', { dsaEncoding: null }],
  ['sha256', 'rsa1024', {}, 5],
  ['sha256', 'rsa1024', {}, null],
  ['sha256', 'rsa1024', {}, undefined],
];

describe('calls fail as in node:crypto', () => {
  test.each(BAD_CALLS)('%p %s %o', async (digest, name, options, ...rest) => {
    const data = (rest.length === 0 ? DATA : rest[0]) as Buffer;
    const algorithm = digest as string;
    const priv = { key: KEYS[name].privateKey, ...options };
    const pub = { key: KEYS[name].publicKey, ...options };
    for (const mode of MODES) {
      await expectSameError(
        () => sign(algorithm, data, priv, { mode }),
        () => crypto.sign(algorithm, data, priv),
      );
      await expectSameError(
        () => verify(algorithm, data, pub, Buffer.alloc(128), { mode }),
        () => crypto.verify(algorithm, data, pub, Buffer.alloc(128)),
      );
    }
  });

  test('a salt that does not fit', async () => {
    const key = { key: KEYS.rsa1024.privateKey, ...PSS, saltLength: 1000 };
    await expectSameError(
      () => sign('sha256', DATA, key),
      () => crypto.sign('sha256', DATA, key),
    );
    expect(await verify('sha256', DATA, key, Buffer.alloc(128))).toBe(false);
  });

  test.each(BAD_PRIVATE_KEYS)('no private key: %s', async (_what, key) => {
    await expectSameError(
      () => sign('sha256', DATA, key as SigningKey),
      () => crypto.sign('sha256', DATA, key as crypto.KeyObject),
    );
  });

  test.each(BAD_PUBLIC_KEYS)('no public key: %s', async (_what, key) => {
    await expectSameError(
      () => verify('sha256', DATA, key as SigningKey, Buffer.alloc(1)),
      () => crypto.verify('sha256', DATA, key as crypto.KeyObject, Buffer.alloc(1)),
    );
  });

  test.each([null, false, 0])('no key to sign with: %p', async (key) => {
    await expectSameError(
      () => sign('sha256', DATA, key as unknown as SigningKey),
      () => crypto.sign('sha256', DATA, key as unknown as crypto.KeyObject),
    );
  });

  test.each([5, null, undefined, {}, 'text'])('no signature: %p', async (signature) => {
    const call = verify('sha256', DATA, KEYS.rsa1024.publicKey, signature as Buffer);
    expect(await rejectionCode(call)).toBe('ERR_INVALID_ARG_TYPE');
  });
});

describe('a context string', () => {
  const signWith = (name: KeyName, context: unknown) =>
    sign(name === 'rsa1024' ? 'sha256' : null, DATA, { key: KEYS[name].privateKey, context: context as Buffer });

  test('is refused where it has no meaning', async () => {
    expect(await rejectionCode(signWith('rsa1024', Buffer.from('a')))).toBe('ERR_CRYPTO_OPERATION_FAILED');
  });

  test.each(['text', 5, null, new ArrayBuffer(1)])('has to be bytes: %p', async (context) => {
    expect(await rejectionCode(signWith('ed448', context))).toBe('ERR_INVALID_ARG_TYPE');
  });

  test('has at most 255 bytes', async () => {
    expect(await rejectionCode(signWith('ed448', Buffer.alloc(256)))).toBe('ERR_OUT_OF_RANGE');
  });

  test('is none when it is empty', async () => {
    const signature = await signWith('ed448', Buffer.alloc(0));
    expect(signature).toEqual(crypto.sign(null, DATA, KEYS.ed448.privateKey));
  });
});
