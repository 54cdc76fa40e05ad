'use strict';

// A server for one connection.

const net = require('node:net');
const { once } = require('node:events');
const { streamPair } = require('./streams.js');
const { exchange } = require('./exchange.js');
const { contextOptions } = require('./options.js');
const { later } = require('./later.js');

function readProtocols(wire) {
  const bytes = Buffer.from(wire);
  const names = [];
  for (let at = 0; at < bytes.length; at += 1 + bytes[at])
    names.push(bytes.toString('utf8', at + 1, at + 1 + bytes[at]));
  return names;
}

function chooseProtocol(settings, protocols) {
  if (settings.expectAdvertisedAlpn !== undefined) {
    const expected = readProtocols(settings.expectAdvertisedAlpn).join();
    if (protocols.join() !== expected) throw new Error(`protocols are ${protocols.join()}, not ${expected}`);
  }
  return settings.rejectAlpn ? undefined : settings.selectAlpn;
}

function serverOptions(settings, shared) {
  const { psk, pskIdentity = '' } = settings;
  const asksForProtocol = settings.selectAlpn !== undefined || settings.rejectAlpn;
  return {
    ...contextOptions(settings, shared),
    requestCert: settings.verifyPeer === true || settings.requireAnyClientCertificate === true,
    rejectUnauthorized:
      settings.requireAnyClientCertificate === true || (settings.verifyPeer === true && settings.verifyFail === true),
    ...(asksForProtocol ? { ALPNCallback: ({ protocols }) => chooseProtocol(settings, protocols) } : {}),
    ...(psk === undefined
      ? {}
      : {
          pskCallback: (_, identity) => (identity === pskIdentity ? Buffer.from(psk) : null),
          pskIdentityHint: pskIdentity,
        }),
  };
}

// Sessions that the server keeps, as BoringSSL's does.
function keepSessions(server, settings, shared) {
  const { resumeCount = 0, expectSessionId, expectNoSessionId } = settings;
  if (resumeCount === 0 && !expectSessionId && !expectNoSessionId) return;
  server.on('newSession', (id, session, done) => {
    shared.sessions.set(id.toString('hex'), session);
    later(settings, done);
  });
  server.on('resumeSession', (id, done) => {
    later(settings, () => done(null, shared.sessions.get(id.toString('hex')) ?? null));
  });
}

function giveStatus(server, settings) {
  const { ocspResponse, useOcspCallback, failOcspCallback, declineOcspCallback } = settings;
  if (ocspResponse === undefined && !useOcspCallback) return;
  server.on('OCSPRequest', (_, issuer, done) => {
    later(settings, () => {
      if (failOcspCallback) done(new Error('ocsp cb error'));
      else done(null, declineOcspCallback ? null : ocspResponse);
    });
  });
}

function checkSessions({ isResume, expectSessionId, expectNoSessionId }, { sessions }) {
  if (isResume) return;
  if (expectSessionId && sessions.size === 0) throw new Error('the server has no session');
  if (expectNoSessionId && sessions.size > 0) throw new Error('the server has a session');
}

// Not only the answers of servers of ours come later: the key's do, where there are jobs.
function checkPauses({ async, psk, which }, socket) {
  if (!async || psk !== undefined || which === 'node' || socket.isSessionReused()) return;
  if (require('openssl-async').isCapable() && !(socket.handshake.pauses > 0))
    throw new Error('the handshake has not waited for its key');
}

// The server's end of a connection, and the other end, which the runner's bytes go through.
async function meet(server, { which }) {
  if (which === 'streams') {
    const [ours, theirs] = streamPair();
    server.emit('connection', ours);
    return theirs;
  }
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return net.connect({ port: server.address().port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
}

/** Serves one connection. `carryTo` carries the runner's bytes to an end of it. */
async function begin(settings, shared, carryTo) {
  const isOurs = settings.which !== 'node';
  const options = serverOptions(settings, shared);
  const { createServer } = isOurs ? require('openssl-async/tls') : require('node:tls');
  const server = createServer(isOurs ? require('./own-options.js').serverOptions(settings, options) : options);
  keepSessions(server, settings, shared);
  giveStatus(server, settings);
  const served = new Promise((resolve, reject) => {
    server.on('tlsClientError', reject);
    server.on('secureConnection', (socket) => {
      socket.on('error', reject).on('close', resolve);
      try {
        exchange(socket, settings);
        checkSessions(settings, shared);
        checkPauses(settings, socket);
      } catch (error) {
        reject(error);
        socket.destroy();
      }
    });
  });
  served.catch(() => undefined);
  await carryTo(await meet(server, settings));
  server.close();
  await served;
}

module.exports = { begin };
