'use strict';

// The library is loaded before the device, so at the environment's end the device is gone before the library's jobs.

const { configure, jobFunction, runJob } = require('../../../dist/index.js');

async function main() {
  configure({ drainTimeoutMs: 2000 });
  await runJob(
    jobFunction(function* (job) {
      yield job.pause(); // which loads the library
      return 1;
    }),
  );
  const { outstandingJobs } = require('../../support/scenario/outstanding');
  const { abort } = await outstandingJobs({ latencyMicros: 1000 });
  const { device } = require('../../support/scenario/library');
  if (process.argv[2] !== 'held') device.holdAll(false);
  await abort();
}

process.env.OPENSSL_ASYNC_ADDON ??= require('node:path').join(
  __dirname,
  '..',
  '..',
  '..',
  'build',
  'Release',
  'openssl_async.node',
);
void main();
