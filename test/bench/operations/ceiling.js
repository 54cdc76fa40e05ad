'use strict';

// What the machine can do at all: `openssl speed` of the system's OpenSSL, on all its processors.

const { execFileSync } = require('node:child_process');
const { runProcess } = require('../process.js');
const { CEILING_PROCESSES } = require('./trials.js');

/** The version of the system's OpenSSL; undefined where there is none. */
function systemOpenSSL() {
  try {
    return execFileSync('openssl', ['version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
}

/** @param ceiling - of trials.js; operations per second. */
async function measureCeiling({ args, figure }, size, { seconds, limitMs }) {
  const wholeSeconds = Math.max(1, Math.round(seconds));
  const command = ['openssl', 'speed', '-multi', CEILING_PROCESSES, '-seconds', wholeSeconds, '-mr', ...args];
  // Each of the figures is measured for so long.
  const { stdout } = await runProcess(command, { seconds: 2 * wholeSeconds, limitMs });
  const totals = stdout
    .split('\n')
    .find((line) => line.startsWith('+F'))
    ?.split(':');
  const value = Number(totals?.at(figure === 'first' ? -2 : -1));
  const opsPerSecond = figure === 'bytes' ? value / size : value;
  if (!(opsPerSecond > 0)) throw new Error('openssl speed printed no figure');
  return { opsPerSecond };
}

module.exports = { measureCeiling, systemOpenSSL };
