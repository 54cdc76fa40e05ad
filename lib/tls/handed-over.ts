// Streams that somebody hands to a server.
import * as net from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';

export function isDuplex(value: unknown): value is Duplex {
  if (typeof value !== 'object' || value === null) return false;
  const { on, pause, write } = value as Partial<Duplex>;
  return typeof on === 'function' && typeof pause === 'function' && typeof write === 'function';
}

/** -1 for streams without one. A socket of TLS has a handle with the descriptor of the socket below. */
export function descriptorOf(stream: Duplex): number {
  if (!(stream instanceof net.Socket) || stream instanceof TLSSocket) return -1;
  return (stream as unknown as { _handle?: { fd?: number } | null })._handle?.fd ?? -1;
}
