'use strict';

// One addon, built once, runs unmodified on every supported Node, and its operations agree with each one's node:crypto. A
// version that cannot be had is skipped and says so.

const assert = require('node:assert');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { LACKED, PROGRAM, writeLackingNode } = require('./lacking-node.js');
const { obtainNode } = require('./obtain-node.js');

const ROOT = path.join(__dirname, '..', '..');
const ADDON = path.join(ROOT, 'build', 'Release', 'openssl_async.node');
const SMOKE = path.join(ROOT, 'test', 'native', 'smoke', 'smoke.js');
const MAJORS = [20, 22, 24, 26];

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

for (const major of MAJORS) {
  test(`no member that Node ${major} has added to sockets is left unread`, (context) => {
    const { binary, reason } = obtainNode(major);
    if (binary === undefined) {
      context.skip(reason);
      return;
    }
    const program = path.join(ROOT, 'test', 'support', 'inherited-members.js');
    const result = spawnSync(binary, [program], {
      encoding: 'utf8',
      env: { ...process.env, OPENSSL_ASYNC_ADDON: ADDON },
      timeout: 120_000,
    });
    assert.strictEqual(result.status, 0, result.stderr);
    assert.deepStrictEqual(JSON.parse(result.stdout).unreviewed, []);
  });
}

test('the addon says so where a function of OpenSSL is missing', (context) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'openssl-async-lacking-'));
  context.after(() => fs.rmSync(folder, { recursive: true }));
  const node = path.join(folder, 'node');
  writeLackingNode(process.execPath, node);
  const result = spawnSync(node, ['-e', PROGRAM], {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...process.env, OPENSSL_ASYNC_ADDON: ADDON },
    timeout: 120_000,
  });
  assert.strictEqual(result.status, 0, `${result.stdout}${result.stderr}`);
  const { code, reason } = JSON.parse(result.stdout);
  assert.strictEqual(code, 'ERR_ASYNC_UNSUPPORTED');
  assert.ok(reason.includes(LACKED), reason);
});

const JEST = require.resolve('jest/bin/jest');
const TESTS =
  'test/integration/(operations|offload|provider|reference|remote|store|tls-(certificate-compression|client-handshakes|groups))';

// The tests themselves run on Node 20 anyway: npm test.
for (const major of MAJORS.filter((each) => !process.version.startsWith(`v${each}.`))) {
  test(`operations and TLS agree with Node ${major}, and hardware works`, (context) => {
    const { binary, reason } = obtainNode(major);
    if (binary === undefined) {
      context.skip(reason);
      return;
    }
    const result = spawnSync(binary, [JEST, '--selectProjects', 'integration', '--testPathPatterns', TESTS], {
      cwd: ROOT,
      encoding: 'utf8',
      env: { ...process.env, OPENSSL_ASYNC_ADDON: ADDON, OPENSSL_ASYNC_COUNTS: '' },
      timeout: 300_000,
    });
    assert.strictEqual(result.status, 0, `${result.stdout}${result.stderr}`);
    context.diagnostic(result.stderr.split('\n').find((line) => line.startsWith('Tests:')) ?? '');
  });
}
