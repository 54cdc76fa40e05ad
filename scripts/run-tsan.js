'use strict';

// ThreadSanitizer over the native unit tests that use several threads: the suites whose names begin with "threads".
// Other suites switch stacks, which ThreadSanitizer cannot follow inside OpenSSL.

const path = require('node:path');
const { FIXED_LAYOUT, runTests } = require('./native-run.js');

void runTests({
  sanitizer: 'thread',
  wrapper: FIXED_LAYOUT,
  args: ['--test-suite=threads*', ...process.argv.slice(2)],
  env: { TSAN_OPTIONS: `halt_on_error=0:exitcode=66:suppressions=${path.join(__dirname, 'suppressions', 'tsan.txt')}` },
});
