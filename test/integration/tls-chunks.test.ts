// Bytes that listeners get are theirs alone: no memory of another connection can be reached from them, and they can be
// kept, changed and transferred.
import { once } from 'node:events';
import * as http from 'node:http';
import type * as nodeTls from 'node:tls';
import * as https from 'openssl-async/https';
import { createServer } from 'openssl-async/tls';
import { close, connectTo, listen, selfSigned } from '../support/tls';

const identity = selfSigned('localhost');
const CONNECTIONS = 20;

/** Bytes that each connection has of its own. */
const secretOf = (number: number): string => `secret-${String(number).padStart(3, '0')};`;

/** The numbers of all secrets in the memory that a view gives access to. */
function reachable(bytes: Uint8Array): number[] {
  const text = Buffer.from(bytes.buffer).toString('latin1');
  return [...new Set(Array.from(text.matchAll(/secret-(\d{3});/g), ([, digits]) => Number(digits)))];
}

// All write in one turn of the loop, which is the server's too.
async function together(port: number, textOf: (number: number) => string): Promise<nodeTls.TLSSocket[]> {
  const clients = await Promise.all(Array.from({ length: CONNECTIONS }, () => connectTo(port)));
  clients.forEach((client, number) => {
    client.on('error', () => undefined);
    client.write(textOf(number));
  });
  return clients;
}

type Reader = (socket: nodeTls.TLSSocket, take: (chunk: Buffer) => void) => void;
const readers: [name: string, read: Reader][] = [
  ["'data'", (socket, take) => socket.on('data', take)],
  [
    "'readable'",
    (socket, take) => {
      socket.on('readable', () => {
        for (let chunk; (chunk = socket.read() as Buffer | null) !== null;) take(chunk);
      });
    },
  ],
  [
    "'data' after pause()",
    (socket, take) => {
      socket.pause();
      setImmediate(() => socket.on('data', take).resume());
    },
  ],
  [
    'an iterator',
    (socket, take) => {
      void (async () => {
        for await (const chunk of socket) take(chunk as Buffer);
      })().catch(() => undefined);
    },
  ],
  [
    "two listeners of 'data'",
    (socket, take) => {
      socket.on('data', () => undefined).on('data', take);
    },
  ],
];

describe.each(readers)('chunks by %s', (_, readBy) => {
  test('have memory of their own', async () => {
    const chunks: Buffer[] = [];
    const server = createServer(identity, (socket) => {
      readBy(socket, (chunk) => {
        chunks.push(chunk);
        if (chunks.length === CONNECTIONS) server.emit('all');
      });
    });
    const port = await listen(server);
    const all = once(server, 'all');
    const clients = await together(port, (number) => secretOf(number).repeat(10));
    await all;
    for (const chunk of chunks) {
      expect(chunk.buffer.byteLength).toBe(chunk.length);
      expect(reachable(chunk)).toHaveLength(1);
    }
    expect(new Set(chunks.flatMap(reachable)).size).toBe(CONNECTIONS);
    for (const client of clients) client.destroy();
    await close(server);
  });

  test('can be changed and transferred in a listener, and others stay whole', async () => {
    const seen: string[] = [];
    const server = createServer(identity, (socket) => {
      readBy(socket, (chunk) => {
        seen.push(chunk.toString());
        chunk.fill(0);
        structuredClone(chunk, { transfer: [chunk.buffer as ArrayBuffer] });
        expect(chunk.length).toBe(0);
        if (seen.length % CONNECTIONS === 0) server.emit('all');
      });
    });
    const port = await listen(server);
    const first = once(server, 'all');
    const clients = await together(port, secretOf);
    await first;
    const second = once(server, 'all');
    clients.forEach((client, number) => client.write(`later ${secretOf(number)}`));
    await second;
    const numbers = clients.map((_client, number) => number);
    expect(seen.sort()).toEqual([...numbers.map(secretOf), ...numbers.map((n) => `later ${secretOf(n)}`)].sort());
    for (const client of clients) client.destroy();
    await close(server);
  });
});

const servers: [name: string, make: () => [served: http.Server, listening: nodeTls.Server]][] = [
  [
    'openssl-async/https',
    () => {
      const server = https.createServer(identity);
      return [server, server];
    },
  ],
  [
    'node:http, over sockets of openssl-async/tls',
    () => {
      const served = http.createServer();
      return [served, createServer(identity, (socket) => served.emit('connection', socket))];
    },
  ],
];

describe.each(servers)('bytes of %s', (_, make) => {
  const head = 'GET / HTTP/1.1\r\nHost: localhost\r\n';
  const cases: [
    name: string,
    textOf: (secret: string) => string,
    listenFor: (served: http.Server, take: (bytes: Buffer) => void) => void,
  ][] = [
    [
      'bodies',
      (secret) => `POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${secret.length}\r\n\r\n${secret}`,
      (served, take) => served.on('request', (incoming) => incoming.on('data', take)),
    ],
    [
      'chunked bodies',
      (secret) =>
        `POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n${secret.length.toString(16)}\r\n${secret}\r\n`,
      (served, take) => served.on('request', (incoming) => incoming.on('data', take)),
    ],
    [
      "heads of 'upgrade'",
      (secret) => `${head}Connection: Upgrade\r\nUpgrade: x\r\n\r\n${secret}`,
      (served, take) =>
        served.on('upgrade', (_incoming, _socket, bytes) => {
          take(bytes);
        }),
    ],
    [
      "heads of 'connect'",
      (secret) => `CONNECT localhost:1 HTTP/1.1\r\nHost: localhost\r\n\r\n${secret}`,
      (served, take) =>
        served.on('connect', (_incoming, _socket, bytes) => {
          take(bytes);
        }),
    ],
    [
      "the rawPacket of 'clientError'",
      (secret) => `no HTTP: ${secret}\r\n\r\n`,
      (served, take) =>
        served.on('clientError', (error) => {
          take((error as Error & { rawPacket: Buffer }).rawPacket);
        }),
    ],
    [
      'what follows an upgrade',
      (secret) => `${head}Connection: Upgrade\r\nUpgrade: x\r\n\r\n${secret}`,
      (served, take) =>
        served.on('upgrade', (_incoming, socket, bytes) => {
          socket.unshift(bytes);
          socket.on('data', take);
        }),
    ],
  ];

  test.each(cases)('%s', async (_name, textOf, listenFor) => {
    const [served, listening] = make();
    const found: number[][] = [];
    const transferred: string[] = [];
    const all = new Promise<void>((resolve) => {
      listenFor(served, (bytes) => {
        found.push(reachable(bytes));
        transferred.push(bytes.toString());
        if (bytes.buffer.byteLength === bytes.length) {
          structuredClone(bytes, { transfer: [bytes.buffer as ArrayBuffer] });
        }
        if (found.length === CONNECTIONS) resolve();
      });
    });
    const port = await listen(listening);
    const clients = await together(port, (number) => textOf(secretOf(number)));
    await all;
    expect(found.map((each) => each.length)).toEqual(found.map(() => 1));
    expect(found.flat().sort((one, other) => one - other)).toEqual(clients.map((_client, number) => number));
    for (const text of transferred) expect(text).toMatch(/secret-\d{3};/);
    for (const client of clients) client.destroy();
    served.closeAllConnections();
    await close(listening);
  });
});
