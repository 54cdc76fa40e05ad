'use strict';

// Options of this package, from those for node:tls: where handshakes run, and the runner's -async and its callbacks before a
// handshake. With -async, everything that servers ask is answered by a promise, and the key is a function.

const { setImmediate } = require('node:timers/promises');
const { createSecureContext } = require('openssl-async/tls');
const { slowKey } = require('./slow-key.js');

const slow =
  (callback) =>
  async (...args) => {
    await setImmediate();
    return callback(...args);
  };

function place(which) {
  // Every handshake is on a thread, or none.
  return which === 'threads' ? { threads: 1, maxInlineMicros: 0 } : { threads: 0 };
}

function answerHello(settings, options, { servername }) {
  const { async, failEarlyCallback, failDdosCallback, expectServerName } = settings;
  if (failEarlyCallback || failDdosCallback) throw new Error('connection rejected');
  if (expectServerName !== undefined && servername !== expectServerName) throw new Error(`the name is ${servername}`);
  return async ? createSecureContext({ ...options, key: slowKey(settings.keyFile, settings.certFile) }) : undefined;
}

/**
 * @param {object} settings
 * @param {import('node:tls').ConnectionOptions} options
 */
function clientOptions(settings, options) {
  const { async, keyFile, certFile } = settings;
  const key = async && keyFile !== undefined ? { key: slowKey(keyFile, certFile) } : {};
  return { ...options, ...place(settings.which), ...key };
}

/**
 * @param {object} settings
 * @param {import('node:tls').TlsOptions} options
 */
function serverOptions(settings, options) {
  const { async, useEarlyCallback, installDdosCallback, failEarlyCallback } = settings;
  const placed = { ...options, ...place(settings.which) };
  const answer = (hello) => answerHello(settings, options, hello);
  if (!async) {
    const isAsked = useEarlyCallback || installDdosCallback || failEarlyCallback;
    // An error that is thrown at once would be nobody's.
    return isAsked ? { ...placed, onClientHello: slow(answer) } : placed;
  }
  const { ALPNCallback, pskCallback } = options;
  return {
    ...placed,
    // The context is the one that onClientHello chooses.
    key: undefined,
    cert: undefined,
    onClientHello: slow(answer),
    ...(ALPNCallback === undefined ? {} : { ALPNCallback: slow(ALPNCallback) }),
    ...(pskCallback === undefined ? {} : { pskCallback: slow(pskCallback) }),
  };
}

module.exports = { clientOptions, serverOptions };
