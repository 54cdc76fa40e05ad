'use strict';

// Many operations of all kinds, good and bad, in random modes, aborted and timed out at random: nothing may grow, and
// every promise must be settled.
//
//   npm run soak -- [--operations N] [--in-flight N] [--seed N]

const fs = require('node:fs');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { operationCorpus } = require('../support/operation-corpus.js');
const { slope } = require('../support/slope.js');
const { number } = require('./options.js');

const library = require(path.join(__dirname, '..', '..', 'dist', 'index.js'));

const MODES = [undefined, 'auto', 'inline', 'offload'];
// Parts of all calls.
const BAD = 0.1;
const ABORTED = 0.1;
const TIMED_OUT = 0.1;
const MOST_TIMEOUT_MS = 5;

const SAMPLES = 100;
const WARM_UP = 0.3;
// What the process may have grown from the end of the warm-up to the end: allocators keep some of what they were given.
const MOST_GROWTH_BYTES = 24 * 2 ** 20;
const MOST_FD_GROWTH = 2;
const LONGEST_SILENCE_MS = 30_000;

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
function randomNumbers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function garbageCollector() {
  require('node:v8').setFlagsFromString('--expose-gc');
  return require('node:vm').runInNewContext('gc');
}

const openFds = () => (process.platform === 'linux' ? fs.readdirSync('/proc/self/fd').length : 0);

class Soak {
  #random;
  #corpus = operationCorpus(library);
  #collect = garbageCollector();
  #total;
  #begun = 0;
  #settled = 0;
  #end;
  counts = { fulfilled: 0, rejected: 0, aborted: 0, timedOut: 0, wrong: 0 };
  rss = [];
  fds = [];

  constructor(total, seed) {
    this.#total = total;
    this.#random = randomNumbers(seed);
  }

  /** Resolves when all are settled, or none was for a long time. */
  run(inFlight) {
    const ended = new Promise((resolve) => (this.#end = resolve));
    let seen = -1;
    const watch = setInterval(() => {
      if (this.#settled === seen) this.#end();
      seen = this.#settled;
    }, LONGEST_SILENCE_MS);
    for (let i = 0; i < inFlight; ++i) this.#begin();
    return ended.finally(() => clearInterval(watch));
  }

  get unsettled() {
    return this.#begun - this.#settled;
  }

  #pick(values) {
    return values[Math.floor(this.#random() * values.length)];
  }

  #begin() {
    if (this.#begun === this.#total) {
      if (this.unsettled === 0) this.#end();
      return;
    }
    ++this.#begun;
    const isBad = this.#random() < BAD;
    const row = this.#pick(isBad ? this.#corpus.bad : this.#corpus.good);
    const options = this.#options();
    row.call(options).then(
      (value) =>
        this.#onSettled(
          row,
          (isBad ? 'value' in row && value === row.value : row.isRight(value)) ? 'fulfilled' : 'wrong',
          value,
        ),
      (error) => this.#onSettled(row, this.#judge(row, options, error), error),
    );
  }

  #options() {
    const options = { mode: this.#pick(MODES) };
    const limit = this.#random();
    if (limit < ABORTED) {
      const aborter = new AbortController();
      options.signal = aborter.signal;
      const abort = () => aborter.abort();
      this.#pick([abort, () => queueMicrotask(abort), () => setImmediate(abort), () => setTimeout(abort, 1)])();
    } else if (limit < ABORTED + TIMED_OUT) {
      options.timeoutMs = 1 + Math.floor(this.#random() * MOST_TIMEOUT_MS);
    }
    return options;
  }

  #judge(row, { signal, timeoutMs }, error) {
    if (signal !== undefined && error.name === 'AbortError') return 'aborted';
    if (timeoutMs !== undefined && error.code === 'ERR_ASYNC_TIMEOUT') return 'timedOut';
    return 'code' in row && error.code === row.code ? 'rejected' : 'wrong';
  }

  #onSettled(row, outcome, result) {
    ++this.counts[outcome];
    if (outcome === 'wrong') console.error(`${row.operation}, ${row.title}:`, result);
    if (++this.#settled % Math.ceil(this.#total / SAMPLES) === 0) this.#sample();
    this.#begin();
  }

  #sample() {
    if (this.#settled < WARM_UP * this.#total) return;
    this.#collect();
    this.rss.push(process.memoryUsage.rss());
    this.fds.push(openFds());
  }
}

async function main() {
  const { values } = parseArgs({
    options: { operations: { type: 'string' }, 'in-flight': { type: 'string' }, seed: { type: 'string' } },
  });
  const total = number(values, 'operations', 1_000_000, { integer: true });
  const inFlight = number(values, 'in-flight', 256, { integer: true });
  const seed = number(values, 'seed', Math.floor(Math.random() * 2 ** 31) + 1, { integer: true });
  const began = performance.now();
  const soak = new Soak(total, seed);
  await soak.run(inFlight);
  // What was given up may still run.
  const giveUp = performance.now() + LONGEST_SILENCE_MS;
  while (library.operations.inFlight > 0 && performance.now() < giveUp) {
    await new Promise((resolve) => setImmediate(resolve));
  }

  const { rss, fds, counts, unsettled } = soak;
  const report = {
    seed,
    operations: total,
    seconds: (performance.now() - began) / 1000,
    ...counts,
    unsettled,
    inFlight: library.operations.inFlight,
    rssMiB: [rss[0], rss.at(-1)].map((bytes) => Math.round(bytes / 2 ** 20)),
    rssGrowthBytes: Math.round(slope(rss) * (rss.length - 1)),
    fdGrowth: fds.at(-1) - fds[0],
  };
  console.log(JSON.stringify(report));
  const grew = report.rssGrowthBytes > MOST_GROWTH_BYTES || report.fdGrowth > MOST_FD_GROWTH;
  if (grew || unsettled !== 0 || report.inFlight !== 0 || counts.wrong !== 0) process.exitCode = 1;
}

void main();
