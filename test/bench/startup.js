'use strict';

// What the library costs before it has done anything: require(), memory, a worker thread, and the first signature, each
// next to the same program without it. Parts of the library are loaded when a name of theirs is first read.
//
//   node test/bench/startup.js [--rounds=21] [--json]     after npm run build:tests and build:ts
//
// Each figure is the median of fresh processes. All programs run in each round, so that what else the machine does
// meets all of them.

const { execFileSync } = require('node:child_process');
const path = require('node:path');
const { parseArgs } = require('node:util');

const root = path.join(__dirname, '..', '..');
const LIBRARY = JSON.stringify(path.join(root, 'dist', 'index.js'));

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '21' }, json: { type: 'boolean' } } });
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1) throw new RangeError(`--rounds is no count: ${values.rounds}`);

// Programs end with print(milliseconds, MiB). The first use of anything is what is measured: nothing warms up.
const HEAD = `
  const now = performance.now.bind(performance);
  const rss = () => process.memoryUsage.rss() / 2 ** 20;
  const print = (...figures) => console.log(JSON.stringify(figures));
  now(), rss();`;

const loads = (expression) => `
  const memory = rss(), began = now();
  ${expression};
  print(now() - began, rss() - memory);`;

const requires = (name) => loads(name === undefined ? '' : `require(${name})`);

// The process has the library already, as one has that starts workers.
const startsWorker = (program) => `
  const { Worker } = require('node:worker_threads');
  require(${LIBRARY}).isCapable();
  const memory = rss(), began = now();
  const worker = new Worker(${JSON.stringify(`${program};\nrequire('node:worker_threads').parentPort.postMessage(0)`)}, {
    eval: true,
  });
  worker.once('message', () => {
    const figures = [now() - began, rss() - memory];
    worker.terminate().then(() => print(...figures));
  });`;

const signs = (from) => `
  const crypto = require('node:crypto');
  const { privateKey } = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const library = require(${LIBRARY});
  const { sign } = ${from};
  const memory = rss(), began = now();
  (async () => { await sign('sha256', Buffer.from('x'), privateKey); })()
    .then(() => print(now() - began, rss() - memory));`;

const LOADS = `require(${LIBRARY}).isCapable()`;
const READS_ALL = `Object.values(require(${LIBRARY}))`;

const TRIALS = [
  { name: "require('openssl-async')", ours: requires(LIBRARY), other: requires(), versus: 'nothing' },
  { name: "require('openssl-async')", ours: requires(LIBRARY), other: requires("'node:tls'"), versus: 'node:tls' },
  { name: 'all of its parts', ours: loads(READS_ALL), other: requires(), versus: 'nothing' },
  { name: 'a worker thread that has it', ours: startsWorker(LOADS), other: startsWorker(''), versus: 'without it' },
  { name: 'a worker with all parts', ours: startsWorker(READS_ALL), other: startsWorker(''), versus: 'without it' },
  { name: 'the first signature', ours: signs('library'), other: signs('crypto'), versus: 'crypto.sign' },
];

function run(program) {
  return JSON.parse(execFileSync(process.execPath, ['-e', HEAD + program], { encoding: 'utf8' }));
}

function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}

function measure() {
  const seen = TRIALS.map(() => ({ ours: [], other: [] }));
  for (let round = 0; round < rounds; ++round) {
    for (const [index, { ours, other }] of TRIALS.entries()) {
      seen[index].ours.push(run(ours));
      seen[index].other.push(run(other));
    }
  }
  const medians = (figures) => ({ ms: median(figures.map(([ms]) => ms)), mib: median(figures.map(([, mib]) => mib)) });
  return TRIALS.map(({ name, versus }, index) => {
    const [ours, other] = [medians(seen[index].ours), medians(seen[index].other)];
    return { name, versus, ours, other, more: { ms: ours.ms - other.ms, mib: ours.mib - other.mib } };
  });
}

function print(rows) {
  const cells = ({ ms, mib }) => `${ms.toFixed(1).padStart(7)} ms ${mib.toFixed(1).padStart(6)} MiB`;
  console.log(`Medians of ${rounds} fresh processes, Node.js ${process.version}\n`);
  console.log(`${''.padEnd(30)}${'ours'.padStart(20)}   ${'the other'.padStart(20)}   ${'more'.padStart(20)}`);
  for (const { name, versus, ours, other, more } of rows) {
    console.log(`${name.padEnd(28)}${[ours, other, more].map(cells).join('   ')}   than ${versus}`);
  }
}

const rows = measure();
if (values.json) console.log(JSON.stringify({ rounds, node: process.version, rows }));
else print(rows);
