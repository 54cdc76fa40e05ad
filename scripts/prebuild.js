'use strict';

// Makes prebuilds/<platform>-<arch>/openssl_async[.libc].node for the running platform with prebuildify, in a folder
// of its own so that build/ stays as it is.

const { execFileSync, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { nodeGypEnvironment } = require('./node-gyp.js');
const { writeHash } = require('./prebuilt-files.js');
const { root, stage } = require('./stage.js');

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

function main() {
  if (runsAsHookOfBuild()) return 0;
  const suffix = process.platform === 'win32' ? '.cmd' : '';
  const args = [
    require.resolve('prebuildify/bin.js'),
    '--napi',
    '--strip',
    '--name=openssl_async',
    `--target=${process.versions.node}`,
    `--cwd=${stage('build-prebuild')}`,
    `--out=${root}`,
    `--node-gyp=${path.join(root, 'node_modules', '.bin', `node-gyp${suffix}`)}`,
    ...(process.platform === 'linux' ? ['--tag-libc'] : []),
  ];
  const result = spawnSync(process.execPath, args, {
    cwd: root,
    // node-gyp turns each npm_config_ variable into one of binding.gyp. prebuildify would pack the module as well.
    env: { ...nodeGypEnvironment(), npm_config_jobs: 'max', npm_config_accelerator_module: '0' },
    stdio: 'inherit',
  });
  if (result.status === 0) hashBinaries(path.join(root, 'prebuilds', `${process.platform}-${process.arch}`));
  return result.status ?? 1;
}

function hashBinaries(folder) {
  for (const name of fs.readdirSync(folder)) {
    if (name.endsWith('.node')) writeHash(path.join(folder, name));
  }
}

process.exitCode = main();
