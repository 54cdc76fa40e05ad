'use strict';

// Uses up all file descriptors but a few, runs the scenario's operations, gives them back, and runs them again.
//
//   node descriptors.js main|worker WHEN FREE
//
// Prints { rounds, errors }, as scenario.js does.

const fs = require('node:fs');
const path = require('node:path');
const { isMainThread, Worker, workerData } = require('node:worker_threads');
const { operationsOf, run, runRound } = require('./scenario.js');

const [place, when, free] = isMainThread ? process.argv.slice(2) : workerData;
const MOST = 20_000;

function exhaust(left) {
  const taken = [];
  try {
    while (taken.length < MOST) taken.push(fs.openSync('/dev/null', 'r'));
  } catch {
    // That is all there are.
  }
  for (let i = 0; i < left && taken.length > 0; ++i) fs.closeSync(taken.pop());
  return taken;
}

async function main() {
  if (isMainThread && place === 'worker') {
    const worker = new Worker(__filename, { workerData: [place, when, free] });
    worker.on('error', (error) => {
      throw error;
    });
    return;
  }
  const library = require(path.join(__dirname, '..', '..', 'dist', 'index.js'));
  if (when === 'afterwards') await library.hash('sha256', 'the first');
  const taken = exhaust(Number(free));
  const errors = await runRound(operationsOf(library));
  for (const fd of taken) fs.closeSync(fd);
  const after = await run(library);
  const all = [...(errors.length > 0 ? [errors] : []), ...after.errors];
  fs.writeSync(1, `${JSON.stringify({ rounds: after.rounds + 1, errors: all })}\n`);
}

void main();
