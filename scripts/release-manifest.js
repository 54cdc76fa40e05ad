'use strict';

// Makes the package in a folder that of a release, which holds a binary for every platform: nothing is left that
// package managers run, ask about or leave out at installation. binding.gyp moves, since some compile wherever they see
// it; scripts/install.js brings it back to compile. The manifest names the repository that publishes it, as provenance
// demands.
//
//   node scripts/release-manifest.js FOLDER

const fs = require('node:fs');
const path = require('node:path');

const folder = process.argv[2];
const file = path.join(folder, 'package.json');
const manifest = JSON.parse(fs.readFileSync(file, 'utf8'));

delete manifest.scripts.install;
fs.renameSync(path.join(folder, 'binding.gyp'), path.join(folder, 'deps', 'binding.gyp'));
manifest.files = manifest.files.filter((name) => name !== 'binding.gyp');

const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository } = process.env;
if (server !== undefined && repository !== undefined) {
  manifest.repository = { type: 'git', url: `git+${server}/${repository}.git` };
}
fs.writeFileSync(file, `${JSON.stringify(manifest, undefined, 2)}\n`);
