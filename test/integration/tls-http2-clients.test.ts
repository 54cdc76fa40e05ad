// Clients of openssl-async/http2 at servers of node:http2.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import * as nodeHttp2 from 'node:http2';
import * as net from 'node:net';
import * as nodeTls from 'node:tls';
import { connect, type Http2ConnectOptions } from 'openssl-async/http2';
import * as tls from 'openssl-async/tls';
import { createRemoteKey, stats } from '../../lib';
import { ask, closeSession } from '../support/http2';
import { describeWithJobs } from '../support/jobs';
import { pipedPair } from '../support/piped-pair';
import { ED25519, signerOf } from '../support/remote-keys';
import { certificateOf, close, listen, selfSigned } from '../support/tls';
import { whenNoneIsLeft } from '../support/tls-over-streams';

const identity = selfSigned('localhost');
const BODY = randomBytes(2 ** 20);
const trusting = { host: '127.0.0.1', ca: identity.cert };

type Session = nodeHttp2.ClientHttp2Session;
type Socket = nodeTls.TLSSocket & { secureConnecting: boolean; handshake?: { place: string; pauses: number } };

const servers: nodeHttp2.Http2SecureServer[] = [];

async function echoing(options: nodeHttp2.SecureServerOptions = {}): Promise<number> {
  const server = nodeHttp2.createSecureServer({ ...identity, ...options }, (incoming, response) => {
    const { authorized, getPeerCertificate } = incoming.socket as nodeTls.TLSSocket;
    const { subject } = getPeerCertificate.call(incoming.socket) as Partial<nodeTls.PeerCertificate>;
    response.writeHead(200, { authorized: String(authorized), subject: String(subject?.CN) });
    incoming.pipe(response.stream);
  });
  server.on('session', (session) => session.on('error', () => undefined));
  server.on('tlsClientError', () => undefined);
  servers.push(server);
  return listen(server);
}

const urlOf = (port: number): string => `https://localhost:${String(port)}`;

/** A session that is connected, and its socket. */
async function open(
  port: number,
  options: Http2ConnectOptions = {},
  by: typeof connect = connect,
): Promise<{ session: Session; socket: Socket }> {
  const session = by(urlOf(port), { ...trusting, ...options });
  await once(session, 'connect');
  return { session, socket: session.socket as Socket };
}

/** What comes back of a MiB, and the end of the session. */
async function echo(session: Session): Promise<nodeHttp2.IncomingHttpHeaders> {
  const { headers, body } = await ask(session, {}, BODY);
  expect(body.equals(BODY)).toBe(true);
  await closeSession(session);
  return headers;
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map(async (server) => close(server)));
  await whenNoneIsLeft();
});

test('a session and its socket tell what those of node:http2 tell', async () => {
  const port = await echoing();
  const seen: object[] = [];
  for (const each of [connect, nodeHttp2.connect as typeof connect]) {
    const { session, socket } = await open(port, {}, each);
    const { remoteAddress, remotePort, remoteFamily, localAddress, address, encrypted, authorized } = socket;
    seen.push({
      session: [session.encrypted, session.alpnProtocol, session.connecting, session.type, session.originSet],
      protocol: [socket.alpnProtocol, socket.servername, encrypted, authorized, socket.authorizationError],
      state: [socket.connecting, socket.secureConnecting, socket.pending, socket.readyState, socket.destroyed],
      addresses: [remoteAddress, remotePort, remoteFamily, localAddress, Object.keys(address())],
      isSocket: [socket instanceof nodeTls.TLSSocket, socket instanceof net.Socket],
      tls: [socket.getCipher(), socket.getProtocol(), socket.isSessionReused(), socket.getEphemeralKeyInfo()],
      peer: socket.getPeerCertificate(),
      own: socket.getCertificate(),
      finished: [socket.getFinished()?.length, socket.getPeerFinished()?.length],
      material: socket.exportKeyingMaterial(16, 'label', Buffer.from('context')).length,
    });
    expect(() => socket.write('')).toThrow(expect.objectContaining({ code: 'ERR_HTTP2_NO_SOCKET_MANIPULATION' }));
    await echo(session);
  }
  expect(seen[0]).toEqual(seen[1]);
});

describe('a connection carries a session', () => {
  test.each<[string, Http2ConnectOptions]>([
    ['after a handshake on a thread', { maxInlineMicros: 0 }],
    ['on one of three', { maxInlineMicros: 0, threads: 3 }],
    ['after a handshake on the event loop', { maxInlineMicros: 1_000_000 }],
    ['without threads', { threads: 0 }],
    ['before TLS 1.3', { maxVersion: 'TLSv1.2' }],
  ])('%s', async (_, options) => {
    const port = await echoing();
    for (let i = 0; i < 3; ++i) {
      const { session } = await open(port, options);
      expect(session.encrypted).toBe(true);
      await echo(session);
    }
  });

  test('with its plaintext counted', async () => {
    const { session } = await open(await echoing());
    const before = stats().tls;
    await echo(session);
    await whenNoneIsLeft();
    expect(stats().tls.bytesRead - before.bytesRead).toBeGreaterThan(BODY.length);
    expect(stats().tls.bytesWritten - before.bytesWritten).toBeGreaterThan(BODY.length);
  });

  test('of a thousand streams', async () => {
    const { session } = await open(await echoing());
    const answers = await Promise.all(Array.from({ length: 1000 }, () => ask(session, {}, BODY.subarray(0, 100))));
    expect(answers.every(({ body }) => body.equals(BODY.subarray(0, 100)))).toBe(true);
    await closeSession(session);
  });

  test('over a stream of the caller', async () => {
    const [near, far] = pipedPair();
    const port = await echoing();
    const server = servers[0] as nodeHttp2.Http2SecureServer;
    server.emit('connection', far);
    const { session } = await open(port, { socket: near });
    expect(session.encrypted).toBe(true);
    await echo(session);
  });

  test('over a socket of the caller', async () => {
    const port = await echoing();
    const { session } = await open(port, { socket: net.connect(port, '127.0.0.1') });
    await echo(session);
  });

  test('without TLS', async () => {
    const server = nodeHttp2.createServer((incoming, response) => incoming.pipe(response.stream));
    const port = await listen(server);
    const session = connect(`http://localhost:${String(port)}`, { host: '127.0.0.1' });
    await echo(session);
    expect(session.encrypted).toBe(false);
    await close(server);
  });
});

describe('createConnection', () => {
  const socketTo = (port: number, ALPNProtocols: string[]): nodeTls.TLSSocket =>
    tls.connect({ ...trusting, port, servername: 'localhost', ALPNProtocols });

  test('gives a socket of ours, whose plaintext no JavaScript sees', async () => {
    const port = await echoing();
    const socket = socketTo(port, ['h2']);
    const { session } = await open(port, { createConnection: () => socket });
    expect(session.encrypted).toBe(true);
    await echo(session);
    expect([socket.bytesRead, socket.bytesWritten]).toEqual([0, 0]);
  });

  test('gives one of a handshake that was done long ago', async () => {
    const port = await echoing();
    const opened = once(servers[0] as nodeHttp2.Http2SecureServer, 'session'); // it has sent its settings
    const socket = socketTo(port, ['http/1.1', 'h2']);
    await Promise.all([opened, once(socket, 'secureConnect')]);
    const { session } = await open(port, { createConnection: () => socket });
    await echo(session);
    expect(socket.bytesRead).toBe(0);
  });

  test('gives one that somebody has read: JavaScript carries what follows', async () => {
    const port = await echoing();
    const socket = socketTo(port, ['h2']);
    await once(socket, 'readable');
    expect(socket.readableLength).toBeGreaterThan(0);
    const { session } = await open(port, { createConnection: () => socket });
    expect(session.encrypted).toBe(true);
    await echo(session);
    expect(socket.bytesRead).toBeGreaterThan(BODY.length);
  });

  test('gives one of Node.js', async () => {
    const port = await echoing();
    const options = { ...trusting, port, servername: 'localhost', ALPNProtocols: ['h2'] };
    const { session } = await open(port, { createConnection: () => nodeTls.connect(options) });
    await echo(session);
  });

  test('is called with the address and the options', async () => {
    const port = await echoing();
    let given: unknown[] = [];
    const createConnection = (...args: unknown[]): nodeTls.TLSSocket => {
      given = args;
      return socketTo(port, ['h2']);
    };
    const { session } = await open(port, { createConnection });
    expect(given).toMatchObject([{ href: `${urlOf(port)}/` }, { ...trusting, createConnection }]);
    await closeSession(session);
  });

  test('gives a socket that has a session', async () => {
    const port = await echoing();
    const socket = socketTo(port, ['h2']);
    const { session } = await open(port, { createConnection: () => socket });
    expect(() => connect(urlOf(port), { createConnection: () => socket })).toThrow(
      expect.objectContaining({ code: 'ERR_HTTP2_SOCKET_BOUND' }),
    );
    await closeSession(session);
  });
});

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('with %s', (maxVersion) => {
  test('a session of TLS is resumed', async () => {
    const port = await echoing({ maxVersion });
    const session = connect(urlOf(port), trusting);
    const told = once(session.socket, 'session') as Promise<[Buffer]>;
    await echo(session);
    const [ticket] = await told;
    const { session: next, socket } = await open(port, { session: ticket });
    expect(socket.isSessionReused()).toBe(true);
    await echo(next);
  });

  test('the key log is told', async () => {
    const port = await echoing({ maxVersion });
    const session = connect(urlOf(port), trusting);
    const lines: string[] = [];
    session.socket.on('keylog', (line: Buffer) => lines.push(line.toString()));
    await echo(session);
    expect(lines).toHaveLength(maxVersion === 'TLSv1.2' ? 1 : 5);
  });

  describeWithJobs('a key that a function holds', () => {
    test('signs for its client', async () => {
      const cert = certificateOf(ED25519.publicKey.export({ type: 'spki', format: 'pem' }) as string, 'client');
      const sign = signerOf(ED25519.privateKey);
      const key = createRemoteKey({
        publicKey: ED25519.publicKey,
        sign: async (asked) => {
          await new Promise(setImmediate);
          return sign(asked);
        },
      });
      const port = await echoing({ maxVersion, requestCert: true, rejectUnauthorized: false });
      const { session, socket } = await open(port, { cert, key });
      expect(socket.handshake).toMatchObject({ place: 'loop', pauses: 1 });
      expect((await echo(session)).subject).toBe('client');
    });
  });
});

test('whoever is to be welcome is asked about the server', async () => {
  const port = await echoing();
  const asked: unknown[] = [];
  const checkServerIdentity = (name: string, { subject }: nodeTls.PeerCertificate): undefined => {
    asked.push(name, subject.CN);
  };
  const { session, socket } = await open(port, { servername: 'somebody.test', checkServerIdentity });
  expect(asked).toEqual(['somebody.test', 'localhost']);
  expect([socket.authorized, socket.servername]).toEqual([true, 'somebody.test']);
  await closeSession(session);
});

test('events of the connection are passed on once, however often somebody listens', async () => {
  const server = nodeHttp2.createSecureServer({ ...identity, maxVersion: 'TLSv1.3' });
  const port = await listen(server);
  const session = connect(`https://localhost:${String(port)}`, { host: '127.0.0.1', ca: identity.cert });
  const heard = jest.fn();
  for (let times = 0; times < 3; ++times) {
    session.socket.removeListener('secure', heard);
    session.socket.on('secure', heard);
  }
  await once(session, 'connect');
  expect(heard).toHaveBeenCalledTimes(1);
  session.close();
  await once(session, 'close');
  await close(server);
});

test('onread is not for the socket of a session', async () => {
  const server = nodeHttp2.createSecureServer(identity, (_, response) => response.end('answer'));
  const port = await listen(server);
  const callback = jest.fn();
  const onread = { buffer: Buffer.alloc(64), callback };
  for (const threads of [0, 1]) {
    const options = { host: '127.0.0.1', ca: identity.cert, threads, onread };
    const session = connect(`https://localhost:${String(port)}`, options);
    const asked = session.request();
    let answer = '';
    for await (const bytes of asked.setEncoding('utf8')) answer += String(bytes);
    expect(answer).toBe('answer');
    session.close();
    await once(session, 'close');
  }
  expect(callback).not.toHaveBeenCalled();
  await close(server);
});
