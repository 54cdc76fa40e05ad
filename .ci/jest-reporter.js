'use strict';

// Appends the counts of a Jest run to the file that OPENSSL_ASYNC_COUNTS names, for .ci/run.

const fs = require('node:fs');

module.exports = class CountsReporter {
  onRunComplete(_contexts, results) {
    const file = process.env.OPENSSL_ASYNC_COUNTS;
    if (file === undefined || file === '') return;
    const counts = {
      passed: results.numPassedTests,
      // A suite that does not even start has no tests to count.
      failed: results.numFailedTests + results.numRuntimeErrorTestSuites,
      skipped: results.numPendingTests + results.numTodoTests,
    };
    fs.appendFileSync(file, `${JSON.stringify(counts)}\n`);
  }
};
