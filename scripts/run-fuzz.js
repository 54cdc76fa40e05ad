'use strict';

// Fuzzes the TLS server with libFuzzer: test/native/fuzz/ has the targets. Inputs that lead on are kept in
// build-native/fuzz/corpus/, from which the next run goes on; inputs that fail in test/native/fuzz/faults/, which every
// run plays first.
//
//   node scripts/run-fuzz.js [--seconds=N] [--target=NAME]    for N seconds altogether, by default 120
//   node scripts/run-fuzz.js FILE...                          plays inputs again

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { FOLDER, SEEDS, TARGETS, buildFuzzer, reasonAgainst } = require('./fuzz-build.js');
const { root } = require('./native-build.js');
const { FIXED_LAYOUT } = require('./native-run.js');

const FAULTS = path.join('test', 'native', 'fuzz', 'faults');

// share: of the time.
const SETTINGS = {
  client_hello: { share: 0.2, maxLength: 100_000 },
  connection: { share: 0.8, maxLength: 160 },
};

const OPTIONS = [
  '-len_control=0',
  '-timeout=30',
  '-rss_limit_mb=3000',
  '-report_slow_units=1000',
  // The connection target counts what is left itself, and the other one keeps nothing.
  '-detect_leaks=0',
];

const ENVIRONMENT = { UBSAN_OPTIONS: 'print_stacktrace=1' };
// Stacks of allocations take a third of the time: only inputs that are played again have them.
const FAST = { ASAN_OPTIONS: 'malloc_context_size=1:quarantine_size_mb=16' };

/** Runs a program to its end, and returns what it said. */
async function execute(program, args, env = {}) {
  const [command, ...rest] = [...FIXED_LAYOUT, program, ...args];
  const options = { cwd: root, env: { ...process.env, ...ENVIRONMENT, ...env }, stdio: ['ignore', 'pipe', 'pipe'] };
  const child = spawn(command, rest, options);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text));
  const [status] = await once(child, 'close');
  return { passed: status === 0, said };
}

const filesOf = (folder) =>
  fs.existsSync(folder) ? fs.readdirSync(folder).map((name) => path.join(folder, name)) : [];

function explain(file) {
  const longest = 4096;
  console.log(`The input is kept as ${file}. Play it again with\n  npm run test:fuzz:native -- ${file}`);
  const bytes = fs.readFileSync(file);
  if (bytes.length > longest) return;
  console.log(`Elsewhere, make it with\n  echo ${bytes.toString('base64')} | base64 --decode >${file}`);
}

/** Moves what was found into the sources, where nothing is written as long as all is well. */
function keepFaults(target, found) {
  for (const file of filesOf(found)) {
    const kept = path.join(FAULTS, target, path.basename(file));
    fs.mkdirSync(path.dirname(kept), { recursive: true });
    fs.renameSync(file, kept);
    explain(kept);
  }
}

/** From the first line about the fault on. */
const reportOf = (said) => said.slice(Math.max(0, said.search(/^(fuzz: |==\d+==|.*runtime error:)/m)));

async function play(target, program, files) {
  const { passed, said } = await execute(program, files);
  if (!passed) console.log(`${target}: an input fails\n${reportOf(said)}`);
  return passed;
}

async function search(target, programs, seconds) {
  const corpus = path.join(FOLDER, 'corpus', target);
  const seeds = path.join(FOLDER, 'seed-corpus', target);
  const found = path.join(FOLDER, 'found', target);
  for (const folder of [corpus, seeds, found]) fs.mkdirSync(folder, { recursive: true });
  await execute(programs.get(SEEDS), [target, seeds]);
  const { passed, said } = await execute(
    programs.get(target),
    [
      ...OPTIONS,
      `-max_len=${SETTINGS[target].maxLength}`,
      `-max_total_time=${seconds}`,
      `-artifact_prefix=${found}${path.sep}`,
      corpus,
      seeds,
    ],
    FAST,
  );
  console.log(`${target}: ${/^Done .*$/m.exec(said)?.[0] ?? `failed\n${reportOf(said)}`}`);
  keepFaults(target, found);
  return passed;
}

async function playFiles(programs, files) {
  for (const file of files) {
    const target = path.basename(path.dirname(path.resolve(file)));
    if (!TARGETS.includes(target)) throw new Error(`${file} is in no folder that is named after a target`);
    if (!(await play(target, programs.get(target), [file]))) process.exitCode = 1;
  }
}

async function fuzz(programs, targets, seconds) {
  const shares = targets.reduce((sum, target) => sum + SETTINGS[target].share, 0);
  let failures = 0;
  for (const target of targets) {
    const files = filesOf(path.join(FAULTS, target));
    const share = Math.ceil((seconds * SETTINGS[target].share) / shares);
    const passed =
      (files.length === 0 || (await play(target, programs.get(target), files))) &&
      (await search(target, programs, share));
    if (!passed) ++failures;
  }
  console.log(`# pass ${targets.length - failures}\n# fail ${failures}\n# skipped 0`);
  if (failures > 0) process.exitCode = 1;
}

async function main() {
  const options = { seconds: { type: 'string', default: '120' }, target: { type: 'string' } };
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const seconds = Number(values.seconds);
  if (!(seconds > 0)) throw new Error('--seconds is a number of seconds');
  if (values.target !== undefined && !TARGETS.includes(values.target)) {
    throw new Error(`the targets are ${TARGETS.join(', ')}`);
  }
  const targets = values.target === undefined ? TARGETS : [values.target];
  const reason = reasonAgainst();
  if (reason !== '') {
    console.log(`skipped: nothing can be fuzzed here: ${reason}\n# pass 0\n# fail 0\n# skipped ${targets.length}`);
    return;
  }
  const files = positionals.map((file) => path.resolve(file));
  const programs = await buildFuzzer();
  if (files.length > 0) await playFiles(programs, files);
  else await fuzz(programs, targets, seconds);
}

main().catch((error) => {
  console.error(`run-fuzz: ${error.stderr || error.message}`);
  process.exitCode = 1;
});
