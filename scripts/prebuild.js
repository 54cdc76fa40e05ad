'use strict';

// Makes prebuilds/<platform>-<arch>/openssl_async[.libc].node with prebuildify, in a folder of its own so that build/
// stays as it is.
//
//   node scripts/prebuild.js [--platform=NAME] [--arch=NAME] [--libc=glibc|musl] [--out=FOLDER]
//
// Each default is the running Node's. A binary for Linux with the GNU C library is compiled by GCC of Debian 12 with the
// libraries of Debian 11 (scripts/sysroot.js), on a machine of either architecture, and needs no newer system than Node
// itself does: scripts/check-exports.js compares. One for Windows is made there, or by mingw-w64 (scripts/build-windows.js).
// Binaries for other systems are made there, with their own compiler.
//
// The same sources, compiler and headers of Node give the same bytes in any folder: test/prebuild/reproducible.test.js.

const { execFileSync, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { prebuildForWindows } = require('./build-windows.js');
const { nodeGypEnvironment } = require('./node-gyp.js');
const { writeHash } = require('./prebuilt-files.js');
const { root, stage } = require('./stage.js');
const { sysrootEnvironment } = require('./sysroot.js');

const runningLibc = () => (process.report.getReport().header.glibcVersionRuntime === undefined ? 'musl' : 'glibc');

function parseTarget() {
  const { values } = parseArgs({
    options: {
      platform: { type: 'string', default: process.platform },
      arch: { type: 'string', default: process.arch },
      libc: { type: 'string' },
      out: { type: 'string', default: root },
    },
  });
  if (values.platform === 'linux') return { libc: process.platform === 'linux' ? runningLibc() : 'glibc', ...values };
  if (values.libc !== undefined) throw new Error(`--libc is for linux, not for ${values.platform}`);
  return values;
}

// npm also takes a script called `prebuild` for the hook of `build`. Only npm's own command line tells the two apart.
function runsAsHookOfBuild() {
  if (process.env.npm_lifecycle_event !== 'prebuild' || process.platform === 'win32') return false;
  let pid = process.ppid;
  for (let depth = 0; depth < 3 && pid > 1; depth++) {
    let line;
    try {
      line = execFileSync('ps', ['-o', 'ppid=,args=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    } catch {
      return false;
    }
    if (/npm.* (run|run-script|rum|urn) build(\s|$)/.test(line)) return true;
    pid = Number.parseInt(line, 10);
  }
  return false;
}

/** What make needs in its environment to compile for `target` in `folder`. */
function toolchain({ platform, arch, libc }, folder) {
  if (platform === 'linux' && libc === 'glibc') return sysrootEnvironment(arch, path.join(folder, 'build'));
  const isHere = platform === process.platform && (platform !== 'linux' || libc === runningLibc());
  // Apple's compiler makes code for both of its architectures.
  if (isHere && (arch === process.arch || platform === 'darwin')) return {};
  throw new Error(`a binary for ${[platform, arch, libc].filter(Boolean).join('-')} cannot be made on this machine`);
}

async function main() {
  if (runsAsHookOfBuild()) return 0;
  const target = parseTarget();
  const { platform, arch, libc, out } = target;
  if (platform === 'win32' && process.platform !== 'win32') {
    writeHash(await prebuildForWindows());
    return 0;
  }
  const folder = stage(`build-prebuild/${platform}-${arch}`);
  const { STRIP: strip, ...environment } = toolchain(target, folder);
  const suffix = process.platform === 'win32' ? '.cmd' : '';
  const args = [
    require.resolve('prebuildify/bin.js'),
    '--napi',
    '--strip',
    '--name=openssl_async',
    `--platform=${platform}`,
    `--arch=${arch}`,
    `--target=${process.versions.node}`,
    `--cwd=${folder}`,
    `--out=${path.resolve(out)}`,
    `--node-gyp=${path.join(root, 'node_modules', '.bin', `node-gyp${suffix}`)}`,
    ...(libc === undefined ? [] : ['--tag-libc', `--libc=${libc}`]),
    ...(strip === undefined ? [] : [`--strip-bin=${strip}`]),
  ];
  const result = spawnSync(process.execPath, args, {
    cwd: root,
    // node-gyp turns each npm_config_ variable into one of binding.gyp. prebuildify would pack the module as well.
    env: { ...nodeGypEnvironment(), ...environment, npm_config_jobs: 'max', npm_config_accelerator_module: '0' },
    stdio: 'inherit',
  });
  if (result.status === 0) hashBinaries(path.join(out, 'prebuilds', `${platform}-${arch}`));
  return result.status ?? 1;
}

function hashBinaries(folder) {
  for (const name of fs.readdirSync(folder)) {
    if (name.endsWith('.node')) writeHash(path.join(folder, name));
  }
}

main().then(
  (status) => {
    process.exitCode = status;
  },
  (error) => {
    console.error(`prebuild: ${error.message}`);
    process.exitCode = 1;
  },
);
