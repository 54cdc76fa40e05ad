'use strict';

// One measurement through the public API, in a process of its own:
//
//   node --expose-gc child-jobs.js empty|selfWake|device|memory IN_FLIGHT SECONDS
//
// prints one line of JSON, as baseline.c does.

const path = require('node:path');

const root = path.join(__dirname, '..', '..');
const { nativeJobFunction, runJob, stats } = require(path.join(root, 'dist', 'index.js'));
const { device, deviceRequest } = require('./device.js');

const CLOCK_EVERY = 64;
const WARM_UP_JOBS = 50_000;

/** `inFlight` chains, each of which runs one job after another until the time is over. */
async function measureRate(submit, inFlight, seconds) {
  const durationNs = seconds * 1e9;
  let ops = 0;
  let over = false;
  let began;
  let result;
  const warmUntil = process.hrtime.bigint() + BigInt(Math.round(durationNs / 5));

  function checkClock() {
    const now = process.hrtime.bigint();
    if (began === undefined) {
      if (now >= warmUntil && ops >= 2 * inFlight) began = { now, ops };
    } else if (!over) {
      const elapsed = Number(now - began.now);
      if (elapsed < durationNs) return;
      over = true;
      result = { nsPerOp: elapsed / (ops - began.ops), ops: ops - began.ops };
    }
  }
  async function chain() {
    while (!over) {
      const { returnValue } = await submit();
      if (returnValue !== 1) throw new Error(`a job returned ${returnValue}`);
      if (++ops % CLOCK_EVERY === 0 || inFlight === 1) checkClock();
    }
  }
  await Promise.all(Array.from({ length: inFlight }, chain));
  return { ...result, allOps: ops };
}

/** What `inFlight` jobs that are all paused at the same time add to the process. */
async function measureMemory(submit, inFlight) {
  await growYoungGeneration(submit);
  device.holdAll(true);
  globalThis.gc();
  const before = process.memoryUsage.rss();
  const jobs = Array.from({ length: inFlight }, submit);
  // Not equal, rather than less: should the count ever be missing, this ends in the caller's time limit and no figure.
  while (device.stats().inFlight !== inFlight) await new Promise((resolve) => setTimeout(resolve, 5));
  globalThis.gc();
  const bytesPerJob = (process.memoryUsage.rss() - before) / inFlight;
  device.holdAll(false);
  await Promise.all(jobs);
  return { bytesPerJob, allOps: inFlight + WARM_UP_JOBS };
}

/** V8's young generation reaches its size with the first calls, whatever is called: it is not the paused jobs'. */
async function growYoungGeneration(submit) {
  for (let done = 0; done < WARM_UP_JOBS; done += 100) await Promise.all(Array.from({ length: 100 }, submit));
}

async function main([trial, inFlightText, secondsText]) {
  const inFlight = Number(inFlightText);
  const usesDevice = trial === 'device' || trial === 'memory';
  const jobFunction = nativeJobFunction(device.functions[usesDevice ? 'device' : trial]);
  const options = usesDevice ? { args: deviceRequest() } : {};
  const submit = () => runJob(jobFunction, options);
  const { allOps, ...result } =
    trial === 'memory'
      ? await measureMemory(submit, inFlight)
      : await measureRate(submit, inFlight, Number(secondsText));
  const { jobs, wakeups } = stats();
  console.log(JSON.stringify({ trial, inFlight, ...result, pausesPerOp: jobs.pauses / allOps, wakeups }));
  device.shutdown();
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
