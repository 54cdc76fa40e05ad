// Every operation × every option: one that is accepted is obeyed, and one that cannot be is refused.
import * as crypto from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import * as library from '../../lib';
import { stats, type OperationOptions } from '../../lib';
import { codeOf, rejectionCode } from '../support/library';

const MESSAGE = Buffer.from('the message');
const IV = Buffer.alloc(12);
const SECRET = Buffer.alloc(32, 1);
const rsa = crypto.generateKeyPairSync('rsa', { modulusLength: 1024 });
const ec = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
const x25519 = crypto.generateKeyPairSync('x25519');
const signature = crypto.sign('sha256', MESSAGE, ec.privateKey);
const sealed = crypto.publicEncrypt(rsa.publicKey, MESSAGE);
const signed = crypto.privateEncrypt(rsa.privateKey, MESSAGE);
const gcm = crypto.createCipheriv('aes-256-gcm', SECRET, IV);
const ciphertext = Buffer.concat([gcm.update(MESSAGE), gcm.final()]);
const authTag = gcm.getAuthTag();

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'options-'));
const uri = path.join(folder, 'key.pem');
fs.writeFileSync(uri, ec.privateKey.export({ format: 'pem', type: 'pkcs8' }));
afterAll(() => {
  fs.rmSync(folder, { recursive: true });
});

type Operation = (options: OperationOptions) => Promise<unknown>;

const { encapsulate, decapsulate } = library;
const kem = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });

const operations: [name: string, operation: Operation][] = [
  ['sign', (options) => library.sign('sha256', MESSAGE, ec.privateKey, options)],
  ['verify', (options) => library.verify('sha256', MESSAGE, ec.publicKey, signature, options)],
  ['hash', (options) => library.hash('sha256', MESSAGE, options)],
  ['hmac', (options) => library.hmac('sha256', SECRET, MESSAGE, options)],
  ['hkdf', (options) => library.hkdf('sha256', SECRET, 'salt', 'info', 32, options)],
  ['pbkdf2', (options) => library.pbkdf2('secret', 'salt', 10, 32, 'sha256', options)],
  ['scrypt', (options) => library.scrypt('secret', 'salt', 32, { N: 16, ...options })],
  ['encrypt', (options) => library.encrypt('aes-256-gcm', SECRET, IV, MESSAGE, options)],
  ['decrypt', (options) => library.decrypt('aes-256-gcm', SECRET, IV, ciphertext, { authTag, ...options })],
  ['publicEncrypt', (options) => library.publicEncrypt(rsa.publicKey, MESSAGE, options)],
  ['privateDecrypt', (options) => library.privateDecrypt(rsa.privateKey, sealed, options)],
  ['privateEncrypt', (options) => library.privateEncrypt(rsa.privateKey, MESSAGE, options)],
  ['publicDecrypt', (options) => library.publicDecrypt(rsa.publicKey, signed, options)],
  ['diffieHellman', (options) => library.diffieHellman(x25519, options)],
  ['encapsulate', (options) => encapsulate(kem.publicKey, options)],
  [
    'decapsulate',
    async (options) => {
      const { ciphertext } = await encapsulate(kem.publicKey);
      return decapsulate(kem.privateKey, ciphertext, options);
    },
  ],
  ['generateKeyPair of EC', (options) => library.generateKeyPair('ec', { namedCurve: 'P-256' }, options)],
  ['generateKeyPair of RSA', (options) => library.generateKeyPair('rsa', { modulusLength: 512 }, options)],
  ['randomBytes', (options) => library.randomBytes(32, options)],
  ['randomFill', (options) => library.randomFill(Buffer.alloc(32), 0, 32, options)],
];

// What they take of OperationOptions throws, and what is wrong later rejects.
const streams: [name: string, operation: Operation][] = [
  ['createHash', async (options) => library.createHash('sha256', options).update(MESSAGE).digest()],
  [
    'createCipheriv',
    async (options) => {
      const cipher = library.createCipheriv('aes-256-gcm', SECRET, IV, options);
      return [await cipher.update(MESSAGE), await cipher.final()];
    },
  ],
  [
    'createDecipheriv',
    async (options) => {
      const decipher = library.createDecipheriv('aes-256-gcm', SECRET, IV, options);
      decipher.setAuthTag(authTag);
      return [await decipher.update(ciphertext), await decipher.final()];
    },
  ],
];

const all = [...operations, ...streams];
const noProvider = 'no-such-provider';

describe.each(all)('%s', (_name, operation) => {
  test.each<[string, OperationOptions, unknown]>([
    ['a provider that is not loaded', { provider: noProvider }, 'ERR_ASYNC_PROVIDER_NOT_LOADED'],
    ['a provider without a name', { provider: '' }, 'ERR_ASYNC_PROVIDER_NOT_LOADED'],
    ['a query for one', { properties: `provider=${noProvider}` }, 'ERR_ASYNC_PROVIDER_NOT_LOADED'],
    ['a query that nothing answers', { properties: 'nosuch=property' }, expect.stringMatching(/^ERR_/)],
    ['a query that is none', { properties: 'fips=yes,' }, 'ERR_INVALID_ARG_VALUE'],
    ['two providers', { provider: 'default', properties: 'provider=default' }, 'ERR_INVALID_ARG_VALUE'],
    ['hardware where there is none', { requireOffload: true }, 'ERR_ASYNC_NOT_OFFLOADED'],
    ['hardware in software', { requireOffload: true, properties: 'provider=default' }, 'ERR_ASYNC_NOT_OFFLOADED'],
    ['an aborted signal', { signal: AbortSignal.abort() }, 'ABORT_ERR'],
    ['a signal that is none', { signal: {} as AbortSignal }, 'ERR_INVALID_ARG_TYPE'],
    ['no time', { timeoutMs: 0 }, 'ERR_OUT_OF_RANGE'],
    ['a mode that is none', { mode: 'nonsense' as 'auto' }, 'ERR_INVALID_ARG_VALUE'],
    ['a fallback that is none', { fallback: 'nonsense' as 'error' }, 'ERR_INVALID_ARG_VALUE'],
    ['a provider that is none', { provider: 1 as never }, 'ERR_INVALID_ARG_TYPE'],
    ['a query of another type', { properties: 1 as never }, 'ERR_INVALID_ARG_TYPE'],
    ['a requirement that is none', { requireOffload: 1 as never }, 'ERR_INVALID_ARG_TYPE'],
    ['an unknown option', { nonsense: 1 } as OperationOptions, 'ERR_INVALID_ARG_VALUE'],
  ])('refuses %s', async (_title, options, code) => {
    expect(await rejectionCode(operation(options))).toEqual(code);
  });

  test('obeys a query that it can obey', async () => {
    expect(await rejectionCode(operation({ properties: 'provider=default' }))).toBeUndefined();
    expect(await rejectionCode(operation({ provider: 'default' }))).toBeUndefined();
    expect(await rejectionCode(operation({ provider: 'default', properties: 'nosuch=property' }))).toBeDefined();
  });

  test('runs where its mode says', async () => {
    const ran = (): number[] => {
      const { inline, offloaded, threadpool } = stats().operations;
      return [inline, offloaded + threadpool];
    };
    const before = ran();
    await operation({ mode: 'inline' });
    const between = ran();
    await operation({ mode: 'offload' });
    const after = ran();
    expect(between[0]).toBeGreaterThan(before[0] as number);
    expect(after[1]).toBeGreaterThan(between[1] as number);
  });
});

describe.each(operations)('%s', (_name, operation) => {
  test('does not fall back from a provider that is not loaded', async () => {
    const options = { provider: noProvider, fallback: 'software' } as const;
    expect(await rejectionCode(operation(options))).toBe('ERR_ASYNC_PROVIDER_NOT_LOADED');
  });
});

test.each(streams)('%s takes no fallback', async (_name, operation) => {
  expect(await rejectionCode(operation({ fallback: 'software' }))).toBe('ERR_INVALID_ARG_VALUE');
});

describe('keys of a store', () => {
  test.each<[OperationOptions, string]>([
    [{ provider: noProvider }, 'ERR_ASYNC_PROVIDER_NOT_LOADED'],
    [{ properties: 'provider=default' }, 'ERR_INVALID_ARG_VALUE'],
    [{ mode: 'inline' }, 'ERR_INVALID_ARG_VALUE'],
    [{ fallback: 'software' }, 'ERR_INVALID_ARG_VALUE'],
    [{ requireOffload: true }, 'ERR_INVALID_ARG_VALUE'],
    [{ signal: AbortSignal.abort() }, 'ABORT_ERR'],
  ])('take no options that they do not obey: %j', async (options, code) => {
    expect(await rejectionCode(library.createPrivateKey({ uri }, options))).toBe(code);
    expect(await rejectionCode(library.createPublicKey({ uri }, options))).toBe(code);
  });

  test('have options, and other keys none', () => {
    const read = library.createPrivateKey as (key: unknown, options: unknown) => unknown;
    expect(codeOf(() => read(ec.privateKey, { provider: 'accelerator' }))).toBe('ERR_INVALID_ARG_VALUE');
    expect([ec.privateKey].map(library.createPrivateKey as () => unknown)).toHaveLength(1);
    const readPublic = library.createPublicKey as (key: unknown, options: unknown) => unknown;
    expect(codeOf(() => readPublic(ec.publicKey, {}))).toBe('ERR_INVALID_ARG_VALUE');
  });
});

describe('random bytes', () => {
  test('are those of the generator that was asked for', async () => {
    using provider = await library.loadProvider('legacy');
    // It has none.
    expect(await rejectionCode(library.randomBytes(8, { provider: provider.name }))).toBe('ERR_OSSL_EVP_UNSUPPORTED');
    const options = { provider: 'accelerator' };
    const all = await Promise.all(Array.from({ length: 50 }, () => library.randomBytes(32, options)));
    expect(new Set(all.map(String)).size).toBe(50);
    expect(await library.randomBytes(0, options)).toHaveLength(0);
    // More than a generator gives at once.
    const many = await library.randomBytes(200_000, { properties: 'provider=default' });
    expect(new Set(Array.from({ length: 100 }, (_, i) => many.toString('hex', i * 2000, i * 2000 + 32))).size).toBe(
      100,
    );
  });
});
