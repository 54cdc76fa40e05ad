'use strict';

// The benchmark of operations: ours next to node:crypto's, and next to what the machine can do at all.
//
//   npm run bench:operations -- [--quick] [--only TEXT[,TEXT…]] [--in-flight N[,N…]] [--rounds N] [--seconds S]
//     [--limit S] [--name NAME] [--list]

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { number, resultName, select } = require('../options.js');
const { runMeasurement } = require('../process.js');
const { takeRounds } = require('../rounds.js');
const { measureCeiling, systemOpenSSL } = require('./ceiling.js');
const { whyMissing } = require('./operations.js');
const { formatTable, formatTargets, summarizeTrial } = require('./report.js');
const { IDEAL_POOL_PER_SECOND, TRIALS } = require('./trials.js');

const HELP = `npm run bench:operations -- [options]

  --quick        1 short round: a look, not a measurement
  --only TEXT    only trials whose id contains TEXT; several, separated by commas
  --in-flight N  only with so many calls in flight; several, separated by commas
  --rounds N     how often each trial runs (3)
  --seconds S    measured time of each run (0.5)
  --limit S      stop after so many seconds altogether, with the rounds that are there (3600)
  --name NAME    results go to test/bench/results/NAME.json (operations-node-VERSION)
  --list         print the trials' ids and end
  --help`;

function readOptions() {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      'in-flight': { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      limit: { type: 'string' },
      name: { type: 'string' },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const { quick } = values;
  const inFlight = values['in-flight']?.split(',').map(Number);
  const trials = select(TRIALS, values.only).filter((trial) => inFlight?.includes(trial.inFlight) ?? true);
  if (trials.length === 0) throw new RangeError(`no trial has ${values['in-flight']} in flight`);
  return {
    ...values,
    name: resultName(values.name, `operations-node-${process.version}${quick ? '-quick' : ''}`),
    trials,
    rounds: number(values, 'rounds', quick ? 1 : 3, { integer: true }),
    seconds: number(values, 'seconds', quick ? 0.1 : 0.5),
    limitMs: 1000 * number(values, 'limit', 3600),
  };
}

const sideKey = ({ id, inFlight }, side) => `${id} × ${inFlight}, ${side}`;
const ceilingKey = ({ id }) => `${id}, ceiling`;

function measurementsOf(trials, openssl) {
  const all = trials.flatMap((trial) => [
    ...trial.sides.map((side) => ({ key: sideKey(trial, side.id), trial, side })),
    ...(openssl === undefined || trial.ceiling === undefined ? [] : [{ key: ceilingKey(trial), trial }]),
  ]);
  return [...new Map(all.map((measurement) => [measurement.key, measurement])).values()];
}

function measure({ trial, side }, { seconds, limitMs }) {
  const { operation, subject, size = 0, inFlight, ceiling } = trial;
  if (side === undefined) return measureCeiling(ceiling, size, { seconds, limitMs });
  const child = path.join(__dirname, 'child.js');
  return runMeasurement([process.execPath, child, side.form, operation, subject, size, inFlight, seconds], {
    // Some of what is measured takes long by itself, and so does what has to be in flight before.
    seconds: seconds + 10,
    limitMs,
    env: side.threads === undefined ? {} : { UV_THREADPOOL_SIZE: String(side.threads) },
  });
}

function summarize(trials, { results, failures }) {
  return trials.map((trial) => {
    const bySide = Object.fromEntries(trial.sides.map(({ id }) => [id, results.get(sideKey(trial, id))]));
    const ceiling = results.get(ceilingKey(trial));
    if (ceiling !== undefined) bySide.ceiling = ceiling;
    if (trial.operation === 'accelerator') {
      bySide.ideal = bySide.ours.map(() => ({ opsPerSecond: IDEAL_POOL_PER_SECOND }));
    }
    const failure = trial.sides.map(({ id }) => failures.get(sideKey(trial, id))).find((text) => text !== undefined);
    const measured = bySide.ours.some((result) => result !== undefined);
    return summarizeTrial(trial, bySide, failure ?? (measured ? undefined : 'not measured within --limit'));
  });
}

/** Those that can be measured. Says why the others cannot. */
function withoutMissing(trials) {
  const reasons = new Map(trials.map(({ operation }) => [operation, whyMissing(operation)]));
  for (const reason of reasons.values()) if (reason !== undefined) console.log(`skipped: ${reason}`);
  return trials.filter(({ operation }) => reasons.get(operation) === undefined);
}

async function main() {
  const options = readOptions();
  if (options.help) {
    console.log(HELP);
    return;
  }
  if (options.list) {
    console.log([...new Set(options.trials.map(({ id }) => id))].join('\n'));
    return;
  }
  const openssl = systemOpenSSL();
  if (openssl === undefined) console.log('no ceiling: there is no openssl on this system');
  const trials = withoutMissing(options.trials);
  if (trials.length === 0) return;
  const measured = await takeRounds(measurementsOf(trials, openssl), measure, options);
  const rows = summarize(trials, measured);

  const { name, quick, rounds, seconds } = options;
  const machine = {
    cpu: os.cpus()[0]?.model ?? 'unknown',
    cpus: os.availableParallelism(),
    kernel: os.release(),
    node: process.version,
    openssl: { node: process.versions.openssl, ceiling: openssl },
    loadAverage: os.loadavg()[0],
  };
  const folder = path.join(__dirname, '..', 'results');
  const file = path.join(folder, `${name}.json`);
  fs.mkdirSync(folder, { recursive: true });
  const date = new Date().toISOString();
  fs.writeFileSync(file, `${JSON.stringify({ date, machine, quick, rounds, seconds, rows }, null, 2)}\n`);

  console.log(formatTable(rows));
  console.log(
    `${machine.cpu}, ${machine.cpus} CPUs; Node ${machine.node} with OpenSSL ${machine.openssl.node}; ${openssl ?? ''}`,
  );
  console.log(
    `medians of up to ${rounds} rounds of ${seconds} s, each in a fresh process; ratios ours / theirs of the same round`,
  );
  console.log(formatTargets(rows));
  console.log(`written to ${path.relative('.', file)}`);
  if (rows.some(({ failure }) => failure !== undefined)) process.exitCode = 1;
}

main().catch((error) => {
  console.error(`bench:operations: ${error.message}`);
  process.exitCode = 1;
});
