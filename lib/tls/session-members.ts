// What TLS has to say of a connection, as members of another object that stands for it: the socket of a session of HTTP/2.
import type { TLSSocket } from './socket';

const METHODS = [
  'address',
  'disableRenegotiation',
  'enableTrace',
  'exportKeyingMaterial',
  'getCertificate',
  'getCipher',
  'getEphemeralKeyInfo',
  'getFinished',
  'getPeerCertificate',
  'getPeerFinished',
  'getPeerX509Certificate',
  'getProtocol',
  'getSession',
  'getSharedSigalgs',
  'getTLSTicket',
  'getX509Certificate',
  'isSessionReused',
  'renegotiate',
  'setKeepAlive',
  'setKeyCert',
  'setMaxSendFragment',
  'setNoDelay',
  'setServername',
  'setSession',
] as const satisfies (keyof TLSSocket)[];
const PROPERTIES = [
  'handshake',
  'localAddress',
  'localFamily',
  'localPort',
  'remoteAddress',
  'remoteFamily',
  'remotePort',
  'truncated',
] as const satisfies (keyof TLSSocket)[];
/** Whatever the connection answers for. @internal */
export function defineMembers<Target extends object>(
  target: Target,
  connectionOf: (target: Target) => TLSSocket,
): void {
  for (const name of METHODS) {
    const value = function (this: Target, ...args: unknown[]): unknown {
      const connection = connectionOf(this);
      const result = (connection[name] as (...given: unknown[]) => unknown).apply(connection, args);
      return result === connection ? this : result;
    };
    Object.defineProperty(target, name, { value, configurable: true, writable: true });
  }
  for (const name of PROPERTIES) {
    const get = function (this: Target): unknown {
      return connectionOf(this)[name];
    };
    Object.defineProperty(target, name, { get, configurable: true });
  }
}
