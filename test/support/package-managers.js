'use strict';

// Package managers: they come from npm by package name and are kept in the temporary folder.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const CACHE = path.join(os.tmpdir(), `openssl-async-managers-${os.userInfo().username}`);

/** By name: the package, and its program; `native` for one that Node does not run. */
const MANAGERS = {
  npm: { wanted: 'npm@latest', program: 'npm/bin/npm-cli.js' },
  pnpm: { wanted: 'pnpm@latest', program: 'pnpm/bin/pnpm.mjs' },
  yarn1: { wanted: 'yarn@1', program: 'yarn/bin/yarn.js' },
  yarn: { wanted: '@yarnpkg/cli-dist@latest', program: '@yarnpkg/cli-dist/bin/yarn.js' },
  bun: {
    wanted: `@oven/bun-${process.platform}-${process.arch === 'arm64' ? 'aarch64' : process.arch}@latest`,
    program: `@oven/bun-${process.platform}-${process.arch === 'arm64' ? 'aarch64' : process.arch}/bin/bun`,
    native: true,
  },
};

/** `{ command }`, the words that start the newest version; or `{ reason }` why there is none. */
function obtainManager(name) {
  const { wanted, program, native } = MANAGERS[name];
  const folder = path.join(CACHE, name);
  const file = path.join(folder, 'node_modules', ...program.split('/'));
  const command = native ? [file] : [process.execPath, file];
  if (fs.existsSync(file)) return { command };
  fs.mkdirSync(folder, { recursive: true });
  const args = ['install', '--prefix', folder, '--no-save', '--no-package-lock', '--ignore-scripts', wanted];
  const npm = spawnSync('npm', args, { cwd: folder, encoding: 'utf8', timeout: 300_000 });
  if (fs.existsSync(file)) return { command };
  return { reason: `npm has no ${wanted} for this machine: ${npm.stderr?.trim().split('\n').at(0) ?? 'no such file'}` };
}

module.exports = { obtainManager };
