'use strict';

// A Node binary that lacks a function of OpenSSL: a copy that exports it by another name.

const fs = require('node:fs');

/** In the middle of the table of every runtime's exports, and called by few operations. */
const LACKED = 'EVP_PKEY_verify_recover_init';

function writeLackingNode(binary, copy) {
  const bytes = fs.readFileSync(binary);
  const name = Buffer.from(`\0${LACKED}\0`);
  let found = 0;
  for (let at = bytes.indexOf(name); at !== -1; at = bytes.indexOf(name, at + 1)) {
    bytes[at + LACKED.length] = 'z'.charCodeAt(0);
    ++found;
  }
  if (found === 0) throw new Error(`${binary} does not export ${LACKED}`);
  fs.writeFileSync(copy, bytes, { mode: 0o755 });
}

/** The program to run under it: prints what an operation rejects with, and the sentence. */
const PROGRAM = `
  const { hash, unsupportedReason } = require('./dist');
  hash('sha256', 'some data').catch(({ code }) => console.log(JSON.stringify({ code, reason: unsupportedReason() })));
`;

module.exports = { LACKED, PROGRAM, writeLackingNode };
