// Keys that URIs name: in files, for which OpenSSL has a store of its own, and in a token of SoftHSM's.
import { execFileSync } from 'node:child_process';
import * as crypto from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { pathToFileURL } from 'node:url';
import { createPrivateKey, createPublicKey, sign, type StoredKey, type StoreOptions } from '../../lib';
import { inChild, resultOf } from '../support/programs';
import { foreignEnvironment } from '../support/foreign';
import { rejection, rejectionCode } from '../support/library';
import { createToken, missing, type Token } from '../support/token';

if (missing !== undefined) console.log(`Skipped: ${missing}.`);
const withToken = missing === undefined ? describe : describe.skip;

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'store-'));
const file = (name: string, content: string | Buffer): string => {
  const target = path.join(folder, name);
  fs.writeFileSync(target, content);
  return target;
};

const ec = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pem = (options: object): string =>
  ec.privateKey.export({ format: 'pem', type: 'pkcs8', ...options } as crypto.KeyExportOptions<'pem'>) as string;
const PLAIN = file('plain.pem', pem({}));
const ENCRYPTED = file('encrypted.pem', pem({ cipher: 'aes-256-cbc', passphrase: 'a secret' }));
const PUBLIC = file('public.pem', ec.publicKey.export({ format: 'pem', type: 'spki' }));
const CERTIFICATE = path.join(folder, 'certificate.pem');
const subject = ['-subj', '/CN=store'];
execFileSync('openssl', ['req', '-x509', '-new', '-key', PLAIN, ...subject, '-days', '2', '-out', CERTIFICATE], {
  env: foreignEnvironment(),
});

afterAll(() => {
  fs.rmSync(folder, { recursive: true });
});

test.each([
  ['a path', PLAIN],
  ['a file: URI', `file:${PLAIN}`],
  ['a file:// URI', pathToFileURL(PLAIN).href],
])('a private key is found by %s', async (_title, uri) => {
  const key = await createPrivateKey({ uri });
  expect(key).toMatchObject({ type: 'private', asymmetricKeyType: 'ec', isHeld: false });
  expect(key.equals(ec.privateKey)).toBe(true);
  const signature = await sign('sha256', 'data', key);
  expect(crypto.verify('sha256', Buffer.from('data'), ec.publicKey, signature)).toBe(true);
});

test.each([
  ['a public key', PUBLIC],
  ['a certificate', CERTIFICATE],
  ['a private key', PLAIN],
])('a public key is found in the file of %s', async (_title, uri) => {
  const key = await createPublicKey({ uri });
  expect(key).toMatchObject({ type: 'public', asymmetricKeyType: 'ec' });
  expect(key.equals(ec.publicKey)).toBe(true);
});

describe('a key that wants a passphrase', () => {
  test.each<[string, Omit<StoredKey, 'uri'>]>([
    ['as text', { pin: 'a secret' }],
    ['as bytes', { pin: Buffer.from('a secret') }],
    ['from a function', { prompt: () => 'a secret' }],
    ['from a function that takes its time', { prompt: () => Promise.resolve(Buffer.from('a secret')) }],
  ])('is read with one %s', async (_title, answer) => {
    const key = await createPrivateKey({ uri: ENCRYPTED, ...answer });
    expect(key.equals(ec.privateKey)).toBe(true);
  });

  test('asks in its own words, once, and not when it knows', async () => {
    const questions: string[] = [];
    const prompt = (question: string): string => {
      questions.push(question);
      return 'a secret';
    };
    await createPrivateKey({ uri: ENCRYPTED, prompt });
    await createPrivateKey({ uri: PLAIN, prompt });
    await createPrivateKey({ uri: ENCRYPTED, pin: 'a secret', prompt });
    expect(questions).toEqual([expect.stringMatching(/pass phrase/)]);
  });

  test('is not read without one', async () => {
    const error = await rejection(createPrivateKey({ uri: ENCRYPTED }));
    expect(error).toMatchObject({ code: 'ERR_ASYNC_STORE_PROMPT' });
    expect(String(error)).toContain('pass phrase');
  });

  test('is not read with another one, which no error shows', async () => {
    const error = await rejection(createPrivateKey({ uri: ENCRYPTED, pin: 'another secret' }));
    expect((error as { code?: unknown }).code).toEqual(expect.stringMatching(/^ERR_OSSL_/));
    expect(String(error)).not.toContain('another');
  });

  test('hands on what its prompt throws', async () => {
    const thrown = new Error('no PIN today');
    const prompt = (): never => {
      throw thrown;
    };
    expect(await rejection(createPrivateKey({ uri: ENCRYPTED, prompt }))).toBe(thrown);
  });
});

test.each<[string, unknown, StoreOptions | undefined, string | RegExp]>([
  ['a file that is not there', { uri: path.join(folder, 'none') }, undefined, /^ERR_OSSL_|^ENOENT/],
  ['a file without a private key', { uri: PUBLIC }, undefined, /^ERR_ASYNC_STORE$|^ERR_OSSL_/],
  ['a file of something else', { uri: file('text', 'text') }, undefined, /^ERR_/],
  ['a scheme that nobody knows', { uri: 'nonsense:key' }, undefined, 'ERR_ASYNC_STORE'],
  ['a provider without a store', { uri: 'nonsense:key' }, { provider: 'accelerator' }, /^ERR_OSSL_/],
  ['a URI that is none', { uri: 1 }, undefined, 'ERR_INVALID_ARG_TYPE'],
  ['a PIN that is none', { uri: PLAIN, pin: 1234 }, undefined, 'ERR_INVALID_ARG_TYPE'],
  ['a prompt that is none', { uri: PLAIN, prompt: 'PIN' }, undefined, 'ERR_INVALID_ARG_TYPE'],
  ['a prompt without an answer', { uri: ENCRYPTED, prompt: () => undefined }, undefined, 'ERR_INVALID_ARG_TYPE'],
  ['an unknown option', { uri: PLAIN }, { nonsense: 1 } as StoreOptions, 'ERR_INVALID_ARG_VALUE'],
])('is refused: %s', async (_title, key, options, code) => {
  expect(await rejectionCode(createPrivateKey(key as StoredKey, options))).toEqual(
    typeof code === 'string' ? code : expect.stringMatching(code),
  );
});

withToken('a key of a token', () => {
  let token: Token;

  beforeAll(() => {
    token = createToken();
  });
  afterAll(() => {
    fs.rmSync(token.folder, { recursive: true });
  });

  test('is found by its URI with the engine of PKCS#11', async () => {
    const outcome = await inChild(
      async ({ library, rejectionCode }) => {
        const uri = 'pkcs11:token=keys;object=ec';
        const before = await rejectionCode(library.createPrivateKey({ uri }));
        const engine = await library.loadEngine('pkcs11', { preInit: [['MODULE_PATH', process.env.TOKEN_MODULE]] });
        const questions: string[] = [];
        const prompt = (question: string): string => {
          questions.push(question);
          return process.env.TOKEN_PIN ?? '';
        };
        const key = await library.createPrivateKey({ uri, prompt });
        const signature = (await library.sign('sha256', 'data', key)).toString('hex');
        const publicKey = await library.createPublicKey({ uri, pin: process.env.TOKEN_PIN ?? '' });
        await engine.unload();
        const after = await rejectionCode(library.createPrivateKey({ uri }));
        const pem = publicKey.export({ format: 'pem', type: 'spki' });
        return { isHeld: key.isHeld, signature, pem, questions, before, after };
      },
      { env: token.env },
    );
    const { signature, pem, ...rest } = resultOf(outcome);
    expect(rest).toEqual({ isHeld: true, questions: ['PIN:'], before: 'ERR_ASYNC_STORE', after: 'ERR_ASYNC_STORE' });
    expect(pem).toBe(token.publicKeys.ec.export({ format: 'pem', type: 'spki' }));
    expect(crypto.verify('sha256', Buffer.from('data'), pem, Buffer.from(signature, 'hex'))).toBe(true);
  });
});

test('may be aborted', async () => {
  const signal = AbortSignal.abort();
  expect(await rejectionCode(createPrivateKey({ uri: PLAIN }, { signal }))).toBe('ABORT_ERR');
});
