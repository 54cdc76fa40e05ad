'use strict';

// Copies the system's OpenSSL headers into a folder of their own and prints its absolute path.
//
//   node deps/openssl-headers.js TARGET

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const target = path.resolve(process.argv[2]);
const includedir = execFileSync('pkg-config', ['--variable=includedir', 'libcrypto'], { encoding: 'utf8' }).trim();
const libdir = execFileSync('pkg-config', ['--variable=libdir', 'libcrypto'], { encoding: 'utf8' }).trim();

// Debian keeps the configuration headers in a folder named after the architecture, like its libraries.
for (const folder of [includedir, path.join(includedir, path.basename(libdir))]) {
  const headers = path.join(folder, 'openssl');
  if (fs.existsSync(headers)) fs.cpSync(headers, path.join(target, 'openssl'), { recursive: true, dereference: true });
}
console.log(target);
