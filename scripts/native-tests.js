'use strict';

// Builds the native unit tests and runs them.
//
//   node scripts/native-tests.js [DOCTEST OPTIONS...]

const { runTests } = require('./native-run.js');

void runTests({ sanitizer: 'none', args: process.argv.slice(2) });
