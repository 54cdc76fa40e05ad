// Sessions as a client's callers have them. A resumed handshake shows no certificate, so current releases of Node.js put
// the name of the server before OpenSSL's encoding, and offer the session to no other server.
import * as nodeTls from 'node:tls';

const PREFIX = Buffer.from('\0nodejs:tls:session:1\0');
const LENGTH_BYTES = 2;
const MOST_NAME_BYTES = 2 ** 16 - 1;

// Sessions of node:tls and ours stand for each other, so ours have names where node:tls's have. Its function is asked with
// the least that it looks at.
const getSession = Reflect.get(nodeTls.TLSSocket.prototype, 'getSession') as (this: object) => Buffer | undefined;
const sample = Buffer.alloc(1);
let hasNames: boolean | undefined;

function nodesHaveNames(): boolean {
  if (hasNames === undefined) {
    try {
      const socket = { _handle: { getSession: () => sample }, _tlsOptions: {} };
      hasNames = getSession.call(socket)?.length !== sample.length;
    } catch {
      hasNames = true;
    }
  }
  return hasNames;
}

/** What callers get for a session in OpenSSL's encoding, with the server of this name. */
export function namedSession(session: Buffer, name: string): Buffer {
  const bytes = Buffer.from(name);
  if (!nodesHaveNames() || bytes.length > MOST_NAME_BYTES) return session;
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([PREFIX, length, bytes, session]);
}

/**
 * The session, in OpenSSL's encoding, of what a caller has given; undefined where it must not be offered to the server of
 * this name. One without a name counts where the server need not be trusted, or where node:tls has no others.
 */
export function sessionFor(name: string, given: Uint8Array, mustTrust: boolean): Uint8Array | undefined {
  const bytes = Buffer.from(given.buffer, given.byteOffset, given.byteLength);
  const nameAt = PREFIX.length + LENGTH_BYTES;
  const isNamed = bytes.length >= nameAt && bytes.subarray(0, PREFIX.length).equals(PREFIX);
  if (!isNamed) return mustTrust && nodesHaveNames() ? undefined : given;
  const end = nameAt + bytes.readUInt16BE(PREFIX.length);
  return bytes.length >= end && bytes.toString('utf8', nameAt, end) === name ? bytes.subarray(end) : undefined;
}
