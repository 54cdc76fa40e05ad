'use strict';

// Without binaries in the package, everybody who installs it compiles: `npm publish` refuses, `npm pack` warns.
//
//   node scripts/check-prebuilds.js [--warn]

const fs = require('node:fs');
const path = require('node:path');

const prebuilds = path.join(__dirname, '..', 'prebuilds');
// The output of the workflow's job `prebuild`, whose artifacts belong into prebuilds/ before a release.
const PLATFORMS = ['darwin-arm64', 'linux-arm64', 'linux-x64', 'win32-x64'];

function hasBinary(platform) {
  const folder = path.join(prebuilds, platform);
  return fs.existsSync(folder) && fs.readdirSync(folder).some((name) => name.endsWith('.node'));
}

const missing = PLATFORMS.filter((platform) => !hasBinary(platform));
const isEmpty = missing.length === PLATFORMS.length;
const refuses = isEmpty && !process.argv.includes('--warn');
if (missing.length > 0) {
  const what = isEmpty ? 'prebuilds/ holds no binary' : `prebuilds/ holds no binary for ${missing.join(', ')}`;
  console.error(`check-prebuilds: ${what}: ${isEmpty ? 'every' : 'such an'} installation would compile.`);
  console.error('Fetch the artifacts of the workflow, or make one for this machine: npm run prebuild');
}
process.exitCode = refuses ? 1 : 0;
