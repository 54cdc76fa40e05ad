'use strict';

// Jest over an addon that is built apart from build/, as something else than the package holds.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { runNodeGyp } = require('./node-gyp.js');
const { root, stage } = require('./stage.js');

/** Builds it in the folder `name`, with a setting of binding.gyp. @returns {string} its path */
function buildAddon(name, setting) {
  const folder = stage(name);
  const args = ['configure', 'build', setting, '--accelerator-module=0', '--silent'];
  if (runNodeGyp(args, { cwd: folder }) !== 0) throw new Error(`the addon of ${name} did not build`);
  return path.join(folder, 'build', 'Release', 'openssl_async.node');
}

/** A name of no file is an error: nobody would miss it. */
function checkTests(names) {
  for (const name of names) {
    if (!fs.existsSync(path.join(root, 'test', `${name}.test.ts`))) throw new Error(`there is no test/${name}.test.ts`);
  }
}

/** Whether the tests pass. */
function runJest(addon, args) {
  const jest = path.join(root, 'node_modules', 'jest', 'bin', 'jest.js');
  const { status } = spawnSync(process.execPath, [jest, ...args, ...process.argv.slice(2)], {
    cwd: root,
    env: { ...process.env, OPENSSL_ASYNC_ADDON: addon },
    stdio: 'inherit',
  });
  return status === 0;
}

/** Sets the process's exit code. */
function main(run) {
  try {
    if (!run()) process.exitCode = 1;
  } catch (error) {
    console.error(`${path.basename(process.argv[1], '.js')}: ${error.message}`);
    process.exitCode = 1;
  }
}

module.exports = { buildAddon, checkTests, main, runJest };
