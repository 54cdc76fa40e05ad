'use strict';

// `npm publish` and `npm pack` of a package without binaries.

const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const { after, before, test } = require('node:test');
const { cleanEnvironment, NPM, Project, ROOT } = require('../support/prebuild.js');

const project = new Project(cleanEnvironment());

/** npm's output, of a command that only pretends. */
const npm = (...args) => project.run('npm', [...args, '--dry-run'], NPM);

before(() => {
  const manifest = JSON.parse(fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
  manifest.scripts['build:ts'] = 'node -e 0';
  project.write('package.json', JSON.stringify(manifest));
  fs.mkdirSync(path.join(project.path, 'scripts'));
  const script = path.join('scripts', 'check-prebuilds.js');
  fs.copyFileSync(path.join(ROOT, script), path.join(project.path, script));
});

after(() => project.remove());

test('publishing is refused', () => {
  const { status, stderr } = npm('publish');
  assert.notStrictEqual(status, 0);
  assert.match(stderr, /prebuilds\/ holds no binary/);
});

test('packing warns', () => {
  const { status, stderr } = npm('pack');
  assert.strictEqual(status, 0, stderr);
  assert.match(stderr, /prebuilds\/ holds no binary/);
});

test('with a binary, the platforms that lack one are named', () => {
  const folder = path.join(project.path, 'prebuilds', 'linux-x64');
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, 'openssl_async.glibc.node'), '');
  const { status, stderr } = project.run('npm', ['run', 'prepublishOnly'], NPM);
  assert.strictEqual(status, 0, stderr);
  assert.match(stderr, /no binary for darwin-arm64, linux-arm64, win32-x64/);
});
