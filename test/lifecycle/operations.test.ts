import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { runAndCheck } from '../support/scenario/expectations';

jest.setTimeout(60_000);

// Far less than what the operations take that are in flight, on a slow machine too.
const SOON_MS = 1000;

describe('the process ends while hundreds of operations are on the pool', () => {
  test.each(['plain', 'result', 'exit-handler', 'workers'])('by process.exit() (%s)', async (way) => {
    await runAndCheck('operations-exit', { code: 3 }, { args: [way] });
  });

  test.each(['throw', 'throw-in-result'])('by an uncaught exception (%s)', async (way) => {
    await runAndCheck('operations-exit', { code: 1, stderr: /^Error: thrown on purpose$/m }, { args: [way] });
  });
});

describe('a worker ends while hundreds of its operations are on the pool', () => {
  test.each([
    ['terminate', { code: 1, messages: ['started'] }],
    ['exit', { code: 5, messages: ['started'] }],
    ['throw', { code: 1, error: 'thrown on purpose', messages: ['started'] }],
    ['abort', { code: 0, messages: ['started', true] }],
  ])('%s; those of other threads go on', async (end, ended) => {
    const reports = await runAndCheck('operations-worker-end', {}, { args: [end] });
    expect(reports).toEqual([ended, { second: [true], submitted: true, cancelled: true }]);
  });

  test('with others at work, twice over', async () => {
    const ends = Array.from({ length: 6 }, (_, i) => (i % 3 === 2 ? [5] : [0, true]));
    expect(await runAndCheck('operations-many-workers')).toEqual([ends, ends, { fdGrowth: 0 }]);
  });
});

describe('keeping the process alive', () => {
  test.each([
    ['pending', 'a pending operation does, until it is done', { bytes: 512 }],
    ['inline', 'operations that wait for the next turn of the loop do', { bytes: 32_000 }],
    ['idle', 'nothing does when all are done', { works: true }],
    ['aborted', 'operations that nobody waits for do not', { aborted: true }],
    ['timed-out', 'operations that were given up do not', { timedOut: true }],
  ])('%s: %s', async (name, _, expected) => {
    const [report] = await runAndCheck('operations-keep-alive', {}, { args: [name] });
    expect(report).toMatchObject(expected);
    expect((report as { exitAfterMs: number }).exitAfterMs).toBeLessThan(SOON_MS);
  });

  test('operations whose promises nobody holds do, too', async () => {
    expect(await runAndCheck('operations-keep-alive', {}, { args: ['unheard'] })).toEqual([{ left: 0 }]);
  });
});

test('node:crypto is loaded on first use, and no hook of users hears of it', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'late-crypto-'));
  try {
    const file = path.join(folder, 'key.pem');
    writeFileSync(file, generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }));
    // Old versions of Node.js 20 and 22 have no other way than require().
    const loadedWithLibrary = !('getBuiltinModule' in process);
    expect(await runAndCheck('late-crypto', {}, { args: [file] })).toEqual([{ loadedWithLibrary, asked: [] }]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
