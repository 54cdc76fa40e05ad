// The reference engine, which pauses as hardware does, in each of its modes and with each way of waiting for it.
import * as crypto from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import {
  listEngines,
  loadEngine,
  privateDecrypt,
  sign,
  stats,
  type Engine,
  type EngineOptions,
  type ProviderStats,
} from '../../lib';
import { inChild, resultOf, ROOT } from '../support/programs';
import { describeWithJobs, HAS_JOBS, testWithJobs } from '../support/jobs';
import { rejection, rejectionCode, turn, until } from '../support/library';

const MODULE = path.join(ROOT, 'build', 'Release', 'reference_engine.so');
const DATA = Buffer.from('data');
const OFFLOADED = { requireOffload: HAS_JOBS };

const rsa = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });

const [major = 0] = process.versions.openssl.split('.').map(Number);
if (major >= 4) console.log('Skipped: this OpenSSL has no engines.');
const withEngines = major >= 4 ? describe.skip : describe;

let engine: Engine | undefined;

async function load(mode: string, options: EngineOptions = {}): Promise<Engine> {
  engine = await loadEngine(MODULE, {
    pauses: true,
    ...options,
    preInit: [['MODE', mode], ...(options.preInit ?? [])],
  });
  return engine;
}

const figures = (): ProviderStats => stats().engines.reference as ProviderStats;

/** What the figures have grown by while `body` ran. */
async function growth(body: () => Promise<unknown>): Promise<Record<keyof ProviderStats, number>> {
  const before = { ...stats().engines.reference } as Record<string, unknown>;
  await body();
  const after = figures();
  const differences = Object.entries(after).map(([name, value]) => [name, Number(value) - Number(before[name] ?? 0)]);
  return Object.fromEntries(differences) as Record<keyof ProviderStats, number>;
}

async function signMany(key: Parameters<typeof sign>[2], count: number): Promise<void> {
  const signatures = await Promise.all(Array.from({ length: count }, () => sign('sha256', DATA, key)));
  for (const signature of signatures) expect(crypto.verify('sha256', DATA, rsa.publicKey, signature)).toBe(true);
}

withEngines('the reference engine', () => {
  afterEach(async () => {
    await engine?.unload();
    engine = undefined;
    // A heartbeat may still ask it on the pool.
    await until(() => !listEngines().some(({ id, loaded }) => id === 'reference' && loaded));
  });

  describeWithJobs.each(['auto', 'callback', 'event-fd', 'fd', 'none'])('in its mode %s', (mode) => {
    test.each(['auto', 'callback', 'fd', 'poll'] as const)('signs, waited for by %s', async (wait) => {
      const key = (await load(mode, { wait, preInit: [['LATENCY_MICROS', 500]] })).bindKey(rsa.privateKey);
      const grown = await growth(() => signMany(key, 20));
      expect(grown).toMatchObject({ operations: 20, paused: 20, failed: 0, notOffloaded: 0 });
      expect(grown.fdWakeups + grown.callbacks + grown.retries).toBe(grown.pauses);
      if (wait === 'poll') expect(grown).toMatchObject({ fdWakeups: 0 });
      if (wait === 'callback') expect(grown.fdWakeups).toBe(0);
      if (wait === 'fd') expect(grown.callbacks).toBe(0);
    });
  });

  testWithJobs('is woken by what the mode offers', async () => {
    for (const [mode, kind] of [
      ['callback', 'callbacks'],
      ['event-fd', 'fdWakeups'],
      ['fd', 'fdWakeups'],
      ['none', 'retries'],
    ] as const) {
      const key = (await load(mode, { preInit: [['LATENCY_MICROS', 500]] })).bindKey(rsa.privateKey);
      const grown = await growth(() => signMany(key, 10));
      expect([mode, grown[kind] > 0]).toEqual([mode, true]);
      await engine?.unload();
    }
  });

  test('signs with EC keys and decrypts with RSA keys', async () => {
    const loaded = await load('callback');
    const signature = await sign('sha256', DATA, loaded.bindKey(ec.privateKey), OFFLOADED);
    expect(crypto.verify('sha256', DATA, ec.publicKey, signature)).toBe(true);
    const ciphertext = crypto.publicEncrypt(rsa.publicKey, DATA);
    const plaintext = await privateDecrypt(loaded.bindKey(rsa.privateKey), ciphertext, OFFLOADED);
    expect(plaintext).toEqual(DATA);
  });

  test('has keys of its own, behind a PIN', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'engine-'));
    const id = path.join(folder, 'key.pem');
    const encryption = { cipher: 'aes-256-cbc', passphrase: '1234' };
    fs.writeFileSync(id, rsa.privateKey.export({ format: 'pem', type: 'pkcs8', ...encryption }));
    const loaded = await load('callback');
    await signMany(await loaded.loadPrivateKey(id, { pin: '1234' }), 5);
    expect(await rejectionCode(loaded.loadPrivateKey(id, { pin: '4321' }))).toBe('ERR_ASYNC_ENGINE');
    expect(await rejectionCode(loaded.loadPrivateKey(id))).toBe('ERR_ASYNC_ENGINE');
    fs.rmSync(folder, { recursive: true });
  });

  testWithJobs('that is full has its operations tried again until there is room', async () => {
    const key = (
      await load('callback', {
        preInit: [
          ['CAPACITY', 4],
          ['LATENCY_MICROS', 200],
        ],
      })
    ).bindKey(rsa.privateKey);
    const grown = await growth(() => signMany(key, 64));
    expect(grown.retries).toBeGreaterThan(0);
    expect(grown).toMatchObject({ operations: 64, failed: 0 });
  });

  test('that fails now and then says so', async () => {
    const key = (await load('callback', { preInit: [['FAIL_EVERY', 5]] })).bindKey(rsa.privateKey);
    const grown = await growth(async () => {
      const calls = Array.from({ length: 20 }, () => rejection(sign('sha256', DATA, key)));
      expect((await Promise.all(calls)).filter((error) => error !== undefined)).toHaveLength(4);
    });
    expect(grown).toMatchObject({ operations: 20, failed: 4 });
  });

  testWithJobs('that does not pause is no offload', async () => {
    const key = (await load('sync')).bindKey(rsa.privateKey);
    expect(await rejectionCode(sign('sha256', DATA, key, { requireOffload: true }))).toBe('ERR_ASYNC_NOT_OFFLOADED');
    expect(await growth(() => signMany(key, 3))).toMatchObject({ operations: 3, paused: 0, notOffloaded: 3 });
  });

  test('is asked whether it works', async () => {
    const messages: unknown[] = [];
    const listener = (message: unknown): void => void messages.push(message);
    subscribe('openssl-async:hardware:heartbeat', listener);
    const loaded = await load('auto', { heartbeat: { command: 'HEARTBEAT', intervalMs: 50 } });
    expect(loaded.alive).toBe(true);
    await setTimeout(180);
    expect(loaded.alive).toBe(true);
    // A loop that is held does not make the device look dead.
    for (let i = 0; i < 3; ++i) {
      await setTimeout(51);
      const until = performance.now() + 60;
      while (performance.now() < until);
    }
    await turn();
    expect(loaded.alive).toBe(true);
    expect(messages).toEqual([]);
    await loaded.unload();
    await until(() => !listEngines().some(({ id, loaded: isLoaded }) => id === 'reference' && isLoaded));
    const lame = await load('auto', { heartbeat: { command: 'NONSENSE', intervalMs: 5 } });
    while (lame.alive) await setTimeout(5);
    expect(messages).toEqual([{ holder: 'engine:reference', alive: false }]);
    unsubscribe('openssl-async:hardware:heartbeat', listener);
  });

  describe('that has to be polled', () => {
    testWithJobs.each([1, 20, 200])('is, with %i in flight', async (count) => {
      const key = (await load('poll', { poll: {}, preInit: [['LATENCY_MICROS', 500]] })).bindKey(rsa.privateKey);
      const grown = await growth(() => signMany(key, count));
      expect(grown).toMatchObject({ operations: count, paused: count, failed: 0 });
      expect(grown.polls).toBeGreaterThan(0);
      expect(grown.emptyPolls).toBeLessThan(grown.polls);
    });

    test('is left alone while nothing is in flight', async () => {
      await load('poll', { poll: { intervalMs: 1 } });
      const before = stats().engines.reference?.polls;
      for (let i = 0; i < 20; ++i) await turn();
      await setTimeout(20);
      expect(stats().engines.reference?.polls).toBe(before);
    });

    test('may be unloaded while operations are under way', async () => {
      const loaded = await load('poll', { poll: {}, preInit: [['LATENCY_MICROS', 2000]] });
      const signed = signMany(loaded.bindKey(rsa.privateKey), 50);
      void loaded.unload();
      await signed;
    });

    test('is polled to the end of the process', async () => {
      const outcome = await inChild(async ({ library, require }) => {
        const { generateKeyPairSync } = require('node:crypto') as typeof crypto;
        const reference = await library.loadEngine('./build/Release/reference_engine.so', {
          pauses: true,
          preInit: [
            ['MODE', 'poll'],
            ['LATENCY_MICROS', 5000],
          ],
          poll: {},
        });
        const key = reference.bindKey(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey);
        for (let i = 0; i < 100; ++i) void library.sign('sha256', 'data', key);
        await new Promise((resolve) => setImmediate(resolve));
        process.on('exit', () => {
          console.error('exit');
        });
        setImmediate(() => process.exit());
        return library.stats().engines.reference?.inFlight;
      });
      expect(resultOf(outcome)).toBe(100);
      expect(outcome.stderr).toBe('exit\n');
    });

    test.each<[unknown, string]>([
      [{ command: 'NONSENSE' }, 'ERR_ASYNC_ENGINE'],
      [{ command: 1 }, 'ERR_INVALID_ARG_TYPE'],
      [{ intervalMs: 0 }, 'ERR_OUT_OF_RANGE'],
      [{ asymThreshold: 0 }, 'ERR_OUT_OF_RANGE'],
      [{ symThreshold: 1.5 }, 'ERR_OUT_OF_RANGE'],
      [{ nonsense: 1 }, 'ERR_INVALID_ARG_VALUE'],
      [1, 'ERR_INVALID_ARG_TYPE'],
    ])('refuses %p', async (poll, code) => {
      expect(await rejectionCode(load('poll', { poll } as EngineOptions))).toBe(code);
    });
  });

  test('refuses to be waited for otherwise', async () => {
    expect(await rejectionCode(load('auto', { wait: 'nonsense' } as unknown as EngineOptions))).toBe(
      'ERR_INVALID_ARG_VALUE',
    );
  });
});
