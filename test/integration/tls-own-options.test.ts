// What servers have beyond those of node:tls: threads, the client hello first, attach(), register, channels.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import * as http from 'node:http';
import * as net from 'node:net';
import * as path from 'node:path';
import * as nodeTls from 'node:tls';
import { setTimeout } from 'node:timers/promises';
import { stats } from '../../lib';
import { connections } from '../../lib/tls/connections';
import { attach, createServer as createHttpsServer } from '../../lib/tls/https';
import {
  createSecureContext,
  createServer,
  type ClientHello,
  type Handshake,
  type HandshakeMessage,
  type TlsOptions,
  type TLSSocket,
} from '../../lib/tls/tls';
import { ROOT } from '../support/programs';
import { close, connectTo, listen, read, request, selfSigned } from '../support/tls';

const first = selfSigned('first.test');
const second = selfSigned('second.test');

const handshakeOf = (socket: nodeTls.TLSSocket): Handshake | undefined => (socket as unknown as TLSSocket).handshake;

// A client that is destroyed at once may not have sent the last message of its handshake.
async function leave(client: nodeTls.TLSSocket): Promise<void> {
  client.end();
  await once(client.resume(), 'close');
}

describe('threads', () => {
  test.each([
    [undefined, 'thread'],
    [0, 'loop'],
    [3, 'thread'],
  ] as const)('%s: handshakes run on the %s', async (threads, place) => {
    const before = stats().tls;
    const handshakes: (Handshake | undefined)[] = [];
    const options = { ...first, maxInlineMicros: 0, ...(threads === undefined ? {} : { threads }) };
    const server = createServer(options, (socket) => {
      handshakes.push(handshakeOf(socket));
      socket.end('served');
    });
    const port = await listen(server);
    const clients = Array.from({ length: 20 }, async () => (await read(await connectTo(port))).toString());
    expect(new Set(await Promise.all(clients))).toEqual(new Set(['served']));
    expect(new Set(handshakes.map((handshake) => handshake?.place))).toEqual(new Set([place]));
    for (const handshake of handshakes) {
      expect(handshake).toMatchObject({ pauses: 0, resumed: false });
      expect(handshake?.micros).toBeGreaterThan(10);
    }
    const after = stats().tls;
    expect(after.handshakes[place] - before.handshakes[place]).toBe(20);
    expect(after.moved - before.moved).toBe(place === 'thread' ? 20 : 0);
    expect(after.bytesWritten - before.bytesWritten).toBe(20 * 'served'.length);
    await close(server);
    expect(stats().tls.connections).toBe(0);
  });

  test.each([-1, 65, 1.5, '1', null])('%p is no number of threads', (threads) => {
    expect(() => createServer({ threads: threads as number })).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^ERR_(OUT_OF_RANGE|INVALID_ARG_TYPE)$/) as string }),
    );
  });

  test("a thread's handshake outlives the server's last reference", () => {
    const program = `
      const tls = require('./dist/tls.js'), net = require('node:net'), nodeTls = require('node:tls');
      const server = tls.createServer(${JSON.stringify(first)}, (socket) => socket.end('served'));
      server.listen(0, '127.0.0.1', () => {
        const raw = net.connect(server.address().port, '127.0.0.1').unref();
        const look = () => server.getConnections((_, count) => (count === 0 ? setImmediate(look) : begin()));
        const begin = () => {
          server.close();
          // Nothing but the server's end of the connection keeps the process now.
          setTimeout(() => {
            const client = nodeTls.connect({ socket: raw, rejectUnauthorized: false });
            client.on('data', (data) => console.log(String(data))).unref();
          }, 100).unref();
        };
        look();
      });`;
    const { stdout, status } = spawnSync(process.execPath, ['-e', program], { cwd: ROOT, encoding: 'utf8' });
    expect([stdout.trim(), status]).toEqual(['served', 0]);
  });
});

test.each([undefined, false, true])('small writes are sent at once, noDelay: %p', async (noDelay) => {
  const set = jest.spyOn(connections().native, 'setNoDelay');
  try {
    const options = { ...first, ...(noDelay === undefined ? {} : { noDelay }) };
    const server = createServer(options, (socket) => {
      expect(set).not.toHaveBeenCalled(); // an accepted socket does so already
      socket.setNoDelay(false);
      expect(set).toHaveBeenCalledTimes(1);
      socket.end('served');
    });
    expect((await read(await connectTo(await listen(server)))).toString()).toBe('served');
    expect(set).toHaveBeenCalledTimes(1);
    await close(server);
  } finally {
    set.mockRestore();
  }
});

describe('maxInlineMicros', () => {
  async function places(options: TlsOptions, version: 'TLSv1.2' | 'TLSv1.3' = 'TLSv1.3'): Promise<unknown[]> {
    const seen: unknown[] = [];
    const server = createServer({ ...first, ...options }, (socket) => {
      seen.push(handshakeOf(socket)?.place);
      socket.end('served');
    });
    const port = await listen(server);
    for (let i = 0; i < 4; ++i) {
      expect((await read(await connectTo(port, { maxVersion: version }))).toString()).toBe('served');
    }
    await close(server);
    return seen;
  }

  test.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'a handshake that is expected to take less runs on the event loop: %s',
    async (version) => {
      expect(await places({ maxInlineMicros: 1_000_000 }, version)).toEqual(['thread', 'loop', 'loop', 'loop']);
      expect(await places({ maxInlineMicros: 0 }, version)).toEqual(['thread', 'thread', 'thread', 'thread']);
      expect(await places({ maxInlineMicros: 1 }, version)).toEqual(['thread', 'thread', 'thread', 'thread']);
    },
  );

  test('also one that somebody was asked about', async () => {
    const onClientHello = (): undefined => undefined;
    const expected = ['thread', 'loop', 'loop', 'loop'];
    expect(await places({ maxInlineMicros: 1_000_000, onClientHello })).toEqual(expected);
    const SNICallback = async (): Promise<void> => setTimeout(1);
    expect(await places({ maxInlineMicros: 1_000_000, SNICallback })).toEqual(expected);
  });

  test.each([-1, 1_000_001, 1.5, '1', null])('%p is no number of microseconds', (maxInlineMicros) => {
    expect(() => createServer({ maxInlineMicros: maxInlineMicros as number })).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^ERR_(OUT_OF_RANGE|INVALID_ARG_TYPE)$/) as string }),
    );
  });
});

describe('maxHandshakes', () => {
  /** A server that is asked for its context, and tells of each question; `answer` answers the first one that waits. */
  async function startServer(threads: number): Promise<{
    port: number;
    asked: string[];
    answer: () => void;
    end: () => Promise<void>;
  }> {
    const asked: string[] = [];
    const waiting: (() => void)[] = [];
    const SNICallback = async (name: string): Promise<void> => {
      asked.push(name);
      await new Promise<void>((resolve) => waiting.push(resolve));
    };
    const server = createServer({ ...first, SNICallback, threads, maxHandshakes: 2 }, (socket) => socket.end('served'));
    server.on('tlsClientError', () => undefined);
    return {
      port: await listen(server),
      asked,
      answer: () => waiting.shift()?.(),
      end: () => close(server),
    };
  }

  async function until(condition: () => boolean): Promise<void> {
    while (!condition()) await setTimeout(1);
  }

  test.each([0, 1, 3])('further clients wait for the end of others (threads: %d)', async (threads) => {
    const { port, asked, answer, end } = await startServer(threads);
    const clients = Array.from({ length: 7 }, async (_, i) => {
      return (await read(await connectTo(port, { servername: `${String(i)}.test` }))).toString();
    });
    for (let answered = 0; answered < clients.length; ++answered) {
      const expected = Math.min(answered + 2, clients.length);
      await until(() => asked.length >= expected);
      await setTimeout(20);
      expect(asked).toHaveLength(expected);
      answer();
    }
    expect(await Promise.all(clients)).toEqual(clients.map(() => 'served'));
    await end();
  });

  test('clients that leave or say nothing take no room', async () => {
    const { port, asked, answer, end } = await startServer(1);
    const silent = Array.from({ length: 5 }, () => net.connect(port));
    const leaving = Array.from({ length: 2 }, () => nodeTls.connect({ port, servername: 'leaving.test' }));
    for (const client of leaving) client.on('error', () => undefined);
    await until(() => asked.length === 2);
    const client = connectTo(port, { servername: 'last.test' });
    await setTimeout(50);
    expect(asked).toEqual(['leaving.test', 'leaving.test']);
    for (const each of leaving) each.destroy();
    await until(() => asked.length === 3);
    answer();
    answer();
    answer();
    expect((await read(await client)).toString()).toBe('served');
    for (const each of silent) each.destroy();
    await end();
  });

  test('the last one goes on first when the first one has waited long', async () => {
    const { port, asked, answer, end } = await startServer(1);
    const clients: Promise<Buffer>[] = [];
    const connect = async (name: string): Promise<Buffer> =>
      read(await connectTo(port, { servername: `${name}.test` }));
    for (const name of ['a', 'b', 'c', 'd']) {
      clients.push(connect(name));
      await setTimeout(50); // one after the other
    }
    await setTimeout(1200);
    clients.push(connect('e'));
    await setTimeout(50);
    for (let answered = 1; answered <= clients.length; ++answered) {
      answer();
      await until(() => asked.length >= Math.min(answered + 2, clients.length));
    }
    expect((await Promise.all(clients)).join(' ')).toBe('served served served served served');
    expect(asked.map((name) => name[0]).join('')).toBe('abedc');
    await end();
  });

  test.each([0, 1_000_001, 1.5, '1', null])('%p is no number of handshakes', (maxHandshakes) => {
    expect(() => createServer({ maxHandshakes: maxHandshakes as number })).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^ERR_(OUT_OF_RANGE|INVALID_ARG_TYPE)$/) as string }),
    );
  });
});

describe('onClientHello', () => {
  const namesOf = async (port: number, servername: string): Promise<string> => {
    const client = await connectTo(port, { servername, ALPNProtocols: ['b', 'a'] });
    const { CN } = client.getPeerCertificate().subject;
    await leave(client);
    return String(CN);
  };

  test('chooses the context, at once or by a promise, or leaves it to the names', async () => {
    const hellos: ClientHello[] = [];
    const context = createSecureContext(second);
    const server = createServer({
      ...first,
      ALPNProtocols: ['a'],
      onClientHello(hello) {
        hellos.push(hello);
        expect(this).toBeInstanceOf(nodeTls.TLSSocket);
        if (hello.servername === 'now.test') return context;
        if (hello.servername === 'later.test') return setTimeout(10, context);
        return undefined;
      },
    });
    server.addContext('named.test', second);
    const port = await listen(server);
    const names = ['now.test', 'later.test', 'named.test', 'other.test'];
    const found: string[] = [];
    for (const name of names) found.push(await namesOf(port, name));
    expect(found).toEqual(['second.test', 'second.test', 'second.test', 'first.test']);
    expect(hellos).toEqual(names.map((servername) => ({ servername, protocols: ['b', 'a'] })));
    await close(server);
  });

  test('comes before SNICallback, and its promise may fail', async () => {
    const asked: string[] = [];
    const server = createServer({
      ...first,
      onClientHello: ({ servername }) => {
        asked.push(`hello ${String(servername)}`);
        return servername === 'bad.test' ? Promise.reject(new Error('nobody')) : null;
      },
      SNICallback: (servername, done) => {
        asked.push(`name ${servername}`);
        done(null);
      },
    });
    const port = await listen(server);
    expect(await namesOf(port, 'good.test')).toBe('first.test');
    const failed = once(server, 'tlsClientError') as Promise<[Error]>;
    const code = 'ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR';
    await expect(connectTo(port, { servername: 'bad.test' })).rejects.toMatchObject({ code });
    expect((await failed)[0].message).toBe('nobody');
    expect(asked).toEqual(['hello good.test', 'name good.test', 'hello bad.test']);
    await close(server);
  });

  test('SNICallback and ALPNCallback may return promises', async () => {
    const context = createSecureContext(second);
    const server = createServer({
      ...first,
      SNICallback: () => setTimeout(5, context),
      ALPNCallback: ({ protocols }) => setTimeout(5, protocols[1]),
    });
    const client = await connectTo(await listen(server), { servername: 'x.test', ALPNProtocols: ['b', 'a'] });
    expect([client.getPeerCertificate().subject.CN, client.alpnProtocol]).toEqual(['second.test', 'a']);
    client.destroy();
    await close(server);
  });

  test("a client that leaves ends the wait, and the answer is nobody's", async () => {
    let answer: ((context: undefined) => void) | undefined;
    const server = createServer({ ...first, onClientHello: () => new Promise((resolve) => (answer = resolve)) });
    const port = await listen(server);
    const client = nodeTls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    client.on('error', () => undefined);
    while (answer === undefined) await setTimeout(5);
    const failed = once(server, 'tlsClientError') as Promise<[Error & { code: string }]>;
    client.destroy();
    expect((await failed)[0].code).toBe('ECONNRESET');
    answer(undefined);
    await close(server);
  });
});

describe("'connection'", () => {
  test('comes before the handshake, which a listener can prevent', async () => {
    const events: string[] = [];
    let isWelcome = true;
    const server = createServer(first, (socket) => {
      events.push('secure');
      socket.end();
    });
    server.on('connection', (socket: net.Socket) => {
      events.push(`connection ${String(socket.remoteAddress)}`);
      if (!isWelcome) socket.destroy();
    });
    const port = await listen(server);
    await leave(await connectTo(port));
    isWelcome = false;
    await expect(connectTo(port)).rejects.toMatchObject({ code: 'ECONNRESET' });
    await close(server);
    expect(events).toEqual(['connection 127.0.0.1', 'secure', 'connection 127.0.0.1']);
  });
});

test("'connection' of a socket that was handed over is heard once", async () => {
  const heard: unknown[] = [];
  const server = createServer(first, (socket) => socket.end('served'));
  server.on('connection', (socket) => heard.push(socket));
  const front = net.createServer((socket) => server.emit('connection', socket));
  expect((await read(await connectTo(await listen(front)))).toString()).toBe('served');
  expect(heard).toEqual([expect.any(net.Socket)]);
  front.close();
});

describe('attach', () => {
  test.each(['http', 'https'] as const)('serves for a server of node:%s, with its time limits', async (kind) => {
    const limits = { headersTimeout: 200, connectionsCheckingInterval: 50 };
    const respond: http.RequestListener = (incoming, response) => {
      response.end(`encrypted: ${String((incoming.socket as nodeTls.TLSSocket).encrypted)}`);
    };
    const server = kind === 'http' ? http.createServer(limits, respond) : createHttpsServer(limits, respond);
    const front = attach(server, first);
    const port = await listen(front);
    expect((await request(port, { agent: false })).body.toString()).toBe('encrypted: true');
    const slow = await connectTo(port);
    slow.write('GET / HT');
    expect((await read(slow)).toString()).toMatch(/^HTTP\/1.1 408 /);
    await close(front);
  });

  test("tells an error before a request by 'clientError', as node:https does", async () => {
    const server = http.createServer();
    const front = attach(server, first);
    const port = await listen(front);
    const heard = once(server, 'clientError') as Promise<[Error & { code: string }, TLSSocket]>;
    const client = net.connect(port, '127.0.0.1');
    client.end('GET / HTTP/1.1\r\n\r\n');
    expect((await heard)[0].code).toBe('ERR_SSL_HTTP_REQUEST');
    (await heard)[1].destroy();
    await close(front);
  });
});

test('contexts of ours can be used by clients of node:tls', async () => {
  const server = createServer(first, (socket) => socket.end());
  const port = await listen(server);
  const secureContext = createSecureContext({ ca: first.cert });
  const client = await connectTo(port, { secureContext, rejectUnauthorized: true, servername: 'first.test' });
  expect(client.authorized).toBe(true);
  client.destroy();
  await close(server);
});

test('register replaces servers and clients', () => {
  const program = `
    const https = require('node:https'), tls = require('node:tls'), { inherits } = require('node:util');
    const identity = ${JSON.stringify(first)};
    const context = tls.createSecureContext(${JSON.stringify(second)});
    function Legacy(options, listener) { https.Server.call(this, options, listener); }
    inherits(Legacy, https.Server);
    const SNICallback = (name, done) => done(null, context);
    const server = new Legacy({ ...identity, SNICallback }, (request, response) => {
      response.end(request.socket.handshake.place);
    });
    server.listen(0, '127.0.0.1', () => {
      const options = { port: server.address().port, host: '127.0.0.1', servername: 'x.test', agent: false };
      const request = https.get({ ...options, rejectUnauthorized: false }, (response) => {
        console.log(response.socket.getPeerCertificate().subject.CN, response.socket.handshake.place);
        response.on('data', (data) => console.log(String(data))).on('end', () => server.close());
      });
      request.on('error', (error) => { console.log(error); process.exit(1); });
    });`;
  const register = path.join(ROOT, 'dist', 'register.js');
  const ran = spawnSync(process.execPath, ['--require', register, '-e', program], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  expect([ran.stdout, ran.stderr, ran.status]).toEqual(['second.test thread\nthread\n', '', 0]);
});

test('register replaces the global agent, and servers over streams', () => {
  const program = `
    const https = require('node:https'), tls = require('node:tls'), { Duplex } = require('node:stream');
    const { TLSSocket } = require('openssl-async/tls');
    console.log(https.globalAgent instanceof https.Agent, new https.Agent() instanceof https.globalAgent.constructor);
    const stream = () => new Duplex({ read() {}, write() {} });
    const served = new tls.TLSSocket(stream(), { isServer: true, ...${JSON.stringify(first)} });
    console.log(served instanceof TLSSocket, served instanceof tls.TLSSocket);
    class Own extends tls.TLSSocket {}
    const clients = [new Own(stream()), new tls.TLSSocket(stream()), new tls.TLSSocket(stream(), { isServer: false })];
    console.log(clients.map((each) => each instanceof TLSSocket), Own.length);
    console.log(clients.map((each) => each instanceof tls.TLSSocket && typeof each.ssl.verifyError));
    console.log(tls.connect({ socket: stream() }) instanceof tls.TLSSocket);
    process.exit();`;
  const register = path.join(ROOT, 'dist', 'register.js');
  const ran = spawnSync(process.execPath, ['--require', register, '-e', program], { encoding: 'utf8', cwd: ROOT });
  const told = [
    'true true',
    'true true',
    '[ false, false, false ] 0',
    "[ 'function', 'function', 'function' ]",
    'true',
  ];
  expect([ran.stderr, ran.stdout]).toEqual(['', `${told.join('\n')}\n`]);
});

test('a second copy of the library that registers replaces the servers of the first one', () => {
  const program = `
    for (const file of Object.keys(require.cache)) if (file.includes('dist')) delete require.cache[file];
    require(${JSON.stringify(path.join(ROOT, 'dist', 'register.js'))});
    const https = require('node:https'), tls = require('node:tls');
    let connections = 0;
    const server = https.createServer(${JSON.stringify(first)}, (request, response) => {
      response.end(request.socket.handshake.place);
    });
    server.on('secureConnection', () => ++connections);
    server.listen(0, '127.0.0.1', () => {
      const options = { port: server.address().port, host: '127.0.0.1', agent: false, rejectUnauthorized: false };
      https.get(options, (response) => {
        response.on('data', (data) => console.log(String(data), connections)).on('end', () => server.close());
      });
    });`;
  const register = path.join(ROOT, 'dist', 'register.js');
  const ran = spawnSync(process.execPath, ['--require', register, '-e', program], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  expect([ran.stdout, ran.stderr, ran.status]).toEqual(['thread 1\n', '', 0]);
});

test('subscribers hear of handshakes, each in its connection', async () => {
  const events: [string, HandshakeMessage][] = [];
  const names = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'];
  const listeners = names.map((name) => (message: unknown) => {
    events.push([name, message as HandshakeMessage]);
  });
  names.forEach((name, index) => {
    subscribe(`openssl-async:tls:handshake:${name}`, listeners[index] as () => void);
  });
  const server = createServer(first, (socket) => socket.end());
  const port = await listen(server);
  await leave(await connectTo(port));
  const heard = events.splice(0);
  expect(heard.map(([name]) => name)).toEqual(['start', 'end', 'asyncStart', 'asyncEnd']);
  expect(new Set(heard.map(([, message]) => message)).size).toBe(1);
  expect(heard[0]?.[1]).toMatchObject({ server, handshake: { place: 'thread', resumed: false } });
  const failed = once(server, 'tlsClientError');
  net.connect(port, '127.0.0.1').end('x');
  await failed;
  expect(events.map(([name]) => name)).toEqual(['start', 'end', 'error', 'asyncStart', 'asyncEnd']);
  expect(events[2]?.[1].error).toBeInstanceOf(Error);
  names.forEach((name, index) => {
    unsubscribe(`openssl-async:tls:handshake:${name}`, listeners[index] as () => void);
  });
  await close(server);
});
