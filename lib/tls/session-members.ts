// What TLS has to say of a connection, as members of another object that stands for it: the socket of a session of HTTP/2.
import type { EventEmitter } from 'node:events';
import type { Http2Session } from 'node:http2';
import { TLSSocket } from './socket';

const METHODS = [
  '_destroySSL',
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
// Which a socket that is native has of its own.
const FIELDS = [
  'alpnProtocol',
  'authorizationError',
  'authorized',
  'encrypted',
  'secureConnecting',
  'server',
  'servername',
] as const satisfies (keyof TLSSocket)[];

type GetterName = (typeof PROPERTIES | typeof FIELDS)[number];

function defineGetters<Target extends object>(
  target: Target,
  names: readonly GetterName[],
  connectionOf: (target: Target) => TLSSocket,
): void {
  for (const name of names) {
    const get = function (this: Target): unknown {
      return connectionOf(this)[name];
    };
    Object.defineProperty(target, name, { get, configurable: true });
  }
}

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
  defineGetters(target, PROPERTIES, connectionOf);
}

/**
 * Gives a session what TLS has, where Node.js has put a stream of its own between it and a connection of ours. Other
 * sessions are left as they are.
 * @internal
 */
export function describeSession(session: Http2Session): void {
  if (session.destroyed) return;
  const { stream: connection } = session.socket as { stream?: unknown };
  if (!(connection instanceof TLSSocket)) return;
  // `session.socket` stands for that stream, and returns it as the result of such functions.
  const between = session.socket.removeListener('', () => undefined);
  const connectionOf = (): TLSSocket => connection;
  defineMembers(between, connectionOf);
  defineGetters(between, FIELDS, connectionOf);
  defineGetters(session, ['alpnProtocol', 'encrypted'], connectionOf);
  if (connection.secureConnecting) connectLate(session, connection);
}

// That stream is connected from its begin on, and a session would say so before a client knows its server.
function connectLate(session: Http2Session, connection: TLSSocket): void {
  const emit = session.emit.bind(session) as (event: string, ...args: unknown[]) => boolean;
  const tell = (event: string, ...args: unknown[]): boolean => {
    if (event !== 'connect' || !connection.secureConnecting) return emit(event, ...args);
    connection.once('secureConnect', () => {
      if (!session.destroyed) emit(event, ...args);
    });
    return true;
  };
  Object.defineProperties(session, {
    emit: { value: tell, configurable: true, writable: true },
    connecting: { get: () => connection.secureConnecting, configurable: true },
  });
}

/** Does so for all sessions of a server, before anybody else hears of them. @internal */
export function describeSessions(server: EventEmitter): void {
  if (!server.listeners('session').includes(describeSession)) server.prependListener('session', describeSession);
}
