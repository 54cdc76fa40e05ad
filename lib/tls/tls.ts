/**
 * `openssl-async/tls`: servers and clients of `node:tls` whose connections are this package's. Experimental: options, events and
 * names may change before a release says otherwise.
 *
 * @module
 */
import * as nodeTls from 'node:tls';
import { callable, nodesClass } from './callable';
import { Client } from './client';
import type { ConnectionOptions } from './connect-options';
import type { NodeServer } from './handle';
import { readServerOptions, type TlsOptions } from './options';
import { ServerCore } from './server-core';
import { defineServerMethods } from './server-methods';
import type { TLSSocket } from './socket-class';

export { getCertificateCompressionAlgorithms, type CertificateCompressionAlgorithm } from './certificate-compression';
export {
  createSecureContext,
  SecureContext,
  type OwnContextOptions,
  type SecureContextOptions,
  type ServerKey,
} from './context';
export { type ConnectionOptions, type OwnConnectOptions } from './connect-options';
export { type HandshakeMessage } from './handshake-channels';
export {
  type ClientHello,
  type OwnServerOptions,
  type SharedKey,
  type SharedKeyHolder,
  type TlsOptions,
} from './options';
export { TLSSocket, type TLSSocketOptions } from './socket-class';
export { type Handshake } from './socket-owner';
export { undiciConnector, type UndiciCallback, type UndiciConnectOptions, type UndiciConnectorOptions } from './undici';
export {
  checkServerIdentity,
  CLIENT_RENEG_LIMIT,
  CLIENT_RENEG_WINDOW,
  DEFAULT_CIPHERS,
  DEFAULT_ECDH_CURVE,
  DEFAULT_MAX_VERSION,
  DEFAULT_MIN_VERSION,
  getCiphers,
  rootCertificates,
} from 'node:tls';

const authorities = nodeTls as unknown as {
  getCACertificates: (type?: 'default' | 'system' | 'bundled' | 'extra') => readonly string[];
  setDefaultCACertificates: (certificates: readonly (string | NodeJS.ArrayBufferView)[]) => void;
};
/** As that of `node:tls`, and undefined where it has none: before Node.js 22.15. */
export const { getCACertificates } = authorities;
/** As that of `node:tls`, for clients of this package, too. Undefined where it has none: before Node.js 22.19. */
export const { setDefaultCACertificates } = authorities;

/** What sockets of this package have, and those of `node:tls` have not. */
export type OwnSocketMembers = Pick<
  TLSSocket,
  'earlyDataAccepted' | 'handshake' | 'handshakeComplete' | 'isEarlyData' | 'setServername'
>;

const NodesServer = nodesClass(nodeTls.Server);

// The constructor's work on an object that is there.
function initialise(self: TlsServer, [options, listener]: unknown[]): void {
  const given = readServerOptions(options);
  (NodesServer as unknown as (...args: unknown[]) => void).call(self, given, listener);
  new ServerCore(self as unknown as NodeServer, given);
}

/**
 * A server of TLS: `tls.Server` of Node.js, whose connections are this package's {@link TLSSocket}s. Experimental.
 *
 * `addContext()` also takes a context of {@link createSecureContext}. `emit('connection', stream)` serves a stream: a socket of `node:net`, by its descriptor, or any other `Duplex`, on the event loop.
 */
class TlsServer extends NodesServer {
  /**
   * @param options - as those of `tls.createServer()` of Node.js, and {@link OwnServerOptions}
   * @param listener - hears 'secureConnection'
   */
  constructor(options?: TlsOptions, listener?: (socket: nodeTls.TLSSocket & OwnSocketMembers) => void) {
    const given = readServerOptions(options);
    super(given as nodeTls.TlsOptions, listener as ((socket: nodeTls.TLSSocket) => void) | undefined);
    new ServerCore(this as unknown as NodeServer, given);
  }
}

defineServerMethods(TlsServer);
Object.defineProperty(TlsServer, 'name', { value: 'Server' });

/** See {@link Server} of this module; it can be called without `new`. Experimental. */
export const Server = callable(TlsServer, NodesServer, initialise);
/** An instance of {@link Server}. */
export type Server = TlsServer;

/**
 * Makes a server of TLS. Experimental.
 *
 * @param options - see {@link Server}; or the listener
 * @param listener - hears 'secureConnection'
 * @returns the server, which does not listen yet
 * @throws with the codes of Node.js for wrong options; `ERR_ASYNC_UNSUPPORTED` where there is no TLS.
 */
export function createServer(
  options?: TlsOptions | ((socket: nodeTls.TLSSocket & OwnSocketMembers) => void),
  listener?: (socket: nodeTls.TLSSocket & OwnSocketMembers) => void,
): Server {
  return typeof options === 'function' ? new Server({}, options) : new Server(options, listener);
}

/**
 * Connects to a server of TLS. Experimental.
 *
 * @param options - as those of `tls.connect()` of Node.js, and {@link OwnConnectOptions}
 * @param listener - hears 'secureConnect'
 * @returns the socket, a {@link TLSSocket}
 * @throws with the codes of Node.js for wrong options; `ERR_ASYNC_UNSUPPORTED` where there is no TLS.
 */
export function connect(options: ConnectionOptions, listener?: () => void): nodeTls.TLSSocket & OwnSocketMembers;
/** As above, with port and host. */
export function connect(
  port: number,
  host?: string,
  options?: ConnectionOptions,
  listener?: () => void,
): nodeTls.TLSSocket & OwnSocketMembers;
/** As above, with a port. */
export function connect(
  port: number,
  options?: ConnectionOptions,
  listener?: () => void,
): nodeTls.TLSSocket & OwnSocketMembers;
export function connect(...args: unknown[]): nodeTls.TLSSocket & OwnSocketMembers {
  return Client.connect(args) as unknown as nodeTls.TLSSocket & OwnSocketMembers;
}
