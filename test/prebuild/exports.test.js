'use strict';

// scripts/check-exports.js refuses prebuilt addons that need newer systems than Node does, and unhardened ones.

const assert = require('node:assert');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, test } = require('node:test');
const { ROOT } = require('../support/prebuild.js');

const PLATFORM = `${process.platform}-${process.arch}`;
const NAME = 'openssl_async.glibc.node';
const addon = path.join(ROOT, 'prebuilds', PLATFORM, NAME);
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'openssl-async-exports-'));
const skip = !fs.existsSync(addon) && 'there is no prebuilt addon for glibc';

after(() => fs.rmSync(folder, { recursive: true, force: true }));

/** Checks a copy of the addon in which each `from` became `to`, in a folder of the name `parent`. */
function check(from, to, parent = 'prebuilds') {
  const bytes = fs.readFileSync(addon);
  let replaced = 0;
  for (let at = bytes.indexOf(from); at >= 0; at = bytes.indexOf(from, at + 1)) replaced += to.copy(bytes, at);
  assert.ok(replaced > 0, 'the addon holds no such bytes');
  const file = path.join(folder, parent, PLATFORM, NAME);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, bytes);
  return spawnSync(process.execPath, [path.join(ROOT, 'scripts', 'check-exports.js'), file], { encoding: 'utf8' });
}

const versions = (from, to) => [Buffer.from(`\0${from}\0`), Buffer.from(`\0${to}\0`)];

test('a newer C library is refused', { skip }, () => {
  const { status, stderr } = check(...versions('GLIBC_2.28', 'GLIBC_2.29'));
  assert.strictEqual(status, 1);
  assert.match(stderr, /needs GLIBC_2\.29, and official builds of Node only 2\.28\n$/);
});

test('a newer C++ library is refused', { skip }, () => {
  const { status, stderr } = check(...versions('GLIBCXX_3.4.21', 'GLIBCXX_3.4.22'));
  assert.strictEqual(status, 1);
  assert.match(stderr, /needs GLIBCXX_3\.4\.22, and official builds of Node only 3\.4\.21\n$/);
});

test('an addon that was compiled for this machine alone may need its libraries', { skip }, () => {
  const { status, stderr } = check(...versions('GLIBC_2.28', 'GLIBC_2.29'), 'build');
  assert.strictEqual(status, 0, stderr);
});

test('an entry without a landing pad is refused', { skip: skip || (process.arch !== 'x64' && 'of x64 alone') }, () => {
  const { status, stderr } = check(Buffer.from('f30f1efa', 'hex'), Buffer.from('90909090', 'hex'));
  assert.strictEqual(status, 1);
  assert.match(stderr, /is not compiled with -fcf-protection=branch\n$/);
});
