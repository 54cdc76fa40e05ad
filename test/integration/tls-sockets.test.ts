// Sockets of openssl-async/tls: streams, ends of all kinds, and what listeners do to each other.
import { AsyncLocalStorage } from 'node:async_hooks';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import * as net from 'node:net';
import { Duplex } from 'node:stream';
import * as nodeTls from 'node:tls';
import { connect, createServer, TLSSocket, type Server } from 'openssl-async/tls';
import { ROOT } from '../support/programs';
import { close, connectTo, listen, read, selfSigned } from '../support/tls';
import { codeOf } from '../support/unit';

const identity = selfSigned('localhost');

async function pair(options: nodeTls.TlsOptions = {}): Promise<{
  server: Server;
  socket: nodeTls.TLSSocket & { truncated: boolean };
  client: nodeTls.TLSSocket;
}> {
  const server = createServer({ ...identity, ...options });
  const port = await listen(server);
  const secure = once(server, 'secureConnection');
  const client = await connectTo(port, { allowHalfOpen: true } as nodeTls.ConnectionOptions);
  const [socket] = (await secure) as [nodeTls.TLSSocket & { truncated: boolean }];
  return { server, socket, client };
}

test("a socket that is gone knows nothing of later connections, though one of them has the connection's id", async () => {
  const ROUNDS_OF_IDS = 2047;
  const server = createServer({ ...identity, threads: 0 });
  const port = await listen(server);
  const options = { session: undefined as Buffer | undefined };
  const visit = async (): Promise<[nodeTls.TLSSocket, nodeTls.TLSSocket]> => {
    const secure = once(server, 'secureConnection') as Promise<[nodeTls.TLSSocket]>;
    const client = await connectTo(port, options);
    client.once('session', (session: Buffer) => (options.session = session));
    return [(await secure)[0], client];
  };
  const leave = async ([socket, client]: [nodeTls.TLSSocket, nodeTls.TLSSocket]): Promise<void> => {
    const closed = [once(socket, 'close'), once(client.resume(), 'close')];
    socket.end();
    socket.resume();
    await Promise.all(closed);
  };
  const first = await visit();
  await leave(first);
  for (let round = 1; round < ROUNDS_OF_IDS; ++round) await leave(await visit());
  const last = await visit();
  const [gone, there] = [first[0], last[0]];
  expect([gone.getProtocol(), gone.getCipher(), gone.remoteAddress]).toEqual([null, null, undefined]);
  expect([there.getProtocol(), there.remoteAddress]).toEqual(['TLSv1.3', '127.0.0.1']);
  gone.unref();
  gone.setNoDelay(false);
  await leave(last);
  await close(server);
}, 60_000);

test('bytes go both ways, in order, whatever the sizes', async () => {
  const { server, socket, client } = await pair();
  socket.pipe(socket);
  const sent = Array.from({ length: 300 }, (_, i) => Buffer.alloc((i * i * 7) % 40_000, i));
  for (const bytes of sent) client.write(bytes);
  client.end();
  expect((await read(client)).equals(Buffer.concat(sent))).toBe(true);
  await close(server);
});

test('texts are encoded as streams encode them', async () => {
  const { server, socket, client } = await pair();
  socket.write('\u00e9', 'latin1');
  socket.write('\u00e9', 'utf8');
  socket.write('ff00', 'hex');
  socket.end('\u00e9', 'ucs2');
  expect((await read(client)).toString('hex')).toBe('e9c3a9ff00e900');
  client.end();
  await close(server);
});

test('texts of any length, and bytes after them', async () => {
  const { server, socket, client } = await pair();
  // Characters of one to four bytes, at each place around the sizes that matter to native code.
  const pieces: [text: string, encoding: BufferEncoding][] = [];
  for (const size of [0, 1, 4090, 4091, 4092, 4093, 4094, 4095, 4096, 4097, 20_000]) {
    for (const last of ['', '\u00e9', '\u20ac', '\u{1f600}']) {
      pieces.push([`${'x'.repeat(size)}${last}`, 'utf8'], [`${'y'.repeat(size)}\u00e9`, 'latin1']);
    }
  }
  const sent: Buffer[] = [];
  for (const [text, encoding] of pieces) {
    socket.write(text, encoding);
    socket.cork();
    socket.write(text, encoding);
    socket.write(Buffer.from('|'));
    socket.uncork();
    socket.cork();
    socket.write(text, encoding);
    socket.write(Buffer.from('|'));
    socket.write('');
    socket.uncork();
    socket.cork();
    socket.write(text, encoding);
    socket.write('');
    socket.uncork();
    const bytes = Buffer.from(text, encoding);
    sent.push(bytes, bytes, Buffer.from('|'), bytes, Buffer.from('|'), bytes);
  }
  socket.end();
  expect((await read(client)).equals(Buffer.concat(sent))).toBe(true);
  client.end();
  await close(server);
});

test.each(['latin1', 'utf8', 'ucs2'] as const)(
  'many pieces for a peer that is slow, among them %s',
  async (encoding) => {
    const { server, socket, client } = await pair();
    client.pause();
    const pieces = Array.from({ length: 400 }, (_, i) => {
      const size = (i * i * 97) % 60_000;
      return i % 2 === 0 ? Buffer.alloc(size, i) : '\u00e9'.repeat(size);
    });
    socket.cork();
    for (const piece of pieces) socket.write(piece, encoding);
    socket.uncork();
    const sent = Buffer.concat(
      pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece, encoding) : piece)),
    );
    expect(socket.writableNeedDrain).toBe(true);
    expect(socket.bytesWritten).toBe(sent.length);
    socket.end();
    expect((await read(client)).equals(sent)).toBe(true);
    expect(socket.bytesWritten).toBe(sent.length);
    client.end();
    await close(server);
  },
);

test('a peer that does not read holds back the writer', async () => {
  const { server, socket, client } = await pair();
  client.pause();
  const piece = Buffer.alloc(2 ** 20, 'x');
  let sent = 0;
  while (socket.write(piece)) sent += piece.length;
  sent += piece.length;
  socket.end();
  expect((await read(client)).length).toBe(sent);
  client.end();
  await close(server);
});

test('bytesWritten counts each byte once, sent or not', async () => {
  const { server, socket, client } = await pair();
  client.pause();
  socket.write(Buffer.alloc(8 * 2 ** 20));
  socket.write('\u00e9\u00e9');
  const written = 8 * 2 ** 20 + 4;
  expect(socket.writableNeedDrain).toBe(true);
  expect(socket.bytesWritten).toBe(written);
  socket.end();
  expect((await read(client)).length).toBe(written);
  expect(socket.bytesWritten).toBe(written);
  client.end();
  await close(server);
});

test('a paused reader stops the peer, and loses nothing', async () => {
  const { server, socket, client } = await pair();
  socket.pause();
  const bytes = Buffer.alloc(16 * 2 ** 20, 'y');
  let all = false;
  client.end(bytes, () => (all = true));
  // Until nothing more comes, which is never before all has come if nobody stops the peer.
  for (let seen = 0; seen === 0 || seen !== socket.bytesRead;) {
    seen = socket.bytesRead;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect([all, socket.bytesRead < bytes.length]).toEqual([false, true]);
  expect((await read(socket)).length).toBe(bytes.length);
  client.resume();
  await close(server);
});

test('a connection that is half closed still carries answers', async () => {
  const { server, socket, client } = await pair({ allowHalfOpen: true });
  client.end('question');
  const ended = once(socket, 'end');
  const [question] = (await once(socket, 'data')) as [Buffer];
  await ended;
  expect(question.toString()).toBe('question');
  expect([socket.truncated, socket.writable]).toEqual([false, true]);
  socket.end('answer');
  expect((await read(client)).toString()).toBe('answer');
  await close(server);
});

test('an end without a word is an end, and shows', async () => {
  const server = createServer(identity);
  const port = await listen(server);
  const secure = once(server, 'secureConnection') as Promise<[nodeTls.TLSSocket & { truncated: boolean }]>;
  const raw = net.connect(port, '127.0.0.1');
  const client = nodeTls.connect({ socket: raw, rejectUnauthorized: false });
  client.on('error', () => undefined);
  const [socket] = await secure;
  client.write('all', () => raw.end());
  expect((await read(socket)).toString()).toBe('all');
  expect(socket.truncated).toBe(true);
  client.destroy();
  await close(server);
});

test('a reset is an error', async () => {
  const server = createServer(identity);
  const port = await listen(server);
  const secure = once(server, 'secureConnection') as Promise<[nodeTls.TLSSocket]>;
  const raw = net.connect(port, '127.0.0.1');
  nodeTls.connect({ socket: raw, rejectUnauthorized: false }).on('error', () => undefined);
  const [socket] = await secure;
  const failed = once(socket, 'error') as Promise<[Error & { code: string; syscall: string }]>;
  raw.resetAndDestroy();
  const [error] = await failed;
  expect([error.code, error.syscall]).toEqual(['ECONNRESET', 'read']);
  await close(server);
});

test('whoever has awaited the end hears of the close after it', async () => {
  const server = createServer(identity);
  const port = await listen(server);
  const secure = once(server, 'secureConnection') as Promise<[nodeTls.TLSSocket]>;
  const client = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }).resume();
  const closes: string[] = [];
  const awaitBoth = async (side: string, socket: nodeTls.TLSSocket): Promise<void> => {
    await once(socket, 'end');
    socket.once('close', () => closes.push(side));
  };
  const ended = awaitBoth('client', client);
  const [socket] = await secure;
  await Promise.all([ended, awaitBoth('server', socket.resume().end())]);
  await close(server);
  await new Promise(setImmediate);
  expect(closes.sort()).toEqual(['client', 'server']);
});

test('a reader of single chunks gets an ArrayBuffer of its own for each', async () => {
  const { server, socket, client } = await pair();
  client.write('first');
  const [first] = (await once(socket, 'data')) as [Buffer];
  expect([first.toString(), first.buffer.byteLength]).toEqual(['first', 5]);
  structuredClone(first, { transfer: [first.buffer as ArrayBuffer] });
  client.write('second');
  const [second] = (await once(socket, 'data')) as [Buffer];
  expect(second.toString()).toBe('second');
  client.destroy();
  socket.destroy();
  await close(server);
});

test('each connection has its async context, as with node:tls', async () => {
  async function storesOf(create: typeof nodeTls.createServer): Promise<unknown[]> {
    const storage = new AsyncLocalStorage<string>();
    const stores: unknown[] = [];
    const server = create(identity);
    server.on('secureConnection', (socket) => {
      stores.push(storage.getStore());
      storage.enterWith(`connection ${String(stores.length)}`);
      socket.on('data', () => stores.push(storage.getStore()));
      socket.on('end', () => socket.end());
    });
    const port = await storage.run('server', () => listen(server));
    const clients: nodeTls.TLSSocket[] = [];
    while (clients.length < 2) {
      const [client] = await Promise.all([connectTo(port), once(server, 'secureConnection')]);
      clients.push(client);
    }
    for (const client of clients) {
      client.end('x');
      await once(client.resume(), 'close');
    }
    await close(server);
    return stores;
  }
  const stores = await storesOf(createServer);
  expect(stores).toEqual(await storesOf(nodeTls.createServer));
  expect(stores[0]).toBe('server');
});

test('setTimeout tells of silence, and traffic puts it off', async () => {
  const { server, socket, client } = await pair();
  const started = performance.now();
  socket.setTimeout(1000);
  socket.resume();
  setTimeout(() => client.write('x'), 500);
  await once(socket, 'timeout');
  expect(performance.now() - started).toBeGreaterThan(1400);
  socket.destroy();
  client.destroy();
  await close(server);
});

describe.each([
  [
    'ours',
    (): net.Socket => new TLSSocket(new Duplex({ read: () => undefined, write: () => undefined }) as never) as never,
  ],
  ["node:net's", (): net.Socket => new net.Socket()],
])('setTimeout of sockets, %s', (_, make) => {
  test.each([
    [NaN, 'ERR_OUT_OF_RANGE'],
    [-1, 'ERR_OUT_OF_RANGE'],
    [Infinity, 'ERR_OUT_OF_RANGE'],
    ['5', 'ERR_INVALID_ARG_TYPE'],
    [undefined, 'ERR_INVALID_ARG_TYPE'],
  ])('refuses %p', (value, code) => {
    const socket = make();
    expect(codeOf(() => socket.setTimeout(value as number))).toBe(code);
    socket.destroy();
  });

  test('takes functions for a callback', () => {
    const socket = make();
    for (const ms of [0, 5]) expect(codeOf(() => socket.setTimeout(ms, 1 as never))).toBe('ERR_INVALID_ARG_TYPE');
    socket.destroy();
  });

  test('does nothing any more when the socket is destroyed', () => {
    const socket = make();
    socket.destroy();
    expect(socket.setTimeout(NaN, () => undefined)).toBe(socket);
    expect([socket.timeout ?? 0, socket.listenerCount('timeout')]).toEqual([0, 0]);
  });
});

test.each([
  ['ours', "new (require('openssl-async/tls').TLSSocket)(new Duplex({ read() {}, write() {} }))"],
  ["node:net's", "new (require('node:net').Socket)()"],
])('setTimeout warns of times that are too long for timers, %s', (_, made) => {
  const program = `
    const { Duplex } = require('node:stream');
    const socket = ${made};
    socket.setTimeout(2 ** 31, () => console.log('timeout'));
    console.log(socket.timeout);
    setImmediate(() => socket.destroy());`;
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', program], { cwd: ROOT, encoding: 'utf8' });
  expect(stdout).toBe('2147483648\n');
  expect(stderr).toContain('TimeoutOverflowWarning: 2147483648 does not fit into a 32-bit signed integer.');
  expect(stderr).toContain('Timer duration was truncated to 2147483647.');
});

describe('servers count and end as those of node:net', () => {
  const count = (server: Server): Promise<number> =>
    new Promise((resolve) => {
      server.getConnections((_, connections) => {
        resolve(connections);
      });
    });

  test('a handshake counts, and close waits for it', async () => {
    const server = createServer(identity);
    const port = await listen(server);
    const raw = net.connect(port, '127.0.0.1');
    while ((await count(server)) === 0) await new Promise(setImmediate);
    let closed = false;
    server.close(() => (closed = true));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(closed).toBe(false);
    raw.destroy();
    await once(server, 'close');
  });

  test('connections beyond maxConnections are dropped', async () => {
    const server = createServer(identity);
    server.maxConnections = 1;
    const port = await listen(server);
    const client = await connectTo(port);
    const dropped = once(server, 'drop') as Promise<[{ remoteAddress: string }]>;
    const other = net.connect(port, '127.0.0.1');
    other.on('error', () => undefined);
    expect((await dropped)[0].remoteAddress).toBe('127.0.0.1');
    await once(other.resume(), 'close');
    client.destroy();
    await close(server);
  });

  test('a port is free again at once, and one that is taken is told', async () => {
    const server = createServer(identity);
    const port = await listen(server);
    const second = createServer(identity);
    second.listen(port, '127.0.0.1');
    const [error] = (await once(second, 'error')) as [Error & { code: string }];
    expect(error.code).toBe('EADDRINUSE');
    for (let i = 0; i < 50; ++i) {
      await close(server);
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
    }
    (await connectTo(port)).destroy();
    await close(server);
  });

  test('a socket of node:net can be handed over, with what was read of it', async () => {
    const server = createServer(identity, (socket) => {
      socket.end('taken over');
    });
    const front = net.createServer((socket) => {
      socket.once('data', (hello: Buffer) => {
        socket.pause();
        socket.unshift(hello);
        server.emit('connection', socket);
      });
    });
    const client = await connectTo(await listen(front));
    expect((await read(client)).toString()).toBe('taken over');
    front.close();
  });

  test.each(['handshake', 'open', 'written', 'ended'])('destroy() leaves nothing: %s', async (state) => {
    const server = createServer({
      ...identity,
      SNICallback: (_, done) => {
        if (state !== 'handshake') done(null);
      },
    });
    const port = await listen(server);
    const client = nodeTls.connect({ port, host: '127.0.0.1', servername: 'a.test', rejectUnauthorized: false });
    client.on('error', () => undefined);
    if (state === 'handshake') {
      while ((await count(server)) === 0) await new Promise(setImmediate);
      client.destroy();
    } else {
      const [socket] = (await once(server, 'secureConnection')) as [nodeTls.TLSSocket];
      if (state !== 'open') socket.write(Buffer.alloc(8 * 2 ** 20));
      if (state === 'ended') socket.end();
      socket.destroy();
      await once(client.resume(), 'close');
    }
    server.close();
    client.destroy();
    if (state === 'handshake') return; // the peer's end is not seen while a question is open
    await once(server, 'close');
  });
});
