'use strict';

// Appends the counts of a Jest run to the file that OPENSSL_ASYNC_COUNTS names, for .ci/run, and names the test files
// that hang when .ci/run ends them.

const fs = require('node:fs');
const path = require('node:path');

module.exports = class GateReporter {
  #running = new Set();

  constructor() {
    process.once('SIGTERM', () => {
      for (const file of this.#running) fs.writeSync(2, `did not end: ${file}\n`);
      process.kill(process.pid, 'SIGTERM');
    });
  }

  onTestFileStart({ path: file }) {
    this.#running.add(path.relative('', file));
  }

  onTestFileResult({ path: file }) {
    this.#running.delete(path.relative('', file));
  }

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
