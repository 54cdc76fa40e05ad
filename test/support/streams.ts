// Streams without a descriptor, for connections of TLS.
import { once } from 'node:events';
import * as net from 'node:net';
import { Duplex } from 'node:stream';

type Callback = (error?: Error | null) => void;

/** A socket of TCP, as a stream that has nothing of it but its bytes. */
export class Wrapped extends Duplex {
  readonly raw: net.Socket;
  /** The sizes of what was written. */
  readonly sizes: number[] = [];

  constructor(raw: net.Socket) {
    super({ allowHalfOpen: true });
    this.raw = raw;
    raw.setNoDelay(true);
    raw.on('data', (bytes) => this.push(bytes) || raw.pause());
    raw.on('end', () => this.push(null));
    raw.on('error', (error) => this.destroy(error));
    raw.on('close', () => this.destroy());
  }

  override _read(): void {
    this.raw.resume();
  }

  override _write(bytes: Buffer, _: BufferEncoding, callback: Callback): void {
    this.sizes.push(bytes.length);
    this.raw.write(bytes, callback);
  }

  override _final(callback: Callback): void {
    this.raw.end(callback);
  }

  override _destroy(error: Error | null, callback: Callback): void {
    this.raw.destroy();
    callback(error);
  }
}

/** Two ends of a connection. */
export async function connectedPair(): Promise<[net.Socket, net.Socket]> {
  const server = net.createServer({ allowHalfOpen: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const connected = once(server, 'connection') as Promise<[net.Socket]>;
  const near = net.connect({ port: (server.address() as net.AddressInfo).port, allowHalfOpen: true });
  const [far] = await connected;
  server.close();
  return [near, far];
}

/** The same, as streams. */
export async function wrappedPair(): Promise<[Wrapped, Wrapped]> {
  const [near, far] = await connectedPair();
  return [new Wrapped(near), new Wrapped(far)];
}
