// Servers of ours over streams without a descriptor, and clients of node:tls at their other ends.
import { once } from 'node:events';
import type * as net from 'node:net';
import type { Duplex } from 'node:stream';
import * as nodeTls from 'node:tls';
import { stats } from '../../lib';
import { createServer, type Server, type TLSSocket, type TlsOptions } from '../../lib/tls/tls';
import { pipedPair } from './piped-pair';
import { selfSigned } from './tls';

export const identity = selfSigned('localhost');

export type Failure = Error & { code?: string };
export type Socket = nodeTls.TLSSocket & TLSSocket;

/** Hands a stream to a server. */
export function serve(server: net.Server, stream: Duplex): void {
  streams.push(stream);
  server.emit('connection', stream);
}

export function clientOver(stream: Duplex, options: nodeTls.ConnectionOptions = {}): nodeTls.TLSSocket {
  const client = nodeTls.connect({ socket: stream, rejectUnauthorized: false, servername: 'localhost', ...options });
  streams.push(stream, client);
  return client;
}

export function secureOf(server: Server): Promise<Socket> {
  return once(server, 'secureConnection').then(([socket]) => socket as Socket);
}

/** Both ends of an open connection, and the streams below. */
export async function open(
  options: TlsOptions = {},
  [near, far]: [Duplex, Duplex] = pipedPair(),
): Promise<{ server: Server; socket: Socket; client: nodeTls.TLSSocket; near: Duplex; far: Duplex }> {
  const server = createServer({ ...identity, ...options });
  const secure = secureOf(server);
  serve(server, far);
  const client = clientOver(near, { allowHalfOpen: true } as nodeTls.ConnectionOptions);
  const [socket] = await Promise.all([secure, once(client, 'secureConnect')]);
  return { server, socket, client, near, far };
}

/** The error of a handshake that fails. */
export async function failureOf(server: net.Server): Promise<Failure> {
  const [error] = (await once(server, 'tlsClientError')) as [Failure];
  return error;
}

const streams: Duplex[] = []; // of the test

export async function whenNoneIsLeft(): Promise<void> {
  const TURNS = 5000;
  for (let turn = 0; stats().tls.connections > 0; ++turn) {
    if (turn === TURNS) throw new Error(`${String(stats().tls.connections)} connections are left`);
    await new Promise(setImmediate);
  }
}

/** After each test: connections end with their streams. */
export async function endStreams(): Promise<void> {
  for (const stream of streams.splice(0)) stream.on('error', () => undefined).destroy();
  await whenNoneIsLeft();
}

/** Everything that a stream still gives; a reader of `for await` would end its other half, too. */
export async function all(stream: Duplex): Promise<Buffer> {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk)).resume();
  await once(stream, 'end');
  return Buffer.concat(chunks);
}
