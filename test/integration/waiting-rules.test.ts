// What offers a wait fd or a callback is resumed by that and by nothing else, also when its wait context has been used
// before, and however long it takes. What offers neither is tried again.
import * as crypto from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { loadEngine, sign, stats, type Engine, type HardwareOptions, type ProviderStats } from '../../lib';
import { device, deviceRequest } from '../support/device';
import { ROOT } from '../support/programs';
import { freshLibrary, until } from '../support/library';

const MODULE = path.join(ROOT, 'build', 'Release', 'reference_engine.so');
const DATA = Buffer.from('data');
const CALLS = 8;
// Longer than anything that tries by itself would wait.
const LATENCY_MICROS = 250_000;
const SECOND_MICROS = 1_000_000;

const rsa = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });

const hasEngines = Number.parseInt(process.versions.openssl, 10) < 4;
if (!hasEngines) console.log('Skipped: this OpenSSL has no engines.');
const withEngines = hasEngines ? describe : describe.skip;

type Wait = NonNullable<HardwareOptions['wait']>;
type Kind = 'callbacks' | 'fdWakeups' | 'retries';

/** What ends the pauses of an engine in this mode, by the way in which it is waited for. */
const KINDS: Record<string, Record<Wait, Kind>> = {
  auto: { auto: 'callbacks', callback: 'callbacks', fd: 'fdWakeups', poll: 'retries' },
  callback: { auto: 'callbacks', callback: 'callbacks', fd: 'fdWakeups', poll: 'retries' },
  'event-fd': { auto: 'fdWakeups', callback: 'retries', fd: 'fdWakeups', poll: 'retries' },
  fd: { auto: 'fdWakeups', callback: 'retries', fd: 'fdWakeups', poll: 'retries' },
  blocking: { auto: 'fdWakeups', callback: 'fdWakeups', fd: 'fdWakeups', poll: 'retries' },
  // With no status and no fd it says as much as one that tells nobody: only its user knows that it calls back.
  unstated: { auto: 'retries', callback: 'callbacks', fd: 'fdWakeups', poll: 'retries' },
  none: { auto: 'retries', callback: 'retries', fd: 'retries', poll: 'retries' },
};
const ROWS = Object.entries(KINDS).flatMap(([mode, kinds]) =>
  Object.entries(kinds).map(([wait, kind]) => [mode, wait as Wait, kind] as const),
);

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'waiting-'));
afterAll(() => {
  fs.rmSync(folder, { recursive: true });
});

async function counters(engine: Engine): Promise<Record<string, number>> {
  const file = path.join(folder, 'stats');
  await engine.control('STATS', file);
  const entries = fs
    .readFileSync(file, 'utf8')
    .trim()
    .split(' ')
    .map((entry) => entry.split('='));
  return Object.fromEntries(entries.map(([name, value]) => [name, Number(value)])) as Record<string, number>;
}

/** What the package's figures, and the engine's counters, have grown by while `body` ran. */
async function growth(engine: Engine, body: () => Promise<unknown>): Promise<Record<string, number>> {
  const figures = (): ProviderStats | undefined => stats().engines.reference;
  const before = { ...(await counters(engine)), ...figures() } as Record<string, unknown>;
  await body();
  const after = { ...(await counters(engine)), ...figures() } as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries(after).map(([name, value]) => [name, Number(value) - Number(before[name] ?? 0)]),
  );
}

withEngines('an engine', () => {
  async function signTwice(mode: string, wait: Wait, latencyMicros: number): Promise<Record<string, number>> {
    const preInit = [
      ['MODE', mode],
      ['LATENCY_MICROS', latencyMicros],
    ] as const;
    const engine = await loadEngine(MODULE, { pauses: true, wait, preInit });
    try {
      const key = engine.bindKey(rsa.privateKey);
      return await growth(engine, async () => {
        // The second time in the wait contexts of the first.
        for (let turn = 0; turn < 2; ++turn) {
          await Promise.all(Array.from({ length: CALLS }, () => sign('sha256', DATA, key)));
        }
      });
    } finally {
      await engine.unload();
    }
  }

  test.each(ROWS)('in its mode %s, waited for by %s, is resumed by %s', async (mode, wait, kind) => {
    const grown = await signTwice(mode, wait, kind === 'retries' ? 5000 : LATENCY_MICROS);
    expect(grown).toMatchObject({ operations: 2 * CALLS, paused: 2 * CALLS, failed: 0 });
    if (kind === 'retries') {
      expect(grown.retries).toBeGreaterThanOrEqual(2 * CALLS);
      expect(grown.fdWakeups).toBe(0);
      return;
    }
    const wakeups = { fdWakeups: 0, callbacks: 0, retries: 0, [kind]: 2 * CALLS };
    expect(grown).toMatchObject({ ...wakeups, pauses: 2 * CALLS, 'spurious-resumes': 0, synchronous: 0 });
  });

  test.each(['auto', 'callback', 'fd'] as const)(
    'that takes a second and blocks whoever resumes it early is not, waited for by %s',
    async (wait) => {
      const grown = await signTwice('blocking', wait, SECOND_MICROS);
      expect(grown).toMatchObject({ fdWakeups: 2 * CALLS, callbacks: 0, retries: 0, pauses: 2 * CALLS });
      expect(grown).toMatchObject({ 'spurious-resumes': 0, synchronous: 0 });
    },
  );

  test('that tells nobody any more is tried again, though its wait contexts have fds', async () => {
    const engine = await loadEngine(MODULE, { pauses: true, preInit: [['MODE', 'fd']] });
    const key = engine.bindKey(rsa.privateKey);
    await sign('sha256', DATA, key);
    await engine.control('MODE', 'none');
    const grown = await growth(engine, () => sign('sha256', DATA, key));
    expect(grown).toMatchObject({ operations: 1, fdWakeups: 0, callbacks: 0 });
    await engine.unload();
  });
});

describe('a job', () => {
  test.each(['fd-cached', 'fd-fresh', 'callback-thread', 'callback-or-fd'] as const)(
    'in the mode %s is resumed once for each of its pauses, whoever used the wait context before',
    async (mode) => {
      const library = freshLibrary();
      const simulated = library.nativeJobFunction(device.functions.device);
      const waitContext = new library.WaitContext();
      const args = deviceRequest({ mode, latencyMicros: LATENCY_MICROS });
      const before = device.stats().spuriousResumes;
      for (let turn = 0; turn < 2; ++turn) {
        const { pauses, wakeups } = await library.runJob(simulated, { args, waitContext });
        expect([pauses, wakeups.poll]).toEqual([1, 0]);
        expect((await library.runJob(simulated, { args })).wakeups.poll).toBe(0);
      }
      expect(device.stats().spuriousResumes).toBe(before);
      waitContext.close();
    },
  );

  test('that tells nobody is tried again after one that withdrew its fd', async () => {
    const library = freshLibrary();
    const simulated = library.nativeJobFunction(device.functions.device);
    // The end of one of them proves that pausing is not blocked, by a pause that hides what it did to its fd.
    for (let turn = 0; turn < 80; ++turn) {
      await library.runJob(simulated, { args: deviceRequest({ mode: 'fd-fresh' }) });
      const { wakeups } = await library.runJob(simulated, { args: deviceRequest({ mode: 'none' }) });
      expect([wakeups.fd, wakeups.callback]).toEqual([0, 0]);
    }
  });

  test('that tells nobody is tried again after one of another function that keeps an fd', async () => {
    const library = freshLibrary();
    const simulated = library.nativeJobFunction(device.functions.device);
    const { wakeups } = await library.runJob(simulated, { args: deviceRequest({ mode: 'fd-cached' }) });
    expect(wakeups.fd).toBe(1);
    const result = await library.runJob(library.nativeJobFunction(device.functions.pauseOnce));
    expect(result.wakeups).toEqual({ fd: 0, callback: 0, poll: 1 });
    await until(() => library.stats().jobs.live === 0);
  });
});
