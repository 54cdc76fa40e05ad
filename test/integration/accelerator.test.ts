// Operations whose work the accelerator does: they pause, and give what node:crypto gives. Without jobs, they run on the
// pool.
import * as crypto from 'node:crypto';
import { once } from 'node:events';
import * as async from '../../lib';
import { HAS_JOBS } from '../support/jobs';
import { resultOf, ROOT, run } from '../support/programs';

const ACCELERATED = { provider: 'accelerator' } as const;
const MESSAGE = Buffer.from('a message');

const rsa = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
const pss = crypto.generateKeyPairSync('rsa-pss', { modulusLength: 2048 });
const ec = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ed25519 = crypto.generateKeyPairSync('ed25519');
const ed448 = crypto.generateKeyPairSync('ed448');
const x25519 = crypto.generateKeyPairSync('x25519');

/** How often jobs paused while `body` ran; without jobs, how often a thread of the pool worked. */
async function pausesOf(body: () => Promise<unknown>): Promise<number> {
  const before = async.stats().operations;
  await body();
  const after = async.stats().operations;
  if (!HAS_JOBS) return after.offloaded - before.offloaded;
  expect(after.jobs).toBeGreaterThan(before.jobs);
  return after.pauses - before.pauses;
}

describe('the accelerator', () => {
  test.each([
    ['RSA', 'sha256', rsa],
    ['RSA-PSS', 'sha384', pss],
    ['ECDSA', 'sha256', ec],
    ['Ed25519', null, ed25519],
    ['Ed448', null, ed448],
  ])('signs and verifies with %s', async (_name, digest, { privateKey, publicKey }) => {
    let signature: Buffer = Buffer.alloc(0);
    let valid: boolean | undefined;
    expect(
      await pausesOf(async () => {
        signature = await async.sign(digest, MESSAGE, privateKey, ACCELERATED);
        valid = await async.verify(digest, MESSAGE, publicKey, signature, ACCELERATED);
      }),
    ).toBe(2);
    expect(valid).toBe(true);
    expect(crypto.verify(digest, MESSAGE, publicKey, signature)).toBe(true);
    signature[0] = (signature[0] ?? 0) ^ 1;
    expect(await async.verify(digest, MESSAGE, publicKey, signature, ACCELERATED)).toBe(false);
  });

  test('encrypts and decrypts with RSA', async () => {
    let plaintext: Buffer | undefined;
    expect(
      await pausesOf(async () => {
        const ciphertext = await async.publicEncrypt(rsa.publicKey, MESSAGE, ACCELERATED);
        expect(crypto.privateDecrypt(rsa.privateKey, ciphertext)).toEqual(MESSAGE);
        plaintext = await async.privateDecrypt(rsa.privateKey, ciphertext, ACCELERATED);
      }),
    ).toBe(2);
    expect(plaintext).toEqual(MESSAGE);
  });

  test.each([
    ['X25519', x25519],
    ['ECDH', ec],
  ])('agrees on secrets with %s', async (_name, { privateKey, publicKey }) => {
    let secret: Buffer | undefined;
    expect(
      await pausesOf(async () => {
        secret = await async.diffieHellman({ privateKey, publicKey }, ACCELERATED);
      }),
    ).toBeGreaterThan(0);
    expect(secret).toEqual(crypto.diffieHellman({ privateKey, publicKey }));
  });

  test('derives keys', async () => {
    const derived: unknown[] = [];
    expect(
      await pausesOf(async () => {
        derived.push(await async.pbkdf2('password', 'salt', 1000, 32, 'sha256', ACCELERATED));
        derived.push(await async.scrypt('password', 'salt', 32, { N: 1024, ...ACCELERATED }));
        derived.push(Buffer.from(await async.hkdf('sha256', 'key', 'salt', 'info', 32, ACCELERATED)));
      }),
    ).toBeGreaterThanOrEqual(3); // scrypt() derives with PBKDF2 besides
    expect(derived).toEqual([
      crypto.pbkdf2Sync('password', 'salt', 1000, 32, 'sha256'),
      crypto.scryptSync('password', 'salt', 32, { N: 1024 }),
      Buffer.from(crypto.hkdfSync('sha256', 'key', 'salt', 'info', 32)),
    ]);
  });

  test.each([
    ['rsa', { modulusLength: 2048 }],
    ['ec', { namedCurve: 'P-256' }],
    ['ed25519', {}],
    ['x25519', {}],
  ] as const)('generates %s key pairs, which it gives away', async (type, options) => {
    let pair: { privateKey: crypto.KeyObject; publicKey: crypto.KeyObject } | undefined;
    expect(
      await pausesOf(async () => {
        pair = await async.generateKeyPair(type, options, ACCELERATED);
      }),
    ).toBeGreaterThan(0);
    expect(pair?.privateKey.asymmetricKeyType).toBe(type);
    const derived = crypto.createPublicKey(pair?.privateKey as crypto.KeyObject);
    expect(derived.equals(pair?.publicKey as crypto.KeyObject)).toBe(true);
  });

  test('has a thousand operations paused at once', async () => {
    const sign = (i: number): Promise<Buffer> => async.sign('sha256', `${i}`, ec.privateKey, ACCELERATED);
    let signatures: Buffer[] = [];
    expect(
      await pausesOf(async () => {
        signatures = await Promise.all(Array.from({ length: 1000 }, (_, i) => sign(i)));
      }),
    ).toBe(1000);
    expect(signatures.every((s, i) => crypto.verify('sha256', Buffer.from(`${i}`), ec.publicKey, s))).toBe(true);
  });

  test('fails with the errors of software', async () => {
    const key = { key: rsa.privateKey, padding: crypto.constants.RSA_NO_PADDING };
    const inSoftware = await async.sign('sha256', MESSAGE, key).catch((error: unknown) => error);
    const accelerated = await async.sign('sha256', MESSAGE, key, ACCELERATED).catch((error: unknown) => error);
    expect((accelerated as async.CodedError).code).toBe((inSoftware as async.CodedError).code);
  });

  test('is followed by software when it fails and that is asked for, which is counted', async () => {
    const { fallbacks } = async.stats().operations;
    const key = { key: rsa.privateKey, padding: crypto.constants.RSA_NO_PADDING };
    const failing = async.sign('sha256', MESSAGE, key, { ...ACCELERATED, fallback: 'software' });
    await expect(failing).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_OSSL_/) as string });
    expect(async.stats().operations.fallbacks).toBe(fallbacks + 1);
  });
});

describe('operations', () => {
  test('are aborted and time out at once, and end unheard', async () => {
    const controller = new AbortController();
    const aborted = async.pbkdf2('password', 'salt', 200_000, 32, 'sha256', { signal: controller.signal });
    const late = async.pbkdf2('password', 'salt', 200_000, 32, 'sha256', { ...ACCELERATED, timeoutMs: 1 });
    controller.abort('enough');
    await expect(aborted).rejects.toMatchObject({ name: 'AbortError', code: 'ABORT_ERR', cause: 'enough' });
    await expect(late).rejects.toMatchObject({ code: 'ERR_ASYNC_TIMEOUT' });
    while (async.stats().inFlight > 0) await new Promise(setImmediate);
  });

  test("tell when the last one in flight has ended: 'drain'", async () => {
    const drained = once(async.operations, 'drain');
    const calls = Array.from({ length: 10 }, () => async.hash('sha256', MESSAGE, { mode: 'offload' }));
    expect(async.operations.inFlight).toBe(10);
    await drained;
    expect(async.operations.inFlight).toBe(0);
    await Promise.all(calls);
  });

  test.each([
    ["pbkdf2('p', 's', 20000, 16, 'sha256', { mode: 'offload' })"],
    ["generateKeyPair('ec', { namedCurve: 'P-521' })"],
  ])('beyond the limit are refused, and there is room again later: %s', async (begin) => {
    const program = `
      const { once } = require('node:events');
      const { configure, generateKeyPair, operations, pbkdf2, stats } = require(${JSON.stringify(`${ROOT}/dist/index.js`)});
      configure({ maxInFlight: 4, threads: 1 });
      const codes = [];
      const call = () => ${begin}.then(() => codes.push('ok'), (e) => codes.push(e.code));
      (async () => {
        const calls = Array.from({ length: 6 }, call);
        await once(operations, 'drain');
        await Promise.all([...calls, call()]);
        console.log(JSON.stringify([codes.sort(), stats().operations.refused]));
      })();`;
    const outcome = await run(process.execPath, ['-e', program]);
    resultOf(outcome);
    const refused = 'ERR_ASYNC_QUEUE_FULL';
    expect(JSON.parse(outcome.stdout)).toEqual([[refused, refused, 'ok', 'ok', 'ok', 'ok', 'ok'], 2]);
  });

  test('are told of through diagnostics_channel', async () => {
    const { subscribe, unsubscribe } = await import('node:diagnostics_channel');
    const messages: async.OperationMessage[] = [];
    const listener = (message: unknown): void => {
      messages.push(message as async.OperationMessage);
    };
    subscribe('openssl-async:operation:finish', listener);
    try {
      await async.sign('sha256', MESSAGE, ec.privateKey, ACCELERATED);
      await async.hash('sha256', MESSAGE, { mode: 'offload' });
      await async.hash('sha256', MESSAGE, { mode: 'inline' });
    } finally {
      unsubscribe('openssl-async:operation:finish', listener);
    }
    expect(messages.map(({ place, pauses }) => [place, pauses])).toEqual([
      HAS_JOBS ? ['job', 1] : ['pool', 0],
      ['pool', 0],
      ['inline', 0],
    ]);
    expect(messages[0]?.algorithm).toBe('sign EC-prime256v1 sha256');
  });
});
