'use strict';

// An unhandled rejection with jobs outstanding.
//
//   node unhandled-rejection.js [plain|job]

const { configure, jobFunction, runJob, until } = require('../../support/scenario/library');
const { outstandingJobs } = require('../../support/scenario/outstanding');

const FROM = {
  plain: () => void Promise.reject(new Error('rejected on purpose')),
  job: () =>
    void runJob(
      // eslint-disable-next-line require-yield -- it does not get that far
      jobFunction(function* () {
        throw new Error('rejected on purpose');
      }),
    ),
};

async function main() {
  configure({ drainTimeoutMs: 100 });
  await outstandingJobs();
  FROM[process.argv[2] ?? 'plain']();
  await until(() => false);
}

void main();
