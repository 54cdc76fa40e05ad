'use strict';

// Calls process.exit() while jobs wait for a device that completes nothing.

const { configure, device, deviceRequest, native, runJob, until } = require('../../support/scenario/library');

const JOBS = 50;

async function main() {
  configure({ drainTimeoutMs: 60_000 });
  device.holdAll(true);
  for (let index = 0; index < JOBS; ++index) {
    runJob(native('device'), { args: deviceRequest({ mode: 'callback-or-fd' }) }).catch(() => undefined);
  }
  await until(() => device.stats().inFlight === JOBS);
  process.exit(3);
}

void main();
