// Connections of ours for a server that is there already.
import type { Server as HttpServer } from 'node:http';
import type { Http2SecureServer } from 'node:http2';
import * as nodeHttps from 'node:https';
import * as nodeTls from 'node:tls';
import { nodesClass } from './callable';
import type { NodeServer } from './handle';
import { readHttpsOptions, readServerOptions, withoutEarlyData, type ServerOptions, type TlsOptions } from './options';
import { ServerCore } from './server-core';
import { defineServerMethods } from './server-methods';
import { describeSessions } from './session-members';
import { SessionSocket } from './session-socket';
import { Server } from './tls';

const NodesTlsServer = nodesClass(nodeTls.Server);
const NodesHttpsServer = nodesClass(nodeHttps.Server);

// The interval of http's time limits begins with 'listening', and ends with close().
interface Limited {
  closeIdleConnections?(): void;
}

// Gives sessions of HTTP/2 native sockets.
class SessionServer extends NodesTlsServer {
  constructor(options: ServerOptions) {
    super(options as nodeTls.TlsOptions);
    new ServerCore(this as unknown as NodeServer, options, (socket) => SessionSocket.of(socket));
  }
}
defineServerMethods(SessionServer);

// As the server was made to offer them.
function readSessionOptions(value: unknown, server: object): ServerOptions {
  const { ALPNProtocols } = server as { ALPNProtocols?: unknown };
  return { ALPNProtocols, ...readServerOptions(value) };
}

/**
 * Gives the connections of a new server of TLS to a server of HTTP or HTTP/2 that somebody else has made, for example a
 * framework. Call `listen()` and `close()` of the server that is returned: the other one listens to nothing by itself,
 * and its time limits are in force from `listen()` on. Experimental.
 *
 * @param server - a server of `node:http` or `node:https`, one of `createSecureServer()` of `node:http2`, or of the same kind
 * @param options - of the new server, as those of `createServer()`. By default, ALPN offers `http/1.1`, and for HTTP/2 what `server` would offer.
 * @returns the new server, which does not listen yet
 * @throws what `createServer()` throws
 */
export function attach(server: HttpServer | nodeHttps.Server | Http2SecureServer, options: TlsOptions): nodeTls.Server {
  const isSecure = server instanceof NodesTlsServer;
  const hasSessions = isSecure && !(server instanceof NodesHttpsServer);
  if (hasSessions) describeSessions(server);
  const front = hasSessions
    ? new SessionServer(withoutEarlyData(readSessionOptions(options, server)))
    : new Server(withoutEarlyData(readHttpsOptions(options)) as TlsOptions);
  // Servers of HTTPS and HTTP/2 hear of open connections by another event.
  front.on('secureConnection', (socket) => {
    Object.assign(socket, { server }); // http finds its classes of requests and answers there
    server.emit(isSecure ? 'secureConnection' : 'connection', socket);
  });
  front.on('tlsClientError', (error, socket) => {
    if (!server.emit('clientError', error, socket)) socket.destroy(error);
  });
  front.on('listening', () => server.emit('listening'));
  const close = front.close.bind(front);
  // Ends the time limits, and sessions where Node.js does so; the server has no handle that could be closed.
  const end = (): void => {
    server.close(() => undefined);
  };
  front.close = (done) => {
    if (hasSessions) end();
    else (server as Limited).closeIdleConnections?.();
    return close(done);
  };
  if (!hasSessions) front.on('close', end);
  return front;
}
