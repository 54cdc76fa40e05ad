// Keys whose private part JavaScript functions know. What they do here is node:crypto's work; everything that comes out is
// checked with node:crypto and the public key.
import { fork, type ChildProcess } from 'node:child_process';
import * as crypto from 'node:crypto';
import { once } from 'node:events';
import * as path from 'node:path';
import {
  createPublicKey,
  createRemoteKey,
  diffieHellman,
  generateKeyPair,
  privateDecrypt,
  privateEncrypt,
  sign,
  stats,
  verify,
  type AsyncKey,
  type RemoteDecryptRequest,
  type RemoteDeriveRequest,
  type RemoteKeyOptions,
  type RemoteSignRequest,
} from '../../lib';
import { PRIVATE_KEYS } from '../support/keys';
import { codeOf, freshLibrary, rejection, rejectionCode, turn, until } from '../support/library';

const MESSAGE = Buffer.from('some data');

interface Pair {
  privateKey: crypto.KeyObject;
  publicKey: crypto.KeyObject;
}

function pair(pem: string): Pair {
  const privateKey = crypto.createPrivateKey(pem);
  return { privateKey, publicKey: crypto.createPublicKey(privateKey) };
}

const RSA = pair(PRIVATE_KEYS.rsa2048);
const RSA_PSS = pair(PRIVATE_KEYS.rsaPssFree);
const P256 = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
const P521 = crypto.generateKeyPairSync('ec', { namedCurve: 'P-521' });
const ED25519 = crypto.generateKeyPairSync('ed25519');
const ED448 = crypto.generateKeyPairSync('ed448');
const X25519 = crypto.generateKeyPairSync('x25519');
const X448 = crypto.generateKeyPairSync('x448');

const LIMITED = { timeoutMs: 20_000 };

/** Signs as the request says. node:crypto hashes by itself, so what was hashed has to be MESSAGE. */
function signerOf(privateKey: crypto.KeyObject, dsaEncoding: 'der' | 'ieee-p1363' = 'der') {
  return ({ digestAlgorithm, digest, data, padding, saltLength }: RemoteSignRequest): Buffer => {
    if (data !== undefined) return crypto.sign(null, data, privateKey);
    const expected = crypto
      .createHash(digestAlgorithm as string)
      .update(MESSAGE)
      .digest();
    if (digest?.equals(expected) !== true) throw new Error(`not the ${String(digestAlgorithm)} of the message`);
    return crypto.sign(digestAlgorithm, MESSAGE, { key: privateKey, padding, saltLength, dsaEncoding });
  };
}

const decrypterOf =
  (key: crypto.KeyObject) =>
  ({ data, padding, oaepHash, oaepLabel }: RemoteDecryptRequest): Buffer =>
    crypto.privateDecrypt({ key, padding, oaepHash, oaepLabel }, data);

const deriverOf =
  (privateKey: crypto.KeyObject) =>
  ({ publicKey }: RemoteDeriveRequest): Buffer =>
    crypto.diffieHellman({
      privateKey,
      publicKey: crypto.createPublicKey({ key: publicKey, format: 'der', type: 'spki' }),
    });

/** A key that keeps what it was asked, and answers a turn later. */
function recording(keys: Pair, options: Partial<RemoteKeyOptions> = {}) {
  const requests: RemoteSignRequest[] = [];
  const signer = signerOf(keys.privateKey, options.dsaEncoding);
  const key = createRemoteKey({
    publicKey: keys.publicKey,
    sign: async (request) => {
      requests.push(request);
      await turn();
      return signer(request);
    },
    ...LIMITED,
    ...options,
  });
  return { key, requests };
}

const never = (): Promise<Buffer> => new Promise(() => undefined);

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

describe('what goes wrong', () => {
  const failing = (answer: () => unknown, options: Partial<RemoteKeyOptions> = {}): AsyncKey =>
    createRemoteKey({ publicKey: ED25519.publicKey, sign: answer as () => Buffer, ...LIMITED, ...options });
  const cause = new Error('the service is down');

  test.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw cause;
      },
    ],
    ['rejects', () => Promise.reject(cause)],
  ])('the function %s: its reason is the cause', async (_title, answer) => {
    const error = await rejection(sign(null, MESSAGE, failing(answer)));
    expect(error).toMatchObject({ code: 'ERR_ASYNC_REMOTE_KEY_FAILED' });
    expect((error as Error).cause).toBe(cause);
  });

  test('the causes of operations that fail together are not mixed up', async () => {
    const key = failing(() => undefined, {
      sign: async ({ data }) => {
        await turn();
        throw String(data);
      },
    });
    const messages = Array.from({ length: 100 }, (_, i) => `message ${String(i)}`);
    const errors = await Promise.all(messages.map((message) => rejection(sign(null, message, key))));
    expect(errors.map((error) => (error as Error).cause)).toEqual(messages);
  });

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['a string', 'x'.repeat(64)],
    ['a number', 64],
    ['an array', Array.from({ length: 64 }, () => 0)],
    ['no bytes', Buffer.alloc(0)],
    ['too few bytes', Buffer.alloc(63)],
    ['too many bytes', Buffer.alloc(65)],
  ])('the function gives %s', async (_title, answer) => {
    for (const given of [answer, Promise.resolve(answer)]) {
      expect(
        await rejectionCode(
          sign(
            null,
            MESSAGE,
            failing(() => given),
          ),
        ),
      ).toBe('ERR_ASYNC_REMOTE_KEY_INVALID_RESULT');
    }
  });

  const wrongLengths: [string, () => Promise<unknown>][] = [
    [
      'RSA signature',
      () => sign('sha256', MESSAGE, createRemoteKey({ publicKey: RSA.publicKey, sign: () => Buffer.alloc(255) })),
    ],
    [
      'ECDSA signature that is not DER',
      () => sign('sha256', MESSAGE, createRemoteKey({ publicKey: P256.publicKey, sign: () => Buffer.alloc(64, 1) })),
    ],
    [
      'ECDSA signature with bytes behind it',
      () =>
        sign(
          'sha256',
          MESSAGE,
          createRemoteKey({
            publicKey: P521.publicKey,
            sign: () => Buffer.concat([crypto.sign('sha256', MESSAGE, P256.privateKey), Buffer.alloc(1)]),
          }),
        ),
    ],
    [
      'ECDSA signature that is not IEEE P1363',
      () =>
        sign(
          'sha256',
          MESSAGE,
          createRemoteKey({ publicKey: P256.publicKey, dsaEncoding: 'ieee-p1363', sign: () => Buffer.alloc(63, 1) }),
        ),
    ],
    [
      'plaintext longer than the modulus',
      () =>
        privateDecrypt(
          createRemoteKey({ publicKey: RSA.publicKey, decrypt: () => Buffer.alloc(257) }),
          Buffer.alloc(256, 1),
        ),
    ],
    [
      'plaintext without padding',
      () =>
        privateDecrypt(
          {
            key: createRemoteKey({ publicKey: RSA.publicKey, decrypt: () => Buffer.alloc(255) }),
            padding: crypto.constants.RSA_NO_PADDING,
          },
          Buffer.alloc(256, 1),
        ),
    ],
    [
      'secret',
      () =>
        diffieHellman({
          privateKey: createRemoteKey({ publicKey: X25519.publicKey, derive: () => Buffer.alloc(31) }),
          publicKey: X25519.publicKey,
        }),
    ],
    [
      'EC secret',
      () =>
        diffieHellman({
          privateKey: createRemoteKey({ publicKey: P521.publicKey, derive: () => Buffer.alloc(65) }),
          publicKey: P521.publicKey,
        }),
    ],
  ];
  test.each(wrongLengths)('a wrong length: %s', async (_title, operation) => {
    expect(await rejectionCode(operation())).toBe('ERR_ASYNC_REMOTE_KEY_INVALID_RESULT');
  });

  test.each<[string, Pair, string | null]>([
    ['RSA', RSA, 'sha256'],
    ['ECDSA', P256, 'sha256'],
    ['Ed25519', ED25519, null],
  ])(
    'a signature of something else: with `verify` it is an error, without it is given out (%s)',
    async (_title, keys, digest) => {
      const wrong = crypto.sign(digest, Buffer.from('other data'), keys.privateKey);
      const key = (verifies: boolean): AsyncKey =>
        createRemoteKey({ publicKey: keys.publicKey, sign: () => wrong, verify: verifies });
      expect(await rejectionCode(sign(digest, MESSAGE, key(true)))).toBe('ERR_ASYNC_REMOTE_KEY_INVALID_RESULT');
      expect(await sign(digest, MESSAGE, key(false))).toEqual(wrong);
    },
  );

  test('PSS with another salt length or padding than asked for is caught by `verify`', async () => {
    const { RSA_PKCS1_PSS_PADDING: padding } = crypto.constants;
    const key = createRemoteKey({
      publicKey: RSA.publicKey,
      verify: true,
      sign: () => crypto.sign('sha256', MESSAGE, { key: RSA.privateKey, padding, saltLength: 20 }),
    });
    expect(
      crypto.verify(
        'sha256',
        MESSAGE,
        { key: RSA.publicKey, padding },
        await sign('sha256', MESSAGE, { key, padding, saltLength: 20 }),
      ),
    ).toBe(true);
    for (const signing of [{ padding, saltLength: 32 }, {}]) {
      expect(await rejectionCode(sign('sha256', MESSAGE, { key, ...signing }))).toBe(
        'ERR_ASYNC_REMOTE_KEY_INVALID_RESULT',
      );
    }
  });

  test('a function that never answers: the time limit ends the operation, and aborts the signal', async () => {
    let signal: AbortSignal | undefined;
    const key = failing(() => undefined, {
      sign: (request) => {
        ({ signal } = request);
        return never();
      },
      timeoutMs: 20,
    });
    expect(await rejectionCode(sign(null, MESSAGE, key))).toBe('ERR_ASYNC_REMOTE_KEY_TIMEOUT');
    expect(signal?.reason).toMatchObject({ code: 'ERR_ASYNC_REMOTE_KEY_TIMEOUT' });
    expect(stats().jobs.live).toBe(0);
  });

  test('an answer that comes too late is not heard, a late rejection neither', async () => {
    const late: (() => void)[] = [];
    const key = failing(
      () =>
        new Promise((resolve, reject) => {
          late.push(() => {
            resolve(Buffer.alloc(64));
          });
          late.push(() => {
            reject(cause);
          });
        }),
      { timeoutMs: 20 },
    );
    const codes = await Promise.all([1, 2].map(() => rejectionCode(sign(null, MESSAGE, key))));
    expect(codes).toEqual(['ERR_ASYNC_REMOTE_KEY_TIMEOUT', 'ERR_ASYNC_REMOTE_KEY_TIMEOUT']);
    late[0]?.();
    late[3]?.();
    await turn();
    expect(late).toHaveLength(4);
  });

  test('the caller gives up: the signal is aborted with the reason, and the job ends when its time is up', async () => {
    const signals: AbortSignal[] = [];
    const key = failing(() => undefined, {
      sign: (request) => {
        signals.push(request.signal);
        return never();
      },
      timeoutMs: 500,
    });
    const aborter = new AbortController();
    const promise = rejection(sign(null, MESSAGE, key, { signal: aborter.signal }));
    await until(() => signals.length === 1);
    aborter.abort(new Error('enough'));
    expect(await promise).toMatchObject({ name: 'AbortError' });
    expect(await rejectionCode(sign(null, MESSAGE, key, { timeoutMs: 10 }))).toBe('ERR_ASYNC_TIMEOUT');
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
    await until(() => stats().jobs.live === 0);
  });

  test('who waits in the line and is given up, is never asked for', async () => {
    const answers: ((signature: Buffer) => void)[] = [];
    const key = failing(() => new Promise<Buffer>((resolve) => answers.push(resolve)), { maxConcurrent: 1 });
    const signature = crypto.sign(null, MESSAGE, ED25519.privateKey);
    const aborter = new AbortController();
    const first = sign(null, MESSAGE, key);
    const second = rejection(sign(null, 'second', key, { signal: aborter.signal }));
    const third = sign(null, MESSAGE, key);
    await until(() => stats().jobs.live === 3 && answers.length === 1);
    aborter.abort();
    expect(await second).toMatchObject({ name: 'AbortError' });
    await until(() => stats().jobs.live === 2);
    answers[0]?.(signature);
    expect(await first).toEqual(signature);
    await until(() => answers.length === 2);
    answers[1]?.(signature);
    expect(await third).toEqual(signature);
    expect(answers).toHaveLength(2);
  });

  test('an operation for which there is no function', async () => {
    const key = createRemoteKey({ publicKey: RSA.publicKey, sign: () => Buffer.alloc(256) });
    expect(await rejectionCode(privateDecrypt(key, Buffer.alloc(256, 1)))).toBe('ERR_ASYNC_REMOTE_KEY_UNSUPPORTED');
  });

  test('outside a job nobody can wait', async () => {
    const { key, requests } = recording(ED25519);
    expect(await rejectionCode(sign(null, MESSAGE, key, { mode: 'inline' }))).toBe('ERR_ASYNC_REMOTE_KEY_CANNOT_WAIT');
    expect(requests).toEqual([]);
  });
});

describe('many at once', () => {
  test('no more than `maxConcurrent` calls are under way, in the order of the operations', async () => {
    const order: string[] = [];
    let active = 0;
    let most = 0;
    const key = createRemoteKey({
      publicKey: ED25519.publicKey,
      maxConcurrent: 3,
      sign: async ({ data }) => {
        order.push(String(data));
        most = Math.max(most, ++active);
        await turn();
        --active;
        return crypto.sign(null, data as Buffer, ED25519.privateKey);
      },
    });
    const messages = Array.from({ length: 50 }, (_, i) => `message ${String(i)}`);
    const signatures = await Promise.all(messages.map((message) => sign(null, message, key)));
    expect(order).toEqual(messages);
    expect(most).toBe(3);
    expect(
      signatures.every((signature, i) =>
        crypto.verify(null, Buffer.from(messages[i] as string), ED25519.publicKey, signature),
      ),
    ).toBe(true);
  });

  test('those that did not answer in time make room', async () => {
    let calls = 0;
    const signature = crypto.sign(null, MESSAGE, ED25519.privateKey);
    const key = createRemoteKey({
      publicKey: ED25519.publicKey,
      maxConcurrent: 1,
      timeoutMs: 300,
      sign: () => (++calls === 1 ? never() : signature),
    });
    expect(await rejectionCode(sign(null, MESSAGE, key))).toBe('ERR_ASYNC_REMOTE_KEY_TIMEOUT');
    expect(await sign(null, MESSAGE, key)).toEqual(signature);
  });

  test('ten thousand in flight, each answered 5 ms after the last was asked', async () => {
    const COUNT = 10_000;
    const signature = crypto.sign(null, MESSAGE, ED25519.privateKey);
    const waiting: ((signature: Buffer) => void)[] = [];
    const key = createRemoteKey({
      publicKey: ED25519.publicKey,
      maxConcurrent: 65_536,
      timeoutMs: 25_000,
      sign: () =>
        new Promise<Buffer>((resolve) => {
          waiting.push(resolve);
          if (waiting.length < COUNT) return;
          for (const answer of waiting) setTimeout(answer, 5, signature);
        }),
    });
    const before = stats();
    const signatures = await Promise.all(Array.from({ length: COUNT }, () => sign(null, MESSAGE, key)));
    expect(signatures.every((each) => each.equals(signature))).toBe(true);
    const { jobs, providers } = stats();
    expect(jobs.pauses - before.jobs.pauses).toBe(COUNT);
    expect((providers.remote?.pauses ?? 0) - (before.providers.remote?.pauses ?? 0)).toBe(COUNT);
    expect(jobs.live).toBe(0);
  });

  test('the figures tell of the pauses', async () => {
    const library = freshLibrary();
    const signature = crypto.sign(null, MESSAGE, ED25519.privateKey);
    let calls = 0;
    const key = library.createRemoteKey({
      publicKey: ED25519.publicKey,
      sign: () => (++calls === 3 ? Promise.reject(new Error('down')) : signature),
    });
    for (let i = 0; i < 3; ++i) await library.sign(null, MESSAGE, key, { requireOffload: true }).catch(() => undefined);
    expect(library.stats().providers.remote).toMatchObject({
      operations: 3,
      paused: 3,
      pauses: 3,
      callbacks: 3,
      failed: 1,
      notOffloaded: 0,
      inFlight: 0,
    });
  });
});

describe('a function that asks another process', () => {
  let child: ChildProcess;
  let nextId = 0;
  const answers = new Map<number, { resolve: (bytes: Uint8Array) => void; reject: (error: Error) => void }>();
  const ask = (type: string, request: RemoteSignRequest | RemoteDecryptRequest): Promise<Uint8Array> =>
    new Promise((resolve, reject) => {
      const id = nextId++;
      answers.set(id, { resolve, reject });
      // The signal stays here.
      child.send({ id, type, request: { ...request } });
    });

  beforeEach(async () => {
    answers.clear();
    child = fork(path.join(__dirname, '..', 'support', 'remote-signer.js'), [], {
      serialization: 'advanced',
      execArgv: [],
    });
    child.on('message', ({ id, bytes, error }: { id: number; bytes?: Uint8Array; error?: string }) => {
      const answer = answers.get(id);
      if (bytes === undefined) answer?.reject(new Error(error));
      else answer?.resolve(bytes);
    });
    child.on('exit', () => {
      for (const { reject } of answers.values()) reject(new Error('the process has ended'));
    });
    child.send({ privateKey: PRIVATE_KEYS.rsa2048 });
    await once(child, 'message');
  });
  afterEach(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  });

  const remote = (): AsyncKey =>
    createRemoteKey({
      publicKey: RSA.publicKey,
      sign: (request) => ask('sign', request),
      decrypt: (request) => ask('decrypt', request),
      verify: true,
    });

  test('signs and decrypts there', async () => {
    const key = remote();
    const messages = Array.from({ length: 50 }, (_, i) => Buffer.from(`message ${String(i)}`));
    const signatures = await Promise.all(messages.map((message) => sign('sha256', message, key)));
    messages.forEach((message, i) => {
      expect(crypto.verify('sha256', message, RSA.publicKey, signatures[i] as Buffer)).toBe(true);
    });
    expect(await privateDecrypt(key, crypto.publicEncrypt(RSA.publicKey, MESSAGE))).toEqual(MESSAGE);
  });

  test('says what went wrong there', async () => {
    const error = await rejection(privateDecrypt(remote(), Buffer.alloc(256)));
    expect(error).toMatchObject({ code: 'ERR_ASYNC_REMOTE_KEY_FAILED' });
    expect((error as Error).cause).toMatchObject({ message: expect.stringMatching(/oaep|decod/i) as string });
  });

  test('which may die meanwhile', async () => {
    const key = remote();
    child.send({ hold: true });
    const promises = Array.from({ length: 20 }, () => rejectionCode(sign('sha256', MESSAGE, key)));
    await until(() => answers.size === 20);
    child.kill('SIGKILL');
    expect(new Set(await Promise.all(promises))).toEqual(new Set(['ERR_ASYNC_REMOTE_KEY_FAILED']));
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
