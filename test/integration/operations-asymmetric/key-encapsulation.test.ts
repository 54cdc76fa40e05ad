// Key encapsulation, checked against node:crypto where it has it (Node.js 24).
import * as crypto from 'node:crypto';
import {
  createPrivateKey,
  createPublicKey,
  decapsulate,
  encapsulate,
  generateKeyPair,
  type KeyLike,
} from '../../../lib';
import { rejection, rejectionCode } from '../../support/library';
import {
  BAD_PRIVATE_KEYS,
  BAD_PUBLIC_KEYS,
  expectSameError,
  hasOpenSSL,
  KEYS,
  MODES,
  privateForms,
  publicForms,
  type KeyName,
} from './support';

interface NodeEncapsulation {
  encapsulate(key: crypto.KeyObject): { sharedKey: Buffer; ciphertext: Buffer };
  decapsulate(key: crypto.KeyObject, ciphertext: Buffer): Buffer;
}
const node = 'encapsulate' in crypto ? (crypto as unknown as NodeEncapsulation) : undefined;

type Mechanism = readonly [name: KeyName, sharedKeyBytes: number, ciphertextBytes: number];
const DHKEM: readonly Mechanism[] = [
  ['x25519', 32, 32],
  ['x448', 64, 56],
  ['p256', 32, 65],
  ['p384', 48, 97],
  ['p521', 64, 133],
];
const MECHANISMS: readonly Mechanism[] = [['rsa1024', 128, 128], ...(hasOpenSSL(2) ? DHKEM : [])];

describe.each(MECHANISMS)('%s', (name, sharedKeyBytes, ciphertextBytes) => {
  const { publicKey, privateKey } = KEYS[name];

  test.each(MODES)('both sides get the same key, a new one each time: %s', async (mode) => {
    const first = await encapsulate(publicKey, { mode });
    const second = await encapsulate(publicKey, { mode });
    expect(first.sharedKey).toHaveLength(sharedKeyBytes);
    expect(first.ciphertext).toHaveLength(ciphertextBytes);
    expect(first.sharedKey).not.toEqual(second.sharedKey);
    expect(await decapsulate(privateKey, first.ciphertext, { mode })).toEqual(first.sharedKey);
    expect(await decapsulate(privateKey, second.ciphertext, { mode })).toEqual(second.sharedKey);
  });

  (node === undefined ? test.skip : test)('node:crypto reads what it makes, and the other way round', async () => {
    const ours = await encapsulate(publicKey);
    expect(node?.decapsulate(privateKey, ours.ciphertext)).toEqual(ours.sharedKey);
    const theirs = node?.encapsulate(publicKey) as { sharedKey: Buffer; ciphertext: Buffer };
    expect(await decapsulate(privateKey, theirs.ciphertext)).toEqual(theirs.sharedKey);
  });

  test.each([0, 5, ciphertextBytes + 1])('a ciphertext of %i bytes is none', async (size) => {
    expect(await rejectionCode(decapsulate(privateKey, Buffer.alloc(size, 1)))).toBe('ERR_CRYPTO_OPERATION_FAILED');
  });
});

const postQuantum = hasOpenSSL(5) && node !== undefined ? test : test.skip;
postQuantum.each(['ml-kem-512', 'ml-kem-768', 'ml-kem-1024'] as const)('%s', async (type) => {
  const { publicKey, privateKey } = await generateKeyPair(type);
  const { sharedKey, ciphertext } = await encapsulate(publicKey);
  expect(sharedKey).toHaveLength(32);
  expect(await decapsulate(privateKey, ciphertext)).toEqual(sharedKey);
  expect(node?.decapsulate(privateKey, ciphertext)).toEqual(sharedKey);
  // FIPS 203 rejects implicitly.
  const wrong = await decapsulate(privateKey, Buffer.alloc(ciphertext.length, 1));
  expect(wrong).toHaveLength(32);
  expect(wrong).toEqual(node?.decapsulate(privateKey, Buffer.alloc(ciphertext.length, 1)));
});

test('RSASVE gives the number that was encrypted, without padding', async () => {
  const { sharedKey, ciphertext } = await encapsulate(KEYS.rsa1024.publicKey);
  const padding = crypto.constants.RSA_NO_PADDING;
  expect(crypto.privateDecrypt({ key: KEYS.rsa1024.privateKey, padding }, ciphertext)).toEqual(sharedKey);
});

test.each(publicForms('rsa1024'))('public keys may have every form: %s', async (_form, key) => {
  const { sharedKey, ciphertext } = await encapsulate(key as KeyLike);
  expect(await decapsulate(KEYS.rsa1024.privateKey, ciphertext)).toEqual(sharedKey);
});

test.each(privateForms('rsa1024'))('private keys may have every form: %s', async (_form, key) => {
  const { sharedKey, ciphertext } = await encapsulate(KEYS.rsa1024.publicKey);
  expect(await decapsulate(key as KeyLike, ciphertext)).toEqual(sharedKey);
});

test("keys may be this library's", async () => {
  const { sharedKey, ciphertext } = await encapsulate(createPublicKey(KEYS.rsa1024.publicKey));
  expect(await decapsulate(createPrivateKey(KEYS.rsa1024.privateKey), ciphertext)).toEqual(sharedKey);
});

describe('fails', () => {
  test.each(['ed25519', 'ed448', 'dsa', 'rsaPss', 'dh'] as const)('with a key that cannot: %s', async (name) => {
    const failed = 'ERR_CRYPTO_OPERATION_FAILED';
    expect(await rejectionCode(encapsulate(KEYS[name].publicKey))).toBe(failed);
    expect(await rejectionCode(decapsulate(KEYS[name].privateKey, Buffer.alloc(32)))).toBe(failed);
  });

  (hasOpenSSL(2) ? test.skip : test).each(['p256', 'x25519', 'x448'] as const)(
    'with a type whose mechanism OpenSSL lacks: %s',
    async (name) => {
      const error = await rejection(encapsulate(KEYS[name].publicKey));
      expect(error).toMatchObject({ name: 'Error', code: 'ERR_CRYPTO_KEM_NOT_SUPPORTED' });
      const decapsulation = decapsulate(KEYS[name].privateKey, Buffer.alloc(32));
      expect(await rejectionCode(decapsulation)).toBe('ERR_CRYPTO_KEM_NOT_SUPPORTED');
    },
  );

  test('with a curve that has none', async () => {
    expect(await rejectionCode(encapsulate(KEYS.secp256k1.publicKey))).toBe(
      hasOpenSSL(2) ? 'ERR_CRYPTO_OPERATION_FAILED' : 'ERR_CRYPTO_KEM_NOT_SUPPORTED',
    );
  });

  test.each([5, undefined, null, {}])('with a ciphertext of the wrong type: %p', async (ciphertext) => {
    const call = decapsulate(KEYS.rsa1024.privateKey, ciphertext as Buffer);
    expect(await rejectionCode(call)).toBe('ERR_INVALID_ARG_TYPE');
  });

  // The ways to read keys are those of signing.
  test.each(BAD_PUBLIC_KEYS.filter(([, key]) => key !== undefined))('with no public key: %s', async (_what, key) => {
    await expectSameError(
      () => encapsulate(key as KeyLike),
      () => crypto.verify('sha256', Buffer.alloc(1), key as crypto.KeyObject, Buffer.alloc(1)),
    );
  });

  test.each(BAD_PRIVATE_KEYS.filter(([, key]) => Boolean(key)))('with no private key: %s', async (_what, key) => {
    await expectSameError(
      () => decapsulate(key as KeyLike, Buffer.alloc(1)),
      () => crypto.sign('sha256', Buffer.alloc(1), key as crypto.KeyObject),
    );
  });
});
