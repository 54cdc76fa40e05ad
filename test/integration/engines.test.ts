// Engines: OpenSSL's own, the reference engine, and modules that cannot work here.
import * as crypto from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import {
  diffieHellman,
  listEngines,
  loadEngine,
  loadProvider,
  privateDecrypt,
  privateEncrypt,
  sign,
  stats,
  type Engine,
  type EngineOptions,
} from '../../lib';
import { ROOT } from '../support/programs';
import { codeOf, rejection, rejectionCode } from '../support/library';

const linux = process.platform === 'linux' ? describe : describe.skip;

const REFERENCE = path.join(ROOT, 'build', 'Release', 'reference_engine.so');
const hasEngines = Number.parseInt(process.versions.openssl, 10) < 4;
if (!hasEngines) console.log('Skipped: this OpenSSL has no engines.');
const withEngines = hasEngines ? describe : describe.skip;

withEngines('the loader of engines', () => {
  test('is given commands, as by openssl(1)', async () => {
    const preInit = [['SO_PATH', REFERENCE], ['NO_VCHECK', 1], ['ID', 'reference'], ['LOAD']] as const;
    using loaded = await loadEngine('dynamic', { preInit });
    expect(loaded.id).toBe('reference');
  });

  test('says why it does not load a module', async () => {
    const error = await rejection(loadEngine('dynamic', { preInit: [['SO_PATH', '/nonexistent.so'], ['LOAD']] }));
    expect(error).toMatchObject({ code: 'ERR_ASYNC_ENGINE' });
    expect((error as { opensslErrorStack?: string[] }).opensslErrorStack).toContainEqual(
      expect.stringContaining('/nonexistent.so'),
    );
  });
});

withEngines('an engine', () => {
  let engine: Engine;

  beforeAll(async () => {
    engine = await loadEngine(REFERENCE);
  });
  afterAll(async () => {
    await engine.unload();
  });

  test('is listed, and says what it is', () => {
    expect(listEngines()).toContainEqual({ id: 'reference', name: engine.name, loaded: true });
    expect(listEngines()).toContainEqual(expect.objectContaining({ id: 'dynamic', loaded: false }));
    expect(engine).toMatchObject({ id: 'reference', algorithms: ['RSA', 'EC'], loaded: true, pauses: false });
    expect(engine.name).not.toBe('');
  });

  test('says which commands it knows', () => {
    const kinds = Object.fromEntries(engine.commands.map((command) => [command.name, command.kinds]));
    expect(kinds).toMatchObject({ MODE: ['string'], LATENCY_MICROS: ['number'], POLL: ['none'] });
    expect(engine.commands.every(({ description }) => description !== '')).toBe(true);
  });

  test('takes commands with a text, a number, or nothing', async () => {
    const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'engine-')), 'stats');
    await engine.control('LATENCY_MICROS', 10);
    await engine.control('POLL');
    await engine.control('POLL', null);
    await engine.control('STATS', file);
    expect(fs.readFileSync(file, 'utf8')).toMatch(/ polls=2 /);
    fs.rmSync(path.dirname(file), { recursive: true });
  });

  test.each<[string, string, unknown, string]>([
    ['one that it does not know', 'NOTHING', undefined, 'ERR_ASYNC_ENGINE'],
    ['one that fails', 'MODE', 'nonsense', 'ERR_ASYNC_ENGINE'],
    ['a number for a text', 'MODE', 1, 'ERR_ASYNC_ENGINE'],
    ['a text for a number', 'LATENCY_MICROS', '1', 'ERR_ASYNC_ENGINE'],
    ['nothing for a number', 'LATENCY_MICROS', undefined, 'ERR_ASYNC_ENGINE'],
    ['a text for nothing', 'POLL', 'text', 'ERR_ASYNC_ENGINE'],
    ['a value of another type', 'MODE', {}, 'ERR_INVALID_ARG_TYPE'],
    ['a fraction', 'LATENCY_MICROS', 0.5, 'ERR_OUT_OF_RANGE'],
    ['a text with a NUL', 'MODE', 'secret\0', 'ERR_INVALID_ARG_VALUE'],
    ['no name', undefined as unknown as string, undefined, 'ERR_INVALID_ARG_TYPE'],
  ])('refuses a command: %s', async (_title, command, value, code) => {
    const error = await rejection(engine.control(command, value as string));
    expect(error).toMatchObject({ code });
    expect(String(error)).not.toContain('secret');
  });

  test("works for keys of one's own, and for no other", async () => {
    const { privateKey, publicKey } = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const operations = (): number => stats().engines.reference?.operations ?? 0;
    const before = operations();
    const bound = engine.bindKey(privateKey);
    expect([bound.isHeld, bound.asymmetricKeyType]).toEqual([true, 'ec']);
    expect(crypto.verify('sha256', Buffer.from('data'), publicKey, await sign('sha256', 'data', bound))).toBe(true);
    expect(operations() - before).toBe(1);
    await sign('sha256', 'data', privateKey);
    expect(operations() - before).toBe(1);
    expect(await rejectionCode(sign('sha256', 'data', bound, { provider: 'default' }))).toBe('ERR_ASYNC_INVALID_KEY');
    expect(codeOf(() => engine.bindKey(bound))).toBe('ERR_ASYNC_ENGINE');
  });

  test("does for a key of one's own whatever the key is for", async () => {
    const { constants } = crypto;
    const data = Buffer.from('data');
    const rsa = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
    const ec = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const other = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const key = engine.bindKey(rsa.privateKey);
    const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
    const signature = await sign('sha256', data, { key, ...pss });
    expect(crypto.verify('sha256', data, { key: rsa.publicKey, ...pss }, signature)).toBe(true);
    const oaep = { oaepHash: 'sha256' };
    expect(await privateDecrypt({ key, ...oaep }, crypto.publicEncrypt({ key: rsa.publicKey, ...oaep }, data))).toEqual(
      data,
    );
    expect(crypto.publicDecrypt(rsa.publicKey, await privateEncrypt(key, data))).toEqual(data);
    const ecKey = engine.bindKey(ec.privateKey);
    const p1363 = { dsaEncoding: 'ieee-p1363' } as const;
    const short = await sign('sha256', data, { key: ecKey, ...p1363 });
    expect(crypto.verify('sha256', data, { key: ec.publicKey, ...p1363 }, short)).toBe(true);
    const secret = crypto.diffieHellman({ privateKey: other.privateKey, publicKey: ec.publicKey });
    expect(await diffieHellman({ privateKey: ecKey, publicKey: other.publicKey })).toEqual(secret);
  });

  test('works for keys of the types that it is used for', async () => {
    const ec = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    const rsa = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    using limited = await loadEngine(REFERENCE, { algorithms: ['RSA'] });
    expect(limited.bindKey(rsa).isHeld).toBe(true);
    expect(codeOf(() => limited.bindKey(ec))).toBe('ERR_ASYNC_ENGINE');
    limited.use(['EC']);
    expect(limited.bindKey(ec).isHeld).toBe(true);
    expect(codeOf(() => limited.bindKey(rsa))).toBe('ERR_ASYNC_ENGINE');
    expect(codeOf(() => limited.bindKey(crypto.generateKeyPairSync('ed25519').privateKey))).toBe('ERR_ASYNC_ENGINE');
  });

  test('takes no unknown names of what it is used for', () => {
    const names = ['NOTHING'] as unknown as ['RSA'];
    const uses = [
      () => {
        engine.use(names);
      },
      () => {
        engine.setDefault(names);
      },
    ];
    expect(uses.map(codeOf)).toEqual(['ERR_INVALID_ARG_VALUE', 'ERR_INVALID_ARG_VALUE']);
  });
});

test.each<[string, unknown, unknown, string]>([
  ['an unknown one', 'nonsense', {}, 'ERR_ASYNC_ENGINE'],
  ['no file', '/nonexistent.so', {}, 'ERR_ASYNC_ENGINE'],
  ['no id', undefined, {}, 'ERR_INVALID_ARG_TYPE'],
  ['an empty id', '', {}, 'ERR_INVALID_ARG_VALUE'],
  ['an unknown option', 'dynamic', { path: 'x' }, 'ERR_INVALID_ARG_VALUE'],
  ['commands that are no list', 'dynamic', { preInit: 'LOAD' }, 'ERR_INVALID_ARG_TYPE'],
  ['a command that is no list', 'dynamic', { preInit: ['LOAD'] }, 'ERR_INVALID_ARG_TYPE'],
  ['a command that it does not know', 'dynamic', { preInit: [['NOTHING']] }, 'ERR_ASYNC_ENGINE'],
  ['a command afterwards that it does not know', 'dynamic', { postInit: [['NOTHING']] }, 'ERR_ASYNC_ENGINE'],
  ['algorithms that are none', 'dynamic', { algorithms: ['rsa'] }, 'ERR_INVALID_ARG_VALUE'],
  ['a pause that is none', 'dynamic', { pauses: 1 }, 'ERR_INVALID_ARG_TYPE'],
])('is refused: %s', async (_title, id, options, code) => {
  expect(await rejectionCode(loadEngine(id as string, options as EngineOptions))).toBe(code);
});

linux('a module', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'modules-'));
  const sound = path.join(ROOT, 'build', 'Release', 'accelerator.so');

  afterAll(() => {
    fs.rmSync(folder, { recursive: true });
  });

  const file = (name: string, content: string | Buffer): string => {
    const target = path.join(folder, name);
    fs.writeFileSync(target, content);
    return target;
  };
  /** The sound module, changed: what is put in has the length of what it takes the place of. */
  const changed = (name: string, change: (module: Buffer) => void): string => {
    const module = fs.readFileSync(sound);
    change(module);
    return file(name, module);
  };
  const rename = (module: Buffer, from: string, to: string): void => {
    const at = module.indexOf(`\0${from}\0`);
    expect([at > 0, to.length]).toEqual([true, from.length]);
    module.write(to, at + 1);
  };

  test.each<[string, () => string, RegExp]>([
    ['that is text', () => file('text.so', 'text'), /not a module/],
    ['that is empty', () => file('empty.so', ''), /not a module/],
    ['that is a folder', () => folder, /not a module/],
    ['that is cut short', () => file('short.so', fs.readFileSync(sound).subarray(0, 65_536)), /not a module/],
    ['for another machine', () => changed('machine.so', (module) => module.writeUInt16LE(8, 18)), /wrong architecture/],
    ['of another word size', () => changed('class.so', (module) => module.writeUInt8(1, 4)), /wrong architecture/],
    [
      'that misses a symbol',
      () => changed('symbol.so', (module) => { rename(module, 'OSSL_LIB_CTX_new', 'OSSL_LIB_CTX_neX'); }), // prettier-ignore
      /missing symbol OSSL_LIB_CTX_neX/,
    ],
    [
      'of another libcrypto',
      () => changed('other.so', (module) => { rename(module, 'libstdc++.so.6', 'libcrypto.so.1'); }), // prettier-ignore
      /another libcrypto.*libcrypto\.so\.1/,
    ],
  ])('%s is refused with the reason', async (_title, make, reason) => {
    const module = make();
    for (const load of [() => loadEngine(module), () => loadProvider('broken', { path: module })]) {
      const error = await rejection(load());
      expect(error).toMatchObject({ code: 'ERR_ASYNC_MODULE_INCOMPATIBLE' });
      expect((error as Error).message).toMatch(reason);
    }
  });

  test('that is no engine is refused, and one that is no provider', async () => {
    expect(await rejection(loadEngine(sound))).toMatchObject({
      code: 'ERR_ASYNC_MODULE_INCOMPATIBLE',
      message: expect.stringContaining('bind_engine') as string,
    });
    const library = path.join(ROOT, 'build', 'Release', 'test_device.node');
    expect(await rejection(loadProvider('device', { path: library }))).toMatchObject({
      code: 'ERR_ASYNC_MODULE_INCOMPATIBLE',
      message: expect.stringContaining('OSSL_provider_init') as string,
    });
  });

  (hasEngines ? test : test.skip)('that does not set up the engine asked for is refused', async () => {
    expect(await rejection(loadEngine(REFERENCE, { id: 'other' }))).toMatchObject({
      code: 'ERR_ASYNC_MODULE_INCOMPATIBLE',
      message: expect.stringContaining("does not set up an engine 'other'") as string,
    });
  });
});
