'use strict';

// Streams without a descriptor: what is written to one of a pair, the other one reads.

const { Duplex } = require('node:stream');

class Piped extends Duplex {
  other;
  #wanted;

  _read() {
    const wanted = this.#wanted;
    this.#wanted = undefined;
    wanted?.();
  }

  _write(bytes, _, callback) {
    this.other.#wanted = callback;
    this.other.push(bytes);
  }

  _final(callback) {
    this.other.push(null);
    callback();
  }
}

function pipedPair() {
  const pair = [new Piped(), new Piped()];
  [pair[0].other, pair[1].other] = [pair[1], pair[0]];
  return pair;
}

module.exports = { pipedPair };
