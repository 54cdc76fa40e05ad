import type { Server as TlsServer } from 'node:tls';
import type { NativeError } from './error';
import type { NativeKey, NativeTlsContext, NativeTrustedRoots } from './handles';

/** Options of a context. Lists are empty and texts undefined where OpenSSL's own choice counts. */
export interface NativeTlsContextOptions {
  certificates: Uint8Array[];
  keys: [Uint8Array, string | undefined][];
  givenKeys: [key: NativeKey, mayPause: boolean, backend: string | undefined][];
  pfx: [Uint8Array, string | undefined][];
  authorities: Uint8Array[];
  /** That are trusted, too. */
  roots: NativeTrustedRoots | undefined;
  revocations: Uint8Array[];
  ciphers: string | undefined;
  suites: string | undefined;
  curves: string | undefined;
  signatureAlgorithms: string | undefined;
  dhParameters: string | undefined;
  minVersion: number;
  maxVersion: number;
  options: number;
  sessionTimeout: number;
  allowPartialChain: boolean;
  /** Of certificates, by the numbers of RFC 8879. */
  compressions: number[];
  ticketKeys: Uint8Array | undefined;
}

/** OpenSSL's errors; with a code and a message where the first is ours. */
export interface NativeTlsFailure extends NativeError {
  /** The job in which they came; -1 outside jobs. */
  readonly job: number;
}

/** Address, family, port. */
export type NativeAddress = [address: string, family: string, port: number];

/** What a handshake has agreed on. The result of the verification is -1 without a certificate. */
export type NativeTlsSummary = [
  serverName: string,
  protocol: string,
  verifyResult: number,
  isReused: boolean,
  place: number,
  nanoseconds: number,
  pauses: number,
  acceptedEarlyData: boolean,
];

/** Servers of TLS and their connections. An id of a connection that is gone is no error. */
export interface NativeTls {
  /** Why there is no TLS, in one sentence; empty when there is, and only then may anything else be called. */
  withoutReason(): string;
  /** Of certificates, that OpenSSL knows, by the numbers of RFC 8879. */
  compressions(): number[];
  createContext(options: NativeTlsContextOptions): NativeTlsContext | NativeError;
  ticketKeys(context: NativeTlsContext): ReturnType<TlsServer['getTicketKeys']>;
  /** 48 bytes. */
  setTicketKeys(context: NativeTlsContext, keys: Uint8Array): void;

  /** `usesPaths`: those that OpenSSL finds by its own paths are trusted, too. */
  createRoots(pems: Uint8Array[], usesPaths: boolean): NativeTrustedRoots | NativeError;
  /** OpenSSL's words for the result of a verification. */
  verifyReason(result: number): string;

  /** Once, before what follows. `onEvents` counts the events that it has begun with in `cursor`. */
  open(
    words: Int32Array,
    slab: Uint8Array,
    cursor: Int32Array,
    onEvents: (count: number) => void,
  ): NativeError | undefined;
  addListener(): number;
  /** One that has stopped and has no connections. */
  removeListener(listener: number): void;
  setSettings(
    listener: number,
    context: NativeTlsContext,
    names: [pattern: string, context: NativeTlsContext][],
    protocols: Uint8Array | undefined,
    sessionContext: string,
    flags: number,
    handshakeTimeoutMs: number,
    threads: number,
    maxInlineMicros: number,
    maxHandshakes: number,
    keyHint: string | undefined,
    maxEarlyData: number,
  ): void;
  /** 0, or libuv's code. */
  listen(listener: number, fd: number, backlog: number): number;
  /** Before the fd is closed. */
  stopListening(listener: number): void;
  setListenerRef(listener: number, ref: boolean): void;
  /** 0 for no limit. */
  setMaxConnections(listener: number, most: number): void;
  /** Connections that were not claimed. */
  pending(listener: number): number;
  /** Whether fds can be listened to and adopted here. */
  hasSockets(): boolean;
  /** 0, or libuv's code. The fd stays the caller's. */
  adopt(listener: number, fd: number, bytes: Uint8Array | undefined): number;
  /**
   * A connection that is claimed, or libuv's code. Without a fd (-1), JavaScript carries the ciphertext. The fd stays the
   * caller's. `bytes` were read from it.
   */
  serve(listener: number, fd: number, bytes: Uint8Array | undefined): number;

  /**
   * A client's connection, or libuv's code. Without roots, the context knows whom to trust; without a fd (-1), JavaScript
   * carries the ciphertext. The fd stays the caller's. `bytes` were read from it.
   */
  connect(
    context: NativeTlsContext,
    roots: NativeTrustedRoots | undefined,
    fd: number,
    bytes: Uint8Array | undefined,
    serverName: string | undefined,
    protocols: Uint8Array | undefined,
    session: Uint8Array | undefined,
    keyIdentity: string | undefined,
    key: Uint8Array | undefined,
    flags: number,
    threads: number,
    maxInlineMicros: number,
    earlyData: Uint8Array | undefined,
  ): number;

  /** How many bytes from `from` on were taken; their complement where the event `inputWanted` follows. */
  feed(id: number, bytes: Uint8Array, from: number): number;
  /** The peer sends no more. */
  feedEnd(id: number): void;
  /** All ciphertext for the stream. More follows the event `output`, after `setCarried`. */
  takeOutput(id: number): Buffer | undefined;
  setCarried(id: number): void;

  /** The bytes that were taken; their complement where the event `drained` follows. */
  write(id: number, bytes: Uint8Array): number;
  /** As `write`; `latin1` or UTF-8, and what follows the text. */
  writeText(id: number, text: string, latin1: boolean, bytes: Uint8Array | undefined): number;
  writeMany(id: number, pieces: Uint8Array[]): number;
  /** Whether the event `drained` follows. */
  end(id: number): boolean;
  /**
   * Begins a later handshake, in which a client is asked for its certificate, and has to have one: renegotiation before
   * TLS 1.3, and with it the request alone. The event `renegotiated` follows. OpenSSL's errors where none begins, one line
   * each; a connection that a thread has tells of them by the event.
   */
  renegotiate(id: number, requests: boolean, rejects: boolean): string[];
  /** That of the other side's. */
  forbidRenegotiation(id: number): void;
  /** Writes its messages to stderr from here on, where OpenSSL can. */
  trace(id: number): void;
  setPaused(id: number, paused: boolean): void;
  setRef(id: number, ref: boolean): void;
  /** Counts it out of `pending`. */
  claim(id: number): boolean;
  destroy(id: number, reset: boolean): void;
  /**
   * A descriptor: one end of a pair of sockets, the caller's, which carries the plaintext from here on. A negative number
   * is libuv's code, and the connection stays as it is. The event `end` follows when the other end is closed and all has
   * left that it was given; or `failed`.
   */
  pair(id: number): number;
  /** A descriptor, the caller's: an end of a pair of sockets. `far` numbers the other one, which is kept; or libuv's code. */
  makePair(): [near: number, far: number] | number;
  /** As `pair`, with the kept end of such a pair: 0. Otherwise libuv's code, and it is kept. */
  pairWith(id: number, far: number): number;
  /** Its descriptor, the caller's from here on. */
  takeFar(far: number): number;
  closeFar(far: number): void;
  /** The caller's end is closed, or will be at once. */
  release(id: number): void;
  setNoDelay(id: number, noDelay: boolean): void;
  setKeepAlive(id: number, keepAlive: boolean, initialDelaySeconds: number): void;
  /** Goes on after the event `accepted`. */
  proceed(id: number): void;
  /** What the client has sent. `sessionId` is empty where it offers no session, or a ticket. */
  hello(
    id: number,
  ):
    | [serverName: string, protocols: Buffer, sessionId: Buffer, wantsStatus: boolean, keyIdentities: Buffer[]]
    | undefined;
  /** Goes on after the event `asking`. */
  answer(
    id: number,
    context: NativeTlsContext | undefined,
    choosesProtocol: boolean,
    protocol: string,
    session: Uint8Array | undefined,
    status: Uint8Array | undefined,
    keyIdentity: Uint8Array | undefined,
    key: Uint8Array | undefined,
  ): void;
  /** Instead, or instead of `giveKey`: the client gets an alert. The connection is to be destroyed. */
  refuse(id: number): void;
  /** Of a shared key, after the event `askingKey`. */
  keyIdentity(id: number): Buffer | undefined;
  /** Goes on after it; undefined where there is no such key. */
  giveKey(id: number, key: Uint8Array | undefined): void;
  /** Of a context; without one, of the one that the settings choose for the client. */
  certificates(
    id: number,
    context: NativeTlsContext | undefined,
  ): [certificate: Buffer | undefined, issuer: Buffer | undefined];
  /** Certificate and key are those of another context than the one that is chosen later. */
  setIdentity(id: number, context: NativeTlsContext): void;
  /** Each once. While there are some, nothing is sent before `sessionsKept`. */
  takeNewSessions(id: number): [sessionId: Buffer, session: Buffer][];
  sessionsKept(id: number): void;
  /** Of a client, after the event `secure`: the server gets the handshake's last message. */
  setWelcome(id: number): void;
  /** Why a connection or a later handshake has failed, for OpenSSL. */
  failure(id: number): NativeTlsFailure;
  address(id: number, own: boolean): NativeAddress | undefined;
  droppedAddresses(number: number): [peer: NativeAddress | undefined, own: NativeAddress | undefined];

  summary(id: number): NativeTlsSummary | undefined;
  /** The peer's certificate and its issuers: those that it has sent, then those that are trusted. */
  peerCertificates(id: number): Buffer[];
  /** The peer's certificate and its chain, as they were sent. */
  sentCertificates(id: number): Buffer[];
  certificate(id: number): Buffer | undefined;
  session(id: number): Buffer | undefined;
  /** The server's answer for its certificate; undefined for none. */
  status(id: number): Buffer | undefined;
  /** Of the key exchange, as clients see it. */
  ephemeralKey(id: number): [type: 'DH' | 'ECDH' | 'TLSGroup', name: string, bits: number] | undefined;
  ticket(id: number): Buffer | undefined;
  finished(id: number): Buffer | undefined;
  peerFinished(id: number): Buffer | undefined;
  cipher(id: number): [name: string, standardName: string, version: string] | undefined;
  version(id: number): string | undefined;
  sharedSignatureAlgorithms(id: number): string[];
  keyingMaterial(id: number, size: number, label: string, context: Uint8Array | undefined): Buffer | undefined;
  setMaxFragment(id: number, size: number): boolean;
}
