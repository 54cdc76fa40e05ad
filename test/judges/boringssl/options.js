'use strict';

// What the runner's flags are as options of node:tls.

const { constants } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');

const VERSIONS = { 0x301: 'TLSv1', 0x302: 'TLSv1.1', 0x303: 'TLSv1.2', 0x304: 'TLSv1.3' };
const GROUPS = { 21: 'P-224', 23: 'P-256', 24: 'P-384', 25: 'P-521', 29: 'X25519' };
const SIGNATURES = {
  0x201: 'rsa_pkcs1_sha1',
  0x401: 'rsa_pkcs1_sha256',
  0x501: 'rsa_pkcs1_sha384',
  0x601: 'rsa_pkcs1_sha512',
  0x203: 'ECDSA+SHA1',
  0x403: 'ecdsa_secp256r1_sha256',
  0x503: 'ecdsa_secp384r1_sha384',
  0x603: 'ecdsa_secp521r1_sha512',
  0x804: 'rsa_pss_rsae_sha256',
  0x805: 'rsa_pss_rsae_sha384',
  0x806: 'rsa_pss_rsae_sha512',
  0x807: 'ed25519',
};
const TLS13_CIPHERS = 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256';
const DEFAULT_GROUPS = [29, 23, 24];
const TICKET_KEYS_BYTES = 48;

const isWithin = (table, values = []) => values.every((value) => Object.hasOwn(table, value));
const sortedText = (values) => [...values].sort((a, b) => a - b).join();

/** Whether options can say what the values of the flags ask for. */
function canDoOnce(settings, which) {
  const { server, cipher, signingPrefs, verifyPrefs, useClientCaList, pskIdentity } = settings;
  const versions = [settings.minVersion, settings.maxVersion].filter((version) => version !== undefined);
  if (!isWithin(VERSIONS, versions) || !isWithin(GROUPS, settings.curves)) return false;
  if (!isWithin(SIGNATURES, signingPrefs) || !isWithin(SIGNATURES, verifyPrefs)) return false;
  // `sigalgs` are both.
  if (signingPrefs && verifyPrefs && sortedText(signingPrefs) !== sortedText(verifyPrefs)) return false;
  // Ciphers of equal preference are BoringSSL's own.
  if (cipher?.includes('[')) return false;
  if (useClientCaList !== undefined && !useClientCaList.startsWith('<')) return false;
  if (pskIdentity !== undefined && settings.psk === undefined) return false;
  // Clients cannot refuse a status.
  if (settings.failOcspCallback && !server) return false;
  // node:tls asks nobody before a handshake.
  return which !== 'node' || !(settings.failEarlyCallback || settings.failDdosCallback);
}

/** Whether both kinds of connections can be had. */
function canDo({ initial, resume }, which) {
  // With node:tls, a certificate that was refused once is refused in each connection.
  const verifiesOnResume = resume.verifyFail && !initial.verifyFail;
  return !verifiesOnResume && canDoOnce(initial, which) && canDoOnce(resume, which);
}

function secureOptionsOf(settings) {
  let bits = constants.SSL_OP_LEGACY_SERVER_CONNECT;
  if (settings.noTicket) bits |= constants.SSL_OP_NO_TICKET;
  if (settings.noTls1) bits |= constants.SSL_OP_NO_TLSv1;
  if (settings.noTls11) bits |= constants.SSL_OP_NO_TLSv1_1;
  if (settings.noTls12) bits |= constants.SSL_OP_NO_TLSv1_2;
  if (settings.noTls13) bits |= constants.SSL_OP_NO_TLSv1_3;
  return bits;
}

// All certificates of the runner are known: which one comes is nothing that it asks about.
function knownCertificates(settings) {
  const folder = path.dirname(settings.certFile);
  const names = fs.readdirSync(folder).filter((name) => name.endsWith('cert.pem'));
  return names.map((name) => fs.readFileSync(path.join(folder, name)));
}

// `sigalgs` are those of both sides. A server has to sign, too.
function signaturesOf({ server, signingPrefs, verifyPrefs }) {
  return signingPrefs ?? (server && verifyPrefs ? [...new Set([...verifyPrefs, 0x804, 0x401])] : verifyPrefs);
}

/** Options of a context. */
function contextOptions(settings, shared) {
  const { keyFile, certFile, ticketKey, curves = DEFAULT_GROUPS } = settings;
  const signatures = signaturesOf(settings);
  const ciphers = settings.cipher ?? 'ALL:!aNULL:!eNULL';
  shared.ticketKeys ??= ticketKey ?? Buffer.from(Array.from({ length: TICKET_KEYS_BYTES }, (_, index) => index));
  return {
    ...(keyFile === undefined ? {} : { key: fs.readFileSync(keyFile) }),
    ...(certFile === undefined ? {} : { cert: fs.readFileSync(certFile) }),
    ...(settings.requireAnyClientCertificate && !settings.verifyFail ? { ca: knownCertificates(settings) } : {}),
    ...(signatures === undefined ? {} : { sigalgs: signatures.map((id) => SIGNATURES[id]).join(':') }),
    ...(settings.server ? { ticketKeys: shared.ticketKeys, sessionIdContext: 'shim' } : {}),
    minVersion: VERSIONS[settings.minVersion] ?? 'TLSv1',
    maxVersion: VERSIONS[settings.maxVersion] ?? 'TLSv1.3',
    secureOptions: secureOptionsOf(settings),
    ciphers: `${TLS13_CIPHERS}:${ciphers}:@SECLEVEL=0`,
    ecdhCurve: [...new Set(curves)].map((id) => GROUPS[id]).join(':'),
    honorCipherOrder: settings.cipher !== undefined || settings.serverPreference === true,
  };
}

module.exports = { canDo, contextOptions, GROUPS, VERSIONS };
