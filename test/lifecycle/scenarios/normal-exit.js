'use strict';

// Paused jobs that nobody waits for do not keep the process alive. Those that only the device could end are abandoned.

const { configure, report, stats } = require('../../support/scenario/library');
const { outstandingJobs } = require('../../support/scenario/outstanding');

async function main() {
  configure({ drainTimeoutMs: 100 });
  const { abort, kept } = await outstandingJobs();
  const settled = await abort();
  report({
    aborted: settled.filter(({ reason }) => reason?.code === 'ABORT_ERR').length,
    abandoned: stats().jobs.abandoned,
    kept: kept.length,
  });
  const last = performance.now();
  process.on('exit', () => report({ exitAfterMs: performance.now() - last, kept: kept.length }));
}

void main();
