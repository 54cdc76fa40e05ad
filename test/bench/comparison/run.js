'use strict';

// The README's comparison: one signature in every way that Node.js has, and an express server that signs a token for each
// request. Prints the rows of both tables as Markdown.
//
//   node test/bench/comparison/run.js [--rounds N] [--seconds N] [--in-flight N]
//
// Each measurement is a process of its own. A round measures every side once, so that a busy minute hits all of them;
// figures are medians of the rounds, and ± is half of the distance between the highest and the lowest.

const { fork } = require('node:child_process');
const { once } = require('node:events');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const autocannon = require('autocannon');
const { SIGNERS } = require('./signers.js');
const { ISSUERS } = require('./issuers.js');

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    'in-flight': { type: 'string', default: '64' },
  },
});
const [rounds, seconds, inFlight] = [values.rounds, values.seconds, values['in-flight']].map((text) => {
  const number = Number(text);
  if (!(number > 0)) throw new Error(`${text} is no number above 0`);
  return number;
});

function start(program, ...args) {
  const child = fork(path.join(__dirname, program), args.map(String));
  child.once('exit', (code, signal) => {
    if (code !== 0 && signal !== 'SIGTERM')
      throw new Error(`${program} ${args.join(' ')} ended with ${signal ?? code}`);
  });
  return child;
}

/** Calls per second, and the 99th percentile of the event loop's delay in milliseconds. */
async function measureSigner(side, algorithm) {
  const child = start('signer-child.js', side, algorithm, inFlight, seconds);
  const [result] = await once(child, 'message');
  await once(child, 'exit');
  return result;
}

/** Requests per second, and the 99th percentile of their latency in milliseconds. */
async function measureServer(side, algorithm) {
  const child = start('server-child.js', side, algorithm);
  const [port] = await once(child, 'message');
  const load = { url: `http://127.0.0.1:${port}/token`, connections: inFlight };
  await autocannon({ ...load, duration: 1 }); // warm
  const { requests, latency, non2xx, errors } = await autocannon({ ...load, duration: seconds });
  child.kill();
  await once(child, 'exit');
  if (non2xx + errors > 0) throw new Error(`${side}: ${non2xx + errors} requests failed`);
  return { perSecond: requests.total / seconds, p99: latency.p99 };
}

/** By side and algorithm, the results of all rounds. */
async function measureInRounds(sides, algorithms, measure) {
  const results = new Map();
  for (let round = 1; round <= rounds; ++round) {
    for (const algorithm of algorithms) {
      for (const side of sides) {
        process.stderr.write(`round ${round} of ${rounds}: ${side}, ${algorithm}\n`);
        const name = `${side} ${algorithm}`;
        results.set(name, [...(results.get(name) ?? []), await measure(side, algorithm)]);
      }
    }
  }
  return results;
}

function summaryOf(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const median = (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
  return { median, spread: (sorted.at(-1) - sorted[0]) / 2 / median };
}

const thousands = (number) => String(Math.round(number)).replace(/\B(?=(\d{3})+$)/g, ' ');

function rowsOf(sides, algorithms, results, unit) {
  const head = ['', ...algorithms.flatMap((algorithm) => [`${algorithm}, ${unit} per second`, 'ratio', 'p99, ms'])];
  const rows = Object.entries(sides).map(([side, { title }]) => {
    const cells = algorithms.flatMap((algorithm) => {
      const own = results.get(`${side} ${algorithm}`);
      const { median, spread } = summaryOf(own.map(({ perSecond }) => perSecond));
      const first = summaryOf(results.get(`${Object.keys(sides)[0]} ${algorithm}`).map(({ perSecond }) => perSecond));
      const p99 = summaryOf(own.map((result) => result.p99)).median;
      const percent = rounds > 1 ? ` ± ${Math.max(1, Math.round(spread * 100))} %` : '';
      return [`${thousands(median)}${percent}`, (median / first.median).toFixed(2), p99.toFixed(1)];
    });
    return [title, ...cells];
  });
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, index) => (index === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

async function main() {
  const algorithms = ['RSA-2048', 'P-256'];
  const signers = await measureInRounds(Object.keys(SIGNERS), algorithms, measureSigner);
  const tokens = ['RS256', 'ES256'];
  const servers = await measureInRounds(Object.keys(ISSUERS), tokens, measureServer);
  const machine = `Node.js ${process.versions.node}, OpenSSL ${process.versions.openssl}, ${os.cpus().length} × ${os.cpus()[0].model.trim()}`;
  console.log(`${machine}; ${rounds} rounds of ${seconds} s, ${inFlight} in flight.\n`);
  console.log(`${rowsOf(SIGNERS, algorithms, signers, 'signatures')}\n`);
  console.log(rowsOf(ISSUERS, tokens, servers, 'requests'));
}

void main();
