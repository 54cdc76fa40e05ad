// Clients that are slow: with a hello, with its parts, with reading. None of them costs others anything.
import { once } from 'node:events';
import * as nodeHttps from 'node:https';
import * as nodeTls from 'node:tls';
import { createServer as createHttpsServer } from 'openssl-async/https';
import { createServer, type Server } from 'openssl-async/tls';
import { close, connectTo, listen, read, selfSigned } from '../support/tls';
import { clientHello, connectInPieces, cutInto, sender, splitRecords } from '../support/tls-clients';

const identity = selfSigned('localhost');

const echo = (options: nodeTls.TlsOptions = {}): Server =>
  createServer({ ...identity, ...options }, (socket) => {
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });

async function echoes(client: nodeTls.TLSSocket, bytes: Buffer): Promise<void> {
  client.end(bytes);
  expect((await read(client)).equals(bytes)).toBe(true);
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise(setImmediate);
}

// Looks until nothing has changed for a while: there is no event for traffic that has stopped.
async function settled(count: () => number): Promise<number> {
  for (let seen = -1; ;) {
    if (seen > 0 && seen === count()) return seen;
    seen = count();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('a hello of %s', (maxVersion) => {
  test('byte by byte', async () => {
    const server = echo();
    const port = await listen(server);
    const client = await connectInPieces(port, cutInto(1), { maxVersion });
    await echoes(client, Buffer.from('in single bytes'));
    await close(server);
  });

  test.each([1, 7, 100])('in records of %d bytes', async (size) => {
    const server = echo();
    const port = await listen(server);
    const client = await connectInPieces(port, splitRecords(size), { maxVersion });
    await echoes(client, Buffer.from('in small records'));
    await close(server);
  });

  test('of more than 16 KiB, which needs several records', async () => {
    const names = Array.from({ length: 200 }, (_, i) => String(i).padStart(200, 'n'));
    const asked: string[][] = [];
    const server = echo({
      ALPNCallback: ({ protocols }) => {
        asked.push(protocols);
        return protocols.at(-1);
      },
    });
    const port = await listen(server);
    const client = await connectTo(port, { ALPNProtocols: names, maxVersion, servername: 'localhost' });
    expect(client.alpnProtocol).toBe(names.at(-1));
    expect(asked).toEqual([names]);
    await echoes(client, Buffer.from('after a long hello'));
    const pieces = await connectInPieces(port, cutInto(1000), { ALPNProtocols: names, maxVersion });
    await echoes(pieces, Buffer.from('after a long hello in pieces'));
    await close(server);
  });

  test('many at a time, each byte by byte, beside one that is in a hurry', async () => {
    const server = echo();
    const port = await listen(server);
    let hasSlowOnes = true;
    const slow = Array.from({ length: 30 }, async (_, i) => {
      const client = await connectInPieces(port, cutInto(1), { maxVersion });
      await echoes(client, Buffer.from(`slow ${i}`));
    });
    const all = Promise.all(slow).then(() => (hasSlowOnes = false));
    await echoes(await connectTo(port), Buffer.from('quick'));
    expect(hasSlowOnes).toBe(true);
    await all;
    await close(server);
  });
});

describe('clients that do not read', () => {
  test('are given up by a time limit of the application', async () => {
    const server = createServer(identity, (socket) => {
      socket.write(Buffer.alloc(8 * 2 ** 20));
      socket.setTimeout(300, () => socket.destroy());
    });
    const port = await listen(server);
    const secure = once(server, 'secureConnection') as Promise<[nodeTls.TLSSocket]>;
    const client = await connectTo(port);
    client.pause().on('error', () => undefined);
    const [socket] = await secure;
    await once(socket, 'close');
    client.destroy();
    await close(server);
  });

  test('hold back their own echo, and get all of it later', async () => {
    const server = echo();
    const port = await listen(server);
    const secure = once(server, 'secureConnection') as Promise<[nodeTls.TLSSocket]>;
    const client = await connectTo(port);
    const [socket] = await secure;
    const bytes = Buffer.alloc(32 * 2 ** 20, 'echo');
    client.pause().end(bytes);
    expect(await settled(() => socket.bytesRead)).toBeLessThan(bytes.length);
    await echoes(await connectTo(port), Buffer.from('beside'));
    expect((await read(client)).equals(bytes)).toBe(true);
    await close(server);
  });

  // node:https emits 'clientError' with HPE_PAUSED here, and loses requests.
  test('hold back the requests that they send ahead', async () => {
    const answer = Buffer.alloc(64 * 1024, 'a');
    const requests = 1000;
    let begun = 0;
    const server = createHttpsServer(identity, (_, outgoing) => {
      ++begun;
      outgoing.end(answer);
    });
    const port = await listen(server);
    const client = await connectTo(port);
    const request = `GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: ${'x'.repeat(2000)}\r\n\r\n`;
    client.pause().write(request.repeat(requests));
    const ahead = await settled(() => begun);
    expect(ahead).toBeLessThan(requests);
    let received = 0;
    client.resume().on('data', (bytes: Buffer) => (received += bytes.length));
    await until(() => begun === requests && received > answer.length * requests);
    client.destroy();
    await close(server);
  });

  test('and end their handshake by its time limit, although they have said hello', async () => {
    const server = echo({ handshakeTimeout: 300 });
    const port = await listen(server);
    const failed = once(server, 'tlsClientError') as Promise<[Error & { code: string }]>;
    const client = await sender(port, await clientHello());
    client.pause();
    expect((await failed)[0].code).toBe('ERR_TLS_HANDSHAKE_TIMEOUT');
    client.destroy();
    await close(server);
  });
});

describe('clients that reset the connection', () => {
  test.each([
    ['before a hello', 0],
    ['amid a hello', 50],
    ['after a hello', Infinity],
  ])('%s', async (_, size) => {
    const server = echo();
    const port = await listen(server);
    const failed = once(server, 'tlsClientError') as Promise<[Error & { code: string }]>;
    const hello = await clientHello();
    const client = await sender(port, hello.subarray(0, size));
    if (size > hello.length) await once(client, 'data');
    client.resetAndDestroy();
    expect((await failed)[0].code).toBe('ECONNRESET');
    await echoes(await connectTo(port), Buffer.from('afterwards'));
    await close(server);
  });

  test('while the server looks for a context', async () => {
    let answer: ((error: Error | null) => void) | undefined;
    const server = echo({
      SNICallback: (servername, done) => {
        if (servername === 'slow.test') answer = done;
        else done(null);
      },
    });
    const port = await listen(server);
    const client = await sender(port, await clientHello({ servername: 'slow.test' }));
    await until(() => answer !== undefined);
    client.resetAndDestroy();
    await echoes(await connectTo(port, { servername: 'quick.test' }), Buffer.from('beside'));
    answer?.(null);
    await close(server);
  });

  test('while they are written to', async () => {
    const server = createServer(identity, (socket) => {
      socket.write(Buffer.alloc(8 * 2 ** 20));
    });
    const port = await listen(server);
    const secure = once(server, 'secureConnection') as Promise<[nodeTls.TLSSocket]>;
    const raw = await sender(port, Buffer.alloc(0));
    nodeTls.connect({ socket: raw, rejectUnauthorized: false }).on('error', () => undefined);
    const [socket] = await secure;
    const failed = once(socket, 'error') as Promise<[Error & { code: string }]>;
    raw.resetAndDestroy();
    expect((await failed)[0].code).toMatch(/^(ECONNRESET|EPIPE)$/);
    await close(server);
  });
});

test('requests that arrive in single bytes are answered', async () => {
  const server = createHttpsServer(identity, (incoming, outgoing) => {
    void read(incoming).then((body) => outgoing.end(body));
  });
  const port = await listen(server);
  const client = await connectInPieces(port, cutInto(1));
  const agent = new nodeHttps.Agent();
  agent.createConnection = () => client;
  const sent = nodeHttps.request({ agent, host: 'localhost', method: 'POST' });
  const answered = once(sent, 'response') as Promise<[AsyncIterable<unknown>]>;
  sent.end('a body in single bytes');
  const [response] = await answered;
  expect((await read(response)).toString()).toBe('a body in single bytes');
  client.destroy();
  await close(server);
});
