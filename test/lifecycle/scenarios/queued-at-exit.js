'use strict';

// Jobs that wait for a place are dropped when the environment ends: they have not begun.

const {
  configure,
  deviceRequest,
  device,
  native,
  report,
  runJob,
  stats,
  until,
} = require('../../support/scenario/library');

async function main() {
  configure({ drainTimeoutMs: 20_000, maxJobs: 10 });
  const args = deviceRequest({ mode: 'fd-cached', latencyMicros: 100_000 });
  for (let i = 0; i < 500; ++i) void runJob(native('device'), { args });
  await until(() => device.stats().inFlight === 10);
  const { live, queued } = stats().jobs;
  report({ live, queued });
  process.exit(3);
}

void main();
