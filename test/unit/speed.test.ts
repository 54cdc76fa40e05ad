// lib/cli: what `speed` makes of the rounds that it measured.
import { ratioOf, spreadOf, summarise, type Figures, type RoundFigures } from '../../lib/cli/figures';
import type { Measurement } from '../../lib/cli/rounds';
import { busyWarning, ratiosOf, winnerOf, type SpeedReport, type SpeedResult } from '../../lib/cli/speed-report';
import { formatSpeed } from '../../lib/cli/speed-table';
import type { Terminal } from '../../lib/cli/terminal';

interface Load {
  loop?: number | null;
  all?: number;
}

function round(operationsPerSecond: number, { loop = 1, all = 1 }: Load = {}): RoundFigures {
  return {
    operations: operationsPerSecond / 2,
    seconds: 0.5,
    operationsPerSecond,
    delayMs: { p50: 0.1, p99: operationsPerSecond / 1000, max: 9 },
    cpu: { mainThread: loop, process: all },
  };
}

function figures(rates: number[], load?: Load): Figures {
  return summarise(
    'sign()',
    rates.map((rate) => round(rate, load)),
  );
}

function result(algorithm: string, rates: { sync: number[]; threadpool: number[]; async: number[] }): SpeedResult {
  const measured = (of: number[]): Measurement => (of.length === 0 ? { unmeasured: true } : { figures: figures(of) });
  const sides = {
    sync: measured(rates.sync),
    threadpool: measured(rates.threadpool),
    async: measured(rates.async),
  };
  return { algorithm, operation: 'sign', sides, ratios: ratiosOf(sides) };
}

const THREE = { sync: [100, 50, 110], threadpool: [150, 80, 160], async: [200, 110, 210] };

describe('figures of a side', () => {
  test('are medians of its rounds, with the slowest and the fastest', () => {
    const { rounds, ...rest } = figures([100, 400, 200]);
    expect(rounds).toHaveLength(3);
    expect(rest).toEqual({
      what: 'sign()',
      operations: 350,
      seconds: 1.5,
      operationsPerSecond: 200,
      spread: { median: 200, min: 100, max: 400 },
      delayMs: { p50: 0.1, p99: 0.2, max: 9 },
      cpu: { mainThread: 1, process: 1 },
    });
    expect(spreadOf([1, 2, 10, 4]).median).toBe(3);
  });

  test('have bytes, and null for CPU that is not known', () => {
    expect(summarise('hash()', [round(10, { loop: null })], 64)).toMatchObject({
      bytesPerSecond: 640,
      cpu: { mainThread: null },
    });
  });

  test('have shares of all operations, whatever round they were in', () => {
    const placement = { inline: 1, pool: 0, threadpool: 0, jobs: 0, pausesPerOperation: 0 };
    const paused = { inline: 0, pool: 0, threadpool: 0, jobs: 1, pausesPerOperation: 2 };
    const rounds = [
      { ...round(300), placement },
      { ...round(100), placement: paused },
    ];
    expect(summarise('sign()', rounds).placement).toMatchObject({ inline: 0.75, jobs: 0.25, pausesPerOperation: 0.5 });
  });
});

describe('ratios', () => {
  test('compare figures of the same round', () => {
    expect(ratioOf(figures([100, 200]), figures([50, 400]))).toEqual({ median: 1.25, min: 0.5, max: 2 });
  });

  test('leave out a round that one side has not had', () => {
    expect(ratioOf(figures([100, 200, 300]), figures([50]))).toEqual({ median: 2, min: 2, max: 2 });
    expect(result('rsa2048', { ...THREE, threadpool: [] }).ratios).toEqual({
      asyncToSync: { median: 2, min: 210 / 110, max: 2.2 },
    });
  });
});

test('a side wins when it was the fastest in each round', () => {
  expect(winnerOf(result('rsa2048', THREE))).toBe('async');
  expect(winnerOf(result('rsa2048', { ...THREE, threadpool: [150, 120, 160] }))).toBeUndefined();
  expect(winnerOf(result('rsa2048', { ...THREE, sync: [], threadpool: [] }))).toBeUndefined();
});

describe('busyWarning', () => {
  const withSync = (algorithm: string, load: Load): SpeedResult => {
    const made = result(algorithm, THREE);
    return { ...made, sides: { ...made.sides, sync: { figures: figures([100], load) } } };
  };

  test('is silent when sync had a core', () => {
    expect(busyWarning([withSync('rsa2048', { loop: 0.97 }), withSync('ed25519', { loop: null, all: 0.99 })])).toBe(
      undefined,
    );
    expect(busyWarning([result('rsa2048', { ...THREE, sync: [] })])).toBeUndefined();
  });

  test('names the worst that sync got less for', () => {
    const results = [withSync('rsa2048', { loop: 0.7 }), withSync('ed25519', { loop: 0.4 }), withSync('ed448', {})];
    expect(busyWarning(results)).toMatch(/sync got 0\.40 of the one core.*\(ed25519 sign, and 1 more\)/);
    expect(busyWarning(results.slice(0, 1))).toMatch(/sync got 0\.70.*\(rsa2048 sign\)/);
  });

  test('goes by the process where the CPU of the loop is not known', () => {
    expect(busyWarning([withSync('rsa2048', { loop: null, all: 0.5 })])).toMatch(/sync got 0\.50/);
  });
});

describe('formatSpeed', () => {
  const output = (width: number): Terminal => ({
    width,
    paint: (style, text) => (style === 'green' ? `*${text}` : text),
  });
  const report: SpeedReport = {
    runtime: 'node v20.0.0 on linux-x64',
    openssl: 'OpenSSL 3.0.0',
    cpu: 'CPU',
    cores: 2,
    threadpoolThreads: 4,
    asyncJobs: 64,
    seconds: 3,
    rounds: 3,
    implementation: {},
    warnings: [],
    results: [
      result('rsa2048', THREE),
      { ...result('aes-256-gcm', { sync: [123456, 234567], threadpool: [], async: [99999, 345678] }), bytes: 16384 },
    ],
  };
  const widest = (text: string): number => Math.max(...text.split('\n').map((line) => line.length));

  test('has a table with spreads and ratios, which says what they mean', () => {
    const text = formatSpeed(report, output(120));
    expect(text).toMatch(/^rsa2048 sign\n {2}sync +100 +50–110 +1\.00 +– +0\.10/m);
    expect(text).toMatch(/^ {2}async +\*200 +110–210 +2\.00 +1\.91–2\.20/m);
    expect(text).toMatch(/× sync: .*Above 1 is faster/);
    expect(text).toMatch(/^ {2}threadpool +–(?: +–)+$/m);
    expect(widest(text)).toBeLessThanOrEqual(120);
  });

  test.each([80, 79, 60, 40])('keeps to %i columns', (width) => {
    const text = formatSpeed(report, output(width));
    expect(widest(text)).toBeLessThanOrEqual(width);
    expect(/^ {2}async +\*200/m.test(text)).toBe(width >= 79);
  });

  test('says why there is less, or why it may be wrong', () => {
    const text = formatSpeed({ ...report, warnings: ['Busy.'], interrupted: 'SIGINT' }, output(80));
    expect(text).toMatch(/\n\nBusy\.\nSIGINT ended it before all was measured\.$/);
    expect(formatSpeed({ ...report, results: [] }, output(80))).toMatch(/\n\nNothing was measured\.$/);
  });
});
