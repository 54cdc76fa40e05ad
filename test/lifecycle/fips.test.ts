// Processes in FIPS mode compute with the validated module only. The mode is the process's: each test has one of its own.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { fipsParameters, obtainFips } from '../fips/obtain-fips.js';
import { inChild, resultOf, ROOT } from '../support/programs';

jest.setTimeout(60_000);

const { module: MODULE, reason } = obtainFips();
if (MODULE === undefined) console.log(`Skipped: ${String(reason)}.`);
const node24 = process.env.OPENSSL_ASYNC_NODE_24;
if (node24 === undefined) console.log('Skipped: OPENSSL_ASYNC_NODE_24 names no newer Node.js to test FIPS mode with.');
const nodes: [string, string][] = [
  [process.version, process.execPath],
  ...(node24 === undefined ? [] : ([['Node.js 24', node24]] as [string, string][])),
];

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fips-'));
afterAll(() => {
  fs.rmSync(folder, { recursive: true });
});
const PARAMETERS = MODULE === undefined ? {} : fipsParameters(MODULE);
const SECTION = Object.entries(PARAMETERS).map(([name, value]) => `${name} = ${value}\n`);

const configuration = (name: string, others: string[], fips: string): string => {
  const file = path.join(folder, name);
  const list = ['fips', ...others].map((provider) => `${provider} = ${provider}_section\n`).join('');
  const sections = others.map((provider) => `[${provider}_section]\nactivate = 1\n`).join('');
  const text = `nodejs_conf = init\nopenssl_conf = init\n[init]\nproviders = list\n[list]\n${list}${sections}`;
  fs.writeFileSync(file, `${text}[fips_section]\n${fips}${SECTION.join('')}`);
  return file;
};
const ACTIVATED = `activate = 1\nmodule = ${String(MODULE)}\n`;
const ONLY_FIPS = configuration('only.cnf', ['base'], ACTIVATED);
const BESIDES = configuration('besides.cnf', ['base', 'default'], ACTIVATED);
const ALONE = configuration('alone.cnf', [], ACTIVATED);
const DESCRIBED = configuration('described.cnf', [], '');

const withModule = MODULE === undefined ? describe.skip : describe;

withModule.each(nodes)('%s', (_version, node) => {
  test('begins in FIPS mode: the accelerator, remote keys and own contexts work with the FIPS module', async () => {
    const outcome = await inChild(
      async ({ library, require }) => {
        const crypto = require('node:crypto') as typeof import('node:crypto');
        const code = (promise: Promise<unknown>): Promise<unknown> =>
          promise.then(
            () => 'ok',
            (error: unknown) => (error as { code?: unknown }).code,
          );
        const { hash, hmac, encrypt, sign, generateKeyPair, randomBytes, pbkdf2, listProviders, stats } = library;
        const accelerated = { provider: 'accelerator' } as const;
        const key = Buffer.alloc(32);
        const refused = {
          md5: await code(hash('md5', 'x')),
          acceleratedMd5: await code(hash('md5', 'x', accelerated)),
          fallenBackMd5: await code(hash('md5', 'x', { ...accelerated, fallback: 'software' })),
          chacha20: await code(encrypt('chacha20-poly1305', key, Buffer.alloc(12), 'x', accelerated)),
          hmac: await code(hmac('md5', key, 'x', accelerated)),
          secp256k1: await code(generateKeyPair('ec', { namedCurve: 'secp256k1' }, accelerated)),
          byDefault: await code(hash('sha256', 'x', { provider: 'default' })),
          weakened: await Promise.all(
            ['?fips=yes', 'fips=no', '-fips', 'fips!=yes', 'provider=fips,?fips=yes'].map((properties) =>
              code(hash('sha256', 'x', { properties })),
            ),
          ),
          weakenedAccelerator: await code(hash('md5', 'x', { ...accelerated, properties: '-fips' })),
        };
        const { privateKey, publicKey } = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
        const signature = await sign('sha256', 'data', privateKey, { ...accelerated, requireOffload: true });
        const remote = library.createRemoteKey({
          publicKey,
          sign: () => crypto.sign('sha256', Buffer.from('data'), privateKey),
        });
        const remoteSignature = await sign('sha256', 'data', remote);
        const is = (made: Buffer): boolean => crypto.verify('sha256', Buffer.from('data'), publicKey, made);
        const legacy = await library.loadProvider('legacy');
        const md4 = await code(hash('md4', 'x', { provider: 'legacy' }));
        await legacy.unload();
        const worked = {
          hash: (await hash('sha256', 'x', { ...accelerated, outputEncoding: 'hex' })).slice(0, 8),
          byName: await code(hash('sha256', 'x', { provider: 'fips' })),
          byQuery: await code(hash('sha256', 'x', { properties: 'fips=yes' })),
          derived: await code(pbkdf2('a password', Buffer.alloc(16), 1000, 32, 'sha256', accelerated)),
          random: new Set((await Promise.all([1, 2, 3].map(() => randomBytes(32, accelerated)))).map(String)).size,
          ownRandom: await code(randomBytes(32)),
          rsa: await code(generateKeyPair('rsa', { modulusLength: 2048 }, accelerated)),
          signed: is(signature),
          remote: is(remoteSignature),
        };
        const own = listProviders().filter(({ library: where }) => where === 'own');
        return {
          fips: crypto.getFips(),
          refused,
          worked,
          md4,
          own: own.map(({ name }) => name).sort(),
          digests: own.flatMap(({ algorithms }) => algorithms.digests ?? []).filter((names) => names.includes('MD5')),
          named: Object.keys(stats().providers).sort(),
        };
      },
      { node, nodeArgs: ['--force-fips'], env: { OPENSSL_CONF: ONLY_FIPS } },
    );
    expect(resultOf(outcome)).toEqual({
      fips: 1,
      refused: {
        md5: 'ERR_OSSL_EVP_UNSUPPORTED',
        acceleratedMd5: 'ERR_OSSL_EVP_UNSUPPORTED',
        fallenBackMd5: 'ERR_OSSL_EVP_UNSUPPORTED',
        chacha20: 'ERR_OSSL_EVP_UNSUPPORTED',
        hmac: expect.stringMatching(/^ERR_/) as string,
        secp256k1: expect.stringMatching(/^ERR_/) as string,
        byDefault: 'ERR_ASYNC_PROVIDER_NOT_LOADED',
        weakened: Array.from({ length: 5 }, () => 'ERR_ASYNC_FIPS'),
        weakenedAccelerator: 'ERR_ASYNC_FIPS',
      },
      worked: {
        hash: '2d711642',
        byName: 'ok',
        byQuery: 'ok',
        derived: 'ok',
        random: 3,
        ownRandom: 'ok',
        rsa: 'ok',
        signed: true,
        remote: true,
      },
      md4: 'ERR_OSSL_EVP_UNSUPPORTED',
      own: ['accelerator', 'base'],
      digests: [],
      named: ['accelerator', 'fips', 'remote'],
    });
  });

  test('goes into FIPS mode and out of it: what was used before is looked for again', async () => {
    const outcome = await inChild(
      async ({ library, require }) => {
        const crypto = require('node:crypto') as typeof import('node:crypto');
        const { privateKey, publicKey } = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
        const secret = crypto.createSecretKey(Buffer.alloc(32));
        const iv = Buffer.alloc(12);
        const { hash, hmac, encrypt, sign, verify, pbkdf2, scrypt, createHash, randomBytes } = library;
        const signature = crypto.sign('sha256', Buffer.from('data'), privateKey);
        const all: Record<string, () => Promise<unknown>> = {
          md5: () => hash('md5', 'x'),
          blake2: () => hash('blake2b512', 'x', { fallback: 'software', properties: 'provider=default' }),
          stream: async () => createHash('md5').update('x').digest(),
          hmac: () => hmac('md5', secret, 'x', { properties: 'provider=default' }),
          chacha20: () => encrypt('chacha20-poly1305', secret, iv, 'x'),
          scrypt: () => scrypt('password', 'salt', 32, { N: 16 }),
          sha256: () => hash('sha256', 'x'),
          sign: () => sign('sha256', 'data', privateKey),
          verify: () => verify('sha256', 'data', publicKey, signature),
          gcm: () => encrypt('aes-256-gcm', secret, iv, 'x'),
          pbkdf2: () => pbkdf2('a password', Buffer.alloc(16), 1000, 32, 'sha256'),
          random: () => randomBytes(8),
        };
        const outcomes = async (): Promise<Record<string, unknown>> => {
          const found: Record<string, unknown> = {};
          for (const [name, call] of Object.entries(all)) {
            for (const mode of ['first', 'again']) {
              found[`${name} ${mode}`] = await call().then(
                () => 'ok',
                () => 'refused',
              );
            }
          }
          return found;
        };
        const before = await outcomes();
        crypto.setFips(true);
        const during = await outcomes();
        // It was not used before, so it takes the FIPS module.
        const made = await sign('sha256', 'data', privateKey, { provider: 'accelerator' });
        const accelerated = crypto.verify('sha256', Buffer.from('data'), publicKey, made);
        crypto.setFips(false);
        const after = await outcomes();
        return { before, during, after, accelerated };
      },
      { node, env: { OPENSSL_CONF: BESIDES } },
    );
    const { before, during, after, accelerated } = resultOf(outcome);
    const refused = ['md5', 'blake2', 'stream', 'hmac', 'chacha20', 'scrypt'];
    const expected = Object.keys(before).map((name) => [
      name,
      refused.includes(name.split(' ')[0] as string) ? 'refused' : 'ok',
    ]);
    expect(Object.values(before)).toEqual(Object.values(before).map(() => 'ok'));
    expect(during).toEqual(Object.fromEntries(expected));
    expect(after).toEqual(before);
    expect(accelerated).toBe(true);
  });

  test('refuses the accelerator and remote keys that were set up before FIPS mode', async () => {
    const outcome = await inChild(
      async ({ library, require, rejectionCode }) => {
        const crypto = require('node:crypto') as typeof import('node:crypto');
        const { privateKey, publicKey } = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
        const { sign, hash } = library;
        const remote = library.createRemoteKey({
          publicKey,
          sign: () => crypto.sign('sha256', Buffer.from('data'), privateKey),
        });
        const all = [
          () => sign('sha256', 'data', privateKey, { provider: 'accelerator' }),
          () => hash('sha256', 'data', { provider: 'accelerator' }),
          () => hash('sha256', 'data', { properties: 'provider=accelerator' }),
          () => sign('sha256', 'data', remote),
        ];
        const codes = async (): Promise<unknown[]> => Promise.all(all.map((call) => rejectionCode(call())));
        const before = await codes();
        crypto.setFips(true);
        const during = await codes();
        const software = await rejectionCode(sign('sha256', 'data', privateKey));
        crypto.setFips(false);
        return [before, during, await codes(), software];
      },
      { node, env: { OPENSSL_CONF: BESIDES } },
    );
    const worked = [null, null, null, null];
    const refused = worked.map(() => 'ERR_ASYNC_FIPS');
    expect(resultOf(outcome)).toEqual([worked, refused, worked, null]);
  });

  test('without a FIPS module, FIPS mode leaves nothing to compute with', async () => {
    const outcome = await inChild(
      async ({ library, require, rejectionCode }) => {
        const crypto = require('node:crypto') as typeof import('node:crypto');
        await library.hash('sha256', 'x');
        crypto.setFips(true);
        const { hash, listProviders } = library;
        return {
          software: await rejectionCode(hash('sha256', 'x')),
          accelerator: await rejectionCode(hash('sha256', 'x', { provider: 'accelerator' })),
          own: listProviders().flatMap((each) => (each.library === 'own' ? [each.name] : [])),
        };
      },
      { node },
    );
    expect(resultOf(outcome)).toEqual({
      software: 'ERR_OSSL_EVP_UNSUPPORTED',
      accelerator: 'ERR_ASYNC_FIPS',
      own: ['base'],
    });
  });

  test.each<[string, object, boolean]>([
    ['by a path and parameters', { path: MODULE, parameters: PARAMETERS }, false],
    ['by a path and a file that activates it', { path: MODULE, config: ALONE }, true],
    ['by a file that activates it', { config: ALONE }, true],
    ['by a path and a file with its parameters', { path: MODULE, config: DESCRIBED }, false],
  ])('loads the module once, %s, for whoever names it or its property', async (_title, options, stays) => {
    const outcome = await inChild(
      async ({ library, rejectionCode }) => {
        const provider = await library.loadProvider('fips', JSON.parse(process.env.TEST_OPTIONS ?? '') as object);
        const { hash, sign, generateKeyPair } = library;
        const ways = [{ provider: 'fips' }, { properties: 'provider=fips' }, { properties: 'fips=yes' }];
        const { privateKey } = await generateKeyPair('ec', { namedCurve: 'P-256' });
        const found: unknown[] = [];
        for (const way of [...ways, { provider: 'fips', properties: 'fips=yes' }, { properties: '?fips=yes' }]) {
          found.push([
            await rejectionCode(hash('sha256', 'x', way)),
            await rejectionCode(sign('sha256', 'x', privateKey, way)),
            await rejectionCode(library.createHash('sha256', way).update('x').digest()),
            await rejectionCode(library.randomBytes(8, way)),
          ]);
        }
        const md5 = await Promise.all(ways.map((way) => rejectionCode(hash('md5', 'x', way))));
        const counted = library.stats().providers.fips?.operations ?? 0;
        const loaded = library.listProviders().filter(({ name, library: where }) => name === 'fips' && where === 'own');
        const selfTest = provider.selfTest();
        await provider.unload();
        const after = await rejectionCode(hash('sha256', 'x', { properties: 'fips=yes' }));
        return { selfTest, found, md5, counted, loaded: loaded.length, after: after ?? 'ok' };
      },
      { node, env: { TEST_OPTIONS: JSON.stringify(options) } },
    );
    expect(resultOf(outcome)).toEqual({
      selfTest: true,
      found: Array.from({ length: 5 }, () => [null, null, null, null]),
      md5: Array.from({ length: 3 }, () => 'ERR_OSSL_EVP_UNSUPPORTED'),
      counted: expect.any(Number) as number,
      loaded: 1,
      after: stays ? 'ok' : 'ERR_OSSL_EVP_UNSUPPORTED',
    });
    expect((resultOf(outcome) as { counted: number }).counted).toBeGreaterThanOrEqual(20);
  });

  test('refuses other parameters than those that a file has activated it with', async () => {
    const outcome = await inChild(
      ({ library, rejectionCode }) =>
        rejectionCode(
          library.loadProvider('fips', {
            config: process.env.TEST_CONFIG ?? '',
            parameters: { 'security-checks': 0 },
          }),
        ),
      { node, env: { TEST_CONFIG: ALONE } },
    );
    expect(resultOf(outcome)).toBe('ERR_ASYNC_CONFIGURATION');
  });

  test('doctor says which contexts are in FIPS mode', () => {
    const fips = (args: string[], env: NodeJS.ProcessEnv): unknown => {
      const doctor = [...args, path.join(ROOT, 'dist', 'cli', 'main.js'), 'doctor', '--json'];
      const { stdout } = spawnSync(node, doctor, { encoding: 'utf8', env: { ...process.env, ...env } });
      return (JSON.parse(stdout) as { checks: { fips: unknown } }).checks.fips;
    };
    expect(fips(['--force-fips'], { OPENSSL_CONF: ONLY_FIPS })).toMatchObject({
      status: 'ok',
      details: { process: true, own: true, accelerator: 'fips' },
    });
    expect(fips([], {})).toMatchObject({
      status: 'ok',
      details: { process: false, own: false, accelerator: 'default' },
    });
  });
});
