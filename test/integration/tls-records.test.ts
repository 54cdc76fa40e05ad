// Connections whose records are read and written on threads: option `records` of servers, and large writes.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as net from 'node:net';
import * as path from 'node:path';
import * as nodeTls from 'node:tls';
import { stats } from '../../lib';
import { createServer, type TLSSocket, type TlsOptions } from '../../lib/tls/tls';
import { ROOT } from '../support/programs';
import { codeOf, turn, until } from '../support/library';
import { close, connectTo, listen, read, selfSigned } from '../support/tls';

const identity = selfSigned('localhost');
const ON_THREADS = { ...identity, records: 'threads' } as const;

/** A server, a client of it, and the server's socket. */
async function pair(options: TlsOptions = ON_THREADS) {
  const server = createServer(options);
  const port = await listen(server);
  const secured = once(server, 'secureConnection') as Promise<[TLSSocket]>;
  const client = await connectTo(port, { allowHalfOpen: true } as nodeTls.ConnectionOptions);
  const [socket] = await secured;
  const end = async (): Promise<void> => {
    client.destroy();
    socket.destroy();
    await close(server);
  };
  return { server, port, client, socket, end };
}

/** Everything that a stream gives; it stays open for what is written to it. */
async function allOf(stream: TLSSocket | nodeTls.TLSSocket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  stream.on('data', (bytes: Buffer) => chunks.push(bytes));
  await once(stream, 'end');
  return Buffer.concat(chunks);
}

const lent = (): number => stats().tls.lent;

afterEach(async () => {
  await until(() => stats().tls.connections === 0);
  expect(lent()).toBe(0);
});

test('threads have the connections that the option says, and those that write much', async () => {
  const onThreads = await pair();
  expect(lent()).toBe(1);
  await onThreads.end();

  for (const options of [identity, { ...identity, records: 'loop' }, { ...ON_THREADS, threads: 0 }] as TlsOptions[]) {
    const { client, socket, end } = await pair(options);
    socket.end(Buffer.alloc(2 ** 18 - 1, 'x'));
    expect((await read(client)).length).toBe(2 ** 18 - 1);
    expect(lent()).toBe(0);
    await end();
  }

  const large = await pair(identity);
  large.socket.end(Buffer.alloc(2 ** 18, 'x'));
  expect((await read(large.client)).length).toBe(2 ** 18);
  expect(lent()).toBe(1);
  await large.end();
});

test.each([
  ['queue', 'ERR_INVALID_ARG_VALUE'],
  [1, 'ERR_INVALID_ARG_TYPE'],
  [null, 'ERR_INVALID_ARG_TYPE'],
])('%p is no place for records', (records, code) => {
  expect(codeOf(() => createServer({ ...identity, records } as never))).toBe(code);
});

test('bytes of all sizes come back in their order', async () => {
  const { client, socket, end } = await pair();
  socket.pipe(socket);
  const sent = Array.from({ length: 400 }, (_, i) => Buffer.alloc((i * i * 7) % 70_001, i));
  for (const bytes of sent) client.write(bytes);
  client.end();
  expect((await read(client)).equals(Buffer.concat(sent))).toBe(true);
  await end();
});

test('a write that is larger than what is taken at once arrives whole', async () => {
  const { client, socket, end } = await pair();
  const parts = [Buffer.alloc(3 * 2 ** 20 + 1, 'abc'), Buffer.alloc(5, 'd'), Buffer.alloc(2 ** 20, 'efg')];
  socket.cork();
  for (const part of parts) socket.write(part);
  socket.uncork();
  socket.end('last');
  expect((await read(client)).equals(Buffer.concat([...parts, Buffer.from('last')]))).toBe(true);
  expect(socket.bytesWritten).toBe(4 * 2 ** 20 + 10);
  await end();
});

test('connections at once get their own bytes', async () => {
  const server = createServer(ON_THREADS, (socket) => socket.pipe(socket));
  const port = await listen(server);
  const answers = await Promise.all(
    Array.from({ length: 60 }, async (_, i) => {
      const client = await connectTo(port);
      client.end(Buffer.alloc(1000 * i, i));
      return (await read(client)).equals(Buffer.alloc(1000 * i, i));
    }),
  );
  expect(answers).toEqual(Array.from({ length: 60 }, () => true));
  await close(server);
});

test('a client that does not read holds the writer back', async () => {
  const { client, socket, end } = await pair();
  client.pause();
  let written = 0;
  const chunk = Buffer.alloc(2 ** 16);
  while (socket.write(chunk)) written += chunk.length;
  for (let turns = 0; turns < 200; ++turns) {
    await turn();
    while (!socket.writableNeedDrain) {
      socket.write(chunk);
      written += chunk.length;
    }
  }
  expect(written).toBeLessThan(32 * 2 ** 20); // what two sockets hold, and we
  socket.end();
  client.resume();
  expect((await read(client)).length).toBeGreaterThanOrEqual(written);
  await end();
});

test('a server that does not read holds the client back', async () => {
  const { client, socket, end } = await pair();
  socket.pause();
  const chunk = Buffer.alloc(2 ** 16, 'x');
  let written = 0;
  for (let turns = 0; turns < 200; ++turns) {
    while (!client.writableNeedDrain) {
      client.write(chunk);
      written += chunk.length;
    }
    await turn();
  }
  expect(written).toBeLessThan(32 * 2 ** 20);
  expect(socket.readableLength).toBeLessThan(2 ** 20);
  client.end();
  expect((await read(socket)).length).toBe(written);
  await end();
});

test('either side can end first', async () => {
  for (const first of ['client', 'socket'] as const) {
    const both = await pair({ ...ON_THREADS, allowHalfOpen: true });
    const [early, late] = first === 'client' ? [both.client, both.socket] : [both.socket, both.client];
    const [byEarly, byLate] = [allOf(late), allOf(early)];
    early.end('early');
    expect((await byEarly).toString()).toBe('early');
    late.end('late');
    expect((await byLate).toString()).toBe('late');
    await both.end();
  }
});

test('what was written before destroy() leaves', async () => {
  const { client, socket, end } = await pair();
  socket.write('first');
  socket.write('second');
  socket.destroy();
  expect((await read(client)).toString()).toBe('firstsecond');
  await end();
});

test('the end of a client that says nothing is told', async () => {
  const server = createServer(ON_THREADS);
  const port = await listen(server);
  const secured = once(server, 'secureConnection') as Promise<[TLSSocket]>;
  const raw = net.connect(port, '127.0.0.1');
  await once(raw, 'connect');
  const client = nodeTls.connect({ socket: raw, rejectUnauthorized: false });
  const [socket] = await secured;
  client.write('last words');
  const [words] = (await once(socket, 'data')) as [Buffer];
  expect(words.toString()).toBe('last words');
  const ended = once(socket, 'end');
  raw.end();
  await ended;
  expect(socket.truncated).toBe(true);
  client.destroy();
  await close(server);
});

test('a reset is an error', async () => {
  const server = createServer(ON_THREADS);
  const port = await listen(server);
  const secured = once(server, 'secureConnection') as Promise<[TLSSocket]>;
  const raw = net.connect(port, '127.0.0.1');
  const client = nodeTls.connect({ socket: raw, rejectUnauthorized: false });
  client.on('error', () => undefined);
  const [socket] = await secured;
  const failed = once(socket, 'error') as Promise<[NodeJS.ErrnoException]>;
  socket.resume();
  raw.resetAndDestroy();
  expect((await failed)[0].code).toBe('ECONNRESET');
  expect(socket.destroyed).toBe(true);
  await close(server);
});

test('the socket of a lent connection tells what was agreed on, and has its options', async () => {
  const { client, socket, end } = await pair();
  expect(socket.getCipher()).toEqual(client.getCipher());
  expect(socket.getProtocol()).toBe(client.getProtocol());
  expect(socket.exportKeyingMaterial(32, 'label', Buffer.alloc(0))).toEqual(
    client.exportKeyingMaterial(32, 'label', Buffer.alloc(0)),
  );
  expect(socket.getFinished()).toEqual(client.getPeerFinished());
  expect(socket.remotePort).toBe(client.localPort);
  expect(socket.setNoDelay(true).setKeepAlive(true, 1000)).toBe(socket);
  expect(socket.handshake?.place).toMatch(/^(loop|thread)$/);
  await end();
  expect(socket.getCipher()).toBeNull();
});

test('a process stays until everything has left, although nothing else keeps it', async () => {
  const program = `
    const { createServer } = require(${JSON.stringify(path.join(ROOT, 'dist', 'tls.js'))});
    const hold = setInterval(() => {}, 1000);
    const server = createServer({ ...${JSON.stringify(identity)}, allowHalfOpen: true }, (socket) => {
      socket.resume().on('end', () => {
        clearInterval(hold);
        socket.end(Buffer.alloc(2 ** 23));
      });
    });
    server.listen(0, '127.0.0.1', () => console.log(server.address().port)).unref();`;
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const client = await connectTo(Number(line), { allowHalfOpen: true } as nodeTls.ConnectionOptions);
  const all = allOf(client);
  client.end();
  expect((await all).length).toBe(2 ** 23);
  expect(await ended).toEqual([0, null]);
});
