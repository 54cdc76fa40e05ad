// Connections for undici, whose dispatchers `fetch` takes.
import * as net from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { nodeError } from '../base/errors';
import { validateInteger } from '../base/validators';
import { Client } from './client';
import { refuseEarlyData, type ConnectionOptions } from './connect-options';

/** Options of {@link undiciConnector}: those of a connection, and some of undici's `connect`. */
export interface UndiciConnectorOptions extends Omit<ConnectionOptions, 'earlyData' | 'timeout'> {
  /** Whether HTTP/2 is offered. Default: false. */
  allowH2?: boolean;
  /** How many sessions are kept for later connections; 0 for none. Default: 100. */
  maxCachedSessions?: number;
  /** How long a connection may take to begin, in milliseconds; 0 for no limit. Default: 10 000. */
  timeout?: number;
  /** Whether the system looks for peers that are gone. Default: true. */
  keepAlive?: boolean;
  /** After so many milliseconds without traffic. Default: 60 000. */
  keepAliveInitialDelay?: number;
}

/** What undici asks for. */
export interface UndiciConnectOptions {
  /** The server's name or address. */
  hostname: string;
  /** Name and port. */
  host?: string;
  /** `https:` or `http:`. */
  protocol: string;
  /** Empty for the protocol's own. */
  port: string;
  /** The name that is asked for. */
  servername?: string;
  /** The address to connect from. */
  localAddress?: string | null;
  /** A connection to a proxy, to be used instead of a new one. */
  httpSocket?: Duplex;
}

/** Hears of the connection. */
export type UndiciCallback = (
  ...args: [error: null, socket: net.Socket | TLSSocket] | [error: Error, socket: null]
) => void;

const DEFAULT_TIMEOUT_MS = 10_000;
const DEFAULT_MAX_CACHED_SESSIONS = 100;
const DEFAULT_KEEP_ALIVE_DELAY_MS = 60_000;

class SessionCache {
  readonly #sessions = new Map<string, Buffer>(); // the oldest first
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  get(name: string): Buffer | undefined {
    return this.#sessions.get(name);
  }

  set(name: string, session: Buffer): void {
    if (this.#most === 0) return;
    this.#sessions.delete(name);
    this.#sessions.set(name, session);
    const [oldest] = this.#sessions.keys();
    if (this.#sessions.size > this.#most && oldest !== undefined) this.#sessions.delete(oldest);
  }

  delete(name: string): void {
    this.#sessions.delete(name);
  }
}

/**
 * Makes a function for the option `connect` of undici's `Client`, `Pool` and `Agent`, and of `fetch` with such a
 * dispatcher: their connections to servers of HTTPS are this package's. Experimental.
 *
 * @param options - as those of `connect()`, and some of undici's
 * @returns the function
 * @throws `ERR_INVALID_ARG_TYPE` and `ERR_OUT_OF_RANGE` for wrong options, `ERR_INVALID_ARG_VALUE` for `earlyData`
 * @example
 * ```js
 * const agent = new Agent({ connect: undiciConnector({ cert, key }) });
 * const response = await fetch('https://example.org/', { dispatcher: agent });
 * ```
 */
export function undiciConnector(
  options: UndiciConnectorOptions = {},
): (asked: UndiciConnectOptions, callback: UndiciCallback) => void {
  const { allowH2 = false, maxCachedSessions = DEFAULT_MAX_CACHED_SESSIONS, timeout, ...given } = { ...options };
  refuseEarlyData(given);
  const timeoutMs = timeout ?? DEFAULT_TIMEOUT_MS;
  validateInteger(maxCachedSessions, 'options.maxCachedSessions', 0);
  validateInteger(timeoutMs, 'options.timeout', 0, 2 ** 31 - 1);
  const { keepAlive = true, keepAliveInitialDelay = DEFAULT_KEEP_ALIVE_DELAY_MS } = given;
  const sessions = new SessionCache(maxCachedSessions);
  const ALPNProtocols = allowH2 ? ['http/1.1', 'h2'] : ['http/1.1'];

  return (asked, callback) => {
    const isSecure = asked.protocol === 'https:';
    const socket = isSecure ? connectSecurely(asked) : connectPlainly(asked);
    if (keepAlive) socket.setKeepAlive(true, keepAliveInitialDelay);
    socket.setNoDelay(true);
    let isDone = false;
    const end = (error?: Error): void => {
      clearTimeout(timer);
      if (isDone) return;
      isDone = true;
      if (error === undefined) callback(null, socket);
      else callback(error, null);
    };
    const timer =
      timeoutMs === 0
        ? undefined
        : setTimeout(() => {
            socket.destroy(connectTimeout(asked, timeoutMs));
          }, timeoutMs);
    socket.once(isSecure ? 'secureConnect' : 'connect', () => {
      end();
    });
    socket.on('error', end);
    socket.once('close', () => {
      end(nodeError('ERR_SOCKET_CLOSED', 'Socket is closed'));
    });
  };

  function connectSecurely({
    hostname,
    host,
    port,
    servername,
    localAddress,
    httpSocket,
  }: UndiciConnectOptions): TLSSocket {
    const name = servername ?? given.servername ?? nameOf(host ?? hostname);
    const cached = name ?? hostname;
    const socket = Client.connect([
      {
        highWaterMark: 16_384, // a record
        session: sessions.get(cached),
        ...given,
        servername: name,
        localAddress: localAddress ?? undefined,
        ALPNProtocols,
        ...(httpSocket === undefined ? {} : { socket: httpSocket }),
        port: port === '' ? 443 : Number(port),
        host: hostname,
      },
    ]);
    socket.on('session', (session: Buffer) => {
      sessions.set(cached, session);
    });
    // undici destroys connections with errors of its own, too.
    socket.once('close', () => {
      if (socket.secureConnecting) sessions.delete(cached);
    });
    return socket as unknown as TLSSocket;
  }

  function connectPlainly({ hostname, port, localAddress }: UndiciConnectOptions): net.Socket {
    const connection: net.NetConnectOpts = {
      ...(given as object),
      ...(typeof localAddress === 'string' ? { localAddress } : {}),
      port: port === '' ? 80 : Number(port),
      host: hostname,
    };
    return net.connect(connection);
  }
}

// Addresses are no names.
function nameOf(host: string): string | undefined {
  const name = host.startsWith('[') ? host.slice(1, host.indexOf(']')) : (host.split(':', 1)[0] as string);
  return net.isIP(name) === 0 ? name : undefined;
}

// With undici's own code.
function connectTimeout({ hostname, port }: UndiciConnectOptions, timeoutMs: number): Error {
  const message = `Connect Timeout Error (attempted address: ${hostname}:${port}, timeout: ${String(timeoutMs)}ms)`;
  return Object.assign(new Error(message), { name: 'ConnectTimeoutError', code: 'UND_ERR_CONNECT_TIMEOUT' });
}
