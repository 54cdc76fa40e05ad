'use strict';

// Compiles the shim that makes calls to the system fail (test/faults/shim.c), and runs the tests that use it.
//
//   node scripts/run-faults.js [NODE TEST OPTIONS...]

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const root = path.join(__dirname, '..');
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'openssl-async-faults-'));
const shim = path.join(folder, 'shim.so');

/** Why there is no shim on this system; empty when there is one. */
function compile() {
  if (process.platform !== 'linux' || process.report.getReport().header.glibcVersionRuntime === undefined) {
    return 'the shim is for the GNU C library';
  }
  const options = ['-O1', '-fPIC', '-fexceptions', '-shared', '-o', shim];
  const compiled = spawnSync('cc', [...options, path.join(root, 'test', 'faults', 'shim.c'), '-ldl'], {
    encoding: 'utf8',
  });
  if (compiled.error !== undefined) return `no C compiler: ${compiled.error.message}`;
  if (compiled.status !== 0) throw new Error(compiled.stderr);
  return '';
}

try {
  const reason = compile();
  const env = { ...process.env, NODE_OPTIONS: '', OPENSSL_ASYNC_FAULT_SHIM: shim, OPENSSL_ASYNC_NO_SHIM: reason };
  const tests = ['faults.test.js', 'descriptors.test.js'].map((name) => path.join(root, 'test', 'faults', name));
  const args = ['--test', '--test-reporter=tap', '--test-concurrency=2', ...process.argv.slice(2), ...tests];
  process.exitCode = spawnSync(process.execPath, args, { cwd: root, env, stdio: 'inherit' }).status ?? 1;
} catch (error) {
  console.error(`run-faults: ${error.message}`);
  process.exitCode = 1;
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}
