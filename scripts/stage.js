'use strict';

// Makes a folder in which node-gyp can build the addon apart from build/, with copies of all its input. Links would not
// do: gyp follows them and writes its makefiles to their targets.

const fs = require('node:fs');
const path = require('node:path');
const { listSources } = require('./list-sources.js');
const { joinSources } = require('./units.js');

const root = path.join(__dirname, '..');
const INPUTS = [
  'binding.gyp',
  'package.json',
  'deps',
  'examples/native',
  'include',
  'scripts',
  'src-native',
  'test/bench/native',
  'test/native',
];

/**
 * @param {string} name of a folder below the repository
 * @param {{ joined?: boolean }} [options] joined: for checks, with the C++ sources of each folder in a few files
 * @returns {string} its absolute path, ready to build in
 */
function stage(name, { joined = false } = {}) {
  const folder = path.join(root, name);
  fs.mkdirSync(folder, { recursive: true });
  // By the first part of each path. A link itself is removed, never its target.
  for (const input of INPUTS) fs.rmSync(path.join(folder, input.split('/')[0]), { recursive: true, force: true });
  for (const input of INPUTS) {
    // An unchanged file keeps its time, and is not compiled again.
    fs.cpSync(path.join(root, input), path.join(folder, input), { recursive: true, preserveTimestamps: true });
  }
  if (joined) {
    const sources = listSources(path.join(root, 'src-native')).map((source) => path.relative(root, source));
    for (const source of sources) fs.rmSync(path.join(folder, source));
    const units = path.join(folder, 'units');
    joinSources(sources, units, root);
    fs.cpSync(units, folder, { recursive: true, preserveTimestamps: true });
  }
  return folder;
}

module.exports = { INPUTS, root, stage };
