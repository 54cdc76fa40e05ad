'use strict';

// The flags of BoringSSL's runner. A test with one that is not here is not run: neither library can do what it asks for.

const [SWITCH, NUMBER, NUMBERS, TEXT, BYTES] = ['switch', 'number', 'numbers', 'text', 'bytes'];

const FLAGS = {
  port: NUMBER,
  server: SWITCH,
  'resume-count': NUMBER,
  async: SWITCH,

  'key-file': TEXT,
  'cert-file': TEXT,
  'use-early-callback': SWITCH,
  'fail-early-callback': SWITCH,
  'install-ddos-callback': SWITCH,
  'fail-ddos-callback': SWITCH,

  'min-version': NUMBER,
  'max-version': NUMBER,
  'no-tls1': SWITCH,
  'no-tls11': SWITCH,
  'no-tls12': SWITCH,
  'no-tls13': SWITCH,
  cipher: TEXT,
  'server-preference': SWITCH,
  curves: NUMBERS,
  'signing-prefs': NUMBERS,
  'verify-prefs': NUMBERS,
  'no-ticket': SWITCH,
  'ticket-key': BYTES,
  'max-send-fragment': NUMBER,

  'verify-peer': SWITCH,
  'verify-fail': SWITCH,
  'require-any-client-certificate': SWITCH,
  'use-client-ca-list': TEXT,
  psk: TEXT,
  'psk-identity': TEXT,

  'host-name': TEXT,
  'advertise-alpn': TEXT,
  'select-alpn': TEXT,
  'decline-alpn': SWITCH,
  'reject-alpn': SWITCH,
  'enable-ocsp-stapling': SWITCH,
  'ocsp-response': BYTES,
  'use-ocsp-callback': SWITCH,
  'set-ocsp-in-callback': SWITCH,
  'decline-ocsp-callback': SWITCH,
  'fail-ocsp-callback': SWITCH,
  'renegotiate-freely': SWITCH,
  'forbid-renegotiation-after-handshake': SWITCH,

  'shim-writes-first': SWITCH,
  'shim-shuts-down': SWITCH,
  'write-different-record-sizes': SWITCH,
  'export-keying-material': NUMBER,
  'export-label': TEXT,
  'export-context': TEXT,
  'use-export-context': SWITCH,
  'tls-unique': SWITCH,

  'expect-version': NUMBER,
  'expect-cipher': NUMBER,
  'expect-curve-id': NUMBER,
  'expect-server-name': TEXT,
  'expect-alpn': TEXT,
  'expect-advertised-alpn': TEXT,
  'expect-peer-cert-file': TEXT,
  'expect-ocsp-response': BYTES,
  'expect-session-miss': SWITCH,
  'expect-session-id': SWITCH,
  'expect-no-session-id': SWITCH,
  'expect-no-session': SWITCH,
  'expect-ticket-renewal': SWITCH,

  // How BoringSSL's own shim calls its library.
  'check-close-notify': SWITCH,
  'implicit-handshake': SWITCH,
  'partial-write': SWITCH,
  'peek-then-read': SWITCH,
  'read-size': NUMBER,
  'use-custom-verify-callback': SWITCH,
  'use-old-client-cert-callback': SWITCH,

  // Neither node:tls nor this package tells; the runner sees most of it from its own side.
  'expect-total-renegotiations': NUMBER,
  'expect-extended-master-secret': SWITCH,
  'expect-secure-renegotiation': SWITCH,
  'expect-no-secure-renegotiation': SWITCH,
  'expect-hrr': SWITCH,
  'expect-no-hrr': SWITCH,
  'expect-verify-result': SWITCH,
  'expect-peer-signature-algorithm': NUMBER,
  'expect-peer-verify-pref': NUMBERS,
  'expect-certificate-types': BYTES,
  'expect-msg-callback': TEXT,
};

const toName = (flag) => flag.replace(/-(.)/g, (_, letter) => letter.toUpperCase());

function toValue(kind, text, earlier) {
  if (kind === TEXT) return text;
  if (kind === BYTES) return Buffer.from(text, 'base64');
  return kind === NUMBER ? Number(text) : [...(earlier ?? []), Number(text)];
}

/**
 * The settings of the first connection and of those after it, or the first flag that is not known.
 *
 * @param {string[]} args
 */
function readFlags(args) {
  const settings = { initial: {}, resume: {} };
  const left = [...args];
  while (left.length > 0) {
    const flag = left.shift();
    const [, handshaker, when, name] = /^-(on-handshaker-|on-shim-)?(?:on-(initial|resume)-)?(.*)$/.exec(flag) ?? [];
    const kind = Object.hasOwn(FLAGS, name) ? FLAGS[name] : undefined;
    if (kind === undefined) return { unknown: flag };
    const text = kind === SWITCH ? undefined : left.shift();
    if (handshaker === 'on-handshaker-') continue;
    for (const each of when === undefined ? ['initial', 'resume'] : [when]) {
      const key = toName(name);
      settings[each][key] = kind === SWITCH ? true : toValue(kind, text, settings[each][key]);
    }
  }
  return { settings };
}

module.exports = { readFlags };
