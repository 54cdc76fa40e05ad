// Behaviour of node:tls that its own tests have asked for, where ours differed: the same happens here.
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import * as net from 'node:net';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { Duplex } from 'node:stream';
import * as nodeTls from 'node:tls';
import { connect, createSecureContext, createServer, TLSSocket, type ConnectionOptions } from '../../lib/tls/tls';
import { makeCertificate } from '../support/made-certificates';
import { pipedPair } from '../support/piped-pair';
import { close, listen, read, selfSigned } from '../support/tls';

const identity = selfSigned('localhost');
const trusting: ConnectionOptions = { servername: 'localhost', ca: identity.cert };
const folder = mkdtempSync(path.join(tmpdir(), 'tls-as-node-'));

afterAll(() => {
  rmSync(folder, { recursive: true });
});

type Thrown = Error & { code?: string };

function thrownBy(body: () => unknown): Thrown {
  try {
    body();
  } catch (error) {
    return error as Thrown;
  }
  throw new Error('Nothing was thrown');
}

function expectNodesError(options: nodeTls.SecureContextOptions): Thrown {
  const ours = thrownBy(() => createSecureContext(options));
  const nodes = thrownBy(() => nodeTls.createSecureContext(options));
  expect(ours.code).toBe(nodes.code);
  return ours;
}

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
}

test('checkServerIdentity() that returns false is content', async () => {
  const server = createServer(identity, (socket) => socket.end());
  const port = await listen(server);
  const socket = connect({ ca: identity.cert, port, checkServerIdentity: (() => false) as never });
  await once(socket, 'secureConnect');
  expect([socket.authorized, socket.authorizationError]).toEqual([true, null]);
  socket.destroy();
  await close(server);
});

test('a cipher of TLS 1.3 may be excluded by name', () => {
  createSecureContext({ ciphers: 'TLS_AES_256_GCM_SHA384:!TLS_CHACHA20_POLY1305_SHA256' });
});

describe('refused', () => {
  beforeAll(() => {
    writeFileSync(path.join(folder, 'key.pem'), identity.key);
    writeFileSync(path.join(folder, 'cert.pem'), identity.cert);
  });

  test('a PFX without a key', () => {
    openssl('pkcs12', '-export', '-nokeys', '-in', 'cert.pem', '-passout', 'pass:x', '-out', 'nokey.pfx');
    const pfx = readFileSync(path.join(folder, 'nokey.pfx'));
    expect(expectNodesError({ pfx, passphrase: 'x' }).code).toBe('ERR_CRYPTO_OPERATION_FAILED');
  });

  test('a PFX of old algorithms', () => {
    const files = ['-inkey', 'key.pem', '-in', 'cert.pem', '-passout', 'pass:x', '-out', 'old.pfx'];
    openssl('pkcs12', '-export', '-legacy', '-certpbe', 'PBE-SHA1-RC2-40', ...files);
    const pfx = readFileSync(path.join(folder, 'old.pfx'));
    expect(expectNodesError({ pfx, passphrase: 'x' }).code).toBe('ERR_CRYPTO_UNSUPPORTED_OPERATION');
  });

  test('an encrypted key without its passphrase', () => {
    openssl('pkcs8', '-topk8', '-in', 'key.pem', '-v2', 'aes-256-cbc', '-passout', 'pass:x', '-out', 'secret.pem');
    const key = readFileSync(path.join(folder, 'secret.pem'));
    // One wrong key of 256 leaves bytes that look as if they ended well, and are no key.
    expect(expectNodesError({ key, cert: identity.cert }).code).toMatch(/BAD_DECRYPT|UNSUPPORTED/);
  });
});

// Its handshake never ends.
async function silentServer(): Promise<[net.Server, number]> {
  const server = net.createServer((socket) => socket.on('error', () => undefined).resume());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return [server, (server.address() as net.AddressInfo).port];
}

const waiting = (socket: object): unknown => (socket as { bufferSize: unknown }).bufferSize;

test('a write that waits hears that its socket was destroyed', async () => {
  const [server, port] = await silentServer();
  const socket = connect({ ...trusting, port, host: '127.0.0.1' });
  const order: unknown[] = [];
  socket.write('x', (error) => order.push((error as Thrown | undefined)?.code));
  await once(socket, 'connect');
  expect(waiting(socket)).toBe(1);
  socket.once('close', () => order.push('close'));
  socket.destroy();
  expect(waiting(socket)).toBe(undefined);
  await once(socket, 'close');
  expect(order).toEqual(['ECANCELED', 'close']);
  server.close();
});

test('a stream that closes with the end of the connection leaves the end to be heard', async () => {
  const server = createServer({ ...identity, maxVersion: 'TLSv1.2' });
  const [near, far] = pipedPair();
  server.emit('connection', far);
  const socket = connect({ ...trusting, socket: near });
  await once(socket, 'secureConnect');
  near.prependListener('data', () => near.destroy());
  const end = once(socket, 'end');
  socket.end();
  await end;
});

test.each([
  ['TLSv1.2', true, 'ERR_SSL_NO_RENEGOTIATION'],
  ['TLSv1.3', false, 'ERR_SSL_WRONG_SSL_VERSION'],
] as const)('renegotiate() says why there is none, %s', async (version, begins, code) => {
  const server = createServer({ ...identity, maxVersion: version });
  const port = await listen(server);
  const socket = connect({ ...trusting, port });
  await once(socket, 'secureConnect');
  socket.on('error', () => undefined);
  socket.resume();
  const error = await new Promise<Thrown | null>((resolve) => {
    expect(socket.renegotiate({}, resolve)).toBe(begins);
  });
  expect(error?.code).toBe(code);
  expect(thrownBy(() => socket.renegotiate(undefined as never, () => undefined)).code).toBe('ERR_INVALID_ARG_TYPE');
  expect(thrownBy(() => socket.renegotiate({}, 1 as never)).code).toBe('ERR_INVALID_ARG_TYPE');
  socket.destroy();
  await close(server);
});

test('exportKeyingMaterial() checks its arguments, and waits for the handshake', async () => {
  const server = createServer(identity);
  const port = await listen(server);
  const socket = connect({ ...trusting, port });
  const codeOf = (...args: unknown[]): string | undefined =>
    thrownBy(() => socket.exportKeyingMaterial(...(args as [number, string, Buffer]))).code;
  expect(codeOf(16, 'a')).toBe('ERR_TLS_INVALID_STATE');
  await once(socket, 'secureConnect');
  expect(codeOf(16, null)).toBe('ERR_INVALID_ARG_TYPE');
  expect(codeOf('16', 'a')).toBe('ERR_INVALID_ARG_TYPE');
  expect(codeOf(0, 'a')).toBe('ERR_OUT_OF_RANGE');
  expect(codeOf(16, 'a', 'text')).toBe('ERR_INVALID_ARG_TYPE');
  expect(socket.exportKeyingMaterial(16, 'a', Buffer.from('text'))).toHaveLength(16);
  socket.destroy();
  await close(server);
});

test('a server over a stream whose handshake fails ends without a listener to errors', async () => {
  const [near, far] = pipedPair();
  const served = new TLSSocket(far, { ...identity, isServer: true });
  near.write('no TLS at all, but long enough for a record\n');
  await new Promise((resolve) => served.once('close', resolve));
  expect(served.destroyed).toBe(true);
});

test('a client over a stream is as half open as the stream', () => {
  const open = [true, false].map((allowHalfOpen) => {
    const stream = new Duplex({ allowHalfOpen, read: () => undefined, write: () => undefined });
    const socket = connect({ ...trusting, socket: stream, allowHalfOpen: !allowHalfOpen } as ConnectionOptions);
    socket.on('error', () => undefined).destroy();
    return socket.allowHalfOpen;
  });
  expect(open).toEqual([true, false]);
});

test('a server over a stream falls back on its context when SNICallback has none', async () => {
  const [near, far] = pipedPair();
  const asked: string[] = [];
  const served = new TLSSocket(far, {
    isServer: true,
    secureContext: createSecureContext(identity),
    SNICallback: (name, done) => {
      asked.push(name);
      done(null, undefined);
    },
  });
  const socket = connect({ ...trusting, socket: near });
  await once(socket, 'secureConnect');
  expect([asked, socket.authorized]).toEqual([['localhost'], true]);
  served.destroy();
  socket.destroy();
});

// --- What sockets tell, as tls-introspection.test.ts has found it

type Library = Pick<typeof nodeTls, 'connect' | 'createServer'>;
const OURS = { connect, createServer } as unknown as Library;

/** What `ask` gives of both sockets of a connection, or the code of the error of its server. */
async function askBoth(
  library: Library,
  options: nodeTls.TlsOptions,
  client: nodeTls.ConnectionOptions,
  ask: (socket: nodeTls.TLSSocket) => unknown,
): Promise<unknown> {
  const server = library.createServer(options);
  const port = await listen(server);
  const socket = library.connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...client });
  socket.on('error', () => undefined);
  const told = new Promise((resolve) => {
    server.once('tlsClientError', ({ code }: Thrown) => {
      resolve(code);
    });
    const sockets: nodeTls.TLSSocket[] = [];
    const hear = (place: number, each: nodeTls.TLSSocket): void => {
      sockets[place] = each;
      if (sockets[0] === undefined || sockets[1] === undefined) return;
      resolve(sockets.map(ask));
      for (const one of sockets) one.destroy();
    };
    server.once('secureConnection', (accepted) => {
      hear(0, accepted);
    });
    socket.once('secureConnect', () => {
      hear(1, socket);
    });
  });
  const answers = await told;
  await close(server);
  return answers;
}

async function expectAsNode(...args: Parameters<typeof askBoth> extends [unknown, ...infer Rest] ? Rest : never) {
  const answers = await askBoth(OURS, ...args);
  expect(answers).toEqual(await askBoth(nodeTls, ...args));
  return answers;
}

test('a destroyed socket answers null', async () => {
  const answers = await expectAsNode(identity, {}, (socket) => {
    socket.destroy();
    return [
      socket.getPeerCertificate(),
      socket.getCertificate(),
      socket.getCipher(),
      socket.getFinished(),
      socket.getPeerFinished(),
      socket.getSession(),
      socket.getSharedSigalgs(),
      socket.getTLSTicket(),
      socket.isSessionReused(),
    ];
  });
  expect(answers).toEqual(Array(2).fill(Array(9).fill(null)));
});

test('a name of ALPN has a character for each byte', async () => {
  const protocols = { ALPNProtocols: ['é'] };
  const answers = await expectAsNode({ ...identity, ...protocols }, protocols, (socket) => socket.alpnProtocol);
  expect(answers).toEqual(['Ã©', 'Ã©']);
  const ALPNCallback = ({ protocols: [first] }: { protocols: string[] }): string | undefined => first;
  const chosen = await askBoth(OURS, { ...identity, ALPNCallback }, protocols, (socket) => socket.alpnProtocol);
  expect(chosen).toEqual(['Ã©', 'Ã©']);
});

test('authorities end where a certificate cannot be read', () => {
  const broken = '-----BEGIN CERTIFICATE-----\nMIIBAAAA\n-----END CERTIFICATE-----\n';
  nodeTls.createSecureContext({ ca: identity.cert + broken });
  createSecureContext({ ca: identity.cert + broken });
});

test('a curve without an algorithm of sigalgs is no reason for an earlier version', async () => {
  openssl(
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-384',
    '-nodes',
    '-subj',
    '/CN=localhost',
    ...['-keyout', 'p384.key', '-out', 'p384.pem'],
  );
  const [key, cert] = ['p384.key', 'p384.pem'].map((name) => readFileSync(path.join(folder, name)));
  const options = { key, cert, sigalgs: 'ECDSA+SHA256' } as nodeTls.TlsOptions;
  expect(await expectAsNode(options, {}, (socket) => socket.getProtocol())).toBe(
    'ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM',
  );
});

test("for a client's certificate, the server's order of signature algorithms counts", async () => {
  const options = { ...identity, requestCert: true, rejectUnauthorized: false, maxVersion: 'TLSv1.2' } as const;
  const [servers, clients] = ['RSA-PSS+SHA256:ECDSA+SHA256', 'ECDSA+SHA256:RSA-PSS+SHA256'];
  const answers = await expectAsNode({ ...options, sigalgs: servers }, { sigalgs: clients }, (socket) =>
    socket.getSharedSigalgs().slice(0, 2),
  );
  expect(answers).toEqual(Array(2).fill(['RSA-PSS+SHA256', 'ECDSA+SHA256']));
});

test('a certificate whose issuer has its name does not issue itself', async () => {
  const subject = [[{ type: '2.5.4.3', kind: 'utf8', text: 'localhost' }]] as const;
  const content = { serial: Buffer.from([1]), subject, isAuthority: false };
  const [issuing, key] = [
    generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ];
  const { pem } = makeCertificate(content, key.privateKey, { subject, key: issuing.privateKey });
  const options = { cert: pem, key: key.privateKey.export({ type: 'pkcs8', format: 'pem' }) };
  const answers = await expectAsNode(options, {}, (socket) => 'issuerCertificate' in socket.getPeerCertificate(true));
  expect(answers).toEqual([false, false]);
});

// Bytes come one at a time, so that a step of the handshake ends behind each message.
function dribbling(below: Duplex): Duplex {
  const stream = new Duplex({
    read: () => undefined,
    write: (bytes, _, done) => below.write(bytes, done),
    final: (done) => below.end(done),
  });
  below.on('data', (chunk: Buffer) => {
    for (const byte of chunk) setImmediate(() => stream.push(Buffer.of(byte)));
  });
  below.on('end', () => setImmediate(() => stream.push(null)));
  return stream;
}

describe('a client whose certificate has a bad signature, at a server that does not mind', () => {
  const named = (text: string) => [[{ type: '2.5.4.3', kind: 'utf8', text }]] as const;
  const [subject, serial] = [named('authority'), Buffer.from([1])];
  const [real, forged] = [1, 2].map(() => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey) as [
    KeyObject,
    KeyObject,
  ];
  const authority = makeCertificate({ serial, subject, isAuthority: true }, real, { subject, key: real });
  const leaf = { serial, subject: named('client'), isAuthority: false };
  const { pem: cert } = makeCertificate(leaf, forged, { subject, key: forged });
  const client = { cert, key: forged.export({ type: 'pkcs8', format: 'pem' }) };
  const asking = { ...identity, ca: authority.pem, requestCert: true, rejectUnauthorized: false };

  async function expectServed(socket: nodeTls.TLSSocket, server: nodeTls.Server): Promise<void> {
    const [served] = (await once(server, 'secureConnection')) as [nodeTls.TLSSocket];
    expect(served.authorizationError).toBe('CERT_SIGNATURE_FAILURE');
    served.end('served');
    expect((await read(socket)).toString()).toBe('served');
  }

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('on the event loop, %s', async (maxVersion) => {
    const server = createServer({ ...asking, maxVersion, threads: 0 });
    const port = await listen(server);
    const socket = nodeTls.connect({ ...client, port, host: '127.0.0.1', rejectUnauthorized: false });
    await expectServed(socket, server);
    await close(server);
  });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('byte by byte, %s', async (maxVersion) => {
    const server = createServer({ ...asking, maxVersion });
    const [near, far] = pipedPair();
    const socket = nodeTls.connect({ ...client, socket: near, rejectUnauthorized: false });
    const served = expectServed(socket, server);
    server.emit('connection', dribbling(far));
    await served;
  });
});
