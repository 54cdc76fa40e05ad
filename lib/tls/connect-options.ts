// Options of clients: Node.js's, and our own.
import type { TcpSocketConnectOpts } from 'node:net';
import type { SecureContext as NodeSecureContext } from 'node:tls';
import * as nodeTls from 'node:tls';
import type { Duplex } from 'node:stream';
import { invalidArgType, invalidArgValue, nodeError } from '../base/errors';
import { validateString } from '../base/validators';
import { toBytes, type ContextOptions, type OwnContextOptions } from './context';
import { toMaxInlineMicros, toThreads } from './options';

/** Options of clients that `node:tls` does not have, or that may be more here. */
export interface OwnConnectOptions extends OwnContextOptions {
  /** A context of `createSecureContext()` of this package, instead of its options. */
  secureContext?: NodeSecureContext;
  /** Whether the server is asked for the status of its certificate: 'OCSPResponse' has the answer. Default: false. */
  requestOCSP?: boolean;
  /**
   * Whether the server may ask for the client's certificate later, when the connection is open: post-handshake
   * authentication of TLS 1.3. Servers of earlier versions renegotiate for that. Default: false.
   */
  postHandshakeAuth?: boolean;
  /** Destroys the socket. */
  signal?: AbortSignal;
  /**
   * Whether the handshake runs on a thread of its own: 0 for no. Streams of callers are served on the event loop in any
   * case, and so are keys that wait for others. Default: 1.
   */
  threads?: number;
  /** As that of servers: handshakes that are expected to take less run on the event loop. Default: 100. */
  maxInlineMicros?: number;
}

/** Options of a client. */
export type ConnectionOptions = Omit<
  nodeTls.ConnectionOptions & Partial<TcpSocketConnectOpts>,
  keyof OwnConnectOptions
> &
  OwnConnectOptions & {
    /**
     * Sent before everything else: with the first message where `session` allows early data, which saves a round trip.
     * Only for sessions of servers that were verified, unless `rejectUnauthorized` is false.
     * Whoever has recorded these bytes may send them again, so that they must do no harm twice. A server that refuses
     * them gets them after the handshake; `socket.earlyDataAccepted` says which. `ALPNProtocols` may name one protocol
     * at most. Default: none.
     */
    earlyData?: string | NodeJS.ArrayBufferView;
  };

/** All options of a client, each read once. */
export interface ClientOptions extends ContextOptions {
  ALPNProtocols?: unknown;
  allowHalfOpen?: unknown;
  checkServerIdentity?: unknown;
  earlyData?: unknown;
  enableTrace?: unknown;
  highWaterMark?: unknown;
  host?: unknown;
  localAddress?: unknown;
  maxInlineMicros?: unknown;
  minDHSize?: unknown;
  onread?: unknown;
  path?: unknown;
  port?: unknown;
  postHandshakeAuth?: unknown;
  pskCallback?: unknown;
  rejectUnauthorized?: unknown;
  requestOCSP?: unknown;
  secureContext?: unknown;
  servername?: unknown;
  session?: unknown;
  signal?: unknown;
  socket?: unknown;
  threads?: unknown;
  timeout?: unknown;
}

/** `([port | path,] [host,] [options,] [listener])`, as `tls.connect()` takes them. */
export function readConnectArguments(args: readonly unknown[]): {
  options: ClientOptions;
  listener: (() => void) | undefined;
} {
  const [first, second, third] = args;
  const options: Record<string, unknown> = {};
  if (typeof first === 'object' && first !== null) Object.assign(options, first);
  else if (isPath(first)) options.path = first;
  else {
    options.port = first;
    if (args.length > 1 && typeof second === 'string') options.host = second;
  }
  // The options' own host and port count.
  if (typeof second === 'object' && second !== null) Object.assign(options, second);
  else if (typeof third === 'object' && third !== null) Object.assign(options, third);
  const last = args[args.length - 1];
  return { options, listener: typeof last === 'function' ? (last as () => void) : undefined };
}

const isPath = (value: unknown): boolean => typeof value === 'string' && !(Number(value) >= 0);

/** Whether the server has to be trusted. */
export function toRejectUnauthorized(options: ClientOptions): boolean {
  if ('rejectUnauthorized' in options) return options.rejectUnauthorized !== false;
  return !allowsUnauthorized();
}

let hasWarned = false;

// As Node.js, which looks at every connection.
function allowsUnauthorized(): boolean {
  const allows = process.env.NODE_TLS_REJECT_UNAUTHORIZED === '0';
  if (allows && !hasWarned) {
    hasWarned = true;
    process.emitWarning(
      "Setting the NODE_TLS_REJECT_UNAUTHORIZED environment variable to '0' makes TLS connections and HTTPS requests " +
        'insecure by disabling certificate verification.',
    );
  }
  return allows;
}

export type CheckServerIdentity = (hostname: string, certificate: unknown) => Error | undefined;

export function toCheckServerIdentity(options: ClientOptions): CheckServerIdentity {
  if (!('checkServerIdentity' in options)) return nodeTls.checkServerIdentity as CheckServerIdentity;
  const { checkServerIdentity } = options;
  if (typeof checkServerIdentity === 'function') return checkServerIdentity as CheckServerIdentity;
  throw invalidArgType('options.checkServerIdentity', 'of type function', checkServerIdentity);
}

const DEFAULT_MIN_DH_BITS = 1024;

export function toMinDhBits(options: ClientOptions): number {
  if (!('minDHSize' in options)) return DEFAULT_MIN_DH_BITS;
  const { minDHSize } = options;
  // The words of Node.js.
  const given = String(minDHSize);
  if (typeof minDHSize !== 'number')
    throw nodeError('ERR_INVALID_ARG_TYPE', `options.minDHSize is not a number: ${given}`, TypeError);
  if (minDHSize > 0) return minDHSize;
  throw nodeError('ERR_OUT_OF_RANGE', `options.minDHSize is not a positive number: ${given}`, RangeError);
}

export function toClientThreads({ threads, maxInlineMicros }: ClientOptions): [threads: number, micros: number] {
  return [toThreads(threads), toMaxInlineMicros(maxInlineMicros)];
}

/** A copy of what `getSession()` gives. */
export function toSession(value: unknown): Uint8Array {
  return typeof value === 'string' ? Buffer.from(value, 'latin1') : toBytes(value, 'session');
}

/** The server that a session belongs to, as `node:tls` names it. */
export function serverOf({ servername, host, socket }: ClientOptions): string {
  const { _host: below } = (socket ?? {}) as { _host?: unknown };
  const name = [servername, host, below].find((each) => typeof each === 'string' && each !== '');
  return (name as string | undefined) ?? 'localhost';
}

/**
 * Early data. The server may choose another protocol than that of the session, and early data would be of the wrong one:
 * only one may be offered.
 *
 * @param protocols - of ALPN, each behind its length
 */
export function toEarlyData(
  { earlyData, ALPNProtocols }: ClientOptions,
  protocols: Uint8Array | undefined,
): Uint8Array | undefined {
  if (earlyData === undefined || earlyData === null) return undefined;
  const bytes = toBytes(earlyData, 'options.earlyData');
  const [length = 0] = protocols ?? [];
  if (protocols === undefined || protocols.length <= 1 + length) return bytes;
  throw invalidArgValue('options.ALPNProtocols', ALPNProtocols, 'must name one protocol with options.earlyData');
}

/** For clients that do not know what is sent first. */
export function refuseEarlyData(options: object): void {
  const { earlyData } = options as ClientOptions;
  if (earlyData === undefined || earlyData === null) return;
  throw invalidArgValue('options.earlyData', earlyData, 'is for tls.connect() only');
}

export function toStream(value: unknown): Duplex | undefined {
  if (value === undefined || value === null || value === false) return undefined;
  const { on, write, destroy } = value as Partial<Duplex>;
  if (typeof on === 'function' && typeof write === 'function' && typeof destroy === 'function')
    return value as unknown as Duplex;
  throw invalidArgType('options.socket', 'an instance of Duplex', value);
}

/** What `pskCallback` returns; undefined for no key. */
export function toClientKey(value: unknown): { identity: string; psk: Uint8Array } | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'object') throw invalidArgType('ret', 'of type object', value);
  const { identity, psk } = value as { identity?: unknown; psk?: unknown };
  if (!ArrayBuffer.isView(psk)) throw invalidArgType('psk', 'an instance of Buffer, TypedArray, or DataView', psk);
  validateString(identity, 'identity');
  return { identity, psk: toBytes(psk, 'psk') };
}
