'use strict';

// One addon, built once, runs unmodified on every supported Node. The binaries come from npm by package name and are
// kept in the temporary folder; a version that cannot be had is skipped and says so.

const assert = require('node:assert');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');

const ROOT = path.join(__dirname, '..', '..');
const ADDON = path.join(ROOT, 'build', 'Release', 'openssl_async.node');
const SMOKE = path.join(ROOT, 'test', 'native', 'smoke', 'smoke.js');
const CACHE = path.join(os.tmpdir(), `openssl-async-nodes-${os.userInfo().username}`);
const MAJORS = [20, 22, 24, 26];

/** The path of a Node binary, or the reason why there is none. */
function obtainNode(major) {
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  const folder = path.join(CACHE, String(major));
  const binary = path.join(folder, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (fs.existsSync(binary)) return { binary };
  fs.mkdirSync(folder, { recursive: true });
  const install = ['install', '--prefix', folder, '--no-save', '--no-package-lock', '--ignore-scripts'];
  const npm = spawnSync('npm', [...install, `${name}@${major}`], {
    cwd: folder,
    encoding: 'utf8',
    shell: process.platform === 'win32',
    timeout: 300_000,
  });
  if (fs.existsSync(binary)) return { binary };
  const line = npm.stderr?.split('\n').find((text) => text.startsWith('npm error')) ?? npm.error?.message;
  return { reason: `npm has no ${name}@${major} for this machine: ${line ?? 'no such file in the package'}` };
}

for (const major of MAJORS) {
  test(`the addon runs on Node ${major}`, (context) => {
    const { binary, reason } = obtainNode(major);
    if (binary === undefined) {
      context.skip(reason);
      return;
    }
    const result = spawnSync(binary, [SMOKE], {
      encoding: 'utf8',
      env: { ...process.env, OPENSSL_ASYNC_ADDON: ADDON },
      timeout: 120_000,
    });
    assert.strictEqual(result.status, 0, `${result.stdout}${result.stderr}`);
    const { node, openssl } = JSON.parse(result.stdout);
    assert.match(node, new RegExp(`^v${major}\\.`));
    context.diagnostic(`${node}, ${openssl}`);
  });
}
