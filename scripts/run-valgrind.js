'use strict';

// Valgrind: the native unit tests, then Node with the addon on the smoke program and on good and bad calls of operations.
// scripts/suppressions/valgrind.supp suppresses the leaks of OpenSSL and Node.
//
// Valgrind sees memory that nobody has written, which no sanitizer of ours does. It leaves to others, which run them too,
// the unit tests in EXCLUDED.
//
//   node scripts/run-valgrind.js [VALGRIND OPTIONS...]

const { spawn } = require('node:child_process');
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
  // A job's stack may lie next to its thread's. Valgrind takes a switch between the two for a large frame otherwise, and
  // what is in between, the thread's own data, for lost.
  '--max-stackframe=30000',
  '--child-silent-after-fork=yes', // children of the unit tests end by _exit(), some by a signal
  `--suppressions=${path.join(__dirname, 'suppressions', 'valgrind.supp')}`,
  ...process.argv.slice(2),
];

const EXCLUDED = [
  // Races and the wear of many rounds: Valgrind runs one thread at a time. ThreadSanitizer runs these suites.
  '--test-suite-exclude=threads*',
  // Key derivation, slow on purpose: OpenSSL's loops, not ours. Other tests derive keys, with few rounds.
  // And what measured durations decide: under Valgrind no call is cheaper than a hop when other programs run.
  '--test-case-exclude=published vectors*,learns to run inline*',
];

const PROGRAMS = [
  [path.join(root, 'test', 'native', 'smoke', 'smoke.js'), '--jobs=50'],
  [path.join(root, 'test', 'lifecycle', 'scenarios', 'operation-corpus.js'), '1'],
];

// A program's output is kept until its end: other programs run at the same time.
function runUnderNode([program, ...programArgs]) {
  const addon = path.join(root, 'build', 'Release', 'openssl_async.node');
  const [command, ...options] = VALGRIND;
  // all-non-file: V8 writes machine code and changes it.
  const args = [...options, '--smc-check=all-non-file', process.execPath, program, ...programArgs];
  const child = spawn(command, args, {
    env: { ...process.env, OPENSSL_ASYNC_ADDON: addon },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) => {
      process.stdout.write(output);
      if (status !== 0) console.error(`${program} under Valgrind ended with ${signal ?? status}`);
      resolve(status === 0);
    });
  });
}

async function main() {
  const programs = PROGRAMS.map(runUnderNode);
  const passed = [
    await runTests({ sanitizer: 'none', wrapper: VALGRIND, args: EXCLUDED }),
    ...(await Promise.all(programs)),
  ];
  if (passed.includes(false)) process.exitCode = 1;
}

main().catch((error) => {
  console.error(`run-valgrind: ${error.message}`);
  process.exitCode = 1;
});
