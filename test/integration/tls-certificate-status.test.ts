// The status of a server's certificate by OCSP, and certificates that a handshake is given by setKeyCert().
import * as crypto from 'node:crypto';
import { once } from 'node:events';
import * as nodeTls from 'node:tls';
import { setImmediate } from 'node:timers/promises';
import { createRemoteKey } from '../../lib';
import { createSecureContext, createServer, type Server, type TLSSocket, type TlsOptions } from '../../lib/tls/tls';
import { testWithJobs } from '../support/jobs';
import { close, connectTo, listen, read, selfSigned, signedClient, type Identity } from '../support/tls';
import { codeOf } from '../support/unit';

const rsa = selfSigned('rsa.test', 'rsa');
const otherRsa = selfSigned('other.test', 'rsa');
const ec = selfSigned('ec.test', 'ec');
const ed25519 = selfSigned('ed25519.test', 'ed25519');
const { authority, client: issued } = signedClient();

const derOf = (pem: string): Buffer => new crypto.X509Certificate(pem).raw;

type Respond = (error: Error | null, response?: unknown) => void;
interface Request {
  certificate: Buffer | null;
  issuer: Buffer | null;
}

function serverOf(options: TlsOptions, respond?: (done: Respond) => void): { server: Server; requests: Request[] } {
  const requests: Request[] = [];
  const server = createServer(options, (socket) => socket.end('served'));
  if (respond !== undefined) {
    server.on('OCSPRequest', (certificate: Buffer | null, issuer: Buffer | null, done: Respond) => {
      requests.push({ certificate, issuer });
      respond(done);
    });
  }
  return { server, requests };
}

// The types of Node.js do not know `requestOCSP`.
const asking = (port: number): nodeTls.ConnectionOptions =>
  ({ port, host: '127.0.0.1', rejectUnauthorized: false, requestOCSP: true }) as nodeTls.ConnectionOptions;

/** What a client is told of the certificate's status; undefined when it is told nothing. */
async function statusOf(port: number, options: nodeTls.ConnectionOptions = {}): Promise<Buffer | null | undefined> {
  const client = nodeTls.connect({ ...asking(port), ...options });
  let status: Buffer | null | undefined;
  client.on('OCSPResponse', (response: Buffer | null) => (status = response));
  await once(client, 'secureConnect');
  expect((await read(client)).toString()).toBe('served');
  return status;
}

describe("'OCSPRequest'", () => {
  test.each([
    ['TLSv1.2', 0],
    ['TLSv1.2', 1],
    ['TLSv1.3', 0],
    ['TLSv1.3', 1],
  ] as const)('the client of %s gets the answer, with %i threads', async (maxVersion, threads) => {
    const response = crypto.randomBytes(2000);
    const { server, requests } = serverOf({ ...rsa, maxVersion, threads, maxInlineMicros: 0 }, (done) => {
      const given = Buffer.from(response);
      void setImmediate().then(() => {
        done(null, given);
        given.fill(0); // it was copied
      });
    });
    const status = await statusOf(await listen(server));
    expect(status?.equals(response)).toBe(true);
    expect(requests).toEqual([{ certificate: derOf(rsa.cert), issuer: null }]);
    await close(server);
  });

  test('it has the issuer, of the chain or of the authorities', async () => {
    for (const options of [
      { ...issued, cert: issued.cert + authority.cert },
      { ...issued, ca: authority.cert },
    ]) {
      const { server, requests } = serverOf(options, (done) => {
        done(null, Buffer.from('status'));
      });
      expect((await statusOf(await listen(server)))?.toString()).toBe('status');
      expect(requests).toEqual([{ certificate: derOf(issued.cert), issuer: derOf(authority.cert) }]);
      await close(server);
    }
  });

  test("it has the certificate of the client's name", async () => {
    const { server, requests } = serverOf(rsa, (done) => {
      done(null);
    });
    server.addContext('ec.test', ec);
    const port = await listen(server);
    await statusOf(port, { servername: 'ec.test' });
    await statusOf(port, { servername: 'rsa.test' });
    expect(requests.map(({ certificate }) => certificate)).toEqual([derOf(ec.cert), derOf(rsa.cert)]);
    await close(server);
  });

  test('it follows SNICallback, and has the certificate of its context', async () => {
    const context = createSecureContext(ec);
    const SNICallback: TlsOptions['SNICallback'] = (_, done) => {
      done(null, context);
    };
    const { server, requests } = serverOf({ ...rsa, SNICallback }, (done) => {
      done(null, Buffer.from('status'));
    });
    const status = await statusOf(await listen(server), { servername: 'ec.test' });
    expect([status?.toString(), requests]).toEqual(['status', [{ certificate: derOf(ec.cert), issuer: null }]]);
    await close(server);
  });

  test('the answer also follows a HelloRetryRequest', async () => {
    const { server, requests } = serverOf({ ...rsa, ecdhCurve: 'P-384' }, (done) => {
      done(null, Buffer.from('status'));
    });
    const status = await statusOf(await listen(server), { ecdhCurve: 'P-256:P-384' });
    expect([status?.toString(), requests.length]).toEqual(['status', 1]);
    await close(server);
  });

  test.each([[undefined], [null], [Buffer.alloc(0)]])('%p: the client is told nothing', async (response) => {
    const { server, requests } = serverOf(rsa, (done) => {
      done(null, response);
    });
    expect((await statusOf(await listen(server))) ?? null).toBe(null);
    expect(requests).toHaveLength(1);
    await close(server);
  });

  test('a client that does not ask is not asked about, and no listener is no answer', async () => {
    const { server, requests } = serverOf(rsa, (done) => {
      done(null, Buffer.from('status'));
    });
    const port = await listen(server);
    expect((await read(await connectTo(port))).toString()).toBe('served');
    expect(requests).toEqual([]);
    server.removeAllListeners('OCSPRequest');
    expect((await statusOf(port)) ?? null).toBe(null);
    await close(server);
  });

  test.each([
    ['an error', new Error('the responder is down'), undefined, undefined],
    ['a text', null, 'status', 'ERR_INVALID_ARG_TYPE'],
  ])('%s ends the handshake', async (_, error, response, code) => {
    const { server } = serverOf(rsa, (done) => {
      done(error, response);
    });
    const failed = once(server, 'tlsClientError') as Promise<[Error & { code?: string }]>;
    await expect(statusOf(await listen(server))).rejects.toThrow();
    const [told] = await failed;
    if (error === null) expect(told.code).toBe(code);
    else expect(told).toBe(error);
    await close(server);
  });

  test('clients that leave meanwhile are forgotten', async () => {
    const asked: Respond[] = [];
    const { server } = serverOf(rsa, (done) => {
      asked.push(done);
    });
    server.on('tlsClientError', () => undefined);
    const port = await listen(server);
    const clients = Array.from({ length: 20 }, () => nodeTls.connect(asking(port)).on('error', () => undefined));
    while (asked.length < clients.length) await setImmediate();
    for (const client of clients) client.destroy();
    await close(server);
    for (const done of asked) done(null, Buffer.from('late'));
  });
});

describe('setKeyCert()', () => {
  const peerOf = async (port: number, options: nodeTls.ConnectionOptions = {}): Promise<unknown> => {
    const client = await connectTo(port, options);
    const { subject } = client.getPeerCertificate();
    expect((await read(client)).toString()).toBe('served');
    return subject.CN;
  };
  const contexts: [string, (identity: Identity) => Parameters<TLSSocket['setKeyCert']>[0]][] = [
    ['a context', (identity) => createSecureContext(identity)],
    ['options', (identity) => identity],
  ];

  describe.each(contexts)('of %s', (_, contextOf) => {
    test.each(['TLSv1.2', 'TLSv1.3'] as const)('%s: in ALPNCallback', async (maxVersion) => {
      const server = createServer(
        {
          ...ec,
          maxVersion,
          ALPNCallback(this: TLSSocket, { protocols }: { protocols: string[] }) {
            if (protocols[0] === 'rsa') this.setKeyCert(contextOf(rsa));
            return protocols[0];
          },
        },
        (socket) => socket.end('served'),
      );
      const port = await listen(server);
      expect(await peerOf(port, { ALPNProtocols: ['rsa'] })).toBe('rsa.test');
      expect(await peerOf(port, { ALPNProtocols: ['ec'] })).toBe('ec.test');
      await close(server);
    });

    test('in onClientHello, in a listener of an early event, and after others', async () => {
      const given: TlsOptions = {
        ...ec,
        async onClientHello() {
          this.setKeyCert(contextOf(ec));
          await setImmediate();
          this.setKeyCert(contextOf(rsa));
          return null;
        },
      };
      for (const options of [given, ec]) {
        const server = createServer(options, (socket) => socket.end('served'));
        if (options === ec) {
          server.on('connection', (socket) => {
            (socket as unknown as TLSSocket).setKeyCert(contextOf(rsa));
          });
        }
        expect(await peerOf(await listen(server))).toBe('rsa.test');
        await close(server);
      }
    });
  });

  test("'OCSPRequest' has its certificate", async () => {
    const onClientHello: TlsOptions['onClientHello'] = function () {
      this.setKeyCert(ec);
      return null;
    };
    const { server, requests } = serverOf({ ...rsa, onClientHello }, (done) => {
      done(null, Buffer.from('status'));
    });
    expect((await statusOf(await listen(server)))?.toString()).toBe('status');
    expect(requests).toEqual([{ certificate: derOf(ec.cert), issuer: null }]);
    await close(server);
  });

  testWithJobs('a key that is elsewhere', async () => {
    const key = createRemoteKey({
      publicKey: crypto.createPublicKey(ed25519.cert),
      sign: async ({ data }) => {
        await setImmediate();
        return crypto.sign(null, data ?? Buffer.alloc(0), ed25519.key);
      },
    });
    const context = createSecureContext({ cert: ed25519.cert, key });
    const handshakes: TLSSocket['handshake'][] = [];
    const server = createServer(
      {
        ...rsa,
        onClientHello() {
          this.setKeyCert(context);
          return null;
        },
      },
      (socket) => {
        handshakes.push((socket as unknown as TLSSocket).handshake);
        socket.end('served');
      },
    );
    expect(await peerOf(await listen(server))).toBe('ed25519.test');
    expect(handshakes).toMatchObject([{ place: 'loop', pauses: 1 }]);
    await close(server);
  });

  test('without effect after the handshake; wrong arguments throw, and change nothing', async () => {
    const codes: unknown[] = [];
    const server = createServer(
      {
        ...rsa,
        onClientHello() {
          codes.push(codeOf(() => this.setKeyCert(1 as never)));
          codes.push(codeOf(() => this.setKeyCert({ cert: otherRsa.cert, key: rsa.key })));
          codes.push(codeOf(() => this.setKeyCert(nodeTls.createSecureContext(ec) as never)));
          return null;
        },
      },
      (socket) => {
        (socket as unknown as TLSSocket).setKeyCert(ec);
        expect((socket.getCertificate() as nodeTls.PeerCertificate).subject.CN).toBe('rsa.test');
        socket.end('served');
      },
    );
    expect(await peerOf(await listen(server))).toBe('rsa.test');
    expect(codes).toEqual(['ERR_INVALID_ARG_TYPE', 'ERR_OSSL_X509_KEY_VALUES_MISMATCH', 'ERR_TLS_INVALID_CONTEXT']);
    await close(server);
  });
});
