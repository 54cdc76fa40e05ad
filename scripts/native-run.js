'use strict';

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const { buildNativeTests, root } = require('./native-build.js');

/** A sanitizer's shadow memory collides with some random layouts of the address space: for the front of its commands. */
const FIXED_LAYOUT = process.platform === 'linux' ? ['setarch', '--addr-no-randomize'] : [];

/**
 * Builds the native unit tests and runs them, optionally under another program. Sets the exit code on failure.
 *
 * @returns {Promise<boolean>} whether they passed
 */
async function runTests({ sanitizer, wrapper = [], args = [], env = {} }) {
  try {
    const program = await buildNativeTests(sanitizer);
    const [command, ...rest] = [...wrapper, program, ...args];
    const child = spawn(command, rest, { cwd: root, env: { ...process.env, ...env }, stdio: 'inherit' });
    const [status, signal] = await once(child, 'close');
    if (status === 0) return true;
    console.error(`${command} ended with ${signal ?? `status ${status}`}`);
  } catch (error) {
    console.error(error.stderr || error.message);
  }
  process.exitCode = 1;
  return false;
}

module.exports = { FIXED_LAYOUT, runTests };
