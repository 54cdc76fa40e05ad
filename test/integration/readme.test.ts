// README.md says nothing that is not so: its programs run as printed, its tables are those of the code.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import * as library from '../../lib';
import { DEFAULT_OPTIONS, resolveOptions } from '../../lib/base/options';
import { codeOf } from '../support/library';
import { resultOf, ROOT, run } from '../support/programs';

const README = readFileSync(path.join(ROOT, 'README.md'), 'utf8');

interface Block {
  language: string;
  text: string;
  line: number;
}

const blocks: Block[] = [...README.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map((match) => ({
  language: match[1] ?? '',
  text: match[2] ?? '',
  line: README.slice(0, match.index).split('\n').length,
}));

/** The rows of the table whose head begins with `head`. */
function table(head: string): string[][] {
  const lines = README.split('\n');
  const start = lines.findIndex((line) => line.startsWith(`| ${head} `));
  const end = lines.findIndex((line, index) => index > start && !line.startsWith('|'));
  return lines.slice(start + 2, end).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const unquoted = (cell: string | undefined): string => (cell ?? '').replaceAll('`', '');
const toNumber = (cell: string): number => Number(cell.replaceAll(' ', ''));

describe("README.md's programs", () => {
  const programs = blocks.flatMap((block, index) => {
    const next = blocks[index + 1];
    return block.language === 'ts' ? [{ ...block, output: next?.language === 'text' ? next.text : '' }] : [];
  });
  let folder = '';

  beforeAll(() => {
    const builds = path.join(ROOT, 'build-examples');
    mkdirSync(builds, { recursive: true });
    folder = mkdtempSync(path.join(builds, 'readme-'));
    for (const { text, line } of programs) writeFileSync(path.join(folder, `line-${line}.mts`), text);
    const tsconfig = {
      extends: '../../tsconfig.json',
      compilerOptions: {
        module: 'nodenext',
        moduleResolution: 'nodenext',
        // Strict beyond this repository's own configuration; the types of Node.js come with the library's.
        types: [],
        noPropertyAccessFromIndexSignature: true,
        exactOptionalPropertyTypes: true,
        skipLibCheck: false,
        paths: {},
        noEmit: false,
      },
      include: ['*.mts'],
    };
    writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify(tsconfig));
    try {
      execFileSync(process.execPath, [require.resolve('typescript/bin/tsc'), '-p', folder], { encoding: 'utf8' });
    } catch (error) {
      throw new Error((error as { stdout: string }).stdout, { cause: error });
    }
  }, 120_000);

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  test('are there', () => {
    expect(programs.length).toBeGreaterThanOrEqual(4);
  });

  test.each(programs)('print what it says: line $line', async ({ line, output }) => {
    const outcome = await run(process.execPath, [path.join(folder, `line-${line}.mjs`)]);
    resultOf(outcome);
    expect(outcome.stderr).toBe('');
    expect(outcome.stdout).toBe(output);
  });
});

describe('README.md', () => {
  test('takes its C from the examples', () => {
    const native = path.join(ROOT, 'examples', 'native');
    const sources = readdirSync(native).map((name) => readFileSync(path.join(native, name), 'utf8'));
    const quoted = blocks.filter(({ language }) => language === 'c');
    expect(quoted.length).toBeGreaterThan(0);
    for (const { text } of quoted) expect(sources.some((source) => source.includes(text))).toBe(true);
  });

  test('links to what is there for readers of the package and of its page in the registry', () => {
    const targets = [...README.matchAll(/\]\(([^)]+)\)|^\[[^\]]+\]: (\S+)$/gm)].map(
      (match) => match[1] ?? match[2] ?? '',
    );
    const headings = [...README.matchAll(/^#+ (.*)$/gm)].map((match) => `#${anchor(match[1] ?? '')}`);
    expect(targets.length).toBeGreaterThan(0);
    for (const target of targets) {
      if (target.startsWith('#')) expect(headings).toContain(target);
      else expect(target).toMatch(/^https:\/\//);
    }
  });

  test('names files that are there', () => {
    const names = [...README.matchAll(/`((?:examples|include|test)\/[\w./-]+|[A-Z]+\.md)`/g)].map(
      (match) => match[1] ?? '',
    );
    expect(names.length).toBeGreaterThan(5);
    for (const name of names) expect([name, existsSync(path.join(ROOT, name))]).toEqual([name, true]);
  });

  test('names scripts that package.json has', () => {
    const { scripts } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    for (const [, script] of README.matchAll(/npm run ([\w:]+)/g)) expect(Object.keys(scripts)).toContain(script);
  });

  test('lists every option with its range and default', () => {
    const rows = table('option');
    const { poll, ...options } = DEFAULT_OPTIONS;
    const names = [...Object.keys(options), ...Object.keys(poll).map((name) => `poll.${name}`)];
    expect(rows.map(([name]) => unquoted(name)).sort()).toEqual(names.sort());
    for (const [nameCell, unit, range, defaultCell] of rows) {
      const name = unquoted(nameCell);
      const nested = /^poll\.(.*)$/.exec(name)?.[1];
      const known: Record<string, unknown> = nested === undefined ? { ...options } : { ...poll };
      const value = unquoted(defaultCell);
      const defaultValue = known[nested ?? name];
      if (unit === 'path') {
        expect([name, value, defaultValue]).toEqual([name, 'none', '']);
        continue;
      }
      if (unit === 'boolean' || unit === 'string') {
        expect([name, value.replaceAll("'", '')]).toEqual([name, String(defaultValue)]);
        continue;
      }
      if (defaultValue === 0 && name === 'threads') expect(value).toContain('cores');
      else expect([name, toNumber(value)]).toEqual([name, defaultValue]);
      const [low, high] = unquoted(range).replace('maxJobs', String(DEFAULT_OPTIONS.maxJobs)).split(' to ');
      const [min, max] = [toNumber(low ?? ''), toNumber(high ?? '')];
      // What another option would rule out is moved out of the way.
      const attempt = (number: number): unknown => {
        if (nested === 'initialIntervalMs') return { poll: { initialIntervalMs: number, maxIntervalMs: 60_000 } };
        if (nested === 'maxIntervalMs') return { poll: { initialIntervalMs: 1, maxIntervalMs: number } };
        return { [name]: number };
      };
      const codes = [min - 1, min, max, max + 1].map((n) => codeOf(() => resolveOptions(attempt(n), DEFAULT_OPTIONS)));
      expect([name, ...codes]).toEqual([name, 'ERR_OUT_OF_RANGE', undefined, undefined, 'ERR_OUT_OF_RANGE']);
    }
  });

  test('lists every error code', () => {
    const source = readFileSync(path.join(ROOT, 'lib', 'errors.ts'), 'utf8');
    const codes = [...source.matchAll(/^ {2}(ERR_ASYNC_\w+): /gm)].map((match) => match[1] ?? '');
    expect(codes.length).toBeGreaterThan(0);
    expect(table('code').map(([code]) => unquoted(code))).toEqual(codes);
  });

  test('lists every figure of stats()', async () => {
    await library.hash('sha256', 'data', { provider: 'accelerator' });
    const { jobs, ...rest } = library.stats();
    const section = README.slice(README.indexOf('### Providers'), README.indexOf('## Errors'));
    const named = [...section.matchAll(/`(\w+)`/g)].map((match) => match[1]);
    for (const name of [
      ...Object.keys(jobs),
      ...Object.keys(rest),
      ...Object.keys(rest.wakeups),
      ...Object.keys(rest.latency),
      ...Object.keys(rest.latency.total),
      ...Object.keys(rest.stacks),
      ...Object.keys(rest.operations),
      ...Object.keys(rest.pool),
      ...Object.keys(rest.providers.accelerator ?? {}),
    ]) {
      expect(named).toContain(name);
    }
  });

  test('calls functions that the library exports', () => {
    const rows = table('OpenSSL').map(([, here]) => here ?? '');
    const called = rows.flatMap((here) => [...here.matchAll(/`(?:new )?(\w+)\(/g)].map((match) => match[1] ?? ''));
    expect(called.length).toBeGreaterThan(5);
    expect(Object.keys(library)).toEqual(expect.arrayContaining(called));
  });
});

function anchor(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');
}
