// RSA encryption, in both directions with node:crypto.
import * as crypto from 'node:crypto';
import {
  createPrivateKey,
  createPublicKey,
  privateDecrypt,
  privateEncrypt,
  publicDecrypt,
  publicEncrypt,
  type AsymmetricCipherKey,
} from '../../../lib';
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
} from './support';

const { RSA_NO_PADDING, RSA_PKCS1_OAEP_PADDING, RSA_PKCS1_PADDING } = crypto.constants;
const { publicKey, privateKey } = KEYS.rsa1024;
const MODULUS_BYTES = 128;

// As long as the modulus, and less than it.
const FULL = Buffer.concat([Buffer.alloc(1), crypto.randomBytes(MODULUS_BYTES - 1)]);

const PADDINGS = [
  { name: 'by default', with: {}, sizes: [0, 1, 86] },
  { name: 'OAEP', with: { padding: RSA_PKCS1_OAEP_PADDING }, sizes: [0, 86] },
  { name: 'OAEP with SHA-256', with: { oaepHash: 'sha256' }, sizes: [0, 62] },
  { name: 'OAEP with SHA-384', with: { oaepHash: 'SHA384' }, sizes: [30] },
  { name: 'OAEP with a label of bytes', with: { oaepLabel: Buffer.from('label') }, sizes: [0, 86] },
  { name: 'OAEP with a label of text', with: { oaepLabel: 'label', oaepHash: 'sha256' }, sizes: [62] },
  { name: 'OAEP with an empty label', with: { oaepLabel: '' }, sizes: [86] },
  { name: 'no padding', with: { padding: RSA_NO_PADDING }, sizes: [MODULUS_BYTES] },
];
const dataOf = (size: number) => (size === MODULUS_BYTES ? FULL : crypto.randomBytes(size));

describe.each(PADDINGS)('what is encrypted with a public key: $name', ({ with: options, sizes }) => {
  test.each(sizes)('is read by node:crypto, and the other way round: %i bytes', async (size) => {
    const data = dataOf(size);
    const [pub, priv] = [
      { key: publicKey, ...options } as crypto.RsaPublicKey,
      { key: privateKey, ...options } as crypto.RsaPrivateKey,
    ] as const;
    expect(crypto.privateDecrypt(priv, await publicEncrypt(pub, data))).toEqual(data);
    expect(await privateDecrypt(priv, crypto.publicEncrypt(pub, data))).toEqual(data);
  });
});

describe('what is encrypted with a private key', () => {
  test.each([
    ['PKCS#1', { padding: RSA_PKCS1_PADDING }, 117],
    ['by default', {}, 0],
    ['no padding', { padding: RSA_NO_PADDING }, MODULUS_BYTES],
  ])('is the same as of node:crypto, which reads it: %s', async (_name, options, size) => {
    const data = dataOf(size);
    const sealed = await privateEncrypt({ key: privateKey, ...options }, data);
    expect(sealed).toEqual(crypto.privateEncrypt({ key: privateKey, ...options }, data));
    expect(crypto.publicDecrypt({ key: publicKey, ...options }, sealed)).toEqual(data);
    expect(await publicDecrypt({ key: publicKey, ...options }, sealed)).toEqual(data);
  });
});

describe('PKCS#1 v1.5', () => {
  const pub = { key: publicKey, padding: RSA_PKCS1_PADDING };
  const priv = { key: privateKey, padding: RSA_PKCS1_PADDING };

  test('is encrypted with', async () => {
    const sealed = await publicEncrypt(pub, DATA);
    const padded = await privateDecrypt({ key: privateKey, padding: RSA_NO_PADDING }, sealed);
    expect([...padded.subarray(0, 2)]).toEqual([0, 2]);
    expect(padded.subarray(-DATA.length)).toEqual(DATA);
  });

  const implicit = hasOpenSSL(2) ? test : test.skip;
  implicit('gives what looks random for a ciphertext that is none, always the same', async () => {
    const wrong = Buffer.alloc(MODULUS_BYTES, 1);
    const plaintext = await privateDecrypt(priv, wrong);
    expect(plaintext).toEqual(await privateDecrypt(priv, wrong));
    expect(plaintext).toEqual(crypto.privateDecrypt(priv, wrong));
    expect(await privateDecrypt(priv, crypto.publicEncrypt(pub, DATA))).toEqual(DATA);
  });

  const explicit = hasOpenSSL(2) ? test.skip : test;
  explicit('is not decrypted where OpenSSL would tell whether the padding was right', async () => {
    const sealed = crypto.publicEncrypt(pub, DATA);
    await expectSameError(
      () => privateDecrypt(priv, sealed),
      () => crypto.privateDecrypt(priv, sealed),
    );
  });
});

describe('keys', () => {
  test.each(publicForms('rsa1024'))('may be public in every form: %s', async (_form, key) => {
    const sealed = await publicEncrypt(key as AsymmetricCipherKey, DATA);
    expect(crypto.privateDecrypt(privateKey, sealed)).toEqual(DATA);
    expect(await publicDecrypt(key as AsymmetricCipherKey, crypto.privateEncrypt(privateKey, DATA))).toEqual(DATA);
  });

  test.each(privateForms('rsa1024'))('may be private in every form: %s', async (_form, key) => {
    expect(await privateDecrypt(key as AsymmetricCipherKey, crypto.publicEncrypt(publicKey, DATA))).toEqual(DATA);
    const sealed = await privateEncrypt(key as AsymmetricCipherKey, DATA);
    expect(crypto.publicDecrypt(publicKey, sealed)).toEqual(DATA);
  });

  test('may be ones of this library, with options or without', async () => {
    const [pub, priv] = [createPublicKey(publicKey), createPrivateKey(privateKey)];
    expect(await privateDecrypt(priv, await publicEncrypt(pub, DATA))).toEqual(DATA);
    const oaepHash = 'sha256';
    expect(await privateDecrypt({ key: priv, oaepHash }, await publicEncrypt({ key: pub, oaepHash }, DATA))).toEqual(
      DATA,
    );
  });

  test.each(BAD_PRIVATE_KEYS)('that are not private fail as in node:crypto: %s', async (_what, key) => {
    const sealed = Buffer.alloc(MODULUS_BYTES);
    await expectSameError(
      () => privateDecrypt(key as AsymmetricCipherKey, sealed),
      () => crypto.privateDecrypt(key as crypto.RsaPrivateKey, sealed),
    );
    await expectSameError(
      () => privateEncrypt(key as AsymmetricCipherKey, DATA),
      () => crypto.privateEncrypt(key as crypto.RsaPrivateKey, DATA),
    );
  });

  test.each(BAD_PUBLIC_KEYS)('that are not public fail as in node:crypto: %s', async (_what, key) => {
    await expectSameError(
      () => publicEncrypt(key as AsymmetricCipherKey, DATA),
      () => crypto.publicEncrypt(key as crypto.RsaPublicKey, DATA),
    );
    await expectSameError(
      () => publicDecrypt(key as AsymmetricCipherKey, FULL),
      () => crypto.publicDecrypt(key as crypto.RsaPublicKey, FULL),
    );
  });

  test.each(['p256', 'ed25519', 'x25519', 'dsa', 'rsaPss', 'dh'] as const)('of %s cannot encrypt', async (name) => {
    const { publicKey: pub, privateKey: priv } = KEYS[name];
    const pairs = [
      [() => publicEncrypt(pub, DATA), () => crypto.publicEncrypt(pub, DATA)],
      [() => privateDecrypt(priv, FULL), () => crypto.privateDecrypt(priv, FULL)],
      [() => privateEncrypt(priv, DATA), () => crypto.privateEncrypt(priv, DATA)],
      [() => publicDecrypt(pub, FULL), () => crypto.publicDecrypt(pub, FULL)],
    ] as const;
    for (const [ours, theirs] of pairs) {
      // DSA and ECDSA sign data that were not hashed.
      if (await succeeds(theirs)) await ours();
      else await expectSameError(ours, theirs);
    }
  });
});

async function succeeds(action: () => unknown): Promise<boolean> {
  try {
    await action();
    return true;
  } catch {
    return false;
  }
}

const BAD_CALLS: readonly [what: string, operation: keyof typeof OPERATIONS, options: object, data: unknown][] = [
  ['too much data', 'publicEncrypt', {}, Buffer.alloc(87)],
  ['too much data for the digest', 'publicEncrypt', { oaepHash: 'sha256' }, Buffer.alloc(63)],
  ['a digest too large for the key', 'publicEncrypt', { oaepHash: 'sha512' }, Buffer.alloc(1)],
  ['an enormous amount of data', 'publicEncrypt', {}, Buffer.alloc(1_000_000)],
  ['too little data without padding', 'publicEncrypt', { padding: RSA_NO_PADDING }, DATA],
  ['a number beyond the modulus', 'publicEncrypt', { padding: RSA_NO_PADDING }, Buffer.alloc(MODULUS_BYTES, 255)],
  ['no such padding', 'publicEncrypt', { padding: 77 }, DATA],
  ['a negative padding', 'publicEncrypt', { padding: -1 }, DATA],
  ['PSS', 'publicEncrypt', { padding: crypto.constants.RSA_PKCS1_PSS_PADDING }, DATA],
  ['an unknown digest', 'publicEncrypt', { oaepHash: 'nonsense' }, DATA],
  ['a digest without a name', 'publicEncrypt', { oaepHash: '' }, DATA],
  ['an unknown digest, though it is not used', 'publicEncrypt', { oaepHash: 'nonsense', padding: 1 }, DATA],
  ['a digest that is no string', 'publicEncrypt', { oaepHash: 5 }, DATA],
  ['a label of the wrong type', 'publicEncrypt', { oaepLabel: 5 }, DATA],
  ['data of the wrong type', 'publicEncrypt', {}, 5],
  ['no data', 'publicEncrypt', {}, undefined],
  ['a ciphertext that is none', 'privateDecrypt', {}, Buffer.alloc(MODULUS_BYTES, 1)],
  ['a short ciphertext', 'privateDecrypt', {}, Buffer.alloc(12, 1)],
  ['an empty ciphertext', 'privateDecrypt', {}, Buffer.alloc(0)],
  ['a long ciphertext', 'privateDecrypt', {}, Buffer.alloc(MODULUS_BYTES + 1, 1)],
  ['another label', 'privateDecrypt', { oaepLabel: 'other' }, crypto.publicEncrypt(publicKey, DATA)],
  ['another digest', 'privateDecrypt', { oaepHash: 'sha256' }, crypto.publicEncrypt(publicKey, DATA)],
  ['too much to sign', 'privateEncrypt', {}, Buffer.alloc(118)],
  ['OAEP with a private key', 'privateEncrypt', { padding: RSA_PKCS1_OAEP_PADDING }, DATA],
  ['PSS with a private key', 'privateEncrypt', { padding: crypto.constants.RSA_PKCS1_PSS_PADDING }, DATA],
  ['what no private key made', 'publicDecrypt', {}, Buffer.alloc(MODULUS_BYTES, 1)],
  ['what is too short', 'publicDecrypt', {}, Buffer.alloc(5)],
  ['what is empty', 'publicDecrypt', {}, Buffer.alloc(0)],
  ['OAEP with a public key', 'publicDecrypt', { padding: RSA_PKCS1_OAEP_PADDING }, FULL],
];
const OPERATIONS = { publicEncrypt, privateDecrypt, privateEncrypt, publicDecrypt };

describe('calls fail as in node:crypto', () => {
  test.each(BAD_CALLS)('%s: %s', async (_what, operation, options, data) => {
    const key = { key: operation.startsWith('public') ? publicKey : privateKey, ...options };
    for (const mode of MODES) {
      await expectSameError(
        () => OPERATIONS[operation](key, data as Buffer, { mode }),
        () => crypto[operation](key, data as Buffer),
      );
    }
  });
});

test('a call that failed does not spoil the next one', async () => {
  const sealed = crypto.publicEncrypt(publicKey, DATA);
  for (let i = 0; i < 5; ++i) {
    await expect(privateDecrypt(privateKey, Buffer.alloc(MODULUS_BYTES, 1))).rejects.toHaveProperty('code');
    expect(await privateDecrypt(privateKey, sealed)).toEqual(DATA);
  }
});

test('labels do not last from one call to the next', async () => {
  const labelled = { key: privateKey, oaepLabel: 'label' };
  const [plain, sealed] = [
    crypto.publicEncrypt(publicKey, DATA),
    crypto.publicEncrypt({ key: publicKey, oaepLabel: Buffer.from('label') }, DATA),
  ];
  for (let i = 0; i < 3; ++i) {
    expect(await privateDecrypt(labelled, sealed)).toEqual(DATA);
    expect(await privateDecrypt(privateKey, plain)).toEqual(DATA);
  }
});

test('strings are in the encoding that the key names', async () => {
  const sealed = crypto.publicEncrypt(publicKey, DATA).toString('base64');
  expect(await privateDecrypt({ key: privateKey, encoding: 'base64' }, sealed)).toEqual(DATA);
});

test.each(MODES)('many calls at a time give the right results: %s', async (mode) => {
  const inputs = Array.from({ length: 40 }, (_, index) => Buffer.from(`message ${index}`));
  const sealed = await Promise.all(inputs.map((input) => publicEncrypt(publicKey, input, { mode })));
  expect(await Promise.all(sealed.map((bytes) => privateDecrypt(privateKey, bytes, { mode })))).toEqual(inputs);
});
