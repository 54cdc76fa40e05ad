// Where servers listen: paths, descriptors, addresses; and what is left when they stop.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as net from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import * as nodeTls from 'node:tls';
import { createServer, type Server } from 'openssl-async/tls';
import { close, connectTo, listen, read, selfSigned } from '../support/tls';

const identity = selfSigned('localhost');
const ending = (): Server =>
  createServer(identity, (socket) => {
    socket.end('done');
  });

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'openssl-async-listen-'));
afterAll(() => {
  fs.rmSync(folder, { recursive: true, force: true });
});

async function listenOn(server: net.Server, options: net.ListenOptions): Promise<net.AddressInfo> {
  server.listen(options);
  await once(server, 'listening');
  return server.address() as net.AddressInfo;
}

async function answerOf(options: nodeTls.ConnectionOptions): Promise<string> {
  const client = nodeTls.connect({ rejectUnauthorized: false, ...options });
  return (await read(client)).toString();
}

const codeOfError = async (emitter: net.Socket | net.Server): Promise<string> =>
  ((await once(emitter, 'error')) as [Error & { code: string }])[0].code;

const addresses = Object.values(os.networkInterfaces()).flatMap((each) => each ?? []);
const hasIPv6 = addresses.some(({ address }) => address === '::1');
if (!hasIPv6) console.log('Skipped tests of IPv6: this machine has no ::1');
const withIPv6 = hasIPv6 ? test : test.skip;

describe('a path', () => {
  const at = path.join(folder, 'socket');

  test('is served, goes with the server, and can be used again at once', async () => {
    const server = ending();
    for (let i = 0; i < 3; ++i) {
      expect(await listenOn(server, { path: at })).toBe(at);
      expect(await Promise.all(Array.from({ length: 5 }, () => answerOf({ path: at })))).toEqual(
        Array.from({ length: 5 }, () => 'done'),
      );
      await close(server);
      expect(fs.existsSync(at)).toBe(false);
    }
  });

  test('gives no addresses', async () => {
    const server = createServer(identity);
    await listenOn(server, { path: at });
    const secure = once(server, 'secureConnection') as Promise<[nodeTls.TLSSocket]>;
    const client = nodeTls.connect({ path: at, rejectUnauthorized: false });
    const [socket] = await secure;
    expect([socket.remoteAddress, socket.remotePort, socket.localAddress, socket.address()]).toEqual([
      undefined,
      undefined,
      undefined,
      {},
    ]);
    const bytes = Buffer.alloc(2 ** 20, 'x');
    socket.end(bytes);
    expect((await read(client)).equals(bytes)).toBe(true);
    await close(server);
  });

  test('that is taken, or cannot be, is an error', async () => {
    const [first, second] = [ending(), ending()];
    await listenOn(first, { path: at });
    second.listen({ path: at });
    expect(await codeOfError(second)).toBe('EADDRINUSE');
    second.listen({ path: path.join(folder, 'no', 'such', 'folder') });
    expect(await codeOfError(second)).toBe('EACCES'); // libuv's word for it
    await close(first);
    await listenOn(second, { path: at });
    expect(await answerOf({ path: at })).toBe('done');
    await close(second);
  });
});

describe('a descriptor', () => {
  const descriptorOf = (server: net.Server): number => (server as unknown as { _handle: { fd: number } })._handle.fd;

  test('of a socket that another program has opened', async () => {
    // The program has the socket as its descriptor 3, as those that systemd starts have.
    const outer = net.createServer();
    const port = await listen(outer);
    const program = `
      const { createServer } = require('./dist/tls.js');
      const server = createServer(require('./test/support/scenario/tls-identity.js'), (socket) => {
        socket.end(String(process.pid));
        server.close();
      });
      server.listen({ fd: 3 }, () => console.log(JSON.stringify(server.address())));`;
    const child = spawn(process.execPath, ['-e', program], {
      cwd: path.join(__dirname, '..', '..'),
      stdio: ['ignore', 'pipe', 'inherit', descriptorOf(outer)],
    });
    outer.close();
    const [address] = (await once(child.stdout as net.Socket, 'data')) as [Buffer];
    expect(JSON.parse(address.toString())).toMatchObject({ address: '127.0.0.1', port });
    expect(await answerOf({ port, host: '127.0.0.1' })).toBe(String(child.pid));
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  test('that is none is an error, as with node:tls', async () => {
    const file = fs.openSync(__filename, 'r');
    const codes = async (create: typeof nodeTls.createServer): Promise<string[]> => {
      const found: string[] = [];
      for (const fd of [file, 9999]) {
        const server = create(identity).listen({ fd });
        found.push(await codeOfError(server));
      }
      return found;
    };
    expect(await codes(createServer)).toEqual(await codes(nodeTls.createServer));
    fs.closeSync(file);
  });
});

describe('an address', () => {
  withIPv6('of IPv6 alone leaves the port of IPv4 to others', async () => {
    const server = ending();
    const { port, family } = await listenOn(server, { port: 0, host: '::', ipv6Only: true });
    expect(family).toBe('IPv6');
    const other = createServer(identity, (socket) => {
      socket.end('IPv4');
    });
    await listenOn(other, { port, host: '127.0.0.1' });
    expect(await answerOf({ port, host: '::1' })).toBe('done');
    expect(await answerOf({ port, host: '127.0.0.1' })).toBe('IPv4');
    await close(server);
    await close(other);
  });

  withIPv6('of IPv6 serves IPv4 too', async () => {
    const server = createServer(identity, (socket) => {
      socket.end(`${String(socket.remoteAddress)} ${String(socket.remoteFamily)}`);
    });
    const { port } = await listenOn(server, { port: 0, host: '::' });
    expect(await answerOf({ port, host: '::1' })).toBe('::1 IPv6');
    expect(await answerOf({ port, host: '127.0.0.1' })).toBe('::ffff:127.0.0.1 IPv6');
    await close(server);
  });

  test('without a host, and port 0', async () => {
    const server = ending();
    const { port, address } = await listenOn(server, { port: 0 });
    expect(port).toBeGreaterThan(0);
    expect(address).toBe(hasIPv6 ? '::' : '0.0.0.0');
    expect(await answerOf({ port, host: 'localhost' })).toBe('done');
    await close(server);
    expect(server.address()).toBe(null);
  });

  test('of another machine is an error', async () => {
    const server = createServer(identity).listen(0, '192.0.2.1'); // RFC 5737: nobody has it
    expect(await codeOfError(server)).toBe('EADDRNOTAVAIL');
  });

  test('listen() twice throws, and with a signal ends', async () => {
    const server = createServer(identity);
    const stop = new AbortController();
    await listenOn(server, { port: 0, host: '127.0.0.1', signal: stop.signal });
    expect(() => server.listen(0)).toThrow(expect.objectContaining({ code: 'ERR_SERVER_ALREADY_LISTEN' }));
    stop.abort();
    await once(server, 'close');
    expect(server.listening).toBe(false);
  });
});

describe('a server that was closed', () => {
  test('serves its open connections on, refuses others, and then is closed', async () => {
    const server = createServer(identity, (socket) => socket.pipe(socket));
    const port = await listen(server);
    const clients = [await connectTo(port), await connectTo(port)] as const;
    let isClosed = false;
    const closed = once(server, 'close').then(() => (isClosed = true));
    server.close();
    expect([server.listening, server.address()]).toEqual([false, null]);
    expect(await codeOfError(net.connect(port, '127.0.0.1'))).toBe('ECONNREFUSED');
    // The port is free, although there are connections.
    const next = ending();
    await listenOn(next, { port, host: '127.0.0.1' });
    expect(await answerOf({ port, host: '127.0.0.1' })).toBe('done');
    await close(next);
    for (const client of clients) {
      expect(isClosed).toBe(false);
      client.end('still served');
      expect((await read(client)).toString()).toBe('still served');
    }
    await closed;
  });

  test('in a listener of its connection, or at once, is closed properly', async () => {
    const server = createServer(identity, (socket) => {
      server.close();
      socket.end('done');
    });
    const port = await listen(server);
    const closed = once(server, 'close');
    expect(await answerOf({ port, host: '127.0.0.1' })).toBe('done');
    await closed;
    server.listen(0, '127.0.0.1');
    await close(server);
    const error = await new Promise<unknown>((resolve) => server.close(resolve));
    expect(error).toMatchObject({ code: 'ERR_SERVER_NOT_RUNNING' });
  });

  test('does not answer those who were not accepted yet', async () => {
    const server = ending();
    const port = await listen(server);
    const client = nodeTls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    const refused = codeOfError(client);
    await close(server); // before the loop looks at the socket
    expect(await refused).toMatch(/^ECONN(RESET|REFUSED)$/);
  });
});

describe('a program that was started meanwhile', () => {
  let child: ChildProcess | undefined;
  afterEach(() => child?.kill('SIGKILL'));

  test('has neither the port nor the connections', async () => {
    const server = createServer(identity);
    const port = await listen(server);
    const secure = once(server, 'secureConnection') as Promise<[nodeTls.TLSSocket]>;
    const client = await connectTo(port);
    const [socket] = await secure;
    child = spawn(process.execPath, ['-e', 'console.log("started"); setInterval(() => {}, 1000)'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout as net.Socket, 'data');
    // With a copy of the connection in the child, its end would not be seen here.
    socket.destroy();
    await once(client.resume(), 'close');
    await close(server);
    const again = ending();
    await listenOn(again, { port, host: '127.0.0.1' });
    expect(await answerOf({ port, host: '127.0.0.1' })).toBe('done');
    await close(again);
    expect(child.exitCode).toBe(null);
  });
});
