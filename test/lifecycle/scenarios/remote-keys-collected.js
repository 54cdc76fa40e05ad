'use strict';

// Remote keys that nobody holds but the operations that need them.

const { verify } = require('node:crypto');
const { createRemoteKey, garbageCollector, report, sign, until } = require('../../support/scenario/library');
const { answeringKey, publicKey } = require('../../support/scenario/remote-keys');

const collect = garbageCollector();

async function main() {
  const promises = Array.from({ length: 200 }, () => sign(null, 'data', answeringKey()));
  collect();
  await new Promise(setImmediate);
  collect();
  const signatures = await Promise.all(promises);
  report({ valid: signatures.filter((each) => verify(null, Buffer.from('data'), publicKey, each)).length });

  let collected = false;
  const registry = new FinalizationRegistry(() => (collected = true));
  (() => {
    const ask = () => Buffer.alloc(64);
    registry.register(ask, undefined);
    createRemoteKey({ publicKey, sign: ask });
  })();
  await until(() => {
    collect();
    return collected;
  });
  report({ collected });
}

void main();
