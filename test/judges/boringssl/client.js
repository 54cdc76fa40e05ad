'use strict';

// A client for one connection.

const { once } = require('node:events');
const net = require('node:net');
const { streamPair } = require('./streams.js');
const { exchange } = require('./exchange.js');
const { contextOptions, GROUPS } = require('./options.js');

function clientOptions(settings, shared) {
  const { hostName, advertiseAlpn, psk, pskIdentity = '' } = settings;
  return {
    ...contextOptions(settings, shared),
    rejectUnauthorized: settings.verifyPeer === true && settings.verifyFail === true,
    checkServerIdentity: () => undefined,
    ...(hostName === undefined ? {} : { servername: hostName }),
    ...(advertiseAlpn === undefined ? {} : { ALPNProtocols: Buffer.from(advertiseAlpn) }),
    ...(settings.enableOcspStapling ? { requestOCSP: true } : {}),
    ...(settings.isResume ? { session: shared.latest } : {}),
    ...(psk === undefined ? {} : { pskCallback: () => ({ psk: Buffer.from(psk), identity: pskIdentity }) }),
  };
}

// Of a new session only.
function checkGroup(socket, { expectCurveId }) {
  if (expectCurveId === undefined || socket.isSessionReused()) return;
  const { name } = socket.getEphemeralKeyInfo();
  const known = { prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521', secp224r1: 'P-224' }[name] ?? name;
  if (known !== GROUPS[expectCurveId]) throw new Error(`the group is ${name}`);
}

function checkStatus({ expectOcspResponse }, { status, isReused }) {
  if (expectOcspResponse === undefined || isReused || status?.equals(expectOcspResponse)) return;
  throw new Error('another OCSP response');
}

// TLS 1.3 tells of sessions after the handshake.
function checkSessions(settings, { isTls13, isReused, count }) {
  const { expectNoSession, expectTicketRenewal, shimShutsDown } = settings;
  if (isTls13 && shimShutsDown) return;
  const isExpected = !expectNoSession && (isTls13 || !isReused || expectTicketRenewal === true);
  if (isExpected !== count > 0) throw new Error(`${count} new sessions`);
}

/** A client's socket, and the other end, which the runner's bytes go through. */
async function meet(settings, options) {
  const isOurs = settings.which !== 'node';
  const { connect } = isOurs ? require('openssl-async/tls') : require('node:tls');
  const given = isOurs ? require('./own-options.js').clientOptions(settings, options) : options;
  if (settings.which === 'streams') {
    const [ours, theirs] = streamPair();
    return [connect({ ...given, socket: ours }), () => theirs];
  }
  const relay = net.createServer({ allowHalfOpen: true, noDelay: true }).listen(0, '127.0.0.1');
  await once(relay, 'listening');
  const accepted = once(relay, 'connection');
  const socket = connect({ ...given, host: '127.0.0.1', port: relay.address().port });
  return [
    socket,
    async () => {
      const [end] = await accepted;
      relay.close();
      return end;
    },
  ];
}

/** Is the client of one connection. `carryTo` carries the runner's bytes to an end of it. */
async function begin(settings, shared, carryTo) {
  if (settings.isResume && shared.latest === undefined) throw new Error('no session to offer');
  const [socket, otherEnd] = await meet(settings, clientOptions(settings, shared));
  if (settings.maxSendFragment !== undefined) socket.setMaxSendFragment(settings.maxSendFragment);
  const told = { count: 0, isTls13: false, isReused: false, status: undefined };
  shared.latest = undefined;
  const ended = new Promise((resolve, reject) => {
    socket.on('error', reject).on('close', resolve);
    socket.on('OCSPResponse', (response) => {
      told.status = response;
    });
    socket.on('session', (session) => {
      ++told.count;
      shared.latest = session;
    });
    // It comes again after each renegotiation.
    socket.once('secureConnect', () => {
      if (!settings.renegotiateFreely || settings.forbidRenegotiationAfterHandshake) socket.disableRenegotiation();
      told.isTls13 = socket.getProtocol() === 'TLSv1.3';
      told.isReused = socket.isSessionReused();
      try {
        exchange(socket, settings);
        checkGroup(socket, settings);
      } catch (error) {
        reject(error);
        socket.destroy();
      }
    });
  });
  ended.catch(() => undefined);
  await carryTo(await otherEnd());
  await ended;
  checkSessions(settings, told);
  checkStatus(settings, told);
}

module.exports = { begin };
