// The socket of a client's session of HTTP/2. The session wants a native socket before there is a connection: the pair is
// made first, and its other end waits for the handshake.
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { connections } from './connections';
import { SessionSocket } from './session-socket';
import { TLSSocket } from './socket';

type Callback = (error?: Error | null) => void;

// Events of the connection that nobody has to hear.
const FORWARDED = new Set([
  'OCSPResponse',
  'connectionAttempt',
  'connectionAttemptFailed',
  'connectionAttemptTimeout',
  'keylog',
  'lookup',
  'secure',
  'session',
]);

// By connection: a socket that has a session gets no other one.
const sockets = new WeakMap<TLSSocket, ClientSessionSocket>();

/** A client's connection of HTTP/2: `instanceof tls.TLSSocket` of `node:tls` holds. @internal */
export class ClientSessionSocket extends SessionSocket {
  declare connecting: boolean; // of net.Socket
  readonly #connection: TLSSocket;
  #far: number | undefined; // the pair's other end, which native code keeps until the handshake is done
  #piped: Socket | undefined = undefined; // that end, where JavaScript carries the plaintext

  readonly #forwarded = new Set<string>();

  private constructor(connection: TLSSocket, near: number, far: number) {
    super(connection, { fd: near, allowHalfOpen: connection.allowHalfOpen, pauseOnCreate: false });
    this.#connection = connection;
    this.#far = far;
    this.connecting = connection.connecting;
    this.secureConnecting = connection.secureConnecting;
  }

  /** A native socket for a session that gets `socket`, where that is one of ours and can have one. */
  static for(socket: unknown): unknown {
    if (!(socket instanceof TLSSocket) || socket.destroyed) return socket;
    const known = sockets.get(socket);
    if (known !== undefined) return known;
    const ends = connections().native.makePair();
    if (typeof ends === 'number') return socket;
    const [near, far] = ends;
    let made: ClientSessionSocket;
    try {
      made = new ClientSessionSocket(socket, near, far);
    } catch (error) {
      closeSync(near);
      connections().native.closeFar(far);
      throw error;
    }
    sockets.set(socket, made);
    made.#follow(socket);
    return made;
  }

  #follow(connection: TLSSocket): void {
    this.setTimeout(connection.timeout);
    connection.setTimeout(0);
    this.on('newListener', (name: string) => {
      if (!FORWARDED.has(name) || this.#forwarded.has(name)) return;
      this.#forwarded.add(name);
      connection.on(name, (...args: unknown[]) => this.emit(name, ...args));
    });
    if (connection.connecting) connection.once('connect', this.#connected);
    if (connection.secureConnecting) connection.once('secureConnect', this.#secured);
    else this.#join();
  }

  readonly #connected = (): void => {
    this.connecting = false;
    this.emit('connect');
    this.emit('ready');
  };

  readonly #secured = (): void => {
    if (this.destroyed) return;
    this.#join();
    this.emit('secureConnect');
  };

  #join(): void {
    const connection = this.#connection;
    const far = this.#far as number;
    this.#far = undefined;
    SessionSocket.establish(this);
    // A thread that has the connection has all of its plaintext.
    if (TLSSocket.isHeld(connection) && connections().native.pairWith(TLSSocket.idOf(connection), far) === 0) {
      SessionSocket.watchEnd(this);
    } else {
      this.#pipe(connection, connections().native.takeFar(far));
    }
  }

  #pipe(connection: TLSSocket, fd: number): void {
    const far = new Socket({ fd, allowHalfOpen: true }).unref();
    this.#piped = far;
    far.on('error', () => undefined); // nobody reads the other end any more
    far.on('close', () => {
      connection.destroySoon();
    });
    connection.pipe(far).pipe(connection);
    // Its writing ends next.
    if (!connection.allowHalfOpen) connection.once('end', () => far.unpipe(connection).resume());
  }

  /** The session reads what has come before, and the end behind it. @internal */
  protected override connectionClosed(error: Error | undefined): void {
    if (error === undefined && this.#piped !== undefined) this.#piped.end().unpipe().resume();
    else super.connectionClosed(error);
  }

  /** @internal */
  override _destroy(error: Error | null, callback: Callback): void {
    super._destroy(error, callback);
    if (this.#far !== undefined) {
      connections().native.closeFar(this.#far);
      this.#far = undefined;
      this.#connection.destroy();
    } else if (this.#piped !== undefined) {
      this.#endPiped(this.#piped);
    }
  }

  // What was written before leaves.
  #endPiped(far: Socket): void {
    const end = (): void => {
      far.destroy();
    };
    far.ref();
    if (far.readableEnded) end();
    else far.once('end', end);
  }
}
