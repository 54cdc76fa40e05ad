'use strict';

// Real exhaustion of file descriptors, down to each number of free ones that could matter.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { faultOf, run } = require('./run.js');

const FREE = [0, 1, 2, 3, 4, 5, 6];
const skip = process.platform === 'win32' ? 'Windows has no such limit' : false;

describe('without file descriptors', { concurrency: 2, skip }, () => {
  for (const when of ['before the addon is loaded', 'afterwards']) {
    for (const place of ['main', 'worker']) {
      test(`${when}, ${place} thread`, async () => {
        for (const free of FREE) {
          const ended = await run('descriptors.js', [place, when, String(free)]);
          assert.equal(faultOf(ended), undefined, `${free} free, ${when}, in the ${place}`);
        }
      });
    }
  }
});
