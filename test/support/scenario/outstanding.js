'use strict';

// Some hundreds of paused jobs of every kind, and a device that does not complete any of them.

const {
  WaitContext,
  WaitSignal,
  device,
  deviceRequest,
  jobFunction,
  native,
  runJob,
  startJob,
  stats,
  until,
} = require('./library');

const PER_KIND = 40;
const SCHEDULED_MODES = ['fd-cached', 'fd-fresh', 'fds-many', 'callback-thread', 'none', 'again', 'callback-or-fd'];
const MANUAL_MODES = ['fd-cached', 'fds-many', 'none'];

/** How many jobs only the device can end: `outstandingJobs()` leaves so many of them. */
const NATIVE_JOBS = (SCHEDULED_MODES.length + MANUAL_MODES.length) * PER_KIND;
const GENERATOR_JOBS = 3 * PER_KIND;

/**
 * Starts them; resolves when all are paused.
 *
 * @param options.hold - Whether the device is held. It stays so.
 * @param options.latencyMicros - Of the device's operations.
 */
async function outstandingJobs({ hold = true, latencyMicros = 0 } = {}) {
  if (hold) device.holdAll(true);
  const startedBefore = stats().jobs.started;
  const aborter = new AbortController();
  const { signal } = aborter;
  require('node:events').setMaxListeners(0, signal);
  const promises = [];
  const kept = []; // manual jobs, their contexts and signals
  let pausedGenerators = 0;

  const deviceFunction = native('device');
  for (const mode of SCHEDULED_MODES) {
    for (let i = 0; i < PER_KIND; ++i) {
      promises.push(runJob(deviceFunction, { args: deviceRequest({ mode, latencyMicros }), signal }));
    }
  }
  const pauser = jobFunction(function* (job) {
    ++pausedGenerators;
    for (;;) yield job.pause();
  });
  const waiter = jobFunction(function* (job) {
    const wait = new WaitSignal();
    kept.push(wait);
    yield job.setWaitFd('signal', wait.fd);
    ++pausedGenerators;
    while (!wait.clear()) yield job.pause();
    return 1;
  });
  for (let i = 0; i < PER_KIND; ++i) promises.push(runJob(pauser, { signal }), runJob(waiter, { signal }));

  for (const mode of MANUAL_MODES) {
    for (let i = 0; i < PER_KIND; ++i) {
      const context = new WaitContext();
      kept.push(context, startJob(null, context, deviceFunction, deviceRequest({ mode, latencyMicros })));
    }
  }
  for (let i = 0; i < PER_KIND; ++i) {
    const context = new WaitContext();
    kept.push(context, startJob(null, context, pauser));
  }

  // A job that has started has paused, or is a generator's, which counts by itself.
  await until(() => pausedGenerators === GENERATOR_JOBS && stats().jobs.started - startedBefore >= promises.length);
  return {
    kept,
    promises,
    /** Nobody wants the scheduled jobs any more; resolves when all promises are rejected. */
    abort: () => {
      aborter.abort();
      return Promise.allSettled(promises);
    },
  };
}

module.exports = { GENERATOR_JOBS, NATIVE_JOBS, outstandingJobs };
