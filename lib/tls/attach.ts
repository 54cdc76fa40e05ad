// Connections of ours for a server that is there already.
import type { Server as HttpServer } from 'node:http';
import * as nodeHttps from 'node:https';
import { nodesClass } from './callable';
import { readHttpsOptions, type TlsOptions } from './options';
import { Server } from './tls';

const NodesHttpsServer = nodesClass(nodeHttps.Server);

// The interval of http's time limits begins with 'listening', and ends with close().
interface Limited {
  closeIdleConnections?(): void;
}

/**
 * Gives the connections of a new server of TLS to a server of HTTP that somebody else has made, for example a
 * framework. Call `listen()` and `close()` of the server that is returned: the other one listens to nothing by itself,
 * and its time limits are in force from `listen()` on. Experimental.
 *
 * @param server - a server of `node:http` or `node:https`, or of the same kind
 * @param options - of the new server, as those of `createServer()`; ALPN offers `http/1.1` by default
 * @returns the new server, which does not listen yet
 * @throws what `createServer()` throws
 */
export function attach(server: HttpServer | nodeHttps.Server, options: TlsOptions): Server {
  // Servers of node:https hear of open connections by another event.
  const event = server instanceof NodesHttpsServer ? 'secureConnection' : 'connection';
  const front = new Server(readHttpsOptions(options) as TlsOptions, (socket) => {
    server.emit(event, socket);
  });
  front.on('tlsClientError', (error, socket) => {
    if (!server.emit('clientError', error, socket)) socket.destroy(error);
  });
  front.on('listening', () => server.emit('listening'));
  const close = front.close.bind(front);
  front.close = (done) => {
    (server as Limited).closeIdleConnections?.();
    return close(done);
  };
  front.on('close', () => {
    // Ends the time limits; the server has no handle that could be closed.
    server.close(() => undefined);
  });
  return front;
}
