'use strict';

// The binaries that a release holds, and their hashes: each build writes its binary's hash beside it, so that the package
// is published with the bytes that were tested.

const { createHash } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');

/** By path below prebuilds/: how a file for the platform begins, and where it names its machine. */
const FILES = {
  'darwin-arm64/openssl_async.node': ['cffaedfe', 4, '0c000001'],
  'darwin-x64/openssl_async.node': ['cffaedfe', 4, '07000001'],
  'linux-arm64/openssl_async.glibc.node': ['7f454c46', 18, 'b700'],
  'linux-arm64/openssl_async.musl.node': ['7f454c46', 18, 'b700'],
  'linux-x64/openssl_async.glibc.node': ['7f454c46', 18, '3e00'],
  'linux-x64/openssl_async.musl.node': ['7f454c46', 18, '3e00'],
  'win32-x64/openssl_async.node': ['4d5a', 'pe', '6486'],
};

const hashOf = (file) => createHash('sha256').update(fs.readFileSync(file)).digest('hex');

/** @returns {string[]} the binaries that the package in `folder` lacks, by path below prebuilds/. */
function missing(folder) {
  return Object.keys(FILES).filter((name) => !fs.existsSync(path.join(folder, 'prebuilds', name)));
}

/** Writes the hash of a binary beside it, as sha256sum does. */
function writeHash(file) {
  fs.writeFileSync(`${file}.sha256`, `${hashOf(file)}  ${path.basename(file)}\n`);
}

function isOfPlatform(bytes, [magic, place, machine]) {
  // A file for Windows says where its header is; the machine comes after the header's four letters.
  const offset = place === 'pe' ? bytes.readUInt32LE(0x3c) + 4 : place;
  const has = (start, text) => bytes.subarray(start, start + text.length / 2).toString('hex') === text;
  return has(0, magic) && has(offset, machine);
}

/** @returns {string | undefined} a fault of a binary that is there; undefined for a good one. */
function faultOf(folder, name) {
  const file = path.join(folder, 'prebuilds', name);
  const bytes = fs.readFileSync(file);
  if (bytes.length < 64 || !isOfPlatform(bytes, FILES[name])) return 'is no binary for its platform';
  if (!fs.existsSync(`${file}.sha256`)) return 'has no hash beside it';
  const [expected] = fs.readFileSync(`${file}.sha256`, 'utf8').split(' ');
  return hashOf(file) === expected ? undefined : 'has another hash than when it was built';
}

module.exports = { FILES, faultOf, missing, writeHash };
