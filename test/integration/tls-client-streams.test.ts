// Clients over streams of callers: STARTTLS, proxies, TLS in TLS.
import { once } from 'node:events';
import * as net from 'node:net';
import * as nodeTls from 'node:tls';
import { connect, createServer, TLSSocket, type ConnectionOptions } from '../../lib/tls/tls';
import { pipedPair } from '../support/piped-pair';
import { close, listen, read, selfSigned } from '../support/tls';

const identity = selfSigned('localhost');
const trusting: ConnectionOptions = { servername: 'localhost', ca: identity.cert };
const LARGE = Buffer.alloc(500_000, 'y');

function echoing(options: nodeTls.TlsOptions = {}): nodeTls.Server {
  const server = nodeTls.createServer({ ...identity, allowHalfOpen: true, ...options });
  return server.on('secureConnection', (socket) => {
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
}

async function expectEcho(socket: nodeTls.TLSSocket): Promise<void> {
  socket.end(LARGE);
  expect((await read(socket)).equals(LARGE)).toBe(true);
  expect(socket.authorized).toBe(true);
}

test('over a stream in memory, the server being ours', async () => {
  const server = createServer({ ...identity, allowHalfOpen: true }, (socket) => socket.pipe(socket));
  const [near, far] = pipedPair();
  server.emit('connection', far);
  const socket = connect({ ...trusting, socket: near });
  expect(socket.connecting).toBe(false);
  await expectEcho(socket);
  expect((socket as unknown as TLSSocket).handshake?.place).toBe('loop');
});

test('over a socket of node:net, whose addresses it has', async () => {
  const server = echoing();
  const port = await listen(server);
  const raw = net.connect(port, '127.0.0.1');
  await once(raw, 'connect');
  const socket = connect({ ...trusting, socket: raw });
  const closed = once(raw, 'close');
  const { localPort } = raw;
  await once(socket, 'secureConnect');
  expect([socket.remotePort, socket.localPort, socket.remoteFamily]).toEqual([port, localPort, 'IPv4']);
  expect(raw.destroyed).toBe(false); // it stays the caller's
  await expectEcho(socket);
  await closed;
  await close(server);
});

test('over a socket that is not connected yet, with the events of node:tls', async () => {
  const server = echoing();
  const port = await listen(server);
  const heard: unknown[][] = [];
  for (const make of [connect, nodeTls.connect] as (typeof connect)[]) {
    const raw = new net.Socket();
    const socket = make({ ...trusting, socket: raw });
    const events: unknown[] = [socket.connecting];
    for (const event of ['connect', 'secureConnect']) socket.on(event, () => events.push(event));
    raw.connect(port, '127.0.0.1');
    await expectEcho(socket);
    heard.push(events);
  }
  expect(heard[0]).toEqual(heard[1]);
  await close(server);
});

test('a socket that cannot be connected is an error of both', async () => {
  const server = net.createServer();
  const port = await listen(server);
  await close(server);
  const raw = net.connect(port, '127.0.0.1');
  const socket = connect({ ...trusting, socket: raw });
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
  expect(error.code).toBe('ECONNREFUSED');
});

test.each([
  ['ours in ours', connect, connect],
  ['ours in node’s', nodeTls.connect, connect],
] as [string, typeof connect, typeof connect][])('TLS in TLS: %s', async (_, outer, inner) => {
  const target = echoing();
  const targetPort = await listen(target);
  const proxy = nodeTls.createServer({ ...identity, allowHalfOpen: true }, (socket) => {
    const through = net.connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true });
    for (const each of [socket, through]) each.on('error', () => undefined);
    socket.pipe(through).pipe(socket);
  });
  const port = await listen(proxy);
  const outside = outer({ ...trusting, port, host: '127.0.0.1' });
  await once(outside, 'secureConnect');
  await expectEcho(inner({ ...trusting, socket: outside }));
  await Promise.all([close(target), close(proxy)]);
});

test('a stream that is gone, or goes in the handshake, is an error', async () => {
  const [gone] = pipedPair();
  gone.destroy();
  const [going] = pipedPair();
  const [failing] = pipedPair();
  setImmediate(() => going.destroy());
  setImmediate(() => failing.destroy(Object.assign(new Error('broken'), { code: 'EOWN' })));
  const codes = await Promise.all(
    [gone, going, failing].map(async (socket) => {
      const [error] = (await once(connect({ ...trusting, socket }), 'error')) as [NodeJS.ErrnoException];
      return error.code;
    }),
  );
  expect(codes).toEqual(['ECONNRESET', 'ECONNRESET', 'EOWN']);
});

test('a client that is destroyed destroys the stream below', async () => {
  const [near] = pipedPair();
  const socket = connect({ ...trusting, socket: near });
  socket.destroy();
  await once(near, 'close');
  expect(near.destroyed).toBe(true);
});

describe('new TLSSocket()', () => {
  test('is a client over a stream, whose user looks at the certificate', async () => {
    const server = echoing();
    const port = await listen(server);
    const Socket = TLSSocket as unknown as typeof nodeTls.TLSSocket;
    const socket = new Socket(net.connect(port, '127.0.0.1'), { ca: identity.cert, session: undefined });
    expect(socket).toBeInstanceOf(TLSSocket);
    await once(socket, 'secure');
    expect(socket.getPeerCertificate().subject.CN).toBe('localhost');
    socket.end(LARGE);
    expect((await read(socket)).equals(LARGE)).toBe(true);
    await close(server);
  });

  test('is a server over a stream', async () => {
    const Socket = TLSSocket as unknown as typeof nodeTls.TLSSocket;
    const [near, far] = pipedPair();
    const asked: unknown[] = [];
    const served = new Socket(far, {
      ...identity,
      isServer: true,
      requestCert: true,
      ALPNProtocols: ['a', 'b'],
      SNICallback: (name: string, done: (error: null) => void) => {
        asked.push(name);
        done(null);
      },
    });
    served.pipe(served);
    const client = nodeTls.connect({ ...(trusting as object), socket: near, ALPNProtocols: ['b'] });
    await Promise.all([once(served, 'secure'), once(client, 'secureConnect')]);
    expect([served.alpnProtocol, served.authorized, asked]).toEqual(['b', false, ['localhost']]);
    client.write('x');
    expect(String((await once(client, 'data'))[0])).toBe('x');
    client.destroy();
    served.destroy();
  });

  test('of a server tells of a handshake that fails', async () => {
    const Socket = TLSSocket as unknown as typeof nodeTls.TLSSocket;
    const [near, far] = pipedPair();
    const served = new Socket(far, { ...identity, isServer: true });
    near.write('no TLS at all, but long enough for a record\n');
    const [error] = (await once(served, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toMatch(/^ERR_SSL_/);
  });

  test('without a stream connects later', async () => {
    const server = echoing();
    const port = await listen(server);
    const Socket = TLSSocket as unknown as new (stream: undefined, options: object) => nodeTls.TLSSocket;
    const socket = new Socket(undefined, { ca: identity.cert });
    socket.connect(port, '127.0.0.1');
    await once(socket, 'secure');
    socket.destroy();
    await close(server);
  });
});
