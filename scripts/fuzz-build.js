'use strict';

// Compiles the fuzzer's targets, test/native/fuzz/, with Clang's libFuzzer and its sanitizers.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { listSources } = require('./list-sources.js');
const { compileSources, linkProgram, root, withFlags } = require('./native-build.js');
const { joinSources } = require('./units.js');

const COMPILER = 'clang++';
const FOLDER = path.join('build-native', 'fuzz');
const SOURCES = 'test/native/fuzz';
// The layers that TLS needs.
const LAYERS = ['base', 'openssl', 'job', 'wakeup', 'pool', 'tls'];
// These files run many connections, and need all other layers.
const WITHOUT = /\/tls\/(?:hub\w*|handshake_\w+|poller_\w+|\w*reactor)\.cc$/;

// Files with an entry of their own. The others serve all of them.
const TARGETS = ['client_hello', 'connection'];
const SEEDS = 'seeds';

const SANITIZERS = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all', '-fno-omit-frame-pointer'];
const FLAGS = [`-I${SOURCES}`, ...SANITIZERS];

/** Why nothing can be fuzzed on this system; empty when it can. */
function reasonAgainst() {
  if (process.platform !== 'linux') return 'the targets are for Linux';
  const folder = path.join(root, FOLDER);
  const source = path.join(folder, 'probe.cc');
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(source, 'extern "C" int LLVMFuzzerTestOneInput(const char*, long) { return 0; }\n');
  try {
    const options = ['-fsanitize=fuzzer,address,undefined', source, '-o', path.join(folder, 'probe')];
    execFileSync(COMPILER, options, { stdio: 'pipe' });
    return '';
  } catch (error) {
    if (error.code === 'ENOENT') return 'no Clang';
    return `Clang cannot link a fuzzer: ${String(error.stderr).trim().split('\n')[0]}`;
  }
}

/** @returns {Promise<Map<string, string>>} the paths of the programs, by name: the targets, and `seeds` */
async function buildFuzzer() {
  process.chdir(root);
  const ours = LAYERS.flatMap((layer) => listSources(`src-native/${layer}`)).filter((file) => !WITHOUT.test(file));
  const units = joinSources(ours, path.join(FOLDER, 'sources'), root);
  const tested = await compileSources(COMPILER, FLAGS, FOLDER, withFlags(units, ['-O1', '-fsanitize=fuzzer-no-link']));
  const tests = await compileSources(COMPILER, FLAGS, FOLDER, withFlags(listSources(SOURCES), ['-O1']));
  const names = [...TARGETS, SEEDS];
  const entryOf = (object) => names.find((name) => path.basename(object) === `${name}.o`);
  const shared = tests.filter((object) => entryOf(object) === undefined);
  const programs = new Map();
  for (const object of tests.filter((each) => entryOf(each) !== undefined)) {
    const name = entryOf(object);
    const flags = [...SANITIZERS, ...(name === SEEDS ? [] : ['-fsanitize=fuzzer'])];
    programs.set(name, await linkProgram(COMPILER, flags, [...tested, ...shared, object], path.join(FOLDER, name)));
  }
  return programs;
}

module.exports = { FOLDER, SEEDS, TARGETS, buildFuzzer, reasonAgainst };
