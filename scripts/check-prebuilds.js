'use strict';

// `npm publish` of the repository is refused, for a release is made by scripts/release.js, which asks here whether a
// package has all binaries and nothing that runs at installation. `npm pack` warns.
//
//   node scripts/check-prebuilds.js [--warn]

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { FILES, faultOf, missing } = require('./prebuilt-files.js');

const root = path.join(__dirname, '..');

// check-exports.js reads the files of Linux with binutils.
function faultsInside(folder, name) {
  if (process.platform !== 'linux' || !name.startsWith('linux-')) return [];
  const args = [path.join(__dirname, 'check-exports.js'), path.join(folder, 'prebuilds', name)];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  return status === 0 ? [] : stderr.trim().split('\n');
}

function faultsOfManifest(folder) {
  const { scripts } = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
  const runs = ['preinstall', 'install', 'postinstall'].some((name) => scripts?.[name] !== undefined);
  return runs || fs.existsSync(path.join(folder, 'binding.gyp'))
    ? ['the package has something that runs at its installation: npm run release makes one that has not']
    : [];
}

/** @returns {string[]} reasons not to publish the package in `folder`. */
function faultsOfRelease(folder, { allowMissing = false } = {}) {
  const absent = missing(folder);
  const present = Object.keys(FILES).filter((name) => !absent.includes(name));
  return [
    ...(allowMissing ? [] : absent.map((name) => `prebuilds/${name} is missing`)),
    ...present.flatMap((name) => {
      const fault = faultOf(folder, name);
      return fault === undefined ? faultsInside(folder, name) : [`prebuilds/${name} ${fault}`];
    }),
    ...faultsOfManifest(folder),
  ];
}

function warn() {
  const absent = missing(root);
  if (absent.length === 0) return;
  console.error(`check-prebuilds: without ${absent.join(', ')}: such an installation compiles.`);
  console.error('Fetch the artifacts of the release workflow, or make one for this machine: npm run prebuild');
}

module.exports = { faultsOfRelease };

if (require.main === module) {
  if (process.argv.includes('--warn')) {
    warn();
  } else {
    const faults = faultsOfRelease(root);
    for (const fault of faults) console.error(`check-prebuilds: ${fault}`);
    process.exitCode = faults.length === 0 ? 0 : 1;
  }
}
