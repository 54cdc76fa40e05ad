'use strict';

// What a user gets: the packed tarball, installed into an empty folder on a machine that cannot compile.

const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const { after, before, test } = require('node:test');
const { brokenEnvironment, NPM, Project, ROOT } = require('../support/prebuild.js');

const project = new Project(brokenEnvironment());
const { installed } = project;
const succeed = (...call) => project.succeed(...call);

let packed;

before(() => {
  packed = project.pack();
});

after(() => project.remove());

test('the tarball holds what users need and nothing else', () => {
  const files = packed.files.map((file) => file.path);
  for (const needed of [
    'dist/index.js',
    'dist/index.mjs',
    'dist/index.d.ts',
    'dist/index.d.mts',
    'dist/cli/THIRD-PARTY-LICENSES.txt',
    'dist/cli/main.js',
    'dist/library/core.js',
    'dist/library/jobs.js',
    'dist/library/operations.js',
    'dist/library/streams.js',
    'dist/library/hardware.js',
    'dist/library/tls.js',
    'docs/guide/README.md',
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
    (file) =>
      /^(test|lib|build|examples|docs\/site|\.)|\.map$/.test(file) && !/^src-native\/.*\bexports\.map$/.test(file),
  );
  assert.deepStrictEqual(foreign, []);
});

test('it installs where nothing can be compiled', () => {
  project.install(packed.file);
  assert.ok(!fs.existsSync(path.join(installed, 'build')), 'the addon was compiled');
});

test('the install script finds the prebuild sufficient', () => {
  succeed(process.execPath, [path.join(installed, 'scripts', 'install.js')]);
  assert.ok(!fs.existsSync(path.join(installed, 'build')), 'the addon was compiled');
});

test('the prebuild exports only the module entry', () => {
  const platform = path.join(installed, 'prebuilds', `${process.platform}-${process.arch}`);
  const files = fs.readdirSync(platform).filter((name) => name.endsWith('.node'));
  assert.ok(files.length > 0);
  for (const file of files) {
    succeed(process.execPath, [path.join(ROOT, 'scripts', 'check-exports.js'), path.join(platform, file)]);
  }
});

test('jobs run with the prebuild', () => {
  const smoke = path.join(ROOT, 'test', 'native', 'smoke', 'smoke.js');
  const { openssl } = JSON.parse(succeed(process.execPath, [smoke, installed]));
  assert.match(openssl, /^OpenSSL \d/);
});

test('no more than four packages are installed', () => {
  const folders = succeed('npm', ['ls', '--all', '--parseable'], NPM).trim().split('\n').slice(1);
  assert.ok(folders.includes(fs.realpathSync(installed)), folders.join());
  assert.ok(folders.length <= 4, folders.join());
});

test('the licences of packages within the command-line tool are shipped', () => {
  const licenses = fs.readFileSync(path.join(installed, 'dist', 'cli', 'THIRD-PARTY-LICENSES.txt'), 'utf8');
  for (const name of ['commander', 'cli-table3', 'cli-progress', '@observablehq/plot', 'd3-scale']) {
    assert.match(licenses, new RegExp(`^${name} \\d.*\\n[^]{100}`, 'm'));
  }
});

test('the command-line tool runs as it is installed', () => {
  const bin = path.join(project.path, 'node_modules', '.bin', 'openssl-async');
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
  project.write('main.mjs', program);
  succeed(process.execPath, ['main.mjs']);
});

test('the types resolve from CommonJS and from ES modules', () => {
  const use = `import { runJob, type JobResult } from 'openssl-async';
    export const f: (...args: never[]) => Promise<JobResult> = runJob;\n`;
  project.write('commonjs.cts', use);
  project.write('module.mts', use);
  const flags = ['--noEmit', '--strict', '--module', 'node20', '--target', 'es2022', '--types', 'node'];
  const typeRoots = ['--typeRoots', path.join(ROOT, 'node_modules', '@types')];
  const compiler = require.resolve('typescript/bin/tsc');
  succeed(process.execPath, [compiler, ...flags, ...typeRoots, 'commonjs.cts', 'module.mts']);
});

test('publint finds no fault with the package, and suggests nothing', () => {
  const publint = path.join(ROOT, 'node_modules', 'publint', 'src', 'cli.js');
  const output = succeed(process.execPath, [publint, installed, '--strict', '--pack=false', '--level=suggestion']);
  assert.match(output, /All good!/);
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
  for (const part of [/Tried:\n.*build.Release/, /prebuilds/, /Possible causes:/, /What to do:/, /npm rebuild/]) {
    assert.match(message, part);
  }
});

test('without a binary and without a compiler the installation fails and says why', () => {
  const result = project.run(process.execPath, [path.join(installed, 'scripts', 'install.js')]);
  assert.notStrictEqual(result.status, 0);
  assert.match(result.stderr, /no ready binary for .*Compiling needs Python 3/s);
});
