'use strict';

// Makes a folder in which node-gyp can build the addon apart from build/: links to everything that binding.gyp reads.

const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..');
const INPUTS = ['binding.gyp', 'package.json', 'deps', 'include', 'scripts', 'src-native', 'test'];

/** @returns {string} the absolute path of the folder `name` below the repository, ready to build in. */
function stage(name) {
  const folder = path.join(root, name);
  fs.mkdirSync(folder, { recursive: true });
  for (const input of INPUTS) {
    const link = path.join(folder, input);
    fs.rmSync(link, { force: true });
    const target = path.join(root, input);
    fs.symlinkSync(target, link, fs.statSync(target).isDirectory() ? 'junction' : 'file');
  }
  return folder;
}

module.exports = { root, stage };
