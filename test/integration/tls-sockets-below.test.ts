// Sockets of node:net below a connection: what they tell, and what becomes of them, is what node:tls makes of them.
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import * as net from 'node:net';
import { execFile as execute } from 'node:child_process';
import * as nodeTls from 'node:tls';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { connect, createServer, TLSSocket } from '../../lib/tls/tls';
import { close, listen, read, selfSigned } from '../support/tls';

const execFile = promisify(execute);
const TLS = path.resolve(__dirname, '../../dist/tls.js');
const identity = selfSigned('localhost');
const trusting = { servername: 'localhost', ca: identity.cert };
const EVENTS = ['data', 'end', 'error', 'close', 'finish'];

/** The events of a stream, from here on. */
function eventsOf(stream: net.Socket): string[] {
  const heard: string[] = [];
  for (const name of EVENTS) {
    stream.on(name, (value: unknown) => {
      heard.push(value instanceof Error ? `${name} ${value.message}` : name);
    });
  }
  return heard;
}

type Make = (options: nodeTls.ConnectionOptions) => nodeTls.TLSSocket;
type Act = (raw: net.Socket, socket: nodeTls.TLSSocket, accepted: nodeTls.TLSSocket) => void;

interface Outcome {
  raw: string[];
  socket: string[];
}

// The server greets; then `act` happens, and both sockets close.
async function play(make: Make, act: Act): Promise<Outcome> {
  const server = nodeTls.createServer(identity, (accepted) => {
    accepted.on('error', () => undefined).resume();
    accepted.write('hello');
  });
  const port = await listen(server);
  const raw = net.connect(port, '127.0.0.1');
  await once(raw, 'connect');
  const heard = eventsOf(raw);
  const accepting = once(server, 'secureConnection') as Promise<[nodeTls.TLSSocket]>;
  const socket = make({ ...trusting, socket: raw });
  const outcome = { raw: heard, socket: eventsOf(socket) };
  const [[accepted]] = await Promise.all([accepting, once(socket, 'data')]);
  const closed = [raw, socket].map((stream) => new Promise((resolve) => stream.once('close', resolve)));
  act(raw, socket, accepted);
  await Promise.all(closed);
  await close(server);
  expect([raw.destroyed, socket.destroyed]).toEqual([true, true]);
  return outcome;
}

test.each<[string, Act]>([
  ['the socket below is destroyed', (raw) => raw.destroy()],
  ['the socket below is destroyed with an error', (raw) => raw.destroy(new Error('below'))],
  ['the socket below ends', (raw) => raw.end()],
  ['the connection ends', (_, socket) => socket.end()],
  ['the connection is destroyed', (_, socket) => socket.destroy()],
  ['the connection is destroyed with an error', (_, socket) => socket.destroy(new Error('above'))],
  ['the peer ends', (_, __, accepted) => accepted.end()],
  ['the peer goes', (_, __, accepted) => accepted.destroy()],
])('%s: events of both are those of node:tls', async (_, act) => {
  const ours = await play(connect, act);
  expect(ours).toEqual(await play(nodeTls.connect, act));
});

test('a socket below that is destroyed during the handshake ends the connection without an error', async () => {
  const server = net.createServer((silent) => silent.on('error', () => undefined).resume());
  const port = await listen(server);
  for (const make of [connect, nodeTls.connect] as Make[]) {
    const raw = net.connect(port, '127.0.0.1');
    await once(raw, 'connect');
    const socket = make({ ...trusting, socket: raw });
    const heard = eventsOf(socket);
    setImmediate(() => raw.destroy());
    await once(socket, 'close');
    expect(heard).toEqual(['close']);
  }
  await close(server);
});

test('whoever reads the socket below takes nothing from the connection, whose traffic keeps its time limit away', async () => {
  const server = nodeTls.createServer(identity, (accepted) => accepted.pipe(accepted));
  const port = await listen(server);
  const raw = net.connect({ port, host: '127.0.0.1' }).pause();
  await once(raw, 'connect');
  const heard = eventsOf(raw);
  const socket = connect({ ...trusting, socket: raw });
  await once(socket, 'secureConnect');
  const timer = jest.spyOn(raw as unknown as { _unrefTimer: () => void }, '_unrefTimer');
  raw.resume();
  raw.read(0);
  for (let i = 0; i < 20; ++i) {
    raw.pause().resume();
    timer.mockClear();
    socket.write('again');
    await once(socket, 'data');
    expect(timer.mock.calls.length).toBeGreaterThanOrEqual(2); // it was written, and read
  }
  expect(heard).toEqual([]);
  expect(raw.remotePort).toBe(port);
  socket.destroy();
  await close(server);
});

// A program that has nothing else to do ends.
test.each([
  ['before the connection begins', 'raw.unref(); connect();'],
  ['while the connection shakes hands', 'connect(); raw.unref();'],
  ['once the connection is open', "connect().once('secureConnect', () => setImmediate(() => raw.unref()));"],
])('a socket below that is unref()ed %s keeps no process alive', async (_, act) => {
  const server = nodeTls.createServer(identity, (accepted) => accepted.on('error', () => undefined));
  const port = await listen(server);
  const program = `
    const raw = require('node:net').connect(${String(port)}, '127.0.0.1');
    const connect = () => require(${JSON.stringify(TLS)}).connect({ socket: raw, rejectUnauthorized: false });
    raw.once('connect', () => { ${act} });
  `;
  await expect(execFile(process.execPath, ['-e', program], { timeout: 20_000 })).resolves.toBeDefined();
  await close(server);
});

test('a callback that destroys the socket below ends the connection, whoever has its descriptor then', async () => {
  const server = net.createServer((accepted) => accepted.on('error', () => undefined).resume());
  const port = await listen(server);
  const raw = net.connect(port, '127.0.0.1');
  await once(raw, 'connect');
  let other = -1;
  const pskCallback = (): null => {
    raw.destroy();
    other = openSync(__filename, 'r');
    return null;
  };
  const [error] = (await once(connect({ socket: raw, pskCallback }), 'error')) as [NodeJS.ErrnoException];
  expect(error.code).toBe('ECONNRESET');
  closeSync(other);
  await close(server);
});

test('a socket with writes under way carries the records itself', async () => {
  const large = Buffer.alloc(8_000_000, 'x');
  const server = net.createServer((accepted) => {
    let left = large.length;
    accepted.on('data', function onData(bytes: Buffer) {
      left -= bytes.length;
      if (left > 0) return;
      accepted.removeListener('data', onData).pause();
      if (left < 0) accepted.unshift(bytes.subarray(left));
      const socket = new TLSSocket(accepted, { ...identity, isServer: true });
      socket.pipe(socket);
    });
  });
  const port = await listen(server);
  const raw = net.connect(port, '127.0.0.1');
  await once(raw, 'connect');
  raw.write(large);
  expect(raw.writableLength).toBeGreaterThan(0);
  const socket = connect({ ...trusting, socket: raw });
  socket.end('behind it');
  expect((await read(socket)).toString()).toBe('behind it');
  await close(server);
});

// The first segment has a line without TLS and the client's first message behind it.
test('after STARTTLS, the server reads on behind what was read before', async () => {
  const server = net.createServer((raw) => {
    raw.on('readable', function onReadable() {
      const line = raw.read(9) as Buffer | null;
      if (line === null) return;
      expect(line.toString()).toBe('STARTTLS\n');
      raw.removeListener('readable', onReadable);
      const socket = new TLSSocket(raw, { ...identity, isServer: true });
      socket.pipe(socket);
    });
  });
  const port = await listen(server);
  const near = net.createServer();
  const nearPort = await listen(near);
  const accepting = once(near, 'connection') as Promise<[net.Socket]>;
  const socket = connect({ ...trusting, port: nearPort, host: '127.0.0.1' });
  const [[between], far] = [await accepting, net.connect(port, '127.0.0.1')];
  const [hello] = (await once(between, 'data')) as [Buffer];
  far.write(Buffer.concat([Buffer.from('STARTTLS\n'), hello]));
  between.pipe(far).pipe(between);
  socket.write('hello');
  expect(String(await once(socket, 'data'))).toBe('hello');
  socket.destroy();
  expect((socket as unknown as TLSSocket).handshake?.place).toBe('thread');
  await close(near);
  await close(server);
});

test('a server that is handed a socket leaves it below, until either goes', async () => {
  const server = createServer(identity, (accepted) => accepted.pipe(accepted));
  const raws: net.Socket[] = [];
  const front = net.createServer((raw) => {
    raws.push(raw);
    server.emit('connection', raw);
  });
  const port = await listen(front);
  for (const act of [(raw: net.Socket) => raw.destroy(), (_: net.Socket, socket: net.Socket) => socket.end()]) {
    const socket = nodeTls.connect({ ...trusting, port, host: '127.0.0.1' });
    socket.write('hello');
    await once(socket, 'data');
    const raw = raws.pop() as net.Socket;
    expect(raw.destroyed).toBe(false);
    const closed = once(raw, 'close');
    act(raw, socket.resume());
    await Promise.all([closed, once(socket, 'close')]);
  }
  await close(front);
});

test("a server whose client's socket is destroyed during the handshake hears of it, as that of node:tls", async () => {
  for (const make of [createServer, nodeTls.createServer] as ((options: nodeTls.TlsOptions) => nodeTls.Server)[]) {
    const server = make(identity);
    const front = net.createServer((raw) => {
      server.emit('connection', raw);
      setImmediate(() => raw.destroy());
    });
    const failed = once(server, 'tlsClientError') as Promise<[NodeJS.ErrnoException, net.Socket]>;
    const client = net.connect(await listen(front), '127.0.0.1').on('error', () => undefined);
    const [error, socket] = await failed;
    expect([error.code, error.message, socket.destroyed]).toEqual(['ECONNRESET', 'socket hang up', true]);
    client.destroy();
    await close(front);
  }
});
