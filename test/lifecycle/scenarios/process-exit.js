'use strict';

// process.exit() with jobs outstanding: those of generators end, those that only the device could end are abandoned.
//
//   node process-exit.js [plain|generator|completion|callback|exit-handler|now]

const {
  WaitContext,
  configure,
  jobFunction,
  native,
  runJob,
  startJob,
  until,
} = require('../../support/scenario/library');
const { outstandingJobs } = require('../../support/scenario/outstanding');

const FROM = {
  plain: () => process.exit(3),
  // From within the body of a job function.
  generator: () =>
    runJob(
      jobFunction(function* (job) {
        yield job.pause();
        process.exit(3);
      }),
    ),
  completion: () => runJob(native('selfWake')).then(() => process.exit(3)),
  callback: async () => {
    const context = new WaitContext();
    context.setCallback(() => process.exit(3));
    startJob(null, context, native('selfWake'));
    await until(() => false);
  },
  'exit-handler': () => {
    // New jobs in the last moment, one of them half-way.
    process.on('exit', () => {
      void runJob(native('selfWake'));
      startJob(null, new WaitContext(), native('selfWake'));
    });
    process.exit(3);
  },
};

async function main() {
  configure({ drainTimeoutMs: 100 });
  const from = process.argv[2] ?? 'plain';
  if (from === 'now') {
    // Nothing has paused yet, most have not even begun.
    void outstandingJobs();
    process.exit(3);
  }
  await outstandingJobs();
  await FROM[from]();
}

void main();
