// What both kinds of servers do: listen natively, choose contexts, and make sockets of connections.
import { AsyncResource } from 'node:async_hooks';
import { createHash } from 'node:crypto';
import * as net from 'node:net';
import type { Duplex } from 'node:stream';
import type * as nodeTls from 'node:tls';
import { invalidArgType, nodeError } from '../base/errors';
import type { NativeTlsContext } from '../native/contract/handles';
import { TlsServerFlag } from '../native/contract/tables';
import type { NativeAddress } from '../native/contract/tls';
import { connections, type Listener } from './connections';
import { createNativeContext, readContextOptions, toNativeContext, toTicketKeys, type ContextOptions } from './context';
import { debugTls } from './debug';
import { UV_EADDRINUSE } from './errno';
import { failureError, hungUp, systemError } from './failures';
import { descriptorOf, isDuplex } from './handed-over';
import { bind, type Handle, type Listen2, type NodeServer } from './handle';
import { tellBegin, tellEnd, tracesHandshakes } from './handshake-channels';
import { logKey, logsKeysByFlag, toTraces } from './node-flags';
import { toServerSettings, type ServerOptions, type ServerSettings } from './options';
import { Questions, toProtocols } from './questions';
import { limitRenegotiation, tellRenegotiated, verifyClient } from './renegotiation';
import { TLSSocket } from './socket';
import { giveOf, transportOver, type Given } from './socket-below';
import type { SocketOwner, Verification } from './socket-owner';
import { SocketTransport } from './transport';

// Events that cost connections something: before the first listener of each, nothing is done for it.
const FLAGS_OF_EVENTS = new Map<string | symbol, number>([
  ['connection', TlsServerFlag.tellsConnections],
  ['keylog', TlsServerFlag.logsKeys],
  ['newSession', TlsServerFlag.tellsSessions],
  ['OCSPRequest', TlsServerFlag.givesStatus],
  ['resumeSession', TlsServerFlag.findsSessions],
]);

/** Makes the socket that a server's users get of one whose handshake is done; undefined for the same. */
export type ToServed = (socket: TLSSocket) => Duplex | undefined;

const cores = new WeakMap<object, ServerCore>();

/** The core of a server; undefined while the constructor of Node's class runs. */
export function coreOf(server: object): ServerCore | undefined {
  return cores.get(server);
}

export class ServerCore implements Listener, SocketOwner<TLSSocket> {
  readonly #server: NodeServer;
  #listener: number | undefined = undefined; // while it listens or has connections
  // Connections begin in the async context of listen().
  #resource = new AsyncResource('TLSSERVER');
  readonly #names: [pattern: string, context: NativeTlsContext][] = [];
  readonly #sockets = new Map<number, TLSSocket>(); // of handshakes that somebody was told of
  readonly #streams = new Set<TLSSocket>(); // without a descriptor
  #context: NativeTlsContext;
  #sessionContext = '';
  #protocols: Uint8Array | undefined;
  readonly #questions: Questions;
  readonly #requestsCertificate: boolean;
  readonly #rejectsUnauthorized: boolean;
  readonly #settings: ServerSettings;
  readonly #toServed: ToServed | undefined;
  readonly #traces: boolean;
  #flagsOfEvents = 0; // that somebody has listened to
  #told = 0; // connections that JavaScript knows, and others that node:net has counted

  constructor(server: NodeServer, options: ServerOptions, toServed?: ToServed) {
    this.#server = server;
    this.#toServed = toServed;
    this.#questions = new Questions(server, options);
    this.#requestsCertificate = options.requestCert === true;
    this.#rejectsUnauthorized = options.rejectUnauthorized !== false;
    this.#traces = toTraces(options.enableTrace);
    this.#settings = toServerSettings(options);
    this.#protocols = toProtocols(options.ALPNProtocols);
    this.#context = this.#readContext(options);
    cores.set(server, this);
    // Node's own listener would make sockets of its kind.
    server.removeAllListeners('connection');
    server.on('connection', (stream: unknown) => {
      if (!isDuplex(stream)) throw invalidArgType('stream', 'an instance of Duplex', stream);
      if (!TLSSocket.isHandshakeOf(stream, this)) this.#adopt(stream);
    });
    server.on('newListener', (event: string) => {
      const flag = FLAGS_OF_EVENTS.get(event);
      if (flag === undefined || this.#tells(flag)) return;
      this.#flagsOfEvents |= flag;
      this.#apply();
    });
    this.#countConnections();
  }

  // node:net counts in this property, and so do we. The count includes handshakes, of which JavaScript knows nothing.
  #countConnections(): void {
    const { native } = connections();
    const pending = (): number => (this.#listener === undefined ? 0 : native.pending(this.#listener));
    Object.defineProperty(this.#server, '_connections', {
      get: () => this.#told + pending(),
      set: (count: number) => {
        this.#told = count - pending();
      },
    });
  }

  #activate(): number {
    if (this.#listener !== undefined) return this.#listener;
    this.#listener = connections().addListener(this);
    this.#apply();
    return this.#listener;
  }

  // A server that nobody uses any more is collected only if we do not know it.
  #deactivate(): void {
    if (this.#listener === undefined || this.#server._handle !== null) return;
    if (this.#server._connections !== 0 || this.#streams.size > 0) return;
    connections().removeListener(this.#listener);
    this.#listener = undefined;
  }

  #leave(): void {
    this.#server._emitCloseIfDrained();
    this.#deactivate();
  }

  #tells(flag: number): boolean {
    return (this.#flagsOfEvents & flag) !== 0;
  }

  get verification(): Verification {
    return { requests: this.#requestsCertificate, rejects: this.#rejectsUnauthorized };
  }

  get allowHalfOpen(): boolean {
    return this.#server.allowHalfOpen;
  }

  // --- Contexts

  #readContext(options: ContextOptions): NativeTlsContext {
    const { sessionIdContext } = options;
    this.#sessionContext =
      typeof sessionIdContext === 'string'
        ? sessionIdContext
        : createHash('sha1').update(process.argv.join(' ')).digest('hex').slice(0, 32);
    const given = toNativeContext((options as ServerOptions).secureContext);
    return given ?? createNativeContext({ ...options, requestCert: this.#requestsCertificate });
  }

  #apply(): void {
    if (this.#listener === undefined) return;
    let flags = this.#flagsOfEvents;
    if (this.#requestsCertificate) flags |= TlsServerFlag.requestsCertificate;
    if (this.#rejectsUnauthorized) flags |= TlsServerFlag.rejectsUnauthorized;
    if (this.#questions.any) flags |= TlsServerFlag.asks;
    if (this.#questions.sharesKeys) flags |= TlsServerFlag.sharesKeys;
    const settings = this.#settings;
    if (settings.lends) flags |= TlsServerFlag.lends;
    if (settings.allowsRenegotiation) flags |= TlsServerFlag.allowsRenegotiation;
    if (this.#traces) flags |= TlsServerFlag.traces;
    if (logsKeysByFlag()) flags |= TlsServerFlag.logsKeys;
    if (this.#toServed !== undefined) flags |= TlsServerFlag.holdsHttp2;
    if (tracesHandshakes()) flags |= TlsServerFlag.tellsConnections;
    const { native } = connections();
    native.setSettings(
      this.#listener,
      this.#context,
      this.#names,
      this.#protocols,
      this.#sessionContext,
      flags,
      settings.handshakeTimeoutMs,
      settings.threads,
      settings.maxInlineMicros,
      settings.maxHandshakes,
      settings.keyHint,
      settings.maxEarlyData,
    );
  }

  setSecureContext(options: unknown): void {
    if (typeof options !== 'object' || options === null) throw invalidArgType('options', 'of type object', options);
    this.#context = this.#readContext(readContextOptions(options));
    this.#apply();
  }

  addContext(pattern: unknown, context: unknown): void {
    if (typeof pattern !== 'string' || pattern === '') {
      throw nodeError('ERR_TLS_REQUIRED_SERVER_NAME', '"servername" is required parameter for Server.addContext');
    }
    this.#names.push([
      pattern,
      toNativeContext(context) ?? createNativeContext({ ...readContextOptions(context), requestCert: false }),
    ]);
    this.#apply();
  }

  getTicketKeys(): ReturnType<nodeTls.Server['getTicketKeys']> {
    return connections().native.ticketKeys(this.#context);
  }

  setTicketKeys(keys: unknown): void {
    const bytes = toTicketKeys(keys, 'Session ticket keys must be a 48-byte buffer');
    if (bytes === undefined) throw invalidArgType('buffer', 'an instance of Buffer', keys);
    connections().native.setTicketKeys(this.#context, bytes);
  }

  // --- Listening

  /** Takes the place of net.Server's `_listen2`, and goes on there: libuv does not watch a socket that we can watch. */
  listen2(...args: Parameters<Listen2>): void {
    this.#resource = new AsyncResource('TLSSERVER');
    this.#apply(); // somebody may have subscribed to handshakes
    const server = this.#server;
    const [address, port, type, , fd, flags] = args;
    server._handle ??= bind(address, port, type, fd, flags);
    this.#takeOver(server._handle);
    (net.Server.prototype as unknown as { _listen2: Listen2 })._listen2.apply(server, args);
  }

  // Elsewhere node:net accepts, and tells of each socket by 'connection'.
  #takeOver(handle: Handle | null): void {
    const { native } = connections();
    const fd = handle?.fd ?? -1;
    if (handle === null || fd < 0 || !native.hasSockets()) {
      this.#server.once('close', () => {
        this.#deactivate();
      });
      return;
    }
    const listener = this.#activate();
    const close = handle.close.bind(handle);
    handle.listen = (backlog) => {
      // A failed bind() may be told only now, and listen() would choose another port then.
      const error = handle.getsockname?.({}) ?? 0;
      if (error === UV_EADDRINUSE) return error;
      native.setMaxConnections(listener, this.#server.maxConnections || 0);
      return native.listen(listener, fd, backlog);
    };
    handle.ref = () => {
      native.setListenerRef(listener, true);
    };
    handle.unref = () => {
      native.setListenerRef(listener, false);
    };
    handle.close = (done) => {
      native.stopListening(listener);
      close(done);
      process.nextTick(() => {
        this.#deactivate();
      });
    };
  }

  #adopt(stream: Duplex): void {
    const isOurs = (stream as { server?: unknown }).server === this.#server && connections().native.hasSockets();
    const fd = isOurs ? descriptorOf(stream) : -1;
    if (fd < 0) this.#serveStream(stream);
    else this.#adoptDescriptor(stream, fd);
  }

  // Of the server's own, in a process of a cluster: its descriptor is ours from here on, and the socket itself goes.
  #adoptDescriptor(socket: Duplex, fd: number): void {
    const bytes = socket.readableLength > 0 ? (socket.read() as Buffer | null) : null;
    const error = connections().native.adopt(this.#activate(), fd, bytes ?? undefined);
    socket.destroy(error === 0 ? undefined : systemError(error, 'dup'));
  }

  // Nobody counts streams that others hand over.
  #serveStream(stream: Duplex): void {
    try {
      this.#serveBy(this.#makeSocket(), stream, giveOf(stream));
    } catch (error) {
      stream.destroy(error as Error);
    }
  }

  /** Serves a stream by a socket of the caller's. */
  serve(stream: Duplex, makeSocket: (owner: this) => TLSSocket): TLSSocket {
    const socket = makeSocket(this);
    const given = giveOf(stream);
    try {
      return this.#serveBy(socket, stream, given);
    } catch (error) {
      if (given.bytes !== undefined) stream.unshift(given.bytes);
      throw error;
    }
  }

  #serveBy(socket: TLSSocket, stream: Duplex, given: Given): TLSSocket {
    const id = connections().native.serve(this.#activate(), given.fd, given.bytes);
    if (id < 0) throw systemError(id, 'accept');
    const onClosed = TLSSocket.loseBelow.bind(undefined, socket);
    TLSSocket.attach(socket, id, transportOver(stream, given, { id, socket, onClosed }));
    this.#streams.add(socket);
    this.#sockets.set(id, socket);
    socket.once('close', () => this.#sockets.delete(id));
    if (tracesHandshakes()) {
      TLSSocket.inContext(socket, () => {
        tellBegin(this.#server, socket);
      });
    }
    TLSSocket.begin(socket);
    return socket;
  }

  // --- Connections

  #socketOf(id: number): TLSSocket {
    const known = this.#sockets.get(id);
    if (known !== undefined) return known;
    connections().native.claim(id);
    ++this.#told;
    const socket = this.#makeSocket();
    TLSSocket.attach(socket, id, new SocketTransport(id));
    return socket;
  }

  #makeSocket(): TLSSocket {
    const socket = this.#resource.runInAsyncScope(() => new TLSSocket(this, this.#server));
    // Nobody has to listen to errors of single connections, as with node:tls.
    socket.on('error', () => undefined);
    return socket;
  }

  #handshakingSocketOf(id: number): TLSSocket {
    const socket = this.#socketOf(id);
    this.#sockets.set(id, socket);
    socket.once('close', () => this.#sockets.delete(id));
    return socket;
  }

  secure(id: number, isEarly: boolean): void {
    if (isEarly) {
      this.#tellSecure(this.#handshakingSocketOf(id), true);
      return;
    }
    const socket = this.#socketOf(id);
    this.#sockets.delete(id);
    this.#thenSessions(id, socket, () => {
      this.#tellSecure(socket, false);
    });
  }

  completed(socket: TLSSocket): void {
    const id = TLSSocket.idOf(socket);
    this.#sockets.delete(id);
    this.#thenSessions(id, socket, () => {
      TLSSocket.establish(socket, this.#requestsCertificate);
      tellEnd(socket);
      TLSSocket.finish(socket);
      if (!socket.destroyed) socket.emit('secure');
    });
  }

  // Sessions are told of after the socket, but are those of its handshake.
  #thenSessions(id: number, socket: TLSSocket, tell: () => void): void {
    const sessions = this.#tells(TlsServerFlag.tellsSessions) ? connections().native.takeNewSessions(id) : [];
    try {
      tell();
    } finally {
      this.#tellSessions(id, socket, sessions);
    }
  }

  #tellSecure(socket: TLSSocket, isEarly: boolean): void {
    TLSSocket.establish(socket, this.#requestsCertificate, isEarly);
    if (this.#requestsCertificate && !socket.authorized && this.#rejectsUnauthorized) {
      TLSSocket.inContext(socket, () => {
        TLSSocket.fail(socket, hungUp());
      });
      return;
    }
    TLSSocket.inContext(socket, () => {
      if (!isEarly) tellEnd(socket);
    });
    // Sockets send small writes at once, whatever `noDelay` says: the first one follows the handshake's last message, and
    // would wait 40 ms for the client to acknowledge that.
    const { keepAlive, keepAliveInitialDelay } = this.#server;
    TLSSocket.open(socket);
    if (this.#server.pauseOnConnect === true) socket.pause();
    if (keepAlive === true) socket.setKeepAlive(true, keepAliveInitialDelay);
    TLSSocket.inContext(socket, () => {
      const served = this.#toServed?.(socket) ?? socket;
      debugTls('server emits secureConnection, for %s, protocol: %s', socket.servername, socket.alpnProtocol);
      this.#server.emit('secureConnection', served as unknown as nodeTls.TLSSocket);
      if (!isEarly && !socket.destroyed) socket.emit('secure');
    });
  }

  newSessions(id: number): void {
    const socket = this.#handshakingSocketOf(id);
    this.#tellSessions(id, socket, connections().native.takeNewSessions(id));
  }

  #tellSessions(id: number, socket: TLSSocket, sessions: [sessionId: Buffer, session: Buffer][]): void {
    let left = sessions.length;
    for (const [sessionId, session] of sessions) {
      let isKept = false;
      const done = (): void => {
        if (isKept || socket.destroyed) return;
        isKept = true;
        if (--left === 0) connections().native.sessionsKept(id);
      };
      TLSSocket.inContext(socket, () => {
        try {
          if (!socket.destroyed && !this.#server.emit('newSession', sessionId, session, done)) done();
        } catch (error) {
          done(); // the client is not to blame
          this.#server.emit('error', error as Error);
        }
      });
    }
  }

  failed(id: number, reason: number): void {
    const { native } = connections();
    if (this.#server.listenerCount('tlsClientError') === 0) {
      native.destroy(id, false);
      this.#leave();
      return;
    }
    const error = failureError(reason, () => native.failure(id));
    const socket = this.#socketOf(id);
    TLSSocket.inContext(socket, () => {
      TLSSocket.fail(socket, error);
    });
  }

  hungUp(): Error {
    return hungUp();
  }

  handshakeFailed(error: Error, socket: TLSSocket): void {
    socket.destroy();
    tellEnd(socket, error);
    debugTls('server emits tlsClientError: %s', error.message);
    this.#server.emit('tlsClientError', error, socket as unknown as nodeTls.TLSSocket);
  }

  readonly renegotiating = limitRenegotiation;

  renegotiated(hasFailed: boolean, socket: TLSSocket): void {
    tellRenegotiated(socket, hasFailed, () => verifyClient(socket));
  }

  left(socket: TLSSocket): void {
    if (socket.isEarlyData) tellEnd(socket, socket.errored ?? hungUp());
    if (!this.#streams.delete(socket)) --this.#told;
    this.#leave();
  }

  keyLog(id: number, line: Buffer): void {
    const socket = this.#handshakingSocketOf(id);
    const text = Buffer.concat([line, Buffer.from('\n')]);
    logKey(text);
    TLSSocket.inContext(socket, () => {
      this.#server.emit('keylog', text, socket as unknown as nodeTls.TLSSocket);
    });
  }

  dropped(peer: NativeAddress | undefined, own: NativeAddress | undefined): void {
    this.#server.emit('drop', {
      localAddress: own?.[0],
      localPort: own?.[2],
      localFamily: own?.[1],
      remoteAddress: peer?.[0],
      remotePort: peer?.[2],
      remoteFamily: peer?.[1],
    });
  }

  idle(): void {
    this.#leave();
  }

  // --- Questions

  // Who hears of the connection may destroy it.
  accepted(id: number): void {
    const socket = this.#handshakingSocketOf(id);
    TLSSocket.inContext(socket, () => {
      try {
        if (tracesHandshakes()) tellBegin(this.#server, socket);
        if (this.#tells(TlsServerFlag.tellsConnections))
          this.#server.emit('connection', socket as unknown as net.Socket);
      } finally {
        connections().native.proceed(id);
      }
    });
  }

  askingKey(id: number): void {
    this.#questions.askKey(id, this.#handshakingSocketOf(id));
  }

  asking(id: number): void {
    this.#questions.ask(id, this.#handshakingSocketOf(id));
  }
}
