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

// A certificate of this system's own, which nobody trusts otherwise.
function writeCertificate(folder) {
  const [cert, key] = ['cert', 'key'].map((name) => path.join(folder, name));
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const made = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '30', '-keyout', key, '-out', cert];
  const { error, status } = spawnSync('openssl', [...made, ...subject], { stdio: 'ignore' });
  return error === undefined && status === 0 ? { cert, key } : undefined;
}

const WELCOME = ['welcome', 'welcome'];
const STRANGE = ['DEPTH_ZERO_SELF_SIGNED_CERT', 'DEPTH_ZERO_SELF_SIGNED_CERT'];

for (const major of MAJORS) {
  test(`clients trust whom node:tls of Node ${major} trusts`, (context) => {
    const { binary, reason } = obtainNode(major);
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'openssl-async-authorities-'));
    context.after(() => fs.rmSync(folder, { recursive: true }));
    const files = binary === undefined ? undefined : writeCertificate(folder);
    if (files === undefined) {
      context.skip(reason ?? 'openssl is not installed');
      return;
    }
    const ask = (args, env = {}) => {
      const program = path.join(__dirname, 'default-authorities.js');
      const result = spawnSync(binary, [...args, program, files.cert, files.key], {
        encoding: 'utf8',
        env: { ...process.env, NODE_OPTIONS: '', OPENSSL_ASYNC_ADDON: ADDON, ...env },
        timeout: 120_000,
      });
      assert.strictEqual(result.status, 0, result.stderr);
      const { seen, isNodes } = JSON.parse(result.stdout);
      assert.ok(isNodes);
      return seen;
    };
    const [first, ...later] = ask([]);
    assert.deepStrictEqual(first, STRANGE);
    const canSet = later[0] !== null;
    assert.deepStrictEqual(later, canSet ? [WELCOME, STRANGE, WELCOME] : [null, null, null]);
    assert.deepStrictEqual(ask([], { NODE_EXTRA_CA_CERTS: files.cert })[0], WELCOME);
    const places = ask(['--use-openssl-ca'], { SSL_CERT_FILE: files.cert });
    assert.deepStrictEqual(places, [WELCOME, ...later]);
    // Where Node.js can ask the system, which is OpenSSL's own places on Linux.
    const { status } = spawnSync(binary, ['--use-system-ca', '-e', '0'], { stdio: 'ignore' });
    if (status !== 0) return;
    assert.deepStrictEqual(ask(['--use-system-ca'], { SSL_CERT_FILE: files.cert })[0], WELCOME);
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
  'test/(fuzz/tls-introspection|integration/(operations|offload|provider|reference|remote|store|tls-(certificate-compression|client-handshakes|client-renegotiation|early-data|groups|handshakes|later-handshakes|shared-keys)))';

// The tests themselves run on Node 20 anyway: npm test.
for (const major of MAJORS.filter((each) => !process.version.startsWith(`v${each}.`))) {
  test(`operations and TLS agree with Node ${major}, and hardware works`, (context) => {
    const { binary, reason } = obtainNode(major);
    if (binary === undefined) {
      context.skip(reason);
      return;
    }
    const result = spawnSync(binary, [JEST, '--selectProjects', 'integration', 'fuzz', '--testPathPatterns', TESTS], {
      cwd: ROOT,
      encoding: 'utf8',
      env: { ...process.env, OPENSSL_ASYNC_ADDON: ADDON, OPENSSL_ASYNC_COUNTS: '' },
      timeout: 300_000,
    });
    assert.strictEqual(result.status, 0, `${result.stdout}${result.stderr}`);
    context.diagnostic(result.stderr.split('\n').find((line) => line.startsWith('Tests:')) ?? '');
  });
}
