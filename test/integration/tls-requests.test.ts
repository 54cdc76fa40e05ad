// Servers of openssl-async/https under real clients of HTTP.
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import * as nodeHttps from 'node:https';
import * as nodeTls from 'node:tls';
import { createServer, type Server } from 'openssl-async/https';
import { close, connectTo, listen, read, request, run, selfSigned } from '../support/tls';

const identity = selfSigned('localhost');

describe.each(['loop', 'threads'] as const)('records: %s', (records) => {
  const options = { ...identity, records };

  /** Answers with what was sent, and with as many bytes as `?size=` says. */
  function echo(): Server {
    return createServer(options, (incoming, outgoing) => {
      const size = Number(new URL(incoming.url ?? '/', 'https://localhost').searchParams.get('size') ?? 0);
      void read(incoming).then((body) => outgoing.end(size > 0 ? Buffer.alloc(size, 'x') : body));
    });
  }

  test('a server passes for one of node:https, and its sockets for those of node:tls', async () => {
    const server = createServer(options);
    expect(server).toBeInstanceOf(nodeHttps.Server);
    expect(server).toBeInstanceOf(nodeTls.Server);
    const port = await listen(server);
    const asked = once(server, 'request') as Promise<[IncomingMessage, { end(text: string): void }]>;
    const answered = request(port);
    const [incoming, outgoing] = await asked;
    expect(incoming.socket).toBeInstanceOf(nodeTls.TLSSocket);
    expect((incoming.socket as nodeTls.TLSSocket).encrypted).toBe(true);
    expect(incoming.socket.remoteAddress).toBe('127.0.0.1');
    outgoing.end('answer');
    expect((await answered).body.toString()).toBe('answer');
    await close(server);
  });

  test('requests share a connection', async () => {
    const server = echo();
    let connections = 0;
    server.on('secureConnection', () => ++connections);
    const port = await listen(server);
    const agent = new nodeHttps.Agent({ keepAlive: true, maxSockets: 1 });
    for (let i = 0; i < 20; ++i) {
      const { body } = await request(port, { agent, method: 'POST' }, Buffer.from(`request ${String(i)}`));
      expect(body.toString()).toBe(`request ${String(i)}`);
    }
    expect(connections).toBe(1);
    agent.destroy();
    await close(server);
  });

  test.each([90_000, 5 * 2 ** 20])('a body of %d bytes arrives whole, and comes back', async (size) => {
    const server = echo();
    const port = await listen(server);
    const sent = Buffer.alloc(size, 'abcdefg');
    const { body } = await request(port, { method: 'POST' }, sent);
    expect(body.equals(sent)).toBe(true);
    await close(server);
  });

  test('a slow reader holds back an answer, and gets all of it', async () => {
    const server = echo();
    const port = await listen(server);
    const sent = nodeHttps.get({ port, host: '127.0.0.1', path: '/?size=8388608', rejectUnauthorized: false });
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    response.pause();
    await new Promise(setImmediate);
    expect((await read(response)).length).toBe(8 * 2 ** 20);
    await close(server);
  });

  test('many connections at once get their own answers', async () => {
    const server = echo();
    const port = await listen(server);
    const bodies = Array.from({ length: 100 }, (_, i) => Buffer.alloc(1000 + i * 300, String(i)));
    const answers = await Promise.all(bodies.map((body) => request(port, { method: 'POST' }, body)));
    answers.forEach(({ body }, i) => {
      expect(body.equals(bodies[i] as Buffer)).toBe(true);
    });
    await close(server);
  });

  test('curl gets its answer, by HTTP/1.1', async () => {
    const server = echo();
    const port = await listen(server);
    const url = `https://127.0.0.1:${String(port)}/`;
    const { stdout } = await run('curl', ['-sk', '--data', 'by curl', '-w', ' %{http_version}', url]);
    expect(stdout).toBe('by curl 1.1');
    await close(server);
  });

  test('the head of an upgrade is kept, although it came with the request', async () => {
    const server = createServer(options);
    const port = await listen(server);
    const upgraded = once(server, 'upgrade') as Promise<[IncomingMessage, nodeTls.TLSSocket, Buffer]>;
    const client = await connectTo(port);
    client.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nhead');
    const [, socket, head] = await upgraded;
    client.write('later');
    const [later] = (await once(socket, 'data')) as [Buffer];
    expect([head.toString(), later.toString()]).toEqual(['head', 'later']);
    expect(later.buffer.byteLength).toBe(later.length);
    client.destroy();
    socket.destroy();
    await close(server);
  });

  test('a broken request is told as clientError', async () => {
    const server = createServer(options);
    const port = await listen(server);
    const told = once(server, 'clientError') as Promise<
      [Error & { code: string; rawPacket: Buffer }, nodeTls.TLSSocket]
    >;
    const client = await connectTo(port);
    client.write('no HTTP at all\r\n\r\n');
    const [error, socket] = await told;
    expect([error.code, error.rawPacket.toString()]).toEqual(['HPE_INVALID_METHOD', 'no HTTP at all\r\n\r\n']);
    socket.destroy();
    client.destroy();
    await close(server);
  });

  test('time limits of node:http work: headers that never end', async () => {
    const server = createServer({ ...options, headersTimeout: 200, connectionsCheckingInterval: 50 });
    const port = await listen(server);
    const client = await connectTo(port);
    client.write('GET / HTTP/1.1\r\n');
    expect((await read(client)).toString()).toMatch(/^HTTP\/1.1 408/);
    await close(server);
  });

  test('closeAllConnections ends what is open', async () => {
    const server = createServer(options, () => undefined);
    const port = await listen(server);
    const client = await connectTo(port);
    client.on('error', () => undefined);
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await once(server, 'request');
    server.closeAllConnections();
    await once(client, 'close');
    await close(server);
  });
});
