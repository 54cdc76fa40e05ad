'use strict';

// Runtimes with BoringSSL: the library loads, says so, and rejects. A runtime that cannot be had is skipped and says so.

const assert = require('node:assert');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { obtainRuntime } = require('./obtain-runtime.js');

const ROOT = path.join(__dirname, '..', '..');
const ADDON = path.join(ROOT, 'build', 'Release', 'openssl_async.node');

const PROGRAM = `
  const library = require(${JSON.stringify(ROOT)});
  const codes = async () => {
    const { hash, jobFunction, runJob, stats } = library;
    const code = (promise) => promise.then(() => 'ok', (error) => error.code);
    const thrown = (action) => { try { action(); return 'ok'; } catch (error) { return error.code; } };
    return [await code(hash('sha256', 'x')), await code(runJob(jobFunction(function* () { return 1; }))), thrown(stats)];
  };
  codes().then((found) => {
    const { capability, isCapable, opensslVersion, unsupportedReason } = library;
    const version = opensslVersion() ?? null;
    console.log(JSON.stringify([capability(), isCapable(), unsupportedReason(), version, found]));
  });`;

const UNSUPPORTED = 'ERR_ASYNC_UNSUPPORTED';
const RUNTIMES = { bun: { name: 'Bun', args: [] }, deno: { name: 'Deno', args: ['run', '--allow-all'] } };

for (const [runtime, { name, args }] of Object.entries(RUNTIMES)) {
  test(`the library loads in ${name}, and says that it has BoringSSL`, (context) => {
    const { binary, reason: lack } = obtainRuntime(runtime);
    if (binary === undefined) {
      context.skip(lack);
      return;
    }
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'openssl-async-boringssl-'));
    context.after(() => fs.rmSync(folder, { recursive: true }));
    const program = path.join(folder, 'program.cjs');
    fs.writeFileSync(program, PROGRAM);
    const run = (...rest) =>
      spawnSync(binary, [...args, ...rest], {
        encoding: 'utf8',
        env: { ...process.env, OPENSSL_ASYNC_ADDON: ADDON },
        timeout: 120_000,
      });
    const { status, stdout, stderr } = run(program);
    assert.strictEqual(status, 0, `${stdout}${stderr}`);
    const [capability, capable, reason, version, codes] = JSON.parse(stdout);
    assert.deepStrictEqual([capability, capable, version], ['none', false, null]);
    assert.match(reason, new RegExp(`^${name} \\d+\\.\\S+ has BoringSSL in place of OpenSSL.*\\.$`));
    assert.deepStrictEqual(codes, [UNSUPPORTED, UNSUPPORTED, UNSUPPORTED]);
    const doctor = run(path.join(ROOT, 'dist', 'cli', 'main.js'), 'doctor', '--json');
    assert.strictEqual(doctor.status, 1, doctor.stderr);
    const { checks } = JSON.parse(doctor.stdout);
    assert.strictEqual(checks.capability.summary, reason);
    assert.match(checks.runtime.summary, new RegExp(`^${name} `));
    context.diagnostic(reason);
  });
}
