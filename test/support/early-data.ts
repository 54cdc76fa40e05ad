// Clients that send early data of TLS 1.3, and a proxy that keeps the end of their handshakes back.
import { once } from 'node:events';
import * as net from 'node:net';
import { connect, type ConnectionOptions, type TLSSocket } from '../../lib/tls/tls';
import { listen } from './tls';

type Given = Omit<ConnectionOptions, 'host' | 'port'>;

export const dial = (port: number, options: Given = {}): TLSSocket =>
  connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options }) as unknown as TLSSocket;

/** A session that a server has just given. */
export async function sessionOf(port: number, options: Given = {}): Promise<Buffer> {
  const socket = dial(port, options);
  const [session] = (await once(socket, 'session')) as [Buffer];
  socket.destroy();
  return session;
}

/** All that a socket receives. */
export async function textOf(socket: AsyncIterable<unknown>): Promise<string> {
  let text = '';
  for await (const bytes of socket) text += String(bytes);
  return text;
}

/** Carries connections to a port, but of each client only what it sends at once. */
export class Proxy {
  readonly #server = net.createServer({ allowHalfOpen: true });
  readonly #sockets = new Set<net.Socket>();
  readonly #kept: (() => void)[] = [];
  /** What the last client has sent at once: its hello, and early data. */
  first: Buffer = Buffer.alloc(0);

  constructor(port: number) {
    this.#server.on('connection', (client) => {
      const server = this.#open(net.connect({ port, host: '127.0.0.1', allowHalfOpen: true }));
      this.#open(client).once('data', (bytes: Buffer) => {
        this.first = bytes;
        server.write(bytes);
        client.pause();
        this.#kept.push(() => client.pipe(server));
      });
      server.pipe(client);
    });
  }

  #open(socket: net.Socket): net.Socket {
    this.#sockets.add(socket);
    return socket.on('error', () => undefined);
  }

  /** Resolves with its port. */
  listen(): Promise<number> {
    return listen(this.#server);
  }

  /** Sends what was kept back, and all that follows. */
  release(): void {
    for (const send of this.#kept.splice(0)) send();
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
