// The stream of a connection. It passes for a socket of node:tls: all that http and its like touch is here.
//
// No property with an underscore is added: http sets such properties on its sockets.
import { X509Certificate } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { Duplex } from 'node:stream';
import { TLSSocket as NodeTLSSocket, type CipherNameAndProtocol, type PeerCertificate } from 'node:tls';
import { copyOf, isCopier } from './chunks';
import { asyncError, nodeError } from '../base/errors';
import { validateInteger } from '../base/validators';
import { UV_EPIPE } from './errno';
import { legacyObject, peerCertificate } from './certificates';
import { connections, NO_CONNECTION } from './connections';
import {
  createNativeContext,
  readContextOptions,
  toNativeContext,
  type SecureContext,
  type SecureContextOptions,
} from './context';
import { failureError, hungUp, systemError, verifyErrorCode } from './failures';
import { after, isText, sizeOf, toBytes, type Encoding, type Piece } from './pieces';
import { SocketConnection, type SocketEvents } from './socket-connection';
import { SocketTransport, type Transport } from './transport';
import type { NativeTlsContext } from '../native/contract/handles';
import { TlsPlace } from '../native/contract/tables';
import type { NativeAddress } from '../native/contract/tls';

type Callback = (error?: Error | null) => void;

/** What a socket wants of its server. */
export interface SocketOwner {
  readonly allowHalfOpen: boolean;
  /** The connection is closed. `established`: its handshake was done. */
  left(socket: TLSSocket): void;
  /** An error before the handshake was done. */
  handshakeFailed(error: Error, socket: TLSSocket): void;
}

/** How the handshake of a connection went. Experimental. */
export interface Handshake {
  /** Where it ran: on the event loop, or on a thread of its own. */
  readonly place: 'loop' | 'thread';
  /** How often it was paused for its key. */
  readonly pauses: number;
  /** From the client's first message to the last one, in microseconds. */
  readonly micros: number;
  /** Whether the client has resumed an earlier session. */
  readonly resumed: boolean;
}

// Streams of Node.js say by these how they are doing.
interface ReadableState {
  readonly flowing: boolean | null;
  readonly length: number;
  readonly sync: boolean;
  readonly dataEmitted: boolean;
}

/**
 * A connection of a {@link Server}, as the events 'secureConnection' and 'tlsClientError' give it: `instanceof
 * tls.TLSSocket` of `node:tls` holds. Experimental.
 */
export class TLSSocket extends Duplex {
  /** The code of the reason why the client's certificate is not welcome; null when it is, or was not asked for. */
  authorizationError: string | null = null;
  /** Whether the client's certificate was asked for and is welcome. */
  authorized = false;
  /** Always true. */
  readonly encrypted = true;
  /** Always false: the connection was there before its socket. */
  readonly connecting = false;
  /** The protocol that was agreed on by ALPN, or false. */
  alpnProtocol: string | false = false;
  /** The name that the client asked for, or false. */
  servername: string | false = false;
  /** Set when the peer has closed the connection without saying that it was done. */
  truncated = false;
  /** The server. */
  server: unknown;
  /** The parser of `node:http`, while it reads the socket. */
  parser: unknown = undefined;
  /** The time limit that `setTimeout` has set, in milliseconds; 0 for none. */
  timeout = 0;

  static readonly #EVENTS: SocketEvents<TLSSocket> = {
    receive: (socket, bytes) => {
      socket.#receive(bytes);
    },
    receiveEnd: (socket, truncated) => {
      socket.#receiveEnd(truncated);
    },
    drained: (socket) => {
      socket.#drained();
    },
    failed: (socket, reason) => {
      socket.#failed(reason);
    },
  };

  readonly #connection: SocketConnection<TLSSocket>;
  readonly #transport: Transport;
  readonly #owner: SocketOwner;
  #established = false;
  #paused = false;
  #bytesRead = 0;
  #bytesWritten = 0;
  #unsent: { pieces: readonly Piece[]; callback: Callback } | undefined = undefined;
  #timer: NodeJS.Timeout | undefined = undefined;
  #timerMs = 0;
  #peer: NativeAddress | undefined = undefined;
  #own: NativeAddress | undefined = undefined;
  #resets = false;
  #handshake: Handshake | undefined = undefined;
  #identity: NativeTlsContext | undefined = undefined;

  /** Servers make sockets. @internal */
  constructor(id: number, owner: SocketOwner, server: unknown, transport: Transport = new SocketTransport(id)) {
    super({ allowHalfOpen: owner.allowHalfOpen, decodeStrings: false, emitClose: true, autoDestroy: true });
    this.#owner = owner;
    this.server = server;
    this.#transport = transport;
    this.#connection = new SocketConnection<TLSSocket>(id, transport, this, TLSSocket.#EVENTS);
    connections().add(this.#connection);
  }

  /** Begins to read whatever is below. @internal */
  static begin(socket: TLSSocket): void {
    socket.#transport.begin((error) => {
      socket.#connection.inContext(() => {
        socket.#lost(error);
      });
    });
  }

  /** The handshake is done: what it has agreed on. @internal */
  static establish(socket: TLSSocket, requestsCertificate: boolean): void {
    socket.#established = true;
    const summary = connections().native.summary(socket.#id);
    if (summary === undefined) return;
    const [serverName, protocol, verifyResult, resumed, place, nanoseconds, pauses] = summary;
    socket.#handshake = {
      place: place === TlsPlace.thread ? 'thread' : 'loop',
      pauses,
      micros: nanoseconds / 1000,
      resumed,
    };
    socket.servername = serverName === '' ? false : serverName;
    socket.alpnProtocol = protocol === '' ? false : protocol;
    if (!requestsCertificate) return;
    socket.authorizationError = verifyErrorCode(verifyResult) ?? null;
    socket.authorized = socket.authorizationError === null;
  }

  /** A handshake ends with this error. @internal */
  static fail(socket: TLSSocket, error: Error): void {
    void socket.remoteAddress; // while the connection knows it
    void socket.localAddress;
    socket.destroy();
    socket.#owner.handshakeFailed(error, socket);
  }

  /** Whether `value` is a connection of `owner` whose handshake is not done. @internal */
  static isHandshakeOf(value: object, owner: SocketOwner): boolean {
    return #owner in value && value.#owner === owner && !value.#established;
  }

  /** The context that `setKeyCert()` was given. @internal */
  static identityOf(socket: TLSSocket): NativeTlsContext | undefined {
    return socket.#identity;
  }

  /** Runs a function in the async context of the connection. @internal */
  static inContext(socket: TLSSocket, body: () => void): void {
    socket.#connection.inContext(body);
  }

  get #id(): number {
    return this.destroyed ? NO_CONNECTION : this.#connection.id;
  }

  // --- The stream

  /** @internal */
  override _read(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#transport.setPaused(false);
  }

  // http's parser copies what it keeps, and our servers what it leaves over. While it is the only reader, and reads at
  // once, it needs no copy of ours.
  #receive(bytes: Buffer): void {
    this.#bytesRead += bytes.length;
    this.#touch();
    const { flowing, length, sync, dataEmitted } = (this as unknown as { _readableState: ReadableState })
      ._readableState;
    const readsAtOnce = flowing === true && length === 0 && !sync;
    const isForHttp = readsAtOnce && this.parser && isCopier(this.server) && this.listenerCount('data') === 1;
    if (isForHttp && dataEmitted && !this.destroyed) {
      // As push() would, which also looks whether there is more to read: we tell.
      this.emit('data', bytes);
      return;
    }
    if (this.push(isForHttp ? bytes : copyOf(bytes)) || this.destroyed) return;
    this.#paused = true;
    this.#transport.setPaused(true);
  }

  #receiveEnd(truncated: boolean): void {
    this.truncated = truncated;
    this.push(null);
    if (this.readableLength === 0) this.resume();
    this.#transport.ended();
  }

  /** @internal */
  override _write(chunk: string | Uint8Array, encoding: Encoding, callback: Callback): void {
    this.#touch();
    const { native } = connections();
    const piece = { chunk, encoding };
    const taken = isText(piece)
      ? native.writeText(this.#id, piece.chunk, encoding === 'latin1', undefined)
      : native.write(this.#id, toBytes(piece));
    this.#sent(taken, [piece], callback);
  }

  /** @internal */
  override _writev(chunks: readonly Piece[], callback: Callback): void {
    this.#touch();
    // http ends most of its answers with an empty text, after a header, or a header and bytes.
    const [head, body] = chunks as [Piece, Piece];
    const count = (chunks[chunks.length - 1] as Piece).chunk === '' ? chunks.length - 1 : chunks.length;
    const bytes = count === 2 && typeof body.chunk !== 'string' ? body.chunk : undefined;
    if (isText(head) && count === (bytes === undefined ? 1 : 2)) {
      const isLatin1 = head.encoding === 'latin1';
      this.#sent(connections().native.writeText(this.#id, head.chunk, isLatin1, bytes), chunks, callback);
    } else {
      this.#writeMany(chunks, callback);
    }
  }

  #writeMany(pieces: readonly Piece[], callback: Callback): void {
    this.#sent(connections().native.writeMany(this.#id, pieces.map(toBytes)), pieces, callback);
  }

  // `taken` as native code has it.
  #sent(taken: number, pieces: readonly Piece[], callback: Callback): void {
    if (taken > 0) {
      this.#bytesWritten += taken;
      callback();
    } else if (taken === 0) {
      callback(pieces.some(({ chunk }) => chunk.length > 0) ? systemError(UV_EPIPE, 'write') : null);
    } else {
      this.#bytesWritten += ~taken;
      this.#unsent = { pieces: after(pieces, ~taken), callback };
      this.#transport.flush();
    }
  }

  #drained(): void {
    this.#touch();
    const unsent = this.#unsent;
    if (unsent === undefined) return;
    this.#unsent = undefined;
    if (unsent.pieces.length === 0) unsent.callback();
    else this.#writeMany(unsent.pieces, unsent.callback);
  }

  /** @internal */
  override _final(callback: Callback): void {
    const end = (): void => {
      this.#transport.end(callback);
    };
    if (connections().native.end(this.#id)) {
      this.#unsent = { pieces: [], callback: end };
      this.#transport.flush();
    } else {
      end();
    }
  }

  /** @internal */
  override _destroy(error: Error | null, callback: Callback): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    connections().remove(this.#connection, this.#resets);
    this.#transport.close(this.#resets);
    callback(error);
    this.#owner.left(this);
  }

  #failed(reason: number): void {
    const error = failureError(reason, () => connections().native.failure(this.#id));
    this.#transport.sendLast();
    this.#lost(error);
  }

  #lost(error: Error | undefined): void {
    if (this.#established) this.destroy(error);
    else if (!this.destroyed) TLSSocket.fail(this, error ?? hungUp());
  }

  // Duplex's own, in place of those of net.Socket, which look for a handle.
  /** As that of streams. */
  override end(...args: unknown[]): this {
    (Duplex.prototype.end as (...given: unknown[]) => unknown).apply(this, args);
    return this;
  }
  /** As that of streams. */
  override pause(): this {
    Duplex.prototype.pause.call(this);
    return this;
  }
  /** As that of streams. */
  override resume(): this {
    Duplex.prototype.resume.call(this);
    return this;
  }
  /** As that of streams. */
  override read(size?: number): unknown {
    return Duplex.prototype.read.call(this, size);
  }

  // --- Time

  /** As that of `net.Socket`: emits 'timeout' after `ms` milliseconds without traffic. 0 for never. */
  setTimeout(ms: number, callback?: () => void): this {
    this.timeout = ms;
    if (callback !== undefined) {
      if (ms === 0) this.removeListener('timeout', callback);
      else this.once('timeout', callback);
    }
    if (ms === 0 || this.destroyed) return this;
    // http sets and clears the same limit for every request: the timer stays.
    if (this.#timer !== undefined && this.#timerMs === ms) {
      this.#timer.refresh();
      return this;
    }
    clearTimeout(this.#timer);
    this.#timerMs = ms;
    this.#timer = setTimeout(() => {
      if (this.timeout === this.#timerMs) this.emit('timeout');
    }, ms).unref();
    return this;
  }

  /** For http, which has seen traffic. @internal */
  _unrefTimer(): void {
    this.#touch();
  }

  #touch(): void {
    if (this.timeout !== 0) this.#timer?.refresh();
  }

  // --- As net.Socket

  /** Bytes of plaintext that were received. */
  get bytesRead(): number {
    return this.#bytesRead;
  }
  /** Bytes of plaintext that were written, those that wait included. */
  get bytesWritten(): number {
    const { writableBuffer } = this as unknown as { writableBuffer: readonly Piece[] };
    return this.#bytesWritten + sizeOf(this.#unsent?.pieces ?? []) + sizeOf(writableBuffer);
  }
  /** As `bytesWritten`. @internal */
  get _bytesDispatched(): number {
    return this.bytesWritten;
  }
  /** Bytes that wait to be written. */
  get bufferSize(): number {
    return this.writableLength;
  }
  /** The peer's address; undefined when it was not asked for before the connection was closed. */
  get remoteAddress(): string | undefined {
    return this.#peerAddress()?.[0];
  }
  /** `IPv4` or `IPv6`. */
  get remoteFamily(): string | undefined {
    return this.#peerAddress()?.[1];
  }
  /** The peer's port. */
  get remotePort(): number | undefined {
    return this.#peerAddress()?.[2];
  }
  /** Our address. */
  get localAddress(): string | undefined {
    return this.#ownAddress()?.[0];
  }
  /** `IPv4` or `IPv6`. */
  get localFamily(): string | undefined {
    return this.#ownAddress()?.[1];
  }
  /** Our port. */
  get localPort(): number | undefined {
    return this.#ownAddress()?.[2];
  }
  /** Our address, as `server.address()` gives it. */
  address(): AddressInfo | Record<string, never> {
    const own = this.#ownAddress();
    return own === undefined ? {} : { address: own[0], family: own[1], port: own[2] };
  }
  #peerAddress(): NativeAddress | undefined {
    return (this.#peer ??= this.#transport.address(false));
  }
  #ownAddress(): NativeAddress | undefined {
    return (this.#own ??= this.#transport.address(true));
  }

  /** Whether small writes are sent at once, which is the default. */
  setNoDelay(noDelay = true): this {
    this.#transport.setNoDelay(noDelay);
    return this;
  }
  /** Whether the system looks for a peer that is gone, after `initialDelay` milliseconds without traffic. */
  setKeepAlive(keepAlive = false, initialDelay = 0): this {
    this.#transport.setKeepAlive(keepAlive, initialDelay);
    return this;
  }
  /** The connection keeps the process alive, which is the default. */
  ref(): this {
    this.#transport.setRef(true);
    return this;
  }
  /** The connection does not keep the process alive. */
  unref(): this {
    this.#transport.setRef(false);
    return this;
  }
  /** Destroys the socket once everything has been written. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', () => this.destroy());
  }
  /** Destroys the socket; the peer is told by a reset. */
  resetAndDestroy(): this {
    this.#resets = true;
    return this.destroy();
  }

  /** How the handshake went; undefined before its end. */
  get handshake(): Handshake | undefined {
    return this.#handshake;
  }

  // --- As tls.TLSSocket

  /** The client's certificate, as `tls.TLSSocket` gives it. */
  getPeerCertificate(detailed = false): PeerCertificate | Record<string, never> {
    return peerCertificate(connections().native.peerCertificates(this.#id), detailed);
  }
  /** The client's certificate, or undefined. */
  getPeerX509Certificate(): X509Certificate | undefined {
    const [der] = connections().native.peerCertificates(this.#id);
    return der === undefined ? undefined : new X509Certificate(der);
  }
  /** The server's certificate. */
  getCertificate(): PeerCertificate | Record<string, never> {
    const der = connections().native.certificate(this.#id);
    return der === undefined ? {} : legacyObject(der);
  }
  /** The server's certificate, or undefined. */
  getX509Certificate(): X509Certificate | undefined {
    const der = connections().native.certificate(this.#id);
    return der === undefined ? undefined : new X509Certificate(der);
  }
  /** The cipher that was agreed on. */
  getCipher(): CipherNameAndProtocol | undefined {
    const names = connections().native.cipher(this.#id);
    return names === undefined ? undefined : { name: names[0], standardName: names[1], version: names[2] };
  }
  /** The version of TLS, for example `TLSv1.3`; null after the end. */
  getProtocol(): string | null {
    return connections().native.version(this.#id) ?? null;
  }
  /** The session, in OpenSSL's encoding. */
  getSession(): Buffer | undefined {
    return connections().native.session(this.#id);
  }
  /** The session's ticket; servers have none. */
  getTLSTicket(): Buffer | undefined {
    return connections().native.ticket(this.#id);
  }
  /** Whether the client has resumed an earlier session. */
  isSessionReused(): boolean {
    return connections().native.summary(this.#id)?.[3] ?? false;
  }
  /** Always null: clients know it. */
  getEphemeralKeyInfo(): null {
    return null;
  }
  /** Our last message of the handshake. */
  getFinished(): Buffer | undefined {
    return connections().native.finished(this.#id);
  }
  /** The client's last message of the handshake. */
  getPeerFinished(): Buffer | undefined {
    return connections().native.peerFinished(this.#id);
  }
  /** Signature algorithms that both sides know, in the order of preference. */
  getSharedSigalgs(): string[] {
    return connections().native.sharedSignatureAlgorithms(this.#id);
  }
  /** Keying material for other protocols, RFC 5705: `length` bytes. */
  exportKeyingMaterial(length: number, label: string, context?: Buffer): Buffer | undefined {
    return connections().native.keyingMaterial(this.#id, length, label, context);
  }
  /** The most plaintext of a record, 512 to 16 384 bytes. False when it was refused. */
  setMaxSendFragment(size: number): boolean {
    validateInteger(size, 'size', -(2 ** 31), 2 ** 31 - 1);
    return connections().native.setMaxFragment(this.#id, size);
  }
  /**
   * Has the handshake use the certificate and the key of another context, and the rest of the one that is chosen. Call it
   * in a callback or a listener that the handshake waits for; without effect later.
   *
   * @param context - of `createSecureContext()` of this package, or its options
   */
  setKeyCert(context: SecureContext | SecureContextOptions): void {
    const identity = toNativeContext(context) ?? createNativeContext(readContextOptions(context));
    if (this.destroyed || this.#established) return;
    this.#identity = identity;
    connections().native.setIdentity(this.#id, identity);
  }
  /** Without effect: clients cannot renegotiate in any case. */
  disableRenegotiation(): void {
    // nothing to disable
  }
  /** Always false: servers do not renegotiate. */
  renegotiate(): boolean {
    return false;
  }
  /** Without effect. */
  enableTrace(): void {
    // OpenSSL's trace goes to a BIO that servers here do not have
  }

  // --- Of clients: inherited, they would look for a handle

  /** Throws `ERR_ASYNC_UNSUPPORTED`: the socket is connected. */
  connect(): never {
    throw asyncError('ERR_ASYNC_UNSUPPORTED', 'A socket of a server cannot connect');
  }
  /** Throws `ERR_TLS_SNI_FROM_SERVER`, as in Node.js. */
  setServername(): never {
    throw nodeError('ERR_TLS_SNI_FROM_SERVER', 'Cannot issue SNI from a TLS server-side socket');
  }
  /** Throws `ERR_ASYNC_UNSUPPORTED`: clients bring their sessions. */
  setSession(): never {
    throw asyncError('ERR_ASYNC_UNSUPPORTED', 'A socket of a server is given its session by the client');
  }
}

// Whoever asks for `instanceof tls.TLSSocket` of Node.js is right to. Duplex's constructor remains the one that is called.
Object.setPrototypeOf(TLSSocket.prototype, NodeTLSSocket.prototype);
// net.Socket's own looks for a handle.
Object.defineProperty(TLSSocket.prototype, 'pending', { configurable: true, value: false });
