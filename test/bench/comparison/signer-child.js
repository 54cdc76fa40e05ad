'use strict';

// node signer-child.js SIDE ALGORITHM IN_FLIGHT SECONDS: keeps so many signatures in flight, and sends what it measured.

const { monitorEventLoopDelay } = require('node:perf_hooks');
const { setImmediate: turn } = require('node:timers/promises');
const { KEYS, SIGNERS } = require('./signers.js');

const WARM_UP_MS = 500;

async function main() {
  const [side, algorithm, inFlight, seconds] = process.argv.slice(2);
  const sign = await SIGNERS[side].create(KEYS[algorithm](), algorithm);
  const data = Buffer.alloc(256, 'x');
  const delay = monitorEventLoopDelay({ resolution: 1 });
  let calls = 0;
  let over = false;

  async function keepOne() {
    for (; !over; ++calls) {
      const signature = sign(data);
      if (typeof signature.then === 'function') await signature;
      else await turn(); // as between two requests
    }
  }

  const chains = Array.from({ length: side === 'sync' ? 1 : Number(inFlight) }, keepOne);
  await new Promise((resolve) => setTimeout(resolve, WARM_UP_MS));
  const [begun, callsBefore] = [performance.now(), calls];
  delay.enable();
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const perSecond = (calls - callsBefore) / ((performance.now() - begun) / 1000);
  delay.disable();
  over = true;
  await Promise.all(chains);
  process.send({ perSecond, p99: delay.percentile(99) / 1e6 }, () => process.exit());
}

void main();
