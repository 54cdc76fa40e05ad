'use strict';

// Programs that npm has as packages: they come by name and are kept in the temporary folder.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const CACHE = path.join(os.tmpdir(), `openssl-async-nodes-${os.userInfo().username}`);

/**
 * The path of `file` of a package, or the reason why there is none.
 *
 * `isForeign`: the package is for another machine, and npm refuses it unless forced.
 */
function obtainPackage(name, version, file, { isForeign = false } = {}) {
  // A folder each: npm removes from one whatever it was not told to install.
  const folder = path.join(CACHE, `${name.replace('/', '+')}-${version}`);
  const found = path.join(folder, 'node_modules', name, file);
  if (fs.existsSync(found)) return { path: found };
  fs.mkdirSync(folder, { recursive: true });
  const install = ['install', '--prefix', folder, '--no-save', '--no-package-lock', '--ignore-scripts'];
  if (isForeign) install.push('--force');
  const npm = spawnSync('npm', [...install, `${name}@${version}`], {
    cwd: folder,
    encoding: 'utf8',
    shell: process.platform === 'win32',
    timeout: 300_000,
  });
  if (fs.existsSync(found)) return { path: found };
  const line = npm.stderr?.split('\n').find((text) => text.startsWith('npm error')) ?? npm.error?.message;
  return { reason: `npm has no ${name}@${version}: ${line ?? 'no such file in the package'}` };
}

module.exports = { obtainPackage };
