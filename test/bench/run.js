'use strict';

// The benchmark: what jobs cost here, next to a plain C program that does the same with epoll.
//
//   npm run bench -- [--quick] [--only TEXT[,TEXT…]] [--rounds N] [--seconds S] [--limit S] [--name NAME] [--list]

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { compileBaseline, keyOf, measure } = require('./measure.js');
const { number, resultName, select } = require('./options.js');
const { formatTable, summarizeRow } = require('./report.js');
const { takeRounds } = require('./rounds.js');
const { TRIALS } = require('./trials.js');

const HELP = `npm run bench -- [options]

  --quick        2 short rounds: a look, not a measurement
  --only TEXT    only trials whose id contains TEXT; several, separated by commas
  --rounds N     how often each trial runs (5)
  --seconds S    measured time of each run (0.5)
  --limit S      stop after so many seconds altogether, with the rounds that are there (360; quick: 60)
  --name NAME    results go to test/bench/results/NAME.json (node-VERSION)
  --list         print the trials' ids and end
  --help`;

function readOptions() {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      limit: { type: 'string' },
      name: { type: 'string' },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const { quick } = values;
  const name = resultName(values.name, `node-${process.version}${quick ? '-quick' : ''}`);
  const trials = select(TRIALS, values.only);
  return {
    ...values,
    name,
    trials,
    rounds: number(values, 'rounds', quick ? 2 : 5, { integer: true }),
    seconds: number(values, 'seconds', quick ? 0.15 : 0.5),
    limitMs: 1000 * number(values, 'limit', quick ? 60 : 360),
  };
}

/** Ours and C's next to each other, each measurement once a round. */
function measurementsOf(trials) {
  const all = trials.flatMap(({ reference, ours }) => [reference, ours]);
  return [...new Map(all.map((m) => [keyOf(m), { ...m, key: keyOf(m) }])).values()];
}

function summarize(trials, { results, failures }) {
  return trials.map((row) => {
    const value = (result) => (row.unit === 'bytes' ? result.bytesPerJob : result.nsPerOp);
    const references = results.get(keyOf(row.reference));
    const ours = results.get(keyOf(row.ours));
    const pairs = ours.flatMap((result, round) =>
      result === undefined || references[round] === undefined
        ? []
        : [{ reference: value(references[round]), ours: value(result) }],
    );
    const failure = failures.get(keyOf(row.ours)) ?? failures.get(keyOf(row.reference));
    return summarizeRow(row, pairs, failure ?? (pairs.length === 0 ? 'not measured within --limit' : undefined));
  });
}

function describeMachine({ results }) {
  const reference = [...results].find(([key, [first]]) => key.startsWith('c ') && first !== undefined);
  return {
    cpu: os.cpus()[0]?.model ?? 'unknown',
    cpus: os.availableParallelism(),
    kernel: os.release(),
    node: process.version,
    openssl: { node: process.versions.openssl, c: reference?.[1][0].openssl },
    loadAverage: os.loadavg()[0],
  };
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
  if (process.platform !== 'linux')
    throw new Error('the C program needs epoll and eventfd: the benchmark is for Linux');
  compileBaseline();
  const measured = await takeRounds(measurementsOf(options.trials), measure, options);
  const rows = summarize(options.trials, measured);
  const machine = describeMachine(measured);

  const { name, quick, rounds, seconds } = options;
  const folder = path.join(__dirname, 'results');
  const file = path.join(folder, `${name}.json`);
  fs.mkdirSync(folder, { recursive: true });
  const date = new Date().toISOString();
  fs.writeFileSync(file, `${JSON.stringify({ date, machine, quick, rounds, seconds, rows }, null, 2)}\n`);

  console.log(formatTable(rows));
  console.log(
    `${machine.cpu}, ${machine.cpus} CPUs; Node ${machine.node} with OpenSSL ${machine.openssl.node}, C with ${machine.openssl.c}`,
  );
  console.log(
    `median (min–max) of up to ${rounds} rounds of ${seconds} s, each in a fresh process; ratios of neighbouring runs`,
  );
  const judged = rows.filter(({ target }) => target !== undefined);
  const failed = rows.filter(({ failure }) => failure !== undefined);
  for (const { title, inFlight, failure } of failed) console.log(`FAILED: ${title}, ${inFlight} in flight: ${failure}`);
  console.log(
    `${judged.filter(({ pass }) => pass).length} of ${judged.length} targets reached; written to ${path.relative('.', file)}`,
  );
  if (failed.length > 0) process.exitCode = 1;
}

main().catch((error) => {
  console.error(`bench: ${error.message}`);
  process.exitCode = 1;
});
