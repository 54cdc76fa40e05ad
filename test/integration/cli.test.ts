// The command-line tool, as a user types it.
import { spawn, spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { MAN_PAGE_LINES } from '../support/man-page';
import { ROOT } from '../support/programs';
import { SOFTHSM } from '../support/token';

const { bin, version } = JSON.parse(fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
  bin: Record<string, string>;
  version: string;
};
const TOOL = path.join(ROOT, bin['openssl-async'] as string);
const ENGINE = path.join(ROOT, 'build', 'Release', 'reference_engine.so');
const [opensslMajor = 0] = process.versions.openssl.split('.').map(Number);

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'cli-'));
afterAll(() => {
  fs.rmSync(folder, { recursive: true });
});

interface Typed {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  node?: string[];
}

function type(args: string[], { cwd = folder, env = {}, node = [] }: Typed = {}): SpawnSyncReturns<string> {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !['NO_COLOR', 'FORCE_COLOR', 'COLUMNS'].includes(name),
  );
  return spawnSync(process.execPath, [...node, TOOL, ...args], {
    cwd,
    env: { ...Object.fromEntries(inherited), ...env },
    encoding: 'utf8',
  });
}

/** The JSON that the tool prints. */
function json(args: string[], options?: Typed): { status: number | null; printed: unknown } {
  const { status, stdout } = type([...args, '--json'], options);
  return { status, printed: JSON.parse(stdout) };
}

function diagnose(args: string[], options?: Typed): { status: number | null; printed: Diagnosis } {
  return json(['doctor', ...args], options) as { status: number | null; printed: Diagnosis };
}

function measure(args: string[]): { status: number | null; printed: Speed } {
  return json(['speed', ...args, '--seconds', '0.05', '--async-jobs', '8']) as {
    status: number | null;
    printed: Speed;
  };
}

interface Check {
  status: string;
  summary: string;
  remedies?: string[];
  details: Record<string, unknown>;
}
interface Diagnosis {
  ok: boolean;
  checks: Record<string, Check>;
}

interface Spread {
  median: number;
  min: number;
  max: number;
}
interface Side {
  figures: {
    operationsPerSecond: number;
    spread: Spread;
    rounds: { operations: number; operationsPerSecond: number }[];
    placement?: Record<string, number>;
  };
  failure?: { code: string };
}
interface Speed {
  rounds: number;
  interrupted?: string;
  results: {
    algorithm: string;
    sides: Record<'sync' | 'threadpool' | 'async', Side>;
    ratios: Record<'threadpoolToSync' | 'asyncToSync' | 'asyncToThreadpool', Spread>;
  }[];
}

// Makes the tool say when a process that it has started has measured a round.
const TELL_OF_ROUNDS = `
const childProcess = require('node:child_process');
const { fork } = childProcess;
childProcess.fork = (...args) =>
  fork(...args).on('message', (message) => {
    if ('round' in message && process.connected) process.send('round');
  });
`;

describe('without a command that it knows', () => {
  test.each<[string[], number, 'stdout' | 'stderr', RegExp]>([
    [['--version'], 0, 'stdout', new RegExp(`^${version.replaceAll('.', '\\.')}\\n$`)],
    [['--help'], 0, 'stdout', /Usage: openssl-async[^]*doctor[^]*speed[^]*run-example/],
    [['speed', '--help'], 0, 'stdout', /Usage: openssl-async speed[^]*--async-jobs[^]*ecdsap256/],
    [['nonsense'], 2, 'stderr', /unknown command 'nonsense'[^]*Usage: openssl-async/],
    [['doctor', '--nonsense'], 2, 'stderr', /unknown option '--nonsense'[^]*Usage: openssl-async doctor/],
    [['speed', 'nonsense'], 2, 'stderr', /'nonsense' is invalid[^]*rsa2048[^]*Usage: openssl-async speed/],
    [['speed', '--async-jobs', '0'], 2, 'stderr', /from 1 to 65536[^]*Usage: openssl-async speed/],
    [['speed', '--seconds', 'x'], 2, 'stderr', /above 0[^]*Usage: openssl-async speed/],
    [['speed', '--rounds', '0'], 2, 'stderr', /from 1 to 1000[^]*Usage: openssl-async speed/],
    [['speed', '--provider-path', 'x.so'], 2, 'stderr', /needs option '--provider <name>'[^]*Usage/],
    [['speed', '--plot', 'rsa2048'], 2, 'stderr', /name of an \.html file[^]*Usage/],
  ])('%p ends with %i', (args, code, stream, pattern) => {
    const outcome = type(args);
    expect(outcome[stream]).toMatch(pattern);
    expect(outcome.status).toBe(code);
  });
});

describe('doctor', () => {
  test('finds nothing wrong, and shows a job that paused', () => {
    const { status, stdout } = type(['doctor']);
    expect(stdout).toMatch(/^✓ job +a job paused, was woken by its fd, and returned/m);
    expect(stdout).toMatch(/^✓ accelerator/m);
    expect(stdout).toMatch(/Nothing is wrong/);
    expect(status).toBe(0);
  });

  test('tells machines the same', () => {
    const { status, printed } = diagnose([]);
    expect(status).toBe(0);
    expect(printed.ok).toBe(true);
    expect(Object.keys(printed.checks)).toEqual([
      ...['runtime', 'openssl', 'permissions', 'addon', 'copies', 'capability', 'symbols'],
      ...['job', 'accelerator', 'stacks', 'limits', 'fips', 'providers', 'engines'],
    ]);
    expect(printed.checks.job?.details).toMatchObject({ returnValue: 42, pauses: 1 });
    expect(printed.checks.openssl?.details.version).toContain(process.versions.openssl.split('+', 1)[0]);
  });

  test('says what to do without an addon', () => {
    const { status, printed } = diagnose([], { env: { OPENSSL_ASYNC_ADDON: '/nonexistent.node' } });
    expect(status).toBe(1);
    expect(printed.checks.addon?.status).toBe('problem');
    expect(printed.checks.addon?.remedies?.length).toBeGreaterThan(0);
    expect(printed.checks.job).toMatchObject({ status: 'unknown' });
  });

  test('sees what the permission model forbids', () => {
    const flag = process.allowedNodeEnvironmentFlags.has('--permission') ? '--permission' : '--experimental-permission';
    const { status, printed } = diagnose([], { node: [flag, '--allow-fs-read=*'] });
    expect(status).toBe(1);
    expect(printed.checks.permissions).toMatchObject({ status: 'problem' });
  });

  test('says what a module binds to', () => {
    const text = path.join(folder, 'text.so');
    fs.writeFileSync(text, 'text');
    const { status, printed } = diagnose(['--module', ENGINE, text]);
    expect(status).toBe(1);
    expect(printed.checks[`module ${text}`]).toMatchObject({ status: 'problem' });
    const engine = printed.checks[`module ${ENGINE}`];
    expect(engine?.details).toMatchObject({ machine: process.arch });
    expect(engine?.details.async).toContain('ASYNC_pause_job');
    if (opensslMajor < 4) expect(engine).toMatchObject({ status: 'ok', details: { missing: [] } });
  });

  test('tells of other copies of the package, installed or loaded', () => {
    const other = path.join(folder, 'copies', 'node_modules', 'wants-another', 'node_modules', 'openssl-async');
    fs.mkdirSync(other, { recursive: true });
    fs.writeFileSync(path.join(other, 'package.json'), '{"name":"openssl-async","version":"0.0.1"}');
    const installed = diagnose([], { cwd: path.join(folder, 'copies') });
    expect(installed.status).toBe(0);
    expect(installed.printed.checks.copies).toMatchObject({ status: 'warning' });
    expect(installed.printed.checks.copies?.details.installed).toHaveLength(2);
    expect(JSON.stringify(installed.printed.checks.copies)).toContain('0.0.1');

    const addon = path.join(folder, 'another.node');
    fs.copyFileSync(process.env.OPENSSL_ASYNC_ADDON ?? '', addon);
    const preloaded = path.join(folder, 'preloaded.js');
    fs.writeFileSync(preloaded, `process.dlopen({ exports: {} }, ${JSON.stringify(addon)});`);
    const loaded = diagnose([], { env: { NODE_OPTIONS: `--require=${preloaded}` } }).printed.checks.copies;
    expect(loaded).toMatchObject({ status: 'warning', summary: 'this process has loaded 2 copies of this package' });
    expect(loaded?.details.loaded).toContain(addon);
  });

  const softhsm = SOFTHSM === undefined ? test.skip : test;
  softhsm('says what is done for a module that brings a libcrypto', () => {
    const { status, printed } = diagnose(['--module', SOFTHSM ?? '']);
    expect(status).toBe(0);
    const check = printed.checks[`module ${SOFTHSM ?? ''}`];
    expect(check).toMatchObject({ status: 'ok', details: { pkcs11: true, canIsolate: true } });
    expect(JSON.stringify(check)).toContain('isolate: [path]');
  });

  test('keeps to the width of the terminal', () => {
    const { stdout } = type(['doctor'], { env: { COLUMNS: '60' } });
    const lines = stdout.split('\n').filter((line) => !line.includes(ROOT));
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(60);
  });

  test.each([
    [{ FORCE_COLOR: '1' }, true],
    [{ FORCE_COLOR: '1', NO_COLOR: '1' }, false],
    [{}, false],
  ])('with %p: colours %p', (env, coloured) => {
    const { stdout } = type(['doctor'], { env });
    expect(stdout.includes('\u001b[')).toBe(coloured);
  });
});

describe('speed', () => {
  test('measures each way, and writes a page that needs nothing else', () => {
    const { status, stdout, stderr } = type(['speed', 'ecdsap256', 'sha256', '--seconds', '0.05', '--plot']);
    expect(stdout).toMatch(/^ecdsap256 sign\n +sync[^]*threadpool[^]*async[^]*^sha256 16384 B\n +sync/m);
    expect(stdout).toMatch(/× sync: op\/s divided by those of sync/);
    expect(stderr).toContain('openssl-async-speed.html');
    const page = fs.readFileSync(path.join(folder, 'openssl-async-speed.html'), 'utf8');
    expect(page).toMatch(/^<!doctype html>[^]*<svg[^]*<\/html>\s*$/i);
    expect(page).not.toMatch(/<script|(?:src|href)="?https?:|url\((?!#)/);
    expect(page).toMatch(
      /Ratios of operations[^]*openssl-async ÷ thread pool[^]*Higher is better[^]*Lower is better[^]*Settings[^]*Machine/,
    );
    // Two charts of ratios, and one of each figure for each algorithm.
    expect(page.match(/<svg/g)).toHaveLength(2 + 2 * 4);
    expect(page).toContain('prefers-color-scheme: dark');
    expect(status).toBe(0);
  });

  test('measures each side once a round, and says how far the rounds are apart', () => {
    const { status, printed } = measure(['sha256', '--rounds', '3']);
    expect(status).toBe(0);
    expect(printed.rounds).toBe(3);
    const { sides, ratios } = printed.results[0] as Speed['results'][number];
    for (const { figures } of Object.values(sides)) {
      const { rounds, spread, operationsPerSecond } = figures;
      expect(rounds).toHaveLength(3);
      expect(spread.median).toBe(operationsPerSecond);
      for (const each of rounds) {
        expect(each.operations).toBeGreaterThan(0);
        expect(each.operationsPerSecond).toBeGreaterThanOrEqual(spread.min);
        expect(each.operationsPerSecond).toBeLessThanOrEqual(spread.max);
      }
    }
    for (const { min, median, max } of [ratios.threadpoolToSync, ratios.asyncToSync, ratios.asyncToThreadpool]) {
      expect(min).toBeGreaterThan(0);
      expect(median).toBeGreaterThanOrEqual(min);
      expect(max).toBeGreaterThanOrEqual(median);
    }
  });

  const signals = process.platform === 'win32' ? test.skip : test;
  signals.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('after %s prints what it has, ends with %i, and leaves nothing running', async (signal, status) => {
    const telling = path.join(folder, 'telling.js');
    fs.writeFileSync(telling, TELL_OF_ROUNDS);
    const args = ['--require', telling, TOOL, 'speed', 'sha256', '--rounds', '600', '--seconds', '60', '--json'];
    const child = spawn(process.execPath, args, { detached: true, stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
    let stdout = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    const closed = once(child, 'close');
    await once(child, 'message');
    // To all that it has started, too, as from a terminal.
    const group = -(child.pid as number);
    process.kill(group, signal);
    expect((await closed)[0]).toBe(status);
    const printed = JSON.parse(stdout) as Speed;
    expect(printed.interrupted).toBe(signal);
    expect(printed.results[0]?.sides.sync.figures.rounds.length).toBeGreaterThan(0);
    expect(printed.results[0]?.sides.sync.figures.rounds.length).toBeLessThan(600);
    expect(() => process.kill(group, 0)).toThrow(expect.objectContaining({ code: 'ESRCH' }));
  });

  test('shows that the accelerator pauses', () => {
    const { status, printed } = measure(['ecdsap256', '--provider', 'accelerator']);
    const [result] = printed.results;
    expect(status).toBe(0);
    for (const side of ['sync', 'threadpool', 'async'] as const) {
      expect(result?.sides[side].figures.operationsPerSecond).toBeGreaterThan(0);
    }
    expect(result?.sides.async.figures.placement).toMatchObject({ jobs: 1, pausesPerOperation: 1 });
  });

  test('measures an engine', () => {
    if (opensslMajor >= 4) return;
    const { status, printed } = measure(['rsa2048', '--engine', ENGINE]);
    expect(status).toBe(0);
    expect(printed.results[0]?.sides.async.figures.placement).toMatchObject({ jobs: 1 });
  });

  test('says what could not be measured, and goes on', () => {
    const { status, printed } = measure(['sha256', 'sha512', '--provider', 'nonsense']);
    expect(status).toBe(1);
    for (const { sides } of printed.results) {
      expect(sides.async.failure?.code).toBe('ERR_ASYNC_PROVIDER_NOT_LOADED');
      expect(sides.sync.figures.operationsPerSecond).toBeGreaterThan(0);
    }
  });
});

test('run-example prints what the man page promises', () => {
  const { status, stdout } = type(['run-example']);
  expect(status).toBe(0);
  expect(stdout).toBe([...MAN_PAGE_LINES, ''].join('\n'));
});
