// Requests of HTTPS in early data: safe ones go on at once, others wait until they are no replay.
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type * as net from 'node:net';
import { createServer as createHttpServer } from 'node:http';
import * as http2 from '../../lib/tls/http2';
import { attach, createServer, type Server } from '../../lib/tls/https';
import { createServer as createTlsServer, type TLSSocket } from '../../lib/tls/tls';
import { dial, Proxy, sessionOf } from '../support/early-data';
import { close, listen, selfSigned } from '../support/tls';

const identity = selfSigned('localhost');
const options = { ...identity, maxEarlyData: 2 ** 17 };

/** A client whose handshake waits for `release()`, and all that it has received. */
class Client {
  readonly socket: TLSSocket;
  readonly #proxy: Proxy;
  text = '';

  constructor(proxy: Proxy, port: number, session: Buffer, earlyData: string) {
    this.#proxy = proxy;
    this.socket = dial(port, { session, earlyData });
    this.socket.on('error', () => undefined);
    this.socket.on('data', (bytes: Buffer) => (this.text += bytes.toString()));
  }
  release(): void {
    this.#proxy.release();
  }
  async received(text: string): Promise<void> {
    while (!this.text.includes(text)) await new Promise((resolve) => this.socket.once('data', resolve));
  }
  end(): void {
    this.socket.destroy();
    this.#proxy.close();
  }
}

async function sends(server: net.Server, text: string): Promise<Client> {
  const port = await listen(server);
  const proxy = new Proxy(port);
  return new Client(proxy, await proxy.listen(), await sessionOf(port), text);
}

const isEarly = (request: IncomingMessage): boolean => (request.socket as unknown as TLSSocket).isEarlyData;

/** A server that names the requests that it hears, with their bodies. */
function naming(heard: string[]): Server {
  return createServer(options, (request, response) => {
    const early = isEarly(request);
    let size = 0;
    request.on('data', (bytes: Buffer) => (size += bytes.length));
    request.on('end', () => {
      const name = `${String(request.method)} ${String(request.url)} ${String(size)} ${early ? 'early' : 'complete'}`;
      heard.push(name);
      response.end(`${name};`);
    });
  });
}

const get = (method: string, path: string, headers = ''): string =>
  `${method} ${path} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`;

test.each(['GET', 'OPTIONS', 'TRACE'])('%s goes on at once', async (method) => {
  const heard: string[] = [];
  const server = naming(heard);
  const client = await sends(server, get(method, '/one') + get(method, '/two'));
  await client.received(`${method} /two 0 early;`);
  expect(heard).toEqual([`${method} /one 0 early`, `${method} /two 0 early`]);
  client.release();
  client.socket.write(get(method, '/three'));
  await client.received(`${method} /three 0 complete;`);
  client.end();
  await close(server);
});

test.each([
  ['POST', get('POST', '/x', 'Content-Length: 4\r\n') + 'body', 4],
  ['DELETE', get('DELETE', '/x'), 0],
  ['GET', get('GET', '/x', 'Content-Length: 4\r\n') + 'body', 4],
  ['GET', get('GET', '/x', 'Transfer-Encoding: chunked\r\n') + '4\r\nbody\r\n0\r\n\r\n', 4],
  // More than a stream holds before it stops reading.
  ['POST', get('POST', '/x', 'Content-Length: 100000\r\n') + 'x'.repeat(100_000), 100_000],
])('%s waits for the end of the handshake, and so do later requests: %#', async (method, request, size) => {
  const heard: string[] = [];
  const server = naming(heard);
  const client = await sends(server, get('GET', '/before') + request + get('GET', '/after'));
  await client.received('GET /before 0 early;');
  client.release();
  await client.received('GET /after 0 complete;');
  expect(heard).toEqual(['GET /before 0 early', `${method} /x ${String(size)} complete`, 'GET /after 0 complete']);
  client.end();
  await close(server);
});

test.each([
  ['upgrade', get('GET', '/x', 'Connection: Upgrade\r\nUpgrade: other\r\n')],
  ['connect', get('CONNECT', 'example.org:443')],
  ['checkContinue', get('PUT', '/x', 'Expect: 100-continue\r\nContent-Length: 4\r\n')],
  ['checkExpectation', get('GET', '/x', 'Expect: more\r\n')],
])("'%s' waits for the end of the handshake", async (event, text) => {
  const heard: string[] = [];
  const server = naming(heard);
  const raised = new Promise<void>((resolve) => {
    server.on(event, (request: IncomingMessage, answer: net.Socket | ServerResponse) => {
      heard.push(`${event} ${String(isEarly(request))}`);
      answer.end();
      resolve();
    });
  });
  const client = await sends(server, get('GET', '/before') + text);
  await client.received('GET /before 0 early;');
  expect(heard).toEqual(['GET /before 0 early']);
  client.release();
  await raised;
  expect(heard).toEqual(['GET /before 0 early', `${event} false`]);
  client.end();
  await close(server);
});

test('a handler answers 425, or waits by itself', async () => {
  const server = createServer(options, (request, response) => {
    const socket = request.socket as unknown as TLSSocket;
    if (request.url === '/costly') {
      response.writeHead(socket.isEarlyData ? 425 : 200).end('said');
      return;
    }
    void socket.handshakeComplete().then(() => response.end(`waited ${String(socket.isEarlyData)}`));
  });
  const client = await sends(server, get('GET', '/costly') + get('GET', '/patient'));
  await client.received('said');
  expect(client.text).toMatch(/^HTTP\/1.1 425 Too Early\r\n/);
  client.release();
  await client.received('waited false');
  client.end();
  await close(server);
});

test('a request that waits is dropped with its connection', async () => {
  const heard: string[] = [];
  const server = naming(heard);
  const failed = once(server, 'clientError') as Promise<[NodeJS.ErrnoException]>;
  const client = await sends(server, get('GET', '/before') + get('POST', '/x', 'Content-Length: 0\r\n'));
  await client.received('GET /before 0 early;');
  client.end();
  expect((await failed)[0].code).toBe('ECONNRESET');
  await close(server);
  expect(heard).toEqual(['GET /before 0 early']);
});

const posts = (count: number): string =>
  Array.from({ length: count }, (_, i) => get('POST', `/${String(i)}`, 'Content-Length: 0\r\n')).join('');

test('a hundred requests wait, and keep their order', async () => {
  const heard: string[] = [];
  const server = naming(heard);
  const client = await sends(server, get('GET', '/before') + posts(100));
  await client.received('GET /before 0 early;');
  client.release();
  await client.received('POST /99 0 complete;');
  expect(heard.slice(1)).toEqual(Array.from({ length: 100 }, (_, i) => `POST /${String(i)} 0 complete`));
  client.end();
  await close(server);
});

test('a client whose requests would wait in greater numbers is cut off', async () => {
  const heard: string[] = [];
  const server = naming(heard);
  const failed = once(server, 'clientError') as Promise<[NodeJS.ErrnoException]>;
  const client = await sends(server, posts(101) + get('GET', '/after'));
  const [{ code }] = await failed;
  expect(code).toBe('ERR_ASYNC_QUEUE_FULL');
  client.release();
  client.end();
  await close(server);
  expect(heard).toEqual([]);
});

test('nothing that waits runs when an earlier request has destroyed the connection', async () => {
  const heard: string[] = [];
  const server = createServer(options, (request) => {
    heard.push(String(request.url));
    if (request.method === 'POST') request.socket.destroy();
  });
  const client = await sends(server, get('GET', '/before') + posts(3));
  while (heard.length === 0) await once(server, 'request');
  client.release();
  await once(client.socket, 'close');
  await close(server);
  client.end();
  expect(heard).toEqual(['/before', '/0']);
});

// A socket of a second copy of the package, in the memory of another file of this test's modules.
test('requests wait in a server of another copy of this package', async () => {
  let copy: typeof import('../../lib/tls/https') | undefined;
  jest.isolateModules(() => {
    copy = jest.requireActual<typeof import('../../lib/tls/https')>('../../lib/tls/https');
  });
  const heard: string[] = [];
  const other = (copy as typeof import('../../lib/tls/https')).createServer(identity, (request, response) => {
    heard.push(`${String(request.method)} ${isEarly(request) ? 'early' : 'complete'}`);
    response.end(`${String(request.method)};`);
  });
  const server = createTlsServer(options, (socket) => {
    other.emit('secureConnection', socket);
  });
  const client = await sends(server, get('GET', '/') + posts(1));
  await client.received('GET;');
  expect(heard).toEqual(['GET early']);
  client.release();
  await client.received('POST;');
  expect(heard).toEqual(['GET early', 'POST complete']);
  client.end();
  await close(server);
});

test('an answer with which the connection ends arrives whole', async () => {
  const server = naming([]);
  const client = await sends(server, get('GET', '/last', 'Connection: close\r\n'));
  await client.received('GET /last 0 early;');
  const ended = new Promise((resolve) => client.socket.once('end', resolve));
  client.release();
  await ended;
  client.end();
  await close(server);
});

test('servers whose requests cannot wait take no early data', () => {
  const refused = expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }) as Error;
  expect(() => http2.createSecureServer(options as http2.Http2Options)).toThrow(refused);
  expect(() => attach(createHttpServer(), options)).toThrow(refused);
});
