// Engines: Debian's for PKCS#11 with a token of SoftHSM's, OpenSSL's own, and modules that cannot work here.
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
import { inChild, resultOf, ROOT, run, type ChildContext } from '../support/programs';
import { codeOf, rejection, rejectionCode } from '../support/library';
import { createToken, missing, type Token } from '../support/token';

if (missing !== undefined) console.log(`Skipped: ${missing}.`);
const withToken = missing === undefined ? describe : describe.skip;

const linux = process.platform === 'linux' ? describe : describe.skip;

/** What `program` returns in a process that can reach the token. */
async function atToken<Result>(
  token: Token,
  program: (context: ChildContext) => Promise<Result>,
): Promise<Awaited<Result>> {
  return resultOf(await inChild(program, { env: token.env }));
}

withToken('the engine of PKCS#11', () => {
  let token: Token;

  beforeEach(() => {
    token = createToken();
  });
  afterEach(() => {
    fs.rmSync(token.folder, { recursive: true });
  });

  test('signs with keys that stay in the token, on the pool', async () => {
    const signed = await atToken(token, async ({ library, codeOf }) => {
      const engine = await library.loadEngine('pkcs11', { preInit: [['MODULE_PATH', process.env.TOKEN_MODULE]] });
      const rsa = await engine.loadPrivateKey('pkcs11:token=keys;object=rsa', { pin: process.env.TOKEN_PIN ?? '' });
      const ec = await engine.loadPrivateKey('pkcs11:token=keys;object=ec', { pin: process.env.TOKEN_PIN ?? '' });
      const data = 'data';
      return {
        rsa: (await library.sign('sha256', data, rsa)).toString('hex'),
        pss: (await library.sign('sha256', data, { key: rsa, padding: 6, saltLength: 32 })).toString('hex'),
        ec: (await library.sign('sha256', data, ec)).toString('hex'),
        p1363: (await library.sign('sha256', data, { key: ec, dsaEncoding: 'ieee-p1363' })).toString('hex'),
        isVerified: await library.verify('sha256', data, ec, await library.sign('sha256', data, ec)),
        isHeld: rsa.isHeld && ec.isHeld,
        types: [rsa.asymmetricKeyType, ec.asymmetricKeyType],
        exported: codeOf(() => rsa.export({ format: 'pem', type: 'pkcs8' })),
        publicKey: (await engine.loadPublicKey('pkcs11:token=keys;object=rsa')).export({ format: 'pem', type: 'spki' }),
        figures: library.stats().engines.pkcs11,
        algorithm: library.stats().operations.algorithms['sign RSA-2048 sha256'],
      };
    });
    const { rsa, ec } = token.publicKeys;
    const isValid = (key: crypto.VerifyKeyObjectInput, signature: string): boolean =>
      crypto.verify('sha256', Buffer.from('data'), key, Buffer.from(signature, 'hex'));
    expect(isValid({ key: rsa }, signed.rsa)).toBe(true);
    expect(isValid({ key: rsa, padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }, signed.pss)).toBe(
      true,
    );
    expect(isValid({ key: ec }, signed.ec)).toBe(true);
    expect(isValid({ key: ec, dsaEncoding: 'ieee-p1363' }, signed.p1363)).toBe(true);
    expect(signed).toMatchObject({
      isVerified: true,
      isHeld: true,
      types: ['rsa', 'ec'],
      exported: 'ERR_ASYNC_KEY_NOT_EXPORTABLE',
      publicKey: rsa.export({ format: 'pem', type: 'spki' }),
      figures: { operations: 5, paused: 0, failed: 0, notOffloaded: 0, inFlight: 0 },
      algorithm: { offloaded: 2, inline: 0, jobs: 0 },
    });
  });

  test('runs in jobs when it is said to pause, and is found not to', async () => {
    const outcome = await atToken(token, async ({ library, rejectionCode: codeOfRejection }) => {
      const preInit = [['MODULE_PATH', process.env.TOKEN_MODULE]] as const;
      const engine = await library.loadEngine('pkcs11', { preInit, pauses: true });
      const key = await engine.loadPrivateKey('pkcs11:token=keys;object=rsa', { pin: process.env.TOKEN_PIN ?? '' });
      const signature = await library.sign('sha256', 'data', key);
      return {
        isValid: await library.verify('sha256', 'data', key, signature),
        required: await codeOfRejection(library.sign('sha256', 'data', key, { requireOffload: true })),
        figures: library.stats().engines.pkcs11,
        algorithm: library.stats().operations.algorithms['sign RSA-2048 sha256'],
      };
    });
    expect(outcome).toMatchObject({
      isValid: true,
      required: 'ERR_ASYNC_NOT_OFFLOADED',
      figures: { operations: 2, paused: 0, notOffloaded: 2 },
      algorithm: { jobs: 2, offloaded: 0, inline: 0 },
    });
  });

  test('can be the choice of the whole process, until it is unloaded', async () => {
    const outcome = await atToken(token, async ({ library, require }) => {
      const { createPrivateKey, generateKeyPairSync, sign, verify } =
        require('node:crypto') as typeof import('node:crypto');
      const engine = await library.loadEngine('pkcs11', { preInit: [['MODULE_PATH', process.env.TOKEN_MODULE]] });
      const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
      const isRight = (): boolean => {
        const key = createPrivateKey(privateKey.export({ format: 'pem', type: 'pkcs8' }));
        return verify('sha256', Buffer.from('data'), publicKey, sign('sha256', Buffer.from('data'), key));
      };
      engine.setDefault(['RSA', 'EC', 'PKEY']);
      const during = isRight();
      await engine.unload();
      return { during, afterwards: isRight(), isListed: library.listEngines().some(({ id }) => id === 'pkcs11') };
    });
    expect(outcome).toEqual({ during: true, afterwards: true, isListed: false });
  });

  test('deciphers', async () => {
    const ciphertext = crypto.publicEncrypt(token.publicKeys.rsa, Buffer.from('secret')).toString('hex');
    token.env.TOKEN_CIPHERTEXT = ciphertext;
    const text = await atToken(token, async ({ library }) => {
      const engine = await library.loadEngine('pkcs11', { preInit: [['MODULE_PATH', process.env.TOKEN_MODULE]] });
      const rsa = await engine.loadPrivateKey('pkcs11:token=keys;object=rsa', { pin: process.env.TOKEN_PIN ?? '' });
      const message = Buffer.from(process.env.TOKEN_CIPHERTEXT ?? '', 'hex');
      return (await library.privateDecrypt(rsa, message)).toString();
    });
    expect(text).toBe('secret');
  });

  test('does not hold the loop, however many signatures are wanted', async () => {
    const { longestMs, totalMs, valid, algorithm, inFlight } = await atToken(token, async ({ library }) => {
      const engine = await library.loadEngine('pkcs11', { preInit: [['MODULE_PATH', process.env.TOKEN_MODULE]] });
      const key = await engine.loadPrivateKey('pkcs11:token=keys;object=rsa', { pin: process.env.TOKEN_PIN ?? '' });
      await library.sign('sha256', 'data', key);
      let longest = 0;
      let last = performance.now();
      const timer = setInterval(() => {
        const now = performance.now();
        longest = Math.max(longest, now - last);
        last = now;
      }, 1);
      const started = performance.now();
      const calls = Array.from({ length: 64 }, () => library.sign('sha256', 'data', key));
      const { inFlight: flying } = library.stats().engines.pkcs11 ?? {};
      const signatures = await Promise.all(calls);
      const total = performance.now() - started;
      clearInterval(timer);
      return {
        longestMs: longest,
        totalMs: total,
        valid: await Promise.all(signatures.map((signature) => library.verify('sha256', 'data', key, signature))),
        algorithm: library.stats().operations.algorithms['sign RSA-2048 sha256'],
        inFlight: flying,
      };
    });
    expect(valid).toEqual(Array.from({ length: 64 }, () => true));
    expect(inFlight).toBe(64);
    expect(algorithm).toMatchObject({ offloaded: 65, inline: 0, jobs: 0 });
    expect(longestMs).toBeLessThan(totalMs / 2);
  });

  test('says what is wrong: a PIN, a token, a key, none of them', async () => {
    const errors = await atToken(token, async ({ library }) => {
      const engine = await library.loadEngine('pkcs11', { preInit: [['MODULE_PATH', process.env.TOKEN_MODULE]] });
      const failure = async (id: string, pin?: string): Promise<unknown> => {
        try {
          await engine.loadPrivateKey(id, pin === undefined ? {} : { pin });
          return undefined;
        } catch (error) {
          const { code, message, opensslErrorStack } = error as { code: string; message: string } & {
            opensslErrorStack?: string[];
          };
          return { code, message, isExplained: (opensslErrorStack ?? []).length > 0 };
        }
      };
      const right = process.env.TOKEN_PIN ?? '';
      return [
        await failure('pkcs11:token=keys;object=rsa', '9999'),
        await failure('pkcs11:token=keys;object=rsa'),
        await failure('pkcs11:token=none;object=rsa', right),
        await failure('pkcs11:token=keys;object=none', right),
        await failure('pkcs11:token=keys;object=rsa', right),
      ];
    });
    expect(errors.pop()).toBeNull();
    for (const error of errors) {
      expect(error).toMatchObject({ code: 'ERR_ASYNC_ENGINE', isExplained: true });
      expect(JSON.stringify(error)).not.toMatch(/9999|2468/);
    }
  });

  test('fails with an error once the token is gone', async () => {
    const codes = await atToken(token, async ({ library, require, rejectionCode: codeOfRejection }) => {
      const { rmSync } = require('node:fs') as typeof import('node:fs');
      const engine = await library.loadEngine('pkcs11', { preInit: [['MODULE_PATH', process.env.TOKEN_MODULE]] });
      const key = await engine.loadPrivateKey('pkcs11:token=keys;object=ec', { pin: process.env.TOKEN_PIN ?? '' });
      const signature = await library.sign('sha256', 'data', key);
      const under = Array.from({ length: 16 }, () => codeOfRejection(library.sign('sha256', 'data', key)));
      rmSync(process.env.TOKEN_FOLDER ?? '', { recursive: true });
      await Promise.all(under);
      return {
        worked: signature.length > 0,
        signing: await codeOfRejection(library.sign('sha256', 'data', key)),
        failed: library.stats().engines.pkcs11?.failed,
      };
    });
    expect(codes.worked).toBe(true);
    expect(codes.signing).toMatch(/^ERR_/);
    expect(codes.failed).toBeGreaterThan(0);
  });

  test('is finished when it is unloaded, and its keys with it', async () => {
    const outcome = await atToken(token, async ({ library, rejectionCode: codeOfRejection }) => {
      const options = { preInit: [['MODULE_PATH', process.env.TOKEN_MODULE]] } as const;
      const engine = await library.loadEngine('pkcs11', options);
      const uri = 'pkcs11:token=keys;object=rsa';
      const key = await engine.loadPrivateKey(uri, { pin: process.env.TOKEN_PIN ?? '' });
      const calls = Array.from({ length: 20 }, () => library.sign('sha256', 'data', key));
      void engine.unload();
      void engine.unload();
      const signatures = await Promise.all(calls);
      const refused = [
        await codeOfRejection(library.sign('sha256', 'data', key)),
        await codeOfRejection(engine.loadPrivateKey(uri)),
        await codeOfRejection(engine.control('QUIET')),
      ];
      const isListed = library.listEngines().some(({ id, loaded }) => id === 'pkcs11' && loaded);
      // The token wants the PIN again: the session has ended.
      const again = await library.loadEngine('pkcs11', options);
      const login = await codeOfRejection(again.loadPrivateKey(uri));
      await again.loadPrivateKey(uri, { pin: process.env.TOKEN_PIN ?? '' });
      return { signatures: signatures.length, refused, isListed, isLoaded: engine.loaded, login };
    });
    expect(outcome).toEqual({
      signatures: 20,
      refused: ['ERR_ASYNC_ENGINE', 'ERR_ASYNC_ENGINE', 'ERR_ASYNC_ENGINE'],
      isListed: false,
      isLoaded: false,
      login: 'ERR_ASYNC_ENGINE',
    });
  });

  test('is shared by threads, and by all who load it in the same way', async () => {
    const outcome = await atToken(token, async ({ library, require, rejectionCode: codeOfRejection }) => {
      const { Worker } = require('node:worker_threads') as typeof import('node:worker_threads');
      const preInit = [['MODULE_PATH', process.env.TOKEN_MODULE]] as const;
      const pin = process.env.TOKEN_PIN ?? '';
      const engine = await library.loadEngine('pkcs11', { preInit });
      const second = await library.loadEngine('pkcs11');
      const other = await codeOfRejection(library.loadEngine('pkcs11', { preInit: [['MODULE_PATH', '/other.so']] }));
      const key = await engine.loadPrivateKey('pkcs11:token=keys;object=ec', { pin });
      void engine.unload();
      const stillKey = await second.loadPrivateKey('pkcs11:token=keys;object=ec');
      const refused = await codeOfRejection(library.sign('sha256', 'data', key));
      const source = `
        const { loadEngine, sign } = require('./dist');
        (async () => {
          const engine = await loadEngine('pkcs11', { preInit: [['MODULE_PATH', process.env.TOKEN_MODULE]] });
          const key = await engine.loadPrivateKey('pkcs11:token=keys;object=ec', { pin: process.env.TOKEN_PIN });
          const signatures = await Promise.all(Array.from({ length: 10 }, () => sign('sha256', 'data', key)));
          require('node:worker_threads').parentPort.postMessage(signatures.length);
        })();`;
      const threads = Array.from(
        { length: 3 },
        () =>
          new Promise((resolve, reject) => {
            const worker = new Worker(source, { eval: true });
            let count: unknown;
            worker.on('message', (message: unknown) => (count = message));
            worker.on('error', reject);
            worker.on('exit', () => {
              resolve(count);
            });
          }),
      );
      const counts = await Promise.all(threads);
      await library.sign('sha256', 'data', stillKey);
      return { other, refused, counts };
    });
    expect(outcome).toEqual({ other: 'ERR_ASYNC_ENGINE', refused: 'ERR_ASYNC_ENGINE', counts: [10, 10, 10] });
  });

  // The module's destructors run when the process ends, and would crash whoever is in it.
  test.each([
    ['is told to', 'process.exit(7)', 7],
    ['fails', "throw new Error('the end')", 1],
    ['ends its thread', "require('node:worker_threads').parentPort.postMessage('signing')", 1],
  ])('lets the process end that %s while it works', async (_title, end, code) => {
    const program = `
      const { loadEngine, sign } = require('./dist');
      (async () => {
        const engine = await loadEngine('pkcs11', { preInit: [['MODULE_PATH', process.env.TOKEN_MODULE]] });
        const key = await engine.loadPrivateKey('pkcs11:token=keys;object=rsa', { pin: process.env.TOKEN_PIN });
        for (let i = 0; i < 400; ++i) sign('sha256', 'data', key).catch(() => {});
        await sign('sha256', 'data', key);
        for (let i = 0; i < 400; ++i) sign('sha256', 'data', key).catch(() => {});
        ${end};
      })();`;
    const inThread = `
      const { Worker } = require('node:worker_threads');
      const worker = new Worker(${JSON.stringify(program)}, { eval: true });
      worker.once('message', async () => process.exit(await worker.terminate()));`;
    const source = end.includes('parentPort') ? inThread : program;
    const { exitCode, signal } = await run(process.execPath, ['-e', source], token.env);
    expect({ exitCode, signal }).toEqual({ exitCode: code, signal: null });
  });

  test('can be loaded and unloaded a thousand times', async () => {
    const { before, after, fds } = await atToken(token, async ({ library, require }) => {
      const { readdirSync } = require('node:fs') as typeof import('node:fs');
      const cycle = async (): Promise<void> => {
        const engine = await library.loadEngine('pkcs11', { preInit: [['MODULE_PATH', process.env.TOKEN_MODULE]] });
        await engine.control('VERBOSE');
        await engine.unload();
      };
      for (let turn = 0; turn < 200; ++turn) await cycle();
      const opened = readdirSync('/proc/self/fd').length;
      const rss = process.memoryUsage.rss();
      for (let turn = 0; turn < 1000; ++turn) await cycle();
      return { before: rss, after: process.memoryUsage.rss(), fds: readdirSync('/proc/self/fd').length - opened };
    });
    expect(fds).toBe(0);
    // A sanitizer keeps what is freed for a while.
    if (process.env.ASAN_OPTIONS === undefined) expect(after - before).toBeLessThan(16 * 1024 * 1024);
  });
});

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
