// Upgrades from HTTP: WebSocket, in frames of our own, in both directions.
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import * as nodeHttps from 'node:https';
import type { Duplex } from 'node:stream';
import { createServer, type Server } from 'openssl-async/https';
import { close, connectTo, listen, read, selfSigned } from '../support/tls';

const identity = selfSigned('localhost');
const MIB = 2 ** 20;

// RFC 6455: a frame of text or bytes, or the end; clients mask their bytes.
const BINARY = 2;
const CLOSE = 8;

function frame(opcode: number, payload: Buffer, mask?: Buffer): Buffer {
  const header = Buffer.alloc(10);
  header[0] = 0x80 | opcode;
  header[1] = 127 | (mask === undefined ? 0 : 0x80);
  header.writeBigUInt64BE(BigInt(payload.length), 2);
  if (mask === undefined) return Buffer.concat([header, payload]);
  return Buffer.concat([header, mask, masked(payload, mask)]);
}

function masked(payload: Buffer, mask: Buffer): Buffer {
  return Buffer.from(payload.map((byte, at) => byte ^ (mask[at % 4] as number)));
}

/** The frames that arrive, beginning with what came with the head. */
async function* frames(socket: Duplex, head: Buffer): AsyncGenerator<{ opcode: number; payload: Buffer }> {
  const chunks = [head];
  let size = head.length;
  const whole = (): number => {
    if (size < 10) return Infinity;
    const begin = Buffer.concat(chunks);
    chunks.splice(0, chunks.length, begin);
    return 10 + ((begin[1] as number) & 0x80 ? 4 : 0) + Number(begin.readBigUInt64BE(2));
  };
  let next = whole();
  for await (const chunk of arriving(socket)) {
    chunks.push(chunk);
    size += chunk.length;
    if (next === Infinity) next = whole();
    while (size >= next) {
      const bytes = Buffer.concat(chunks);
      const isMasked = ((bytes[1] as number) & 0x80) !== 0;
      const payload = bytes.subarray(isMasked ? 14 : 10, next);
      yield {
        opcode: (bytes[0] as number) & 15,
        payload: isMasked ? masked(payload, bytes.subarray(10, 14)) : payload,
      };
      chunks.splice(0, chunks.length, bytes.subarray(next));
      size -= next;
      next = whole();
    }
  }
}

// What came with the head may hold whole frames: it is looked at before anything else arrives.
async function* arriving(socket: Duplex): AsyncGenerator<Buffer> {
  yield Buffer.alloc(0);
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) yield chunk as Buffer;
}

const acceptOf = (key: string): string =>
  createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');

/** Sends each frame back; `greeting` goes out with the head of the answer. */
function echo(greeting?: Buffer): Server {
  const server = createServer(identity);
  server.on('upgrade', (incoming: IncomingMessage, socket: Duplex, head: Buffer) => {
    const accept = acceptOf(incoming.headers['sec-websocket-key'] as string);
    const lines = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade'];
    const answer = Buffer.from([...lines, `Sec-WebSocket-Accept: ${accept}`, '', ''].join('\r\n'));
    socket.write(greeting === undefined ? answer : Buffer.concat([answer, frame(BINARY, greeting)]));
    void (async () => {
      for await (const { opcode, payload } of frames(socket, head)) {
        if (opcode === CLOSE) {
          socket.end(frame(CLOSE, payload));
          return;
        }
        socket.write(frame(opcode, payload));
      }
    })().catch(() => undefined); // a client has left
  });
  return server;
}

const headers = (key: string): Record<string, string> => ({
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': key,
});

async function webSocket(port: number): Promise<{ socket: Duplex; head: Buffer }> {
  const key = randomBytes(16).toString('base64');
  const sent = nodeHttps.request({ port, host: '127.0.0.1', rejectUnauthorized: false, headers: headers(key) });
  sent.end();
  const [response, socket, head] = (await once(sent, 'upgrade')) as [IncomingMessage, Duplex, Buffer];
  expect(response.headers['sec-websocket-accept']).toBe(acceptOf(key));
  return { socket, head };
}

/** Sizes and hashes: Jest compares many bytes slowly. */
const digests = (payloads: Buffer[]): string[] =>
  payloads.map((payload) => `${payload.length} ${createHash('sha256').update(payload).digest('hex')}`);

/** The digests of the payloads that come back for these ones. */
async function echoed(socket: Duplex, head: Buffer, payloads: Buffer[]): Promise<string[]> {
  for (const payload of payloads) socket.write(frame(BINARY, payload, randomBytes(4)));
  socket.write(frame(CLOSE, Buffer.alloc(0), randomBytes(4)));
  const received: Buffer[] = [];
  for await (const { opcode, payload } of frames(socket, head)) {
    if (opcode === CLOSE) break;
    received.push(payload);
  }
  socket.end();
  return digests(received);
}

test('an echo of 1 MiB, and of small frames before and after it', async () => {
  const server = echo();
  const port = await listen(server);
  const { socket, head } = await webSocket(port);
  const payloads = [Buffer.from('small'), randomBytes(MIB), Buffer.alloc(0), Buffer.from('last')];
  expect(await echoed(socket, head, payloads)).toEqual(digests(payloads));
  await close(server);
});

test('many WebSockets at once, beside requests', async () => {
  const server = echo();
  server.on('request', (_, outgoing) => {
    outgoing.end('plain');
  });
  const port = await listen(server);
  const plain = async (): Promise<string> => {
    const sent = nodeHttps.get({ port, host: '127.0.0.1', rejectUnauthorized: false, agent: false });
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    return (await read(response)).toString();
  };
  const all = Array.from({ length: 20 }, async (_, number) => {
    const { socket, head } = await webSocket(port);
    const payloads = [Buffer.alloc(50_000, number), Buffer.from(`number ${number}`)];
    expect(await echoed(socket, head, payloads)).toEqual(digests(payloads));
    expect(await plain()).toBe('plain');
  });
  await Promise.all(all);
  await close(server);
});

test('frames in the packet of the request, and in that of the answer', async () => {
  const server = echo(Buffer.from('welcome'));
  const port = await listen(server);
  const client = await connectTo(port);
  const key = randomBytes(16).toString('base64');
  const lines = Object.entries({ Host: 'localhost', ...headers(key) }).map(([name, value]) => `${name}: ${value}`);
  const first = frame(BINARY, Buffer.from('first'), randomBytes(4));
  const half = frame(BINARY, Buffer.from('second, in halves'), randomBytes(4));
  client.write(
    Buffer.concat([Buffer.from(['GET / HTTP/1.1', ...lines, '', ''].join('\r\n')), first, half.subarray(0, 20)]),
  );
  const [answer] = (await once(client, 'data')) as [Buffer];
  client.pause();
  const end = answer.indexOf('\r\n\r\n') + 4;
  expect(answer.toString('latin1', 0, end)).toContain(`Sec-WebSocket-Accept: ${acceptOf(key)}\r\n`);
  client.write(half.subarray(20));
  const expected = ['welcome', 'first', 'second, in halves'].map((text) => Buffer.from(text));
  expect(await echoed(client, answer.subarray(end), [])).toEqual(digests(expected));
  await close(server);
});

test('a server without a listener answers an upgrade as a request, or ends it, as Node.js does', async () => {
  const outcome = async (create: typeof nodeHttps.createServer): Promise<string> => {
    const server = create(identity, (_, outgoing) => {
      outgoing.end('plain');
    });
    const client = await connectTo(await listen(server));
    client.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close, Upgrade\r\nUpgrade: websocket\r\n\r\n');
    const answer = (await read(client)).toString().replace(/^Date: .*\r\n/m, '');
    await close(server);
    return answer;
  };
  expect(await outcome(createServer)).toBe(await outcome(nodeHttps.createServer));
});

test('a client that leaves without a word ends its WebSocket, and no other', async () => {
  const server = echo();
  const upgraded = once(server, 'upgrade') as Promise<[IncomingMessage, Duplex]>;
  const port = await listen(server);
  const leaving = await webSocket(port);
  const [, socket] = await upgraded;
  socket.on('error', () => undefined);
  const staying = await webSocket(port);
  const closed = once(socket, 'close');
  leaving.socket.destroy();
  await closed;
  const payloads = [Buffer.from('still here')];
  expect(await echoed(staying.socket, staying.head, payloads)).toEqual(digests(payloads));
  await close(server);
});
