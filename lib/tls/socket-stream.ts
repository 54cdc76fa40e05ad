// The stream of a connection. It passes for a socket of node:net: all that http and its like touch is here.
//
// No property with an underscore is added: http sets such properties on its sockets.
import type { AddressInfo } from 'node:net';
import { copyOf, isCopier } from './chunks';
import { nothingBelow } from './connecting-transport';
import { UV_ECANCELED, UV_EPIPE } from './errno';
import { connections, NO_CONNECTION } from './connections';
import { failureError, systemError, verifyErrorCode } from './failures';
import { after, isText, readableState, sizeOf, toBytes, type Encoding, type Piece } from './pieces';
import type { ReadBuffer } from './read-buffer';
import { SocketConnection, type SocketEvents } from './socket-connection';
import { toHandshake, type Handshake, type SocketOwner } from './socket-owner';
import { TimedStream } from './timed-stream';
import type { Transport } from './transport';
import { TlsFailure } from '../native/contract/tables';
import type { NativeAddress } from '../native/contract/tls';

type Callback = (error?: Error | null) => void;

/** What sockets of `node:net` have. */
export class SocketStream extends TimedStream {
  /** The code of the reason why the peer's certificate is not welcome; null when it is, or was not asked for. */
  authorizationError: string | null = null;
  /** Whether the peer's certificate was asked for and is welcome. */
  authorized = false;
  /** Always true. */
  readonly encrypted = true;
  /** Whether a client waits for its connection. */
  connecting = false;
  /** Whether the handshake is not done. */
  secureConnecting = true;
  /** The protocol that was agreed on by ALPN, or false. */
  alpnProtocol: string | false | null = false;
  /** The name that the client asked for, or false. */
  servername: string | false | null = false;
  /** Set when the peer has closed the connection without saying that it was done. */
  truncated = false;
  /** Whether the server took early data, which a client sends with its first message. */
  earlyDataAccepted = false;
  /** The server. */
  server: unknown;
  /** The parser of `node:http`, while it reads the socket. */
  parser: unknown = undefined;

  static readonly #EVENTS: SocketEvents<SocketStream> = {
    receive: (socket, bytes) => {
      socket.#receive(bytes);
    },
    receiveEnd: (socket, truncated) => {
      socket.#receiveEnd(truncated);
    },
    drained: (socket) => {
      socket.#drained();
    },
    completed: (socket) => {
      socket.#owner.completed?.(socket);
    },
    failed: (socket, reason) => {
      socket.#failed(reason);
    },
    renegotiated: (socket, hasFailed) => {
      socket.#owner.renegotiated(hasFailed, socket);
    },
    renegotiating: (socket) => {
      socket.#owner.renegotiating?.(socket);
    },
    told: (socket, kind, line) => {
      socket.#owner.client?.told(kind, line);
    },
  };

  readonly #connection = new SocketConnection<SocketStream>(this, SocketStream.#EVENTS);
  #transport: Transport = nothingBelow;
  readonly #owner: SocketOwner<SocketStream>;
  #established = false;
  #paused = false;
  #bytesRead = 0;
  #bytesWritten = 0;
  #unsent: { pieces: readonly Piece[]; callback: Callback } | undefined = undefined;
  #peer: NativeAddress | undefined = undefined;
  #own: NativeAddress | undefined = undefined;
  #resets = false;
  #isForHttp = false;
  #handshake: Handshake | undefined = undefined;

  /** @internal */
  constructor(owner: SocketOwner<SocketStream>, server: unknown) {
    const { allowHalfOpen, highWaterMark } = owner;
    super({ allowHalfOpen, highWaterMark, decodeStrings: false, emitClose: false, autoDestroy: true });
    this.#owner = owner;
    this.server = server;
  }

  // What servers and clients do with their sockets. These are no methods, which users would see.

  /** There is something below, and no native connection yet. @internal */
  static prepare(socket: SocketStream, transport: Transport): void {
    socket.#transport = transport;
  }

  /** The native connection, and what is below. @internal */
  static attach(socket: SocketStream, id: number, transport: Transport): void {
    socket.#transport = transport;
    socket.#connection.begin(id, transport);
    connections().add(socket.#connection);
  }

  /** Of the native connection; `NO_CONNECTION` without one. @internal */
  static idOf(socket: SocketStream): number {
    return socket.#id;
  }

  /** @internal */
  static ownerOf(socket: SocketStream): SocketOwner<SocketStream> {
    return socket.#owner;
  }

  /** Begins to read whatever is below. @internal */
  static begin(socket: SocketStream): void {
    socket.#transport.begin((error) => {
      socket.#connection.inContext(() => {
        socket.#lost(error);
      });
    });
  }

  /** What the handshake has agreed on. It is done, unless it goes on behind early data. @internal */
  static establish(socket: SocketStream, requestsCertificate: boolean, isEarly = false): void {
    socket.#established = true;
    socket.secureConnecting = isEarly;
    const summary = connections().native.summary(socket.#id);
    if (summary === undefined) return;
    const [serverName, protocol, verifyResult] = summary;
    if (!isEarly) socket.#handshake = toHandshake(summary);
    socket.earlyDataAccepted = summary[7];
    socket.servername = serverName === '' ? false : serverName;
    socket.alpnProtocol = protocol === '' ? false : protocol;
    if (!requestsCertificate) return;
    socket.authorizationError = verifyErrorCode(verifyResult) ?? null;
    socket.authorized = socket.authorizationError === null;
  }

  /** Native code keeps the plaintext of a connection that is open: until somebody reads, if nobody does yet. @internal */
  static hold(socket: SocketStream): void {
    if (readableState(socket).reading) socket.#transport.setPaused(false);
    else socket.#paused = true;
  }

  /** Whether native code has all plaintext. @internal */
  static isHeld(socket: SocketStream): boolean {
    return socket.#paused && socket.#bytesRead === 0;
  }

  /** The peer is welcome: sends what was written before. @internal */
  static open(socket: SocketStream): void {
    socket.#drained();
  }

  /** Native code may have made ciphertext. @internal */
  static flush(socket: SocketStream): void {
    socket.#transport.flush();
  }

  /** The peer has so many bytes of what was written before the handshake. @internal */
  static skipUnsent(socket: SocketStream, count: number): void {
    if (socket.#unsent === undefined) return;
    const { pieces, callback } = socket.#unsent;
    socket.#unsent = { pieces: after(pieces, count), callback };
    socket.#bytesWritten += count;
  }

  /** A handshake ends with this error. @internal */
  static fail(socket: SocketStream, error: Error): void {
    void socket.remoteAddress; // while the connection knows it
    void socket.localAddress;
    socket.#owner.handshakeFailed(error, socket);
  }

  /** Whether `value` is a connection of `owner` whose handshake is not done. @internal */
  static isHandshakeOf(value: object, owner: SocketOwner<SocketStream>): boolean {
    return #owner in value && value.#owner === owner && !value.#established;
  }

  /** Whether the handshake is done. @internal */
  static isEstablished(socket: SocketStream): boolean {
    return socket.#established;
  }

  /** Runs a function in the async context of the connection. @internal */
  static inContext(socket: SocketStream, body: () => void): void {
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

  // As net.Socket: these say to callers' memory, too, whether there may be more.
  #release(reader: ReadBuffer): void {
    if (!reader.isHeld || this.destroyed) return;
    reader.isHeld = false;
    this.#fillSoon(reader);
  }

  #fillSoon(reader: ReadBuffer): void {
    const fill = this.#fill.bind(this, reader, undefined);
    process.nextTick(() => {
      this.#connection.inContext(fill);
    });
  }

  #fill(reader: ReadBuffer, bytes?: Uint8Array): void {
    const again = this.#fillSoon.bind(this, reader);
    const isAll = bytes === undefined ? reader.goOn(again) : reader.receive(bytes, again);
    if (reader.fault !== undefined) this.destroy(reader.fault);
    else if (!this.destroyed && (!isAll || bytes === undefined)) this.#transport.setPaused(!isAll);
  }

  /** As that of `net.Socket`. */
  override pause(): this {
    const reader = this.#owner.readBuffer;
    if (reader !== undefined && this.#established) {
      reader.isHeld = true;
      this.#transport.setPaused(true);
    }
    return super.pause();
  }
  /** As that of `net.Socket`. */
  override resume(): this {
    const reader = this.#owner.readBuffer;
    if (reader !== undefined) this.#release(reader);
    return super.resume();
  }
  /** As that of `net.Socket`. */
  override read(size?: number): unknown {
    const reader = this.#owner.readBuffer;
    if (reader !== undefined) this.#release(reader);
    return super.read(size);
  }

  // http's parser copies what it keeps, and our servers what it leaves over. While it is the only reader, and reads at
  // once, it needs no copy of ours.
  #receive(bytes: Buffer): void {
    this.#bytesRead += bytes.length;
    this._unrefTimer();
    const { readBuffer } = this.#owner;
    if (readBuffer !== undefined) {
      this.#fill(readBuffer, bytes);
      return;
    }
    const { flowing, length, sync, dataEmitted } = readableState(this);
    const readsAtOnce = flowing === true && length === 0 && !sync;
    if (this.parser) this.#isForHttp = true;
    const isCopied = readsAtOnce && this.parser && isCopier(this.server) && this.listenerCount('data') === 1;
    if (isCopied && dataEmitted && !this.destroyed) {
      // As push() would, which also looks whether there is more to read: we tell.
      this.emit('data', bytes);
      return;
    }
    if (this.push(isCopied ? bytes : copyOf(bytes)) || this.destroyed) return;
    this.#paused = true;
    this.#transport.setPaused(true);
  }

  #receiveEnd(truncated: boolean): void {
    const { readBuffer } = this.#owner;
    const end = (): void => {
      this.#tellEnd(truncated);
    };
    if (readBuffer === undefined) end();
    else readBuffer.receiveEnd(end);
  }

  #tellEnd(truncated: boolean): void {
    this.truncated = truncated;
    this.push(null);
    if (this.readableLength === 0) this.resume();
    this.#transport.ended();
  }

  /** @internal */
  override _write(chunk: string | Uint8Array, encoding: Encoding, callback: Callback): void {
    this._unrefTimer();
    const piece = { chunk, encoding };
    if (this.#holds([piece], callback)) return;
    const { native } = connections();
    const taken = isText(piece)
      ? native.writeText(this.#id, piece.chunk, encoding === 'latin1', undefined)
      : native.write(this.#id, toBytes(piece));
    this.#sent(taken, [piece], callback);
  }

  /** @internal */
  override _writev(chunks: readonly Piece[], callback: Callback): void {
    this._unrefTimer();
    if (this.#holds(chunks, callback)) return;
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

  // Until the handshake is done.
  #holds(pieces: readonly Piece[], callback: Callback): boolean {
    if (this.#established) return false;
    this.#unsent = { pieces, callback };
    return true;
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
    this._unrefTimer();
    const unsent = this.#unsent;
    if (unsent === undefined) return;
    this.#unsent = undefined;
    if (unsent.pieces.length === 0) unsent.callback();
    else this.#writeMany(unsent.pieces, unsent.callback);
  }

  // Under http, the end takes a turn of the loop, as with net.Socket: whoever has awaited the end of a response asks its
  // socket. http2 over streams could not bear that.
  /** @internal */
  override _final(callback: Callback): void {
    if (this.#holds([], this._final.bind(this, callback))) return;
    const end = (): void => {
      this.#transport.end(this.#isForHttp ? () => setImmediate(callback) : callback);
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
    TimedStream.stop(this);
    this.connecting = false;
    this.#owner.readBuffer?.clear();
    connections().remove(this.#connection, this.#resets);
    this.#transport.close(this.#resets);
    callback(error);
    // As net.Socket, after the error and in a turn of the loop of its own: whoever has awaited another event hears of it.
    setImmediate(() => {
      this.#endWrite();
      this.emit('close', error !== null);
    });
    this.#owner.left(this);
  }

  #endWrite(): void {
    const { pieces, callback } = this.#unsent ?? { pieces: [] };
    this.#unsent = undefined;
    if (pieces.length > 0) callback?.(systemError(UV_ECANCELED, 'write'));
  }

  #failed(reason: number): void {
    const error =
      reason === TlsFailure.handshakeEnded
        ? this.#owner.hungUp()
        : failureError(reason, () => connections().native.failure(this.#id));
    this.#transport.sendLast();
    this.#lost(error);
  }

  #lost(error: Error | undefined): void {
    // What was told may not be read yet, and the end not be heard.
    const { ended, length } = readableState(this);
    const isRead = length === 0 && ended === this.readableEnded;
    if (this.#established && error === undefined && !isRead) this.once('end', () => this.destroy());
    else if (this.#established) this.destroy(error);
    else if (!this.destroyed) SocketStream.fail(this, error ?? this.#owner.hungUp());
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
  /** Bytes that wait to be written; undefined after the end. */
  get bufferSize(): number | undefined {
    return this.destroyed ? undefined : this.writableLength;
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
  /** Whether there is no connection yet. */
  get pending(): boolean {
    return this.connecting;
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
}
