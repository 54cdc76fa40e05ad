'use strict';

// Makes the files of a release in a folder: the tarball that is published, the list of what it consists of (CycloneDX), and
// their checksums. prebuilds/ holds the binaries that were built and tested.
//
//   node scripts/release.js [--out FOLDER] [--allow-missing]
//
// --allow-missing: go on without the binaries of some platforms, for a trial. Everything else that is wrong ends it.

const { execFileSync } = require('node:child_process');
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { faultsOfRelease } = require('./check-prebuilds.js');

const root = path.join(__dirname, '..');
const { version } = require('../package.json');
const NPM = { encoding: 'utf8', shell: process.platform === 'win32', stdio: ['ignore', 'pipe', 'inherit'] };

function pack(cwd, destination) {
  const listing = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', destination], { ...NPM, cwd }),
  );
  // An array, or since npm 12 an object by package name.
  return path.join(destination, Object.values(listing)[0].filename);
}

/** The package as npm packs the repository, with the manifest of a release. */
function stage(folder) {
  const packed = pack(root, folder);
  execFileSync('tar', ['-xzf', path.basename(packed)], { cwd: folder });
  fs.rmSync(packed);
  const staged = path.join(folder, 'package');
  execFileSync(process.execPath, [path.join(__dirname, 'release-manifest.js'), staged], { stdio: 'inherit' });
  return staged;
}

function describeParts(file) {
  const args = ['sbom', '--sbom-format=cyclonedx', '--sbom-type=library', '--omit=dev', '--package-lock-only'];
  fs.writeFileSync(file, execFileSync('npm', args, { ...NPM, cwd: root }));
}

function main() {
  const { values } = parseArgs({
    options: {
      out: { type: 'string', default: path.join(root, 'build-release') },
      'allow-missing': { type: 'boolean' },
    },
  });
  const out = path.resolve(values.out);
  fs.rmSync(out, { recursive: true, force: true });
  fs.mkdirSync(out, { recursive: true });
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'openssl-async-release-'));
  try {
    const staged = stage(folder);
    const faults = faultsOfRelease(staged, { allowMissing: values['allow-missing'] });
    for (const fault of faults) console.error(`release: ${fault}`);
    if (faults.length > 0) return 1;
    const files = [pack(staged, out), path.join(out, `openssl-async-${version}.cdx.json`)];
    describeParts(files[1]);
    const sums = files.map((file) => {
      const hash = createHash('sha256').update(fs.readFileSync(file)).digest('hex');
      return `${hash}  ${path.basename(file)}\n`;
    });
    fs.writeFileSync(path.join(out, 'SHA256SUMS'), sums.join(''));
    process.stdout.write(sums.join(''));
    return 0;
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

process.exitCode = main();
