// Providers in the addon's own library context. Debian's `legacy` module is one that another build of libcrypto made.
import * as crypto from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { hash, listProviders, loadProvider, sign, type Provider, type ProviderOptions } from '../../lib';
import { codeOf, rejection, rejectionCode } from '../support/library';

const FOLDERS = ['x86_64', 'aarch64'].map((machine) => `/usr/lib/${machine}-linux-gnu/ossl-modules`);
const MODULE = FOLDERS.map((folder) => path.join(folder, 'legacy.so')).find((file) => fs.existsSync(file));
const MD4_OF_ABC = 'a448017aaf21d8525fc10ae87aa6729d'; // RFC 1320, A.5

if (MODULE === undefined) console.log("Skipped: there is no module of OpenSSL's legacy provider on this machine.");
const withModule = MODULE === undefined ? test.skip : test;

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'providers-'));
const file = (name: string, content: string | Buffer): string => {
  const target = path.join(folder, name);
  fs.writeFileSync(target, content);
  return target;
};

const md4 = async (options: { provider?: string; properties?: string }): Promise<string> =>
  (await hash('md4', 'abc', options)).toString('hex');

let provider: Provider | undefined;

afterEach(async () => {
  await provider?.unload();
  provider = undefined;
});
afterAll(() => {
  fs.rmSync(folder, { recursive: true });
});

describe('a provider', () => {
  test('that libcrypto has built in is found by its name, by queries, and not by node:crypto', async () => {
    expect(await rejectionCode(md4({ provider: 'legacy' }))).toBe('ERR_ASYNC_PROVIDER_NOT_LOADED');
    provider = await loadProvider('legacy');
    expect(await md4({ provider: 'legacy' })).toBe(MD4_OF_ABC);
    expect(await md4({ properties: '?provider=legacy' })).toBe(MD4_OF_ABC);
    expect(await md4({ properties: 'provider=legacy' })).toBe(MD4_OF_ABC);
    expect(() => crypto.createHash('md4')).toThrow();
  });

  withModule('is loaded from a module', async () => {
    provider = await loadProvider('legacy', { path: MODULE as string });
    expect(await md4({ provider: 'legacy' })).toBe(MD4_OF_ABC);
    expect(provider.info()).toMatchObject({ name: 'legacy', title: 'OpenSSL Legacy Provider', active: true });
    expect(provider.info().algorithms.digests?.some((names) => names.startsWith('MD4'))).toBe(true);
    expect(provider.selfTest()).toBe(true);
    expect(provider.parameter('name')).toBe('OpenSSL Legacy Provider');
    expect(provider.parameter('status')).toBe('1');
    expect(provider.parameter('nothing')).toBeUndefined();
  });

  test('is gone once unloaded, and what it says of itself too', async () => {
    provider = await loadProvider('legacy');
    await md4({ provider: 'legacy' });
    void provider.unload();
    await provider.unload();
    expect(provider.loaded).toBe(false);
    expect(await rejectionCode(md4({ provider: 'legacy' }))).toBe('ERR_ASYNC_PROVIDER_NOT_LOADED');
    const unloaded = provider;
    for (const use of [() => unloaded.info(), () => unloaded.selfTest(), () => unloaded.parameter('name')]) {
      expect(use).toThrow(expect.objectContaining({ code: 'ERR_ASYNC_PROVIDER_NOT_LOADED' }) as Error);
    }
  });

  test('that is loaded twice stays until both are unloaded', async () => {
    provider = await loadProvider('legacy');
    {
      using second = await loadProvider('legacy');
      expect(second.loaded).toBe(true);
    }
    expect(await md4({ provider: 'legacy' })).toBe(MD4_OF_ABC);
  });

  test('may be unloaded while operations with it are under way', async () => {
    provider = await loadProvider('legacy');
    const hashes = Array.from({ length: 100 }, () => md4({ provider: 'legacy' }));
    void provider.unload();
    expect(new Set(await Promise.all(hashes))).toEqual(new Set([MD4_OF_ABC]));
  });

  test('that has no keys refuses to sign', async () => {
    provider = await loadProvider('legacy');
    const { privateKey } = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
    expect(await rejectionCode(sign('sha256', 'abc', privateKey, { provider: 'legacy' }))).toEqual(expect.any(String));
  });
});

test('all providers are listed, with where they are', () => {
  const listed = listProviders();
  expect(listed).toContainEqual(expect.objectContaining({ name: 'default', library: 'process', active: true }));
  expect(listed).toContainEqual(expect.objectContaining({ name: 'accelerator', library: 'own', active: true }));
  expect(listed.find(({ name }) => name === 'default')?.algorithms.digests).toContainEqual(
    expect.stringContaining('SHA2-256'),
  );
  expect(listed.filter((info) => 'selfTest' in info)).toEqual([]);
});

test('providers test themselves where that is asked for', () => {
  const tested = listProviders({ selfTest: true });
  expect(tested.map(({ selfTest }) => selfTest)).toEqual(tested.map(() => true));
  expect(tested.map(({ name }) => name)).toEqual(expect.arrayContaining(['default', 'accelerator']));
  expect(codeOf(() => listProviders({ selfTest: 1 } as never))).toBe('ERR_INVALID_ARG_TYPE');
  expect(codeOf(() => listProviders({ tests: true } as never))).toBe('ERR_INVALID_ARG_VALUE');
});

test.each<[string, unknown, unknown, string]>([
  ['an unknown one', 'nonsense', {}, 'ERR_ASYNC_PROVIDER_NOT_LOADED'],
  ['no module', 'legacy', { path: file('text.so', 'text') }, 'ERR_ASYNC_MODULE_INCOMPATIBLE'],
  ['no file', 'legacy', { path: '/nonexistent.so' }, 'ERR_ASYNC_PROVIDER_NOT_LOADED'],
  ['no configuration file', 'legacy', { config: '/nonexistent' }, 'ERR_ASYNC_CONFIGURATION'],
  ['a bad configuration file', 'legacy', { config: file('bad.cnf', '[unclosed\n') }, 'ERR_ASYNC_CONFIGURATION'],
  ['a name that is none', 'a=b', {}, 'ERR_INVALID_ARG_VALUE'],
  ['no name', undefined, {}, 'ERR_INVALID_ARG_TYPE'],
  ['a parameter of two lines', 'legacy', { parameters: { pin: '1\n2' } }, 'ERR_INVALID_ARG_VALUE'],
  ['a parameter without a text', 'legacy', { parameters: { pin: {} } }, 'ERR_INVALID_ARG_TYPE'],
  ['a parameter that means something else', 'legacy', { parameters: { module: 'x' } }, 'ERR_INVALID_ARG_VALUE'],
  ['an unknown option', 'legacy', { file: 'x' }, 'ERR_INVALID_ARG_VALUE'],
])('is refused: %s', async (_title, name, options, code) => {
  const error = await rejection(loadProvider(name as string, options as ProviderOptions));
  expect(error).toMatchObject({ code });
  // It may be a secret.
  expect(String(error)).not.toContain('1\n2');
  expect(listProviders().filter((each) => each.library === 'own' && each.name === 'nonsense')).toEqual([]);
});

withModule('a thousand loads leave no fd behind', async () => {
  const load = async (turn: number): Promise<void> => {
    using loaded = await loadProvider('legacy', { path: MODULE as string, parameters: { turn: turn % 3 } });
    if (turn % 10 === 0) expect(await md4({ provider: loaded.name })).toBe(MD4_OF_ABC);
  };
  const fds = (): number => fs.readdirSync('/proc/self/fd').length;
  for (let turn = 0; turn < 200; ++turn) await load(turn);
  const before = fds();
  for (let turn = 0; turn < 1000; ++turn) await load(turn);
  expect(fds()).toBe(before);
});
