'use strict';

// Takes one measurement in a fresh process, and makes sure that it measured what it was meant to.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { root, runMeasurement } = require('./process.js');

const baseline = path.join(root, 'build-native', 'bench', 'baseline');

function compileBaseline() {
  fs.mkdirSync(path.dirname(baseline), { recursive: true });
  execFileSync(
    process.env.CC ?? 'cc',
    [
      '-O3', // as node-gyp's
      '-Wall',
      '-Wextra',
      '-pthread',
      path.join(__dirname, 'baseline.c'),
      path.join(__dirname, 'native', 'workload.c'),
      '-o',
      baseline,
      '-lcrypto',
    ],
    { stdio: 'inherit' },
  );
}

/** Equal for measurements that are the same. */
const keyOf = ({ driver, trial, inFlight, opsPerJob }) => [driver, trial, inFlight, opsPerJob].join(' ');

function commandOf({ driver, trial, inFlight, opsPerJob }, seconds) {
  switch (driver) {
    case 'c':
      return [baseline, trial, inFlight, seconds, opsPerJob];
    case 'job':
    case 'scheduler':
      return [process.execPath, path.join(__dirname, 'child-native.js'), driver, trial, inFlight, seconds, opsPerJob];
    case 'javascript':
      return [process.execPath, '--expose-gc', path.join(__dirname, 'child-jobs.js'), trial, inFlight, seconds];
    default:
      throw new Error(`no driver ${driver}`);
  }
}

// A paused job has touched its own stack: a smaller figure was not taken while the jobs were paused.
const LEAST_BYTES_PER_JOB = 4096;

// Written so that a figure which is missing fails, too.
function check({ trial, expected }, result) {
  if (trial === 'memory') {
    if (!(result.bytesPerJob >= LEAST_BYTES_PER_JOB))
      throw new Error(`${result.bytesPerJob} bytes per job: not paused`);
  } else if (!(result.nsPerOp > 0)) {
    throw new Error('nothing was measured');
  }
  if (expected === undefined) return;
  if (!Number.isFinite(result.pausesPerOp) || Math.abs(result.pausesPerOp - expected.pausesPerOp) > 0.01) {
    throw new Error(`${result.pausesPerOp} pauses per operation, not ${expected.pausesPerOp}`);
  }
  if (expected.by === undefined) return;
  const total = Object.values(result.wakeups).reduce((sum, count) => sum + count, 0);
  if (!(result.wakeups[expected.by] / total >= 0.99)) {
    throw new Error(`not woken by ${expected.by}: ${JSON.stringify(result.wakeups)}`);
  }
}

/**
 * @returns {Promise<object>} what the process printed; rejects when it failed, measured something else or took longer
 *   than `limitMs`
 */
async function measure(measurement, { seconds, limitMs }) {
  const result = await runMeasurement(commandOf(measurement, seconds), { seconds, limitMs });
  check(measurement, result);
  return result;
}

module.exports = { compileBaseline, keyOf, measure };
