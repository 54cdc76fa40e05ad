'use strict';

// Unpacks tlsfuzzer and tlslite-ng: nothing of them is in the repository.
//
//   node test/judges/obtain-tlsfuzzer.js FOLDER [TLSFUZZER TLSLITE]
//
// TLSFUZZER and TLSLITE are clones of both; without them they are fetched. The scripts need Debian's python3-ecdsa. Then
// OPENSSL_ASYNC_TLSFUZZER=FOLDER for `npm run test:judges`.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const SOURCES = [
  {
    name: 'tlsfuzzer',
    upstream: 'https://github.com/tlsfuzzer/tlsfuzzer.git',
    revision: '14555fe211456c46deccc4b2d94751dbd894aece',
    parts: ['scripts', 'tlsfuzzer'],
  },
  {
    name: 'tlslite-ng',
    upstream: 'https://github.com/tlsfuzzer/tlslite-ng.git',
    revision: '0d0316905c685ac88f927d44b22830ab58217da8',
    parts: ['tlslite'],
  },
];

const git = (...args) => execFileSync('git', args, { stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 2 ** 28 });

function unpack({ name, upstream, revision, parts }, given, folder) {
  const source = given ?? path.join(folder, `${name}.git`);
  if (given === undefined && !fs.existsSync(source)) git('clone', '--bare', '--quiet', upstream, source);
  const archive = git('-C', source, 'archive', revision, ...parts);
  execFileSync('tar', ['-x', '-C', folder], { input: archive, stdio: ['pipe', 'inherit', 'inherit'] });
}

function main([target, ...given]) {
  if (target === undefined) throw new Error('usage: obtain-tlsfuzzer.js FOLDER [TLSFUZZER TLSLITE]');
  const folder = path.resolve(target);
  fs.mkdirSync(folder, { recursive: true });
  SOURCES.forEach((source, at) => unpack(source, given[at], folder));
  console.log(`OPENSSL_ASYNC_TLSFUZZER=${folder}`);
}

main(process.argv.slice(2));
