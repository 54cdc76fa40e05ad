// Certificates that are sent compressed, RFC 8879, beside node:tls where it knows the option.
import { once } from 'node:events';
import * as net from 'node:net';
import * as nodeTls from 'node:tls';
import {
  connect,
  createSecureContext,
  createServer,
  getCertificateCompressionAlgorithms,
  type CertificateCompressionAlgorithm,
  type ConnectionOptions,
  type SecureContextOptions,
  type TlsOptions,
  type TLSSocket,
} from 'openssl-async/tls';
import { createPrivateKey } from '../../lib';
import { helloOf } from '../support/client-hello';
import { close, listen, read, selfSigned, type Identity } from '../support/tls';
import { codeOf } from '../support/unit';

const single = selfSigned('localhost', 'rsa');
const second = selfSigned('second', 'rsa');
const repeated = ({ key, cert }: Identity): Identity => ({ key, cert: cert.repeat(4) });
const identity = repeated(single);
const EXTENSION = 27;
// Of four certificates that are the same, three are hardly there.
const SAVED_BYTES = 1500;

type Connect = (options: ConnectionOptions) => nodeTls.TLSSocket;
type MakeServer = (options: TlsOptions) => nodeTls.Server;
const nodesConnect = nodeTls.connect as Connect;
const nodesServer: MakeServer = (options) => nodeTls.createServer(options as nodeTls.TlsOptions);

const KNOWN = getCertificateCompressionAlgorithms();
const { getCertificateCompressionAlgorithms: nodesKnown } = nodeTls as {
  getCertificateCompressionAlgorithms?: () => CertificateCompressionAlgorithm[];
};
if (KNOWN.length === 0) console.log(`Skipped: OpenSSL ${process.versions.openssl} compresses no certificates.`);
const describeKnown = KNOWN.length === 0 ? describe.skip : describe;

async function listening(make: MakeServer, options: TlsOptions = {}): Promise<[nodeTls.Server, number]> {
  const server = make({ ...identity, ...options });
  server.on('tlsClientError', () => undefined);
  server.on('secureConnection', (socket) => {
    socket.on('error', () => undefined);
    socket.end(`${String(socket.getPeerX509Certificate()?.subject)} ${String(socket.authorized)}`);
  });
  return [server, await listen(server)];
}

interface Sizes {
  received: number;
  sent: number;
  text: string;
  subject: string | undefined;
}

/** The bytes of a handshake, and the few that the client sends after it. */
async function sizesOf(make: Connect, port: number, options: ConnectionOptions = {}): Promise<Sizes> {
  const far = net.connect(port, '127.0.0.1');
  const relay = net.createServer((near) => far.pipe(near).pipe(far));
  const ca = [single.cert, second.cert];
  const socket = make({ servername: 'localhost', ca, port: await listen(relay), host: '127.0.0.1', ...options });
  await once(socket, 'secureConnect');
  const received = far.bytesRead;
  const { subject } = socket.getPeerX509Certificate() ?? {};
  const text = (await read(socket)).toString();
  relay.close();
  return { received, sent: far.bytesWritten, subject, text };
}

test('the algorithms are those of node:tls', () => {
  expect(KNOWN).toEqual(nodesKnown?.() ?? []);
});

test('values that make no sense are refused as by node:tls', () => {
  const context = (value: unknown): unknown =>
    codeOf(() => createSecureContext({ certificateCompression: value } as SecureContextOptions));
  expect(context('zlib')).toBe('ERR_INVALID_ARG_TYPE');
  expect(context({})).toBe('ERR_INVALID_ARG_TYPE');
  expect(context(['gzip'])).toBe('ERR_INVALID_ARG_VALUE');
  expect(context([1])).toBe('ERR_INVALID_ARG_VALUE');
  expect(context(['zlib', 'brotli', 'zstd', 'zlib'])).toBe('ERR_INVALID_ARG_VALUE');
  expect(context([])).toBeUndefined();
  expect(context(null)).toBeUndefined();
  expect(context(['zlib', 'zlib'])).toBe(KNOWN.length === 0 ? undefined : 'ERR_CRYPTO_OPERATION_FAILED');
});

test('nobody offers it without the option', async () => {
  for (const make of [connect, nodesConnect]) {
    const { extensions } = await helloOf((port) => make({ port, host: '127.0.0.1' }));
    expect(extensions.map(([type]) => type)).not.toContain(EXTENSION);
  }
});

test('a connection opens with the option in any case', async () => {
  const options: SecureContextOptions = { certificateCompression: ['zlib', 'zstd'] };
  const [server, port] = await listening(createServer, options);
  expect(await sizesOf(connect, port, options)).toMatchObject({ subject: 'CN=localhost' });
  expect(await sizesOf(connect, port, { ...options, maxVersion: 'TLSv1.2' })).toMatchObject({
    subject: 'CN=localhost',
  });
  await close(server);
});

describeKnown.each(KNOWN.length === 0 ? ['zlib' as const] : KNOWN)('%s', (algorithm) => {
  const options: SecureContextOptions = { certificateCompression: [algorithm] };

  test.each([
    ["node:tls's", nodesServer],
    ['ours, on the event loop', (all: TlsOptions) => createServer({ ...all, threads: 0 })],
    ['ours, on threads', (all: TlsOptions) => createServer({ ...all, threads: 2, maxInlineMicros: 0 })],
  ] as [string, MakeServer][])('a server of %s', async (_, make) => {
    const [server, port] = await listening(make, options);
    for (const client of [connect, nodesConnect]) {
      const [plain, compressed] = [await sizesOf(client, port), await sizesOf(client, port, options)];
      expect(compressed.received).toBeLessThan(plain.received - SAVED_BYTES);
      expect(compressed.subject).toBe('CN=localhost');
    }
    await close(server);
  });

  test('a client offers what node:tls offers', async () => {
    const all = { certificateCompression: [...KNOWN].reverse() };
    const contents = [];
    for (const make of [connect, nodesConnect]) {
      const { extensions } = await helloOf((port) => make({ port, host: '127.0.0.1', ...all }));
      contents.push(extensions.find(([type]) => type === EXTENSION)?.[1].toString('hex'));
    }
    expect(contents[0]).toBeDefined();
    expect(contents[0]).toBe(contents[1]);
  });

  // OpenSSL's clients compress theirs for each server that asks for it.
  test('the status of the certificate comes with it', async () => {
    const [server, port] = await listening(createServer, { certificateCompression: [algorithm] });
    server.on('OCSPRequest', (_certificate, _issuer, done) => {
      done(null, Buffer.from('status'));
    });
    const options = { certificateCompression: [algorithm], requestOCSP: true, rejectUnauthorized: false };
    const socket = connect({ ...options, host: '127.0.0.1', port });
    const [status] = (await once(socket, 'OCSPResponse')) as [Buffer | null];
    expect(String(status)).toBe('status');
    await read(socket);
    await close(server);
  });

  test("clients' certificates", async () => {
    for (const make of [createServer as MakeServer, nodesServer]) {
      const sizes = [];
      for (const asked of [{}, options]) {
        const [server, port] = await listening(make, { ...asked, requestCert: true, ca: single.cert });
        sizes.push(await sizesOf(connect, port, { ...identity, ...options }));
        await close(server);
      }
      const [plain, compressed] = sizes as [Sizes, Sizes];
      expect(compressed.sent).toBeLessThan(plain.sent - SAVED_BYTES);
      expect([plain.text, compressed.text]).toEqual(['CN=localhost true', 'CN=localhost true']);
    }
  });

  test('a name with a context of its own', async () => {
    const [server, port] = await listening(createServer, {});
    const named = { ...repeated(second), certificateCompression: [algorithm] };
    server.addContext('second', named);
    const of = { ...options, servername: 'second' };
    const [plain, compressed] = [await sizesOf(connect, port, options), await sizesOf(connect, port, of)];
    expect(compressed.received).toBeLessThan(plain.received - SAVED_BYTES);
    expect(compressed.subject).toBe('CN=second');
    await close(server);
  });

  test('a key that is an object', async () => {
    const key = createPrivateKey(single.key);
    const [server, port] = await listening(createServer, { cert: identity.cert, key, ...options });
    const [plain, compressed] = [await sizesOf(connect, port), await sizesOf(connect, port, options)];
    expect(compressed.received).toBeLessThan(plain.received - SAVED_BYTES);
    await close(server);
  });

  test('a certificate that replaces the compressed one is the one that is sent', async () => {
    const [server, port] = await listening(createServer, {
      ...options,
      onClientHello: () => undefined,
      SNICallback: (_name, done) => {
        done(null);
      },
      ALPNCallback(this: TLSSocket) {
        this.setKeyCert(second);
        return 'a';
      },
    });
    const other: ConnectionOptions = { ...options, ALPNProtocols: ['a'], checkServerIdentity: () => undefined };
    expect(await sizesOf(connect, port, other)).toMatchObject({ subject: 'CN=second' });
    expect(await sizesOf(connect, port, options)).toMatchObject({ subject: 'CN=localhost' });
    await close(server);
  });
});

describeKnown('a client and a server without a common algorithm', () => {
  test('the certificates are sent as they are', async () => {
    const [server, port] = await listening(createServer, { certificateCompression: ['zlib'] });
    const plain = await sizesOf(connect, port);
    const other = await sizesOf(connect, port, { certificateCompression: ['brotli'] });
    expect(other.received).toBeGreaterThan(plain.received - SAVED_BYTES);
    await close(server);
  });
});
