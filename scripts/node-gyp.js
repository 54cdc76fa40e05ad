'use strict';

// Runs node-gyp on all cores, with the headers that were installed beside the running Node where there are any, so
// that a build needs no download.
//
//   node scripts/node-gyp.js configure build [--async-tests=1] [--openssl=system|PATH]

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

/** The prefix of the running Node's own headers, or undefined when they are not installed or of another version. */
function headersPrefix() {
  const prefix = path.resolve(fs.realpathSync(process.execPath), '..', '..');
  try {
    const header = fs.readFileSync(path.join(prefix, 'include', 'node', 'node_version.h'), 'utf8');
    const part = (name) => new RegExp(`#define NODE_${name}_VERSION (\\d+)`).exec(header)?.[1];
    const version = `${part('MAJOR')}.${part('MINOR')}.${part('PATCH')}`;
    return version === process.versions.node ? prefix : undefined;
  } catch {
    return undefined;
  }
}

/** The environment for node-gyp, also when another tool starts it. */
function nodeGypEnvironment() {
  const env = { ...process.env };
  const prefix = headersPrefix();
  if (env.npm_config_nodedir === undefined && prefix !== undefined) env.npm_config_nodedir = prefix;
  return env;
}

const NODE_GYP = path.join('node-gyp', 'bin', 'node-gyp.js');

// In a clone the project's own node-gyp; for somebody who installs the package, their package manager's, or that of the
// npm beside Node.
function nodeGypCommand() {
  const prefix = path.dirname(process.execPath);
  const npm = path.join('node_modules', 'npm', 'node_modules', NODE_GYP);
  const files = [process.env.npm_config_node_gyp, path.join(prefix, npm), path.join(prefix, '..', 'lib', npm)];
  try {
    files.unshift(require.resolve(NODE_GYP));
  } catch {
    // not in a clone
  }
  const file = files.find((candidate) => candidate !== undefined && fs.existsSync(candidate));
  return file === undefined ? ['node-gyp'] : [process.execPath, file];
}

/** @returns {number} node-gyp's exit status; 127 when it cannot be started. */
function runNodeGyp(args, { cwd, env } = {}) {
  const [command, ...prefix] = nodeGypCommand();
  const result = spawnSync(command, [...prefix, '--jobs=max', ...args], {
    cwd,
    env: { ...nodeGypEnvironment(), ...env },
    stdio: 'inherit',
    shell: command === 'node-gyp' && process.platform === 'win32',
  });
  if (result.error !== undefined) console.error(`openssl-async: cannot run ${command}: ${result.error.message}`);
  return result.status ?? 127;
}

module.exports = { headersPrefix, nodeGypEnvironment, runNodeGyp };

if (require.main === module) {
  process.exitCode = runNodeGyp(process.argv.slice(2), { cwd: path.join(__dirname, '..') });
}
