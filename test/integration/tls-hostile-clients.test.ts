// Clients that break the protocol: the server says of each what a server of Node.js says.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as nodeHttps from 'node:https';
import type { Server as NodeServer } from 'node:net';
import type { Duplex } from 'node:stream';
import * as nodeTls from 'node:tls';
import * as https from 'openssl-async/https';
import * as tls from 'openssl-async/tls';
import { pipedPair } from '../support/piped-pair';
import { close, connectTo, listen, read, selfSigned } from '../support/tls';
import { clientHello, sender, splitRecords } from '../support/tls-clients';
import { endStreams, serve } from '../support/tls-over-streams';

const identity = selfSigned('localhost');
const echo = (): tls.Server =>
  tls.createServer(identity, (socket) => {
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });

async function echoes(client: nodeTls.TLSSocket, text: string): Promise<void> {
  client.end(text);
  expect((await read(client)).toString()).toBe(text);
}

// Types of records, and alerts whole: lengths of encrypted records differ with the length of a signature.
function recordsOf(bytes: Buffer): string[] {
  const records: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 5 + bytes.readUInt16BE(at + 3);
    records.push(bytes[at] === 21 ? bytes.toString('hex', at, end) : String(bytes[at]));
    at = end;
  }
  return records;
}

type Outcome = [code: string, records: string[]];

/** What happens to clients that send these bytes, and then end. */
async function outcomes(server: NodeServer, event: string, inputs: readonly Buffer[]): Promise<Outcome[]> {
  const port = await listen(server);
  const found: Outcome[] = [];
  for (const input of inputs) {
    const failed = once(server, event) as Promise<[Error & { code: string }, nodeTls.TLSSocket]>;
    const client = await sender(port, input);
    client.end();
    const [[{ code }, socket], answer] = await Promise.all([failed, read(client)]);
    socket.destroy();
    found.push([code, recordsOf(answer)]);
  }
  await close(server);
  return found;
}

const record = (type: number, payload: Buffer | number[], version = 0x0301): Buffer => {
  const bytes = Buffer.from(payload);
  return Buffer.concat([
    Buffer.from([type, version >> 8, version & 255, bytes.length >> 8, bytes.length & 255]),
    bytes,
  ]);
};

describe('bytes that are no handshake', () => {
  const cases: [name: string, bytes: Buffer][] = [
    ['a request of HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')],
    ['a request of a proxy', Buffer.from('CONNECT localhost:443 HTTP/1.1\r\n\r\n')],
    ['the preface of HTTP/2', Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')],
    ['the greeting of SSH', Buffer.from('SSH-2.0-OpenSSH_9.2\r\n')],
    ['zeros', Buffer.alloc(300)],
    ['ones', Buffer.alloc(300, 255)],
    ['a record of data', record(23, Buffer.alloc(100))],
    ['an alert', record(21, [2, 40])],
    ['a warning', record(21, [1, 0])],
    ['ChangeCipherSpec', record(20, [1])],
    ['a record of an unknown type', record(99, Buffer.alloc(10))],
    ['a record of no bytes', record(22, [])],
    ['a record that is too long', record(22, Buffer.alloc(0xffff)).subarray(0, 100)],
    ['a hello of SSL 2', Buffer.from('802e0100020015000000100100800300800700c0060040020080040080', 'hex')],
    ['a hello that claims 16 MiB', record(22, [1, 255, 255, 255, ...Buffer.alloc(100)])],
    ['a hello of no bytes', record(22, [1, 0, 0, 0])],
    ['the hello of a server', record(22, [2, 0, 0, 2, 3, 3])],
    ['an end of a handshake that never began', record(22, [20, 0, 0, 12, ...Buffer.alloc(12)])],
    ['an empty certificate', record(22, [11, 0, 0, 3, 0, 0, 0])],
    ['a version that nobody knows', record(22, [1, 0, 0, 2, 9, 9], 0x0909)],
    ['the begin of a record', Buffer.from([22, 3, 1])],
    ['nothing', Buffer.alloc(0)],
  ];
  const inputs = cases.map(([, bytes]) => bytes);

  test('fail with the codes and alerts of Node.js', async () => {
    const named = (found: Outcome[]): unknown => found.map((each, i) => [cases[i]?.[0], ...each]);
    const ours = await outcomes(tls.createServer(identity), 'tlsClientError', inputs);
    const nodes = await outcomes(nodeTls.createServer(identity), 'tlsClientError', inputs);
    expect(named(ours)).toEqual(named(nodes));
    expect(ours[0]?.[0]).toBe('ERR_SSL_HTTP_REQUEST');
  });

  test("are 'clientError' of a server of HTTPS", async () => {
    const ours = await outcomes(https.createServer(identity), 'clientError', inputs.slice(0, 4));
    expect(ours).toEqual(await outcomes(nodeHttps.createServer(identity), 'clientError', inputs.slice(0, 4)));
  });
});

describe('a hello that is damaged', () => {
  test.each(['TLSv1.2', 'TLSv1.3'] as const)('in any byte, of %s', async (maxVersion) => {
    const hello = await clientHello({ maxVersion, servername: 'localhost', ALPNProtocols: ['a', 'b'] });
    const inputs = Array.from(hello, (_, at) => {
      const damaged = Buffer.from(hello);
      damaged[at] = ~(damaged[at] as number);
      return damaged;
    });
    const options = { ...identity, ALPNProtocols: ['b'] };
    const ours = await outcomes(tls.createServer(options), 'tlsClientError', inputs);
    const nodes = await outcomes(nodeTls.createServer(options), 'tlsClientError', inputs);
    const differing = ours.flatMap((each, at) =>
      JSON.stringify(each) === JSON.stringify(nodes[at]) ? [] : [[at, each, nodes[at]]],
    );
    expect(differing).toEqual([]);
    expect(new Set(ours.map(([code]) => code)).size).toBeGreaterThan(5);
  });

  test('by a second one, or by what follows it', async () => {
    const hello = await clientHello();
    const inputs = [
      Buffer.concat([hello, hello]),
      Buffer.concat([hello, record(23, Buffer.alloc(50))]),
      Buffer.concat([hello, Buffer.from('GET / HTTP/1.1\r\n\r\n')]),
      Buffer.concat([...splitRecords(30)(hello).slice(0, 3), record(23, [1])]),
      Buffer.concat([...splitRecords(30)(hello).slice(0, 3), record(21, [2, 80])]),
    ];
    const ours = await outcomes(tls.createServer(identity), 'tlsClientError', inputs);
    expect(ours).toEqual(await outcomes(nodeTls.createServer(identity), 'tlsClientError', inputs));
  });
});

// The whole hello is one that OpenSSL takes.
describe('a hello of more than 64 KiB, in records of one byte', () => {
  const overSocket = async (server: NodeServer, hello: Buffer): Promise<Duplex> => sender(await listen(server), hello);
  const overStream = (server: NodeServer, hello: Buffer): Promise<Duplex> => {
    const [near, far] = pipedPair();
    serve(server, far);
    near.write(hello);
    return Promise.resolve(near);
  };

  test.each([
    ['a socket', overSocket],
    ['a stream', overStream],
  ])('is answered over %s', async (_, connect) => {
    const ALPNProtocols = Array.from({ length: 50 }, () => 'p'.repeat(255));
    const hello = Buffer.concat(splitRecords(1)(await clientHello({ ALPNProtocols })));
    expect(hello.length).toBeGreaterThan(64 * 1024);
    const server = tls.createServer(identity);
    const client = await connect(server, hello);
    const [answer] = (await once(client, 'data')) as [Buffer];
    expect(recordsOf(answer.subarray(0, 5 + answer.readUInt16BE(3)))).toEqual(['22']);
    client.destroy();
    await endStreams();
    server.close();
  });
});

describe('a record that is damaged', () => {
  async function errorOf(create: typeof nodeTls.createServer, maxVersion: nodeTls.SecureVersion): Promise<unknown> {
    const server = create(identity, (socket) => socket.pipe(socket));
    const port = await listen(server);
    const secure = once(server, 'secureConnection') as Promise<[nodeTls.TLSSocket]>;
    const raw = await sender(port, Buffer.alloc(0));
    const client = nodeTls.connect({ socket: raw, rejectUnauthorized: false, maxVersion });
    client.on('error', () => undefined);
    const [[socket]] = await Promise.all([secure, once(client, 'secureConnect')]);
    const other = await connectTo(port);
    const failed = once(socket, 'error') as Promise<[Error & { code: string }]>;
    raw.write(record(23, Buffer.alloc(40), 0x0303));
    const [{ code }] = await failed;
    await echoes(other, 'another connection');
    client.destroy();
    await close(server);
    return code;
  }

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('ends the connection, and no other: %s', async (version) => {
    const code = await errorOf(tls.createServer, version);
    expect(code).toMatch(/^ERR_(SSL|OSSL)_/);
    expect(code).toBe(await errorOf(nodeTls.createServer, version));
  });
});

// A command of s_client is the first letter of what one read() of its input gives.
async function command(port: number, version: string, letter: string, times: number, answer: string): Promise<string> {
  const child = spawn('openssl', ['s_client', version, '-connect', `127.0.0.1:${port}`], {
    env: { ...process.env, LD_PRELOAD: '' },
    stdio: 'pipe',
  });
  let output = '';
  child.stdin.on('error', () => undefined);
  let wake = (): void => undefined;
  const ended = once(child, 'close').then(() => {
    wake();
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      wake();
    });
  }
  const said = async (text: string): Promise<void> => {
    while (!output.includes(text) && child.exitCode === null) await new Promise<void>((resolve) => (wake = resolve));
  };
  await said('Verify return code');
  for (let i = 0; i < times; ++i) {
    output = '';
    child.stdin.write(`${letter}\n`);
    await said(answer);
  }
  child.stdin.write('and then a text\n');
  await said('and then a text');
  child.stdin.end();
  await ended;
  return output;
}

describe('openssl s_client', () => {
  test.each(['K', 'k'])('may update its keys again and again: %s', async (letter) => {
    const server = echo();
    const port = await listen(server);
    const other = await connectTo(port);
    expect(await command(port, '-tls1_3', letter, 100, 'KEYUPDATE')).toContain('and then a text');
    await echoes(other, 'another connection');
    await close(server);
  });

  test('may not renegotiate', async () => {
    const server = echo();
    const port = await listen(server);
    const other = await connectTo(port);
    const output = await command(port, '-tls1_2', 'R', 1, 'no renegotiation');
    expect(output).toContain('no renegotiation');
    expect(output).not.toContain('and then a text');
    await echoes(other, 'another connection');
    await close(server);
  });
});

test('a client of Node.js may not renegotiate', async () => {
  const server = echo();
  const client = await connectTo(await listen(server), { maxVersion: 'TLSv1.2' });
  const error = await new Promise<unknown>((resolve) => {
    client.on('error', resolve);
    client.renegotiate({}, resolve);
  });
  expect(error).toMatchObject({ code: 'ERR_SSL_NO_RENEGOTIATION' });
  client.destroy();
  await close(server);
});
