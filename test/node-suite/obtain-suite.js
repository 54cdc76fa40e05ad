'use strict';

// Node.js's own tests of TLS, HTTPS and HTTP/2, from Debian's source package: they are fetched, and kept in the temporary
// folder.

const { execFileSync } = require('node:child_process');
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { mirror } = require('../../scripts/sysroot.js');

const NAME = 'nodejs_20.19.2+dfsg.orig.tar.xz';
const SHA256 = '5e5559381ad031d245a8efa403458abbb73755f74c3e6380f185a4dd342b7949';
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

/** The folder `test` of Node.js 20.19.2; throws where it cannot be had. */
async function obtainSuite() {
  const suite = path.join(FOLDER, 'node-v20.19.2', 'test');
  if (fs.existsSync(suite)) return suite;
  const unpacked = fs.mkdtempSync(`${FOLDER}-`);
  const archive = path.join(unpacked, NAME);
  const response = await fetch(`${mirror().replace(/\/$/, '')}/pool/main/n/nodejs/${NAME}`);
  if (!response.ok) throw new Error(`${response.url}: ${response.status}`);
  const bytes = Buffer.from(await response.arrayBuffer());
  const digest = createHash('sha256').update(bytes).digest('hex');
  if (digest !== SHA256) throw new Error(`${NAME} has the hash ${digest}`);
  fs.writeFileSync(archive, bytes);
  execFileSync('tar', ['xJf', archive, '-C', unpacked, '--wildcards', ...PARTS.map((part) => `*/${part}`)]);
  fs.rmSync(archive);
  moveInto(unpacked, FOLDER);
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
