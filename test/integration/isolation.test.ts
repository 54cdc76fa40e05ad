// Modules that bring a libcrypto of their own, as those of PKCS#11 do, under a Node whose OpenSSL is another version.
import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { inChild, resultOf, ROOT, type ChildContext, type ChildOutcome } from '../support/programs';
import { foreignEnvironment } from '../support/foreign';
import { createToken, missing as missingToken, SOFTHSM, type Token } from '../support/token';

// SHA-256 of "abc".
const DIGEST = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'isolation-'));
const PROVIDER = path.join(folder, 'token_provider.so');

function compile(): string | undefined {
  const source = path.join(ROOT, 'test', 'native', 'isolation', 'token_provider.c');
  const { status, error, stderr } = spawnSync(
    'cc',
    ['-shared', '-fPIC', source, '-o', PROVIDER, '-Wl,--no-as-needed', '-lcrypto', '-ldl'],
    { encoding: 'utf8' },
  );
  return status === 0 ? undefined : `no provider could be compiled (libssl-dev): ${error?.message ?? stderr}`;
}

const linux = process.platform === 'linux' ? undefined : 'there is nothing to keep apart on this platform';
const missing = linux ?? missingToken ?? compile();
const nodes = [process.execPath, process.env.OPENSSL_ASYNC_NODE_24].flatMap((node) => node ?? []);
const names = nodes.map((node) => execFileSync(node, ['-p', 'process.version'], { encoding: 'utf8' }).trim());
if (missing !== undefined) console.log(`Skipped: ${missing}.`);
if (nodes.length === 1) console.log('Only under this Node: OPENSSL_ASYNC_NODE_24 may name one with another OpenSSL.');

// As "3.0".
const versionOf = (text: string): string => /\d+\.\d+/.exec(text)?.[0] ?? '';
const { stdout: systemText } = spawnSync('openssl', ['version'], { encoding: 'utf8', env: foreignEnvironment() });
const SYSTEM = versionOf(systemText);

let token: Token;

beforeAll(() => {
  if (missing === undefined) token = createToken();
});
afterAll(() => {
  fs.rmSync(folder, { recursive: true });
  if (missing === undefined) fs.rmSync(token.folder, { recursive: true });
});

const perNode =
  missing === undefined
    ? describe.each(names.map((name, i) => [name, nodes[i] ?? '']))
    : describe.skip.each([['', '']]);

perNode('under Node %s, a module with a libcrypto of its own', (_name, node) => {
  // Sanitizers forbid what keeps it apart.
  const env = (): NodeJS.ProcessEnv => ({ ...token.env, TOKEN_PROVIDER: PROVIDER });
  const run = <Result>(program: (context: ChildContext) => Promise<Result>, more: NodeJS.ProcessEnv = {}) =>
    inChild(program, { node, env: { ...env(), ...more } }) as Promise<ChildOutcome<Result>>;

  test('works when a parameter names it', async () => {
    const outcome = await run(async ({ library }) => {
      const { TOKEN_PROVIDER, TOKEN_MODULE = '', TOKEN_PIN = '' } = process.env;
      const provider = await library.loadProvider('token', {
        path: TOKEN_PROVIDER as string,
        parameters: { 'pkcs11-module-path': TOKEN_MODULE, 'pkcs11-module-pin': TOKEN_PIN },
      });
      return [provider.parameter('digest'), provider.parameter('failure')];
    });
    expect(resultOf(outcome)).toEqual([DIGEST, '']);
  });

  test('works when a configuration file names it', async () => {
    const config = path.join(token.folder, 'openssl.cnf');
    const section = `identity = token\nmodule = ${PROVIDER}\nactivate = 1\npkcs11-module-path = ${String(SOFTHSM)}\n`;
    const head = 'openssl_conf = init\n[init]\nproviders = list\n[list]\ntoken = section\nbase = plain\n';
    const text = `${head}[plain]\nactivate = 1\n[section]\n${section}pkcs11-module-pin = ${token.pin}\n`;
    fs.writeFileSync(config, text);
    const outcome = await run(
      async ({ library }) => {
        library.configure({ opensslConfig: process.env.CONFIG });
        const provider = await library.loadProvider('token');
        return provider.parameter('digest');
      },
      { CONFIG: config },
    );
    expect(resultOf(outcome)).toBe(DIGEST);
  });

  test('works when it is listed, whatever opens it', async () => {
    const outcome = await run(async ({ library }) => {
      const { TOKEN_PROVIDER, TOKEN_MODULE = '', TOKEN_PIN = '' } = process.env;
      await library.loadProvider('legacy', { isolate: [TOKEN_MODULE] });
      const provider = await library.loadProvider('token', {
        path: TOKEN_PROVIDER as string,
        parameters: { 'pkcs11-module-path': TOKEN_MODULE, 'pkcs11-module-pin': TOKEN_PIN },
      });
      return provider.parameter('digest');
    });
    expect(resultOf(outcome)).toBe(DIGEST);
  });

  test('works behind an engine', async () => {
    const outcome = await run(async ({ library }) => {
      const { TOKEN_MODULE = '', TOKEN_PIN: pin = '' } = process.env;
      const engine = await library.loadEngine('pkcs11', { preInit: [['MODULE_PATH', TOKEN_MODULE]] });
      const key = await engine.loadPrivateKey('pkcs11:token=keys;object=rsa', { pin });
      const signature = await library.sign('sha256', 'data', key);
      return library.verify('sha256', 'data', key, signature);
    });
    expect(resultOf(outcome)).toBe(true);
  });

  test('is refused where it is too late, rather than to crash', async () => {
    const outcome = await run(async ({ library, rejectionCode }) => {
      const { TOKEN_PROVIDER, TOKEN_MODULE = '', TOKEN_PIN = '' } = process.env;
      const parameters = { 'pkcs11-module-path': '', 'pkcs11-module-pin': TOKEN_PIN };
      await library.loadProvider('token', { path: TOKEN_PROVIDER as string, parameters });
      const late = library.loadProvider('token', {
        path: TOKEN_PROVIDER as string,
        parameters: { ...parameters, 'pkcs11-module-path': TOKEN_MODULE },
      });
      const listed = library.loadProvider('legacy', { isolate: [TOKEN_MODULE] });
      return [process.versions.openssl, await rejectionCode(late), await rejectionCode(listed)];
    });
    const [version, late, listed] = resultOf(outcome) as [string, unknown, unknown];
    // Where the process's OpenSSL and the system's are of one version, as of Node 20 and Debian 12, that goes well.
    const expected = SYSTEM === versionOf(version) ? null : 'ERR_ASYNC_MODULE_INCOMPATIBLE';
    expect([late, listed]).toEqual([expected, expected]);
  });

  test('is refused when there is no such file, or no path', async () => {
    const outcome = await run(async ({ library, rejectionCode }) => [
      await rejectionCode(library.loadProvider('legacy', { isolate: ['/nowhere/module.so'] })),
      await rejectionCode(library.loadProvider('legacy', { isolate: '/module.so' as never })),
      await rejectionCode(library.loadEngine('pkcs11', { isolate: [5] as never })),
    ]);
    const type = 'ERR_INVALID_ARG_TYPE';
    expect(resultOf(outcome)).toEqual(['ERR_ASYNC_MODULE_INCOMPATIBLE', type, type]);
  });
});
