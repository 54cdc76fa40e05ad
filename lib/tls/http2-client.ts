// Clients of HTTP/2: sessions of Node.js over connections of ours.
import * as nodeHttp2 from 'node:http2';
import * as net from 'node:net';
import type { Duplex } from 'node:stream';
import { invalidArgType, nodeError } from '../base/errors';
import { validateInteger } from '../base/validators';
import { Client } from './client';
import { ClientSessionSocket } from './client-session-socket';
import { refuseEarlyData, type ConnectionOptions } from './connect-options';
import { describeSession } from './session-members';

/** Options of a session of a client. */
export type Http2ConnectOptions = Omit<nodeHttp2.SecureClientSessionOptions, keyof ConnectionOptions> &
  Omit<ConnectionOptions, 'earlyData'>;

/** Hears of a session that is connected, and of its socket. */
export type Http2SessionListener = (session: nodeHttp2.ClientHttp2Session, socket: net.Socket) => void;

// Of Node.js, whatever is put in its place later.
const { connect: connectNodes } = nodeHttp2;
const { connect: connectPlainly } = net;

/**
 * Connects to a server of HTTP/2: a session of Node.js, whose connection is this package's. A thread encrypts and decrypts
 * what the session sends and receives. Experimental.
 *
 * @param authority - the server's address; one of `http:` gets a session without TLS
 * @param options - as those of `http2.connect()` of Node.js, and {@link OwnConnectOptions}. `createConnection` may return a socket of `connect()` of `openssl-async/tls`, or any other stream.
 * @param listener - hears 'connect'
 * @returns the session, which is not connected yet
 * @throws with the codes of Node.js for wrong options
 */
export function connect(
  authority: string | URL,
  options?: Http2ConnectOptions | Http2SessionListener,
  listener?: Http2SessionListener,
): nodeHttp2.ClientHttp2Session {
  if (typeof options === 'function') return connect(authority, undefined, options);
  // Whatever is no object is refused by Node.js.
  if (options !== undefined && !isObject(options)) return connectNodes(authority, options, listener);
  const given: Http2ConnectOptions = { ...options };
  const own = given.createConnection;
  const createConnection = (address: URL): Duplex => {
    const stream = typeof own === 'function' ? own.call(given, address, given) : dial(address, given);
    return ClientSessionSocket.for(stream) as Duplex;
  };
  const session = connectNodes(authority, { ...given, createConnection } as nodeHttp2.ClientSessionOptions, listener);
  describeSession(session);
  return session;
}

// As Node.js does without `createConnection`.
function dial(address: URL, options: Http2ConnectOptions): Duplex {
  // An object that is no URL may lack it.
  const [protocol = 'https:'] = [address.protocol, (options as { protocol?: string }).protocol].filter(Boolean);
  const port = address.port === '' ? (address.protocol === 'http:' ? '80' : '443') : address.port;
  const host = hostOf(address);
  if (protocol === 'http:') return connectPlainly({ port, host, ...options } as unknown as net.TcpNetConnectOpts);
  if (protocol !== 'https:') {
    throw nodeError('ERR_HTTP2_UNSUPPORTED_PROTOCOL', `protocol "${protocol}" is unsupported.`);
  }
  checkSessionOptions(options);
  refuseEarlyData(options);
  const { allowHTTP1 } = options as { allowHTTP1?: unknown };
  const secure: Record<string, unknown> = {
    ...options,
    onread: undefined, // the session reads
    ALPNProtocols: allowHTTP1 === true ? ['h2', 'http/1.1'] : ['h2'],
  };
  if (net.isIP(host) === 0 && !options.servername) secure.servername = host;
  return Client.connect([port, host, secure]);
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null;

function hostOf({ hostname, host }: URL): string {
  if (hostname) return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  return host || 'localhost';
}

function checkSessionOptions(options: Http2ConnectOptions): void {
  const { settings } = options as { settings?: unknown };
  if (settings !== undefined && !isObject(settings)) {
    throw invalidArgType('options.settings', 'of type object', settings);
  }
  for (const name of ['maxSessionInvalidFrames', 'maxSessionRejectedStreams', 'unknownProtocolTimeout'] as const) {
    const value = (options as Record<string, unknown>)[name];
    if (value !== undefined) validateInteger(value, name, 0, 2 ** 32 - 1);
  }
}
