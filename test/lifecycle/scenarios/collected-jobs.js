'use strict';

// Paused jobs that their application forgot are collected, and driven to their end; then their wait contexts are
// collected, which closes the device's fds.

const {
  WaitContext,
  device,
  deviceRequest,
  garbageCollector,
  jobFunction,
  native,
  report,
  startJob,
  stats,
  until,
} = require('../../support/scenario/library');

const JOBS = 100;

function forget() {
  const func = native('device');
  for (const mode of ['fd-cached', 'fds-many', 'none']) {
    for (let i = 0; i < JOBS; ++i) startJob(null, new WaitContext(), func, deviceRequest({ mode, pauses: 3 }));
  }
  const generator = jobFunction(function* (job) {
    for (;;) yield job.pause();
  });
  for (let i = 0; i < JOBS; ++i) startJob(null, new WaitContext(), generator);
}

async function main() {
  const gc = garbageCollector();
  device.holdAll(true);
  forget();
  report({ live: stats().jobs.live });
  device.holdAll(false);
  const collected = (condition) =>
    until(() => {
      if (condition()) return true;
      gc();
      return false;
    });
  await collected(() => stats().jobs.live === 0);
  const { completed, inFlight, submitted } = device.stats();
  report({ live: stats().jobs.live, completed, inFlight, submitted });
  await collected(() => device.stats().fdsClosed === device.stats().fdsOpened);
  const { fdsClosed, fdsOpened } = device.stats();
  report({ allClosed: fdsClosed === fdsOpened, fdsOpened });
}

void main();
