'use strict';

// Node binaries of other versions: they come from npm by package name and are kept in the temporary folder.
//
//   node test/nodes/obtain-node.js MAJOR     prints the path of one

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const CACHE = path.join(os.tmpdir(), `openssl-async-nodes-${os.userInfo().username}`);

/** The path of a Node binary, or the reason why there is none. */
function obtainNode(major) {
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  const folder = path.join(CACHE, String(major));
  const binary = path.join(folder, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (fs.existsSync(binary)) return { binary };
  fs.mkdirSync(folder, { recursive: true });
  const install = ['install', '--prefix', folder, '--no-save', '--no-package-lock', '--ignore-scripts'];
  const npm = spawnSync('npm', [...install, `${name}@${major}`], {
    cwd: folder,
    encoding: 'utf8',
    shell: process.platform === 'win32',
    timeout: 300_000,
  });
  if (fs.existsSync(binary)) return { binary };
  const line = npm.stderr?.split('\n').find((text) => text.startsWith('npm error')) ?? npm.error?.message;
  return { reason: `npm has no ${name}@${major} for this machine: ${line ?? 'no such file in the package'}` };
}

module.exports = { obtainNode };

if (require.main === module) {
  const { binary, reason } = obtainNode(Number(process.argv[2]));
  if (binary === undefined) {
    console.error(reason);
    process.exitCode = 1;
  } else {
    console.log(binary);
  }
}
