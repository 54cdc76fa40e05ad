'use strict';

// What a user gets: the packed tarball, installed into an empty folder on a machine that cannot compile.

const assert = require('node:assert');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, before, test } = require('node:test');

const ROOT = path.join(__dirname, '..', '..');
const NPM = { shell: process.platform === 'win32' };

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'openssl-async-prebuild-'));
const project = path.join(folder, 'project');
const installed = path.join(project, 'node_modules', 'openssl-async');

// Nothing of the repository's npm run, and no compiler, Python or addon of the developer's.
function cleanEnvironment() {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^npm_(?!config_(registry|cache|userconfig))|^OPENSSL_ASYNC_|^NODE_/i.test(name),
    ),
  );
  const broken = process.platform === 'win32' ? 'exit 1' : '/bin/false';
  return { ...env, CC: broken, CXX: broken, LD: broken, PYTHON: broken, npm_config_python: broken };
}

function run(command, args, options = {}) {
  const result = spawnSync(command, args, { encoding: 'utf8', cwd: project, env: cleanEnvironment(), ...options });
  assert.strictEqual(result.error, undefined);
  return result;
}

function succeed(...call) {
  const result = run(...call);
  assert.strictEqual(result.status, 0, `${result.stdout}${result.stderr}`);
  return result.stdout;
}

let packed;

before(() => {
  fs.mkdirSync(project);
  const pack = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
  const listing = JSON.parse(succeed('npm', pack, { ...NPM, cwd: ROOT }));
  // An array, or since npm 12 an object by package name.
  [packed] = Object.values(listing);
  fs.writeFileSync(path.join(project, 'package.json'), '{ "name": "project", "private": true }\n');
});

after(() => fs.rmSync(folder, { recursive: true, force: true }));

test('the tarball holds what users need and nothing else', () => {
  const files = packed.files.map((file) => file.path);
  for (const needed of [
    'dist/index.js',
    'dist/index.mjs',
    'dist/index.d.ts',
    'dist/index.d.mts',
    'dist/cli/main.js',
    'binding.gyp',
    'LICENSE',
    'include/openssl_async.h',
    'deps/openssl.gypi',
    'src-native/binding/addon.cc',
    'src-native/exports.map',
    'scripts/install.js',
  ]) {
    assert.ok(files.includes(needed), `${needed} is missing`);
  }
  assert.ok(files.some((file) => new RegExp(`^prebuilds/${process.platform}-${process.arch}/.*\\.node$`).test(file)));
  const foreign = files.filter(
    (file) => /^(test|lib|build|examples|docs|\.)|\.map$/.test(file) && !/^src-native\/.*\bexports\.map$/.test(file),
  );
  assert.deepStrictEqual(foreign, []);
});

test('it installs where nothing can be compiled', () => {
  succeed('npm', ['install', '--no-audit', '--no-fund', path.join(folder, packed.filename)], NPM);
  assert.ok(!fs.existsSync(path.join(installed, 'build')), 'the addon was compiled');
});

test('the install script finds the prebuild sufficient', () => {
  succeed(process.execPath, [path.join(installed, 'scripts', 'install.js')]);
  assert.ok(!fs.existsSync(path.join(installed, 'build')), 'the addon was compiled');
});

test('the prebuild exports only the module entry', () => {
  const platform = path.join(installed, 'prebuilds', `${process.platform}-${process.arch}`);
  for (const file of fs.readdirSync(platform)) {
    succeed(process.execPath, [path.join(ROOT, 'scripts', 'check-exports.js'), path.join(platform, file)]);
  }
});

test('jobs run with the prebuild', () => {
  const smoke = path.join(ROOT, 'test', 'native', 'smoke', 'smoke.js');
  const { openssl } = JSON.parse(succeed(process.execPath, [smoke, installed]));
  assert.match(openssl, /^OpenSSL \d/);
});

test('the command-line tool runs as it is installed', () => {
  const bin = path.join(project, 'node_modules', '.bin', 'openssl-async');
  const output = succeed(bin, ['run-example'], NPM);
  assert.match(output, /^Starting\.\.\.\n.*Job finished with return value 1\nFinishing\n$/s);
});

test('CommonJS and ES modules share one instance', () => {
  const program = `
    import { createRequire } from 'node:module';
    import * as es from 'openssl-async';
    const cjs = createRequire(import.meta.url)('openssl-async');
    for (const name of Object.keys(cjs)) if (cjs[name] !== es[name]) throw new Error(name);
    if (es.isCapable() !== true) throw new Error(es.unsupportedReason());`;
  fs.writeFileSync(path.join(project, 'main.mjs'), program);
  succeed(process.execPath, ['main.mjs']);
});

test('the types resolve from CommonJS and from ES modules', () => {
  const use = `import { runJob, type JobResult } from 'openssl-async';
    export const f: (...args: never[]) => Promise<JobResult> = runJob;\n`;
  fs.writeFileSync(path.join(project, 'commonjs.cts'), use);
  fs.writeFileSync(path.join(project, 'module.mts'), use);
  const flags = ['--noEmit', '--strict', '--module', 'node20', '--target', 'es2022', '--types', 'node'];
  const typeRoots = ['--typeRoots', path.join(ROOT, 'node_modules', '@types')];
  const compiler = require.resolve('typescript/bin/tsc');
  succeed(process.execPath, [compiler, ...flags, ...typeRoots, 'commonjs.cts', 'module.mts']);
});

test('publint finds no fault with the package', () => {
  const publint = path.join(ROOT, 'node_modules', 'publint', 'src', 'cli.js');
  succeed(process.execPath, [publint, installed, '--strict', '--pack=false']);
});

test('without a binary the library loads and says what was tried and what to do', () => {
  fs.rmSync(path.join(installed, 'prebuilds'), { recursive: true });
  const program = `
    const { isCapable, unsupportedReason, jobFunction, runJob } = require('openssl-async');
    let error;
    try { void runJob(jobFunction(function* () { return 1; })).catch((e) => print(e)); } catch (e) { print(e); }
    function print({ code, message }) {
      console.log(JSON.stringify({ capable: isCapable(), reason: unsupportedReason(), code, message }));
    }`;
  const { capable, reason, code, message } = JSON.parse(succeed(process.execPath, ['-e', program]));
  assert.strictEqual(capable, false);
  assert.match(reason, /^There is no addon .*\.$/);
  assert.strictEqual(code, 'ERR_ASYNC_ADDON_NOT_LOADED');
  for (const part of [/Tried:\n.*prebuilds/, /build.Release/, /Possible causes:/, /What to do:/, /npm rebuild/]) {
    assert.match(message, part);
  }
});

test('without a binary and without a compiler the installation fails and says why', () => {
  const result = run(process.execPath, [path.join(installed, 'scripts', 'install.js')]);
  assert.notStrictEqual(result.status, 0);
  assert.match(result.stderr, /no ready binary for .*Compiling needs Python 3/s);
});
