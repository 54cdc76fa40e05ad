'use strict';

// The table of what is measured. Each row compares a measurement of ours with one of the C program's, taken in the same
// round; `target` is the greatest ratio that is good enough.

const IN_FLIGHT = [1, 100, 10_000];
// So that starting and ending a job counts for little in what one wake-up costs.
const OPS_PER_LONG_JOB = 100;

const C_PAUSES_PER_OP = { 'start-finish': 0, 'no-notification': 2 };

const c = (trial, inFlight, opsPerJob = 1) => ({
  driver: 'c',
  trial,
  inFlight,
  opsPerJob,
  expected: { pausesPerOp: C_PAUSES_PER_OP[trial] ?? 1 },
});
const native = (driver, trial, inFlight, opsPerJob, expected) => ({ driver, trial, inFlight, opsPerJob, expected });
const javascript = (trial, inFlight, expected) => ({ driver: 'javascript', trial, inFlight, expected });

/** What a measurement must report about how its jobs paused and were woken; otherwise it measured something else. */
const NO_PAUSE = { pausesPerOp: 0 };
const PAUSE = { pausesPerOp: 1 };
const woken = (by, pausesPerOp = 1) => ({ pausesPerOp, by });

/** A row for each number of jobs in flight; `targets` by that number. */
function rows(id, title, targets, measure) {
  return IN_FLIGHT.map((inFlight) => ({
    id,
    title,
    inFlight,
    unit: 'ns',
    target: targets[inFlight],
    ...measure(inFlight),
  }));
}

function wakeRows(trial, title, by, targets) {
  return [
    ...rows(`${trial}-wake`, `${title}: one wake-up`, targets, (inFlight) => ({
      reference: c(trial, inFlight, OPS_PER_LONG_JOB),
      ours: native('scheduler', trial, inFlight, OPS_PER_LONG_JOB, woken(by)),
    })),
    ...rows(`${trial}-job`, `${title}: whole job, one pause`, {}, (inFlight) => ({
      reference: c(trial, inFlight),
      ours: native('scheduler', trial, inFlight, 1, woken(by)),
    })),
  ];
}

// runJob() from JavaScript to JavaScript, against the cheapest thing that C can do with a pause.
function runJobRows(id, trial, title, targets, expected) {
  return rows(id, title, targets, (inFlight) => ({
    reference: c('pause-resume', 1),
    ours: javascript(trial, inFlight, expected),
  }));
}

const all = (target) => Object.fromEntries(IN_FLIGHT.map((inFlight) => [inFlight, target]));

const TRIALS = [
  ...rows('start-finish', 'start + finish', all(1.15), (inFlight) => ({
    reference: c('start-finish', inFlight),
    ours: native('job', 'start-finish', inFlight, 1, NO_PAUSE),
  })),
  ...rows('start-finish-scheduled', 'start + finish, scheduled', {}, (inFlight) => ({
    reference: c('start-finish', inFlight),
    ours: native('scheduler', 'start-finish', inFlight, 1, NO_PAUSE),
  })),
  ...rows('pause-resume', 'pause + resume, direct', all(1.15), (inFlight) => ({
    reference: c('pause-resume', inFlight),
    ours: native('job', 'pause-resume', inFlight, 1, PAUSE),
  })),
  ...wakeRows('fd', 'cached fd', 'fd', { 100: 1.5, 10_000: 1.5 }),
  ...wakeRows('callback-same-thread', 'callback, same thread', 'callback', {}),
  ...wakeRows('callback-other-thread', 'callback, other thread', 'callback', { 10_000: 1.2 }),
  // Whole jobs only: the longer a job of ours goes without a notification, the more rarely it is tried.
  ...rows('no-notification-job', 'no notification: whole job, two pauses', {}, (inFlight) => ({
    reference: c('no-notification', inFlight),
    ours: native('scheduler', 'no-notification', inFlight, 1, woken('poll', 2)),
  })),
  ...runJobRows('run-job-empty', 'empty', 'runJob(): empty / C pause + resume', {}, NO_PAUSE),
  ...runJobRows(
    'run-job-self-wake',
    'selfWake',
    'runJob(): same-thread pause / C pause + resume',
    { 100: 6 },
    woken('callback'),
  ),
  ...runJobRows('run-job-device', 'device', 'runJob(): device thread / C pause + resume', {}, woken('callback')),
  {
    id: 'memory',
    title: 'memory per paused job',
    inFlight: 10_000,
    unit: 'bytes',
    target: 1.2,
    reference: c('memory', 10_000),
    ours: native('scheduler', 'memory', 10_000, 1, woken('callback')),
  },
  {
    id: 'run-job-memory',
    title: 'runJob(): memory per paused job',
    inFlight: 10_000,
    unit: 'bytes',
    target: 1.2,
    reference: c('memory', 10_000),
    ours: javascript('memory', 10_000, woken('callback')),
  },
];

module.exports = { TRIALS };
