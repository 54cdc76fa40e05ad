'use strict';

// Carries bytes between the runner and one end of TLS. The runner gets every byte that this end has sent before it closed,
// alerts among them: a socket that closes with bytes unread would reset the connection under the runner's hands.

const { once } = require('node:events');
const { setImmediate } = require('node:timers/promises');

const SMALL_PIECE_BYTES = 7;
const MAX_PIECES = 64;

async function writePieces(end, chunk) {
  const size = Math.max(SMALL_PIECE_BYTES, Math.ceil(chunk.length / MAX_PIECES));
  for (let at = 0; at < chunk.length && end.writable; at += size) {
    end.write(chunk.subarray(at, at + size));
    await setImmediate();
  }
}

/**
 * Settles when the runner has closed its connection.
 *
 * @param {import('node:net').Socket} runner
 * @param {import('node:stream').Duplex} end
 * @param {{ inPieces?: boolean }} options - `inPieces`: the end of TLS gets the runner's bytes a few at a time
 */
async function carry(runner, end, { inPieces = false }) {
  let written = Promise.resolve();
  const afterwards = (body) => {
    written = written.then(body);
  };
  end.on('data', (chunk) => runner.write(chunk));
  const finish = () => runner.end();
  end.on('end', finish).on('close', finish).on('error', finish);
  runner.on('data', (chunk) => {
    afterwards(() => {
      if (!end.writable) return undefined;
      return inPieces ? writePieces(end, chunk) : void end.write(chunk);
    });
  });
  runner.on('end', () => {
    afterwards(() => void end.end());
  });
  runner.on('error', () => end.destroy());
  await once(runner, 'close').catch(() => undefined);
  await written;
}

module.exports = { carry };
