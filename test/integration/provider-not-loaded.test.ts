// What names a provider that nobody has loaded: for this thread, or for the process by its configuration.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import {
  createCipheriv,
  createHash,
  createPrivateKey,
  hash,
  loadProvider,
  stats,
  type OperationMessage,
  type OperationOptions,
} from '../../lib';
import { inChild, resultOf, ROOT } from '../support/programs';
import { codeOf, rejection, rejectionCode } from '../support/library';

const NOT_LOADED = 'ERR_ASYNC_PROVIDER_NOT_LOADED';
const MD4_OF_ABC = 'a448017aaf21d8525fc10ae87aa6729d'; // RFC 1320, A.5

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'not-loaded-'));
const configuration = (name: string, section: string, more = ''): string => {
  const file = path.join(folder, `${name}.cnf`);
  const sections = `[init]\nproviders = list\n[list]\nnamed = section\n${more}[section]\nactivate = 1\n${section}`;
  fs.writeFileSync(file, `nodejs_conf = init\nopenssl_conf = init\n${sections}`);
  return file;
};
afterAll(() => {
  fs.rmSync(folder, { recursive: true });
});

const names = (): string[] => Object.keys(stats().providers);

test.each<[string, OperationOptions]>([
  ['an option', { provider: 'qat' }],
  ['a fallback', { provider: 'qat', fallback: 'software' }],
  ['a required offload', { provider: 'qat', requireOffload: true }],
  ['a query', { properties: 'provider=qat' }],
  ['a query with quotes', { properties: "provider = 'qat'" }],
  ['a query of several', { properties: 'x=y,Provider=QAT', fallback: 'software' }],
  ['what no query can name', { provider: 'default,x' }],
])('is refused, and not counted: %s', async (_title, options) => {
  const before = names();
  const error = await rejection(hash('sha256', 'abc', options));
  expect(error).toMatchObject({ code: NOT_LOADED });
  expect(String(error)).toContain('loadProvider(');
  expect(codeOf(() => createHash('sha256', withoutFallback(options)))).toBe(NOT_LOADED);
  expect(
    codeOf(() => createCipheriv('aes-128-cbc', Buffer.alloc(16), Buffer.alloc(16), withoutFallback(options))),
  ).toBe(NOT_LOADED);
  expect(names()).toEqual(before);
});

function withoutFallback(options: OperationOptions): Omit<OperationOptions, 'fallback'> {
  const others = { ...options };
  delete others.fallback;
  return others;
}

test('a preference for it is none, to OpenSSL: what was meant for hardware is told of, and can be refused', async () => {
  const told: OperationMessage[] = [];
  const listen = (message: unknown): void => {
    told.push(message as OperationMessage);
  };
  const before = names();
  subscribe('openssl-async:operation:not-offloaded', listen);
  const digest = await hash('sha256', 'abc', { properties: '?provider=qat', outputEncoding: 'hex' });
  await hash('sha256', 'abc', { properties: '?provider=legacy' });
  unsubscribe('openssl-async:operation:not-offloaded', listen);
  expect(digest).toMatch(/^ba7816bf/);
  expect(told).toHaveLength(1);
  const strict = { properties: '?provider=qat', requireOffload: true };
  expect(await rejectionCode(hash('sha256', 'abc', strict))).toBe('ERR_ASYNC_NOT_OFFLOADED');
  expect(names()).toEqual(before);
});

test('case does not count, as in queries', async () => {
  using provider = await loadProvider('legacy');
  expect(provider.loaded).toBe(true);
  for (const options of [{ provider: 'Legacy' }, { properties: 'PROVIDER=LEGACY' }]) {
    expect(await hash('md4', 'abc', { ...options, outputEncoding: 'hex' })).toBe(MD4_OF_ABC);
  }
});

test('a provider that another thread has loaded is not this thread’s', async () => {
  const outcome = await inChild(async ({ library, require }) => {
    const { Worker } = require('node:worker_threads') as typeof import('node:worker_threads');
    const provider = await library.loadProvider('legacy');
    const source = `
      const { hash } = require('./dist');
      hash('md4', 'abc', { provider: 'legacy' }).then(String, (error) => error.code)
        .then((code) => require('node:worker_threads').parentPort.postMessage(code));`;
    const code = await new Promise((resolve) => new Worker(source, { eval: true }).once('message', resolve));
    await provider.unload();
    return code;
  });
  expect(resultOf(outcome)).toBe(NOT_LOADED);
});

test('a provider that a configuration file has activated for this package is every thread’s', async () => {
  const config = configuration('own', 'identity = legacy\n');
  const outcome = await inChild(
    async ({ library, require }) => {
      const { Worker } = require('node:worker_threads') as typeof import('node:worker_threads');
      library.configure({ opensslConfig: process.env.TEST_CONFIG ?? '' });
      const here = await library.hash('md4', 'abc', { provider: 'legacy', outputEncoding: 'hex' });
      const source = `
        const { hash } = require('./dist');
        hash('md4', 'abc', { provider: 'legacy', outputEncoding: 'hex' }).catch((error) => error.code)
          .then((code) => require('node:worker_threads').parentPort.postMessage(code));`;
      const there = await new Promise((resolve) => new Worker(source, { eval: true }).once('message', resolve));
      return [here, there];
    },
    { env: { TEST_CONFIG: config } },
  );
  expect(resultOf(outcome)).toEqual([MD4_OF_ABC, MD4_OF_ABC]);
});

test.each([
  ['by its name', 'identity = legacy\n', 'legacy'],
  ['by that of its algorithms', 'identity = old\nmodule = legacy.so\n', 'legacy'],
])('a provider that the process’s configuration has activated is found %s', (title, section, name) => {
  const program = `
    const { hash } = require('./dist');
    const options = { provider: '${name}', outputEncoding: 'hex', fallback: 'error' };
    hash('md4', 'abc', options).then(console.log, (error) => console.log(error.code));`;
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', program], {
    cwd: ROOT,
    encoding: 'utf8',
    env: {
      ...process.env,
      OPENSSL_CONF: configuration(
        title.replaceAll(' ', '-'),
        `${section}[software]\nactivate = 1\n`,
        'default = software\n',
      ),
      OPENSSL_MODULES: modules(),
    },
  });
  // Without Debian's module, OpenSSL has it built in by its own name only.
  if (section.includes('module') && modules() === '') return;
  expect({ stdout: stdout.trim(), stderr }).toEqual({ stdout: MD4_OF_ABC, stderr: '' });
});

function modules(): string {
  const folders = ['x86_64', 'aarch64'].map((machine) => `/usr/lib/${machine}-linux-gnu/ossl-modules`);
  return folders.find((each) => fs.existsSync(path.join(each, 'legacy.so'))) ?? '';
}

test('loadProvider() says where was looked', async () => {
  const error = await rejection(loadProvider('nonsense'));
  expect(error).toMatchObject({ code: NOT_LOADED });
  expect(String(error)).toMatch(/nonsense\.(so|dylib|dll)/);
  expect(String(error)).toContain('OPENSSL_MODULES');
  const nowhere = path.join(folder, 'nowhere.so');
  const missing = await rejection(loadProvider('nonsense', { path: nowhere }));
  expect(missing).toMatchObject({ code: NOT_LOADED });
  expect(String(missing)).toContain(nowhere);
});

test.each([
  ['pkcs11:token=keys;object=server', ["loadProvider('pkcs11'", "loadEngine('pkcs11'"]],
  ['handle:0x81000000', ["loadProvider('tpm2'"]],
  ['tpm2:0x81000000', ["loadProvider('tpm2'"]],
  ['nonsense:key', ['loadProvider()', 'loadEngine()']],
])('a URI without a store says what to load: %s', async (uri, advice) => {
  const error = await rejection(createPrivateKey({ uri }));
  expect(error).toMatchObject({ code: 'ERR_ASYNC_STORE' });
  for (const text of advice) expect(String(error)).toContain(text);
});

test('a store of a provider that is not loaded is refused', async () => {
  expect(await rejectionCode(createPrivateKey({ uri: 'file:/nowhere' }, { provider: 'qat' }))).toBe(NOT_LOADED);
});
