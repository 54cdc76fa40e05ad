'use strict';

// Runs Node.js's own tests of TLS, HTTPS and HTTP/2 with openssl-async/register: servers and clients are this package's.
//
//   node test/node-suite/run.js [--major 24] [--all] [--node] [--update] [TEXT…]
//
// outcomes/ has, by version, the tests that pass or skip themselves, which run, and the others with the reason why they do
// not. --major: the tests of this version, by its own binary, instead of those of 20 by the running one. --all runs the
// others too, --node runs all with Node's own modules, --update writes its outcomes; TEXT selects tests whose names
// contain it.

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { obtainNode } = require('../nodes/obtain-node.js');
const { obtainSuite } = require('./obtain-suite.js');

const REGISTER = path.join(__dirname, '..', '..', 'dist', 'register.js');
const HANG_MS = 60_000;
const SKIPPED = /^1\.\.0 # Skipped/m;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    major: { type: 'string', default: '20' },
    all: { type: 'boolean', default: false },
    node: { type: 'boolean', default: false },
    update: { type: 'boolean', default: false },
  },
});
const OUTCOMES = path.join(__dirname, 'outcomes', `${values.major}.json`);
const known = JSON.parse(fs.readFileSync(OUTCOMES, 'utf8'));
const runsAll = values.all || values.node || values.update || positionals.length > 0;

// Tests that look into Node.js itself say nothing about another implementation.
function isOutside(text) {
  return !/expose.internals|internalBinding|internal\/test/.test(text);
}

function usesTls(text) {
  return /createSecureServer|require\('(?:tls|https)'\)|https:/.test(text);
}

function listTests(suite) {
  const folder = path.join(suite, 'parallel');
  return fs
    .readdirSync(folder)
    .filter((name) => /^test-(?:tls|https|http2)-.*\.js$/.test(name))
    .filter((name) => runsAll || !Object.hasOwn(known.failed, name))
    .filter((name) => positionals.length === 0 || positionals.some((text) => name.includes(text)))
    .map((name) => ({ name, file: path.join(folder, name), text: fs.readFileSync(path.join(folder, name), 'utf8') }))
    .filter(({ name, text }) => isOutside(text) && (!name.startsWith('test-http2-') || usesTls(text)));
}

function flagsOf(text) {
  const [, flags = ''] = text.match(/^\/\/ Flags:(.*)$/m) ?? [];
  return flags.split(/\s+/).filter((flag) => flag !== '');
}

// worker: its tests have a folder of their own.
function run({ file, text }, binary, worker) {
  const register = values.node ? [] : ['--require', REGISTER];
  const child = spawn(binary, [...flagsOf(text), ...register, file], {
    cwd: path.dirname(file),
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_TEST_DIR: os.tmpdir(), TEST_THREAD_ID: `${process.pid}.${worker}` },
  });
  const output = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => output.push(bytes));
  const timer = setTimeout(() => child.kill('SIGKILL'), HANG_MS);
  return new Promise((resolve) => {
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      const said = Buffer.concat(output).toString();
      if (SKIPPED.test(said)) resolve({ outcome: 'skipped', said });
      else resolve({ outcome: code === 0 ? 'passed' : 'failed', said: `${said}\n(${signal ?? code})` });
    });
  });
}

// As many at a time as there are cores: each uses a port that the system chooses.
async function runAll(tests, binary) {
  const results = new Map();
  const left = [...tests];
  const work = async (worker) => {
    for (let test = left.shift(); test !== undefined; test = left.shift())
      results.set(test.name, await run(test, binary, worker));
  };
  await Promise.all(Array.from({ length: os.availableParallelism() }, (_, worker) => work(worker)));
  return tests.map(({ name }) => ({ name, ...results.get(name) }));
}

function firstLine(said) {
  return said.match(/^.*(?:Error|Mismatched|\(SIG).*$/m)?.[0].trim() ?? said.trim().split('\n').at(-1);
}

async function main() {
  let suite;
  let binary = process.execPath;
  try {
    suite = await obtainSuite(values.major);
    if (values.major !== '20') {
      const found = obtainNode(Number(values.major));
      if (found.reason !== undefined) throw new Error(found.reason);
      ({ binary } = found);
    }
  } catch (error) {
    console.log(`skipped: Node.js's own tests cannot be had here: ${error.message}\n# pass 0\n# fail 0\n# skipped 1`);
    return;
  }
  const tests = listTests(suite);
  const results = await runAll(tests, binary);
  const passed = results.filter(({ outcome }) => outcome === 'passed');
  const failed = results.filter(({ outcome }) => outcome === 'failed');
  const skipped = results.filter(({ outcome }) => outcome === 'skipped').length;
  for (const { name, said } of failed) console.log(`${name}: ${firstLine(said)}`);
  if (positionals.length > 0) for (const { said } of failed) console.log(said);
  if (values.update) {
    const reasons = failed.map(({ name }) => [name, known.failed[name] ?? 'not looked at']);
    const others = results.filter(({ outcome }) => outcome !== 'failed').map(({ name }) => name);
    const text = JSON.stringify({ failed: Object.fromEntries(reasons), passed: others }, null, 2);
    fs.writeFileSync(OUTCOMES, `${text}\n`);
  }
  const broken = values.node ? [] : failed.filter(({ name }) => !Object.hasOwn(known.failed, name));
  for (const { name, said } of broken) console.log(`not ok - ${name}\n${said}`);
  const left = runsAll ? failed.length - broken.length : Object.keys(known.failed).length;
  console.log(`${left} tests are known not to pass: see outcomes/`);
  console.log(`# pass ${passed.length}\n# fail ${broken.length}\n# skipped ${skipped}`);
  if (broken.length > 0) process.exitCode = 1;
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
