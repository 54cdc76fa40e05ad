'use strict';

// One measurement of one side, in a process of its own:
//
//   node child.js FORM OPERATION SUBJECT SIZE IN_FLIGHT SECONDS
//
// prints one line of JSON. The driver keeps IN_FLIGHT calls in flight: the end of each begins the next.

const fs = require('node:fs');
const path = require('node:path');
const { monitorEventLoopDelay } = require('node:perf_hooks');
const { OPERATIONS } = require('./operations.js');

const { stats } = require(path.join(__dirname, '..', '..', '..', 'dist', 'index.js'));

const LEAST_WARM_UP_MS = 300;
// Enough for a median, and little enough to be sorted.
const MOST_LATENCIES = 100_000;
// The synchronous form lets the event loop turn after so long.
const SYNC_TURN_MS = 1;

/** CPU time of this thread, in nanoseconds; elsewhere than on Linux, of the process. */
function mainThreadNs() {
  if (process.platform === 'linux') {
    return Number(fs.readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'latin1').split(' ', 1)[0]);
  }
  const { user, system } = process.cpuUsage();
  return (user + system) * 1000;
}

class Measurement {
  #inFlight;
  #durationMs;
  #warmUntil;
  #delay = monitorEventLoopDelay({ resolution: 1 });
  #began;
  #cpuNs = 0;
  #processCpu;
  #ops = 0;
  #last = 0;
  #latencies = [];

  constructor(inFlight, seconds) {
    this.#inFlight = inFlight;
    this.#durationMs = seconds * 1000;
    this.#warmUntil = performance.now() + Math.max(LEAST_WARM_UP_MS, this.#durationMs / 4);
  }

  /** To be called at the end of each call. */
  count() {
    const now = performance.now();
    if (this.#began === undefined) {
      if (now >= this.#warmUntil) this.#begin();
      return;
    }
    ++this.#ops;
    if (this.#inFlight === 1) {
      if (this.#latencies.length < MOST_LATENCIES) this.#latencies.push(now - this.#last);
      this.#last = now;
    }
    if (now - this.#began >= this.#durationMs) this.#end(now);
  }

  #begin() {
    this.#delay.enable();
    this.#processCpu = process.cpuUsage();
    this.#cpuNs = mainThreadNs();
    this.#began = this.#last = performance.now();
  }

  #end(now) {
    const cpuNs = mainThreadNs() - this.#cpuNs;
    const { user, system } = process.cpuUsage(this.#processCpu);
    this.#delay.disable();
    const { operations } = stats();
    const finished = operations.inline + operations.offloaded + operations.jobs;
    const result = {
      ops: this.#ops,
      opsPerSecond: this.#ops / ((now - this.#began) / 1000),
      mainMicrosPerOp: cpuNs / 1000 / this.#ops,
      processMicrosPerOp: (user + system) / this.#ops,
      delayP50Micros: this.#delay.percentile(50) / 1000,
      delayP99Micros: this.#delay.percentile(99) / 1000,
      latencyMicros: this.#inFlight === 1 ? 1000 * median(this.#latencies) : undefined,
      inlined: finished === 0 ? undefined : operations.inline / finished,
    };
    fs.writeSync(1, `${JSON.stringify(result)}\n`);
    // Node would first finish what waits for its pool.
    process.kill(process.pid, 'SIGKILL');
  }
}

function median(values) {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

function fail(error) {
  console.error(error);
  process.exit(1);
}

/** Begins a call, whose end calls `next()`, for each way in which an end is told. */
const DRIVERS = {
  promise: (run, next) => () => void run().then(next, fail),
  call: (run, next) => {
    const done = (error) => {
      if (error) fail(error);
      next();
    };
    return () => run(done);
  },
};

function driveSync(run, measurement) {
  const turn = () => {
    const until = performance.now() + SYNC_TURN_MS;
    do {
      run();
      measurement.count();
    } while (performance.now() < until);
    setImmediate(turn);
  };
  turn();
}

function drive([way, run], measurement, inFlight) {
  if (way === 'sync') {
    driveSync(run, measurement);
    return;
  }
  const start = DRIVERS[way](run, () => {
    measurement.count();
    start();
  });
  for (let i = 0; i < inFlight; ++i) start();
}

async function wayOf(form, operation) {
  if (form !== 'node') return [form === 'sync' ? 'sync' : 'promise', operation[form]];
  const node = operation.node ?? (await operation.nodePrepare());
  return node.call === undefined ? ['promise', node.promise] : ['call', node.call];
}

function once([way, run]) {
  if (way !== 'call') return run();
  return new Promise((resolve, reject) => run((error, result) => (error ? reject(error) : resolve(result))));
}

async function main([form, name, subject, size, inFlightText, secondsText]) {
  const operation = OPERATIONS[name]({ subject, size: Number(size) });
  const way = await wayOf(form, operation);
  if (!operation.isRight(await once(way))) throw new Error(`a wrong result of ${form} ${name}`);
  const inFlight = Number(inFlightText);
  drive(way, new Measurement(inFlight, Number(secondsText)), inFlight);
}

main(process.argv.slice(2)).catch(fail);
