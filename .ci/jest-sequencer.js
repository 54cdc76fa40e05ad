'use strict';

// The longest files first. Without a cache of an earlier run Jest begins with the largest ones, and then waits at the end
// for a short file whose tests take long, with one core idle.

const { default: Sequencer } = require('@jest/test-sequencer');

const LONGEST = [
  'lifecycle/worker-churn',
  'integration/reentrancy',
  'fuzz/state-machine',
  'lifecycle/secrets',
  'lifecycle/operations',
  'integration/waiting-rules',
  'integration/cli',
  'lifecycle/remote-keys',
  'integration/pkcs11-engine',
  'lifecycle/worker',
  'integration/accelerator-module',
  'lifecycle/soak',
  'lifecycle/process',
  'lifecycle/key-pairs',
];

const rank = ({ path }) => {
  const index = LONGEST.findIndex((name) => path.replaceAll('\\', '/').endsWith(`test/${name}.test.ts`));
  return index === -1 ? LONGEST.length : index;
};

module.exports = class LongestFirst extends Sequencer {
  async sort(tests) {
    const sorted = await super.sort(tests);
    return sorted.sort((one, other) => rank(one) - rank(other));
  }
};
