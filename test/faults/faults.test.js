'use strict';

// Runs the scenario again and again, each time with another of the addon's calls to the system failing.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { faultOf, run } = require('./run.js');

const skip = process.env.OPENSSL_ASYNC_NO_SHIM || false;

// By kind of call, which of them fail. Where there are hundreds that are alike, the first of them and some of the others.
const every = (number) => number + 1;
const some = (number) => (number < 12 ? number + 1 : Math.ceil(number * 1.4));
const KINDS = {
  pthread_create: { next: every },
  epoll_create: { next: every },
  epoll_ctl: { next: every },
  eventfd: { next: every },
  pipe: { next: every },
  open: { next: every },
  mmap: { next: every, mayBeNone: true }, // guarded stacks, which older versions of OpenSSL do not have
  malloc: { next: every, mayBeNone: true },
  bytes: { next: every },
  large: { next: every },
  string: { next: some },
  small: { next: some, mayDie: true },
  openssl: { next: some, mayHarmOpenSSL: true },
};

async function failEach(kind, place) {
  const { next, ...allowed } = KINDS[kind];
  for (let number = 1; ; number = next(number)) {
    const fault = `${kind}:${number}`;
    const ended = await run('scenario.js', [place], {
      LD_PRELOAD: process.env.OPENSSL_ASYNC_FAULT_SHIM,
      OPENSSL_ASYNC_FAULT: fault,
    });
    assert.equal(faultOf(ended, allowed), undefined, `${fault} in the ${place}`);
    if (ended.stderr.includes('fault: hit')) continue;
    assert.ok(number > 1 || allowed.mayBeNone === true, `the scenario makes no call of kind ${kind}`);
    return;
  }
}

describe('one failing call leaves a thread that works', { concurrency: 2, skip }, () => {
  for (const kind of Object.keys(KINDS)) {
    for (const place of ['main', 'worker']) test(`${kind}, ${place} thread`, () => failEach(kind, place));
  }
});

describe('without threads for the pool', { concurrency: 2, skip }, () => {
  test('operations run on the event loop, or say what is missing', async () => {
    const env = { LD_PRELOAD: process.env.OPENSSL_ASYNC_FAULT_SHIM, OPENSSL_ASYNC_FAULT: 'pthread_create:0' };
    const { code, stdout, stderr } = await run('no-threads.js', [], env);
    assert.equal(code, 0, stderr);
    assert.deepEqual(JSON.parse(stdout), {
      auto: 64,
      inline: 64,
      accelerator: 64,
      offload: 'ERR_ASYNC_NO_THREADS',
      pool: 0,
    });
  });
});
