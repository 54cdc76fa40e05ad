'use strict';

// The prebuilt addon runs on every supported Node, and where the C and C++ libraries are old. A version of Node that
// cannot be had is skipped and says so.

const assert = require('node:assert');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { ROOT } = require('../support/prebuild.js');
const { obtainSysroot } = require('../../scripts/sysroot.js');
const { obtainNode } = require('../nodes/obtain-node.js');

const SMOKE = path.join(ROOT, 'test', 'native', 'smoke', 'smoke.js');
const PREBUILDS = path.join(ROOT, 'prebuilds', `${process.platform}-${process.arch}`);
const MAJORS = [20, 22, 24, 26];
const isGlibc = process.platform === 'linux' && process.report.getReport().header.glibcVersionRuntime !== undefined;

function prebuilt() {
  const [name] = fs.readdirSync(PREBUILDS).filter((each) => each.endsWith('.node'));
  return path.join(PREBUILDS, name);
}

function smoke(command, ...args) {
  const result = spawnSync(command, [...args, SMOKE], {
    encoding: 'utf8',
    env: { ...process.env, OPENSSL_ASYNC_ADDON: prebuilt() },
    timeout: 120_000,
  });
  assert.strictEqual(result.status, 0, `${result.error?.message ?? ''}${result.stdout}${result.stderr}`);
  return JSON.parse(result.stdout);
}

for (const major of MAJORS) {
  test(`the prebuilt addon runs on Node ${major}`, (context) => {
    const { binary, reason } = obtainNode(major);
    if (binary === undefined) {
      context.skip(reason);
      return;
    }
    const { node, openssl } = smoke(binary);
    assert.match(node, new RegExp(`^v${major}\\.`));
    context.diagnostic(`${node}, ${openssl}`);
  });
}

for (const major of MAJORS) {
  test(`it runs with the libraries of Debian 11, on Node ${major}`, { skip: !isGlibc && 'not glibc' }, (context) => {
    const { binary, reason } = obtainNode(major);
    if (binary === undefined) {
      context.skip(reason);
      return;
    }
    const { folder, triplet } = obtainSysroot(process.arch);
    const libraries = [path.join(folder, 'lib', triplet), path.join(folder, 'usr', 'lib', triplet)];
    const loader = path.join(libraries[0], 'ld-2.31.so');
    const glibc = 'console.log(process.report.getReport().header.glibcVersionRuntime)';
    const prefix = [loader, '--library-path', libraries.join(path.delimiter), binary];
    const { stdout } = spawnSync(prefix[0], [...prefix.slice(1), '-e', glibc], { encoding: 'utf8' });
    assert.strictEqual(stdout.trim(), '2.31');
    smoke(...prefix);
  });
}
