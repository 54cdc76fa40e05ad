'use strict';

// Compiles the native unit tests: everything in src-native/ except the entries of the addon and of the module, with
// test/native/unit/, against the system's OpenSSL and libuv. Objects are kept and remade when a file that they include
// has changed.

const { execFile, execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { promisify } = require('node:util');
const { listSources } = require('./list-sources.js');

const root = path.join(__dirname, '..');
const run = promisify(execFile);

const SANITIZERS = {
  none: { compiler: process.env.CXX ?? 'c++', flags: ['-O1'] },
  address: {
    compiler: 'clang++',
    flags: ['-O1', '-fsanitize=address,undefined', '-fno-sanitize-recover=all', '-fno-omit-frame-pointer'],
  },
  thread: { compiler: 'clang++', flags: ['-O1', '-fsanitize=thread', '-fno-omit-frame-pointer'] },
};

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
 * @param {'none' | 'address' | 'thread'} sanitizer
 * @returns {Promise<string>} the path of the test program
 */
async function buildNativeTests(sanitizer) {
  process.chdir(root);
  const { compiler, flags } = SANITIZERS[sanitizer];
  const folder = path.join('build-native', sanitizer);
  const compile = [
    '-std=c++17',
    '-g',
    '-Wall',
    '-Wextra',
    '-Werror',
    '-pthread',
    '-Isrc-native',
    '-Itest/native/unit',
    ...pkgConfig('--cflags'),
    ...flags,
  ];
  const sources = [
    ...listSources('src-native', { except: ['binding', 'accelerator/module'] }),
    ...listSources('test/native/unit'),
  ];
  const objects = sources.map((source) => path.join(folder, source.replace(/\.\w+$/, '.o')));
  const pending = sources.map((source, index) => ({ source, object: objects[index] }));
  const stale = pending.filter(({ object }) => !isFresh(object));

  async function worker() {
    for (let next = stale.shift(); next !== undefined; next = stale.shift()) {
      fs.mkdirSync(path.dirname(next.object), { recursive: true });
      const { stderr } = await run(compiler, [...compile, '-MMD', '-c', next.source, '-o', next.object]);
      process.stderr.write(stderr);
    }
  }
  await Promise.all(Array.from({ length: os.availableParallelism() }, worker));

  const program = path.join(folder, 'unit-tests');
  await run(compiler, [...flags, '-pthread', ...objects, ...pkgConfig('--libs'), '-ldl', '-o', program]);
  return program;
}

module.exports = { buildNativeTests, root };
