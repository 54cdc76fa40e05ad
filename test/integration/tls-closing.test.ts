// Servers end while handshakes are under way.
import { once } from 'node:events';
import type * as net from 'node:net';
import * as nodeTls from 'node:tls';
import * as https from 'openssl-async/https';
import { createServer, createSecureContext } from 'openssl-async/tls';
import { listen, read, selfSigned } from '../support/tls';
import { clientHello, sender } from '../support/tls-clients';
import { TalkingChild } from '../support/talking-child';

const identity = selfSigned('localhost');

type Done = (error: Error | null, context?: nodeTls.SecureContext) => void;

describe('close() waits for handshakes', () => {
  const CLIENTS = 30;

  // Contexts are looked for until close() was called.
  async function closing(create: (options: nodeTls.TlsOptions) => net.Server): Promise<string[]> {
    const pending: Done[] = [];
    const server = create({
      ...identity,
      SNICallback: (_, done: Done) => {
        pending.push(done);
        if (pending.length === CLIENTS) server.emit('all asked');
      },
    });
    const asked = once(server, 'all asked');
    const port = await listen(server);
    let secure = 0;
    server.on('secureConnection', () => ++secure);
    const answers = Array.from({ length: CLIENTS }, async () => {
      const options = { port, host: '127.0.0.1', servername: 'localhost', rejectUnauthorized: false };
      const client = nodeTls.connect(options);
      client.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
      return (await read(client)).toString();
    });
    await asked;
    let isClosed = false;
    const closed = once(server, 'close').then(() => (isClosed = true));
    server.close();
    await new Promise(setImmediate);
    expect(isClosed).toBe(false);
    const context = createSecureContext(identity) as nodeTls.SecureContext;
    for (const [number, done] of pending.entries()) done(null, number % 2 === 0 ? context : undefined);
    const all = await Promise.all(answers);
    await closed;
    expect(secure).toBe(CLIENTS);
    return all;
  }

  test('of a server of TLS', async () => {
    const answers = await closing((options) => createServer(options, (socket) => socket.resume().end('served')));
    expect(answers).toEqual(Array.from({ length: CLIENTS }, () => 'served'));
  });

  test('of a server of HTTPS', async () => {
    const answers = await closing((options) =>
      https.createServer(options, (_, outgoing) => {
        outgoing.end('served');
      }),
    );
    for (const answer of answers) expect(answer).toMatch(/^HTTP\/1.1 200 [^]*served/);
  });

  test('that fail, too', async () => {
    const server = createServer(identity);
    const port = await listen(server);
    const hello = await clientHello();
    const clients = await Promise.all(
      Array.from({ length: CLIENTS }, (_, number) => sender(port, hello.subarray(0, number * 20))),
    );
    const connections = (): Promise<number> =>
      new Promise((resolve) => {
        server.getConnections((_, count) => {
          resolve(count);
        });
      });
    while ((await connections()) < CLIENTS) await new Promise(setImmediate);
    const codes: unknown[] = [];
    server.on('tlsClientError', (error) => codes.push((error as { code?: string }).code));
    let isClosed = false;
    const closed = once(server, 'close').then(() => (isClosed = true));
    server.close();
    for (const client of clients) {
      expect(isClosed).toBe(false);
      client.destroy();
    }
    await closed;
    expect(codes).toEqual(Array.from({ length: CLIENTS }, () => 'ECONNRESET'));
  });
});

describe('hundreds of handshakes end', () => {
  const COUNT = 300;
  interface Message {
    port: number;
    handshakes: number;
    code: number;
  }

  // A quarter each: silent, amid a hello, waiting for a context, and never answering the server's messages.
  async function handshakes(port: number): Promise<{ clients: net.Socket[]; ended: Promise<unknown> }> {
    const hello = await clientHello();
    const pending = await clientHello({ servername: 'pending.test' });
    const stages = [Buffer.alloc(0), hello.subarray(0, 50), pending, hello] as const;
    const clients = await Promise.all(
      Array.from({ length: COUNT }, (_, number) => sender(port, stages[number % 4] as Buffer)),
    );
    const ended = Promise.all(clients.map((client) => once(client, 'close')));
    const answered = clients.filter((_, number) => number % 4 === 3).map((client) => once(client, 'data'));
    await Promise.all(answered);
    for (const client of clients) client.resume();
    return { clients, ended };
  }

  test('with their process, at once', async () => {
    const child = new TalkingChild<Message>('tls-handshakes-end', ['main', String(COUNT)]);
    const { ended } = await handshakes((await child.next()).port);
    expect(await child.next()).toEqual({ handshakes: COUNT });
    const began = performance.now();
    child.send('exit');
    expect(await child.ended).toEqual({ code: 0, signal: null, stderr: '' });
    expect(performance.now() - began).toBeLessThan(5000);
    await ended;
  });

  test('with their process, in a burst', async () => {
    const child = new TalkingChild<Message>('tls-handshakes-end', ['first', '0']);
    const { port } = await child.next();
    const clients = Array.from({ length: COUNT }, () => {
      const client = nodeTls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
      return client.on('error', () => undefined).resume();
    });
    const closed = Promise.all(clients.map((client) => new Promise((resolve) => client.on('close', resolve))));
    await closed;
    expect(await child.ended).toEqual({ code: 0, signal: null, stderr: '' });
  });

  test('with their worker, and the next worker serves', async () => {
    const child = new TalkingChild<Message>('tls-handshakes-end', ['worker', String(COUNT)]);
    const { ended } = await handshakes((await child.next()).port);
    expect(await child.next()).toEqual({ handshakes: COUNT });
    child.send('terminate');
    await ended;
    const { code, port } = await child.next();
    expect(code).toBe(1);
    const client = nodeTls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    expect((await read(client)).toString()).toBe('served');
    child.send('end');
    expect(await child.ended).toEqual({ code: 0, signal: null, stderr: '' });
  });
});
