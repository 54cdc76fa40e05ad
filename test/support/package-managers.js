'use strict';

// Package managers, each in its newest version.

const { obtainPackage } = require('./obtain-package.js');

const BUN = `@oven/bun-${process.platform}-${process.arch === 'arm64' ? 'aarch64' : process.arch}`;

/** By name: the package, its version, and its program. */
const MANAGERS = {
  npm: ['npm', 'latest', 'bin/npm-cli.js'],
  pnpm: ['pnpm', 'latest', 'bin/pnpm.mjs'],
  yarn1: ['yarn', '1', 'bin/yarn.js'],
  yarn: ['@yarnpkg/cli-dist', 'latest', 'bin/yarn.js'],
  bun: [BUN, 'latest', 'bin/bun'],
};

/** `{ command }`, the words that start it; or `{ reason }` why there is none. */
function obtainManager(name) {
  const { path: program, reason } = obtainPackage(...MANAGERS[name]);
  if (program === undefined) return { reason };
  return { command: name === 'bun' ? [program] : [process.execPath, program] };
}

module.exports = { obtainManager };
