'use strict';

// A pair of streams that are no sockets, of which each hears when the other one is closed.

const { pipedPair } = require('../../support/piped-pair.js');

function streamPair() {
  const pair = pipedPair();
  const [ours, theirs] = pair;
  ours.on('close', () => {
    if (!ours.writableFinished) theirs.push(null);
  });
  theirs.on('close', () => ours.destroy());
  return pair;
}

module.exports = { streamPair };
