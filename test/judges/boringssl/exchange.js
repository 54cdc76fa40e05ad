'use strict';

// What the runner wants when the handshake is done: properties of the connection, then bytes back.

const { X509Certificate } = require('node:crypto');
const fs = require('node:fs');
const { VERSIONS } = require('./options.js');

const RECORD_BYTES = [0, 1, 255, 256, 257, 16383, 16384, 16385, 32767, 32768, 32769];
const UNIQUE_BYTES = 12;

function expectSame(what, actual, expected) {
  if (actual !== expected) throw new Error(`${what} is ${actual}, not ${expected}`);
}

function checkPeer(socket, { server, psk, requireAnyClientCertificate, expectPeerCertFile }) {
  // node:tls does not tell clients that resume a session.
  if (!server && socket.isSessionReused()) return;
  const certificate = socket.getPeerX509Certificate();
  if (psk !== undefined) expectSame('the certificate', certificate, undefined);
  else if (!server || requireAnyClientCertificate) expectSame('a certificate', certificate !== undefined, true);
  if (expectPeerCertFile === undefined) return;
  const expected = new X509Certificate(fs.readFileSync(expectPeerCertFile));
  expectSame('the certificate', certificate?.fingerprint256, expected.fingerprint256);
}

function check(socket, settings) {
  const { server, isResume, expectVersion, expectServerName, expectCipher } = settings;
  if (expectVersion !== undefined) expectSame('the version', socket.getProtocol(), VERSIONS[expectVersion]);
  expectSame('reuse of the session', socket.isSessionReused(), isResume && !settings.expectSessionMiss);
  const protocol = (server ? settings.selectAlpn : settings.expectAlpn) ?? false;
  expectSame('the protocol', socket.alpnProtocol, protocol);
  if (expectServerName !== undefined) expectSame('the name', socket.servername, expectServerName);
  if (expectCipher !== undefined) expectSame('the cipher', idOf(socket.getCipher()), expectCipher);
  checkPeer(socket, settings);
}

const CIPHER_IDS = {
  TLS_AES_128_GCM_SHA256: 0x1301,
  TLS_AES_256_GCM_SHA384: 0x1302,
  TLS_CHACHA20_POLY1305_SHA256: 0x1303,
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: 0xc02f,
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: 0xc030,
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: 0xcca8,
};
const idOf = ({ standardName }) => CIPHER_IDS[standardName] ?? standardName;

// RFC 5929, section 3.1: the first Finished message.
function uniqueOf(socket, { server, isResume }) {
  const isOurs = Boolean(server) === Boolean(isResume);
  return (isOurs ? socket.getFinished() : socket.getPeerFinished()).subarray(0, UNIQUE_BYTES);
}

function keyingMaterial(socket, settings) {
  const { exportKeyingMaterial, exportLabel, exportContext, useExportContext } = settings;
  const context = useExportContext ? [Buffer.from(exportContext)] : [];
  return socket.exportKeyingMaterial(exportKeyingMaterial, exportLabel, ...context);
}

const inverted = (chunk) => Buffer.from(chunk.map((byte) => byte ^ 0xff));

/** Checks the connection, and answers the runner until it closes. */
function exchange(socket, settings) {
  const { maxSendFragment } = settings;
  if (settings.server && maxSendFragment !== undefined) socket.setMaxSendFragment(maxSendFragment);
  check(socket, settings);
  if (settings.exportKeyingMaterial > 0) socket.write(keyingMaterial(socket, settings));
  if (settings.tlsUnique) socket.write(uniqueOf(socket, settings));
  if (settings.writeDifferentRecordSizes) {
    for (const size of RECORD_BYTES) socket.write(Buffer.alloc(size, 0x42));
    socket.end();
    return;
  }
  if (settings.shimWritesFirst) socket.write('hello');
  if (settings.shimShutsDown) {
    socket.resume();
    socket.end();
    return;
  }
  socket.on('data', (chunk) => socket.write(inverted(chunk)));
}

module.exports = { exchange };
