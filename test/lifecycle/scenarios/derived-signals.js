'use strict';

// Signals that were derived for one call each, of one that lives as long as the server: nothing keeps them afterwards.

const { getEventListeners } = require('node:events');
const {
  WaitContext,
  check,
  garbageCollector,
  hash,
  jobFunction,
  native,
  report,
  runJob,
  startJob,
  until,
} = require('../../support/scenario/library');

const CALLS = 50;

const calls = {
  operation: (signal) => hash('sha256', 'x', { signal, mode: 'offload' }),
  job: (signal) => runJob(native('device'), { signal }),
  async wait(signal) {
    const waitContext = new WaitContext();
    const pauses = jobFunction(function* (job) {
      yield job.pause();
      return 1;
    });
    const { job } = startJob(null, waitContext, pauses);
    await waitContext.wait({ signal });
    startJob(job, waitContext);
    waitContext.close();
  },
};

async function callAll(life) {
  const derived = [];
  for (const call of Object.values(calls)) {
    for (let i = 0; i < CALLS; ++i) {
      const signal = AbortSignal.any([life]);
      await call(signal);
      check(getEventListeners(signal, 'abort').length === 0, 'a listener is left');
      derived.push(new WeakRef(signal));
    }
  }
  return derived;
}

async function main() {
  const gc = garbageCollector();
  const life = new AbortController();
  const derived = await callAll(life.signal);
  await until(() => {
    gc();
    return derived.every((reference) => reference.deref() === undefined);
  });
  // One signal for many at once: one listener, which goes with the last of them.
  const shared = new AbortController();
  const all = Object.values(calls).flatMap((call) => Array.from({ length: CALLS }, () => call(shared.signal)));
  check(getEventListeners(shared.signal, 'abort').length === 1, 'one listener for all');
  await Promise.all(all);
  check(getEventListeners(shared.signal, 'abort').length === 0, 'a listener is left');
  report({ right: true });
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
