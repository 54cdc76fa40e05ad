// Servers over streams that have no descriptor: node:tls's clients are at the other ends.
import * as crypto from 'node:crypto';
import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import * as nodeTls from 'node:tls';
import { createRemoteKey } from '../../lib';
import * as https from '../../lib/tls/https';
import { createSecureContext, createServer, type Server, type TLSSocket } from '../../lib/tls/tls';
import { testWithJobs } from '../support/jobs';
import { pipedPair } from '../support/piped-pair';
import { connectedPair, wrappedPair } from '../support/streams';
import { close, connectTo, listen, selfSigned } from '../support/tls';
import {
  identity,
  type Failure,
  serve,
  clientOver,
  secureOf,
  open,
  failureOf,
  all,
  endStreams,
} from '../support/tls-over-streams';

const rsa = selfSigned('rsa.test', 'rsa');

afterEach(endStreams);

const pairs: [string, () => Promise<[Duplex, Duplex]>][] = [
  ['a pair in memory', () => Promise.resolve(pipedPair())],
  ['wrapped sockets', wrappedPair],
];

describe.each(pairs)('over %s', (_, pair) => {
  test('a server of HTTPS answers', async () => {
    const server = https.createServer(identity, (request, response) => {
      const { handshake } = request.socket as unknown as TLSSocket;
      response.end(`${String(request.url)} ${String(handshake?.place)}`);
    });
    const [near, far] = await pair();
    serve(server, far);
    const client = clientOver(near);
    client.write('GET /path HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    expect((await all(client)).toString()).toMatch(/^HTTP\/1.1 200 OK[^]*\/path loop$/);
  });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('a megabyte goes both ways under %s', async (maxVersion) => {
    const { socket, client } = await open({ maxVersion }, await pair());
    expect(socket.getProtocol()).toBe(maxVersion);
    const [up, down] = [crypto.randomBytes(2 ** 20), crypto.randomBytes(2 ** 20 + 1)];
    client.end(up);
    socket.end(down);
    const [gotUp, gotDown] = await Promise.all([all(socket), all(client)]);
    expect([gotUp.equals(up), gotDown.equals(down)]).toEqual([true, true]);
    expect([socket.bytesRead, socket.bytesWritten]).toEqual([up.length, down.length]);
  });

  test('a connection that is half closed still carries answers', async () => {
    const { socket, client } = await open({ allowHalfOpen: true }, await pair());
    client.end('question');
    expect((await all(socket)).toString()).toBe('question');
    expect([socket.truncated, socket.writable]).toEqual([false, true]);
    socket.end('answer');
    expect((await all(client)).toString()).toBe('answer');
  });

  test('the server ends first, and still reads', async () => {
    const { socket, client } = await open({ allowHalfOpen: true }, await pair());
    socket.end('that is all');
    expect((await all(client)).toString()).toBe('that is all');
    client.end('thanks');
    expect((await all(socket)).toString()).toBe('thanks');
  });

  test('two hundred connections are served at once', async () => {
    const server = createServer(identity, (socket) => socket.pipe(socket));
    const answers = Array.from({ length: 200 }, async (__, number) => {
      const [near, far] = await pair();
      serve(server, far);
      const client = clientOver(near);
      const bytes = Buffer.alloc(10_000, `connection ${String(number)} `);
      client.end(bytes);
      return (await all(client)).equals(bytes);
    });
    expect(await Promise.all(answers)).toEqual(answers.map(() => true));
  });

  test('a client that comes by single bytes is understood', async () => {
    const [near, far] = await pair();
    const single = new Duplex({
      allowHalfOpen: true,
      read: () => far.resume(),
      write: (bytes: Buffer, __, callback) => far.write(bytes, callback),
      final: (callback) => far.end(callback),
    });
    far.on('data', (bytes: Buffer) => {
      for (let i = 0; i < bytes.length; ++i) single.push(bytes.subarray(i, i + 1));
    });
    far.on('end', () => single.push(null));
    const { socket, client } = await open({}, [near, single]);
    client.end('every byte');
    socket.end('all of them');
    expect((await all(socket)).toString()).toBe('every byte');
    expect((await all(client)).toString()).toBe('all of them');
  });

  test('the end of a socket is the end of its stream', async () => {
    const { socket, client, far, near } = await open({}, await pair());
    client.on('error', () => undefined);
    const closed = Promise.all([once(far, 'close'), once(near, 'close'), once(socket, 'close')]);
    socket.destroy();
    client.destroy();
    await closed;
    expect(far.destroyed).toBe(true);
  });

  test('the end of a stream is the end of its socket', async () => {
    const { socket, client, far } = await open({}, await pair());
    client.on('error', () => undefined);
    const closed = once(socket, 'close');
    far.destroy();
    await closed;
    expect(socket.errored).toBe(null);
    client.destroy();
  });
});

describe('TLS within TLS', () => {
  test.each([1, 0])('where both servers are ours, with threads: %i', async (threads) => {
    const inner = createServer({ ...rsa, threads }, (socket) => socket.pipe(socket));
    const outer = createServer({ ...identity, threads }, (socket) => {
      serve(inner, socket);
    });
    const port = await listen(outer);
    const client = clientOver(await connectTo(port), { servername: 'rsa.test' });
    const bytes = crypto.randomBytes(2 ** 20);
    client.end(bytes);
    await once(client, 'secureConnect');
    expect(client.getPeerX509Certificate()?.subject).toBe('CN=rsa.test');
    expect((await all(client)).equals(bytes)).toBe(true);
    await close(outer);
  });

  test("where the outer server is Node's, and where a server serves its own connections", async () => {
    let layers = 0;
    const inner: Server = createServer(rsa, (socket) => {
      if (++layers === 2) socket.end(`port ${String(socket.localPort)}`);
      else serve(inner, socket);
    });
    const outer = nodeTls.createServer(identity, (socket) => {
      serve(inner, socket);
    });
    const port = await listen(outer);
    const first = clientOver(await connectTo(port));
    const second = clientOver(first);
    expect((await all(second)).toString()).toBe(`port ${String(port)}`);
    await close(outer);
  });
});

test('what is no stream is refused', () => {
  const server = createServer(identity);
  for (const value of [undefined, null, 5, 'stream', {}, { on: () => undefined }]) {
    expect(() => server.emit('connection', value)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
  }
});

describe('backpressure', () => {
  test('a stream that never writes holds back the writer, and can be destroyed', async () => {
    const { socket, client, far } = await open();
    let stuck = 0;
    far._write = (bytes: Buffer) => {
      stuck += bytes.length;
    };
    const piece = Buffer.alloc(2 ** 20);
    let isDone = false;
    while (socket.write(piece, () => (isDone = true)));
    await delay(50);
    expect(isDone).toBe(false);
    expect(stuck).toBeGreaterThan(0);
    expect(stuck).toBeLessThanOrEqual(64 * 1024);
    socket.destroy();
    client.destroy();
  });

  test('a slow stream gets all bytes, in pieces of at most 64 KiB', async () => {
    const [near, far] = await wrappedPair();
    const { socket, client } = await open({}, [near, far]);
    const write = far._write.bind(far);
    far._write = (bytes: Buffer, encoding, callback) => {
      write(bytes, encoding, (error) => setTimeout(callback, 1, error));
    };
    far.sizes.length = 0;
    const bytes = crypto.randomBytes(2 ** 20);
    socket.end(bytes);
    client.end();
    expect((await all(client)).equals(bytes)).toBe(true);
    expect(Math.max(...far.sizes)).toBeLessThanOrEqual(64 * 1024);
    // Few large ones.
    expect(far.sizes.length).toBeLessThan(40);
  });

  test('a reader that is paused has its stream paused, and loses nothing', async () => {
    const { socket, client, far } = await open();
    socket.pause();
    const bytes = crypto.randomBytes(4 * 2 ** 20);
    let isDone = false;
    for (let at = 0; at < bytes.length; at += 2 ** 16) client.write(bytes.subarray(at, at + 2 ** 16));
    client.end(() => (isDone = true));
    let taken = 0;
    far.on('data', (chunk: Buffer) => (taken += chunk.length));
    while (!far.isPaused()) await new Promise(setImmediate);
    await delay(50);
    expect([isDone, far.isPaused()]).toEqual([false, true]);
    expect(taken).toBeLessThan(400 * 1024);
    expect((await all(socket)).equals(bytes)).toBe(true);
    client.resume();
  });

  test('a stream that ignores pause() loses nothing either', async () => {
    const { socket, client, far } = await open();
    far.pause = () => far;
    socket.pause();
    const bytes = crypto.randomBytes(2 ** 20);
    client.end(bytes);
    await delay(50);
    expect((await all(socket)).equals(bytes)).toBe(true);
    client.resume();
  });

  test('one chunk of many records is taken piece by piece', async () => {
    const [near, far] = pipedPair();
    const records: Buffer[] = [];
    const { socket, client } = await open({}, [near, far]);
    near._write = (bytes: Buffer, _, callback) => {
      records.push(bytes);
      callback();
    };
    const bytes = crypto.randomBytes(2 ** 20);
    near._final = (callback) => {
      callback();
    };
    await new Promise<void>((resolve) => client.end(bytes, resolve));
    far.push(Buffer.concat(records));
    far.push(null);
    expect((await all(socket)).equals(bytes)).toBe(true);
    client.resume();
  });
});

test('plaintext that came before the end of a stream is told', async () => {
  const { socket, client, near, far } = await open();
  const got = all(socket);
  const records: Buffer[] = [];
  near._write = (bytes: Buffer, _, callback) => {
    records.push(bytes);
    callback();
  };
  await new Promise((resolve) => client.write('the last words', resolve));
  far.once('data', () => far.destroy());
  for (const record of records) far.push(record);
  expect((await got).toString()).toBe('the last words');
  expect(socket.truncated).toBe(true);
  client.destroy();
});

test('an end without a word is an end, and shows', async () => {
  const { socket, client, near } = await open();
  client.on('error', () => undefined);
  client.write('all', () => near.end());
  expect((await all(socket)).toString()).toBe('all');
  expect(socket.truncated).toBe(true);
  client.destroy();
});

test('a client that agrees on nothing gets an alert', async () => {
  const server = createServer({ ...identity, maxVersion: 'TLSv1.2' });
  const failed = failureOf(server);
  const [near, far] = pipedPair();
  serve(server, far);
  const client = clientOver(near, { minVersion: 'TLSv1.3' });
  const [error] = (await once(client, 'error')) as [Failure];
  expect((await failed).code).toBe('ERR_SSL_UNSUPPORTED_PROTOCOL');
  expect(error.code).toBe('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
});

test('a stream that says nothing is ended in time', async () => {
  const server = createServer({ ...identity, handshakeTimeout: 100 });
  const failed = failureOf(server);
  const [, far] = await wrappedPair();
  serve(server, far);
  expect((await failed).code).toBe('ERR_TLS_HANDSHAKE_TIMEOUT');
  expect(far.destroyed).toBe(true);
});

test('questions are asked, and promises are waited for', async () => {
  const asked: unknown[] = [];
  const server = createServer({
    ...identity,
    SNICallback: async (servername: string) => {
      asked.push(servername);
      await delay(10);
      return createSecureContext(rsa);
    },
    ALPNCallback: async ({ protocols }) => {
      asked.push(protocols);
      await delay(10);
      return protocols[1];
    },
    onClientHello(hello) {
      asked.push(hello.servername, this.remoteAddress);
      return undefined;
    },
  });
  const [near, far] = pipedPair();
  Object.assign(far, { remoteAddress: '192.0.2.1', remotePort: 7, remoteFamily: 'IPv4', localPort: 'none' });
  serve(server, far);
  const secure = secureOf(server);
  const client = clientOver(near, { servername: 'other.test', ALPNProtocols: ['a', 'b'] });
  const [socket] = await Promise.all([secure, once(client, 'secureConnect')]);
  expect(asked).toEqual(['other.test', '192.0.2.1', 'other.test', ['a', 'b']]);
  expect(client.getPeerX509Certificate()?.subject).toBe('CN=rsa.test');
  expect([socket.remoteAddress, socket.remotePort, socket.remoteFamily]).toEqual(['192.0.2.1', 7, 'IPv4']);
  expect([socket.localAddress, socket.localPort, socket.alpnProtocol]).toEqual([undefined, undefined, 'b']);
  client.end();
  socket.end();
});

describe('a key that is elsewhere', () => {
  function remote(sign: (digest: Buffer) => Promise<Buffer> | Buffer) {
    return createRemoteKey({
      publicKey: crypto.createPublicKey(identity.cert),
      sign: (request) => sign(request.data ?? request.digest ?? Buffer.alloc(0)),
      timeoutMs: 5000,
    });
  }

  testWithJobs('pauses the handshake on the loop', async () => {
    const ed25519 = selfSigned('localhost', 'ed25519');
    const key = createRemoteKey({
      publicKey: crypto.createPublicKey(ed25519.cert),
      sign: async ({ data }) => {
        await delay(10);
        return crypto.sign(null, data ?? Buffer.alloc(0), ed25519.key);
      },
      timeoutMs: 5000,
    });
    const { socket, client } = await open({ cert: ed25519.cert, key });
    expect(socket.handshake).toMatchObject({ place: 'loop', pauses: 1 });
    socket.end('signed');
    expect((await all(client)).toString()).toBe('signed');
    client.end();
  });

  testWithJobs('does not outlive its stream', async () => {
    let answer: (signature: Buffer) => void = () => undefined;
    const server = createServer({
      cert: identity.cert,
      key: remote(
        () =>
          new Promise((resolve) => {
            answer = resolve;
            server.emit('signing');
          }),
      ),
    });
    const signing = once(server, 'signing');
    const failed = failureOf(server);
    const [near, far] = pipedPair();
    serve(server, far);
    clientOver(near).on('error', () => undefined);
    await signing;
    far.destroy();
    expect((await failed).code).toBe('ECONNRESET');
    answer(Buffer.alloc(70));
  });
});

test('functions of sockets go to the stream, where it has them', async () => {
  const { socket, client, far } = await open();
  const calls: unknown[] = [];
  for (const name of ['setNoDelay', 'setKeepAlive', 'ref', 'unref', 'resetAndDestroy']) {
    Object.assign(far, {
      [name]: (...args: unknown[]) => {
        calls.push([name, ...args]);
        if (name === 'resetAndDestroy') far.destroy();
      },
    });
  }
  socket.setNoDelay(false).setKeepAlive(true, 1500).ref().unref();
  socket.resetAndDestroy();
  expect(calls).toEqual([['setNoDelay', false], ['setKeepAlive', true, 1500], ['ref'], ['unref'], ['resetAndDestroy']]);
  client.destroy();
});

describe('small writes', () => {
  interface WithHandle {
    readonly _handle: { setNoDelay(noDelay: boolean): number };
  }

  test('are sent at once by sockets that Node.js keeps', async () => {
    const [near, far] = await connectedPair();
    const { _handle: handle } = far as unknown as WithHandle;
    Object.defineProperty(handle, 'fd', { value: -1 }); // as on Windows
    const told = jest.spyOn(handle, 'setNoDelay');
    const { socket, client } = await open({}, [near, far]);
    expect(told.mock.calls).toEqual([[true]]);
    expect(told.mock.results).toEqual([{ type: 'return', value: 0 }]);
    socket.setNoDelay(false);
    expect(told.mock.calls).toEqual([[true], [false]]);
    client.destroy();
  });

  test("are the owner's matter with other streams", async () => {
    const server = nodeTls.createServer(identity);
    const connected = secureOf(server);
    const near = await connectTo(await listen(server));
    const far = await connected;
    const told = jest.spyOn(far, 'setNoDelay');
    const { client } = await open({}, [near, far]);
    expect(told).not.toHaveBeenCalled();
    client.destroy();
    near.destroy();
    await close(server);
  });
});

test("streams are not among a server's connections, as with node:tls", async () => {
  const { server, socket, client } = await open();
  const count = await new Promise((resolve) => {
    server.getConnections((_, found) => {
      resolve(found);
    });
  });
  expect(count).toBe(0);
  socket.end('still served');
  expect((await all(client)).toString()).toBe('still served');
  client.end();
});
