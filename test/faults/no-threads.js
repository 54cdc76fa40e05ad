'use strict';

// Signs in each way, and prints the size of the signature or the error's code.

const { generateKeyPairSync } = require('node:crypto');
const path = require('node:path');

const root = path.join(__dirname, '..', '..');
process.env.OPENSSL_ASYNC_ADDON ??= path.join(root, 'build', 'Release', 'openssl_async.node');
const { sign, stats } = require(path.join(root, 'dist', 'index.js'));

const { privateKey } = generateKeyPairSync('ed25519');
const WAYS = {
  auto: {},
  inline: { mode: 'inline' },
  accelerator: { provider: 'accelerator' },
  offload: { mode: 'offload' },
};

async function main() {
  const found = {};
  for (const [way, options] of Object.entries(WAYS)) {
    found[way] = await sign(null, 'message', privateKey, options).then(
      (signature) => signature.length,
      (error) => error.code,
    );
  }
  console.log(JSON.stringify({ ...found, pool: stats().pool.threads }));
}

void main();
