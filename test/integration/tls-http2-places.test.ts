// HTTP/2 wherever a connection's handshake ran, and whatever is below: with a descriptor, its session is native.
import { createPublicKey, randomBytes, sign } from 'node:crypto';
import { once } from 'node:events';
import type * as nodeHttp2 from 'node:http2';
import * as net from 'node:net';
import * as nodeTls from 'node:tls';
import { createSecureServer, type Http2Options } from 'openssl-async/http2';
import { createSecureContext } from 'openssl-async/tls';
import { createRemoteKey, stats } from '../../lib';
import { ask, closeSession, sessionTo } from '../support/http2';
import { pipedPair } from '../support/piped-pair';
import { close, listen, selfSigned } from '../support/tls';
import { endStreams, serve, whenNoneIsLeft } from '../support/tls-over-streams';

const identity = selfSigned('localhost');
const ed25519 = selfSigned('ed25519.test', 'ed25519');
const BODY = randomBytes(2 ** 20);

type Session = nodeHttp2.ServerHttp2Session;

function echoing(options: Http2Options = {}): nodeHttp2.Http2SecureServer {
  return createSecureServer({ ...identity, ...options }, (incoming, response) => {
    response.writeHead(200);
    incoming.pipe(response.stream);
  });
}

// What node:http2 and servers tell of the connection of a session.
const toldBy = ({ encrypted, alpnProtocol, originSet }: Session, socket: nodeTls.TLSSocket): unknown => ({
  ...{ encrypted, alpnProtocol, originSet },
  ...{ isEncrypted: socket.encrypted, protocol: socket.alpnProtocol, name: socket.servername },
  ...{ authorized: socket.authorized, error: socket.authorizationError },
  ...{ version: socket.getProtocol(), cipher: socket.getCipher(), peer: socket.getPeerCertificate() },
  ...{ family: socket.remoteFamily, isReused: socket.isSessionReused() },
});

/** Whether sessions of clients work, have what TLS has, and are native: their socket is an instance of TLSSocket. */
async function isNative(
  server: nodeHttp2.Http2SecureServer,
  options: nodeHttp2.SecureClientSessionOptions = {},
): Promise<boolean> {
  const secure = once(server, 'secureConnection') as Promise<[nodeTls.TLSSocket]>;
  const opened = once(server, 'session') as Promise<[Session]>;
  const { port } = server.address() as net.AddressInfo;
  const client = await sessionTo(port, options);
  const [[socket], [session]] = await Promise.all([secure, opened]);
  const onSession = session.socket as nodeTls.TLSSocket;
  expect(session).toMatchObject({ encrypted: true, alpnProtocol: 'h2', originSet: [expect.stringMatching(/^https:/)] });
  expect(toldBy(session, onSession)).toEqual(toldBy(session, socket));
  const isInstance = onSession instanceof nodeTls.TLSSocket;
  const { body } = await ask(client, {}, BODY);
  expect(body.equals(BODY)).toBe(true);
  await closeSession(client);
  return isInstance;
}

afterEach(whenNoneIsLeft);

describe('a session is native', () => {
  test.each<[string, Http2Options]>([
    ['on a thread', { maxInlineMicros: 0 }],
    ['on one of three', { maxInlineMicros: 0, threads: 3 }],
    ['on the event loop, once it is known to take little', { maxInlineMicros: 1_000_000 }],
    ['before TLS 1.3', { maxVersion: 'TLSv1.2' }],
    ['whose server has records on threads', { records: 'threads' }],
  ])('after a handshake %s', async (_, options) => {
    const server = echoing(options);
    await listen(server);
    for (let i = 0; i < 3; ++i) expect(await isNative(server)).toBe(true);
    await close(server);
  });

  test('after a handshake whose key a function has', async () => {
    const key = createRemoteKey({
      publicKey: createPublicKey(ed25519.cert),
      sign: ({ data }) => sign(null, data ?? Buffer.alloc(0), ed25519.key),
    });
    const server = echoing({ cert: ed25519.cert, key });
    await listen(server);
    expect(await isNative(server)).toBe(true);
    await close(server);
  });

  test('after questions, of a connection that listeners have heard of', async () => {
    let connections = 0;
    const server = echoing({
      onClientHello: () => Promise.resolve(createSecureContext(identity)),
      ALPNCallback: ({ protocols }) => Promise.resolve(protocols[0]),
    });
    server.on('connection', () => ++connections).on('keylog', () => undefined);
    await listen(server);
    expect(await isNative(server)).toBe(true);
    expect(connections).toBe(1);
    await close(server);
  });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('when a user keeps its session, at leisure (%s)', async (maxVersion) => {
    const server = echoing({ maxVersion, secureOptions: 1 << 14 }); // SSL_OP_NO_TICKET
    let kept = 0;
    server.on('newSession', (_: Buffer, __: Buffer, done: () => void) => {
      setImmediate(() => {
        ++kept;
        done();
      });
    });
    await listen(server);
    expect(await isNative(server)).toBe(true);
    expect(kept).toBeGreaterThan(0);
    await close(server);
  });

  test('of a socket that somebody else has accepted', async () => {
    const server = echoing();
    const acceptor = net.createServer((socket) => serve(server, socket));
    const port = await listen(acceptor);
    jest.spyOn(server, 'address').mockReturnValue({ port, address: '127.0.0.1', family: 'IPv4' });
    expect(await isNative(server)).toBe(true);
    await close(acceptor);
  });
});

describe('a session works in JavaScript', () => {
  test('without threads', async () => {
    const server = echoing({ threads: 0 });
    await listen(server);
    expect(await isNative(server)).toBe(false);
    await close(server);
  });

  test('over a stream that has no descriptor', async () => {
    const server = echoing();
    const [near, far] = pipedPair();
    const createConnection = (): nodeTls.TLSSocket =>
      nodeTls.connect({ socket: near, ALPNProtocols: ['h2'], rejectUnauthorized: false });
    jest.spyOn(server, 'address').mockReturnValue({ port: 1, address: '', family: '' });
    serve(server, far);
    expect(await isNative(server, { createConnection })).toBe(false);
    await endStreams();
  });
});

test('a server that pauses its connections gets sessions that wait', async () => {
  const server = echoing({ pauseOnConnect: true });
  const secure = once(server, 'secureConnection') as Promise<[nodeTls.TLSSocket]>;
  const port = await listen(server);
  const client = nodeTls.connect({ port, host: '127.0.0.1', ALPNProtocols: ['h2'], rejectUnauthorized: false });
  const [socket] = await secure;
  expect(socket.isPaused()).toBe(true);
  client.destroy();
  socket.destroy();
  await close(server);
  expect(stats().tls.connections).toBe(0);
});
