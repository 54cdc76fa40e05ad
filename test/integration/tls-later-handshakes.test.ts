// Handshakes of connections that are open: renegotiation before TLS 1.3, and with it requests for clients' certificates.
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as http2 from 'node:http2';
import * as os from 'node:os';
import * as path from 'node:path';
import * as nodeTls from 'node:tls';
import { createRemoteKey, type AsyncKey } from '../../lib';
import { createSecureServer } from '../../lib/tls/http2';
import { connect, createServer, type ConnectionOptions, type TlsOptions } from '../../lib/tls/tls';
import { Authorities, LEAF } from '../support/certificates';
import { dial, Proxy, sessionOf } from '../support/early-data';
import { describeWithJobs } from '../support/jobs';
import { ask, closing, endBoth, exchange, openConnection, type OpenConnection } from '../support/open-connection';
import { pipedPair } from '../support/piped-pair';
import { ED25519, signerOf } from '../support/remote-keys';
import { certificateOf, close, listen, read, selfSigned } from '../support/tls';
import { converse, describeWith } from '../support/tools';

const authorities = new Authorities();
const root = authorities.root('root');
const own = authorities.signed('server', 'root', { extensions: [...LEAF, 'subjectAltName = DNS:localhost'] });
const clients = authorities.signed('client', 'root');
const stranger = selfSigned('stranger');
afterAll(() => {
  authorities.close();
});

const identity = { key: own.key, cert: own.cert, ca: root.cert };
const trusting: ConnectionOptions = { host: '127.0.0.1', servername: 'localhost', ca: root.cert };
const offering: ConnectionOptions = { ...trusting, postHandshakeAuth: true };
const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;

const nameOf = (socket: nodeTls.TLSSocket): unknown =>
  (socket.getPeerCertificate() as Partial<nodeTls.PeerCertificate>).subject?.CN;

const open = (
  options: TlsOptions,
  client: ConnectionOptions,
  make?: typeof connect,
  makeServer?: typeof createServer,
): Promise<OpenConnection> => openConnection({ ...identity, ...options }, client, make, makeServer);

describe.each(VERSIONS)('a certificate that is asked for later, %s', (maxVersion) => {
  test.each([
    ['on the loop', { threads: 0 }],
    ['after a handshake on a thread', { maxInlineMicros: 0 }],
    ['with records on threads', { records: 'threads' }],
  ] as [string, TlsOptions][])('is known then, %s', async (_, options) => {
    const { server, near, far } = await open({ ...options, maxVersion }, { ...offering, ...clients });
    expect([far.authorized, nameOf(far)]).toEqual([false, undefined]);
    let secured = 0;
    far.on('secure', () => ++secured);
    for (let times = 1; times <= 2; ++times) {
      expect(await ask(far)).toEqual({ result: true, error: null });
      expect([far.authorized, far.authorizationError, nameOf(far), secured]).toEqual([true, null, 'client', times]);
      await exchange(near, far, 'x');
      await exchange(far, near, 'y');
    }
    await endBoth({ server, near, far });
  });

  test('is known then over streams of callers', async () => {
    const server = createServer({ ...identity, maxVersion });
    const secure = once(server, 'secureConnection') as Promise<[nodeTls.TLSSocket]>;
    const [one, other] = pipedPair();
    server.emit('connection', other);
    const near = connect({ ...offering, ...clients, socket: one });
    const [far] = await secure;
    await exchange(near, far, 'x');
    expect(await ask(far)).toEqual({ result: true, error: null });
    expect([far.authorized, nameOf(far)]).toEqual([true, 'client']);
    await exchange(far, near, 'y');
    near.destroy();
    far.destroy();
  });

  test.each([
    ['none', {}, 'UNABLE_TO_GET_ISSUER_CERT', undefined],
    ["a stranger's", stranger, 'DEPTH_ZERO_SELF_SIGNED_CERT', 'stranger'],
  ] as const)('may be %s', async (_, credentials, reason, name) => {
    const { server, near, far } = await open({ maxVersion }, { ...offering, ...credentials });
    const options = { requestCert: true, rejectUnauthorized: false };
    expect(await ask(far, options)).toEqual({ result: true, error: null });
    expect([far.authorized, far.authorizationError, nameOf(far)]).toEqual([false, reason, name]);
    await exchange(far, near, 'y');
    await endBoth({ server, near, far });
  });

  test.each([
    ['none', {}, 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE'],
    ["a stranger's", stranger, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ] as const)('ends the connection when it is %s', async (_, credentials, code) => {
    const { server, near, far } = await open({ maxVersion }, { ...offering, ...credentials });
    const closed = closing(near);
    near.resume();
    const { result, error } = await ask(far);
    expect([result, error?.code, far.destroyed]).toEqual([true, code, true]);
    await closed;
    await close(server);
  });

  test('loses no plaintext of both sides', async () => {
    const { server, near, far } = await open({ maxVersion }, { ...offering, ...clients });
    const message = Buffer.alloc(100_000, 'm');
    const heard = [read(near), read(far)];
    const asked = ask(far);
    far.write(message);
    near.write(message);
    expect(await asked).toEqual({ result: true, error: null });
    near.end('near');
    far.end('far');
    const [atNear, atFar] = (await Promise.all(heard)) as [Buffer, Buffer];
    expect(atNear.equals(Buffer.concat([message, Buffer.from('far')]))).toBe(true);
    expect(atFar.equals(Buffer.concat([message, Buffer.from('near')]))).toBe(true);
    await close(server);
  });

  test('is not waited for when the socket is destroyed', async () => {
    const { server, near, far } = await open({ maxVersion }, { ...offering, ...clients });
    const asked = ask(far);
    far.destroy();
    expect((await asked).error).toMatchObject({ code: 'ECONNRESET' });
    expect(far.renegotiate({}, () => undefined)).toBe(undefined);
    near.destroy();
    await close(server);
  });
});

describe('a client that did not offer it', () => {
  test.each([
    ['of ours', connect],
    ['of node:tls', nodeTls.connect as typeof connect],
  ])('is not asked with TLS 1.3, %s', async (_, make) => {
    const { server, near, far } = await open({}, { ...trusting, ...clients }, make);
    const { result, error } = await ask(far);
    expect([result, error?.code]).toEqual([false, 'ERR_SSL_EXTENSION_NOT_RECEIVED']);
    await exchange(far, near, 'y');
    await endBoth({ server, near, far });
  });

  test('is not asked where records are on threads', async () => {
    const { server, near, far } = await open({ records: 'threads' }, { ...trusting, ...clients });
    const { result, error } = await ask(far);
    expect([result, error?.code]).toEqual([true, 'ERR_SSL_EXTENSION_NOT_RECEIVED']);
    await exchange(far, near, 'y');
    await endBoth({ server, near, far });
  });

  test.each([
    ['on the loop', {}],
    ['with records on threads', { records: 'threads' }],
  ] as [string, TlsOptions][])('is not taken for one that was asked, %s', async (_, options) => {
    const { server, near, far } = await open(options, { ...trusting, ...clients });
    expect((await ask(far)).error?.code).toBe('ERR_SSL_EXTENSION_NOT_RECEIVED');
    // Without a certificate to ask for, this is a renegotiation.
    expect((await ask(far, {})).error?.code).toBe('ERR_SSL_WRONG_SSL_VERSION');
    await exchange(far, near, 'y');
    await endBoth({ server, near, far });
  });

  test('is asked with TLS 1.2, of node:tls', async () => {
    const { server, near, far } = await open(
      { maxVersion: 'TLSv1.2' },
      { ...trusting, ...clients },
      nodeTls.connect as typeof connect,
    );
    expect(await ask(far)).toEqual({ result: true, error: null });
    expect([far.authorized, nameOf(far)]).toEqual([true, 'client']);
    await endBoth({ server, near, far });
  });
});

test('nobody is asked behind early data, before the handshake is done', async () => {
  const server = createServer({ ...identity, maxEarlyData: 100 });
  const port = await listen(server);
  // The server may hear of the connection after the client has its session.
  const [session] = await Promise.all([sessionOf(port), once(server, 'secureConnection')]);
  const proxy = new Proxy(port);
  const secure = once(server, 'secureConnection') as Promise<[nodeTls.TLSSocket & { isEarlyData: boolean }]>;
  const near = dial(await proxy.listen(), { session, earlyData: 'early' });
  near.on('error', () => undefined);
  const [far] = await secure;
  far.on('error', () => undefined);
  const wasEarly = far.isEarlyData;
  const { result, error } = await ask(far);
  expect([wasEarly, result, error?.code]).toEqual([true, false, 'ERR_TLS_INVALID_STATE']);
  near.destroy();
  far.destroy();
  proxy.close();
  await close(server);
});

test('connections of HTTP/2 have no later handshakes', async () => {
  const server = createSecureServer(identity);
  const secure = once(server, 'secureConnection') as Promise<[nodeTls.TLSSocket]>;
  const port = await listen(server);
  const session = http2.connect(`https://localhost:${String(port)}`, { ca: root.cert });
  const [far] = await secure;
  const { result, error } = await ask(far);
  expect([result, error?.code]).toEqual([false, 'ERR_SSL_NO_RENEGOTIATION']);
  session.destroy();
  await close(server);
});

test('clients refuse a renegotiation of HTTP/2', async () => {
  const options = { ...identity, maxVersion: 'TLSv1.2', ALPNProtocols: ['h2'] } as const;
  const { server, near, far } = await open(
    options,
    { ...trusting, ALPNProtocols: ['h2'] },
    connect,
    nodeTls.createServer as never,
  );
  near.resume();
  const failed = new Promise((resolve) => far.once('error', resolve));
  far.resume();
  far.renegotiate({ requestCert: true }, () => undefined);
  expect(await failed).toMatchObject({ code: 'ERR_SSL_NO_RENEGOTIATION' });
  await endBoth({ server, near, far });
});

describeWithJobs('a key that a function holds', () => {
  const cert = certificateOf(ED25519.publicKey.export({ type: 'spki', format: 'pem' }) as string, 'remote', own);
  const sign = signerOf(ED25519.privateKey);

  // It signs when it is let.
  function heldKey(): { key: AsyncKey; asked: () => number; go: () => void } {
    let asked = 0;
    let go = (): void => undefined;
    const key = createRemoteKey({
      publicKey: ED25519.publicKey,
      sign: (request) =>
        new Promise((resolve) => {
          ++asked;
          go = () => {
            resolve(sign(request));
          };
          waiter();
        }),
      timeoutMs: 5000,
    });
    return {
      key,
      asked: () => asked,
      go: () => {
        go();
      },
    };
  }
  let waiter = (): void => undefined;
  const isAsked = (): Promise<void> =>
    new Promise((resolve) => {
      waiter = resolve;
    });

  test.each(VERSIONS)("signs for a client's later handshake while others are served, %s", async (maxVersion) => {
    const { key, asked, go } = heldKey();
    const { server, near, far } = await open({ maxVersion }, { ...offering, cert, key });
    const other = connect({ ...trusting, port: (server.address() as { port: number }).port });
    await once(other, 'secureConnect');
    const question = isAsked();
    const answered = ask(far, { requestCert: true, rejectUnauthorized: false });
    await question;
    near.write('meanwhile');
    const ended = read(far);
    near.end();
    other.destroy();
    go();
    expect(await answered).toEqual({ result: true, error: null });
    expect([nameOf(far), asked()]).toEqual(['remote', 1]);
    expect(String(await ended)).toBe('meanwhile');
    await endBoth({ server, near, far });
  });

  test('may leave while it signs', async () => {
    const { key, go } = heldKey();
    const { server, near, far } = await open({}, { ...offering, cert, key });
    const question = isAsked();
    const answered = ask(far);
    await question;
    near.destroy();
    go();
    expect((await answered).error).toBeInstanceOf(Error);
    await close(server);
  });

  test("signs for a server's renegotiation, and not where records are on threads", async () => {
    const key = createRemoteKey({ publicKey: ED25519.publicKey, sign: (request) => sign(request), timeoutMs: 5000 });
    const lent = { cert, key, records: 'threads', maxVersion: 'TLSv1.2' } as const;
    const lenient = { ...trusting, rejectUnauthorized: false };
    const first = await open({ cert, key, maxVersion: 'TLSv1.2' }, { ...lenient, ...clients });
    expect(await ask(first.far)).toEqual({ result: true, error: null });
    expect(nameOf(first.far)).toBe('client');
    await exchange(first.far, first.near, 'y');
    await endBoth(first);
    const second = await open(lent, { ...lenient, ...clients });
    await exchange(second.near, second.far, 'x');
    expect((await ask(second.far)).error?.code).toBe('ERR_SSL_NO_RENEGOTIATION');
    await exchange(second.far, second.near, 'y');
    await endBoth(second);
  });
});

describe('renegotiation by a client', () => {
  test('of ours is a handshake with a server of node:tls', async () => {
    const { server, near, far } = await open(
      { maxVersion: 'TLSv1.2' },
      trusting,
      connect,
      nodeTls.createServer as never,
    );
    const before = near.getFinished();
    let secured = 0;
    near.on('secureConnect', () => ++secured);
    far.resume();
    expect(await ask(near, {})).toEqual({ result: true, error: null });
    expect([secured, near.authorized, near.getFinished()?.equals(before as Buffer)]).toEqual([1, true, false]);
    await exchange(far, near, 'y');
    await endBoth({ server, near, far });
  });

  test('checks the name of the server again', async () => {
    let checked = 0;
    const checkServerIdentity = (): Error | undefined => (++checked > 1 ? new Error('not any more') : undefined);
    const { server, near, far } = await open(
      { maxVersion: 'TLSv1.2' },
      { ...trusting, checkServerIdentity },
      connect,
      nodeTls.createServer as never,
    );
    far.resume();
    expect((await ask(near, {})).error?.message).toBe('not any more');
    expect([near.destroyed, checked]).toEqual([true, 2]);
    await endBoth({ server, near, far });
  });

  test("of ours and of node:tls is refused by servers of ours, and a server's by disableRenegotiation()", async () => {
    for (const make of [connect, nodeTls.connect as typeof connect]) {
      const { server, near, far } = await open({ maxVersion: 'TLSv1.2' }, trusting, make);
      const failed = closing(near);
      let error: unknown;
      near.on('error', (each: Error) => (error = each));
      near.resume();
      near.renegotiate({}, () => undefined);
      await failed;
      expect(error).toMatchObject({ code: 'ERR_SSL_NO_RENEGOTIATION' });
      await endBoth({ server, near, far });
    }
    const { server, near, far } = await open({ maxVersion: 'TLSv1.2' }, { ...trusting, ...clients });
    near.disableRenegotiation();
    near.resume();
    expect((await ask(near, {})).error?.code).toBe('ERR_SSL_NO_RENEGOTIATION');
    expect((await ask(far)).error?.code).toBe('ERR_SSL_NO_RENEGOTIATION');
    await endBoth({ server, near, far });
  });

  test('waits for the first handshake', async () => {
    const server = createServer(identity);
    const near = connect({ ...trusting, port: await listen(server) });
    near.on('error', () => undefined);
    const { result, error } = await ask(near, {});
    expect([result, error?.code]).toEqual([false, 'ERR_TLS_INVALID_STATE']);
    near.destroy();
    server.close();
  });
});

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'openssl-async-later-'));
afterAll(() => {
  fs.rmSync(folder, { recursive: true });
});
fs.writeFileSync(path.join(folder, 'cert'), clients.cert);
fs.writeFileSync(path.join(folder, 'key'), clients.key);

describeWith('openssl')('openssl s_client', () => {
  test.each([
    ['TLSv1.2', []],
    ['TLSv1.3', ['-enable_pha']],
  ] as const)('gives its certificate later, %s', async (maxVersion, flags) => {
    const server = createServer({ ...identity, maxVersion });
    const secure = once(server, 'secureConnection') as Promise<[nodeTls.TLSSocket]>;
    const port = await listen(server);
    const files = ['-cert', path.join(folder, 'cert'), '-key', path.join(folder, 'key')];
    const args = ['s_client', '-connect', `127.0.0.1:${String(port)}`, '-quiet', ...files, ...flags];
    const client = converse('openssl', args, []);
    const [far] = await secure;
    expect(await ask(far)).toEqual({ result: true, error: null });
    expect([far.authorized, nameOf(far)]).toEqual([true, 'client']);
    far.end();
    await client;
    await close(server);
  });
});

test('a client renegotiates while small records are under way', async () => {
  const [count, size] = [3000, 1000];
  const server = nodeTls.createServer({ ...identity, maxVersion: 'TLSv1.2' }, (socket) => {
    socket.on('error', () => undefined).resume();
    for (let number = 0; number < count; ++number) socket.write(Buffer.alloc(size));
  });
  const client = connect({ ...trusting, port: await listen(server) });
  let received = 0;
  const renegotiated = new Promise<unknown>((resolve) => {
    client.on('data', (bytes: Buffer) => {
      const before = received;
      received += bytes.length;
      // More comes meanwhile than one turn reads.
      if (before < 200_000) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
      if (before < 200_000 && received >= 200_000) client.renegotiate({}, resolve);
    });
  });
  expect(await renegotiated).toBeNull();
  while (received < count * size) await once(client, 'data');
  client.end();
  await closing(client);
  await close(server);
});

test.each(['loop', 'threads'] as const)(
  'a server ends in the middle of a renegotiation, with records on %s',
  async (records) => {
    const { server, near, far } = await open({ maxVersion: 'TLSv1.2', records }, { ...trusting, ...clients });
    near.resume();
    far.resume();
    const asked = ask(far);
    await new Promise(setImmediate);
    const closed = Promise.all([closing(near), closing(far)]);
    far.end();
    await asked;
    await closed;
    expect([far.writableFinished, far.errored, near.errored]).toEqual([true, null, null]);
    await close(server);
  },
);
