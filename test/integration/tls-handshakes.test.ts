// Handshakes of openssl-async/tls: which context, which version, which client, and failures.
import * as crypto from 'node:crypto';
import { once } from 'node:events';
import * as net from 'node:net';
import * as nodeTls from 'node:tls';
import { createSecureContext, createServer, type Server } from 'openssl-async/tls';
import { makeCertificate } from '../support/made-certificates';
import { close, connectTo, listen, run, selfSigned, signedClient } from '../support/tls';
import { codeOf } from '../support/unit';

const first = selfSigned('first.test');
const second = selfSigned('second.test');
const rsa = selfSigned('rsa.test', 'rsa');

const ending = (options: nodeTls.TlsOptions): Server =>
  createServer(options, (socket) => {
    socket.end('done');
  });

async function nameOfCertificate(port: number, options: nodeTls.ConnectionOptions): Promise<unknown> {
  const client = await connectTo(port, options);
  const { CN } = client.getPeerCertificate().subject;
  await once(client.resume().end(), 'close');
  return CN;
}

type Failure = [Error & { code: string }, nodeTls.TLSSocket];
const failureOf = (server: Server): Promise<Failure> => once(server, 'tlsClientError') as Promise<Failure>;

describe('versions and ciphers', () => {
  test.each([
    ['TLSv1.3', 'TLS_AES_256_GCM_SHA384'],
    ['TLSv1.2', 'ECDHE-RSA-AES128-GCM-SHA256'],
  ] as const)('%s', async (version, cipher) => {
    const server = ending({ ...rsa, minVersion: version, maxVersion: version });
    const port = await listen(server);
    const secure = once(server, 'secureConnection') as Promise<[nodeTls.TLSSocket]>;
    const client = await connectTo(port);
    const [socket] = await secure;
    expect([socket.getProtocol(), client.getProtocol()]).toEqual([version, version]);
    expect(socket.getCipher().name).toBe(cipher);
    expect(socket.getCipher()).toEqual(client.getCipher());
    expect(socket.getFinished()).toEqual(client.getPeerFinished());
    const exported = (each: nodeTls.TLSSocket): Buffer =>
      each.exportKeyingMaterial(32, 'label', Buffer.from('context'));
    expect(exported(socket).equals(exported(client))).toBe(true);
    client.destroy();
    await close(server);
  });

  test('a client without a common version is told, and so is the server', async () => {
    const server = ending({ ...rsa, minVersion: 'TLSv1.3' });
    const port = await listen(server);
    const failed = failureOf(server);
    const client = nodeTls.connect({ port, host: '127.0.0.1', maxVersion: 'TLSv1.2', rejectUnauthorized: false });
    const [error] = (await once(client, 'error')) as [Error & { code: string }];
    const [serversError, socket] = await failed;
    expect(error.code).toBe('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
    expect(serversError.code).toBe('ERR_SSL_UNSUPPORTED_PROTOCOL');
    expect([socket.destroyed, socket.writable, socket.remoteAddress]).toEqual([true, false, '127.0.0.1']);
    await close(server);
  });

  test.each(['-tls1_2', '-tls1_3'])('openssl s_client %s', async (version) => {
    const server = ending(rsa);
    const port = await listen(server);
    const args = ['s_client', version, '-connect', `127.0.0.1:${String(port)}`, '-ign_eof'];
    const { stdout } = await run('openssl', args);
    expect(stdout).toContain('done');
    expect(stdout).toMatch(/Cipher is \w/);
    await close(server);
  });

  // OpenSSL 3.5 and later refuse these names.
  test.each(['bmp', 'universal'] as const)(
    'a fault of our own certificate, a text of %s, is not the error of a handshake',
    async (kind) => {
      const { privateKey: key } = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const name = [[{ type: '2.5.4.3', kind, text: '\ud800' }]];
      const alternatives = [{ kind: 'directory', name }] as const;
      const content = { serial: Buffer.from([1]), subject: [], isAuthority: false, alternatives };
      const { pem } = makeCertificate(content, key, { subject: [], key });
      const server = createServer({ cert: pem, key: key.export({ type: 'pkcs8', format: 'pem' }) });
      const port = await listen(server);
      const failure = failureOf(server);
      const refused = connectTo(port, { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' });
      await expect(refused).rejects.toThrow();
      expect((await failure)[0].code).toBe('ERR_SSL_NO_SHARED_CIPHER');
      await close(server);
    },
  );

  test('wrong options throw the errors of node:tls', () => {
    for (const wrong of [
      { minVersion: 'TLSv9' },
      { key: 'no key' },
      { cert: 5 },
      { cert: first.cert, key: second.key },
      { ciphers: 'no-such-cipher' },
      { ticketKeys: Buffer.alloc(3) },
      { SNICallback: 5 },
    ]) {
      const options = wrong as unknown as nodeTls.TlsOptions;
      expect([wrong, codeOf(() => createServer(options))]).toEqual([
        wrong,
        codeOf(() => nodeTls.createServer(options)),
      ]);
    }
  });

  test('a key with a passphrase', async () => {
    const { privateKey } = await import('node:crypto').then(({ createPrivateKey }) => ({
      privateKey: createPrivateKey(first.key).export({
        type: 'pkcs8',
        format: 'pem',
        cipher: 'aes-256-cbc',
        passphrase: 'word',
      }),
    }));
    const server = ending({ cert: first.cert, key: [{ pem: privateKey as string, passphrase: 'word' }] });
    expect(await nameOfCertificate(await listen(server), {})).toBe('first.test');
    await close(server);
    expect(codeOf(() => createServer({ cert: first.cert, key: privateKey, passphrase: 'other' }))).toMatch(
      /^ERR_OSSL_/,
    );
    expect(codeOf(() => createServer({ cert: first.cert, key: privateKey }))).toMatch(/^ERR_OSSL_/);
  });
});

describe('names', () => {
  test('addContext, with wildcards, and the default', async () => {
    const server = ending(first);
    server.addContext('*.second.test', second);
    server.addContext('rsa.test', createSecureContext(rsa));
    const port = await listen(server);
    const names = ['a.second.test', 'A.SECOND.TEST', 'rsa.test', 'other.test', 'a.b.second.test'];
    const found = await Promise.all(names.map((servername) => nameOfCertificate(port, { servername })));
    expect(found).toEqual(['second.test', 'second.test', 'rsa.test', 'first.test', 'first.test']);
    await close(server);
  });

  test('SNICallback may answer later, with nothing, or with an error', async () => {
    const asked: string[] = [];
    const server = ending({
      ...first,
      SNICallback: (servername, done) => {
        asked.push(servername);
        if (servername === 'error.test') done(new Error('no such name'));
        else if (servername === 'default.test') done(null);
        else setImmediate(done, null, createSecureContext(second));
      },
    });
    const port = await listen(server);
    expect(await nameOfCertificate(port, { servername: 'second.test' })).toBe('second.test');
    expect(await nameOfCertificate(port, { servername: 'default.test' })).toBe('first.test');
    const failed = failureOf(server);
    const client = nodeTls.connect({ port, host: '127.0.0.1', servername: 'error.test' });
    client.on('error', () => undefined);
    expect((await failed)[0].message).toBe('no such name');
    expect(asked).toEqual(['second.test', 'default.test', 'error.test']);
    await close(server);
  });

  test('a context of node:tls is refused, and the error says which import to change', async () => {
    const server = ending({
      ...first,
      SNICallback: (_, done) => {
        done(null, nodeTls.createSecureContext(second));
      },
    });
    const failed = failureOf(server);
    const client = nodeTls.connect({ port: await listen(server), host: '127.0.0.1', servername: 'a.test' });
    client.on('error', () => undefined);
    const [error] = await failed;
    expect([error.code, error.message]).toEqual([
      'ERR_TLS_INVALID_CONTEXT',
      expect.stringContaining('openssl-async/tls'),
    ]);
    await close(server);
  });
});

describe('protocols', () => {
  test('the server prefers', async () => {
    const server = ending({ ...first, ALPNProtocols: ['b', 'a'] });
    const port = await listen(server);
    const client = await connectTo(port, { ALPNProtocols: ['a', 'b'] });
    expect(client.alpnProtocol).toBe('b');
    client.destroy();
    const failed = failureOf(server);
    const other = nodeTls.connect({ port, host: '127.0.0.1', ALPNProtocols: ['c'], rejectUnauthorized: false });
    const [error] = (await once(other, 'error')) as [Error & { code: string }];
    expect(error.code).toBe('ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL');
    await failed;
    await close(server);
  });

  test('ALPNCallback chooses, or refuses', async () => {
    const server = ending({
      ...first,
      ALPNCallback: ({ servername, protocols }) => (servername === 'a.test' ? protocols.at(-1) : undefined),
    });
    const port = await listen(server);
    const client = await connectTo(port, { ALPNProtocols: ['x', 'y'], servername: 'a.test' });
    expect(client.alpnProtocol).toBe('y');
    client.destroy();
    const other = nodeTls.connect({ port, host: '127.0.0.1', ALPNProtocols: ['x'], servername: 'b.test' });
    const [error] = (await once(other, 'error')) as [Error & { code: string }];
    expect(error.code).toBe('ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL');
    await close(server);
  });
});

describe("clients' certificates", () => {
  const { authority, client: clients } = signedClient();
  const asking = { ...first, ca: authority.cert, requestCert: true };

  test('a welcome one, an unknown one, and none', async () => {
    const server = createServer({ ...asking, rejectUnauthorized: false }, (socket) => {
      const { CN } = (socket.getPeerCertificate() as { subject?: { CN?: string } }).subject ?? {};
      socket.end(JSON.stringify([socket.authorized, socket.authorizationError, CN]));
    });
    const port = await listen(server);
    const ask = async (options: nodeTls.ConnectionOptions): Promise<unknown> => {
      const socket = await connectTo(port, options);
      const [text] = (await once(socket, 'data')) as [Buffer];
      socket.destroy();
      return JSON.parse(text.toString());
    };
    expect(await ask(clients)).toEqual([true, null, 'client']);
    expect(await ask(second)).toEqual([false, 'DEPTH_ZERO_SELF_SIGNED_CERT', 'second.test']);
    expect(await ask({})).toEqual([false, 'UNABLE_TO_GET_ISSUER_CERT', null]);
    await close(server);
  });

  test('an unwelcome one is refused', async () => {
    const server = createServer(asking);
    const port = await listen(server);
    const failed = failureOf(server);
    const socket = nodeTls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    socket.on('error', () => undefined);
    expect((await failed)[0].code).toBe('ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE');
    const [welcome] = await Promise.all([connectTo(port, clients), once(server, 'secureConnection')]);
    welcome.destroy();
    await close(server);
  });

  test('one that nobody knows is refused after the handshake, as by node:tls', async () => {
    for (const create of [createServer, nodeTls.createServer] as (typeof nodeTls.createServer)[]) {
      const server = create(asking);
      const secured: unknown[] = [];
      server.on('secureConnection', (socket: nodeTls.TLSSocket) => secured.push(socket));
      const port = await listen(server);
      const failed = failureOf(server);
      const client = nodeTls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...second });
      client.on('error', () => undefined);
      const [error, socket] = await failed;
      expect([error.code, error.message]).toEqual(['ECONNRESET', 'socket hang up']);
      expect([socket.authorized, socket.authorizationError]).toEqual([false, 'DEPTH_ZERO_SELF_SIGNED_CERT']);
      expect([secured, socket.destroyed]).toEqual([[], true]);
      client.destroy();
      await close(server);
    }
  });

  test('a session does not carry a certificate past a server with other rules', async () => {
    const ticketKeys = Buffer.alloc(48, 7);
    const open = ending({ ...first, ticketKeys });
    const strict = createServer({ ...asking, ticketKeys });
    const socket = await connectTo(await listen(open), { maxVersion: 'TLSv1.2' });
    const session = socket.getSession();
    socket.destroy();
    const failed = failureOf(strict);
    const again = nodeTls.connect({
      port: await listen(strict),
      host: '127.0.0.1',
      session,
      maxVersion: 'TLSv1.2',
      rejectUnauthorized: false,
    });
    again.on('error', () => undefined);
    await failed;
    await close(open);
    await close(strict);
  });
});

describe('sessions', () => {
  test.each(['TLSv1.2', 'TLSv1.3'] as const)(
    '%s is resumed by ticket, also by a server with the same keys',
    async (version) => {
      const ticketKeys = Buffer.alloc(48, 1);
      const servers = [ending({ ...first, ticketKeys }), ending({ ...first, ticketKeys })] as const;
      const [port, otherPort] = [await listen(servers[0]), await listen(servers[1])];
      const socket = await connectTo(port, { maxVersion: version });
      let session = socket.getSession();
      socket.on('session', (given: Buffer<ArrayBuffer>) => (session = given));
      socket.resume();
      await once(socket, 'end');
      for (const target of [port, otherPort]) {
        const again = await connectTo(target, { session, maxVersion: version });
        expect(again.isSessionReused()).toBe(true);
        again.destroy();
      }
      servers[1].setTicketKeys(Buffer.alloc(48, 2));
      const fresh = await connectTo(otherPort, { session, maxVersion: version });
      expect([fresh.isSessionReused(), servers[1].getTicketKeys().equals(Buffer.alloc(48, 2))]).toEqual([false, true]);
      fresh.destroy();
      await Promise.all(servers.map(close));
    },
  );

  test('keylog gives the lines of both sides alike', async () => {
    const server = ending(first);
    const lines: string[] = [];
    server.on('keylog', (line) => lines.push(line.toString()));
    const port = await listen(server);
    const ours: string[] = [];
    const client = nodeTls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    client.on('keylog', (line) => ours.push(line.toString()));
    await once(client, 'secureConnect');
    await once(client.resume(), 'end');
    expect(lines.sort()).toEqual(ours.sort());
    expect(lines.length).toBeGreaterThan(3);
    await close(server);
  });
});

describe('clients that are none', () => {
  async function send(bytes: string | Buffer): Promise<{ error: Error & { code: string }; answer: number }> {
    const server = createServer(first);
    const port = await listen(server);
    const failed = failureOf(server);
    const socket = net.connect(port, '127.0.0.1');
    let answer = 0;
    socket.on('data', (data) => (answer += data.length)).on('error', () => undefined);
    socket.write(bytes);
    const [error] = await failed;
    if (!socket.closed) await once(socket, 'close');
    await close(server);
    return { error, answer };
  }

  test('plain HTTP', async () => {
    expect((await send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')).error.code).toBe('ERR_SSL_HTTP_REQUEST');
  });

  test('garbage gets an alert', async () => {
    const { error } = await send(Buffer.alloc(300, 0x17));
    expect(error.code).toMatch(/^ERR_SSL_/);
  });

  test('one who leaves during the handshake', async () => {
    const server = createServer(first);
    const port = await listen(server);
    const failed = failureOf(server);
    const socket = net.connect(port, '127.0.0.1');
    socket.write(Buffer.from([22, 3, 1, 0, 100, 1]), () => socket.end());
    socket.on('error', () => undefined);
    expect((await failed)[0].code).toBe('ECONNRESET');
    await close(server);
  });

  test('one who says nothing is given up, and nobody waits for it', async () => {
    const server = ending({ ...first, handshakeTimeout: 300 });
    const port = await listen(server);
    const failed = failureOf(server);
    const silent = net.connect(port, '127.0.0.1');
    expect(await nameOfCertificate(port, {})).toBe('first.test');
    expect((await failed)[0].code).toBe('ERR_TLS_HANDSHAKE_TIMEOUT');
    await once(silent.resume(), 'close');
    await close(server);
  });
});
