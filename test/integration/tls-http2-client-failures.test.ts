// What ends a client's session of HTTP/2, and when: each compared with one of node:http2.
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import * as nodeHttp2 from 'node:http2';
import * as net from 'node:net';
import * as nodeTls from 'node:tls';
import { Worker } from 'node:worker_threads';
import { connect, type Http2ConnectOptions } from 'openssl-async/http2';
import * as tls from 'openssl-async/tls';
import { close, listen, selfSigned } from '../support/tls';
import { whenNoneIsLeft } from '../support/tls-over-streams';
import { codeOf } from '../support/unit';

const identity = selfSigned('localhost');
const trusting: Http2ConnectOptions = { host: '127.0.0.1', ca: identity.cert };

type Connect = typeof connect;
type Session = nodeHttp2.ClientHttp2Session;
const CLIENTS = [connect, nodeHttp2.connect as Connect];

const urlOf = (port: number): string => `https://localhost:${String(port)}`;

/** What a session tells until it is closed. */
async function outcomeOf(session: Session): Promise<object> {
  const events: string[] = [];
  let error: object | undefined;
  const { socket } = session as { socket: net.Socket | undefined }; // of a session that is not destroyed
  for (const name of ['connect', 'secureConnect']) socket?.on(name, () => events.push(`socket: ${name}`));
  for (const name of ['connect', 'goaway', 'close']) session.on(name, () => events.push(name));
  session.on('error', (told: NodeJS.ErrnoException) => {
    events.push('error');
    const { name, code, syscall } = told;
    error = { name, code, syscall, reason: (told as { reason?: unknown }).reason };
  });
  while (!events.includes('close')) await new Promise(setImmediate);
  return { error, events, state: [session.destroyed, session.closed, session.encrypted, session.alpnProtocol] };
}

/** Both kinds of clients end in the same way. */
async function expectSame(make: (connect: Connect) => Session): Promise<Record<string, unknown>> {
  const outcomes: object[] = [];
  for (const each of CLIENTS) outcomes.push(await outcomeOf(make(each)));
  expect(outcomes[0]).toEqual(outcomes[1]);
  return outcomes[0] as Record<string, unknown>;
}

const servers: net.Server[] = [];

async function serving(options: nodeHttp2.SecureServerOptions = {}): Promise<number> {
  const server = nodeHttp2.createSecureServer({ ...identity, ...options });
  server.on('session', (session) => session.on('error', () => undefined));
  server.on('tlsClientError', () => undefined);
  server.on('stream', (stream) => stream.on('error', () => undefined));
  servers.push(server);
  return listen(server);
}

async function raw(serve: (socket: net.Socket) => void): Promise<number> {
  const server = net.createServer((socket) => {
    socket.on('error', () => undefined);
    serve(socket);
    socket.resume();
  });
  servers.push(server);
  return listen(server);
}

const countOf = async (server: net.Server): Promise<number> =>
  new Promise((resolve) => {
    server.getConnections((_, count) => resolve(count));
  });

afterEach(async () => {
  await Promise.all(servers.splice(0).map(async (server) => close(server)));
  await whenNoneIsLeft();
});

describe('a session ends as that of node:http2', () => {
  test('when nobody listens', async () => {
    const port = await raw(() => undefined);
    await close(servers.pop() as net.Server);
    const { error } = await expectSame((make) => make(urlOf(port), trusting));
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('when the server is not trusted', async () => {
    const port = await serving();
    const { error } = await expectSame((make) => make(urlOf(port), { host: '127.0.0.1' }));
    expect(error).toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  });

  test('when the server is not trusted, and somebody delays the end of its socket', async () => {
    const port = await serving();
    const connectsTls: ((options: nodeTls.ConnectionOptions) => nodeTls.TLSSocket)[] = [tls.connect, nodeTls.connect];
    for (const [i, make] of CLIENTS.entries()) {
      const socket = connectsTls[i]?.({ host: '127.0.0.1', port, ALPNProtocols: ['h2'] }) as nodeTls.TLSSocket;
      // As http2-wrapper does.
      const destroy = socket._destroy.bind(socket);
      socket._destroy = (error, callback) => {
        destroy(error, (told) => {
          queueMicrotask(() => {
            callback(told);
          });
        });
      };
      const { error } = (await outcomeOf(make(urlOf(port), { createConnection: () => socket }))) as { error: object };
      expect(error).toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
    }
  });

  test('when the server has another name', async () => {
    const port = await serving();
    const { error } = await expectSame((make) => make(urlOf(port), { ...trusting, servername: 'other.test' }));
    expect(error).toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
  });

  test.each<[string, (socket: net.Socket) => void, string]>([
    ['at once', (socket) => socket.destroy(), 'ECONNRESET'],
    ['after the hello', (socket) => socket.once('data', () => socket.destroy()), 'ECONNRESET'],
    ['with HTTP/1.1', (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'), 'ERR_SSL_WRONG_VERSION_NUMBER'],
  ])('when the server leaves %s', async (_, serve, code) => {
    const port = await raw(serve);
    const { error } = await expectSame((make) => make(urlOf(port), trusting));
    expect(error).toMatchObject({ code });
  });

  test('when the server has no common protocol', async () => {
    const server = nodeTls.createServer({ ...identity, ALPNProtocols: ['http/1.1'] });
    server.on('tlsClientError', () => undefined);
    servers.push(server);
    const port = await listen(server);
    const { error } = await expectSame((make) => make(urlOf(port), trusting));
    expect(error).toMatchObject({ code: 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL' });
  });

  test('when the server knows nothing of ALPN, and leaves', async () => {
    const server = nodeTls.createServer(identity, (socket) => {
      socket.on('error', () => undefined).resume();
      socket.end();
    });
    servers.push(server);
    const port = await listen(server);
    await expectSame((make) => make(urlOf(port), trusting));
  });

  test('when the server knows nothing of ALPN, answers in another protocol, and leaves', async () => {
    const server = nodeTls.createServer(identity, (socket) => {
      socket.on('error', () => undefined).resume();
      socket.end('HTTP/1.1 503 Busy\r\n\r\n');
    });
    servers.push(server);
    const port = await listen(server);
    const { error } = await expectSame((make) => make(urlOf(port), trusting));
    expect(error).toMatchObject({ code: 'ERR_HTTP2_ERROR' });
  });

  test.each(['end', 'destroy'] as const)('when the server calls %s()', async (method) => {
    const server = nodeTls.createServer({ ...identity, ALPNProtocols: ['h2'] }, (socket) => {
      socket.on('error', () => undefined).once('data', () => socket[method]());
    });
    servers.push(server);
    const port = await listen(server);
    await expectSame((make) => make(urlOf(port), trusting));
  });

  test('when the server resets the connection', async () => {
    const server = tls.createServer({ ...identity, ALPNProtocols: ['h2'] }, (socket) => {
      socket.once('data', () => socket.resetAndDestroy());
    });
    servers.push(server);
    const port = await listen(server);
    const { error } = await expectSame((make) => make(urlOf(port), trusting));
    expect(error).toMatchObject({ code: 'ECONNRESET' });
  });

  test('when the server destroys the session', async () => {
    const port = await serving();
    servers[0]?.on('session', (session: nodeHttp2.ServerHttp2Session) => session.destroy());
    await expectSame((make) => make(urlOf(port), trusting));
  });
});

const descriptors = (): number => readdirSync('/proc/self/fd').length;

/** When those that are just being closed are closed. */
async function settledDescriptors(): Promise<number> {
  for (let known = -1; ;) {
    const count = descriptors();
    if (count === known) return count;
    known = count;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

describe('whoever destroys a session', () => {
  const STAGES: [string, (session: Session, end: () => void) => void][] = [
    ['at once', (_, end) => end()],
    ['soon', (_, end) => setImmediate(end)],
    ['when it is connected', (session, end) => session.socket.once('connect', end)],
    ['after the handshake', (session, end) => session.socket.once('secureConnect', end)],
    ['when it is there', (session, end) => session.once('connect', end)],
    ['when the server has told its settings', (session, end) => session.once('remoteSettings', end)],
  ];

  test.each(STAGES)('%s, is told of the end as by node:http2', async (_, when) => {
    const port = await serving();
    await expectSame((make) => {
      const session = make(urlOf(port), trusting);
      when(session, () => session.destroy());
      return session;
    });
  });

  test.each(STAGES)('%s, with an error, too', async (_, when) => {
    const port = await serving();
    const { error } = await expectSame((make) => {
      const session = make(urlOf(port), trusting);
      when(session, () => session.destroy(Object.assign(new Error('enough'), { code: 'ENOUGH' })));
      return session;
    });
    expect(error).toMatchObject({ code: 'ENOUGH' });
  });

  test.each(STAGES)('%s, by a signal, too', async (_, when) => {
    const port = await serving();
    const { error } = await expectSame((make) => {
      const controller = new AbortController();
      const session = make(urlOf(port), { ...trusting, signal: controller.signal });
      when(session, () => {
        controller.abort();
      });
      return session;
    });
    expect(error).toMatchObject({ code: 'ABORT_ERR' });
  });

  test('leaves no descriptor', async () => {
    const endAtEachStage = async (): Promise<void> => {
      const port = await serving();
      for (const [, when] of STAGES) {
        for (const threads of [0, 1]) {
          const session = connect(urlOf(port), { ...trusting, threads });
          when(session, () => session.destroy());
          await outcomeOf(session);
        }
      }
      await close(servers.pop() as net.Server);
      await whenNoneIsLeft();
    };
    await endAtEachStage();
    const before = await settledDescriptors();
    await endAtEachStage();
    expect(await settledDescriptors()).toBe(before);
  });

  test('by the end of its thread, leaves no descriptor', async () => {
    const accepted: net.Socket[] = [];
    const port = await raw((socket) => accepted.push(socket));
    const code = `
      const { connect } = require('./dist/http2.js');
      const { parentPort, workerData } = require('node:worker_threads');
      let left = 10;
      for (let i = left; i > 0; --i) {
        const session = connect(workerData, { host: '127.0.0.1' });
        session.on('error', () => undefined);
        session.socket.once('connect', () => --left || parentPort.postMessage('connected'));
      }`;
    const endThread = async (): Promise<void> => {
      const worker = new Worker(code, { eval: true, workerData: urlOf(port) });
      await once(worker, 'message');
      await worker.terminate();
      while (accepted.length < 10) await new Promise(setImmediate);
      for (const socket of accepted.splice(0)) socket.destroy();
      while ((await countOf(servers[0] as net.Server)) > 0) await new Promise(setImmediate);
    };
    await endThread();
    const before = await settledDescriptors();
    await endThread();
    expect(await settledDescriptors()).toBe(before);
  });
});

describe('wrong options are refused as by node:http2:', () => {
  test.each<[string, unknown[]]>([
    ['a text that is no address', ['nowhere']],
    ['no address', [1]],
    ['another protocol', ['ftp://localhost']],
    ['options that are none', ['https://localhost', 1]],
    ['no options', ['https://localhost', null]],
    ['settings that are none', ['https://localhost', { settings: 1 }]],
    ['too many frames', ['https://localhost', { maxSessionInvalidFrames: -1 }]],
    ['too many streams', ['https://localhost', { maxSessionRejectedStreams: 'x' }]],
    ['settings of others that are none', ['https://localhost', { remoteCustomSettings: 1 }]],
    ['a port beyond all', ['https://localhost', { port: 70_000 }]],
    ['a context that is none', ['https://localhost', { secureContext: 1 }]],
    [
      'a function that throws',
      [
        'https://localhost',
        {
          createConnection() {
            throw Object.assign(new Error('no'), { code: 'ENO' });
          },
        },
      ],
    ],
  ])('%s', (_, args) => {
    const call = (make: Connect) => (): unknown => make(...(args as Parameters<Connect>));
    const code = codeOf(call(connect));
    expect(code).toBe(codeOf(call(nodeHttp2.connect as Connect)));
    expect(code).toBeDefined();
  });
});
