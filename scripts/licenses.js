'use strict';

// The licences of packages whose code is in a bundle.

const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..');
const LICENSE_FILE = /^(licen[cs]e|copying|notice)([.-].*)?$/i;

/** Folders of the packages that these files are of. */
function packagesOf(files) {
  const found = new Set();
  for (const file of files) {
    const match = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file.replaceAll('\\', '/'));
    if (match !== null) found.add(match[1]);
  }
  return [...found].sort();
}

function describe(folder) {
  const absolute = path.resolve(root, folder);
  const { name, version, license } = JSON.parse(fs.readFileSync(path.join(absolute, 'package.json'), 'utf8'));
  const texts = fs
    .readdirSync(absolute)
    .filter((file) => LICENSE_FILE.test(file))
    .map((file) => fs.readFileSync(path.join(absolute, file), 'utf8').trim());
  if (license === undefined && texts.length === 0) throw new Error(`${name} has no licence`);
  return [`${name} ${version} (${license ?? 'see below'})`, ...texts].join('\n\n');
}

/** One text, of the packages that `files` are of; paths are relative to the repository. */
function licensesOf(files) {
  const line = '-'.repeat(80);
  const head = 'The programs in this folder contain code of these packages.';
  return `${[head, ...packagesOf(files).map(describe)].join(`\n\n${line}\n\n`)}\n`;
}

module.exports = { licensesOf };
