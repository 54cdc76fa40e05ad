// Servers of openssl-async/http2 under clients of node:http2.
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import * as nodeHttp2 from 'node:http2';
import * as net from 'node:net';
import type { Server } from 'node:net';
import * as nodeTls from 'node:tls';
import { createSecureServer, type Http2Options } from 'openssl-async/http2';
import { stats } from '../../lib';
import { ask, closeSession, sessionTo } from '../support/http2';
import { close, connectTo, listen, read, request, selfSigned, signedClient } from '../support/tls';
import { codeOf } from '../support/unit';
import { whenNoneIsLeft } from '../support/tls-over-streams';

const identity = selfSigned('localhost');
const MIB = 2 ** 20;
const digestOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

type Socket = nodeTls.TLSSocket & { handshake?: { place: string }; truncated?: boolean };
type Request = nodeHttp2.Http2ServerRequest;
type Response = nodeHttp2.Http2ServerResponse;

const servers: Server[] = [];
const sessions: nodeHttp2.ClientHttp2Session[] = [];

function serverOf(options: Http2Options = {}, listener?: (request: Request, response: Response) => void) {
  const server = createSecureServer({ ...identity, ...options }, listener);
  servers.push(server);
  return server;
}
async function clientOf(server: Server, options: nodeHttp2.SecureClientSessionOptions = {}) {
  const port = server.listening ? (server.address() as net.AddressInfo).port : await listen(server);
  const session = await sessionTo(port, options);
  session.on('error', () => undefined);
  sessions.push(session);
  return session;
}

afterEach(async () => {
  for (const session of sessions.splice(0)) session.destroy();
  await Promise.all(servers.splice(0).map(async (server) => (server.listening ? close(server) : undefined)));
  await whenNoneIsLeft();
});

// What a server sees of the socket of a request.
function seenOf({ socket: some, stream, httpVersion }: Request): object {
  const socket = some as Socket;
  const { session } = stream;
  return {
    httpVersion,
    encrypted: [socket.encrypted, session?.encrypted],
    protocol: [socket.alpnProtocol, session?.alpnProtocol],
    servername: socket.servername,
    authorized: [socket.authorized, socket.authorizationError],
    addresses: [socket.remoteAddress, socket.remoteFamily, socket.localAddress, socket.localPort, socket.address()],
    isClient: socket.remotePort,
    isTlsSocket: [socket instanceof nodeTls.TLSSocket, socket instanceof net.Socket],
    cipher: socket.getCipher(),
    version: socket.getProtocol(),
    peer: socket.getPeerCertificate(),
    peerX509: socket.getPeerX509Certificate()?.fingerprint256,
    own: (socket.getCertificate() as nodeTls.PeerCertificate).subject,
    isReused: socket.isSessionReused(),
    algorithms: socket.getSharedSigalgs(),
    ephemeral: socket.getEphemeralKeyInfo(),
    keyingMaterial: socket.exportKeyingMaterial(16, 'label', Buffer.from('context')).length,
    connecting: socket.connecting,
    pending: socket.pending,
    destroyed: socket.destroyed,
    readyState: socket.readyState,
    hasFinished: [socket.getFinished()?.length, socket.getPeerFinished()?.length],
    hasSession: Buffer.isBuffer(socket.getSession()),
  };
}

test('a request has a socket with all that one of node:http2 tells', async () => {
  const { authority, client } = signedClient();
  const options = { ...identity, ca: authority.cert, requestCert: true };
  const seen: object[] = [];
  const nodes = nodeHttp2.createSecureServer(options);
  servers.push(nodes);
  for (const server of [nodes, serverOf(options)]) {
    server.on('request', (incoming: Request, response: Response) => {
      seen.push(seenOf(incoming));
      response.end('seen');
    });
    const session = await clientOf(server, client);
    expect((await ask(session)).body.toString()).toBe('seen');
    const { localPort } = session.socket;
    const { port } = server.address() as net.AddressInfo;
    expect(seen.at(-1)).toMatchObject({ isClient: localPort, addresses: expect.arrayContaining([port]) as unknown });
    await closeSession(session);
  }
  const [theirs, ours] = seen as [Record<string, unknown>, Record<string, unknown>];
  for (const each of [theirs, ours]) for (const name of ['addresses', 'isClient']) each[name] = undefined;
  expect(ours).toEqual(theirs);
});

test('the socket of a connection is that of its session, and says how the handshake went', async () => {
  const server = serverOf({ maxInlineMicros: 0 });
  const secure = once(server, 'secureConnection') as Promise<[Socket]>;
  const opened = once(server, 'session') as Promise<[nodeHttp2.ServerHttp2Session]>;
  const client = await clientOf(server);
  const [[socket], [session]] = await Promise.all([secure, opened]);
  expect(socket.handshake).toMatchObject({ place: 'thread', pauses: 0 });
  expect((session.socket as Socket).handshake).toBe(socket.handshake);
  expect(socket).toBeInstanceOf(nodeTls.TLSSocket);
  expect(socket.setNoDelay(true)).toBe(socket);
  expect(socket.setKeepAlive(true, 1000)).toBe(socket);
  expect(socket.setMaxSendFragment(1024)).toBe(true);
  await closeSession(client);
});

test('clients without HTTP/2 get HTTP/1.1 where the server allows it', async () => {
  const server = serverOf({ allowHTTP1: true }, ({ httpVersion, socket }, response) => {
    response.end(`${httpVersion} ${String((socket as Socket).alpnProtocol)}`);
  });
  const session = await clientOf(server);
  expect((await ask(session)).body.toString()).toBe('2.0 h2');
  const { port } = server.address() as net.AddressInfo;
  for (const [protocols, expected] of [
    [['http/1.1'], '1.1 http/1.1'],
    [[], '1.1 false'],
  ] as const) {
    const options = { agent: false, ALPNProtocols: protocols } as object;
    expect((await request(port, options)).body.toString()).toBe(expected);
  }
});

test('a client without ALPN is told to the server, or sent away', async () => {
  const server = serverOf();
  const port = await listen(server);
  const client = await connectTo(port);
  expect((await read(client)).toString()).toMatch(/^HTTP\/1\.0 403 Forbidden\r\n/);
  const unknown = once(server, 'unknownProtocol') as Promise<[Socket]>;
  const other = await connectTo(port);
  const [socket] = await unknown;
  socket.end('unknown');
  expect((await read(other)).toString()).toBe('unknown');
});

test('options are an object, as those of node:http2', () => {
  for (const options of [null, () => undefined, 'text', { settings: null }, { maxSessionRejectedStreams: -1 }]) {
    const codes = [createSecureServer, nodeHttp2.createSecureServer].map((create) => {
      const createAny: (given: unknown) => unknown = create as never;
      return codeOf(() => createAny(options));
    });
    expect(codes[0]).toMatch(/^ERR_/);
    expect(codes[0]).toBe(codes[1]);
  }
});

test('a handshake that fails is told', async () => {
  const server = serverOf();
  const port = await listen(server);
  const failed = once(server, 'tlsClientError') as Promise<[Error & { code: string }, Socket]>;
  net.connect(port, '127.0.0.1').end('GET / HTTP/1.1\r\n\r\n').resume();
  const [error, socket] = await failed;
  expect(error.code).toBe('ERR_SSL_HTTP_REQUEST');
  expect(socket.destroyed).toBe(true);
});

test('one session has a thousand streams at a time', async () => {
  const waiting: Response[] = [];
  const server = serverOf({ settings: { maxConcurrentStreams: 2000 } }, (incoming, response) => {
    waiting.push(response);
    if (waiting.length === 1000) for (const each of waiting) each.end(each.req.url);
  });
  const session = await clientOf(server);
  const paths = Array.from({ length: 1000 }, (_, i) => `/${String(i)}`);
  const answers = await Promise.all(paths.map((path) => ask(session, { ':path': path })));
  expect(answers.map(({ body }) => body.toString())).toEqual(paths);
});

test('large bodies arrive whole, in both directions at once', async () => {
  const server = serverOf({ maxSessionMemory: 100 }, (incoming, response) => {
    response.writeHead(200);
    incoming.pipe(response.stream);
  });
  const before = stats().tls;
  const session = await clientOf(server, { maxSessionMemory: 100 });
  const bodies = Array.from({ length: 4 }, () => randomBytes(4 * MIB));
  const answers = await Promise.all(bodies.map((body) => ask(session, {}, body)));
  expect(answers.map(({ body }) => digestOf(body))).toEqual(bodies.map(digestOf));
  expect(stats().tls.bytesRead - before.bytesRead).toBeGreaterThan(16 * MIB);
  expect(stats().tls.bytesWritten - before.bytesWritten).toBeGreaterThan(16 * MIB);
});

test('trailers and pushed streams arrive', async () => {
  const server = serverOf();
  server.on('stream', (stream: nodeHttp2.ServerHttp2Stream, headers) => {
    if (headers[':path'] !== '/') return;
    stream.pushStream({ ':path': '/pushed' }, (error, pushed) => {
      pushed.respond();
      pushed.end(error === null ? 'pushed' : 'failed');
      stream.respond(undefined, { waitForTrailers: true });
      stream.on('wantTrailers', () => {
        stream.sendTrailers({ checksum: 'abc' });
      });
      stream.end('body');
    });
  });
  const session = await clientOf(server);
  const push = once(session, 'stream') as Promise<[nodeHttp2.ClientHttp2Stream, nodeHttp2.IncomingHttpHeaders]>;
  const { body, trailers } = await ask(session);
  expect([body.toString(), trailers?.checksum]).toEqual(['body', 'abc']);
  const [pushed, headers] = await push;
  expect(headers[':path']).toBe('/pushed');
  expect((await read(pushed)).toString()).toBe('pushed');
});

describe('the end of a session', () => {
  test('by the server: the answers that are under way arrive whole', async () => {
    const body = randomBytes(8 * MIB);
    const server = serverOf({}, (incoming, response) => {
      response.end(body);
      incoming.stream.session?.close();
    });
    const session = await clientOf(server);
    const ended = once(session, 'goaway') as Promise<[code: number]>;
    expect(digestOf((await ask(session)).body)).toBe(digestOf(body));
    expect((await ended)[0]).toBe(nodeHttp2.constants.NGHTTP2_NO_ERROR);
    await once(session, 'close');
  });

  test('by the server at once: a code of HTTP/2 arrives', async () => {
    const server = serverOf({}, ({ stream }) => {
      stream.on('error', () => undefined);
      stream.session?.destroy(nodeHttp2.constants.NGHTTP2_ENHANCE_YOUR_CALM as unknown as Error);
    });
    server.on('sessionError', () => undefined);
    const session = await clientOf(server);
    const ended = once(session, 'goaway') as Promise<[code: number]>;
    await expect(ask(session)).rejects.toThrow(/./);
    expect((await ended)[0]).toBe(nodeHttp2.constants.NGHTTP2_ENHANCE_YOUR_CALM);
  });

  test('by the client: the server closes when the last session has ended', async () => {
    const server = serverOf({}, (_, response) => response.end('served'));
    const session = await clientOf(server);
    await ask(session);
    const count = await new Promise((resolve) => {
      server.getConnections((_, found) => {
        resolve(found);
      });
    });
    expect(count).toBe(1);
    let isClosed = false;
    const closed = close(server).then(() => (isClosed = true));
    expect((await ask(session)).body.toString()).toBe('served');
    expect(isClosed).toBe(false);
    await closeSession(session);
    await closed;
    expect(stats().tls.connections).toBe(0);
  });

  test('by a reset in the middle of a body: the server hears of it', async () => {
    const server = serverOf();
    const failed = once(server, 'sessionError') as Promise<[Error & { code: string }]>;
    const aborted = new Promise((resolve) => {
      server.on('stream', (stream: nodeHttp2.ServerHttp2Stream) => {
        stream.on('error', () => undefined).on('aborted', resolve);
        raw.resetAndDestroy();
      });
    });
    const port = await listen(server);
    const raw = net.connect(port, '127.0.0.1').on('error', () => undefined);
    const options = {
      createConnection: () => nodeTls.connect({ socket: raw, ALPNProtocols: ['h2'], rejectUnauthorized: false }),
    };
    const session = await clientOf(server, options);
    const stream = session.request({ ':method': 'POST' }).on('error', () => undefined);
    stream.write(randomBytes(MIB));
    expect((await failed)[0].code).toBe('ECONNRESET');
    await aborted;
  });

  test('by a reset of the server: the client hears of it', async () => {
    const server = serverOf();
    const secure = once(server, 'secureConnection') as Promise<[Socket]>;
    server.on('sessionError', () => undefined);
    const port = await listen(server);
    const client = await connectTo(port, { ALPNProtocols: ['h2'] });
    const failed = once(client, 'error') as Promise<[Error & { code: string }]>;
    (await secure)[0].resetAndDestroy();
    expect((await failed)[0].code).toBe('ECONNRESET');
  });
});
