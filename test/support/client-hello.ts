// What a client of TLS says first: the parts of its hello that depend on its options.
import { once } from 'node:events';
import * as net from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/** The parts of a hello, in the order of the client. */
export interface Hello {
  version: number;
  ciphers: number[];
  /** The numbers of the extensions, each with its content. */
  extensions: [type: number, content: Buffer][];
  /** Those whose public keys it has sent. */
  sharedGroups: number[];
  /** All that it knows. */
  groups: number[];
}

const KEY_SHARE = 51;
const SUPPORTED_GROUPS = 10;

class Reader {
  readonly #bytes: Buffer;
  #place = 0;
  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }
  get isAtEnd(): boolean {
    return this.#place === this.#bytes.length;
  }
  number(size: number): number {
    this.#place += size;
    return this.#bytes.readUIntBE(this.#place - size, size);
  }
  /** Bytes after their number. */
  vector(size: number): Buffer {
    const length = this.number(size);
    this.#place += length;
    return this.#bytes.subarray(this.#place - length, this.#place);
  }
  skip(size: number): void {
    this.#place += size;
  }
}

function numbers(bytes: Buffer): number[] {
  return Array.from({ length: bytes.length / 2 }, (_, at) => bytes.readUInt16BE(2 * at));
}

function parse(message: Buffer): Hello {
  const reader = new Reader(message);
  const version = reader.number(2);
  reader.skip(32); // its random bytes
  reader.vector(1); // the session's id
  const ciphers = numbers(reader.vector(2));
  reader.vector(1); // compression
  const inner = new Reader(reader.vector(2));
  const extensions: Hello['extensions'] = [];
  while (!inner.isAtEnd) extensions.push([inner.number(2), inner.vector(2)]);
  const contentOf = (type: number): Buffer =>
    extensions.find(([each]) => each === type)?.[1].subarray(2) ?? Buffer.alloc(0);
  const shares = new Reader(contentOf(KEY_SHARE));
  const sharedGroups: number[] = [];
  while (!shares.isAtEnd) {
    sharedGroups.push(shares.number(2));
    shares.vector(2);
  }
  return { version, ciphers, extensions, sharedGroups, groups: numbers(contentOf(SUPPORTED_GROUPS)) };
}

/** The hello of the client that `connect` starts, which then loses its connection. */
export async function helloOf(connect: (port: number) => Socket): Promise<Hello> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port);
  client.on('error', () => undefined);
  const closed = new Promise((resolve) => client.on('close', resolve));
  const [socket] = (await once(server, 'connection')) as [Socket];
  const records = new Reader(await firstRecord(socket));
  records.skip(3);
  const handshake = new Reader(records.vector(2));
  handshake.skip(1);
  const hello = parse(handshake.vector(3));
  socket.destroy();
  await closed;
  server.close();
  await once(server, 'close');
  return hello;
}

async function firstRecord(socket: Socket): Promise<Buffer> {
  let bytes = Buffer.alloc(0);
  const isWhole = (): boolean => bytes.length >= 5 && bytes.length >= 5 + bytes.readUInt16BE(3);
  while (!isWhole()) bytes = Buffer.concat([bytes, ((await once(socket, 'data')) as [Buffer])[0]]);
  return bytes;
}
