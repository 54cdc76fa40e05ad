'use strict';

// Node.js's own tests of TLS, HTTPS and HTTP/2, from Debian's source packages: they are fetched, and kept in the temporary
// folder.

const { execFileSync } = require('node:child_process');
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { mirror } = require('../../scripts/sysroot.js');

const SOURCES = {
  20: {
    version: '20.19.2',
    name: 'nodejs_20.19.2+dfsg.orig.tar.xz',
    sha256: '5e5559381ad031d245a8efa403458abbb73755f74c3e6380f185a4dd342b7949',
  },
  24: {
    version: '24.21.0',
    name: 'nodejs_24.21.0+dfsg+~cs24.13.4.orig.tar.xz',
    sha256: 'e6e0d1a00dfc9e31ab2b074fd99979a48be17c18e8e3edc14306736069bb8f54',
  },
};
const PARTS = [
  'test/parallel/test-tls-*',
  'test/parallel/test-https-*',
  'test/parallel/test-http2-*',
  'test/common/*',
  'test/fixtures/*',
];
// A folder for each choice of parts.
const CHOICE = createHash('sha256').update(PARTS.join()).digest('hex').slice(0, 8);
const FOLDER = path.join(os.tmpdir(), `openssl-async-node-suite-${os.userInfo().username}-${CHOICE}`);

/** The folder `test` of the Node.js of a major version, 20 or 24; throws where it cannot be had. */
async function obtainSuite(major) {
  const { version, name, sha256 } = SOURCES[major];
  const folder = `${FOLDER}-${major}`;
  const suite = path.join(folder, `node-v${version}`, 'test');
  if (fs.existsSync(suite)) return suite;
  const unpacked = fs.mkdtempSync(`${folder}-`);
  const archive = path.join(unpacked, name);
  const response = await fetch(`${mirror().replace(/\/$/, '')}/pool/main/n/nodejs/${name}`);
  if (!response.ok) throw new Error(`${response.url}: ${response.status}`);
  const bytes = Buffer.from(await response.arrayBuffer());
  const digest = createHash('sha256').update(bytes).digest('hex');
  if (digest !== sha256) throw new Error(`${name} has the hash ${digest}`);
  fs.writeFileSync(archive, bytes);
  execFileSync('tar', ['xJf', archive, '-C', unpacked, '--wildcards', ...PARTS.map((part) => `*/${part}`)]);
  fs.rmSync(archive);
  moveInto(unpacked, folder);
  return suite;
}

// Somebody else may have been faster.
function moveInto(made, place) {
  try {
    fs.renameSync(made, place);
  } catch (error) {
    if (!fs.existsSync(place)) throw error;
    fs.rmSync(made, { recursive: true });
  }
}

module.exports = { obtainSuite };
