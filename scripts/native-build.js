'use strict';

// Compiles native test programs against the system's OpenSSL and libuv. Objects are kept and remade when a file that they
// include has changed.

const { execFile, execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { promisify } = require('node:util');
const { listSources } = require('./list-sources.js');
const { joinSources } = require('./units.js');

const root = path.join(__dirname, '..');
const run = promisify(execFile);

// flags: for everything; ours: for src-native/ only. Undefined behaviour is looked for in the code under test: in the
// tests' own the checks would double the time of the compiler.
const SANITIZERS = {
  none: { compiler: process.env.CXX ?? 'c++', flags: [], ours: [] },
  address: {
    compiler: 'clang++',
    flags: ['-fsanitize=address', '-fno-omit-frame-pointer'],
    ours: ['-fsanitize=undefined', '-fno-sanitize-recover=all'],
  },
  thread: { compiler: 'clang++', flags: ['-fsanitize=thread', '-fno-omit-frame-pointer'], ours: [] },
};

/** A test file that ThreadSanitizer has something to run in, or that others need. */
function servesThreads(source) {
  if (!source.endsWith('_test.cc')) return true;
  return fs.readFileSync(path.join(root, source), 'utf8').includes('TEST_SUITE("threads');
}

const pkgConfig = (...args) =>
  execFileSync('pkg-config', [...args, 'libssl', 'libcrypto', 'libuv'], { encoding: 'utf8' })
    .split(/\s+/)
    .filter((flag) => flag !== '');

/** Whether `object` is newer than every file that its dependency list (-MMD) names. */
function isFresh(object) {
  try {
    const made = fs.statSync(object).mtimeMs;
    const dependencies = fs
      .readFileSync(object.replace(/\.o$/, '.d'), 'utf8')
      .replace(/^[^:]*:/, '')
      .split(/[\s\\]+/)
      .filter((name) => name !== '');
    return dependencies.every((name) => fs.statSync(path.resolve(root, name)).mtimeMs < made);
  } catch {
    return false;
  }
}

/**
 * @param {string} compiler
 * @param {string[]} flags for every source
 * @param {string} folder of the objects
 * @param {{ source: string, own: string[] }[]} sources with flags of their own
 * @returns {Promise<string[]>} the objects
 */
async function compileSources(compiler, flags, folder, sources) {
  const toObject = ({ source }) => path.join(folder, 'objects', source.replace(/\.\w+$/, '.o'));
  const stale = sources.filter((each) => !isFresh(toObject(each)));
  const compile = [
    '-std=c++17',
    // Lines are all that a report shows; types of everything would take a third of the compiler's time.
    '-g1',
    '-Wall',
    '-Wextra',
    '-Werror',
    '-pthread',
    '-Isrc-native',
    ...pkgConfig('--cflags'),
    ...flags,
  ];

  async function worker() {
    for (let next = stale.shift(); next !== undefined; next = stale.shift()) {
      const object = toObject(next);
      fs.mkdirSync(path.dirname(object), { recursive: true });
      const { stderr } = await run(compiler, [...compile, ...next.own, '-MMD', '-c', next.source, '-o', object]);
      process.stderr.write(stderr);
    }
  }
  await Promise.all(Array.from({ length: os.availableParallelism() }, worker));
  return sources.map(toObject);
}

async function linkProgram(compiler, flags, objects, program) {
  await run(compiler, [...flags, '-pthread', ...objects, ...pkgConfig('--libs'), '-ldl', '-o', program]);
  return program;
}

const withFlags = (sources, own) => sources.map((source) => ({ source, own }));

/**
 * The unit tests, joined to a few translation units: everything in src-native/ except the entries of the addon and of the module, with test/native/unit/.
 *
 * @param {'none' | 'address' | 'thread'} sanitizer
 * @returns {Promise<string>} the path of the test program
 */
async function buildNativeTests(sanitizer) {
  process.chdir(root);
  const { compiler, flags, ours } = SANITIZERS[sanitizer];
  const folder = path.join('build-native', sanitizer);
  const tests = listSources('test/native/unit').filter((source) => sanitizer !== 'thread' || servesThreads(source));
  const join = (sources, name) => joinSources(sources, path.join(folder, name), root);
  const objects = await compileSources(compiler, ['-Itest/native/unit', ...flags], folder, [
    // Not optimized: they are long, and nobody waits for their own code.
    ...withFlags(join(tests, 'tests'), ['-O0']),
    ...withFlags(join(listSources('src-native', { except: ['binding', 'accelerator/module'] }), 'sources'), [
      '-O1',
      ...ours,
    ]),
  ]);
  return linkProgram(compiler, [...flags, ...ours], objects, path.join(folder, 'unit-tests'));
}

module.exports = { buildNativeTests, compileSources, isFresh, linkProgram, root, withFlags };
