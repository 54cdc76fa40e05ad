// Frameworks and clients of others over servers of openssl-async/https, unchanged: made by createServer(), by attach()
// and by openssl-async/register.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { IncomingMessage, ServerResponse, type Server as HttpServer, type RequestListener } from 'node:http';
import { createSecureServer as createHttp2Server, type ServerHttp2Stream } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { getRequestListener, serve } from '@hono/node-server';
import express from 'express';
import fastify, { type FastifyServerFactory } from 'fastify';
import { Hono } from 'hono';
import Koa from 'koa';
import { attach, createServer, type Server } from 'openssl-async/https';
import { Agent, request as undiciRequest } from 'undici';
import { WebSocket, WebSocketServer } from 'ws';
import { ask, closeSession, sessionTo } from '../support/http2';
import { inChild, resultOf } from '../support/programs';
import { close, connectTo, listen, read, request, selfSigned } from '../support/tls';

const identity = selfSigned('localhost');
const MIB = 2 ** 20;

/** What each application answers to a POST: what it was sent, and whether it takes the connection for a secure one. */
interface Answer {
  secure: boolean;
  text: string;
}

function expressApplication(): RequestListener {
  const app = express();
  app.use(express.text());
  app.post('/', (incoming, outgoing) => {
    outgoing.json({ secure: incoming.secure, text: incoming.body as string });
  });
  return app;
}

function koaApplication(): RequestListener {
  const app = new Koa();
  app.use(async (context) => {
    context.body = { secure: context.secure, text: (await read(context.req)).toString() };
  });
  const callback = app.callback();
  return (incoming, outgoing) => void callback(incoming, outgoing);
}

function honoApplication(): Hono {
  const app = new Hono();
  app.post('/', async (context) =>
    context.json({ secure: context.req.url.startsWith('https:'), text: await context.req.text() }),
  );
  return app;
}

function honoListener(): RequestListener {
  const listener = getRequestListener((asked) => honoApplication().fetch(asked));
  return (incoming, outgoing) => void listener(incoming, outgoing);
}

/** Asks an application, on one connection, what it was sent; then closes the server. */
async function expectAnswers(port: number): Promise<void> {
  const headers = { 'content-type': 'text/plain' };
  for (const text of ['first', 'second']) {
    const { response, body } = await request(port, { method: 'POST', headers }, Buffer.from(text));
    expect(response.statusCode).toBe(200);
    expect(JSON.parse(body.toString()) as Answer).toEqual({ secure: true, text });
  }
}

const listeners = [
  ['express', expressApplication],
  ['koa', koaApplication],
  ['hono', honoListener],
] as const;

describe('createServer()', () => {
  test.each(listeners)('%s', async (_, application) => {
    const server = createServer(identity, application());
    await expectAnswers(await listen(server));
    await close(server);
  });

  test("@hono/node-server's serve()", async () => {
    const server = serve({
      fetch: honoApplication().fetch,
      port: 0,
      hostname: '127.0.0.1',
      createServer,
      serverOptions: identity,
    }) as Server;
    await once(server, 'listening');
    await expectAnswers((server.address() as { port: number }).port);
    await close(server);
  });

  test('fastify, whose serverFactory it is', async () => {
    const serverFactory: FastifyServerFactory<Server> = (handler) => createServer(identity, handler);
    const app = fastify({ serverFactory });
    app.post('/', (asked) => ({ secure: asked.protocol === 'https', text: asked.body }));
    await app.listen({ port: 0, host: '127.0.0.1' });
    await expectAnswers((app.server.address() as { port: number }).port);
    await app.close();
    expect(app.server.listening).toBe(false);
  });
});

describe('attach()', () => {
  const { createServer: createHttpServer } = jest.requireActual<typeof import('node:http')>('node:http');

  test.each(listeners)('%s', async (_, application) => {
    const front = attach(createHttpServer(application()), identity);
    await expectAnswers(await listen(front));
    await close(front);
  });

  test('fastify', async () => {
    const app = fastify();
    app.post('/', (asked) => ({ secure: (asked.socket as { encrypted?: boolean }).encrypted, text: asked.body }));
    await app.ready();
    const front = attach(app.server, identity);
    await expectAnswers(await listen(front));
    await close(front);
    await app.close();
  });

  test('fastify with HTTP/2, whose certificate nobody sees', async () => {
    const app = fastify({ http2: true, https: { ...selfSigned('nobody.test'), allowHTTP1: true } });
    app.post('/', (asked) => ({ secure: asked.protocol === 'https', text: asked.body }));
    await app.ready();
    const front = attach(app.server, identity);
    const port = await listen(front);
    await expectAnswers(port);
    const session = await sessionTo(port, { rejectUnauthorized: true, ca: identity.cert });
    const { headers, body } = await ask(session, { 'content-type': 'text/plain' }, Buffer.from('first'));
    expect([headers[':status'], JSON.parse(body.toString())]).toEqual([200, { secure: true, text: 'first' }]);
    await closeSession(session);
    await close(front);
    await app.close();
  });

  test.each([true, false])('a server of node:http2, with HTTP/1.1: %s', async (allowHTTP1) => {
    const server = createHttp2Server({ allowHTTP1 }, ({ httpVersion, socket, stream }, response) => {
      const { encrypted, alpnProtocol } = socket as TLSSocket;
      const session = (stream as ServerHttp2Stream | undefined)?.session; // none with HTTP/1.1
      response.end(JSON.stringify([httpVersion, encrypted, alpnProtocol, session?.encrypted ?? null]));
    });
    const refused = once(server, 'clientError') as Promise<[{ code?: string }]>;
    const front = attach(server, identity);
    const port = await listen(front);
    const session = await sessionTo(port);
    expect(JSON.parse((await ask(session)).body.toString())).toEqual(['2.0', true, 'h2', true]);
    if (allowHTTP1) {
      const { body } = await request(port);
      expect(JSON.parse(body.toString())).toEqual(['1.1', true, false, null]);
    } else {
      await expect(connectTo(port, { ALPNProtocols: ['http/1.1'] })).rejects.toMatchObject({
        code: 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL',
      });
      expect((await refused)[0].code).toBe('ERR_SSL_NO_APPLICATION_PROTOCOL');
    }
    await closeSession(session);
    await close(front);
  });

  test('a server with classes of its own', async () => {
    class Answer extends ServerResponse {
      readonly isOwn = true;
    }
    const server = createHttpServer({
      ServerResponse: Answer,
      IncomingMessage: class Asked extends IncomingMessage {},
    });
    server.on('request', (asked, answer) => answer.end(`${asked.constructor.name} ${String(answer.isOwn)}`));
    const front = attach(server as unknown as HttpServer, identity);
    const { body } = await request(await listen(front));
    expect(body.toString()).toBe('Asked true');
    await close(front);
  });

  test('the protocols of its own options', async () => {
    const front = attach(createHttp2Server({ allowHTTP1: true }), { ...identity, ALPNProtocols: ['h2'] });
    const port = await listen(front);
    await expect(connectTo(port, { ALPNProtocols: ['http/1.1'] })).rejects.toMatchObject({
      code: 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL',
    });
    await close(front);
  });
});

test('openssl-async/register: programs that know nothing of the package', async () => {
  const outcome = await inChild(
    async ({ require: load }) => {
      const { execFileSync } = load('node:child_process') as typeof import('node:child_process');
      const https = load('node:https') as typeof import('node:https');
      const { TLSSocket } = load('./dist/tls.js') as typeof import('openssl-async/tls');
      const made = execFileSync(
        'openssl',
        'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout - -subj /CN=localhost'.split(' '),
        { stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, LD_PRELOAD: '' } },
      ).toString();
      const pem = { key: made, cert: made };
      const isOurs = (socket: unknown): boolean => socket instanceof TLSSocket;
      const ask = (port: number): Promise<string> =>
        new Promise((resolve, reject) => {
          https
            .get({ port, host: '127.0.0.1', rejectUnauthorized: false, agent: false }, (answer) => {
              let text = '';
              answer.setEncoding('utf8').on('data', (part: string) => (text += part));
              answer.on('end', () => {
                resolve(text);
              });
            })
            .on('error', reject);
        });
      const portOf = (server: { address(): unknown }): number => (server.address() as { port: number }).port;

      const app = (load('fastify') as typeof fastify)({ https: pem });
      app.get('/', (asked) => ({ ours: isOurs(asked.raw.socket) }));
      await app.listen({ port: 0, host: '127.0.0.1' });
      const answers = [await ask(portOf(app.server))];
      await app.close();

      const expressApp = (load('express') as typeof express)();
      expressApp.get('/', (asked, answer) => {
        answer.json({ ours: isOurs(asked.socket) });
      });
      const server = https.createServer(pem, expressApp as RequestListener);
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      answers.push(await ask(portOf(server)));
      server.close();
      return answers;
    },
    { nodeArgs: ['--require', './dist/register.js'] },
  );
  expect(resultOf(outcome)).toEqual(['{"ours":true}', '{"ours":true}']);
});

describe('ws', () => {
  function echo(): { server: Server; sockets: WebSocketServer } {
    const server = createServer(identity);
    const sockets = new WebSocketServer({ server });
    sockets.on('connection', (socket) => {
      socket.on('message', (data, isBinary) => {
        socket.send(data, { binary: isBinary });
      });
    });
    return { server, sockets };
  }

  test('echoes a mebibyte, and text', async () => {
    const { server } = echo();
    const client = new WebSocket(`wss://127.0.0.1:${String(await listen(server))}/`, { rejectUnauthorized: false });
    await once(client, 'open');
    for (const [sent, isBinary] of [
      [randomBytes(MIB), true],
      [Buffer.from('text'), false],
    ] as const) {
      client.send(sent, { binary: isBinary });
      const [received, binary] = (await once(client, 'message')) as [Buffer, boolean];
      expect([received.equals(sent), binary]).toEqual([true, isBinary]);
    }
    client.close(1000, 'done');
    const [code, reason] = (await once(client, 'close')) as [number, Buffer];
    expect([code, reason.toString()]).toEqual([1000, 'done']);
    await close(server);
  });

  test('a frame that arrives with the request is the head', async () => {
    const { server, sockets } = echo();
    const client = await connectTo(await listen(server));
    const lines = ['GET / HTTP/1.1', 'Host: localhost', 'Connection: Upgrade', 'Upgrade: websocket'];
    const key = ['Sec-WebSocket-Version: 13', `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`];
    // Text of four bytes under a mask of zeros, and the end with no code.
    const frames = Buffer.from([0x81, 0x84, 0, 0, 0, 0, ...Buffer.from('head'), 0x88, 0x80, 0, 0, 0, 0]);
    client.write(Buffer.concat([Buffer.from([...lines, ...key, '', ''].join('\r\n')), frames]));
    const answer = await read(client);
    const end = answer.indexOf('\r\n\r\n') + 4;
    expect(answer.toString('latin1', 0, end)).toMatch(/^HTTP\/1\.1 101 /);
    expect([...answer.subarray(end)]).toEqual([0x81, 4, ...Buffer.from('head'), 0x88, 0]);
    sockets.close();
    await close(server);
  });
});

test('undici as a client: requests after each other, and at the same time', async () => {
  const server: HttpServer = createServer(identity, (incoming, outgoing) => {
    void read(incoming).then((body) => outgoing.end(body));
  });
  const port = await listen(server);
  const dispatcher = new Agent({ connect: { rejectUnauthorized: false }, connections: 4, pipelining: 1 });
  const ask = async (body: Buffer): Promise<boolean> => {
    const answer = await undiciRequest(`https://127.0.0.1:${String(port)}/`, { method: 'POST', body, dispatcher });
    return Buffer.from(await answer.body.arrayBuffer()).equals(body);
  };
  expect(await ask(randomBytes(MIB))).toBe(true);
  const bodies = Array.from({ length: 40 }, (_, i) => randomBytes(1000 * i));
  expect(await Promise.all(bodies.map(ask))).toEqual(bodies.map(() => true));
  await dispatcher.close();
  await close(server);
});
