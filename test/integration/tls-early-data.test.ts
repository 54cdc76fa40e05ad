// Early data of TLS 1.3, between our clients and servers.
import { createPublicKey, sign } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import * as net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createRemoteKey, stats } from '../../lib';
import * as http2 from '../../lib/tls/http2';
import * as https from '../../lib/tls/https';
import {
  createServer,
  undiciConnector,
  type ConnectionOptions,
  type HandshakeMessage,
  type Server,
  type TLSSocket,
  type TlsOptions,
  type UndiciConnectorOptions,
} from '../../lib/tls/tls';
import { dial, Proxy, sessionOf, textOf } from '../support/early-data';
import { testWithJobs } from '../support/jobs';
import { close, listen, selfSigned } from '../support/tls';

const identity = selfSigned('localhost');
const ed25519 = selfSigned('localhost', 'ed25519');

interface Heard {
  wasEarly: boolean;
  text: string;
  error?: string;
}

const isEarly = (socket: unknown): boolean => (socket as TLSSocket).isEarlyData;

/** A server that repeats what it hears, and ends at a full stop. */
function repeating(options: TlsOptions = {}): { server: Server; sockets: Heard[] } {
  const sockets: Heard[] = [];
  const server = createServer({ ...identity, maxEarlyData: 16384, ...options }, (socket) => {
    const heard: Heard = { wasEarly: isEarly(socket), text: '' };
    sockets.push(heard);
    socket.on('error', ({ code }: NodeJS.ErrnoException) => (heard.error = code));
    socket.on('data', (bytes: Buffer) => {
      heard.text += bytes.toString();
      socket.write(bytes);
      if (heard.text.endsWith('.')) socket.end();
    });
  });
  return { server, sockets };
}

/** A client that verifies servers, and knows this one; or that does neither. */
const trusted = (verifies: boolean): ConnectionOptions =>
  verifies ? { servername: 'localhost', ca: identity.cert, rejectUnauthorized: true } : { servername: 'localhost' };

const earlyData = (): { accepted: number; refused: number } => stats().tls.earlyData;

let proxy: Proxy | undefined;
afterEach(() => {
  proxy?.close();
  proxy = undefined;
});

/** Through a proxy that keeps the end of handshakes back. */
async function proxied(port: number): Promise<number> {
  proxy = new Proxy(port);
  return await proxy.listen();
}

describe.each([
  ['on the event loop', { threads: 0 }],
  ['on a thread', { threads: 1, maxInlineMicros: 0 }],
  ['on a thread, as their records', { threads: 1, maxInlineMicros: 0, records: 'threads' }],
] as const)('handshakes that run %s', (_, place) => {
  test('early data is read and answered before the handshake is done', async () => {
    const { server, sockets } = repeating(place);
    const port = await listen(server);
    const [session] = await Promise.all([sessionOf(port), once(server, 'secureConnection')]);
    const before = stats().tls;
    const client = dial(await proxied(port), { session, earlyData: 'early', threads: place.threads });
    const [answer] = (await once(client, 'data')) as [Buffer];
    expect(answer.toString()).toBe('early');
    expect(client.earlyDataAccepted).toBe(true);
    expect(stats().tls.handshakes).toEqual(before.handshakes);
    proxy?.release();
    client.end(' and late.');
    expect(await textOf(client)).toBe(' and late.');
    expect(sockets[1]).toEqual({ wasEarly: true, text: 'early and late.' });
    const { earlyData: taken, clients, handshakes, resumed } = stats().tls;
    expect(taken.accepted - before.earlyData.accepted).toBe(1);
    expect(clients.earlyData.accepted - before.clients.earlyData.accepted).toBe(1);
    expect(resumed - before.resumed).toBe(1);
    expect(handshakes.loop + handshakes.thread - before.handshakes.loop - before.handshakes.thread).toBe(1);
    await close(server);
  });

  test('an answer that is larger than what the socket takes is sent to its end', async () => {
    const PORTION = Buffer.alloc(200_000);
    const portions = 60;
    const server = createServer({ ...identity, maxEarlyData: 16384, ...place }, (socket) => {
      const write = (left: number): void => {
        if (left === 0) socket.end();
        else
          socket.write(PORTION, () => {
            write(left - 1);
          });
      };
      socket.once('data', () => {
        write(portions);
      });
    });
    const port = await listen(server);
    const session = await sessionOf(port);
    const client = dial(port, { session, earlyData: 'all of it' });
    let received = 0;
    client.on('data', (bytes: Buffer) => (received += bytes.length));
    await once(client, 'end');
    expect([client.earlyDataAccepted, received]).toEqual([true, portions * PORTION.length]);
    await close(server);
  });

  test('large early data that is refused is skipped, and sent again', async () => {
    const maxEarlyData = 1 << 22;
    const server = createServer({ ...identity, ...place, maxEarlyData, allowHalfOpen: true }, (socket) => {
      let received = 0;
      socket.on('data', (bytes: Buffer) => (received += bytes.length));
      socket.on('end', () => socket.end(String(received)));
    });
    const port = await listen(server);
    const session = await sessionOf(port);
    for (const accepted of [true, false]) {
      const client = dial(port, { session, earlyData: Buffer.alloc(maxEarlyData) });
      client.end();
      expect([await textOf(client), client.earlyDataAccepted]).toEqual([String(maxEarlyData), accepted]);
    }
    await close(server);
  });

  test('a recorded hello is resumed, and its early data refused', async () => {
    const { server, sockets } = repeating(place);
    const port = await listen(server);
    const session = await sessionOf(port);
    const client = dial(await proxied(port), { session, earlyData: 'pay.' });
    await once(client, 'data');
    proxy?.release();
    await textOf(client);
    const before = earlyData();
    const replay = net.connect(port, '127.0.0.1').on('error', () => undefined);
    replay.write(proxy?.first ?? Buffer.alloc(0));
    await once(replay, 'data'); // the server's part of the handshake
    replay.end();
    await textOf(replay);
    expect(earlyData()).toEqual({ accepted: before.accepted, refused: before.refused + 1 });
    expect(sockets.map(({ text }) => text)).toEqual(['', 'pay.']);
    // The ticket is used up for its owner, too.
    const again = dial(port, { session, earlyData: 'again.' });
    await once(again, 'secureConnect');
    expect([again.isSessionReused(), again.earlyDataAccepted]).toEqual([true, false]);
    expect(await textOf(again)).toBe('again.');
    expect(sockets[2]).toEqual({ wasEarly: false, text: 'again.' });
    expect(earlyData()).toEqual({ accepted: before.accepted, refused: before.refused + 2 });
    await close(server);
  });

  test('the handshake has its time limit', async () => {
    const { server, sockets } = repeating({ ...place, handshakeTimeout: 500 });
    const port = await listen(server);
    const session = await sessionOf(port);
    const client = dial(await proxied(port), { session, earlyData: 'early' });
    client.on('error', () => undefined);
    await once(client, 'data');
    await once(client, 'close');
    expect(sockets[1]).toEqual({ wasEarly: true, text: 'early', error: 'ERR_TLS_HANDSHAKE_TIMEOUT' });
    await close(server);
  });

  test('a client that leaves before the end of its handshake is told of as an error', async () => {
    const { server, sockets } = repeating(place);
    const port = await listen(server);
    const session = await sessionOf(port);
    const client = dial(await proxied(port), { session, earlyData: 'early' });
    client.on('error', () => undefined);
    await once(client, 'data');
    proxy?.close();
    await close(server);
    expect(sockets[1]).toEqual({ wasEarly: true, text: 'early', error: 'ECONNRESET' });
  });
});

testWithJobs('a key that pauses is no obstacle', async () => {
  const key = createRemoteKey({
    publicKey: createPublicKey(ed25519.cert),
    sign: ({ data }) => sign(null, data ?? Buffer.alloc(0), ed25519.key),
  });
  const { server, sockets } = repeating({ cert: ed25519.cert, key });
  const port = await listen(server);
  const session = await sessionOf(port);
  const client = dial(port, { session, earlyData: 'early.' });
  expect(await textOf(client)).toBe('early.');
  expect(sockets[1]).toEqual({ wasEarly: true, text: 'early.' });
  await close(server);
});

test('nothing is taken by default', async () => {
  const { server, sockets } = repeating({ maxEarlyData: 0 });
  const port = await listen(server);
  const session = await sessionOf(port);
  const client = dial(port, { session, earlyData: 'early.' });
  await once(client, 'secureConnect');
  expect([client.isSessionReused(), client.earlyDataAccepted]).toEqual([true, false]);
  expect(await textOf(client)).toBe('early.');
  expect(sockets[1]?.wasEarly).toBe(false);
  await close(server);
});

test('another server with the same ticket keys resumes the session, and refuses early data', async () => {
  const ticketKeys = Buffer.alloc(48, 7);
  const [one, two] = [repeating({ ticketKeys }), repeating({ ticketKeys })];
  const [first, second] = [await listen(one.server), await listen(two.server)];
  const session = await sessionOf(first);
  await sessionOf(second);
  const client = dial(second, { session, earlyData: 'early.' });
  await once(client, 'secureConnect');
  expect([client.isSessionReused(), client.earlyDataAccepted]).toEqual([true, false]);
  expect(await textOf(client)).toBe('early.');
  expect(two.sockets[1]).toEqual({ wasEarly: false, text: 'early.' });
  // The ticket was not used up.
  const back = dial(first, { session, earlyData: 'back.' });
  await once(back, 'secureConnect');
  expect(back.earlyDataAccepted).toBe(true);
  await textOf(back);
  await Promise.all([close(one.server), close(two.server)]);
});

test('a client sends no more early data than the session allows, and the rest later', async () => {
  const { server, sockets } = repeating({ maxEarlyData: 100 });
  const port = await listen(server);
  const session = await sessionOf(port);
  const client = dial(port, { session, earlyData: `${'x'.repeat(100)}.` });
  await once(client, 'secureConnect');
  expect([client.isSessionReused(), client.earlyDataAccepted]).toEqual([true, false]);
  await textOf(client);
  expect(sockets[1]).toEqual({ wasEarly: false, text: `${'x'.repeat(100)}.` });
  await close(server);
});

// OpenSSL 3.2 and later have a clock that runs some milliseconds before that of time().
test('the second in which a session was given may have begun just now', async () => {
  const { server } = repeating();
  const port = await listen(server);
  const accepted: (boolean | undefined)[] = [];
  for (let turn = 0; turn < 3; ++turn) {
    await delay((1980 - (Date.now() % 1000)) % 1000); // to 20 ms before the turn of a second
    for (const end = Date.now() + 40; Date.now() < end;) {
      const client = dial(port, { session: await sessionOf(port), earlyData: 'early.' });
      await textOf(client);
      accepted.push(client.earlyDataAccepted);
    }
  }
  expect(new Set(accepted)).toEqual(new Set([true]));
  await close(server);
});

test('a client sends none for another protocol than that of the session', async () => {
  const { server, sockets } = repeating({ ALPNProtocols: ['one', 'two'] });
  const port = await listen(server);
  const session = await sessionOf(port, { ALPNProtocols: ['two'] });
  for (const ALPNProtocols of [['one'], undefined, ['two']]) {
    const client = dial(port, { session, earlyData: 'early.', ...(ALPNProtocols && { ALPNProtocols }) });
    expect(await textOf(client)).toBe('early.');
    expect(client.earlyDataAccepted).toBe(ALPNProtocols?.[0] === 'two');
  }
  expect(sockets.map(({ wasEarly }) => wasEarly)).toEqual([false, false, false, true]);
  await close(server);
});

test('a client that verifies servers sends none for a session of one that it has not verified', async () => {
  const { server, sockets } = repeating();
  const port = await listen(server);
  const [unverified, verified] = [await sessionOf(port, trusted(false)), await sessionOf(port, trusted(true))];
  const refused = dial(port, { ...trusted(true), session: unverified, earlyData: 'secret.' });
  const error = await new Promise((resolve) => refused.once('error', resolve));
  expect(error).toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  const careless = dial(port, { ...trusted(false), session: unverified, earlyData: 'careless.' });
  expect(await textOf(careless)).toBe('careless.');
  const client = dial(port, { ...trusted(true), session: verified, earlyData: 'early.' });
  expect(await textOf(client)).toBe('early.');
  await close(server);
  const heard = sockets.map(({ wasEarly, text }) => `${text} ${String(wasEarly)}`);
  expect(heard.filter((each) => each.length > 6)).toEqual(['careless. true', 'early. true']);
});

test('100 000 bytes of early data arrive though nobody reads them', async () => {
  const accepted: TLSSocket[] = [];
  const server = createServer({ ...identity, maxEarlyData: 2 ** 17 }, (socket) => {
    accepted.push(socket as unknown as TLSSocket);
  });
  const port = await listen(server);
  const session = await sessionOf(port);
  const client = dial(port, { session, earlyData: Buffer.alloc(100_000) });
  await once(client, 'secureConnect');
  const socket = accepted[1] as TLSSocket;
  await socket.handshakeComplete();
  expect(client.earlyDataAccepted).toBe(true);
  client.end();
  expect((await textOf(socket)).length).toBe(100_000);
  socket.end();
  await close(server);
});

test('the end of an answer waits for the end of the handshake', async () => {
  const server = createServer({ ...identity, maxEarlyData: 100 }, (socket) => socket.resume().end('answer'));
  const port = await listen(server);
  const session = await sessionOf(port);
  const client = dial(await proxied(port), { session, earlyData: 'early' });
  const [answer] = (await once(client, 'data')) as [Buffer];
  expect(answer.toString()).toBe('answer');
  const ended = jest.fn();
  client.on('end', ended);
  await new Promise(setImmediate);
  expect(ended).not.toHaveBeenCalled();
  proxy?.release();
  await once(client, 'close');
  expect(ended).toHaveBeenCalled();
  await close(server);
});

test('handshakeComplete() tells when nothing is a replay any more', async () => {
  const told: string[] = [];
  const server = createServer({ ...identity, maxEarlyData: 100 }, (plain) => {
    const socket = plain as unknown as TLSSocket;
    socket.on('error', () => undefined);
    socket.on('secure', () => told.push('secure'));
    told.push(`${String(socket.isEarlyData)} ${String(socket.secureConnecting)} ${typeof socket.handshake}`);
    socket.handshakeComplete().then(
      () => told.push(`${String(socket.isEarlyData)} ${String(socket.handshake?.resumed)}`),
      (error: unknown) => told.push(String((error as NodeJS.ErrnoException).code)),
    );
    socket.resume().write('heard');
  });
  const port = await listen(server);
  const first = dial(port);
  const [session] = (await once(first, 'session')) as [Buffer];
  const client = dial(await proxied(port), { session, earlyData: 'early' });
  await once(client, 'data');
  expect(told.splice(0)).toEqual(['false false object', 'secure', 'false false', 'true true undefined']);
  const latest = once(client, 'session') as Promise<[Buffer]>;
  proxy?.release();
  const broken = dial(await proxied(port), { session: (await latest)[0], earlyData: 'early' });
  expect(told.splice(0)).toEqual(['secure', 'false true']);
  await once(broken, 'data');
  broken.destroy();
  proxy?.close();
  first.destroy();
  client.destroy();
  await close(server);
  expect(told).toEqual(['true true undefined', 'ECONNRESET']);
});

test('handshakeComplete() gives one promise, and still resolves after the end of the connection', async () => {
  const server = createServer({ ...identity, maxEarlyData: 100 });
  const port = await listen(server);
  const [session] = await Promise.all([sessionOf(port), once(server, 'secureConnection')]);
  const opened = once(server, 'secureConnection') as Promise<[unknown]>;
  const client = dial(await proxied(port), { session, earlyData: 'early' });
  const socket = (await opened)[0] as TLSSocket;
  const closeListeners = socket.listenerCount('close');
  const promises = Array.from({ length: 20 }, () => socket.handshakeComplete());
  expect(new Set(promises).size).toBe(1);
  expect(socket.listenerCount('close')).toBe(closeListeners + 1);
  proxy?.release();
  await promises[0];
  expect(socket.listenerCount('close')).toBe(closeListeners);
  client.end();
  socket.resume().end();
  await once(socket, 'close');
  await socket.handshakeComplete();
  await close(server);
});

test('handshakeComplete() resolves when first asked after a normal end', async () => {
  const server = createServer(identity, (socket) => socket.resume().end());
  const port = await listen(server);
  const opened = once(server, 'secureConnection') as Promise<[unknown]>;
  const client = dial(port).resume();
  const socket = (await opened)[0] as TLSSocket;
  client.end();
  await Promise.all([once(client, 'close'), once(socket, 'close')]);
  await Promise.all([client.handshakeComplete(), socket.handshakeComplete()]);
  await close(server);
});

test('handshakeComplete() rejects for a server that is not welcome', async () => {
  const server = createServer(identity);
  const port = await listen(server);
  const client = dial(port, { rejectUnauthorized: true });
  client.on('error', () => undefined);
  const code = 'DEPTH_ZERO_SELF_SIGNED_CERT';
  await expect(client.handshakeComplete()).rejects.toMatchObject({ code });
  const late = dial(port, { rejectUnauthorized: true });
  await new Promise((resolve) => late.once('error', resolve));
  await expect(late.handshakeComplete()).rejects.toMatchObject({ code });
  await close(server);
});

test('the channels of handshakes tell of its end', async () => {
  const ends: string[] = [];
  const hear = (message: unknown): void => {
    const { handshake, error } = message as HandshakeMessage;
    ends.push(error === undefined ? `resumed: ${String(handshake?.resumed)}` : (error as { code: string }).code);
  };
  const channel = 'openssl-async:tls:handshake:asyncEnd';
  subscribe(channel, hear);
  const { server } = repeating();
  const port = await listen(server);
  const early = dial(port, { session: await sessionOf(port), earlyData: 'early.' });
  await textOf(early);
  const broken = dial(await proxied(port), { session: await sessionOf(port), earlyData: 'early' });
  broken.on('error', () => undefined);
  await once(broken, 'data');
  const told = ends.splice(0);
  proxy?.close();
  await close(server);
  unsubscribe(channel, hear);
  // Clients tell, too.
  expect(told.sort()).toEqual([...Array<string>(4).fill('resumed: false'), ...Array<string>(3).fill('resumed: true')]);
  expect(ends).toEqual(['ECONNRESET']);
});

test('sessions are told of when the handshake is done', async () => {
  const { server } = repeating();
  const told: Buffer[] = [];
  server.on('newSession', (id: Buffer, session: Buffer, done: () => void) => {
    told.push(session);
    done();
  });
  const port = await listen(server);
  const session = await sessionOf(port);
  told.splice(0);
  const client = dial(await proxied(port), { session, earlyData: 'early' });
  await once(client, 'data');
  expect(told).toHaveLength(0);
  const latest = once(client, 'session') as Promise<[Buffer]>;
  proxy?.release();
  await latest;
  expect(told).toHaveLength(1);
  client.end('.');
  await textOf(client);
  await close(server);
});

const invalidValue = expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }) as Error;

// Their first bytes are the request, or the preface of HTTP/2.
test('clients that do not know what is sent first refuse early data', () => {
  const given = { earlyData: 'GET / HTTP/1.1\r\n\r\n' };
  const agent = new https.Agent(given as https.AgentOptions);
  expect(() => https.get('https://localhost:1', given as object)).toThrow(invalidValue);
  expect(() => https.get('https://localhost:1', { agent })).toThrow(invalidValue);
  expect(() => undiciConnector(given as UndiciConnectorOptions)).toThrow(invalidValue);
  expect(() => http2.connect('https://localhost:1', given as http2.Http2ConnectOptions)).toThrow(invalidValue);
});

test('wrong values are refused', () => {
  expect(() => createServer({ maxEarlyData: -1 })).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }));
  expect(() => dial(1, { earlyData: 1 as unknown as string })).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
  );
  for (const ALPNProtocols of [['a', 'b'], Buffer.from('\x01a\x01b')]) {
    expect(() => dial(1, { earlyData: 'x', ALPNProtocols })).toThrow(invalidValue);
  }
});
