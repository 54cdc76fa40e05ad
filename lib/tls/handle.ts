// The handle of a server's socket, as node:net makes it, and the server.
import * as net from 'node:net';
import type * as nodeTls from 'node:tls';

// Parts of net.Server that subclasses may use; they are the same from Node.js 20 to 26.
export interface Handle {
  readonly fd?: number;
  listen(backlog: number): number;
  close(done?: () => void): void;
  ref(): void;
  unref(): void;
  getsockname?(out: { port?: number }): number;
}
/** A server of Node.js, with what only subclasses see. */
export interface NodeServer extends nodeTls.Server {
  _connections: number;
  _handle: Handle | null;
  _emitCloseIfDrained(): void;
  allowHalfOpen: boolean;
  keepAlive?: boolean;
  keepAliveInitialDelay?: number;
  pauseOnConnect?: boolean;
}
export type Listen2 = (
  address: unknown,
  port: unknown,
  type: unknown,
  backlog: number,
  fd: unknown,
  flags: unknown,
) => void;
type CreateHandle = (address: unknown, port: unknown, type: unknown, fd: unknown, flags: unknown) => Handle | number;

/** A bound handle; null when there is none. */
export function bind(address: unknown, port: unknown, type: unknown, fd: unknown, flags: unknown): Handle | null {
  const create = (net as unknown as { _createServerHandle: CreateHandle })._createServerHandle;
  const isAnyAddress = (address === null || address === undefined || address === '') && typeof fd !== 'number';
  let handle = isAnyAddress ? create('::', port, 6, fd, flags) : create(address, port, type, fd, flags);
  if (isAnyAddress && typeof handle === 'number') handle = create('0.0.0.0', port, 4, fd, flags);
  return typeof handle === 'number' ? null : handle; // node:net tries again, and reports the error
}
