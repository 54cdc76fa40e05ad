'use strict';

// Removes build output, never node_modules.
//
//   node scripts/clean.js dist    one folder
//   node scripts/clean.js --all   everything that a build makes

const fs = require('node:fs');
const path = require('node:path');

const EVERYTHING = [
  'dist',
  'docs/site',
  'prebuilds',
  'build',
  'build-arm64',
  'build-asan',
  'build-examples',
  'build-native',
  'build-nojobs',
  'build-prebuild',
  'build-sysroot',
  'build-uvpoll',
  'build-windows',
];

const folders = process.argv[2] === '--all' ? EVERYTHING : process.argv.slice(2);
for (const folder of folders) {
  if (!EVERYTHING.includes(folder)) throw new Error(`${folder} is not a build folder`);
  fs.rmSync(path.join(__dirname, '..', folder), { recursive: true, force: true });
}
