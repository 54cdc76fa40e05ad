// Clients of openssl-async/tls, against servers of node:tls and ours.
import { once } from 'node:events';
import * as net from 'node:net';
import * as nodeTls from 'node:tls';
import { connect, createServer, TLSSocket, type ConnectionOptions } from 'openssl-async/tls';
import { close, listen, read, selfSigned } from '../support/tls';

const identity = selfSigned('localhost');
const rsa = selfSigned('localhost', 'rsa');
const trusting: ConnectionOptions = { host: '127.0.0.1', servername: 'localhost', ca: [identity.cert, rsa.cert] };

const KINDS = {
  'node:tls': (options: nodeTls.TlsOptions) => nodeTls.createServer(options),
  'openssl-async/tls': (options: nodeTls.TlsOptions) => createServer(options),
};

/** A server that sends back what it gets. */
async function echo(
  options: nodeTls.TlsOptions = {},
  kind: keyof typeof KINDS = 'node:tls',
): Promise<{ server: nodeTls.Server; port: number }> {
  const server = KINDS[kind]({ ...identity, ...options });
  server.on('secureConnection', (socket) => {
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  return { server, port: await listen(server) };
}

describe.each(Object.keys(KINDS) as (keyof typeof KINDS)[])('with a server of %s', (kind) => {
  test.each([
    ['TLSv1.2', 1],
    ['TLSv1.2', 0],
    ['TLSv1.3', 1],
    ['TLSv1.3', 0],
  ] as const)('bytes of %s go both ways, with %d threads', async (version, threads) => {
    const { server, port } = await echo({ maxVersion: version, ...rsa }, kind);
    const socket = connect({ ...trusting, port, threads });
    socket.write('before '); // waits for the handshake
    await once(socket, 'secureConnect');
    expect([socket.authorized, socket.authorizationError, socket.getProtocol()]).toEqual([true, null, version]);
    expect((socket as unknown as TLSSocket).handshake?.place).toBe(threads === 0 ? 'loop' : 'thread');
    const large = Buffer.alloc(3_000_000, 'x');
    socket.end(large);
    const all = await read(socket);
    expect(all.equals(Buffer.concat([Buffer.from('before '), large]))).toBe(true);
    expect([socket.bytesWritten, socket.bytesRead]).toEqual([all.length, all.length]);
    await close(server);
  });
});

test('arguments come in the forms of node:tls', async () => {
  const { server, port } = await echo();
  const { ca, servername } = trusting;
  const forms: ((listener: () => void) => nodeTls.TLSSocket)[] = [
    (listener) => connect({ ...trusting, port }, listener),
    (listener) => connect(port, '127.0.0.1', { ca, servername } as ConnectionOptions, listener),
    (listener) => connect(port, { ...trusting }, listener),
    (listener) => connect(String(port) as unknown as number, { ...trusting }, listener),
    (listener) => connect(1, 'example.invalid', { ...trusting, port }, listener), // the options' own count
  ];
  for (const form of forms) {
    await new Promise<void>((resolve) => {
      const socket = form(() => {
        expect(socket.remotePort).toBe(port);
        socket.end();
        resolve();
      });
    });
  }
  await close(server);
});

test('events come in the order of node:tls', async () => {
  const { server, port } = await echo();
  const heardBy = async (make: typeof nodeTls.connect): Promise<string[]> => {
    const heard: string[] = [];
    const socket = make({ ...trusting, host: 'localhost', family: 4, port } as nodeTls.ConnectionOptions);
    const states = [`${socket.readyState} ${String(socket.connecting)} ${String(socket.pending)}`];
    for (const event of ['lookup', 'connect', 'ready', 'secureConnect', 'secure', 'session', 'end', 'close']) {
      socket.on(event, () => heard.push(event));
    }
    socket.once('secureConnect', () => states.push(`${socket.readyState} ${String(socket.pending)}`));
    socket.once('session', () => {
      socket.once('session', () => socket.end());
    });
    socket.resume();
    await once(socket, 'close');
    return [...states, ...heard];
  };
  expect(await heardBy(connect as typeof nodeTls.connect)).toEqual(await heardBy(nodeTls.connect));
  await close(server);
});

test('a socket is one of node:tls', async () => {
  const { server, port } = await echo();
  const socket = connect({ ...trusting, port });
  expect(socket).toBeInstanceOf(nodeTls.TLSSocket);
  expect(socket).toBeInstanceOf(net.Socket);
  expect(socket).toBeInstanceOf(TLSSocket);
  socket.end();
  socket.resume();
  await once(socket, 'close');
  await close(server);
});

test('options of one connection do not count for the next one', async () => {
  const { server, port } = await echo();
  const outcomeOf = async (options: ConnectionOptions): Promise<unknown> => {
    const socket = connect({ host: '127.0.0.1', servername: 'localhost', port, ...options });
    const outcome = await new Promise((resolve) => {
      socket.once('secureConnect', () => {
        resolve(`${String(socket.getProtocol())} ${socket.getCipher().name}`);
      });
      socket.once('error', (error: NodeJS.ErrnoException) => {
        resolve(error.code);
      });
    });
    socket.destroy();
    return outcome;
  };
  const { ca } = trusting;
  const AES128 = 'ECDHE-ECDSA-AES128-GCM-SHA256';
  const rows: [ConnectionOptions, string][] = [
    [{ ca }, 'TLSv1.3 TLS_AES_256_GCM_SHA384'],
    [{}, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    [{ ca: rsa.cert }, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    [{ ca: Buffer.from(identity.cert), maxVersion: 'TLSv1.2', ciphers: AES128 }, `TLSv1.2 ${AES128}`],
    [{ ca, maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' }, 'TLSv1.2 ECDHE-ECDSA-AES256-GCM-SHA384'],
  ];
  for (let round = 0; round < 2; ++round) {
    for (const [options, expected] of rows) expect(await outcomeOf(options)).toBe(expected);
  }
  await close(server);
});
