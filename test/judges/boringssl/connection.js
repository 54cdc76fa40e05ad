'use strict';

// One connection with the runner: a server or a client of TLS, and the bytes between it and the runner.

const { once } = require('node:events');
const net = require('node:net');
const { carry } = require('./carrier.js');

/** Connects to the runner; rejects with the error that ended the connection. */
async function connectOnce(settings, shared) {
  const runner = net.connect({ port: settings.port, host: '::1', allowHalfOpen: true, noDelay: true });
  await once(runner, 'connect');
  const carryTo = (end) => carry(runner, end, { inPieces: settings.async });
  const { begin } = settings.server ? require('./server.js') : require('./client.js');
  try {
    await begin(settings, shared, carryTo);
  } finally {
    runner.destroy();
  }
}

module.exports = { connectOnce };
