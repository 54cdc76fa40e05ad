// The class TLSSocket as users have it: `new TLSSocket(stream, options)` begins a connection of either side over a stream.
import type { Duplex } from 'node:stream';
import * as nodeTls from 'node:tls';
import { nodesClass } from './callable';
import { Client } from './client';
import { toStream, type ClientOptions, type ConnectionOptions } from './connect-options';
import type { NodeServer } from './handle';
import { readServerOptions, type TlsOptions } from './options';
import { ServerCore } from './server-core';
import { TLSSocket as Socket } from './socket';

/** Options of `new TLSSocket()`: those of the side that it is. */
export type TLSSocketOptions = Omit<nodeTls.TLSSocketOptions, keyof ConnectionOptions | keyof TlsOptions> &
  Omit<ConnectionOptions, keyof TlsOptions> &
  TlsOptions;

interface AnyOptions extends ClientOptions {
  isServer?: unknown;
  server?: unknown;
}

type Construct = (owner: unknown, server: unknown) => Socket;

function makeClient(given: unknown, options: AnyOptions, construct: Construct): Socket {
  const stream = toStream(given);
  const client = new Client({ ...options, socket: stream }, (owner) => construct(owner, options.server));
  if (stream !== undefined) client.useStream(stream);
  return client.socket;
}

// A server that listens to nothing, and has this connection.
function makeServer(given: unknown, options: AnyOptions, construct: Construct): Socket {
  const read = readServerOptions({ ...options, rejectUnauthorized: options.rejectUnauthorized === true });
  const server = new (nodesClass(nodeTls.Server))() as unknown as NodeServer;
  const core = new ServerCore(server, read);
  server.on('tlsClientError', (error, socket) => socket.emit('error', error));
  const socket = core.serve(toStream(given) as Duplex, (owner) => construct(owner, options.server ?? server));
  // As Node.js: users who do not listen to errors hear of the end.
  return socket.on('error', (error) => socket.emit('_tlsError', error));
}

/**
 * A connection of a server, as the events 'secureConnection' and 'tlsClientError' give it, or of a client, as `connect()`
 * makes it: `instanceof tls.TLSSocket` of `node:tls` holds. `new TLSSocket(stream, options)` begins a connection over a
 * stream, as that of `node:tls`: a client's, or with `isServer` a server's; 'secure' tells that the handshake is done.
 * Experimental.
 */
export const TLSSocket = new Proxy(Socket, {
  construct(target, [stream, given]: unknown[], newTarget) {
    const options = { ...(given as object | undefined) } as AnyOptions;
    const construct: Construct = (...args) => Reflect.construct(target, args, newTarget) as Socket;
    return options.isServer === true ? makeServer(stream, options, construct) : makeClient(stream, options, construct);
  },
}) as unknown as {
  /** Begins a connection over a stream; without one, `connect()` of the socket makes it. */
  new (stream?: Duplex, options?: TLSSocketOptions): TLSSocket;
  /** What sockets inherit. */
  readonly prototype: TLSSocket;
};
/** An instance of {@link TLSSocket}. */
export type TLSSocket = Socket;
