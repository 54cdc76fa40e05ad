// Options of servers: Node.js's, and our own.
import type * as nodeHttp2 from 'node:http2';
import type * as nodeHttps from 'node:https';
import type * as nodeTls from 'node:tls';
import { invalidArgType, invalidArgValue } from '../base/errors';
import { validateBoolean, validateInteger, validateString } from '../base/validators';
import type { ContextOptions, OwnContextOptions, SecureContext } from './context';
import { isDropIn } from './drop-in';
import type { TLSSocket } from './socket';

/** What a client has said before its handshake began. */
export interface ClientHello {
  /** The name that it asks for; undefined without one. */
  readonly servername: string | undefined;
  /** The protocols that it offers by ALPN, in its order. */
  readonly protocols: readonly string[];
}

/** An object with a key that a client and a server share. */
export interface SharedKeyHolder {
  /** The key. */
  psk: NodeJS.ArrayBufferView;
}
/** A key that a client and a server share; null or undefined for none. */
export type SharedKey = NodeJS.ArrayBufferView | SharedKeyHolder | null | undefined;

/** Options of servers that `node:tls` does not have, or that may be more here. */
export interface OwnServerOptions extends OwnContextOptions {
  /** As that of `node:tls`; it may return a promise of the context instead of calling `done`. */
  SNICallback?: (servername: string, done: (error: Error | null, context?: nodeTls.SecureContext) => void) => unknown;
  /** As that of `node:tls`; it may return a promise. */
  ALPNCallback?: (hello: {
    servername: string;
    protocols: string[];
  }) => string | undefined | Promise<string | undefined>;
  /**
   * As that of `node:tls`: the key, of at most 256 bytes, that a client and the server share under this name; null for
   * none. It may return a promise. Other certificates and keys are not needed then, but `ciphers` has to name ciphers
   * with shared keys before TLS 1.3, for example `PSK+HIGH`.
   */
  pskCallback?: (socket: nodeTls.TLSSocket, identity: string) => SharedKey | Promise<SharedKey>;
  /**
   * The threads that do this server's handshakes, 0 to 64; with 0, handshakes run on the event loop. All servers of a
   * thread of Node.js share them. Streams without a descriptor, and all connections on Windows, are served on the event
   * loop in any case. Default: 1.
   */
  threads?: number;
  /**
   * Where records are encrypted and decrypted, and sockets read and written: `'loop'`, or `'threads'` for servers whose
   * event loop is busier than the other cores. A request costs the event loop a third then, and the process a little more
   * than on the loop. It needs `threads`; what these do not do stays on the event loop. Default: `'loop'`.
   */
  records?: 'loop' | 'threads';
  /**
   * How many handshakes may wait at a time for what the server does: for callbacks, and for keys that are held elsewhere;
   * 1 to 1 000 000. Further clients wait before their handshakes begin, within `handshakeTimeout`; when the first of
   * them has waited a second, the last one goes on first. Clients that the server waits for do not count. Default: 10 000.
   */
  maxHandshakes?: number;
  /**
   * How long handshakes may hold the event loop before it has its turn, in microseconds, 0 to 1 000 000. A handshake that
   * is expected to take less, as those that resume sessions do, costs less there than on a thread. With 0, all run on
   * threads. Default: 100.
   */
  maxInlineMicros?: number;
  /**
   * Early data of TLS 1.3 that is taken from a client, in bytes, 0 to 2^32 - 1: a client that resumes a session sends it
   * with its first message, and saves a round trip. Whoever has recorded it may send it again, and each ticket is good
   * for early data once, in the process that has given it. A server of HTTPS goes on at once with GET, HEAD, OPTIONS
   * and TRACE without a body, whose handlers may look at `req.socket.isEarlyData`; other requests wait for the end of the
   * handshake. A server of TLS tells of the socket before that: do not hand such sockets to Node's own servers of HTTP,
   * which hold nothing back. Not for HTTP/2 and `attach()`. Default: 0, none is taken.
   */
  maxEarlyData?: number;
  /**
   * Whether clients may renegotiate before TLS 1.3, as those of `node:tls` may: three times, each within ten minutes of
   * the handshake before, by `CLIENT_RENEG_LIMIT` and `CLIENT_RENEG_WINDOW` of `node:tls`, which are read at each
   * attempt. The socket of a client that goes on has the error `ERR_TLS_SESSION_ATTACK`, or
   * `ERR_TLS_RENEGOTIATION_DISABLED` after `disableRenegotiation()`, and is destroyed. These handshakes run on the event
   * loop, or with `records: 'threads'` where the records are. Not for HTTP/2. Default: false, and true with
   * `openssl-async/register`; others are told that there is no renegotiation, and the connection goes on.
   */
  clientRenegotiation?: boolean;
  /**
   * Chooses the context when a client has said what it wants. The handshake waits for the promise; an error ends it.
   * Without a context, `SNICallback` or `addContext()` count. Default: nobody is asked.
   */
  onClientHello?: (
    this: TLSSocket,
    hello: ClientHello,
  ) => SecureContext | null | undefined | Promise<SecureContext | null | undefined>;
}

/** Options of a server of TLS. */
export type TlsOptions = Omit<nodeTls.TlsOptions, keyof OwnServerOptions> & OwnServerOptions;
/** Options of a server of HTTPS. */
export type HttpsOptions = Omit<nodeHttps.ServerOptions, keyof OwnServerOptions> & OwnServerOptions;
/** Options of a server of HTTP/2. */
export type Http2Options = Omit<nodeHttp2.SecureServerOptions, keyof OwnServerOptions> &
  Omit<OwnServerOptions, 'maxEarlyData'>;

/** All options of a server. */
export interface ServerOptions extends ContextOptions {
  ALPNProtocols?: unknown;
  ALPNCallback?: unknown;
  allowHTTP1?: unknown;
  clientRenegotiation?: unknown;
  SNICallback?: unknown;
  enableTrace?: unknown;
  handshakeTimeout?: unknown;
  onClientHello?: unknown;
  pskCallback?: unknown;
  pskIdentityHint?: unknown;
  rejectUnauthorized?: unknown;
  secureContext?: unknown;
  maxEarlyData?: unknown;
  maxHandshakes?: unknown;
  maxInlineMicros?: unknown;
  records?: unknown;
  threads?: unknown;
}

/** Reads all options of a server of HTTPS. */
export function readHttpsOptions(value: unknown): ServerOptions {
  const options = readServerOptions(value);
  if (options.ALPNProtocols === undefined && options.ALPNCallback === undefined) options.ALPNProtocols = ['http/1.1'];
  return options;
}

/** Reads all options of a server of HTTP/2, which offers the same protocols as that of Node.js. */
export function readHttp2Options(value: unknown): ServerOptions {
  if (value === null) throw invalidArgType('options', 'of type object', value);
  const options = withoutEarlyData(readServerOptions(value));
  if (!options.ALPNCallback) options.ALPNProtocols = options.allowHTTP1 === true ? ['h2', 'http/1.1'] : ['h2'];
  return options;
}

/** Refuses early data where requests could not wait for the end of the handshake. */
export function withoutEarlyData(options: ServerOptions): ServerOptions {
  if (toMaxEarlyData(options.maxEarlyData) === 0) return options;
  throw invalidArgValue('options.maxEarlyData', options.maxEarlyData, 'is for servers of openssl-async/tls and /https');
}

/** Reads all options of a server once, own or inherited. */
export function readServerOptions(value: unknown): ServerOptions {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) throw invalidArgType('options', 'of type object', value);
  const options: Record<string, unknown> = {};
  for (const name in value) options[name] = (value as Record<string, unknown>)[name];
  return options;
}

const DEFAULT_HANDSHAKE_TIMEOUT_MS = 120_000;

function toHandshakeTimeout(value: unknown): number {
  if (value === undefined) return DEFAULT_HANDSHAKE_TIMEOUT_MS;
  validateInteger(value, 'options.handshakeTimeout', 0, 2 ** 31 - 1);
  return value === 0 ? DEFAULT_HANDSHAKE_TIMEOUT_MS : value;
}

function toKeyHint(value: unknown): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  validateString(value, 'options.pskIdentityHint');
  return value;
}

// One thread does the handshakes of many connections; more of them are for machines with cores to spare.
export function toThreads(value: unknown): number {
  if (value === undefined) return 1;
  validateInteger(value, 'options.threads', 0, 64);
  return value;
}

function usesThreadsForRecords(value: unknown): boolean {
  if (value === undefined) return false;
  validateString(value, 'options.records');
  if (value !== 'loop' && value !== 'threads') {
    throw invalidArgValue('options.records', value, "must be 'loop' or 'threads'");
  }
  return value === 'threads';
}

const DEFAULT_MAX_INLINE_MICROS = 100;

export function toMaxInlineMicros(value: unknown): number {
  if (value === undefined) return DEFAULT_MAX_INLINE_MICROS;
  validateInteger(value, 'options.maxInlineMicros', 0, 1_000_000);
  return value;
}

function toMaxEarlyData(value: unknown): number {
  if (value === undefined) return 0;
  validateInteger(value, 'options.maxEarlyData', 0, 2 ** 32 - 1);
  return value;
}

const DEFAULT_MAX_HANDSHAKES = 10_000;

function toMaxHandshakes(value: unknown): number {
  if (value === undefined) return DEFAULT_MAX_HANDSHAKES;
  validateInteger(value, 'options.maxHandshakes', 1, 1_000_000);
  return value;
}

function toAllowsRenegotiation(value: unknown): boolean {
  if (value === undefined) return isDropIn();
  validateBoolean(value, 'options.clientRenegotiation');
  return value;
}

/** What a server wants of native code, besides contexts and flags. */
export interface ServerSettings {
  readonly handshakeTimeoutMs: number;
  readonly threads: number;
  readonly lends: boolean;
  readonly maxInlineMicros: number;
  readonly maxHandshakes: number;
  readonly keyHint: string | undefined;
  readonly maxEarlyData: number;
  readonly allowsRenegotiation: boolean;
}

export function toServerSettings(options: ServerOptions): ServerSettings {
  return {
    handshakeTimeoutMs: toHandshakeTimeout(options.handshakeTimeout),
    threads: toThreads(options.threads),
    lends: usesThreadsForRecords(options.records),
    maxInlineMicros: toMaxInlineMicros(options.maxInlineMicros),
    maxHandshakes: toMaxHandshakes(options.maxHandshakes),
    keyHint: toKeyHint(options.pskIdentityHint),
    maxEarlyData: toMaxEarlyData(options.maxEarlyData),
    allowsRenegotiation: toAllowsRenegotiation(options.clientRenegotiation),
  };
}
