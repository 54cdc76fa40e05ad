// Clients of TLS that send their bytes in unusual ways.
import { once } from 'node:events';
import * as net from 'node:net';
import { Duplex } from 'node:stream';
import * as nodeTls from 'node:tls';

type Cut = (bytes: Buffer) => Buffer[];

// Each piece is a packet of its own: the server's loop, which is ours, has a turn after each.
class Pieces extends Duplex {
  readonly #raw: net.Socket;
  readonly #cut: Cut;

  constructor(raw: net.Socket, cut: Cut) {
    super();
    this.#raw = raw.setNoDelay(true);
    this.#cut = cut;
    raw.on('data', (bytes) => this.push(bytes) || raw.pause());
    raw.on('end', () => this.push(null));
    raw.on('error', (error) => this.destroy(error));
  }

  override _read(): void {
    this.#raw.resume();
  }

  override _write(bytes: Buffer, _: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#send(bytes).then(() => {
      callback();
    }, callback);
  }

  async #send(bytes: Buffer): Promise<void> {
    for (const piece of this.#cut(bytes)) {
      await new Promise<void>((resolve, reject) => {
        this.#raw.write(piece, (error) => {
          if (error) reject(error);
          else resolve();
        });
      });
      await new Promise(setImmediate);
    }
  }

  override _final(callback: () => void): void {
    this.#raw.end(callback);
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#raw.destroy();
    callback(error);
  }
}

/** A client whose handshake is done, and went out in the pieces that `cut` makes of each write. */
export async function connectInPieces(
  port: number,
  cut: Cut,
  options: nodeTls.ConnectionOptions = {},
): Promise<nodeTls.TLSSocket> {
  const raw = net.connect(port, '127.0.0.1');
  await once(raw, 'connect');
  const client = nodeTls.connect({ socket: new Pieces(raw, cut), rejectUnauthorized: false, ...options });
  await once(client, 'secureConnect');
  return client;
}

/** Pieces of `size` bytes. */
export const cutInto =
  (size: number): Cut =>
  (bytes) =>
    Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size));

/** Makes of each record of a handshake several records, of `size` bytes each. Encrypted ones stay whole. */
export function splitRecords(size: number): Cut {
  let isEncrypted = false;
  return (bytes) => {
    const records: Buffer[] = [];
    for (let at = 0; at < bytes.length;) {
      const end = at + 5 + bytes.readUInt16BE(at + 3);
      const [header, payload] = [bytes.subarray(at, at + 3), bytes.subarray(at + 5, end)];
      isEncrypted ||= header[0] === 20; // from ChangeCipherSpec on
      for (const part of isEncrypted ? [payload] : cutInto(size)(payload)) {
        records.push(Buffer.concat([header, Buffer.from([part.length >> 8, part.length & 255]), part]));
      }
      at = end;
    }
    return records;
  };
}

/** The first record that a client sends. */
export function clientHello(options: nodeTls.ConnectionOptions = {}): Promise<Buffer> {
  return new Promise((resolve) => {
    const stream = new Duplex({
      read: () => undefined,
      write: (bytes: Buffer) => {
        resolve(bytes);
      },
    });
    nodeTls.connect({ socket: stream, rejectUnauthorized: false, ...options }).on('error', () => undefined);
  });
}

/** A client of TCP that has sent `bytes`, and sends nothing more. */
export async function sender(port: number, bytes: Buffer): Promise<net.Socket> {
  const socket = net.connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  if (bytes.length > 0) await new Promise((resolve) => socket.write(bytes, resolve));
  return socket;
}
