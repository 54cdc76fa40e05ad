// README.md and the guides say nothing that is not so: their programs run as printed, their tables are those of the code.
// scripts/check-links.js looks at their links.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import * as library from '../../lib';
import { DEFAULT_OPTIONS, resolveOptions } from '../../lib/base/options';
import { blocksOf, guide, page, pages, programsOf, tableOf, unquoted, type Program } from '../support/documents';
import { startKeyServices, type KeyServices } from '../support/key-services';
import { codeOf } from '../support/library';
import { resultOf, ROOT, run } from '../support/programs';
import { createToken, missing as missingToken, type Token } from '../support/token';

const toNumber = (cell: string): number => Number(cell.replaceAll(' ', ''));

/** The name of the module that a program becomes. */
const moduleOf = ({ page, line }: Program): string => `${path.basename(page, '.md')}-line-${String(line)}`;

/** Why a program cannot run here: it uses what not every build has. */
function missingFor({ text }: Program): string | undefined {
  if (text.includes('loadEngine') && Number.parseInt(process.versions.openssl) >= 4)
    return 'this OpenSSL has no engines';
  if (text.includes('TOKEN_MODULE') && missingToken !== undefined) return missingToken;
  const files = [...text.matchAll(/'\.\/(build\/Release\/[^']+)'/g)].map((match) => match[1] ?? '');
  const absent = files.find((file) => !existsSync(path.join(ROOT, file)));
  return absent === undefined ? undefined : `there is no ${absent}; npm run build:tests makes it`;
}

describe('the programs', () => {
  const programs = pages.flatMap(programsOf);
  let folder = '';
  let services: KeyServices;
  let token: Token | undefined;

  beforeAll(async () => {
    services = await startKeyServices();
    if (missingToken === undefined) token = createToken();
    const builds = path.join(ROOT, 'build-examples');
    mkdirSync(builds, { recursive: true });
    folder = mkdtempSync(path.join(builds, 'documentation-'));
    compile(folder, programs);
  }, 120_000);

  afterAll(() => {
    services.close();
    for (const path of [folder, token?.folder ?? '']) if (path !== '') rmSync(path, { recursive: true });
  });

  test('are there', () => {
    expect(programs.length).toBeGreaterThan(20);
  });

  test.each(programs)('print what the page says: $page, line $line', async (program) => {
    const missing = missingFor(program);
    if (missing !== undefined) {
      console.log(`Skipped: ${missing}.`);
      return;
    }
    const outcome = await run(process.execPath, [path.join(folder, `${moduleOf(program)}.mjs`)], {
      ...services.env,
      ...token?.env,
    });
    resultOf(outcome);
    expect(outcome.stderr).toBe('');
    expect(outcome.stdout).toBe(program.output);
  });
});

/** Strictly beyond this repository's own configuration; the types of Node.js come with the library's. */
function compile(folder: string, programs: readonly Program[]): void {
  // The declarations of other packages do not stand every strictness.
  const isOwn = ({ text }: Program): boolean =>
    [...text.matchAll(/ from '([^']+)'/g)].every((match) => /^(node:|openssl-async$)/.test(match[1] ?? ''));
  for (const program of programs) writeFileSync(path.join(folder, `${moduleOf(program)}.mts`), program.text);
  for (const own of [true, false]) {
    const project = path.join(folder, own ? 'own.json' : 'with-others.json');
    const tsconfig = {
      extends: '../../tsconfig.json',
      compilerOptions: {
        module: 'nodenext',
        moduleResolution: 'nodenext',
        types: [],
        noPropertyAccessFromIndexSignature: true,
        exactOptionalPropertyTypes: true,
        skipLibCheck: !own,
        paths: {},
        noEmit: false,
      },
      include: [],
      files: programs.filter((program) => isOwn(program) === own).map((program) => `${moduleOf(program)}.mts`),
    };
    writeFileSync(project, JSON.stringify(tsconfig));
    try {
      execFileSync(process.execPath, [require.resolve('typescript/bin/tsc'), '-p', project], { encoding: 'utf8' });
    } catch (error) {
      throw new Error((error as { stdout: string }).stdout, { cause: error });
    }
  }
}

describe('README.md', () => {
  const { text } = page('README.md');

  test('is short', () => {
    expect(text.split('\n').length).toBeLessThanOrEqual(160);
  });

  test('compares with what npm run bench:comparison measures', () => {
    const folder = path.join(ROOT, 'test', 'bench', 'comparison');
    const sources = ['signers.js', 'issuers.js'].map((name) => readFileSync(path.join(folder, name), 'utf8'));
    const titles = sources.flatMap((source) =>
      [...source.matchAll(/ title: '(.*)',$/gm)].map((match) => match[1] ?? ''),
    );
    expect(titles.length).toBe(9);
    for (const title of titles) expect(text).toContain(`| ${title} `);
  });

  test('names every guide, or the list of them does', () => {
    const linked = [...page(path.join('docs', 'guide', 'README.md')).text.matchAll(/\]\(([\w-]+\.md)\)/g)];
    const guides = pages.map(({ name }) => path.basename(name)).filter((name) => name !== 'README.md');
    expect(linked.map((match) => match[1]).sort()).toEqual(guides.sort());
  });
});

describe('the pages', () => {
  test('take their C from the examples', () => {
    const native = path.join(ROOT, 'examples', 'native');
    const sources = readdirSync(native).map((name) => readFileSync(path.join(native, name), 'utf8'));
    const quoted = pages.flatMap(blocksOf).filter(({ language }) => language === 'c');
    expect(quoted.length).toBeGreaterThan(0);
    for (const { text } of quoted) expect(sources.some((source) => source.includes(text))).toBe(true);
  });

  test('name files that are there', () => {
    const names = pages.flatMap(({ text }) =>
      [...text.matchAll(/`((?:examples|include|test|scripts)\/[\w./-]+|[A-Z]+\.md)`/g)].map((match) => match[1] ?? ''),
    );
    expect(names.length).toBeGreaterThan(5);
    for (const name of names.filter((name) => name !== 'README.md')) {
      expect([name, existsSync(path.join(ROOT, name))]).toEqual([name, true]);
    }
  });

  test('name scripts that package.json has', () => {
    const { scripts } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    const names = pages.flatMap(({ text }) => [...text.matchAll(/npm run ([\w:]+)/g)].map((match) => match[1]));
    expect(names.length).toBeGreaterThan(2);
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(names));
  });

  test('list every option with its range and default', () => {
    const rows = tableOf(guide('configuration'), 'option');
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

  test('list every figure of stats()', async () => {
    await library.hash('sha256', 'data', { provider: 'accelerator' });
    const { jobs, ...rest } = library.stats();
    const named = [...guide('diagnostics').text.matchAll(/`(\w+)`/g)].map((match) => match[1]);
    for (const name of [
      ...Object.keys(jobs),
      ...Object.keys(rest),
      ...Object.keys(rest.wakeups),
      ...Object.keys(rest.latency),
      ...Object.keys(rest.latency.total),
      ...Object.keys(rest.stacks),
      ...Object.keys(rest.operations),
      ...Object.keys(rest.tls),
      ...Object.keys(rest.tls.handshakes),
      ...Object.keys(rest.pool),
      ...Object.keys(rest.providers.accelerator ?? {}),
    ]) {
      expect(named).toContain(name);
    }
  });

  test('call functions that the library exports', () => {
    const rows = tableOf(guide('jobs'), 'OpenSSL').map(([, here]) => here ?? '');
    const called = rows.flatMap((here) => [...here.matchAll(/`(?:new )?(\w+)\(/g)].map((match) => match[1] ?? ''));
    expect(called.length).toBeGreaterThan(5);
    expect(Object.keys(library)).toEqual(expect.arrayContaining(called));
  });
});
