// Debian's engine for PKCS#11, with a token of SoftHSM's.
import * as crypto from 'node:crypto';
import * as fs from 'node:fs';
import { testWithJobs } from '../support/jobs';
import { inChild, resultOf, run, type ChildContext } from '../support/programs';
import { createToken, missing, type Token } from '../support/token';

if (missing !== undefined) console.log(`Skipped: ${missing}.`);
const withToken = missing === undefined ? describe : describe.skip;

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

  testWithJobs('runs in jobs when it is said to pause, and is found not to', async () => {
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
