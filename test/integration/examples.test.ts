// The programs of examples/, each in a process of its own. man-page.test.ts has the one that it is named after.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import * as ts from 'typescript';
import { resultOf, ROOT, run } from '../support/programs';

const EXAMPLES = path.join(ROOT, 'examples');

describe('the examples', () => {
  let folder = '';

  beforeAll(() => {
    const builds = path.join(ROOT, 'build-examples');
    mkdirSync(builds, { recursive: true });
    folder = mkdtempSync(path.join(builds, 'test-'));
    const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022, esModuleInterop: true };
    for (const name of readdirSync(EXAMPLES).filter((file) => file.endsWith('.ts'))) {
      const { outputText } = ts.transpileModule(readFileSync(path.join(EXAMPLES, name), 'utf8'), { compilerOptions });
      writeFileSync(path.join(folder, name.replace(/\.ts$/, '.js')), outputText);
    }
  });

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  async function output(name: string, ...args: string[]): Promise<string> {
    const outcome = await run(process.execPath, [path.join(folder, `${name}.js`), ...args]);
    resultOf(outcome);
    expect(outcome.stderr).toBe('');
    return outcome.stdout;
  }

  test('run-job finishes, is aborted and times out', async () => {
    expect(await output('run-job')).toBe(
      'finished: returned 42, paused 1 time, woken 1 time by its fd\n' +
        'aborted: ABORT_ERR, not needed any more\n' +
        'timed out: ERR_ASYNC_TIMEOUT\n',
    );
  });

  const onPosix = process.platform === 'win32' ? test.skip : test;

  onPosix('native-function signs in jobs that pause once each', async () => {
    expect(await output('native-function')).toBe('100 signatures, 100 pauses, 100 valid\n');
  });

  describe('demo', () => {
    /** The cells of the table's row that begins with `name`. */
    const row = (stdout: string, name: string): string[] => {
      const line = stdout.split('\n').find((text) => text.startsWith(`│ ${name} `));
      return (line ?? '')
        .split('│')
        .slice(2, -1)
        .map((cell) => cell.trim());
    };

    test("runs the man page's program, then signs in jobs that pause, and verifies", async () => {
      const stdout = await output('demo', '--signatures', '200', '--in-flight', '50', '--threads', '2');
      expect(stdout).toContain('\nJob finished with return value 1\nFinishing\n');
      expect(row(stdout, 'signatures')).toEqual(['200', '200', '200', '200']);
      // The accelerator's jobs are woken when they are done, and pause once; software runs in no job.
      expect(row(stdout, 'pauses')).toEqual(['200', '0', '-', '-']);
      expect(Number(row(stdout, 'most paused at once')[0])).toBeGreaterThan(1);
      expect(Number(row(stdout, 'most paused at once')[0])).toBeLessThanOrEqual(50);
      for (const name of ['delay p50, ms', 'delay p99, ms', 'seconds', 'signatures/s']) {
        expect(row(stdout, name).map(Number)).toEqual(Array(4).fill(expect.any(Number)));
        expect(row(stdout, name).map(Number)).not.toContain(NaN);
      }
      expect(stdout).toContain('200 signatures verified with crypto.verify(); all four ways gave the same bytes.');
    });

    test('prints neither a progress bar nor key material where there is no terminal', async () => {
      const stdout = await output('demo', '--signatures', '3', '--file', path.join(ROOT, 'LICENSE'));
      expect(stdout).toContain('over LICENSE');
      expect(stdout).not.toMatch(/\x1b|\r|=====|PRIVATE KEY/); // eslint-disable-line no-control-regex
    });

    test.each([
      ['--signatures', '0'],
      ['--in-flight', 'many'],
      ['--threads', '65'],
    ])('refuses %s %s', async (name, value) => {
      const outcome = await run(process.execPath, [path.join(folder, 'demo.js'), name, value]);
      expect(outcome.exitCode).toBe(1);
      expect(outcome.stderr).toContain(`${name} takes a number from 1 to `);
    });
  });
});
