'use strict';

// Everything was used, nothing is in flight: no handle of the library's keeps the process alive.

const {
  MODES,
  WaitContext,
  WaitSignal,
  configure,
  deviceRequest,
  initThread,
  jobFunction,
  native,
  report,
  runJob,
  startJob,
} = require('../../support/scenario/library');

async function main() {
  configure({ initialJobs: 0 });
  initThread({ maxSize: 100, initSize: 10 });
  const kept = [];
  const func = native('device');
  const modes = Object.keys(MODES);
  await Promise.all(
    modes.flatMap((mode) => Array.from({ length: 40 }, () => runJob(func, { args: deviceRequest({ mode }) }))),
  );
  // A wait context that carries a callback and has an fd, a wait that was given up, a time limit that was not needed, a
  // wait signal that is open.
  for (const mode of modes) {
    const context = new WaitContext();
    context.setCallback(() => undefined);
    kept.push(context);
    await runJob(func, { args: deviceRequest({ mode }), waitContext: context, timeoutMs: 600_000 });
  }
  const signal = new WaitSignal();
  const context = new WaitContext();
  const waiter = jobFunction(function* (job) {
    yield job.setWaitFd('signal', signal.fd);
    while (!signal.clear()) yield job.pause();
    return 1;
  });
  const paused = startJob(null, context, waiter);
  const aborter = new AbortController();
  const wait = context.wait({ signal: aborter.signal, timeoutMs: 600_000 });
  aborter.abort();
  await wait.catch(() => undefined);
  signal.wake();
  await context.wait();
  const finished = startJob(paused.job, context);
  kept.push(signal, context);

  const last = performance.now();
  process.on('exit', () => report({ finished, exitAfterMs: performance.now() - last, kept: kept.length }));
}

void main();
