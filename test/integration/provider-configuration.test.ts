// Configuration files. What they activate stays: these tests have a process of their own.
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { hash, listProviders, loadProvider } from '../../lib';
import { codeOf, freshLibrary } from '../support/library';

const MD4_OF_ABC = 'a448017aaf21d8525fc10ae87aa6729d'; // RFC 1320, A.5

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'configuration-'));
const CONFIG = path.join(folder, 'openssl.cnf');
fs.writeFileSync(
  CONFIG,
  'openssl_conf = init\n[init]\nproviders = list\n[list]\nlegacy = section\n[section]\nactivate = 1\n',
);

afterAll(() => {
  fs.rmSync(folder, { recursive: true });
});

test('configure() says when OpenSSL does not take a configuration file, and may be called again', async () => {
  const library = freshLibrary();
  const configure = (opensslConfig: string) => (): void => {
    library.configure({ opensslConfig });
  };
  expect(codeOf(configure('/nonexistent'))).toBe('ERR_ASYNC_CONFIGURATION');
  expect(codeOf(configure(CONFIG))).toBeUndefined();
  // What the file has activated can be named.
  expect(await library.hash('md4', 'abc', { provider: 'legacy', outputEncoding: 'hex' })).toBe(MD4_OF_ABC);
});

test('a provider that a configuration file has activated stays when it is unloaded', async () => {
  const provider = await loadProvider('legacy', { config: CONFIG });
  expect(listProviders()).toContainEqual(expect.objectContaining({ name: 'legacy', library: 'own', active: true }));
  await provider.unload();
  expect(await hash('md4', 'abc', { provider: 'legacy', outputEncoding: 'hex' })).toBe(MD4_OF_ABC);
});
