'use strict';

// Jobs in flight, and wait(), keep the process alive until they are done; nothing else does here.
//
//   node keep-alive.js [fd-cached|fds-many|callback-thread|none|again|callback-or-fd|generator|wait|queued]

const {
  WaitContext,
  WaitSignal,
  configure,
  deviceRequest,
  jobFunction,
  native,
  report,
  runJob,
  startJob,
} = require('../../support/scenario/library');

const LATENCY_MICROS = 50_000;

function start(kind) {
  const deviceFunction = native('device');
  switch (kind) {
    case 'generator':
      return runJob(
        jobFunction(function* (job) {
          for (let i = 0; i < 10; ++i) yield job.pause();
          return 1;
        }),
      );
    case 'wait': {
      const context = new WaitContext();
      const { job } = startJob(
        null,
        context,
        deviceFunction,
        deviceRequest({ mode: 'fd-cached', latencyMicros: LATENCY_MICROS }),
      );
      return context.wait().then(() => startJob(job, context));
    }
    case 'queued': {
      const args = deviceRequest({ mode: 'none', latencyMicros: LATENCY_MICROS / 5 });
      return Promise.all(Array.from({ length: 5 }, () => runJob(deviceFunction, { args }))).then(
        (results) => results[4],
      );
    }
    case 'signal': {
      // What wakes the job is a thread that the event loop does not know of; here, the job's own pauses.
      const signal = new WaitSignal();
      signal.wake();
      return runJob(
        jobFunction(function* (job) {
          yield job.setWaitFd('signal', signal.fd);
          while (!signal.clear()) yield job.pause();
          yield job.clearFd('signal');
          return 1;
        }),
      );
    }
    default:
      return runJob(deviceFunction, { args: deviceRequest({ mode: kind, latencyMicros: LATENCY_MICROS }) });
  }
}

const kind = process.argv[2] ?? 'fd-cached';
configure({ maxJobs: kind === 'queued' ? 1 : 100 });
void start(kind).then(({ returnValue }) => report({ returnValue }));
