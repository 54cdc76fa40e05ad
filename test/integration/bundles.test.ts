// Programs that a bundler has put into one file, which is what tells of a mistake before anything else does.
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { ROOT } from '../support/programs';

const USE = `
console.log(JSON.stringify({ capable: library.isCapable(), reason: library.unsupportedReason() }));
(async () => library.hash('sha256', 'x'))().then(
  ({ length }) => console.log(JSON.stringify({ length })),
  ({ code, message }) => console.log(JSON.stringify({ code, message })),
);`;
const SOURCES = {
  import: `import * as library from 'openssl-async';${USE}`,
  require: `const library = require('openssl-async');${USE}`,
};

const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'openssl-async-bundles-')));
const project = path.join(folder, 'project');
const elsewhere = path.join(folder, 'elsewhere');

beforeAll(() => {
  const modules = path.join(project, 'node_modules');
  fs.mkdirSync(modules, { recursive: true });
  fs.mkdirSync(elsewhere);
  fs.symlinkSync(ROOT, path.join(modules, 'openssl-async'), 'junction');
});

afterAll(() => {
  fs.rmSync(folder, { recursive: true });
});

/** Bundles a program and gives the path of the bundle, in the project. */
function bundle(how: keyof typeof SOURCES, format: 'esm' | 'cjs'): string {
  const entry = path.join(project, `${how}.js`);
  const outfile = path.join(project, `${how}-${format}.${format === 'esm' ? 'mjs' : 'cjs'}`);
  fs.writeFileSync(entry, SOURCES[how]);
  const options = { entryPoints: [entry], bundle: true, platform: 'node', format, outfile, logLevel: 'error' };
  const esbuild = JSON.stringify(require.resolve('esbuild'));
  execFileSync(process.execPath, ['-e', `require(${esbuild}).buildSync(${JSON.stringify(options)})`]);
  return outfile;
}

interface Outcome {
  capable: boolean;
  reason?: string;
  length?: number;
  code?: string;
  message?: string;
}

function execute(file: string): Outcome {
  const { OPENSSL_ASYNC_ADDON, ...env } = process.env;
  void OPENSSL_ASYNC_ADDON; // would be found from anywhere
  const lines = execFileSync(process.execPath, [file], { encoding: 'utf8', env }).trim().split('\n');
  return Object.assign({}, ...lines.map((line) => JSON.parse(line) as object)) as Outcome;
}

function executeElsewhere(file: string): Outcome {
  const moved = path.join(elsewhere, path.basename(file));
  fs.copyFileSync(file, moved);
  return execute(moved);
}

const firstRemedy = ({ message = '' }: Outcome): string => /What to do:\n(.*)/.exec(message)?.[1]?.trim() ?? '';

test.each(['esm', 'cjs'] as const)('one of ES modules uses what is installed beside it (%s)', (format) => {
  expect(execute(bundle('import', format))).toEqual({ capable: true, length: 32 });
});

test.each([
  ['import', 'esm'],
  ['import', 'cjs'],
  ['require', 'cjs'],
] as const)('without the package beside it, one of %s (%s) says first that it has to be external', (how, format) => {
  const outcome = executeElsewhere(bundle(how, format));
  expect(outcome).toMatchObject({ capable: false, code: 'ERR_ASYNC_ADDON_NOT_LOADED' });
  expect(outcome.reason).toMatch(/\.$/);
  expect(firstRemedy(outcome)).toMatch(/^Bundlers: mark openssl-async as external/);
});

test('what is not bundled is told of bundlers last', () => {
  const program = `process.env.OPENSSL_ASYNC_ADDON = '/nonexistent.node';${SOURCES.require}`;
  const file = path.join(project, 'plain.js');
  fs.writeFileSync(file, program);
  const outcome = execute(file);
  expect(firstRemedy(outcome)).toMatch(/^Reinstall/);
  expect(outcome.message).toMatch(/external[^\n]*$/);
});

test('the ES module entry requires none of the modules of Node.js', () => {
  const entry = fs.readFileSync(path.join(ROOT, 'dist', 'index.mjs'), 'utf8');
  expect(entry).not.toMatch(/require\(['"]/);
  expect(entry).not.toMatch(/from '\.\/.*\.js'/);
});
