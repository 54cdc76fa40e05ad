'use strict';

// Valgrind: the native unit tests, then Node with the addon on the smoke program and on good and bad calls of operations.
// What OpenSSL and Node leave behind is suppressed in scripts/suppressions/valgrind.supp.
//
//   node scripts/run-valgrind.js [VALGRIND OPTIONS...]

const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { runTests } = require('./native-run.js');
const { root } = require('./stage.js');

const VALGRIND = [
  'valgrind',
  '--quiet',
  '--error-exitcode=99',
  '--leak-check=full',
  '--show-leak-kinds=definite,possible',
  '--errors-for-leak-kinds=definite,possible',
  '--num-callers=40',
  `--suppressions=${path.join(__dirname, 'suppressions', 'valgrind.supp')}`,
  ...process.argv.slice(2),
];

const PROGRAMS = [
  [path.join(root, 'test', 'native', 'smoke', 'smoke.js'), '--jobs=50'],
  [path.join(root, 'test', 'lifecycle', 'scenarios', 'operation-corpus.js'), '1'],
];

function runUnderNode([program, ...programArgs]) {
  const addon = path.join(root, 'build', 'Release', 'openssl_async.node');
  const [command, ...options] = VALGRIND;
  // all-non-file: V8 writes machine code and changes it.
  const args = [...options, '--smc-check=all-non-file', process.execPath, program, ...programArgs];
  const result = spawnSync(command, args, { env: { ...process.env, OPENSSL_ASYNC_ADDON: addon }, stdio: 'inherit' });
  if (result.status !== 0) console.error(`${program} under Valgrind ended with ${result.signal ?? result.status}`);
  return result.status === 0;
}

async function main() {
  const unitTests = await runTests({ sanitizer: 'none', wrapper: VALGRIND });
  const failed = PROGRAMS.filter((program) => !runUnderNode(program));
  if (failed.length > 0 || !unitTests) process.exitCode = 1;
}

void main();
