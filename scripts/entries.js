'use strict';

// The parts of the library, files of dist/library/ that are loaded when they are used, and the folders of lib/ that each is
// made of. A part uses the parts before it.
const PARTS = {
  core: ['base', 'native', 'thread'],
  jobs: ['jobs'],
  operations: ['keys', 'operations'],
  streams: ['streams'],
  hardware: ['hardware'],
};

// The package's entries: what users import, the file of lib/ that says what it exports, and the file of dist/library/ that
// holds the code, if it is not the parts. Entries of one file share what is loaded. An entry that calls a function exports
// nothing.

const ENTRIES = [
  { name: 'index', specifier: 'openssl-async', source: 'index' },
  { name: 'tls', specifier: 'openssl-async/tls', source: 'tls/tls', library: 'tls', hasDefault: true },
  { name: 'register', specifier: 'openssl-async/register', source: 'tls/register', library: 'tls', calls: 'register' },
  { name: 'https', specifier: 'openssl-async/https', source: 'tls/https', library: 'tls', hasDefault: true },
  { name: 'http2', specifier: 'openssl-async/http2', source: 'tls/http2', library: 'tls', hasDefault: true },
];

module.exports = { ENTRIES, PARTS };
