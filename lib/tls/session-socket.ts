// The socket of a session of HTTP/2, of either side. Node.js's http2 is native where its socket is: this one is a net.Socket, whose handle
// is one end of a pair of sockets. A thread encrypts and decrypts at the other end. A TLSSocket owns the connection, and
// answers for all that TLS has.
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { TLSSocket as NodeTLSSocket } from 'node:tls';
import { asyncError } from '../base/errors';
import { connections } from './connections';
import { defineMembers } from './session-members';
import type { TLSSocket } from './socket';
import { SocketStream } from './socket-stream';

type Callback = (error?: Error | null) => void;

export interface SessionSocketOptions {
  fd: number;
  allowHalfOpen: boolean;
  pauseOnCreate: boolean;
}

/** A connection of HTTP/2: `instanceof tls.TLSSocket` of `node:tls` holds. @internal */
export class SessionSocket extends Socket {
  readonly #connection: TLSSocket;
  #resets = false;
  /** Always true. */
  readonly encrypted = true;
  /** Whether a client's handshake is not done. */
  secureConnecting = false;
  /** As those of sockets without HTTP/2. */
  authorized = false;
  authorizationError: string | null = null;
  alpnProtocol: string | false | null = null;
  servername: string | false | null = null;
  server: unknown;

  protected constructor(connection: TLSSocket, options: SessionSocketOptions) {
    super(options);
    this.#connection = connection;
    this.server = connection.server;
    connection.unref();
    connection.on('error', (error) => this.destroy(error));
    connection.on('close', () => {
      this.connectionClosed(connection.errored ?? undefined); // it may come before 'error'
    });
  }

  /** @internal */
  protected connectionClosed(error: Error | undefined): void {
    this.destroy(error);
  }

  /** The handshake is done: what it has agreed on. @internal */
  protected static establish(socket: SessionSocket): void {
    const { authorized, authorizationError, alpnProtocol, servername } = socket.#connection;
    Object.assign(socket, { secureConnecting: false, authorized, authorizationError, alpnProtocol, servername });
  }

  /** A thread has the plaintext: the connection only tells of its end. @internal */
  protected static watchEnd(socket: SessionSocket): void {
    const connection = socket.#connection;
    connection.on('end', () => connection.destroy());
    connection.resume();
  }

  /** Of a server's socket whose handshake is done; undefined where there is no pair of sockets. */
  static of(connection: TLSSocket): SessionSocket | undefined {
    if (connection.alpnProtocol !== 'h2') return undefined;
    const { native } = connections();
    const fd = native.pair(SocketStream.idOf(connection));
    if (fd < 0) {
      native.setPaused(SocketStream.idOf(connection), false); // it has waited for this decision
      return undefined;
    }
    const { allowHalfOpen } = connection;
    let socket: SessionSocket;
    try {
      socket = new SessionSocket(connection, { fd, allowHalfOpen, pauseOnCreate: connection.isPaused() });
    } catch (error) {
      closeSync(fd);
      connection.destroy();
      throw error;
    }
    // Nobody has to listen to errors of single connections, as with node:tls.
    socket.on('error', () => undefined);
    SessionSocket.establish(socket);
    SessionSocket.watchEnd(socket);
    return socket;
  }

  static connectionOf(socket: SessionSocket): TLSSocket {
    return socket.#connection;
  }

  /** @internal */
  override _destroy(error: Error | null, callback: Callback): void {
    // Before the pair is closed, whose end would be an end of the connection.
    if (this.#resets) this.#connection.resetAndDestroy();
    super._destroy(error, callback);
    // The connection ends when everything has left, and the process waits for that.
    connections().native.release(SocketStream.idOf(this.#connection));
    this.#connection.ref();
  }

  /** As that of `net.Socket`. */
  override resetAndDestroy(): this {
    this.#resets = true;
    return this.destroy();
  }

  /** Throws `ERR_ASYNC_UNSUPPORTED`: the socket is connected. */
  override connect(): never {
    throw asyncError('ERR_ASYNC_UNSUPPORTED', 'A socket of a server cannot connect');
  }
}

defineMembers(SessionSocket.prototype, (socket) => SessionSocket.connectionOf(socket));

// Whoever asks for `instanceof tls.TLSSocket` of Node.js is right to. net.Socket's constructor remains the one that is
// called.
Object.setPrototypeOf(SessionSocket.prototype, NodeTLSSocket.prototype);
