// What is left of an engine, or a provider, after unload(): nothing. In child processes, whose fds are counted.
import { HAS_JOBS, testWithJobs } from '../support/jobs';
import { inChild, resultOf } from '../support/programs';

const isLinux = process.platform === 'linux';
const hasEngines = Number.parseInt(process.versions.openssl, 10) < 4;
if (!isLinux) console.log('Skipped: the fds of a process are counted on Linux only.');
if (!hasEngines) console.log('Skipped: this OpenSSL has no engines.');
const withFds = isLinux && HAS_JOBS ? test : test.skip;

(isLinux && hasEngines ? describe : describe.skip)('an engine that is unloaded', () => {
  testWithJobs.each(['callback', 'fd'])(
    'is nowhere after it was the default and told by %s, and can be loaded again',
    async (mode) => {
      const outcome = await inChild(
        async ({ library, require }) => {
          const { readdirSync } = require('node:fs') as typeof import('node:fs');
          const fds = (): number => readdirSync('/proc/self/fd').length;
          const pauses = (): number => library.stats().providers.accelerator?.pauses ?? 0;
          const hashMany = async (): Promise<number> => {
            const first = pauses();
            await Promise.all(
              Array.from({ length: 100 }, () => library.hash('sha1', 'x', { provider: 'accelerator' })),
            );
            return pauses() - first;
          };
          const preInit = [['MODE', process.env.TEST_MODE], ['DIGESTS']] as const;
          await hashMany();
          const before = fds();
          const cycles: unknown[] = [];
          for (let cycle = 0; cycle < 50; ++cycle) {
            const engine = await library.loadEngine('./build/Release/reference_engine.so', { preInit });
            engine.setDefault(['DIGESTS']);
            let paused = 0;
            for (let turn = 0; turn < 4; ++turn) paused += await hashMany();
            const opened = fds() > before;
            await engine.unload();
            const left = fds() - before;
            cycles.push({ paused: paused >= 400, opened, left, pausedLater: await hashMany() });
          }
          return { cycles, listed: library.listEngines().some(({ id }) => id === 'reference') };
        },
        { env: { TEST_MODE: mode } },
      );
      const cycle = { paused: true, opened: mode === 'fd', left: 0, pausedLater: 0 };
      expect(resultOf(outcome)).toEqual({ cycles: Array.from({ length: 50 }, () => cycle), listed: false });
    },
  );

  testWithJobs('leaves no fds in other threads, once they have run something else', async () => {
    const outcome = await inChild(async ({ library, require }) => {
      const { readdirSync } = require('node:fs') as typeof import('node:fs');
      const { Worker } = require('node:worker_threads') as typeof import('node:worker_threads');
      const fds = (): number => readdirSync('/proc/self/fd').length;
      const worker = new Worker(
        `const { parentPort } = require('node:worker_threads');
        const { hash } = require('./dist');
        parentPort.on('message', async (count) => {
          const hashes = Array.from({ length: count }, () => hash('sha1', 'x', { provider: 'accelerator' }));
          parentPort.postMessage((await Promise.all(hashes)).length);
        });`,
        { eval: true },
      );
      const hashMany = (count: number): Promise<unknown> =>
        new Promise((resolve) => {
          worker.once('message', resolve);
          worker.postMessage(count);
        });
      await hashMany(1);
      await library.hash('sha1', 'x'); // this thread has fds of its own
      const before = fds();
      const preInit = [['MODE', 'fd'], ['DIGESTS']] as const;
      const engine = await library.loadEngine('./build/Release/reference_engine.so', { preInit });
      engine.setDefault(['DIGESTS']);
      await hashMany(50);
      const during = fds() - before;
      await engine.unload();
      await hashMany(1);
      const after = fds() - before;
      const listed = library.listEngines().some(({ id }) => id === 'reference');
      await worker.terminate();
      return { opened: during >= 50, after, listed };
    });
    expect(resultOf(outcome)).toEqual({ opened: true, after: 0, listed: false });
  });

  test('takes the keys along that were imported while it was the default', async () => {
    const outcome = await inChild(async ({ library, require }) => {
      const { generateKeyPairSync } = require('node:crypto') as typeof import('node:crypto');
      const { readFileSync, mkdtempSync, rmSync } = require('node:fs') as typeof import('node:fs');
      const folder = mkdtempSync('/tmp/engine-unload-');
      const operations = async (of: import('../../lib').Engine): Promise<string | undefined> => {
        await of.control('STATS', `${folder}/stats`);
        return /operations=(\d+)/.exec(readFileSync(`${folder}/stats`, 'utf8'))?.[1];
      };
      const counted: unknown[] = [];
      for (const provider of [undefined, 'accelerator', undefined]) {
        const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
        // To describe an RSA key, Node.js makes a copy and keeps it: one that is made later would have the engine.
        if (key.asymmetricKeyDetails === undefined) throw new Error('no details');
        const options = { ...(provider === undefined ? {} : { provider }), fallback: 'software' as const };
        const engine = await library.loadEngine('./build/Release/reference_engine.so');
        counted.push(await operations(engine));
        engine.setDefault(['RSA']);
        await library.sign('sha256', 'data', key, options);
        counted.push(await operations(engine));
        await engine.unload();
        // A device of its own: nothing has kept the first one.
        const next = await library.loadEngine('./build/Release/reference_engine.so');
        await library.sign('sha256', 'data', key, options);
        counted.push(await operations(next));
        await next.unload();
      }
      rmSync(folder, { recursive: true });
      return counted;
    });
    expect(resultOf(outcome)).toEqual(['0', '1', '0', '0', '1', '0', '0', '1', '0']);
  });

  test('is loaded again although a key of node:crypto keeps it', async () => {
    const outcome = await inChild(async ({ library, require }) => {
      const { createPrivateKey, generateKeyPairSync, sign, verify } =
        require('node:crypto') as typeof import('node:crypto');
      const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
      const pem = privateKey.export({ format: 'pem', type: 'pkcs8' });
      const engine = await library.loadEngine('./build/Release/reference_engine.so');
      engine.setDefault(['RSA']);
      const keeping = createPrivateKey(pem);
      await engine.unload();
      const again = await library.loadEngine('./build/Release/reference_engine.so', { preInit: [['MODE', 'fd']] });
      const signature = await library.sign('sha256', 'data', again.bindKey(privateKey));
      await again.unload();
      return [signature, sign('sha256', Buffer.from('data'), keeping)].map((made) =>
        verify('sha256', Buffer.from('data'), publicKey, made),
      );
    });
    expect(resultOf(outcome)).toEqual([true, true]);
  });

  test('waits for the operations that run, and for nothing that begins later', async () => {
    const outcome = await inChild(async ({ library, require, rejectionCode }) => {
      const { generateKeyPairSync } = require('node:crypto') as typeof import('node:crypto');
      const load = (mode: string): Promise<import('../../lib').Engine> =>
        library.loadEngine('./build/Release/reference_engine.so', {
          pauses: true,
          preInit: [
            ['MODE', mode],
            ['LATENCY_MICROS', 20_000],
          ],
        });
      const engine = await load('fd');
      const key = engine.bindKey(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey);
      let signed = 0;
      for (let i = 0; i < 20; ++i) void library.sign('sha256', 'data', key).then(() => ++signed);
      const unloaded = engine.unload();
      const isSame = unloaded === engine.unload();
      let later = true;
      const goOn = async (): Promise<void> => {
        while (later) await library.hash('sha256', 'data', { mode: 'offload' });
      };
      const going = Promise.all([goOn(), goOn()]);
      await unloaded;
      const signedBy = signed;
      later = false;
      await going;
      // Other commands before its initialisation: it is another one.
      const next = await load('callback');
      await next.unload();
      return { isSame, signedBy, refused: await rejectionCode(library.sign('sha256', 'data', key)) };
    });
    expect(resultOf(outcome)).toEqual({ isSame: true, signedBy: 20, refused: 'ERR_ASYNC_ENGINE' });
  });

  test('is not kept by what was asked of it and given up', async () => {
    const outcome = await inChild(async ({ library, rejectionCode }) => {
      const engine = await library.loadEngine('./build/Release/reference_engine.so');
      const controller = new AbortController();
      const asked = Array.from({ length: 8 }, () =>
        rejectionCode(engine.loadPrivateKey('test/support/none.pem', { signal: controller.signal })),
      );
      controller.abort();
      const codes = await Promise.all(asked);
      await engine.unload();
      const next = await library.loadEngine('./build/Release/reference_engine.so', { preInit: [['MODE', 'fd']] });
      await next.unload();
      return [...new Set(codes)];
    });
    expect(resultOf(outcome)).toEqual(['ABORT_ERR']);
  });

  test('lets the process end that waits for it', async () => {
    const outcome = await inChild(async ({ library, require }) => {
      const { generateKeyPairSync } = require('node:crypto') as typeof import('node:crypto');
      const engine = await library.loadEngine('./build/Release/reference_engine.so', {
        pauses: true,
        preInit: [['LATENCY_MICROS', 5000]],
      });
      const key = engine.bindKey(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey);
      const controller = new AbortController();
      void library.sign('sha256', 'data', key, { signal: controller.signal }).catch(() => undefined);
      await new Promise((resolve) => setImmediate(resolve));
      controller.abort();
      await engine.unload(); // nobody else keeps the process alive
      return 'unloaded';
    });
    expect(resultOf(outcome)).toBe('unloaded');
  });
});

describe('a provider that is unloaded', () => {
  withFds('leaves no fds behind, and can be loaded again', async () => {
    const outcome = await inChild(async ({ library, require }) => {
      const { readdirSync } = require('node:fs') as typeof import('node:fs');
      const { generateKeyPairSync } = require('node:crypto') as typeof import('node:crypto');
      const fds = (): number => readdirSync('/proc/self/fd').length;
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const parameters = { mode: 'fd' };
      const signMany = (options: import('../../lib').OperationOptions): Promise<Buffer[]> =>
        Promise.all(Array.from({ length: 100 }, () => library.sign('sha256', 'data', privateKey, options)));
      // What the first operation and the first job open, stays; a sanitizer's report, for example.
      await signMany({ mode: 'offload' });
      await signMany({ provider: 'accelerator' });
      let before = 0;
      const cycles: unknown[] = [];
      for (let cycle = 0; cycle < 10; ++cycle) {
        const provider = await library.loadProvider('reference', {
          path: './build/Release/reference_provider.so',
          parameters,
        });
        if (cycle === 0) before = fds(); // OpenSSL keeps the module, and the module its device
        await signMany({ provider: 'reference', requireOffload: true });
        const opened = fds() > before;
        await provider.unload();
        cycles.push([opened, fds() - before]);
      }
      return cycles;
    });
    expect(resultOf(outcome)).toEqual(Array.from({ length: 10 }, () => [true, 0]));
  });
});
