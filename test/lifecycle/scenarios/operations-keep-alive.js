'use strict';

// What operations do to the life of a process in which nothing else happens.
//
//   node operations-keep-alive.js [pending|inline|idle|aborted|timed-out|unheard]

const { generateKeyPairSync } = require('node:crypto');
const { hash, report, sign } = require('../../support/scenario/library');
const { OPERATIONS, operationsWork, startOperations } = require('../../support/scenario/operations');

// Until the end of the process, from when nothing should keep it alive any more.
function reportExit(results) {
  const last = performance.now();
  process.on('exit', () => report({ ...results, exitAfterMs: performance.now() - last }));
}

const CASES = {
  pending: async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 4096 });
    const signature = await sign('sha256', 'data', privateKey, { mode: 'offload' });
    reportExit({ bytes: signature.length });
  },
  // One after the other within the call, until they have to wait for the loop's next turn.
  inline: async () => {
    let bytes = 0;
    for (let i = 0; i < 1000; ++i) bytes += (await hash('sha256', 'data')).length;
    reportExit({ bytes });
  },
  idle: async () => {
    await Promise.all(startOperations({ timeoutMs: 600_000, signal: new AbortController().signal }));
    reportExit({ works: await operationsWork() });
  },
  aborted: async () => {
    const aborter = new AbortController();
    const settled = Promise.allSettled(startOperations({ signal: aborter.signal }));
    aborter.abort();
    const results = await settled;
    reportExit({ aborted: results.filter(({ reason }) => reason?.name === 'AbortError').length === OPERATIONS });
  },
  'timed-out': async () => {
    const results = await Promise.allSettled(startOperations({ timeoutMs: 1 }));
    reportExit({ timedOut: results.some(({ reason }) => reason?.code === 'ERR_ASYNC_TIMEOUT') });
  },
  // Nobody holds the promises.
  unheard: () => {
    let left = startOperations().map((promise) => promise.then(() => --left)).length;
    process.on('exit', () => report({ left }));
  },
};

void CASES[process.argv[2] ?? 'pending']();
