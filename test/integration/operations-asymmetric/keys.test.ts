// Keys: what is read, what is refused, and what a key shows of itself.
import * as crypto from 'node:crypto';
import { inspect } from 'node:util';
import { AsyncKey, createPrivateKey, createPublicKey, sign, verify, type KeyLike } from '../../../lib';
import { CERTIFICATES, PRIVATE_KEYS } from '../../support/keys';
import { codeOf } from '../../support/library';
import {
  BAD_PRIVATE_KEYS,
  BAD_PUBLIC_KEYS,
  DATA,
  expectSameError,
  KEYS,
  privateForms,
  publicForms,
  SECRET_KEY,
  type KeyName,
} from './support';

const NAMES = Object.keys(PRIVATE_KEYS) as KeyName[];

describe.each(NAMES)('%s', (name) => {
  const { privateKey, publicKey } = KEYS[name];

  test.each(privateForms(name))('is read as a private key: %s', (_form, key) => {
    const read = createPrivateKey(key as KeyLike);
    expect(read).toBeInstanceOf(AsyncKey);
    expect(read.type).toBe('private');
    expect(read.equals(privateKey)).toBe(true);
  });

  test.each(publicForms(name))('is read as a public key: %s', (_form, key) => {
    const read = createPublicKey(key as KeyLike);
    expect(read.type).toBe('public');
    expect(read.equals(publicKey)).toBe(true);
  });

  test('has the type and the details that node:crypto names', () => {
    for (const [key, expected] of [
      [createPrivateKey(privateKey), privateKey],
      [createPublicKey(privateKey), publicKey],
    ] as const) {
      expect(key.asymmetricKeyType).toBe(expected.asymmetricKeyType);
      expect(key.asymmetricKeyDetails).toEqual(expected.asymmetricKeyDetails);
      expect(key.toKeyObject().equals(expected)).toBe(true);
    }
  });

  test('is exported as node:crypto exports it', () => {
    const pem = { format: 'pem', type: 'pkcs8' } as const;
    const der = { format: 'der', type: 'spki' } as const;
    expect(createPrivateKey(privateKey).export(pem)).toBe(privateKey.export(pem));
    expect(createPublicKey(privateKey).export(der)).toEqual(publicKey.export(der));
  });
});

test('a key is what it was read from, not a copy', () => {
  const key = createPrivateKey(KEYS.p256.privateKey);
  expect(createPrivateKey(key)).toBe(key);
  expect(key.toKeyObject()).toBe(KEYS.p256.privateKey);
  const publicKey = createPublicKey(key);
  expect(createPublicKey(publicKey)).toBe(publicKey);
});

test('keys are equal when their type and content are', () => {
  const [key, other] = [createPrivateKey(KEYS.p256.privateKey), createPrivateKey(KEYS.p256Other.privateKey)];
  expect(key.equals(createPrivateKey(PRIVATE_KEYS.p256))).toBe(true);
  expect(key.equals(other)).toBe(false);
  expect(key.equals(createPublicKey(key))).toBe(false);
  expect(codeOf(() => key.equals(5 as unknown as AsyncKey))).toBe('ERR_INVALID_ARG_TYPE');
});

describe('a key shows nothing of its content', () => {
  const { d = '', x = '' } = KEYS.ed25519.privateKey.export({ format: 'jwk' });
  const raw = Buffer.from(d, 'base64url').toString('hex');

  test.each([createPrivateKey(KEYS.ed25519.privateKey), createPublicKey(KEYS.ed25519.privateKey)])(
    'when it is printed: $type',
    (key) => {
      const shown = [
        inspect(key, { depth: Infinity, showHidden: true }),
        inspect({ key }),
        JSON.stringify(key),
        inspect(Object.getOwnPropertyDescriptors(key)),
      ].join('\n');
      expect(shown).toContain(`type: '${key.type}'`);
      for (const content of [d, x, raw]) expect(shown).not.toContain(content);
    },
  );

  test('type and size are shown', () => {
    expect(inspect(createPrivateKey(KEYS.rsa1024.privateKey))).toBe("AsyncKey { type: 'private', key: 'RSA-1024' }");
    expect(inspect(createPublicKey(KEYS.p256.publicKey))).toBe("AsyncKey { type: 'public', key: 'EC-prime256v1' }");
    expect(inspect(createPublicKey(KEYS.ed25519.publicKey))).toBe("AsyncKey { type: 'public', key: 'ed25519' }");
    expect(JSON.stringify(createPrivateKey(KEYS.rsa1024.privateKey))).toBe('{}');
  });

  // On Node.js 20 that may wait for itself for ever, when the object that generated the key is collected meanwhile.
  test.each(NAMES)('a first use asks Node.js for no details: %s', async (name) => {
    const pem = PRIVATE_KEYS[name];
    const asymmetric = Object.getPrototypeOf(Object.getPrototypeOf(crypto.createPrivateKey(pem))) as object;
    const asked = jest.spyOn(asymmetric as crypto.KeyObject, 'asymmetricKeyDetails', 'get');
    try {
      const attempt = sign(null, DATA, crypto.createPrivateKey(pem));
      await attempt.catch(() => undefined); // not every type signs
      expect(asked).not.toHaveBeenCalled();
      expect(crypto.createPrivateKey(pem).asymmetricKeyDetails).toBeDefined();
      expect(asked).toHaveBeenCalledTimes(1);
    } finally {
      asked.mockRestore();
    }
  });

  const SECRET = 'U2VjcmV0IHZhbHVl';
  test.each<[string, unknown]>([
    ['a passphrase', { key: PRIVATE_KEYS.rsa1024, passphrase: { value: SECRET } }],
    ['a JWK', { key: SECRET, format: 'jwk' }],
    ['a part of a JWK', { key: { kty: 'OKP', crv: 'Ed25519', x, d: { value: SECRET } }, format: 'jwk' }],
    ['PEM', `-----BEGIN PRIVATE KEY-----\n${SECRET}\n-----END PRIVATE KEY-----\n`],
    ['bytes', { key: Buffer.from(SECRET), format: 'der', type: 'pkcs8' }],
    ['an object', { key: { secret: SECRET } }],
    ['a type', { key: PRIVATE_KEYS.rsa1024, format: SECRET }],
  ])('in the error about %s', (_what, key) => {
    let error: unknown;
    try {
      createPrivateKey(key as KeyLike);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toHaveProperty('code');
    expect(`${(error as Error).message} ${String((error as Error).stack)}`).not.toContain(SECRET);
  });
});

describe('fails as in node:crypto', () => {
  test.each(BAD_PRIVATE_KEYS)('no private key: %s', async (_what, key) => {
    // crypto.createPrivateKey() takes no KeyObject.
    if (key instanceof crypto.KeyObject || (key as { key?: unknown } | undefined)?.key instanceof crypto.KeyObject) {
      expect(codeOf(() => createPrivateKey(key as KeyLike))).toBe('ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE');
      return;
    }
    await expectSameError(
      () => Promise.resolve(createPrivateKey(key as KeyLike)),
      () => crypto.createPrivateKey(key as crypto.PrivateKeyInput),
    );
  });

  test.each(BAD_PUBLIC_KEYS)('no public key: %s', async (_what, key) => {
    await expectSameError(
      () => Promise.resolve(createPublicKey(key as KeyLike)),
      () => crypto.createPublicKey(key as crypto.PublicKeyInput),
      'ERR_ASYNC_INVALID_KEY',
    );
  });

  test('a public key in the place of a private one', () => {
    for (const key of [KEYS.p256.publicKey, createPublicKey(KEYS.p256.publicKey), { key: KEYS.p256.publicKey }]) {
      expect(codeOf(() => createPrivateKey(key))).toBe('ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE');
    }
    expect(codeOf(() => createPublicKey(SECRET_KEY))).toBe('ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE');
  });
});

test('certificates are read for their public key', async () => {
  const signature = await sign('sha256', DATA, PRIVATE_KEYS.p256);
  expect(await verify('sha256', DATA, CERTIFICATES.p256, signature)).toBe(true);
  expect(await verify('sha256', DATA, new crypto.X509Certificate(CERTIFICATES.p256).publicKey, signature)).toBe(true);
});

test('one key serves many calls in flight', async () => {
  const key = createPrivateKey(KEYS.p256.privateKey);
  const signatures = await Promise.all(
    Array.from({ length: 50 }, (_, index) => sign('sha256', `message ${index}`, key, { mode: 'offload' })),
  );
  const checks = signatures.map((signature, index) => verify('sha256', `message ${index}`, key, signature));
  expect(await Promise.all(checks)).toEqual(signatures.map(() => true));
});
