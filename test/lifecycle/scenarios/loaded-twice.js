'use strict';

// Two copies of the library in one environment, as with two versions of a dependency, both with jobs outstanding.

const { root } = require('../../support/scenario/library');
const first = require('../../support/scenario/outstanding');

async function main() {
  const path = require('node:path');
  require('../../support/scenario/library').configure({ drainTimeoutMs: 100 });
  const one = await first.outstandingJobs();
  for (const file of Object.keys(require.cache)) {
    if (!file.endsWith('.node') && file.startsWith(root)) delete require.cache[file];
    if (path.basename(file) === 'openssl_async.node') delete require.cache[file];
  }
  const { configure } = require('../../support/scenario/library');
  configure({ drainTimeoutMs: 100 });
  const two = await require('../../support/scenario/outstanding').outstandingJobs();
  await one.abort();
  await two.abort();
}

void main();
