'use strict';

// h2load, which keeps many connections busy at once, by HTTP/1.1 or HTTP/2.

const { execFileSync, spawn } = require('node:child_process');
const { once } = require('node:events');

function hasH2load() {
  try {
    execFileSync('h2load', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

// For the handshakes of all connections.
const WARM_UP_SECONDS = 4;
const MICROS = { us: 1, ms: 1e3, s: 1e6 };

/** From its report. Throws where a request failed. */
function resultOf(said) {
  const [, perSecond] = /finished in .*?, ([\d.]+) req\/s/.exec(said) ?? [];
  const [requests, count, succeeded] = /^requests: .*? (\d+) done, (\d+) succeeded.*$/m.exec(said) ?? [];
  const times = /^time for request: +\S+ +([\d.]+)(\w+) +([\d.]+)(\w+)/m.exec(said);
  const [, least] = /^req\/s +: +([\d.]+)/m.exec(said) ?? [];
  if (least === undefined || times === null || Number(count) === 0) throw new Error(`h2load says: ${said}`);
  if (count !== succeeded) throw new Error(requests);
  const [, max, maxUnit, mean, meanUnit] = times;
  return {
    perSecond: Number(perSecond),
    leastPerSecond: Number(least),
    count: Number(count),
    meanMs: (mean * MICROS[meanUnit]) / 1e3,
    maxMs: (max * MICROS[maxUnit]) / 1e3,
  };
}

/**
 * Begins to load a server.
 *
 * @returns promises: `warm` when the measured time begins, `over` at its end, and `result` when all connections have
 * ended
 */
function startH2load({ connections, bytes, streams }, { port, scheme }, seconds) {
  const protocol = streams === undefined ? '--h1' : `-m${streams}`;
  const args = [protocol, '-t1', `-c${connections}`, `-D${seconds}`, `--warm-up-time=${WARM_UP_SECONDS}`];
  const child = spawn('h2load', [...args, `${scheme}://127.0.0.1:${port}/${bytes}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 60_000,
  });
  const ended = once(child, 'close');
  let said = '';
  const hasSaid = (text) =>
    new Promise((resolve, reject) => {
      const look = () => said.includes(text) && resolve();
      child.stdout.on('data', look);
      ended.then(() => reject(new Error(`h2load says: ${said}`)), reject);
    });
  child.stdout.setEncoding('utf8').on('data', (text) => (said += text));
  return {
    warm: hasSaid('Main benchmark duration is started'),
    over: hasSaid('Main benchmark duration is over'),
    result: ended.then(() => resultOf(said)),
  };
}

module.exports = { hasH2load, startH2load };
