'use strict';

// An uncaught exception with jobs outstanding.
//
//   node uncaught-exception.js [plain|cleanup|callback|manual]

const {
  WaitContext,
  WaitSignal,
  configure,
  jobFunction,
  native,
  startJob,
  until,
} = require('../../support/scenario/library');
const { outstandingJobs } = require('../../support/scenario/outstanding');

function fail() {
  throw new Error('thrown on purpose');
}

const FROM = {
  plain: () => setImmediate(fail),
  // In what is called when a wait context is closed.
  cleanup: () => {
    const context = new WaitContext();
    const signal = new WaitSignal();
    const func = jobFunction(function* (job) {
      yield job.setWaitFd('signal', signal.fd, fail);
      return 1;
    });
    startJob(null, context, func);
    setImmediate(() => context.close());
  },
  // In the callback that an engine calls.
  callback: () => {
    const context = new WaitContext();
    context.setCallback(fail);
    startJob(null, context, native('selfWake'));
  },
};

async function main() {
  configure({ drainTimeoutMs: 100 });
  await outstandingJobs();
  FROM[process.argv[2] ?? 'plain']();
  await until(() => false);
}

void main();
