'use strict';

// The TLS benchmark: our servers and clients beside those of node:https and node:http2, and for requests servers of plain
// node:http and nginx in front of it.
//
//   npm run bench:tls -- [--quick] [--only TEXT[,TEXT…]] [--rounds N] [--seconds S] [--limit S] [--sides A,B] [--node PATH]
//     [--plot FILE] [--list]
//
// Needs Linux, a C compiler, OpenSSL's headers and program, and wrk; nginx and h2load where there are any.

const fs = require('node:fs');
const os = require('node:os');
const { execFileSync } = require('node:child_process');
const { parseArgs } = require('node:util');
const Table = require('cli-table3');
const { number, select } = require('../options.js');
const { integer, spread, summarize } = require('../report.js');
const { takeRounds } = require('../rounds.js');
const { measure, prepare } = require('./measure.js');
const { hasH2load } = require('./h2load.js');
const { hasNginx } = require('./nginx.js');
const { formatPage } = require('./page.js');
const { TRIALS } = require('./trials.js');

const HELP = `npm run bench:tls -- [options]

  --quick        2 short rounds: a look, not a measurement
  --only TEXT    only trials whose id contains TEXT; several, separated by commas
  --rounds N     how often each trial runs (5)
  --seconds S    measured time of each run (2)
  --limit S      stop after so many seconds altogether, with the rounds that are there (1800; quick: 240)
  --sides A,B    of node, ours, loop (ours without threads), threads (ours with the records on a thread), http,
                 nginx (all that are there)
  --node PATH    the Node.js that runs the servers (the one that runs this program)
  --plot FILE    also makes a page of charts
  --list         print the trials' ids and end
  --help`;

const BASE = 'node';

function readOptions() {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      limit: { type: 'string' },
      sides: { type: 'string', default: 'node,ours,loop,threads,http,nginx' },
      node: { type: 'string', default: process.execPath },
      plot: { type: 'string' },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const { quick } = values;
  return {
    ...values,
    trials: select(TRIALS, values.only),
    sides: values.sides.split(','),
    rounds: number(values, 'rounds', quick ? 2 : 5, { integer: true }),
    seconds: number(values, 'seconds', quick ? 1 : 2),
    limitMs: 1000 * number(values, 'limit', quick ? 240 : 1800),
  };
}

function measurementsOf({ trials, sides, node }) {
  const present = sides.filter((side) => side !== 'nginx' || hasNginx());
  return trials
    .filter(isPossible)
    .flatMap((trial) =>
      (trial.sides ?? ['node', 'ours', 'loop', ...(trial.peers ?? [])])
        .filter((side) => present.includes(side))
        .map((side) => ({ key: `${trial.id} ${side}`, trial, side, node })),
    );
}

function isPossible({ id, load }) {
  if (load.mode !== 'h2load' || hasH2load()) return true;
  console.log(`${id}: skipped: there is no h2load (nghttp2-client of Debian)`);
  return false;
}

// The ratios are those of each round's neighbours: a machine that slows down between rounds moves both.
function ratiosOf(values, bases) {
  return values.flatMap((value, round) => (!(bases[round] > 0) ? [] : [value / bases[round]]));
}

function rowsOf({ results, failures }, measurements) {
  return measurements.flatMap(({ key, trial, side }) =>
    trial.figures.map((figure) => {
      const valuesOf = (of) => (results.get(of) ?? []).map((result) => result?.[figure.name]);
      const values = valuesOf(key);
      const seen = values.filter((value) => value !== undefined);
      const ratioTo = (base) => {
        const ratios = side === base ? [] : ratiosOf(values, valuesOf(`${trial.id} ${base}`));
        return ratios.length > 0 ? summarize(ratios) : undefined;
      };
      return {
        trial,
        side,
        figure,
        failure: failures.get(key),
        value: seen.length > 0 ? summarize(seen) : undefined,
        ratio: ratioTo(BASE),
        verdicts: verdictsOf(figure, side, ratioTo),
      };
    }),
  );
}

// Of the targets that were measured.
function verdictsOf({ targets = [] }, side, ratioTo) {
  return targets.flatMap(({ ours = 'ours', of = BASE, atLeast, atMost }) => {
    const ratio = ours === side ? ratioTo(of) : undefined;
    if (ratio === undefined || (atLeast ?? atMost) === undefined) return [];
    const passes = atLeast !== undefined ? ratio.median >= atLeast : ratio.median <= atMost;
    const target = `${atLeast !== undefined ? `≥ ${atLeast}` : `≤ ${atMost}`}${of === BASE ? '' : ` × ${of}`}`;
    return [{ passes, target, ratio }];
  });
}

function cellOf({ failure, verdicts }) {
  if (failure !== undefined) return `FAILED: ${failure}`;
  return verdicts.map(({ passes, target }) => `${passes ? '✓' : '✗'} ${target}`).join(', ');
}

function formatMisses(rows) {
  const verdicts = rows.flatMap((row) => row.verdicts.map((verdict) => ({ ...verdict, row })));
  const missed = verdicts
    .filter(({ passes }) => !passes)
    .map(
      ({ target, ratio, row }) =>
        `  ${row.trial.title}, ${row.figure.title}: ${ratio.median.toFixed(2)}, not ${target}`,
    );
  if (verdicts.length === 0) return '';
  return [`${verdicts.length - missed.length} of ${verdicts.length} targets reached`, ...missed].join('\n');
}

// What one process could serve that has so many cores to itself, from what a request costs each of its threads: its event
// loop, or its threads of TLS, of which it has one less than cores, or all cores are the first to have no time left.
function formatModel(rows) {
  const costs = (side) => {
    const of = (name) =>
      rows.find((row) => row.trial.id === '12-bytes' && row.side === side && row.figure.name === name)?.value?.median;
    const [rate, main, thread, process] = ['perSecond', 'mainMicros', 'threadMicros', 'processMicros'].map(of);
    return rate === undefined ? undefined : { rate, main, thread, process };
  };
  const [loop, threads] = [costs('ours'), costs('threads')];
  if (loop === undefined || threads === undefined) return '';
  const model = (cores, { main, thread, process }) =>
    1e6 * Math.min(1 / main, (cores - 1) / Math.max(thread, 1e-3), cores / process);
  const line = (cores) =>
    `  ${String(cores).padStart(2)} cores: ${integer.format(1e6 / loop.main)} with records on the loop, ${integer.format(model(cores, threads))} on threads`;
  // The load is on the two cores, too: what it costs is what the server with records on the loop leaves of them.
  const load = 2e6 / loop.rate - loop.process;
  const expected = model(2, { ...threads, process: threads.process + load });
  return [
    'requests of 12 B per second that one process could serve, by a model of these costs:',
    ...[4, 8, 16].map(line),
    `  2 cores, shared with the load: ${integer.format(expected)} on threads by the model, ${integer.format(threads.rate)} measured`,
  ].join('\n');
}

const versionsOf = (node) => JSON.parse(execFileSync(node, ['-p', 'JSON.stringify(process.versions)']));

function formatHead({ node: binary, rounds, seconds }) {
  const { node, openssl } = versionsOf(binary);
  const client = execFileSync('openssl', ['version'], { encoding: 'utf8' }).trim();
  return (
    `Node ${node}, OpenSSL ${openssl}; the load by ${client}; ` +
    `${os.cpus()[0]?.model ?? 'unknown'}, ${os.availableParallelism()} CPUs\n` +
    `median (min–max) of up to ${rounds} rounds of ${seconds} s, each with a server of its own`
  );
}

function formatTable(rows) {
  const table = new Table({
    head: ['trial', 'figure', 'side', 'value', '× node', 'target'],
    colAligns: ['left', 'left', 'left', 'right', 'right', 'left'],
    style: { head: [], border: [], compact: true },
  });
  const amount = (value) => (value < 100 ? value.toFixed(1) : integer.format(value));
  for (const row of rows) {
    table.push([
      row.trial.title,
      row.figure.title,
      row.side,
      row.value === undefined ? '' : spread(row.value, amount),
      row.ratio === undefined ? '' : spread(row.ratio, (value) => value.toFixed(2)),
      cellOf(row),
    ]);
  }
  return table.toString();
}

async function main() {
  const options = readOptions();
  if (options.help) return console.log(HELP);
  if (options.list) return console.log(options.trials.map(({ id }) => id).join('\n'));
  if (process.platform !== 'linux') throw new Error('the client needs epoll: the benchmark is for Linux');
  prepare();
  const measurements = measurementsOf(options);
  console.log(formatHead(options));
  const measured = await takeRounds(measurements, measure, options);
  const rows = rowsOf(measured, measurements);
  console.log(formatTable(rows));
  const misses = formatMisses(rows);
  if (misses !== '') console.log(misses);
  const model = formatModel(rows);
  if (model !== '') console.log(model);
  if (options.plot !== undefined) {
    fs.writeFileSync(options.plot, await formatPage(rows, { head: formatHead(options), foot: model }));
    console.log(`charts: ${options.plot}`);
  }
  if (measured.failures.size > 0) process.exitCode = 1;
}

main().catch((error) => {
  console.error(`bench: ${error.message}`);
  process.exitCode = 1;
});
