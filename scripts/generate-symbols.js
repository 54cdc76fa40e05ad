'use strict';

// Lists the functions of OpenSSL that the addon calls, by the names that the linker left to the process in the built
// addon, on Linux with glibc. The addon looks for each of them when it is loaded.
//
//   node scripts/generate-symbols.js            writes the lists
//   node scripts/generate-symbols.js --check    fails when one is stale

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..');
const ADDON = path.join(root, 'build', 'Release', 'openssl_async.node');
// A runtime without engines is good for everything else.
const isForEngines = (name) => /^ENGINE_|_engine$|^(RSA|EC_KEY)_new_method$|^RAND_set_rand_method$/.test(name);
// Nor does anything but TLS need libssl.
const isForTls = (name) => /^(SSL|TLS)_|^[di]2[di]_SSL_/.test(name);
const TABLES = [
  { file: 'src-native/modules/engine_symbols.inc', holds: isForEngines },
  { file: 'src-native/tls/libssl_symbols.inc', holds: isForTls },
  { file: 'src-native/openssl/required_symbols.inc', holds: (name) => !isForEngines(name) && !isForTls(name) },
];
const FIRST_LINE = '// Written by scripts/generate-symbols.js, from the built addon.';

// Node's own, whose presence Node-API's version promises.
const isNodes = (name) => /^(napi|node_api|uv)_/.test(name);
// The C library's, without a version where they are linked for Debian 11, which has them in another library.
const isLoaders = (name) => /^dl(addr|close|error|open|sym)$/.test(name);

/** @returns {string[]} the names in the lists. */
function listedSymbols() {
  const texts = TABLES.map(({ file }) => fs.readFileSync(path.join(root, file), 'utf8'));
  return texts.flatMap((text) => [...text.matchAll(/^"(\w+)",$/gm)].map((match) => match[1]));
}

/** Whether a process that the addon supports exports the function. */
function isHosts(name) {
  return isNodes(name) || listedSymbols().includes(name);
}

/** What a shared library for glibc takes from whatever process loads it: names without a version. */
function neededSymbols(file) {
  return execFileSync('nm', ['--dynamic', '--undefined-only', file], { encoding: 'utf8', maxBuffer: 2 ** 26 })
    .split('\n')
    .map((line) => /^\s*U (\w+)$/.exec(line)?.[1])
    .filter((name) => name !== undefined && !isNodes(name) && !isLoaders(name))
    .sort();
}

/** @returns {string[]} what is wrong with the lists; empty when nothing is. */
function staleSymbols(file) {
  const needed = neededSymbols(file);
  const table = listedSymbols();
  return [
    ...needed.filter((name) => !table.includes(name)).map((name) => `calls ${name}, which is not checked at load`),
    ...table.filter((name) => !needed.includes(name)).map((name) => `does not call ${name}, which is checked at load`),
  ];
}

module.exports = { isHosts, staleSymbols };

if (require.main === module) {
  if (process.argv.includes('--check')) {
    const stale = staleSymbols(ADDON);
    for (const problem of stale) console.error(`generate-symbols: the addon ${problem}: npm run generate:symbols`);
    process.exitCode = stale.length === 0 ? 0 : 1;
  } else {
    const needed = neededSymbols(ADDON);
    for (const { file, holds } of TABLES) {
      const lines = needed.filter(holds).map((name) => `"${name}",`);
      fs.writeFileSync(path.join(root, file), [FIRST_LINE, ...lines, ''].join('\n'));
    }
  }
}
