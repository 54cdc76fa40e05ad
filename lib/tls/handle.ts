// The handle of a server's socket, as node:net makes it.
import * as net from 'node:net';

// Parts of net.Server that subclasses may use; they are the same from Node.js 20 to 26.
export interface Handle {
  readonly fd?: number;
  listen(backlog: number): number;
  close(done?: () => void): void;
  ref(): void;
  unref(): void;
  getsockname?(out: { port?: number }): number;
}
type CreateHandle = (address: unknown, port: unknown, type: unknown, fd: unknown, flags: unknown) => Handle | number;

/** A bound handle; null when there is none. */
export function bind(address: unknown, port: unknown, type: unknown, fd: unknown, flags: unknown): Handle | null {
  const create = (net as unknown as { _createServerHandle: CreateHandle })._createServerHandle;
  const isAnyAddress = (address === null || address === undefined || address === '') && typeof fd !== 'number';
  let handle = isAnyAddress ? create('::', port, 6, fd, flags) : create(address, port, type, fd, flags);
  if (isAnyAddress && typeof handle === 'number') handle = create('0.0.0.0', port, 4, fd, flags);
  return typeof handle === 'number' ? null : handle; // node:net tries again, and reports the error
}
