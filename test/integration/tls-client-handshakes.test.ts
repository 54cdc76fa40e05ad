// What clients and servers agree on, beside clients of node:tls in the same test.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import * as nodeTls from 'node:tls';
import { connect, createSecureContext, createServer, type ConnectionOptions } from '../../lib/tls/tls';
import { Authorities, AUTHORITY, LEAF } from '../support/certificates';
import { close, listen, read, selfSigned, type Identity } from '../support/tls';
import { codeOf } from '../support/unit';

const authorities = new Authorities();
const root = authorities.root('root');
const middle = authorities.signed('middle', 'root', { extensions: AUTHORITY });
const leaf = authorities.signed('leaf', 'middle', { extensions: [...LEAF, 'subjectAltName = DNS:localhost'] });
const chained: Identity = { key: leaf.key, cert: leaf.cert + middle.cert };
afterAll(() => {
  authorities.close();
});

interface Named {
  setServername(name: string): void;
}
type Connect = (options: ConnectionOptions) => nodeTls.TLSSocket;
const CLIENTS: [string, Connect][] = [
  ['ours', connect],
  ["node:tls's", nodeTls.connect as Connect],
];
const trusting: ConnectionOptions = { host: '127.0.0.1', servername: 'localhost', ca: root.cert };

async function listening(options: nodeTls.TlsOptions, make = nodeTls.createServer): Promise<[nodeTls.Server, number]> {
  const server = make({ ...chained, ...options }, (socket) => {
    socket.on('error', () => undefined);
    socket.resume();
    socket.end('x');
  });
  server.on('tlsClientError', () => undefined);
  return [server, await listen(server)];
}

/** What `look` says of each kind of client, once its connection is open. */
async function ofBoth<T>(
  port: number,
  options: ConnectionOptions,
  look: (socket: nodeTls.TLSSocket) => T,
): Promise<T[]> {
  const seen: T[] = [];
  for (const [, make] of CLIENTS) {
    const socket = make({ ...trusting, ...options, port });
    await once(socket, 'secureConnect');
    seen.push(look(socket));
    socket.end();
    await read(socket);
  }
  return seen;
}

// Certificates have getters, and issuers that are their own.
const plain = (value: unknown): unknown => {
  const seen = new Map<unknown, number>();
  return JSON.parse(
    JSON.stringify(value, (_, each: unknown) => {
      if (typeof each !== 'object' || each === null) return each;
      const number = seen.get(each);
      if (number !== undefined) return `#${String(number)}`;
      seen.set(each, seen.size);
      return each;
    }),
  ) as unknown;
};

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('%s', (maxVersion) => {
  test.each([
    ['a chain to a trusted root', chained, root.cert],
    ['a chain whose middle is trusted', leaf, middle.cert + root.cert],
    ['a chain that ends at nobody', chained, selfSigned('x').cert],
    ['a certificate that nobody knows', leaf, selfSigned('x').cert],
  ])('the certificates of %s are those of node:tls', async (_, identity, ca) => {
    const [server, port] = await listening({ ...identity, maxVersion });
    const [ours, nodes] = await ofBoth(port, { ca, rejectUnauthorized: false }, (socket) => {
      const detailed = plain(socket.getPeerCertificate(true));
      const short = plain(socket.getPeerCertificate());
      const certificate = socket.getPeerX509Certificate(); // node:tls knows none of the others after it
      return [
        detailed,
        short,
        certificate?.fingerprint256,
        certificate?.issuerCertificate?.fingerprint256,
        socket.authorizationError,
      ];
    });
    expect(ours).toEqual(nodes);
    await close(server);
  });

  test('everything else that was agreed on is as with node:tls', async () => {
    // Not every Node.js names a group of ML-KEM: tls-groups.test.ts.
    const [server, port] = await listening({ maxVersion, ALPNProtocols: ['b', 'a'], ecdhCurve: 'X25519:P-256' });
    for (const options of [{}, { ALPNProtocols: ['a', 'b'] }, { ALPNProtocols: ['c', 'b'] }, { servername: '' }]) {
      const [ours, nodes] = await ofBoth(port, { ...options, checkServerIdentity: () => undefined }, (socket) => {
        const { alpnProtocol, authorized, encrypted, secureConnecting, remoteFamily } = socket as nodeTls.TLSSocket & {
          secureConnecting: boolean;
        };
        const { servername } = socket as nodeTls.TLSSocket & { servername: unknown };
        return {
          ...{ alpnProtocol, authorized, encrypted, remoteFamily, secureConnecting, servername },
          cipher: socket.getCipher(),
          protocol: socket.getProtocol(),
          key: socket.getEphemeralKeyInfo(),
          finished: [socket.getFinished()?.length, socket.getPeerFinished()?.length],
          algorithms: socket.getSharedSigalgs(),
          reused: socket.isSessionReused(),
          own: socket.getCertificate(),
        };
      });
      expect(ours).toEqual(nodes);
    }
    await close(server);
  });

  test('sessions of ours and of node:tls stand for each other', async () => {
    const [server, port] = await listening({ maxVersion });
    const sessionOf = async (make: Connect): Promise<Buffer> => {
      const socket = make({ ...trusting, port });
      const [session] = (await once(socket.resume(), 'session')) as [Buffer];
      return session;
    };
    for (const [, maker] of CLIENTS) {
      for (const [, user] of CLIENTS) {
        const socket = user({ ...trusting, port, session: await sessionOf(maker) });
        await once(socket, 'secureConnect');
        const { authorized } = socket;
        expect([socket.isSessionReused(), authorized]).toEqual([true, true]);
        expect(socket.getPeerCertificate()).toEqual({}); // a session has no chain
        await read(socket);
      }
    }
    await close(server);
  });

  test('a session is offered to its own server alone, as by node:tls', async () => {
    const [server, port] = await listening({ maxVersion });
    const givers = Object.fromEntries(CLIENTS);
    const sessionOf = async (name: string): Promise<Buffer> => {
      const socket = (givers[name] as Connect)({ ...trusting, port });
      const [session] = (await once(socket.resume(), 'session')) as [Buffer];
      return session;
    };
    const isResumed = async (make: Connect, options: ConnectionOptions): Promise<boolean> => {
      const socket = make({ ...trusting, port, checkServerIdentity: () => undefined, ...options });
      await once(socket, 'secureConnect');
      const reused = socket.isSessionReused();
      await read(socket);
      return reused;
    };
    for (const name of Object.keys(givers)) {
      const session = await sessionOf(name);
      const raw = session.subarray(session.indexOf('localhost') + 'localhost'.length);
      const seen: boolean[][] = [];
      for (const [, make] of CLIENTS) {
        seen.push([
          await isResumed(make, { session }),
          await isResumed(make, { session, servername: 'other' }),
          await isResumed(make, { session, servername: '' }), // the host's name counts
          await isResumed(make, { session: raw }),
          await isResumed(make, { session: raw, rejectUnauthorized: false }),
        ]);
      }
      expect(seen[0]).toEqual(seen[1]);
      expect(seen[0]?.[0]).toBe(true);
    }
    await close(server);
  });

  test('a session is of the server that setServername() has named', async () => {
    const [server, port] = await listening({ maxVersion });
    const checkServerIdentity = (): undefined => undefined;
    const visit = async (options: ConnectionOptions, name?: string): Promise<[Buffer, boolean]> => {
      let session: Buffer = Buffer.alloc(0);
      const socket = connect({ ...trusting, port, checkServerIdentity, ...options }) as nodeTls.TLSSocket & Named;
      if (name !== undefined) socket.setServername(name);
      socket.on('session', (each: Buffer) => (session = each));
      await once(socket, 'secureConnect');
      const isReused = socket.isSessionReused();
      await read(socket);
      return [session, isReused];
    };
    const [session] = await visit({}, 'other');
    // Node.js gives sessions names since 2026.
    if (session.includes('nodejs:tls:session')) {
      expect((await visit({ session }))[1]).toBe(false);
      expect((await visit({ session }, 'other'))[1]).toBe(true);
      expect((await visit({ session, servername: 'other' }))[1]).toBe(true);
    }
    await close(server);
  });

  test('the status of the certificate is told before the connection is open', async () => {
    for (const status of [Buffer.from('an answer'), null]) {
      const [server, port] = await listening({ maxVersion });
      server.on('OCSPRequest', (_certificate, _issuer, done) => {
        done(null, status);
      });
      for (const [, make] of CLIENTS) {
        const heard: unknown[] = [];
        const socket = make({ ...trusting, port, requestOCSP: true });
        socket.on('OCSPResponse', (response) => heard.push(response));
        socket.on('secureConnect', () => heard.push('open'));
        await read(socket);
        expect(heard).toEqual([status, 'open']);
      }
      await close(server);
    }
  });

  test('a key log has the lines of node:tls', async () => {
    const [server, port] = await listening({ maxVersion });
    const labels: string[][] = [];
    for (const [, make] of CLIENTS) {
      const lines: string[] = [];
      const socket = make({ ...trusting, port });
      socket.on('keylog', (line) => lines.push(String(line)));
      await read(socket);
      expect(lines.every((line) => /^\w+ [0-9a-f]{64} [0-9a-f]+\n$/.test(line))).toBe(true);
      labels.push(lines.map((line) => line.split(' ')[0] as string));
    }
    expect(labels[0]).toEqual(labels[1]);
    await close(server);
  });
});

test('a client can be made with a context, and contexts of node:tls are refused', async () => {
  const [server, port] = await listening({});
  const secureContext = createSecureContext({ ca: root.cert });
  const socket = connect({ port, servername: 'localhost', host: '127.0.0.1', secureContext });
  await once(socket, 'secureConnect');
  expect(socket.authorized).toBe(true);
  await read(socket);
  expect(codeOf(() => connect({ port, secureContext: nodeTls.createSecureContext() }))).toBe('ERR_TLS_INVALID_CONTEXT');
  await close(server);
});

test('keys that both sides have take the place of certificates', async () => {
  const psk = Buffer.from('0123456789abcdef');
  const options = { pskCallback: () => psk, ciphers: 'PSK', maxVersion: 'TLSv1.2' } as const;
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const shared = version === 'TLSv1.2' ? options : { pskCallback: () => psk, ciphers: 'TLS_AES_128_GCM_SHA256' };
    const server = nodeTls.createServer({ ...shared, pskIdentityHint: 'hint' }, (socket) => socket.end('x'));
    const port = await listen(server);
    const socket = connect({
      port,
      host: '127.0.0.1',
      ciphers: shared.ciphers,
      pskCallback: () => ({ identity: 'who', psk }),
      checkServerIdentity: () => undefined,
    });
    expect((await read(socket)).toString()).toBe('x');
    await close(server);
  }
});

test('options are validated as by node:tls', () => {
  expect(codeOf(() => connect({ port: 1, minVersion: 'x' as never }))).toBe('ERR_TLS_INVALID_PROTOCOL_VERSION');
  expect(codeOf(() => connect({ port: 70_000 }))).toBe('ERR_SOCKET_BAD_PORT');
  expect(codeOf(() => connect({ port: 1, checkServerIdentity: 1 as never }))).toBe('ERR_INVALID_ARG_TYPE');
  expect(codeOf(() => connect({ port: 1, minDHSize: 'x' as never }))).toBe('ERR_INVALID_ARG_TYPE');
  expect(codeOf(() => connect({ port: 1, session: 1 as never }))).toBe('ERR_INVALID_ARG_TYPE');
  expect(codeOf(() => connect({ port: 1, threads: -1 }))).toBe('ERR_OUT_OF_RANGE');
  expect(codeOf(() => connect({ socket: 1 as never }))).toBe('ERR_INVALID_ARG_TYPE');
  expect(codeOf(() => connect({ port: 1, servername: 1 as never }))).toBe('ERR_INVALID_ARG_TYPE');
});

test.each(['TLSv1.2', 'TLSv1.3'] as const)(
  'a server asks for a small key of the key exchange with %s',
  async (version) => {
    const ciphers = version === 'TLSv1.2' ? 'DHE-RSA-AES128-GCM-SHA256' : 'TLS_AES_128_GCM_SHA256';
    const identity = selfSigned('localhost', 'rsa');
    const [server, port] = await listening({ ...identity, dhparam: 'auto', ciphers, maxVersion: version });
    const outcomes: unknown[] = [];
    for (const [, make] of CLIENTS) {
      const socket = make({ ...trusting, ca: identity.cert, port, minDHSize: 8192 });
      const heard = await Promise.race([once(socket, 'secureConnect'), once(socket, 'error')]).catch((e: unknown) => [
        e,
      ]);
      outcomes.push((heard[0] as NodeJS.ErrnoException | undefined)?.code);
      socket.destroy();
    }
    const code = version === 'TLSv1.2' ? 'ERR_TLS_DH_PARAM_SIZE' : undefined;
    expect(outcomes).toEqual([code, code]);
    await close(server);
  },
);

describe('openssl s_server', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'openssl-async-s-server-'));
  fs.writeFileSync(path.join(folder, 'cert'), chained.cert);
  fs.writeFileSync(path.join(folder, 'key'), chained.key);
  let child: ChildProcess | undefined;
  afterEach(() => child?.kill('SIGKILL'));
  afterAll(() => {
    fs.rmSync(folder, { recursive: true });
  });

  /** Starts the program; resolves with its port. */
  async function start(...args: string[]): Promise<number> {
    const files = ['-cert', 'cert', '-cert_chain', 'cert', '-key', 'key', '-accept', '127.0.0.1:0'];
    const env = { ...process.env, LD_PRELOAD: '' };
    printed = '';
    child = spawn('openssl', ['s_server', ...files, ...args], { cwd: folder, env, stdio: ['pipe', 'pipe', 'ignore'] });
    child.stdout?.on('data', (chunk: Buffer) => (printed += String(chunk)));
    return Number((await prints(/ACCEPT .*:(\d+)/))[1]);
  }

  let printed = '';
  async function prints(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(printed);
      if (found !== null) return found;
      await once(child?.stdout as NodeJS.ReadableStream, 'data');
    }
  }

  test.each([
    ['-tls1_2', 'TLSv1.2'],
    ['-tls1_3', 'TLSv1.3'],
  ])('turns lines around, with %s', async (version, name) => {
    const port = await start('-rev', version);
    const socket = connect({ ...trusting, port });
    socket.write('abc\n');
    const [line] = (await once(socket, 'data')) as [Buffer];
    expect([String(line), socket.getProtocol(), socket.authorized]).toEqual(['cba\n', name, true]);
    socket.destroy();
  });

  test('renegotiates before TLS 1.3', async () => {
    const port = await start('-tls1_2', '-legacy_renegotiation');
    const socket = connect({ ...trusting, port });
    await once(socket, 'secureConnect');
    const before = socket.getFinished();
    child?.stdin?.write('r\n'); // a command
    await prints(/SSL_do_handshake -> 1[^]*Read BLOCK/);
    child?.stdin?.write('done\n');
    expect(String((await once(socket, 'data'))[0])).toBe('done\n');
    expect(socket.getFinished()).not.toEqual(before);
    socket.destroy();
  });

  test('asks for a certificate later', async () => {
    const port = await start('-tls1_3', '-msg');
    const socket = connect({ ...trusting, ...authorities.signed('late', 'root'), port, postHandshakeAuth: true });
    await once(socket, 'session'); // the last message of the handshake
    child?.stdin?.write('c\n'); // a command
    await prints(/>>>.* CertificateRequest[^]*<<<.* Certificate\n[^]*<<<.* CertificateVerify\n[^]*<<<.* Finished\n/);
    child?.stdin?.write('done\n');
    expect(String((await once(socket, 'data'))[0])).toBe('done\n');
    socket.destroy();
  });
});

test('a server of ours and a client of ours know each other', async () => {
  const [server, port] = await listening({ requestCert: true, ca: root.cert }, createServer);
  const socket = connect({ ...trusting, port, ...authorities.signed('client', 'root') });
  await once(socket, 'secureConnect');
  await read(socket);
  await close(server);
});
