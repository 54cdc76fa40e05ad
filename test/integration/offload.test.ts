// Proof that work was done elsewhere: figures of each provider, the channel for what was not, and the option that insists.
import * as crypto from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import * as async from '../../lib';
import { HAS_JOBS, testWithJobs } from '../support/jobs';
import { rejectionCode } from '../support/library';
import { describeReference, PROVIDER } from '../support/reference';

const ACCELERATED = { provider: 'accelerator' } as const;
const REQUIRED = { ...ACCELERATED, requireOffload: true } as const;
const NOT_OFFLOADED = 'openssl-async:operation:not-offloaded';

const ec = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
const figures = (): async.ProviderStats | undefined => async.stats().providers.accelerator;

/** The messages of the channel of what was not offloaded, while `body` ran. */
async function messagesOf(body: () => Promise<unknown>): Promise<async.OperationMessage[]> {
  const messages: async.OperationMessage[] = [];
  const listener = (message: unknown): void => void messages.push(message as async.OperationMessage);
  subscribe(NOT_OFFLOADED, listener);
  await body();
  unsubscribe(NOT_OFFLOADED, listener);
  return messages;
}

describe("a provider's figures", () => {
  testWithJobs('count what was done there, and what woke it', async () => {
    await async.sign('sha256', 'data', ec.privateKey, ACCELERATED);
    const before = figures();
    await Promise.all(Array.from({ length: 20 }, () => async.sign('sha256', 'data', ec.privateKey, ACCELERATED)));
    const after = figures();
    if (before === undefined || after === undefined) throw new Error('there are none');
    const { operations, paused, pauses, fdWakeups, callbacks, retries, latency } = after;
    expect(operations - before.operations).toBe(20);
    expect(paused - before.paused).toBe(20);
    expect(pauses - before.pauses).toBe(20);
    expect(callbacks + fdWakeups + retries - before.callbacks - before.fdWakeups - before.retries).toBe(20);
    expect(latency.count - before.latency.count).toBe(20);
    expect(after).toMatchObject({ inFlight: 0, notOffloaded: before.notOffloaded, fallbacks: before.fallbacks });
  });

  test('say how much is in flight', async () => {
    const calls = Array.from({ length: 5 }, () => async.sign('sha256', 'data', ec.privateKey, ACCELERATED));
    expect(figures()?.inFlight).toBe(5);
    await Promise.all(calls);
    expect(figures()?.inFlight).toBe(0);
  });

  testWithJobs('count what ran here, though it might have paused', async () => {
    const before = figures()?.notOffloaded ?? 0;
    await async.hash('sha256', 'data', ACCELERATED);
    await async.sign('sha256', 'data', ec.privateKey, { ...ACCELERATED, mode: 'inline' });
    expect((figures()?.notOffloaded ?? 0) - before).toBe(2);
  });

  test('count what failed', async () => {
    const before = figures();
    const bad = Buffer.alloc(256);
    const rsa = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
    const options = { key: rsa.privateKey, padding: crypto.constants.RSA_PKCS1_OAEP_PADDING };
    expect(await rejectionCode(async.privateDecrypt(options, bad, ACCELERATED))).toBe(
      'ERR_OSSL_RSA_OAEP_DECODING_ERROR',
    );
    expect(figures()?.failed).toBe((before?.failed ?? 0) + 1);
    // The software fails as well: what is wrong is the input.
    await rejectionCode(async.privateDecrypt(options, bad, { ...ACCELERATED, fallback: 'software' }));
    expect(figures()).toMatchObject({
      failed: (before?.failed ?? 0) + 2,
      fallbacks: (before?.fallbacks ?? 0) + 1,
      notOffloaded: before?.notOffloaded,
    });
  });

  test('exist for built-in ones that are named', async () => {
    await async.hash('sha256', 'data', { provider: 'default' });
    expect(async.stats().providers.default).toMatchObject({ operations: 1, paused: 0, notOffloaded: 0 });
  });
});

describe('what was not offloaded', () => {
  testWithJobs('is told by a channel', async () => {
    const messages = await messagesOf(async () => {
      await async.hash('sha256', 'data', ACCELERATED);
      await async.sign('sha256', 'data', ec.privateKey, ACCELERATED);
      await async.hash('sha256', 'data');
    });
    expect(messages).toEqual([expect.objectContaining({ algorithm: 'hash sha256', place: 'job', pauses: 0 })]);
  });

  testWithJobs.each<[string, () => Promise<unknown>]>([
    ['that did not pause', () => async.hash('sha256', 'data', REQUIRED)],
    ['that runs inline', () => async.sign('sha256', 'data', ec.privateKey, { ...REQUIRED, mode: 'inline' })],
    ['that names no provider', () => async.hash('sha256', 'data', { requireOffload: true })],
    [
      "that names one of OpenSSL's own",
      () => async.sign('sha256', 'data', ec.privateKey, { provider: 'default', requireOffload: true }),
    ],
    ["on Node's own pool", () => async.generateKeyPair('ec', { namedCurve: 'P-256' }, { requireOffload: true })],
  ])('%s is refused where it is required', async (_title, operation) => {
    expect(await rejectionCode(operation())).toBe('ERR_ASYNC_NOT_OFFLOADED');
  });

  testWithJobs('is told before it is refused', async () => {
    const messages = await messagesOf(() => rejectionCode(async.hash('sha256', 'data', REQUIRED)));
    expect(messages).toHaveLength(1);
  });
});

testWithJobs('what pauses passes where that is required', async () => {
  const signature = await async.sign('sha256', 'data', ec.privateKey, REQUIRED);
  expect(crypto.verify('sha256', Buffer.from('data'), ec.publicKey, signature)).toBe(true);
});

testWithJobs('where an offload is required nothing falls back', async () => {
  const before = figures()?.fallbacks;
  const operation = async.privateDecrypt(
    crypto.generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
    Buffer.alloc(256),
    { ...REQUIRED, fallback: 'software' },
  );
  expect(await rejectionCode(operation)).toBe('ERR_OSSL_RSA_OAEP_DECODING_ERROR');
  expect(figures()?.fallbacks).toBe(before);
});

test.each([1, 'true', null])('requireOffload is no %p', async (requireOffload) => {
  const options = { requireOffload } as unknown as async.OperationOptions;
  expect(await rejectionCode(async.hash('sha256', 'data', options))).toBe('ERR_INVALID_ARG_TYPE');
});

describeReference('a query that only prefers a provider', () => {
  const PREFERRED = { properties: '?provider=reference' };
  // Without jobs, nothing can prove that what pauses elsewhere was offloaded.
  const INSISTING = { ...PREFERRED, requireOffload: true };
  const OFFLOADED = { ...PREFERRED, requireOffload: HAS_JOBS };
  const ed = crypto.generateKeyPairSync('ed25519');
  const rsa = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
  const known = (): async.ProviderStats | undefined => async.stats().providers.reference;
  let provider: async.Provider;

  beforeAll(async () => {
    provider = await async.loadProvider('reference', { path: PROVIDER });
  });
  afterAll(async () => {
    await provider.unload();
  });

  test.each<[string, (options: async.OperationOptions) => Promise<unknown>]>([
    ['sign ECDSA', (options) => async.sign('sha256', 'data', ec.privateKey, options)],
    ['sign RSA', (options) => async.sign('sha256', 'data', rsa.privateKey, options)],
    ['decrypt RSA', (options) => async.privateDecrypt(rsa.privateKey, encrypted, options)],
  ])('finds what it has there: %s', async (_title, operation) => {
    const before = known();
    await operation(PREFERRED);
    await operation(OFFLOADED);
    expect(known()).toMatchObject({
      operations: (before?.operations ?? 0) + 2,
      notOffloaded: before?.notOffloaded ?? 0,
    });
  });

  test('falls back for what the provider lacks', async () => {
    const before = known();
    const options = { provider: 'reference', fallback: 'software' } as const;
    const signature = await async.sign(null, 'data', ed.privateKey, options);
    expect(crypto.verify(null, Buffer.from('data'), ed.publicKey, signature)).toBe(true);
    expect(await async.hash('sha256', 'data', options)).toEqual(crypto.createHash('sha256').update('data').digest());
    expect(await async.diffieHellman({ ...ec }, options)).toEqual(crypto.diffieHellman(ec));
    expect(known()?.notOffloaded).toBe((before?.notOffloaded ?? 0) + 3);
    expect(await rejectionCode(async.hash('nonsense', 'data', options))).toBe(
      await rejectionCode(async.hash('nonsense', 'data')),
    );
    await expect(async.hash('sha256', 'data', { provider: 'reference' })).rejects.toThrow();
  });
  const encrypted = crypto.publicEncrypt(rsa.publicKey, Buffer.from('data'));

  test.each<[string, (options: async.OperationOptions) => Promise<unknown>]>([
    ['sign Ed25519', (options) => async.sign(null, 'data', ed.privateKey, options)],
    ['verify Ed25519', (options) => async.verify(null, 'data', ed.publicKey, Buffer.alloc(64), options)],
    ['ECDH with its keys', (options) => async.diffieHellman({ ...ec }, options)],
    ['a key pair', (options) => async.generateKeyPair('ed25519', {}, options)],
    ['a digest', (options) => async.hash('sha256', 'data', options)],
    ['a MAC', (options) => async.hmac('sha256', 'key', 'data', options)],
    ['a cipher', (options) => async.encrypt('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16), 'data', options)],
    ['a derivation', (options) => async.pbkdf2('password', 'salt', 1, 16, 'sha256', options)],
    ['an encapsulation', (options) => async.encapsulate(rsa.publicKey, options)],
  ])('passes it over for what it lacks, and says so: %s', async (_title, operation) => {
    const before = known();
    const messages = await messagesOf(() => operation(PREFERRED));
    expect(messages).toHaveLength(1);
    expect(await rejectionCode(operation(INSISTING))).toBe('ERR_ASYNC_NOT_OFFLOADED');
    expect(known()).toMatchObject({
      operations: before?.operations ?? 0,
      notOffloaded: (before?.notOffloaded ?? 0) + 1,
    });
  });
});
