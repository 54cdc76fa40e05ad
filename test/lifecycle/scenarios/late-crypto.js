'use strict';

// The library loads node:crypto when it first needs it, and no hook of users runs then: it may hold shared memory.
// The argument is the path of an Ed25519 private key.

const Module = require('node:module');

const hasCrypto = () => process.moduleLoadList.includes('NativeModule crypto');

const hadBefore = hasCrypto();
const { check, createPrivateKey, hash, report, sign } = require('../../support/scenario/library');
const loadedWithLibrary = !hadBefore && hasCrypto();

const asked = [];
const load = Module._load;
Module._load = function (request, ...rest) {
  if (request.endsWith('crypto')) asked.push(request);
  return load.call(this, request, ...rest);
};

async function main() {
  // The first use is made while a result is read.
  const key = await createPrivateKey({ uri: `file:${process.argv[2]}` });
  check(hasCrypto(), 'nothing needed node:crypto');
  await sign(null, Buffer.from('x'), key);
  await hash('sha256', 'x');
  report({ loadedWithLibrary, asked });
}

void main();
