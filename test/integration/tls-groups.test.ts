// Groups of the key exchange, those of ML-KEM among them, beside node:tls in the same process.
import { once } from 'node:events';
import * as nodeTls from 'node:tls';
import { connect, createSecureContext, createServer, type ConnectionOptions, type TlsOptions } from 'openssl-async/tls';
import { helloOf } from '../support/client-hello';
import { close, listen, read, selfSigned } from '../support/tls';
import { codeOf } from '../support/unit';

const identity = selfSigned('localhost');
const rsa = selfSigned('localhost', 'rsa');

type Connect = (options: ConnectionOptions) => nodeTls.TLSSocket;
const nodesConnect = nodeTls.connect as Connect;
const CLIENTS: Record<string, Connect> = { ours: connect, "node:tls's": nodesConnect };
type Listen = (options: TlsOptions) => nodeTls.Server;
const SERVERS: Record<string, Listen> = {
  "node:tls's": (options) => nodeTls.createServer(options as nodeTls.TlsOptions),
  'ours, on the event loop': (options) => createServer({ ...options, threads: 0 }),
  'ours, on threads': (options) => createServer({ ...options, threads: 2, maxInlineMicros: 0 }),
};

async function listening(make: Listen, options: TlsOptions): Promise<[nodeTls.Server, number]> {
  const server = make({ ...identity, ...options });
  server.on('tlsClientError', () => undefined);
  server.on('secureConnection', (socket) => {
    socket.on('error', () => undefined);
    expect(socket.getEphemeralKeyInfo()).toBeNull();
    socket.end('x');
  });
  return [server, await listen(server)];
}

interface Agreed {
  key: object | null;
  text: string;
}

/** What a client has agreed on with a server, or the code of its error. */
async function agreed(make: Connect, port: number, options: ConnectionOptions): Promise<Agreed | string> {
  const trusting = { host: '127.0.0.1', servername: 'localhost', ca: identity.cert };
  try {
    const socket = make({ ...trusting, ...options, port });
    await once(socket, 'secureConnect');
    const key = socket.getEphemeralKeyInfo();
    return { key, text: (await read(socket)).toString() };
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

const knows = (ecdhCurve: string): boolean => codeOf(() => createSecureContext({ ecdhCurve })) === undefined;
const CLASSIC = ['X25519', 'X448', 'P-256', 'P-384', 'P-521', 'ffdhe2048'];
const HYBRID = ['X25519MLKEM768', 'SecP256r1MLKEM768', 'SecP384r1MLKEM1024', 'MLKEM512', 'MLKEM768', 'MLKEM1024'];
const HAS_HYBRID = knows('X25519MLKEM768');
if (!HAS_HYBRID) console.log(`Skipped: OpenSSL ${process.versions.openssl} has no groups of ML-KEM.`);
const describeHybrid = HAS_HYBRID ? describe : describe.skip;

test('the groups that contexts take are those of node:tls', () => {
  const lists = [...CLASSIC, ...HYBRID, 'nonsense', 'P-256:nonsense', '?nonsense:P-256', 'DEFAULT', '*P-256/X25519'];
  for (const ecdhCurve of lists) {
    expect([ecdhCurve, codeOf(() => createSecureContext({ ecdhCurve }))]).toEqual([
      ecdhCurve,
      codeOf(() => nodeTls.createSecureContext({ ecdhCurve })),
    ]);
  }
});

test('without options, clients offer the groups of node:tls, and send the same keys', async () => {
  const [ours, nodes] = [
    await helloOf((port) => connect({ port, host: '127.0.0.1' })),
    await helloOf((port) => nodeTls.connect({ port, host: '127.0.0.1' })),
  ];
  expect([ours.groups, ours.sharedGroups]).toEqual([nodes.groups, nodes.sharedGroups]);
  expect(ours.groups.includes(0x11ec)).toBe(HAS_HYBRID); // X25519MLKEM768
});

describe.each(Object.keys(SERVERS))('a server of %s', (name) => {
  const make = SERVERS[name] as Listen;

  test.each(CLASSIC)('%s is described as by node:tls', async (ecdhCurve) => {
    const [server, port] = await listening(make, { ecdhCurve });
    const [ours, nodes] = [await agreed(connect, port, {}), await agreed(nodesConnect, port, {})];
    expect(ours).toEqual(nodes);
    expect(ours).toMatchObject({ text: 'x', key: { type: ecdhCurve === 'ffdhe2048' ? 'DH' : 'ECDH' } });
    await close(server);
  });

  test('a client whose first key has another group is asked again', async () => {
    const [server, port] = await listening(make, { ecdhCurve: 'P-384' });
    const outcomes = [await agreed(connect, port, {}), await agreed(nodesConnect, port, {})];
    const expected = { key: { type: 'ECDH', name: 'secp384r1', size: 384 }, text: 'x' };
    expect(outcomes).toEqual([expected, expected]);
    await close(server);
  });

  test('a client without a common group is told as by node:tls', async () => {
    const [server, port] = await listening(make, { ecdhCurve: 'P-256' });
    const options: ConnectionOptions = { ecdhCurve: 'P-384' };
    const outcomes = [await agreed(connect, port, options), await agreed(nodesConnect, port, options)];
    expect(outcomes[0]).toBe(outcomes[1]);
    expect(outcomes[0]).toMatch(/^ERR_SSL_\S*ALERT_HANDSHAKE_FAILURE$/);
    await close(server);
  });
});

// Earlier versions of Node.js do not name the group.
const named = (name: string): object => ({ type: 'TLSGroup', name });

describeHybrid.each(Object.keys(SERVERS))('groups of ML-KEM, and a server of %s', (serverName) => {
  const make = SERVERS[serverName] as Listen;

  test.each(HYBRID)('%s', async (ecdhCurve) => {
    const [server, port] = await listening(make, { ecdhCurve });
    for (const options of [{}, { ecdhCurve }]) {
      const offered = ecdhCurve === 'X25519MLKEM768' ? options : { ecdhCurve };
      expect(await agreed(connect, port, offered)).toEqual({ key: named(ecdhCurve), text: 'x' });
      const nodes = (await agreed(nodesConnect, port, offered)) as Agreed;
      expect([named(ecdhCurve), {}]).toContainEqual(nodes.key);
      expect(nodes.text).toBe('x');
    }
    await close(server);
  });

  test('they are the first choice without options', async () => {
    const [server, port] = await listening(make, {});
    expect(await agreed(connect, port, {})).toEqual({ key: named('X25519MLKEM768'), text: 'x' });
    await close(server);
  });

  test('they need TLS 1.3', async () => {
    const [server, port] = await listening(make, { ecdhCurve: 'X25519MLKEM768:P-256', maxVersion: 'TLSv1.2' });
    const key = { type: 'ECDH', name: 'prime256v1', size: 256 };
    expect(await agreed(connect, port, {})).toEqual({ key, text: 'x' });
    await close(server);
  });

  test('a client that prefers one falls back to a curve', async () => {
    const [server, port] = await listening(make, { ecdhCurve: 'X25519' });
    const key = { type: 'ECDH', name: 'X25519', size: 253 };
    expect(await agreed(connect, port, { ecdhCurve: 'X25519MLKEM768:X25519' })).toEqual({ key, text: 'x' });
    await close(server);
  });
});

describe.each(Object.keys(CLIENTS))('a client of %s', (name) => {
  const make = CLIENTS[name] as Connect;

  test.each([
    ['a resumed session of TLS 1.3', {}],
    ['a resumed session of TLS 1.2', { maxVersion: 'TLSv1.2' }],
    ['a key exchange by RSA', { maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256' }],
  ] as [string, TlsOptions][])('%s is described as by node:tls', async (_, options) => {
    const [server, port] = await listening((all) => createServer(all), { ...rsa, ...options });
    const shared = { port, host: '127.0.0.1', servername: 'localhost', ca: rsa.cert, ciphers: options.ciphers };
    const first = make(shared);
    const session = once(first, 'session');
    await read(first);
    const seen: unknown[] = [];
    for (const resume of Object.values(CLIENTS)) {
      const socket = resume({ ...shared, session: ((await session) as [Buffer])[0] });
      await once(socket, 'secureConnect');
      expect(socket.isSessionReused()).toBe(true);
      seen.push(socket.getEphemeralKeyInfo());
      await read(socket);
    }
    const [ours, nodes] = seen as [{ type?: string }, object];
    expect(nodes).toEqual(ours.type === 'TLSGroup' && Object.keys(nodes).length === 0 ? {} : ours);
    await close(server);
  });
});
