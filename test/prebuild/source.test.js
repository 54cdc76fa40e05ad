'use strict';

// What a user gets where there is no binary for the platform, or who asks for a compilation: the packed tarball, compiled
// in an empty folder.

const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const { after, test } = require('node:test');
const ts = require('typescript');
const { cleanEnvironment, NPM, Project, ROOT } = require('../support/prebuild.js');

// Dependencies within the package, where a clone has them too: a compiler's cache then knows what it is asked for. That
// they are also found where npm puts them is a test of its own.
const LAYOUT = '--install-strategy=nested';

const project = new Project(cleanEnvironment());
const { installed } = project;
const compiled = path.join(installed, 'build', 'Release', 'openssl_async.node');

after(() => project.remove());

/** The first program of the README, as JavaScript, and what it prints. */
function quickProgram() {
  const readme = fs.readFileSync(path.join(ROOT, 'README.md'), 'utf8');
  const [, program, output] = /^```ts\n(.*?)^```\n+```text\n(.*?)^```$/ms.exec(readme);
  const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };
  const { outputText } = ts.transpileModule(program, { compilerOptions });
  return { program: outputText, output };
}

test('the tarball compiles in an empty folder', () => {
  project.install(project.pack().file, '--build-from-source', LAYOUT);
  assert.ok(fs.existsSync(compiled), 'no addon was compiled');
});

test('what was compiled on purpose is what is loaded', () => {
  const bin = path.join(project.path, 'node_modules', '.bin', 'openssl-async');
  const { checks } = JSON.parse(project.succeed(bin, ['doctor', '--json'], NPM));
  assert.strictEqual(checks.addon.details.path, fs.realpathSync(compiled));
});

test('the first program of the README runs', () => {
  const { program, output } = quickProgram();
  project.write('program.mjs', program);
  assert.strictEqual(project.succeed(process.execPath, ['program.mjs']), output);
});

test('what was compiled exports only the module entry', () => {
  project.succeed(process.execPath, [path.join(ROOT, 'scripts', 'check-exports.js'), compiled]);
});

test('a release compiles when it is asked to', (t) => {
  const released = new Project(cleanEnvironment());
  t.after(() => released.remove());
  released.install(released.packRelease(), LAYOUT);
  fs.rmSync(path.join(released.installed, 'prebuilds'), { recursive: true, force: true });
  assert.ok(!fs.existsSync(path.join(released.installed, 'build')), 'the installation compiled');
  const bin = path.join(released.path, 'node_modules', '.bin', 'openssl-async');
  const doctor = () => JSON.parse(released.run(bin, ['doctor', '--json'], NPM).stdout).checks.addon;
  assert.match(JSON.stringify(doctor().remedies), /npx openssl-async build/);
  released.succeed(bin, ['build'], NPM);
  assert.strictEqual(doctor().status, 'ok');
});

const noMake = process.platform === 'win32' && 'there is no make';

test('a source compiles with dependencies beside the package', { skip: noMake }, (t) => {
  const usual = new Project(cleanEnvironment());
  t.after(() => usual.remove());
  usual.install(usual.pack().file, '--ignore-scripts');
  assert.ok(fs.existsSync(path.join(usual.path, 'node_modules', 'node-addon-api')), 'it is not beside the package');
  const options = { cwd: usual.installed };
  usual.succeed(process.execPath, [path.join('scripts', 'node-gyp.js'), 'configure'], options);
  // One source that includes Node-API. make would compile the library before it.
  const library = ['Release', 'Release/obj.target/src-native'].map(
    (folder) => `--old-file=${folder}/openssl_async_core.a`,
  );
  const object = 'Release/obj.target/openssl_async/src-native/binding/addon.o';
  usual.succeed('make', ['-C', 'build', 'BUILDTYPE=Release', ...library, object], options);
  assert.ok(fs.existsSync(path.join(usual.installed, 'build', object)));
});
