'use strict';

// The process ends with hundreds of operations that wait for remote keys.
//
//   node remote-keys-exit.js [plain|function|answer|exit-handler|throw|throw-in-answer|aborted|wait]

const { createRemoteKey, report, sign } = require('../../support/scenario/library');
const { answeringKey, never, publicKey, startRemoteOperations } = require('../../support/scenario/remote-keys');

function fail() {
  throw new Error('thrown on purpose');
}

const exit = () => process.exit(3);
const key = (ask) => createRemoteKey({ publicKey, sign: ask });

const WAYS = {
  plain: exit,
  // From within a function that is asked.
  function: () => void sign(null, 'data', key(exit)),
  // From within the telling of results.
  answer: () => void sign(null, 'data', answeringKey()).then(exit),
  'exit-handler': () => {
    process.on('exit', () => void sign(null, 'data', key(never)));
    exit();
  },
  throw: fail,
  'throw-in-answer': () => void sign(null, 'data', answeringKey()).then(() => setImmediate(fail)),
};

async function aborted() {
  const aborter = new AbortController();
  const { asked } = await startRemoteOperations({ options: { signal: aborter.signal } });
  report({ asked });
  aborter.abort();
  const began = performance.now();
  process.on('exit', () => report({ exitAfterMs: performance.now() - began }));
}

async function wait() {
  await sign(null, 'data', answeringKey());
  report({ answered: true });
  await sign(null, 'data', createRemoteKey({ publicKey, sign: never, timeoutMs: 100 })).catch(({ code }) =>
    report({ code }),
  );
}

async function main(way) {
  if (way === 'aborted') return aborted();
  if (way === 'wait') return wait();
  const { asked } = await startRemoteOperations();
  report({ asked });
  return WAYS[way]();
}

void main(process.argv[2] ?? 'plain');
