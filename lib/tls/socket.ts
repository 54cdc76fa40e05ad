// A socket of TLS, of either side: what node:tls adds to sockets of node:net.
//
// No property with an underscore is added: http sets such properties on its sockets.
import { X509Certificate } from 'node:crypto';
import type { CipherNameAndProtocol, EphemeralKeyInfo, PeerCertificate } from 'node:tls';
import { asyncError, invalidArgType, nodeError } from '../base/errors';
import { validateInteger, validateString } from '../base/validators';
import { legacyObject, peerCertificate, peerX509Certificate } from './certificates';
import { connections } from './connections';
import {
  createNativeContext,
  readContextOptions,
  toNativeContext,
  type SecureContext,
  type SecureContextOptions,
} from './context';
import { hungUp } from './failures';
import {
  disableRenegotiation,
  renegotiate,
  type RenegotiationCallback,
  type RenegotiationOptions,
} from './renegotiation';
import { SocketStream } from './socket-stream';
import type { NativeTlsContext } from '../native/contract/handles';

/** See `TLSSocket` of socket-class.ts, which users have. */
export class TLSSocket extends SocketStream {
  #end: (() => void) | undefined = undefined; // of the stream, which waits for the end of the handshake
  #completion: Promise<void> | undefined = undefined; // of the handshake
  #identity: NativeTlsContext | undefined = undefined;

  // --- Early data

  /**
   * Whether the socket of a server is open before the handshake is done, as `maxEarlyData` allows: until then, whatever
   * is read may be a replay of bytes that an attacker has recorded.
   */
  get isEarlyData(): boolean {
    return SocketStream.isEstablished(this) && this.secureConnecting;
  }
  /**
   * Waits for the end of the handshake, after which nothing is a replay.
   *
   * @returns resolves at once where it is done, also of a socket that is closed by now; rejects with the error that closes
   * the socket before, or `ECONNRESET`, and so for a client whose server is not welcome. All calls give one promise.
   */
  handshakeComplete(): Promise<void> {
    return (this.#completion ??= this.#complete());
  }

  async #complete(): Promise<void> {
    if (this.#isComplete) return;
    if (this.destroyed) throw this.errored ?? hungUp();
    await new Promise<void>((resolve, reject) => {
      const onClose = (): void => {
        if (this.#isComplete) resolve();
        else reject(this.errored ?? hungUp());
      };
      this.once('close', onClose);
      this.once('secure', () => {
        this.removeListener('close', onClose);
        resolve();
      });
    });
  }

  get #isComplete(): boolean {
    return !this.secureConnecting && SocketStream.ownerOf(this).client?.isRefused !== true;
  }

  /** The handshake is done: the stream may end. @internal */
  static finish(socket: TLSSocket): void {
    const end = socket.#end;
    socket.#end = undefined;
    if (!socket.destroyed) end?.();
  }

  /** The socket below a server's is closed. @internal */
  static loseBelow(socket: TLSSocket): void {
    if (socket.destroyed || SocketStream.isEstablished(socket)) socket.destroy();
    else SocketStream.fail(socket, hungUp());
  }

  // The last message of a connection comes after the handshake's.
  /** @internal */
  override _final(callback: (error?: Error | null) => void): void {
    const end = (): void => {
      super._final(callback);
    };
    if (this.isEarlyData) this.#end = end;
    else end();
  }

  // --- As tls.TLSSocket

  // A socket that is destroyed answers null, which the declarations of node:tls do not say of most.
  #unlessGone<T>(ask: (id: number) => T): T {
    return this.destroyed ? (null as T) : ask(SocketStream.idOf(this));
  }

  /** The peer's certificate, as `tls.TLSSocket` gives it; null after the end, as of the other functions for what was agreed on. */
  getPeerCertificate(detailed = false): PeerCertificate | Record<string, never> {
    return this.#unlessGone((id) => peerCertificate(connections().native.peerCertificates(id), detailed));
  }
  /** The peer's certificate, or undefined. */
  getPeerX509Certificate(): X509Certificate | undefined {
    return peerX509Certificate(connections().native.sentCertificates(SocketStream.idOf(this)));
  }
  /** Our certificate. */
  getCertificate(): PeerCertificate | Record<string, never> {
    return this.#unlessGone((id) => {
      const der = connections().native.certificate(id);
      return der === undefined ? {} : legacyObject(der);
    });
  }
  /** Our certificate, or undefined. */
  getX509Certificate(): X509Certificate | undefined {
    const der = connections().native.certificate(SocketStream.idOf(this));
    return der === undefined ? undefined : new X509Certificate(der);
  }
  /** The cipher that was agreed on. */
  getCipher(): CipherNameAndProtocol | undefined {
    return this.#unlessGone((id) => {
      const names = connections().native.cipher(id);
      return names === undefined ? undefined : { name: names[0], standardName: names[1], version: names[2] };
    });
  }
  /** The version of TLS, for example `TLSv1.3`; null after the end. */
  getProtocol(): string | null {
    return connections().native.version(SocketStream.idOf(this)) ?? null;
  }
  /** The session, as `tls.TLSSocket` gives it: in OpenSSL's encoding, of clients with the name of the server before it. */
  getSession(): Buffer | undefined {
    return this.#unlessGone((id) => {
      const session = connections().native.session(id);
      const { client } = SocketStream.ownerOf(this);
      return session === undefined || client === undefined ? session : client.namedSession(session);
    });
  }
  /** The session's ticket; servers have none. */
  getTLSTicket(): Buffer | undefined {
    return this.#unlessGone((id) => connections().native.ticket(id));
  }
  /** Whether an earlier session was resumed. */
  isSessionReused(): boolean {
    return this.#unlessGone((id) => connections().native.summary(id)?.[3] ?? false);
  }
  /**
   * The key exchange, as a client sees it: an empty object where there is none. Null for a server. Groups of ML-KEM, such
   * as X25519MLKEM768, are `{ type: 'TLSGroup', name }` here in every Node.js whose OpenSSL knows them.
   */
  getEphemeralKeyInfo(): EphemeralKeyInfo | object | null {
    if (SocketStream.ownerOf(this).client === undefined || this.destroyed) return null;
    const key = connections().native.ephemeralKey(SocketStream.idOf(this));
    if (key === undefined) return {};
    const [type, name, size] = key;
    if (type === 'TLSGroup') return { type, name };
    return type === 'DH' ? { type, size } : { type, name, size };
  }
  /** Our last message of the handshake. */
  getFinished(): Buffer | undefined {
    return this.#unlessGone((id) => connections().native.finished(id));
  }
  /** The peer's last message of the handshake. */
  getPeerFinished(): Buffer | undefined {
    return this.#unlessGone((id) => connections().native.peerFinished(id));
  }
  /** Signature algorithms that both sides know, in the order of preference. */
  getSharedSigalgs(): string[] {
    return this.#unlessGone((id) => connections().native.sharedSignatureAlgorithms(id));
  }
  /** Keying material for other protocols, RFC 5705: `length` bytes. */
  exportKeyingMaterial(length: number, label: string, context?: Buffer): Buffer | undefined {
    validateInteger(length, 'length', 1, 2 ** 32 - 1);
    validateString(label, 'label');
    if (context !== undefined && !ArrayBuffer.isView(context))
      throw invalidArgType('context', 'an instance of Buffer, TypedArray, or DataView', context);
    if (!SocketStream.isEstablished(this))
      throw nodeError('ERR_TLS_INVALID_STATE', 'TLS socket connection must be securely established');
    return connections().native.keyingMaterial(SocketStream.idOf(this), length, label, context);
  }
  /** The most plaintext of a record, 512 to 16 384 bytes. False when it was refused. */
  setMaxSendFragment(size: number): boolean {
    validateInteger(size, 'size', -(2 ** 31), 2 ** 31 - 1);
    return connections().native.setMaxFragment(SocketStream.idOf(this), size);
  }
  /**
   * Has the handshake use the certificate and the key of another context, and the rest of the one that is chosen. A server
   * calls it in a callback or a listener that the handshake waits for, a client before it is connected; without effect
   * later.
   *
   * @param context - of `createSecureContext()` of this package, or its options
   */
  setKeyCert(context: SecureContext | SecureContextOptions): void {
    const { client } = SocketStream.ownerOf(this);
    if (client !== undefined) {
      client.setKeyCert(context);
      return;
    }
    const identity = toNativeContext(context) ?? createNativeContext(readContextOptions(context));
    if (this.destroyed || SocketStream.isEstablished(this)) return;
    this.#identity = identity;
    connections().native.setIdentity(SocketStream.idOf(this), identity);
  }
  /** The context that `setKeyCert()` was given. @internal */
  static identityOf(socket: TLSSocket): NativeTlsContext | undefined {
    return socket.#identity;
  }
  /**
   * Refuses a server's renegotiation. Of a server's socket: ends the connection of a client that begins one, with the
   * error `ERR_TLS_RENEGOTIATION_DISABLED`, where the server has let clients: see `clientRenegotiation`.
   */
  disableRenegotiation(): void {
    disableRenegotiation(this);
  }
  /** Without effect: what is native ends with the connection. @internal */
  _destroySSL(): void {
    // Node.js looks into what it has of its own sockets.
  }
  /**
   * Begins another handshake on an open connection: renegotiation before TLS 1.3. Under TLS 1.3 a server asks for the
   * client's certificate with `requestCert`, and nothing else is possible. Then `authorized`, `authorizationError` and
   * `getPeerCertificate()` are about that certificate.
   *
   * @param options - `requestCert` and `rejectUnauthorized` of a server. Default: as before; empty for a client.
   * @param callback - hears of the end of the handshake: null, or the error. A peer may never answer.
   * @returns whether it has begun; undefined for a socket that is destroyed. With false, the callback has the reason:
   * `ERR_SSL_EXTENSION_NOT_RECEIVED` where a client of TLS 1.3 has not offered it, `ERR_SSL_WRONG_SSL_VERSION`,
   * `ERR_SSL_NO_RENEGOTIATION`, `ERR_TLS_INVALID_STATE` before the end of the first handshake.
   */
  renegotiate(options: RenegotiationOptions, callback?: RenegotiationCallback): boolean | undefined {
    return renegotiate(this, options, callback);
  }
  /** Writes the messages of the connection to stderr from here on, those of a handshake on a thread left out. */
  enableTrace(): void {
    SocketStream.ownerOf(this).client?.enableTrace();
    const trace = (): void => {
      connections().native.trace(SocketStream.idOf(this));
    };
    trace();
    if (!SocketStream.isEstablished(this)) this.once('secure', trace);
  }

  // --- Of clients: inherited, they would look for a handle

  /** Connects a client that was made without a stream. */
  connect(...args: unknown[]): this {
    const { client } = SocketStream.ownerOf(this);
    if (client === undefined) throw asyncError('ERR_ASYNC_UNSUPPORTED', 'A socket of a server cannot connect');
    client.connect(args);
    return this;
  }
  /** The name that a client asks for, before its handshake begins. Throws `ERR_TLS_SNI_FROM_SERVER` for a server. */
  setServername(name: string): void {
    validateString(name, 'name');
    const { client } = SocketStream.ownerOf(this);
    if (client === undefined) {
      throw nodeError('ERR_TLS_SNI_FROM_SERVER', 'Cannot issue SNI from a TLS server-side socket');
    }
    client.setServername(name);
  }
  /** The session that a client resumes, before its handshake begins. Throws `ERR_ASYNC_UNSUPPORTED` for a server. */
  setSession(session: string | NodeJS.ArrayBufferView): void {
    const { client } = SocketStream.ownerOf(this);
    if (client === undefined) {
      throw asyncError('ERR_ASYNC_UNSUPPORTED', 'A socket of a server is given its session by the client');
    }
    client.setSession(session);
  }
}
