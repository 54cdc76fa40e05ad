// What ends a client's connection, and when: each compared with a client of node:tls.
import { once } from 'node:events';
import * as net from 'node:net';
import * as nodeTls from 'node:tls';
import { Worker } from 'node:worker_threads';
import { connect, type ConnectionOptions } from '../../lib/tls/tls';
import { close, listen, selfSigned } from '../support/tls';

const identity = selfSigned('localhost');
const trusting: ConnectionOptions = { host: '127.0.0.1', servername: 'localhost', ca: identity.cert };

type Connect = (options: ConnectionOptions) => nodeTls.TLSSocket;
const CLIENTS = [connect, nodeTls.connect] as Connect[];

interface Outcome {
  error: Record<string, unknown> | undefined;
  hadError: boolean;
  events: string[];
  state: unknown[];
}

/** What a socket tells until it is closed. */
async function outcomeOf(socket: nodeTls.TLSSocket): Promise<Outcome> {
  const events: string[] = [];
  let error: Outcome['error'];
  for (const name of ['connect', 'secureConnect', 'timeout', 'end']) socket.on(name, () => events.push(name));
  socket.on('error', (told: NodeJS.ErrnoException) => {
    events.push('error');
    const { reason, host, path, localAddress } = told as unknown as Record<string, unknown>;
    const { name, code, syscall } = told;
    // OpenSSL's lines have addresses, and ports differ.
    const message = reason === undefined ? told.message.replace(/:\d+$/, '') : undefined;
    error = { name, code, syscall, message, reason, host, path, localAddress };
  });
  socket.resume();
  const hadError = await new Promise<boolean>((resolve) => socket.once('close', resolve));
  events.push('close');
  const { destroyed, connecting, authorized, authorizationError } = socket;
  const ends = error === undefined ? events : events.filter((name) => name !== 'end');
  return {
    error,
    hadError,
    events: ends,
    state: [destroyed, connecting, authorized, authorizationError, socket.readyState],
  };
}

/** Both kinds of clients end in the same way. */
async function expectSame(make: (connect: Connect) => nodeTls.TLSSocket): Promise<Outcome> {
  const outcomes: Outcome[] = [];
  for (const each of CLIENTS) outcomes.push(await outcomeOf(make(each)));
  const [ours, nodes] = outcomes as [Outcome, Outcome];
  expect({ ...ours, hadError: undefined }).toEqual({ ...nodes, hadError: undefined });
  expect(ours.hadError).toBe(ours.error !== undefined); // node:tls forgets some
  return ours;
}

/** A server of bytes. */
async function raw(serve: (socket: net.Socket) => void): Promise<{ server: net.Server; port: number }> {
  const server = net.createServer((socket) => {
    socket.on('error', () => undefined);
    serve(socket);
    socket.resume();
  });
  return { server, port: await listen(server) };
}

describe('before the handshake', () => {
  test('nobody listens', async () => {
    const { server, port } = await raw(() => undefined);
    await close(server);
    const { error } = await expectSame((make) => make({ ...trusting, port }));
    expect(error).toMatchObject({ code: 'ECONNREFUSED', syscall: 'connect' });
  });

  test('no path is there', async () => {
    const { error } = await expectSame((make) => make({ ...trusting, path: '/nowhere/at/all' }));
    expect(error?.code).toBe('ENOENT');
  });

  test('the name is not found', async () => {
    const lookup: net.LookupFunction = (hostname, _, done) => {
      done(Object.assign(new Error(`no ${hostname}`), { code: 'ENOTFOUND' }), '', 4);
    };
    const { error } = await expectSame((make) => make({ ...trusting, host: 'nobody.test', port: 1, lookup }));
    expect(error).toMatchObject({ code: 'ENOTFOUND', message: 'no nobody.test' });
  });

  test('a signal aborts', async () => {
    const { server, port } = await raw(() => undefined);
    const { error } = await expectSame((make) => {
      const controller = new AbortController();
      setImmediate(() => {
        controller.abort();
      });
      return make({ ...trusting, port, signal: controller.signal });
    });
    expect(error).toMatchObject({ name: 'AbortError', code: 'ABORT_ERR' });
    const early = await outcomeOf(connect({ ...trusting, port, signal: AbortSignal.abort() }));
    expect([early.error?.code, early.hadError, early.events]).toEqual(['ABORT_ERR', true, ['error', 'close']]);
    await close(server);
  });

  test('the socket is destroyed at once', async () => {
    const { server, port } = await raw((socket) => socket.resume());
    const { error, events } = await expectSame((make) => make({ ...trusting, port }).destroy());
    expect([error, events]).toEqual([undefined, ['close']]);
    await close(server);
  });
});

describe('in the handshake', () => {
  test('the server leaves', async () => {
    const { server, port } = await raw((socket) => socket.end());
    const { error } = await expectSame((make) => make({ ...trusting, port }));
    expect(error).toMatchObject({ code: 'ECONNRESET', host: '127.0.0.1', reason: undefined });
    expect(error?.message).toMatch(/^Client network socket disconnected before secure TLS/);
    await close(server);
  });

  test('the server resets', async () => {
    const { server, port } = await raw((socket) => socket.once('data', () => socket.resetAndDestroy()));
    const { error } = await expectSame((make) => make({ ...trusting, port }));
    expect(error).toMatchObject({ code: 'ECONNRESET', syscall: 'read' });
    await close(server);
  });

  test('the server speaks another language', async () => {
    const { server, port } = await raw((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const { error } = await expectSame((make) => make({ ...trusting, port }));
    expect(error?.code).toMatch(/^ERR_SSL_/);
    await close(server);
  });

  test.each([
    ['no cipher is shared', { ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256', maxVersion: 'TLSv1.2' }],
    ['no version is shared', { minVersion: 'TLSv1.3' }],
  ] as const)('%s', async (_, options) => {
    const server = nodeTls.createServer({ ...identity, ...options }).on('tlsClientError', () => undefined);
    const port = await listen(server);
    const others = { ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384', maxVersion: 'TLSv1.2' } as const;
    const { error } = await expectSame((make) => make({ ...trusting, ...others, port }));
    expect(error?.code).toMatch(/^ERR_SSL_/);
    await close(server);
  });

  test('the server wants a certificate', async () => {
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const options = { ...identity, maxVersion, requestCert: true, ca: identity.cert };
      const server = nodeTls.createServer(options).on('tlsClientError', () => undefined);
      const port = await listen(server);
      const { error } = await expectSame((make) => make({ ...trusting, port }));
      expect(error?.code).toMatch(/^(ERR_SSL_|ECONNRESET)/);
      await close(server);
    }
  });

  test('a time limit is told of, and ends nothing by itself', async () => {
    const { server, port } = await raw((socket) => socket.resume());
    const { events } = await expectSame((make) => {
      const socket = make({ ...trusting, port, timeout: 300 });
      return socket.on('timeout', () => socket.destroy());
    });
    expect(events).toEqual(['connect', 'timeout', 'close']);
    await close(server);
  });

  test('the socket is destroyed', async () => {
    const { server, port } = await raw((socket) => socket.resume());
    const { events } = await expectSame((make) => {
      const socket = make({ ...trusting, port });
      return socket.once('connect', () => setImmediate(() => socket.destroy()));
    });
    expect(events).toEqual(['connect', 'close']);
    await close(server);
  });
});

describe('when the handshake is done', () => {
  test('the server is not welcome, and gets nothing', async () => {
    const received: Buffer[] = [];
    const server = nodeTls.createServer(identity, (socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (chunk) => received.push(chunk));
    });
    server.on('tlsClientError', () => undefined);
    const port = await listen(server);
    const { error, state } = await expectSame((make) => {
      const socket = make({ ...trusting, servername: 'other.test', port });
      socket.write('a secret');
      return socket;
    });
    expect(error?.code).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
    expect(state).toEqual([true, false, false, 'ERR_TLS_CERT_ALTNAME_INVALID', 'closed']);
    await close(server);
    expect(received).toEqual([]);
  });

  test('the server leaves', async () => {
    const server = nodeTls.createServer(identity, (socket) => {
      socket.on('error', () => undefined);
      socket.end('x');
    });
    const port = await listen(server);
    const { events } = await expectSame((make) => make({ ...trusting, port }));
    expect(events).toEqual(['connect', 'secureConnect', 'end', 'close']);
    await close(server);
  });

  describe('a write that fails before everything is read', () => {
    const closed = new Int32Array(new SharedArrayBuffer(4)); // connections that the server has closed
    let worker: Worker;
    afterEach(() => worker.terminate());

    async function serve(options: nodeTls.TlsOptions): Promise<number> {
      const program = `
        const { parentPort, workerData } = require('node:worker_threads');
        const server = require('node:tls').createServer(workerData.options, (socket) => {
          socket.on('error', () => undefined).write(Buffer.alloc(16 << 20));
          setImmediate(() => socket.destroy());
        });
        server.on('tlsClientError', () => undefined).on('connection', (socket) => socket.on('close', () => {
          Atomics.add(workerData.closed, 0, 1);
          Atomics.notify(workerData.closed, 0);
        }));
        server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));`;
      worker = new Worker(program, { eval: true, workerData: { closed, options: { ...identity, ...options } } });
      const [port] = (await once(worker, 'message')) as [number];
      return port;
    }

    /** The server's system refuses the first write, and ours the second one. */
    function writeTooLate(socket: nodeTls.TLSSocket): nodeTls.TLSSocket {
      const before = Atomics.load(closed, 0);
      return socket.once('secureConnect', () => {
        Atomics.wait(closed, 0, before, 10_000);
        socket.write('one');
        socket.write('two');
      });
    }

    test('the server’s reason is told', async () => {
      const port = await serve({ minVersion: 'TLSv1.3', requestCert: true });
      const { error } = await expectSame((make) => writeTooLate(make({ ...trusting, port })));
      expect(error?.code).toBe('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED');
    });

    test('bytes that were lost are an error, after those that came', async () => {
      const port = await serve({});
      const socket = writeTooLate(connect({ ...trusting, port }));
      let received = 0;
      socket.on('data', (chunk: Buffer) => (received += chunk.length));
      const { error, events } = await outcomeOf(socket);
      expect(error?.code).toMatch(/^(ECONNRESET|EPIPE)$/);
      expect(events).toEqual(['connect', 'secureConnect', 'error', 'close']);
      expect(received).toBeGreaterThan(0);
      expect(received).toBeLessThan(16 << 20);
    });
  });

  test('an error of checkServerIdentity() is the connection’s', async () => {
    const server = nodeTls.createServer(identity, (socket) => socket.on('error', () => undefined).resume());
    const port = await listen(server);
    const failure = Object.assign(new Error('not you'), { code: 'ERR_OWN' });
    const { error, state } = await expectSame((make) =>
      make({ ...trusting, port, checkServerIdentity: () => failure }),
    );
    expect([error?.code, state[3]]).toEqual(['ERR_OWN', 'ERR_OWN']);
    await close(server);
  });
});

// Before TLS 1.3, the server's is the last message.
test.each<[string, ConnectionOptions]>([
  ['its certificate', { ca: undefined }],
  ['its name', { servername: 'other.test' }],
  ['the function that checks it', { checkServerIdentity: () => new Error('not this one') }],
])('a server that is not welcome by %s does not learn who the client is', async (_, options) => {
  for (const connectBy of CLIENTS) {
    const server = nodeTls.createServer({ ...identity, requestCert: true, rejectUnauthorized: false });
    const served = jest.fn();
    server.on('secureConnection', served);
    const left = once(server, 'tlsClientError');
    const port = await listen(server);
    const socket = connectBy({ ...trusting, ...identity, port, ...options });
    await Promise.all([once(socket, 'error'), left]);
    expect(served).not.toHaveBeenCalled();
    await close(server);
  }
});

test('a session is told of before what was read behind it', async () => {
  const server = nodeTls.createServer(identity, (socket) => socket.end('all of it'));
  const port = await listen(server);
  const events: string[] = [];
  const socket = connect({ ...trusting, port });
  for (const name of ['secureConnect', 'session', 'data']) socket.on(name, () => events.push(name));
  await once(socket, 'close');
  expect(events.slice(0, 2)).toEqual(['secureConnect', 'session']);
  expect(events.at(-1)).toBe('data');
  await close(server);
});
