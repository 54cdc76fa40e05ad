// A client's socket: from connect() to a server that is welcome.
import * as net from 'node:net';
import { addAbortSignal, type Duplex } from 'node:stream';
import { nodeError, type CodedError } from '../base/errors';
import { TlsClientFlag, TlsEvent } from '../native/contract/tables';
import { namedSession, sessionFor } from './client-sessions';
import { connections } from './connections';
import {
  readConnectArguments,
  serverOf,
  toCheckServerIdentity,
  toClientKey,
  toClientThreads,
  toEarlyData,
  toMinDhBits,
  toRejectUnauthorized,
  toSession,
  toStream,
  type CheckServerIdentity,
  type ClientOptions,
} from './connect-options';
import { ConnectingTransport } from './connecting-transport';
import {
  clientContext,
  readContextOptions,
  toClientContext,
  type ClientContext,
  type SecureContext,
  type SecureContextOptions,
} from './context';
import { debugTls } from './debug';
import { systemError, verifyError } from './failures';
import { tellBegin, tellEnd, tracesHandshakes } from './handshake-channels';
import { logKey, logsKeysByFlag, toTraces } from './node-flags';
import { optionalFunction, toProtocols } from './questions';
import { ReadBuffer } from './read-buffer';
import { tellRenegotiated } from './renegotiation';
import { TLSSocket } from './socket';
import { giveOf, NOTHING, transportOver, type Given } from './socket-below';
import type { ClientSide, SocketOwner } from './socket-owner';
import { StreamTransport } from './stream-transport';
import { SocketTransport, type Transport } from './transport';

interface Verification {
  readonly minDhBits: number;
  readonly check: CheckServerIdentity;
  readonly rejects: boolean;
}
type KeyCallback = (hint: null) => unknown;

// What a socket hears of the one that connects for it.
const FORWARDED = ['lookup', 'connectionAttempt', 'connectionAttemptFailed', 'connectionAttemptTimeout'];

export class Client implements SocketOwner<TLSSocket>, ClientSide {
  readonly allowHalfOpen: boolean;
  readonly highWaterMark: number | undefined;
  readonly readBuffer: ReadBuffer | undefined;
  readonly socket: TLSSocket;
  readonly #options: ClientOptions;
  readonly #protocols: Uint8Array | undefined;
  readonly #key: KeyCallback | undefined;
  readonly #threads: number;
  readonly #maxInlineMicros: number;
  #context: ClientContext;
  #servername: string | undefined = undefined;
  #session: Uint8Array | undefined = undefined;
  #earlyData: Uint8Array | undefined = undefined;
  #begun = false;
  #traces: boolean;
  // Of connect(): what makes a server welcome.
  #verifies: Verification | undefined = undefined;
  #isVerified = false;
  isRefused = false;
  #newSession: Buffer | undefined = undefined; // that came before the server was verified

  constructor(options: ClientOptions, makeSocket: (client: Client) => TLSSocket = (client) => newSocket(client)) {
    this.#options = options;
    this.allowHalfOpen = (toStream(options.socket) ?? options).allowHalfOpen === true;
    this.highWaterMark = options.highWaterMark as number | undefined;
    this.readBuffer = isGiven(options.socket) ? undefined : ReadBuffer.of(options.onread);
    this.#protocols = toProtocols(options.ALPNProtocols);
    this.#key = optionalFunction(options.pskCallback, 'options.pskCallback') as KeyCallback | undefined;
    [this.#threads, this.#maxInlineMicros] = toClientThreads(options);
    this.#context = readClientContext(options);
    this.#traces = toTraces(options.enableTrace);
    this.#earlyData = toEarlyData(options, this.#protocols);
    if (isGiven(options.session)) this.#session = toSession(options.session);
    this.socket = makeSocket(this);
    this.socket.alpnProtocol = null;
    this.socket.servername = null;
    if (this.#earlyData !== undefined) this.socket.write(this.#earlyData);
    if (options.signal !== undefined) addAbortSignal(options.signal as AbortSignal, this.socket);
  }

  get client(): this {
    return this;
  }

  /** As `tls.connect()`. */
  static connect(args: readonly unknown[]): TLSSocket {
    const { options, listener } = readConnectArguments(args);
    const verifies = {
      minDhBits: toMinDhBits(options),
      check: toCheckServerIdentity(options),
      rejects: toRejectUnauthorized(options),
    };
    const stream = toStream(options.socket);
    const client = new Client(options);
    const { socket } = client;
    client.#verifies = verifies;
    if (listener !== undefined) socket.once('secureConnect', listener);
    if (isGiven(options.servername)) socket.setServername(options.servername as string);
    if (stream !== undefined) {
      client.useStream(stream);
    } else {
      if (isGiven(options.timeout)) socket.setTimeout(options.timeout as number);
      client.#dial(options);
    }
    return socket;
  }

  // --- What is below

  /** Connects a socket that was made without a stream. */
  connect(args: readonly unknown[]): void {
    const { options, listener } = readConnectArguments(args);
    if (listener !== undefined) this.socket.once('connect', listener);
    this.#dial(options);
  }

  // node:net looks up names, tries addresses and asks the permission model. Then the descriptor is ours.
  #dial(options: object): void {
    const { socket } = this;
    if (socket.destroyed) return;
    const raw = new net.Socket({ allowHalfOpen: true });
    const below = new ConnectingTransport(raw);
    TLSSocket.prepare(socket, below);
    socket.connecting = true;
    raw.pause();
    for (const name of FORWARDED) raw.on(name, (...args: unknown[]) => socket.emit(name, ...args));
    raw.once('error', (error) => socket.destroy(error));
    raw.once('connect', () => {
      const { fd = -1 } = (raw as unknown as { _handle?: { fd?: number } })._handle ?? {};
      raw.removeAllListeners();
      this.#connected(() => {
        const isOurs = fd >= 0 && connections().native.hasSockets();
        const given = isOurs ? { ...NOTHING, fd } : NOTHING;
        const make = (id: number): Transport => (isOurs ? new SocketTransport(id) : new StreamTransport(id, raw));
        if (this.#begin(below, () => given, make) && isOurs) raw.destroy();
      });
    });
    raw.connect(options as net.SocketConnectOpts);
  }

  /** A stream of the caller's, which stays below. */
  useStream(stream: Duplex): void {
    const { socket } = this;
    const below = new ConnectingTransport(stream);
    TLSSocket.prepare(socket, below);
    const onClosed = (): void => {
      socket.destroy();
    };
    const begin = (): void => {
      const give = (): Given => giveOf(stream);
      this.#begin(below, give, (id, given) => transportOver(stream, given, { id, socket, onClosed }));
    };
    // Callers set up the socket first.
    if (!isUnconnected(stream)) {
      process.nextTick(() => {
        if (!socket.destroyed) begin();
      });
      return;
    }
    socket.connecting = true;
    const fail = (error?: Error): void => {
      socket.destroy(error ?? this.hungUp());
    };
    const onClose = (): void => {
      fail();
    };
    stream.once('error', fail);
    stream.once('close', onClose);
    stream.once('connect', () => {
      stream.removeListener('error', fail);
      stream.removeListener('close', onClose);
      this.#connected(begin);
    });
  }

  // A listener that throws does not keep the handshake from beginning.
  #connected(begin: () => void): void {
    const { socket } = this;
    if (socket.destroyed) return;
    socket.connecting = false;
    TLSSocket.inContext(socket, () => {
      try {
        socket.emit('connect');
        socket.emit('ready');
      } finally {
        if (!socket.destroyed) begin();
      }
    });
  }

  #begin(below: ConnectingTransport, give: () => Given, transportOf: (id: number, given: Given) => Transport): boolean {
    const { socket } = this;
    this.#begun = true;
    debugTls('client begins, for %s', this.#servername ?? 'no name');
    let id: number;
    let given: Given = NOTHING;
    try {
      id = this.#connectNatively(() => (given = give()));
    } catch (error) {
      socket.destroy(error as Error);
      return false;
    }
    if (id < 0) {
      socket.destroy(systemError(id, 'connect'));
      return false;
    }
    const transport = transportOf(id, given);
    TLSSocket.attach(socket, id, transport);
    below.passOn(transport);
    if (tracesHandshakes()) tellBegin(undefined, socket);
    TLSSocket.begin(socket);
    return true;
  }

  // Users' code runs before `give` is called, and none after it.
  #connectNatively(give: () => Given): number {
    const { native, roots } = this.#context;
    const { identity, psk } = toClientKey(this.#key?.(null)) ?? {};
    let flags = this.#holdsHttp2 ? TlsClientFlag.holdsHttp2 : 0;
    if (this.socket.listenerCount('keylog') > 0 || logsKeysByFlag()) flags |= TlsClientFlag.logsKeys;
    if (this.#traces) flags |= TlsClientFlag.traces;
    if (this.#verifies?.rejects === true) flags |= TlsClientFlag.mustTrust;
    if (isGiven(this.#options.requestOCSP)) flags |= TlsClientFlag.requestsStatus;
    if (this.#options.postHandshakeAuth === true) flags |= TlsClientFlag.authenticatesLater;
    const session = this.#sessionToOffer();
    const { fd, bytes } = give();
    const id = connections().native.connect(
      native,
      roots,
      fd,
      bytes,
      this.#servername,
      this.#protocols,
      session,
      identity,
      psk,
      flags,
      this.#threads,
      this.#maxInlineMicros,
      this.#earlyData,
    );
    psk?.fill(0);
    return id;
  }

  // A session of HTTP/2 gets the connection, and its plaintext another way than by JavaScript.
  get #holdsHttp2(): boolean {
    return this.#protocols !== undefined && Buffer.from(this.#protocols).includes('\u0002h2');
  }

  // --- What callers set before the handshake begins

  enableTrace(): void {
    this.#traces = true;
  }

  setServername(name: string): void {
    if (net.isIP(name) !== 0) warnOfAddress();
    if (!this.#begun) this.#servername = name;
  }

  setSession(session: string | NodeJS.ArrayBufferView): void {
    const bytes = toSession(session);
    if (!this.#begun) this.#session = bytes;
  }

  // That of `setServername()` before that of the options, as for the check of the certificate.
  get #server(): string {
    const { servername, host, socket } = this.#options;
    return serverOf({ servername: this.#servername ?? servername, host, socket });
  }

  namedSession(session: Buffer): Buffer {
    return namedSession(session, this.#server);
  }

  #sessionToOffer(): Uint8Array | undefined {
    const mustTrust = this.#verifies?.rejects === true;
    if (this.#session === undefined) return undefined;
    return sessionFor(this.#server, this.#session, mustTrust);
  }

  setKeyCert(context: SecureContext | SecureContextOptions): void {
    const { native } = toClientContext(context) ?? clientContext(readContextOptions(context));
    if (!this.#begun) this.#context = { native, roots: this.#context.roots };
  }

  // --- What native code tells

  told(kind: TlsEvent, line: Buffer | undefined): void {
    const { socket } = this;
    if (kind === TlsEvent.secure) this.#secure();
    else if (kind === TlsEvent.keyLog) this.#logKey(Buffer.concat([line as Buffer, Buffer.from('\n')]));
    else if (kind === TlsEvent.newSessions) this.#tellSessions();
    else if (kind === TlsEvent.status)
      socket.emit('OCSPResponse', connections().native.status(TLSSocket.idOf(socket)) ?? null);
  }

  #logKey(line: Buffer): void {
    logKey(line);
    this.socket.emit('keylog', line);
  }

  #secure(): void {
    const { socket } = this;
    if (socket.destroyed) return;
    TLSSocket.establish(socket, false);
    if (this.#holdsHttp2 && socket.alpnProtocol === 'h2') TLSSocket.hold(socket);
    if (socket.earlyDataAccepted) TLSSocket.skipUnsent(socket, this.#earlyData?.length ?? 0);
    tellEnd(socket);
    if (this.#verifies === undefined) this.#welcome();
    else this.#verify(this.#verifies);
    if (isGone(socket)) return;
    socket.emit('secure');
    if (this.#verifies === undefined && !isGone(socket)) TLSSocket.open(socket);
  }

  // The server gets the handshake's last message.
  #welcome(): void {
    connections().native.setWelcome(TLSSocket.idOf(this.socket));
    TLSSocket.flush(this.socket);
  }

  #verify({ minDhBits, check, rejects }: Verification): void {
    const { socket } = this;
    let error: (Error & { code?: string }) | undefined;
    try {
      error = this.#findFault(minDhBits, check);
    } catch (thrown) {
      this.isRefused = true;
      socket.destroy(thrown as Error);
      return;
    }
    if (error !== undefined) {
      socket.authorizationError = error.code ?? error.message;
      debugTls('client finds the server unwelcome: %s, which counts: %s', socket.authorizationError, rejects);
      if (rejects || error.code === 'ERR_TLS_DH_PARAM_SIZE') {
        this.isRefused = true;
        socket.destroy(error);
        return;
      }
    }
    socket.authorized = error === undefined;
    if (!this.#isVerified) {
      this.#welcome();
      TLSSocket.open(socket);
    }
    debugTls('client emits secureConnect, authorized: %s, protocol: %s', socket.authorized, socket.alpnProtocol);
    socket.emit('secureConnect');
    this.#isVerified = true;
    const session = this.#newSession;
    this.#newSession = undefined;
    if (session !== undefined) socket.emit('session', session);
  }

  renegotiated(hasFailed: boolean, socket: TLSSocket): void {
    tellRenegotiated(socket, hasFailed, () => {
      if (this.#verifies !== undefined) this.#verify(this.#verifies);
      return null;
    });
  }

  // A session that is resumed was verified before.
  #findFault(minDhBits: number, check: CheckServerIdentity): CodedError | Error | undefined {
    const { socket } = this;
    const key = socket.getEphemeralKeyInfo() as { type?: string; size?: number } | null;
    if (key?.type === 'DH' && (key.size as number) < minDhBits) {
      return nodeError('ERR_TLS_DH_PARAM_SIZE', `DH parameter size ${String(key.size)} is less than 2048`);
    }
    const { native } = connections();
    const [, , result = 0, isReused = false] = native.summary(TLSSocket.idOf(socket)) ?? [];
    const error = verifyError(result, (number) => native.verifyReason(number));
    if (error !== undefined || isReused) return error;
    const { host, socket: below } = this.#options;
    const hostname = this.#servername ?? host ?? (below as { _host?: string } | undefined)?._host ?? 'localhost';
    const fault = check(hostname as string, socket.getPeerCertificate(true));
    return isGiven(fault) ? fault : undefined; // false is welcome, too
  }

  #tellSessions(): void {
    for (const [, session] of connections().native.takeNewSessions(TLSSocket.idOf(this.socket))) {
      const named = this.namedSession(session);
      if (this.#isVerified) this.socket.emit('session', named);
      else this.#newSession = named;
    }
  }

  // --- The end

  left(): void {
    // nobody counts
  }

  handshakeFailed(error: Error, socket: TLSSocket): void {
    tellEnd(socket, error);
    debugTls('client handshake failed: %s', error.message);
    socket.destroy(error);
  }

  hungUp(): Error {
    const { path, host, port, localAddress } = this.#options;
    const message = 'Client network socket disconnected before secure TLS connection was established';
    return Object.assign(new Error(message), { code: 'ECONNRESET', path, host, port, localAddress });
  }
}

// Listeners may have destroyed it.
const isGone = (socket: TLSSocket): boolean => socket.destroyed;

function newSocket(client: Client): TLSSocket {
  return new TLSSocket(client, undefined);
}

function readClientContext(options: ClientOptions): ClientContext {
  if (isGiven(options.secureContext)) {
    const context = toClientContext(options.secureContext);
    if (context !== undefined) return context;
    throw nodeError('ERR_TLS_INVALID_CONTEXT', 'context must be a SecureContext', TypeError);
  }
  return clientContext({ ...readContextOptions(options), requestCert: undefined });
}

// As Node.js, which takes empty values for none.
function isGiven(value: unknown): boolean {
  return Boolean(value);
}

function isUnconnected(stream: Duplex): boolean {
  if (!(stream instanceof net.Socket)) return false;
  if (stream instanceof TLSSocket || stream.connecting) return stream.connecting;
  return (stream as unknown as { _handle: unknown })._handle === null && !stream.destroyed;
}

let hasWarned = false;

function warnOfAddress(): void {
  if (hasWarned) return;
  hasWarned = true;
  process.emitWarning(
    'Setting the TLS ServerName to an IP address is not permitted by RFC 6066. This will be ignored in a future version.',
    'DeprecationWarning',
    'DEP0123',
  );
}
