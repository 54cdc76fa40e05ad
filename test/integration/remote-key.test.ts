// Keys whose private part JavaScript functions know. What they do here is node:crypto's work; everything that comes out is
// checked with node:crypto and the public key.
import * as crypto from 'node:crypto';
import {
  createPublicKey,
  createRemoteKey,
  diffieHellman,
  generateKeyPair,
  privateDecrypt,
  privateEncrypt,
  sign,
  verify,
  type AsyncKey,
  type RemoteDecryptRequest,
  type RemoteKeyOptions,
} from '../../lib';
import { PRIVATE_KEYS } from '../support/keys';
import { codeOf, rejection, rejectionCode } from '../support/library';
import type { Pair } from '../support/remote-keys';
import {
  MESSAGE,
  pair,
  RSA,
  RSA_PSS,
  P256,
  P521,
  ED25519,
  ED448,
  X25519,
  X448,
  signerOf,
  decrypterOf,
  deriverOf,
  recording,
} from '../support/remote-keys';

describe('signatures', () => {
  const { RSA_PKCS1_PSS_PADDING: PSS, RSA_PKCS1_PADDING: PKCS1, RSA_PSS_SALTLEN_DIGEST } = crypto.constants;

  test.each<[string, Pair, string | null, object, object]>([
    ['RSA, PKCS#1 v1.5', RSA, 'sha256', {}, { algorithm: 'rsa', digestAlgorithm: 'sha256', padding: PKCS1 }],
    ['RSA, without a name of a digest', RSA, null, {}, { digestAlgorithm: 'sha256' }],
    ['RSA, SHA-512/256', RSA, 'sha512-256', {}, { digestAlgorithm: 'sha512-256' }],
    ['RSA, SHA-1', RSA, 'sha1', {}, { digestAlgorithm: 'sha1' }],
    ['RSA, SHA3-256', RSA, 'sha3-256', {}, { digestAlgorithm: 'sha3-256' }],
    [
      'RSA, PSS with the longest salt',
      RSA,
      'sha384',
      { padding: PSS },
      { padding: PSS, digestAlgorithm: 'sha384', mgf1Digest: 'sha384', saltLength: 256 - 48 - 2 },
    ],
    [
      'RSA, PSS with a salt as long as the digest',
      RSA,
      'sha256',
      { padding: PSS, saltLength: RSA_PSS_SALTLEN_DIGEST },
      { padding: PSS, saltLength: 32 },
    ],
    ['RSA-PSS', RSA_PSS, 'sha256', { saltLength: 20 }, { algorithm: 'rsa-pss', padding: PSS, saltLength: 20 }],
    ['ECDSA, P-256', P256, 'sha256', {}, { algorithm: 'ec', digestAlgorithm: 'sha256', padding: undefined }],
    ['ECDSA, P-521', P521, 'sha512', {}, { digestAlgorithm: 'sha512', saltLength: undefined }],
    ['ECDSA, given out as IEEE P1363', P256, 'sha256', { dsaEncoding: 'ieee-p1363' }, {}],
    ['Ed25519', ED25519, null, {}, { algorithm: 'ed25519', data: MESSAGE, digest: undefined }],
    ['Ed448', ED448, null, {}, { algorithm: 'ed448', data: MESSAGE, digestAlgorithm: undefined }],
  ])('%s', async (_title, keys, digest, signing, request) => {
    for (const verifies of [false, true]) {
      const { key, requests } = recording(keys, { verify: verifies });
      const signature = await sign(digest, MESSAGE, { key, ...signing });
      expect(crypto.verify(digest, MESSAGE, { key: keys.publicKey, ...signing }, signature)).toBe(true);
      expect(requests).toEqual([expect.objectContaining(request)]);
    }
  });

  test.each([
    ['P-256', P256],
    ['P-521', P521],
  ])('ECDSA that comes as IEEE P1363, %s', async (_title, keys) => {
    const { key } = recording(keys, { dsaEncoding: 'ieee-p1363', verify: true });
    const signature = await sign('sha256', MESSAGE, key);
    expect(crypto.verify('sha256', MESSAGE, keys.publicKey, signature)).toBe(true);
  });

  test('RSA without a digest: privateEncrypt()', async () => {
    const key = createRemoteKey({
      publicKey: RSA.publicKey,
      sign: ({ data, digest, padding }) => {
        expect({ digest, padding }).toEqual({ digest: undefined, padding: PKCS1 });
        return crypto.privateEncrypt(RSA.privateKey, data as Buffer);
      },
    });
    expect(crypto.publicDecrypt(RSA.publicKey, await privateEncrypt(key, MESSAGE))).toEqual(MESSAGE);
  });

  test('are verified with the public part, which nobody is asked for', async () => {
    const key = createRemoteKey({ publicKey: P256.publicKey, sign: () => Buffer.alloc(0) });
    const signature = crypto.sign('sha256', MESSAGE, P256.privateKey);
    expect(await verify('sha256', MESSAGE, key, signature)).toBe(true);
    expect(createPublicKey(key).equals(P256.publicKey)).toBe(true);
  });

  test('what the function gives may be any bytes, at once or later', async () => {
    const signature = crypto.sign(null, MESSAGE, ED25519.privateKey);
    const plain = new Uint8Array(signature);
    const shared = new Uint8Array(new SharedArrayBuffer(64));
    shared.set(plain);
    const padded = Buffer.concat([Buffer.alloc(8), signature]);
    const answers = [
      plain,
      plain.buffer,
      shared,
      shared.buffer,
      new DataView(padded.buffer, padded.byteOffset + 8, 64),
    ];
    for (const answer of answers) {
      for (const given of [
        answer,
        Promise.resolve(answer),
        {
          then: (done: (value: unknown) => void) => {
            done(answer);
          },
        },
      ]) {
        const key = createRemoteKey({ publicKey: ED25519.publicKey, sign: () => given as Buffer, verify: true });
        expect(await sign(null, MESSAGE, key)).toEqual(signature);
      }
    }
  });

  test('what was passed is copied, and so is what was given', async () => {
    const answer = crypto.sign(null, MESSAGE, ED25519.privateKey);
    const expected = Buffer.from(answer);
    let seen: Buffer | undefined;
    const key = createRemoteKey({
      publicKey: ED25519.publicKey,
      sign: ({ data }) => {
        seen = Buffer.from(data as Buffer);
        data?.fill(0);
        return answer;
      },
      verify: true,
    });
    const message = Buffer.from(MESSAGE);
    const promise = sign(null, message, key);
    message.fill(0);
    const signature = await promise;
    answer.fill(0);
    expect([seen, signature]).toEqual([MESSAGE, expected]);
  });
});

describe('decryption', () => {
  const remote = (): AsyncKey => createRemoteKey({ publicKey: RSA.publicKey, decrypt: decrypterOf(RSA.privateKey) });

  test.each([
    ['OAEP', {}],
    ['OAEP, SHA-256', { oaepHash: 'sha256' }],
    ['OAEP with a label', { oaepHash: 'sha256', oaepLabel: Buffer.from('label') }],
  ])('%s', async (_title, options) => {
    const sealed = crypto.publicEncrypt({ key: RSA.publicKey, ...options }, MESSAGE);
    expect(await privateDecrypt({ key: remote(), ...options }, sealed)).toEqual(MESSAGE);
  });

  test('an empty message, and the longest', async () => {
    for (const message of [Buffer.alloc(0), Buffer.alloc(256 - 42, 1)]) {
      const sealed = crypto.publicEncrypt(RSA.publicKey, message);
      expect(await privateDecrypt(remote(), sealed)).toEqual(message);
    }
  });

  test('without padding', async () => {
    const padding = crypto.constants.RSA_NO_PADDING;
    const message = Buffer.alloc(256, 1);
    const sealed = crypto.publicEncrypt({ key: RSA.publicKey, padding }, message);
    expect(await privateDecrypt({ key: remote(), padding }, sealed)).toEqual(message);
  });

  test('the request says what OAEP takes', async () => {
    const requests: RemoteDecryptRequest[] = [];
    const key = createRemoteKey({
      publicKey: RSA.publicKey,
      decrypt: (request) => {
        requests.push(request);
        return MESSAGE;
      },
    });
    const sealed = Buffer.alloc(256, 3);
    expect(await privateDecrypt({ key, oaepHash: 'sha512', oaepLabel: 'label' }, sealed)).toEqual(MESSAGE);
    await privateDecrypt(key, sealed);
    expect(requests).toEqual([
      expect.objectContaining({
        algorithm: 'rsa',
        data: sealed,
        padding: crypto.constants.RSA_PKCS1_OAEP_PADDING,
        oaepHash: 'sha512',
        mgf1Digest: 'sha512',
        oaepLabel: Buffer.from('label'),
      }),
      expect.objectContaining({ oaepHash: 'sha1', mgf1Digest: 'sha1', oaepLabel: undefined }),
    ]);
  });

  test('a ciphertext that is longer than the modulus is refused before anybody is asked', async () => {
    let asked = 0;
    const key = createRemoteKey({ publicKey: RSA.publicKey, decrypt: () => Buffer.alloc(++asked) });
    expect(await rejectionCode(privateDecrypt(key, Buffer.alloc(257)))).toMatch(/^ERR_OSSL_/);
    expect(asked).toBe(0);
  });
});

describe('agreement', () => {
  test.each<[string, Pair, () => Pair]>([
    ['P-256', P256, () => crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' })],
    ['P-521', P521, () => crypto.generateKeyPairSync('ec', { namedCurve: 'P-521' })],
    ['X25519', X25519, () => crypto.generateKeyPairSync('x25519')],
    ['X448', X448, () => crypto.generateKeyPairSync('x448')],
  ])('%s', async (_title, keys, newPeer) => {
    const key = createRemoteKey({ publicKey: keys.publicKey, derive: deriverOf(keys.privateKey) });
    const peer = newPeer();
    const expected = crypto.diffieHellman({ privateKey: peer.privateKey, publicKey: keys.publicKey });
    expect(await diffieHellman({ privateKey: key, publicKey: peer.publicKey })).toEqual(expected);
  });

  test("a peer's key on another curve is refused before anybody is asked", async () => {
    let asked = 0;
    const key = createRemoteKey({ publicKey: P256.publicKey, derive: () => Buffer.alloc(++asked) });
    const error = await rejection(diffieHellman({ privateKey: key, publicKey: P521.publicKey }));
    expect(error).toMatchObject({ code: expect.stringMatching(/^ERR_OSSL_/) as string });
    expect(asked).toBe(0);
  });

  test('one EC key may sign and derive', async () => {
    const key = createRemoteKey({
      publicKey: P256.publicKey,
      sign: signerOf(P256.privateKey),
      derive: deriverOf(P256.privateKey),
    });
    const [signature, secret] = await Promise.all([
      sign('sha256', MESSAGE, key),
      diffieHellman({ privateKey: key, publicKey: P256.publicKey }),
    ]);
    expect(crypto.verify('sha256', MESSAGE, P256.publicKey, signature)).toBe(true);
    expect(secret).toEqual(crypto.diffieHellman(P256));
  });
});

describe('the key', () => {
  test('is a private one that does not leave', () => {
    const { key } = recording(RSA);
    expect(key.type).toBe('private');
    expect(key.isHeld).toBe(true);
    expect(key.asymmetricKeyType).toBe('rsa');
    expect(key.asymmetricKeyDetails).toMatchObject({ modulusLength: 2048 });
    expect(codeOf(() => key.toKeyObject())).toBe('ERR_ASYNC_KEY_NOT_EXPORTABLE');
    expect(codeOf(() => key.export({ format: 'pem', type: 'pkcs8' }))).toBe('ERR_ASYNC_KEY_NOT_EXPORTABLE');
  });

  test('works where it is only', async () => {
    const { key } = recording(RSA);
    expect(await rejectionCode(sign('sha256', MESSAGE, key, { provider: 'accelerator' }))).toBe(
      'ERR_ASYNC_INVALID_KEY',
    );
  });

  test("leaves the accelerator's keys to the accelerator", async () => {
    const { key, requests } = recording(P256);
    const peer = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const options = { provider: 'accelerator' };
    await sign('sha256', MESSAGE, key);
    const signature = await sign('sha256', MESSAGE, P256.privateKey, options);
    const secret = await diffieHellman({ privateKey: P256.privateKey, publicKey: peer.publicKey }, options);
    expect(crypto.verify('sha256', MESSAGE, P256.publicKey, signature)).toBe(true);
    expect(secret).toEqual(crypto.diffieHellman({ privateKey: P256.privateKey, publicKey: peer.publicKey }));
    const made = await generateKeyPair('ec', { namedCurve: 'P-256' }, options);
    expect(await rejectionCode(sign('sha256', MESSAGE, made.privateKey, options))).toBeUndefined();
    expect(requests).toHaveLength(1);
  });

  test('is made of whatever holds a public key', async () => {
    const pem = P256.publicKey.export({ type: 'spki', format: 'pem' });
    for (const publicKey of [
      pem,
      createPublicKey(pem),
      P256.privateKey,
      { key: P256.publicKey.export({ format: 'jwk' }), format: 'jwk' as const },
    ]) {
      const key = createRemoteKey({ publicKey, sign: signerOf(P256.privateKey) });
      expect(crypto.verify('sha256', MESSAGE, P256.publicKey, await sign('sha256', MESSAGE, key))).toBe(true);
    }
  });

  const answer = (): Buffer => Buffer.alloc(0);
  test.each<[string, unknown, string]>([
    ['no options', undefined, 'ERR_INVALID_ARG_TYPE'],
    ['no public key', { sign: answer }, 'ERR_INVALID_ARG_TYPE'],
    ['no function', { publicKey: RSA.publicKey }, 'ERR_INVALID_ARG_TYPE'],
    ['something else than a function', { publicKey: RSA.publicKey, sign: 'x' }, 'ERR_INVALID_ARG_TYPE'],
    ['a function for what such keys do not do', { publicKey: RSA.publicKey, derive: answer }, 'ERR_INVALID_ARG_VALUE'],
    ['a key of another type', { publicKey: pair(PRIVATE_KEYS.dsa).publicKey, sign: answer }, 'ERR_INVALID_ARG_VALUE'],
    ['a time limit of 0', { publicKey: RSA.publicKey, sign: answer, timeoutMs: 0 }, 'ERR_OUT_OF_RANGE'],
    ['no places', { publicKey: RSA.publicKey, sign: answer, maxConcurrent: 0 }, 'ERR_OUT_OF_RANGE'],
    ['a misspelled option', { publicKey: RSA.publicKey, sign: answer, timeout: 1 }, 'ERR_INVALID_ARG_VALUE'],
    ['`verify` that is no boolean', { publicKey: RSA.publicKey, sign: answer, verify: 1 }, 'ERR_INVALID_ARG_TYPE'],
    ['an unknown encoding', { publicKey: RSA.publicKey, sign: answer, dsaEncoding: 'x' }, 'ERR_INVALID_ARG_VALUE'],
  ])('is not made with %s', (_title, options, code) => {
    expect(codeOf(() => createRemoteKey(options as RemoteKeyOptions))).toBe(code);
  });
});
