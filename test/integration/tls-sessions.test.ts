// Sessions that the user of a server keeps: 'newSession' and 'resumeSession'.
import { constants, randomBytes, createPublicKey, sign as signInNode } from 'node:crypto';
import { once } from 'node:events';
import * as nodeTls from 'node:tls';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { createRemoteKey, stats } from '../../lib';
import { createServer, type Server, type TLSSocket, type TlsOptions } from '../../lib/tls/tls';
import { testWithJobs } from '../support/jobs';
import { close, connectTo, listen, read, selfSigned } from '../support/tls';
import { all, clientOver, endStreams, serve } from '../support/tls-over-streams';
import { pipedPair } from '../support/piped-pair';

const identity = selfSigned('localhost', 'rsa');
const other = selfSigned('other.test', 'rsa');

const withoutTickets = { secureOptions: constants.SSL_OP_NO_TICKET };
const TLS_1_2 = { ...withoutTickets, maxVersion: 'TLSv1.2' } as const;
const TLS_1_3 = { ...withoutTickets, minVersion: 'TLSv1.3' } as const;

type Keep = () => void;

/** A server whose sessions are kept, and its sessions by id. */
function keeping(options: TlsOptions = {}): { server: Server; store: Map<string, Buffer>; asked: string[] } {
  const store = new Map<string, Buffer>();
  const asked: string[] = [];
  const server = createServer({ ...identity, ...options }, (socket) => socket.end('served'));
  server.on('newSession', (id: Buffer, session: Buffer, done: Keep) => {
    store.set(id.toString('hex'), session);
    done();
  });
  server.on('resumeSession', (id: Buffer, done: (error: null, session: Buffer | null) => void) => {
    asked.push(id.toString('hex'));
    void setImmediate(store.get(id.toString('hex')) ?? null).then((session) => {
      done(null, session);
    });
  });
  return { server, store, asked };
}

interface Visit {
  session: Buffer | undefined;
  reused: boolean;
  text: string;
}

async function visit(port: number, options: nodeTls.ConnectionOptions = {}): Promise<Visit> {
  const client = await connectTo(port, options);
  let session: Buffer | undefined = client.getSession();
  client.on('session', (latest: Buffer) => (session = latest));
  const reused = client.isSessionReused();
  const text = (await read(client)).toString();
  return { session, reused, text };
}

const whenClosed = (client: nodeTls.TLSSocket): Promise<void> =>
  new Promise((resolve) => {
    client
      .on('error', () => undefined)
      .on('close', () => {
        resolve();
      });
  });

afterEach(endStreams);

describe.each([
  ['TLS 1.2', TLS_1_2, 1],
  ['TLS 1.3', TLS_1_3, 2],
] as const)('%s without tickets', (_, version, sessionsPerHandshake) => {
  test.each([0, 1])('a session is kept, and resumed; %i threads', async (threads) => {
    const { server, store, asked } = keeping({ ...version, threads, maxInlineMicros: 0 });
    const port = await listen(server);
    const first = await visit(port);
    expect(first).toMatchObject({ reused: false, text: 'served' });
    expect(store.size).toBe(sessionsPerHandshake);
    for (const [id, session] of store) {
      expect([id.length, Buffer.isBuffer(session), session.length > 100]).toEqual([64, true, true]);
    }
    asked.splice(0);
    const again = await visit(port, { session: first.session });
    expect(again).toMatchObject({ reused: true, text: 'served' });
    expect(asked).toHaveLength(1);
    expect(store.has(asked[0] as string)).toBe(true);
    await close(server);
    expect(stats().tls.connections).toBe(0);
  });

  test('another server that is given the session resumes it', async () => {
    const one = keeping(version);
    const two = keeping(version);
    const { session } = await visit(await listen(one.server));
    for (const [id, kept] of one.store) two.store.set(id, kept);
    expect((await visit(await listen(two.server), { session })).reused).toBe(true);
    await Promise.all([close(one.server), close(two.server)]);
  });

  test.each([
    ['nothing', null],
    ['bytes that are no session', randomBytes(300)],
    ['an empty buffer', Buffer.alloc(0)],
    ['a text', 'session'],
  ])('%s in place of the session: a whole handshake', async (__, answer) => {
    const { server } = keeping(version);
    const port = await listen(server);
    const { session } = await visit(port);
    server.removeAllListeners('resumeSession');
    server.on('resumeSession', (___: Buffer, done: (error: null, given: unknown) => void) => {
      done(null, answer);
    });
    expect(await visit(port, { session })).toMatchObject({ reused: false, text: 'served' });
    await close(server);
  });

  test('the session of another client is not taken', async () => {
    const { server, store } = keeping(version);
    const port = await listen(server);
    const { session: mine } = await visit(port);
    await visit(port);
    const others = [...store.values()];
    server.removeAllListeners('resumeSession');
    server.on('resumeSession', (__: Buffer, done: (error: null, given: unknown) => void) => {
      done(null, others[others.length - 1]);
    });
    // Its secret is another one: there is no common key.
    const outcome = await visit(port, { session: mine }).catch((error: unknown) => (error as { code: string }).code);
    expect(outcome).toMatch(/^ERR_SSL_/);
    await close(server);
  });

  test('a session of one name is not resumed under another one', async () => {
    const { server } = keeping(version);
    server.addContext('other.test', { ...other, ...version });
    const port = await listen(server);
    const { session } = await visit(port, { servername: 'localhost' });
    expect((await visit(port, { servername: 'other.test', session })).reused).toBe(false);
    expect((await visit(port, { servername: 'localhost', session })).reused).toBe(true);
    await close(server);
  });

  test('a session of a server that asks for no certificate is not resumed by one that does', async () => {
    const lax = keeping(version);
    const strict = keeping({ ...version, requestCert: true, rejectUnauthorized: false, ca: identity.cert });
    const { session } = await visit(await listen(lax.server));
    for (const [id, kept] of lax.store) strict.store.set(id, kept);
    expect((await visit(await listen(strict.server), { session })).reused).toBe(false);
    await Promise.all([close(lax.server), close(strict.server)]);
  });

  test('an error of a listener ends the handshake', async () => {
    const { server } = keeping(version);
    server.removeAllListeners('resumeSession');
    const refusal = new Error('the store is down');
    server.on('resumeSession', (__: Buffer, done: (error: Error) => void) => {
      done(refusal);
    });
    const failed = once(server, 'tlsClientError');
    await expect(connectTo(await listen(server))).rejects.toThrow();
    expect((await failed)[0]).toBe(refusal);
    await close(server);
  });

  test('a second answer ends the handshake', async () => {
    const { server } = keeping(version);
    server.removeAllListeners('resumeSession');
    server.on('resumeSession', (__: Buffer, done: (error: null, session: null) => void) => {
      done(null, null);
      done(null, null);
    });
    const failed = once(server, 'tlsClientError') as Promise<[Error & { code: string }]>;
    const client = nodeTls.connect({ port: await listen(server), host: '127.0.0.1', rejectUnauthorized: false });
    const closed = whenClosed(client);
    expect((await failed)[0].code).toBe('ERR_MULTIPLE_CALLBACK');
    await closed;
    await close(server);
  });

  test('nothing is sent before the session is kept, however often a callback is called', async () => {
    const server = createServer({ ...identity, ...version }, (socket) => socket.end('served'));
    const kept: Keep[] = [];
    server.on('newSession', (__: Buffer, ___: Buffer, done: Keep) => {
      kept.push(done);
    });
    const port = await listen(server);
    const client = nodeTls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    const chunks: Buffer[] = [];
    client.on('data', (chunk: Buffer) => chunks.push(chunk));
    let sessions = 0;
    client.on('session', () => ++sessions);
    while (kept.length < sessionsPerHandshake) await setImmediate();
    for (let i = 0; i < 3; ++i) kept[0]?.();
    if (sessionsPerHandshake > 1) {
      await setTimeout(50);
      expect([chunks.length, sessions]).toEqual([0, 0]);
    }
    for (const done of kept) done();
    await once(client, 'end');
    expect(Buffer.concat(chunks).toString()).toBe('served');
    expect(sessions).toBe(sessionsPerHandshake);
    await close(server);
  });

  test('a client that leaves meanwhile takes its connection along', async () => {
    const server = createServer({ ...identity, ...version });
    const kept: Keep[] = [];
    const sockets: TLSSocket[] = [];
    server.on('secureConnection', (socket) => sockets.push(socket.on('error', () => undefined).resume() as never));
    server.on('tlsClientError', () => undefined);
    server.on('newSession', (__: Buffer, ___: Buffer, done: Keep) => {
      kept.push(done);
    });
    const port = await listen(server);
    const client = nodeTls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    client.on('error', () => undefined);
    while (kept.length < sessionsPerHandshake) await setImmediate();
    client.destroy();
    for (const socket of sockets) socket.end();
    if (sessionsPerHandshake === 1) {
      await once(server, 'tlsClientError');
      expect(stats().tls.connections).toBe(0);
    }
    for (const done of kept) done();
    await close(server);
    expect(stats().tls.connections).toBe(0);
  });

  test('a connection that is destroyed by the listener is gone', async () => {
    const server = createServer({ ...identity, ...version });
    const secured: TLSSocket[] = [];
    server.on('secureConnection', (socket) => secured.push(socket as never));
    const early = once(server, 'connection') as Promise<[TLSSocket]>;
    const told = once(server, 'newSession') as Promise<[Buffer, Buffer, Keep]>;
    const port = await listen(server);
    const client = nodeTls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    const closed = whenClosed(client);
    const [socket] = await early;
    const [, , done] = await told;
    socket.destroy();
    done();
    await closed;
    expect(secured).toHaveLength(sessionsPerHandshake - 1);
    await close(server);
  });

  testWithJobs('a handshake in a job keeps sessions, too', async () => {
    const ed25519 = selfSigned('localhost', 'ed25519');
    const key = createRemoteKey({
      publicKey: createPublicKey(ed25519.cert),
      sign: ({ data }) => signInNode(null, data ?? Buffer.alloc(0), ed25519.key),
    });
    const { server, store } = keeping({ ...version, cert: ed25519.cert, key });
    const port = await listen(server);
    const { session } = await visit(port);
    expect(store.size).toBe(sessionsPerHandshake);
    expect(await visit(port, { session })).toMatchObject({ reused: true, text: 'served' });
    await close(server);
  });

  test('a server over streams keeps and finds sessions', async () => {
    const { server, store } = keeping(version);
    const visitOver = async (session?: Buffer): Promise<[boolean, string, Buffer | undefined]> => {
      const [near, far] = pipedPair();
      serve(server, far);
      const client = clientOver(near, session === undefined ? {} : { session });
      let latest: Buffer | undefined;
      client.on('session', (each: Buffer) => (latest = each));
      const text = (await all(client)).toString();
      return [client.isSessionReused(), text, latest];
    };
    const [, text, session] = await visitOver();
    expect([text, store.size]).toEqual(['served', sessionsPerHandshake]);
    expect((await visitOver(session)).slice(0, 2)).toEqual([true, 'served']);
  });
});

test('before TLS 1.3, the handshake ends only when the session is kept', async () => {
  const server = createServer({ ...identity, ...TLS_1_2, handshakeTimeout: 300 });
  let secured = 0;
  server.on('secureConnection', () => ++secured);
  server.on('newSession', () => undefined); // for good
  const failed = once(server, 'tlsClientError') as Promise<[Error & { code: string }]>;
  const port = await listen(server);
  await expect(connectTo(port)).rejects.toThrow();
  expect((await failed)[0].code).toBe('ERR_TLS_HANDSHAKE_TIMEOUT');
  expect(secured).toBe(0);
  await close(server);
});

test("TLS 1.3 does not hold 'secureConnection', but what the listener writes", async () => {
  const order: string[] = [];
  const server = createServer({ ...identity, minVersion: 'TLSv1.3' }, (socket) => {
    order.push('secureConnection');
    socket.write(Buffer.alloc(300_000, 'a'), () => order.push('written'));
    socket.end('z');
  });
  server.on('newSession', (_: Buffer, __: Buffer, done: Keep) => {
    order.push('newSession');
    globalThis.setTimeout(() => {
      order.push('kept');
      done();
    }, 20);
  });
  const text = (await read(await connectTo(await listen(server)))).toString();
  expect([text.length, text.endsWith('z')]).toEqual([300_001, true]);
  expect(order).toEqual(['secureConnection', 'newSession', 'newSession', 'kept', 'kept', 'written']);
  await close(server);
});

test('clients with tickets are not asked about, and before TLS 1.3 have no session to keep', async () => {
  const { server, store, asked } = keeping({ maxVersion: 'TLSv1.2' });
  const port = await listen(server);
  const { session } = await visit(port);
  asked.splice(0);
  expect((await visit(port, { session })).reused).toBe(true);
  expect([asked, store.size]).toEqual([[], 0]);
  await close(server);
});

test('sessions cost nothing without a listener, and count from the first one on', async () => {
  const server = createServer({ ...identity, ...TLS_1_2 }, (socket) => socket.end('served'));
  const port = await listen(server);
  const before = stats().tls;
  await visit(port);
  expect(stats().tls.questions).toBe(before.questions);
  const told = once(server, 'newSession') as Promise<[Buffer, Buffer, Keep]>;
  const served = visit(port);
  (await told)[2]();
  expect((await served).text).toBe('served');
  // Nobody listens any more.
  expect((await visit(port)).text).toBe('served');
  await close(server);
});

test("events of a connection run in the connection's async context", async () => {
  const { AsyncLocalStorage } = await import('node:async_hooks');
  const storage = new AsyncLocalStorage<string>();
  const server = createServer({ ...identity, ...TLS_1_2 }, (socket) => socket.end(String(storage.getStore())));
  const seen: unknown[] = [];
  server.on('newSession', (_: Buffer, __: Buffer, done: Keep) => {
    seen.push(storage.getStore());
    done();
  });
  server.on('resumeSession', (_: Buffer, done: (error: null, session: null) => void) => {
    seen.push(storage.getStore());
    done(null, null);
  });
  const port = await storage.run('server', () => listen(server));
  await visit(port);
  expect(seen).toEqual(['server', 'server']);
  await close(server);
});

test('a hundred clients at once have their own sessions', async () => {
  const { server, store } = keeping({ ...TLS_1_2, maxInlineMicros: 0 });
  const port = await listen(server);
  const first = await Promise.all(Array.from({ length: 100 }, () => visit(port)));
  expect(store.size).toBe(100);
  const again = await Promise.all(first.map(({ session }) => visit(port, { session })));
  expect(again.filter(({ reused }) => reused)).toHaveLength(100);
  await close(server);
});
