// Renegotiation that clients begin, before TLS 1.3, where servers let them: as servers of node:tls do.
import { spawnSync } from 'node:child_process';
import { constants } from 'node:crypto';
import { once } from 'node:events';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import * as path from 'node:path';
import * as nodeTls from 'node:tls';
import { createRemoteKey, type AsyncKey } from '../../lib';
import { createSecureServer } from '../../lib/tls/http2';
import { createServer as createHttpsServer } from '../../lib/tls/https';
import {
  CLIENT_RENEG_LIMIT,
  CLIENT_RENEG_WINDOW,
  connect,
  createServer,
  TLSSocket,
  type ConnectionOptions,
  type TlsOptions,
} from '../../lib/tls/tls';
import { Authorities, LEAF } from '../support/certificates';
import { describeWithJobs } from '../support/jobs';
import { ask, closing, endBoth, exchange, openConnection, type OpenConnection } from '../support/open-connection';
import { pipedPair } from '../support/piped-pair';
import { ROOT } from '../support/programs';
import { ED25519, signerOf } from '../support/remote-keys';
import { certificateOf, close, connectTo, listen, read, selfSigned } from '../support/tls';
import { converse, describeWith } from '../support/tools';

const authorities = new Authorities();
const root = authorities.root('root');
const own = authorities.signed('server', 'root', { extensions: [...LEAF, 'subjectAltName = DNS:localhost'] });
const clients = authorities.signed('client', 'root');
afterAll(() => {
  authorities.close();
});

const identity = { key: own.key, cert: own.cert, ca: root.cert };
const letting = { ...identity, maxVersion: 'TLSv1.2', clientRenegotiation: true } as const;
const trusting: ConnectionOptions = { host: '127.0.0.1', servername: 'localhost', ca: root.cert };
const lenient = { ...trusting, rejectUnauthorized: false };
const makeOfNode = nodeTls.connect as typeof connect;
const MAKERS = [
  ['ours', connect],
  ['of node:tls', makeOfNode],
] as const;
const PLACES: [string, TlsOptions][] = [
  ['on the loop', { threads: 0 }],
  ['after a handshake on a thread', { maxInlineMicros: 0 }],
  ['with records on threads', { records: 'threads' }],
];

// Whoever sets them sets properties of the module itself.
const limits = jest.requireActual<{ CLIENT_RENEG_LIMIT: number; CLIENT_RENEG_WINDOW: number }>('node:tls');
const { CLIENT_RENEG_LIMIT: LIMIT, CLIENT_RENEG_WINDOW: WINDOW } = limits;
afterEach(() => {
  Object.assign(limits, { CLIENT_RENEG_LIMIT: LIMIT, CLIENT_RENEG_WINDOW: WINDOW });
});

/** What both ends hear of, in the order of each. */
interface Heard {
  near: unknown[];
  far: unknown[];
}

function listenTo(socket: nodeTls.TLSSocket, heard: unknown[]): void {
  socket.on('secure', () => heard.push('secure'));
  socket.on('data', (bytes: Buffer) => heard.push(String(bytes)));
  socket.on('end', () => heard.push('end'));
  socket.on('error', (error: Error & { code: string }) => {
    heard.push([error.code, error.message]);
    socket.destroy(); // as users of Node.js do: its servers go on otherwise
  });
  socket.on('close', (hadError: boolean) => heard.push(['close', hadError]));
}

// `times` renegotiations with text before, between and behind them; the callback of a last one may never be called.
async function renegotiate({ near, far }: OpenConnection, times: number): Promise<Heard> {
  const heard: Heard = { near: [], far: [] };
  listenTo(near, heard.near);
  listenTo(far, heard.far);
  const closed = Promise.all([closing(near), closing(far)]);
  await exchange(near, far, 'before');
  for (let time = 1; time <= times; ++time) {
    const secured = new Promise((resolve) => far.once('secure', resolve));
    const began = near.renegotiate({}, (error) => heard.near.push(error === null ? 'done' : 'failed'));
    expect(began).toBe(true);
    await Promise.race([Promise.all([secured, once(near, 'secure')]), closed]);
    if (far.destroyed) break;
    await exchange(near, far, `to ${String(time)}`);
    await exchange(far, near, `back ${String(time)}`);
  }
  if (!far.destroyed) near.end();
  await closed;
  return heard;
}

describe.each(MAKERS)('a client, %s', (_, make) => {
  describe.each([
    ['without a certificate', {}, {}],
    ['with its certificate', { requestCert: true }, clients],
  ])('%s', (__, server, client) => {
    const credentials = { ...trusting, ...client };
    const begun = async (makeServer: typeof createServer, options: TlsOptions, times: number): Promise<Heard> => {
      const both = await openConnection({ ...letting, ...server, ...options }, credentials, make, makeServer);
      const heard = await renegotiate(both, times);
      await close(both.server);
      return heard;
    };

    test.each([1, 2, 3, 4])('renegotiates as with a server of node:tls, %s times', async (times) => {
      const expected = await begun(nodeTls.createServer as never, {}, times);
      const last = expected.far[expected.far.length - 2];
      const attack = ['ERR_TLS_SESSION_ATTACK', 'TLS session renegotiation attack detected'];
      expect(last).toEqual(times === 4 ? attack : 'end');
      for (const [, options] of PLACES) expect(await begun(createServer, options, times)).toEqual(expected);
    });
  });

  test.each(PLACES)('may not after disableRenegotiation(), as with node:tls, %s', async (__, options) => {
    const outcomes = [];
    for (const makeServer of [nodeTls.createServer as never, createServer]) {
      const both = await openConnection({ ...letting, ...options }, trusting, make, makeServer);
      both.far.disableRenegotiation();
      outcomes.push(await renegotiate(both, 1));
      await close(both.server);
    }
    expect(outcomes[1]).toEqual(outcomes[0]);
    const error = ['ERR_TLS_RENEGOTIATION_DISABLED', 'TLS session renegotiation disabled for this socket'];
    expect(outcomes[1]?.far).toEqual(['before', error, ['close', false]]);
  });
});

describe('the limit', () => {
  test('is that of node:tls, read at each handshake', async () => {
    expect([CLIENT_RENEG_LIMIT, CLIENT_RENEG_WINDOW]).toEqual([3, 600]);
    const both = await openConnection(letting, trusting);
    both.far.resume();
    limits.CLIENT_RENEG_LIMIT = 5;
    for (let time = 1; time <= 4; ++time) expect(await ask(both.near, {})).toEqual({ result: true, error: null });
    limits.CLIENT_RENEG_LIMIT = 4;
    const failed = once(both.far, 'error') as Promise<[Error & { code: string }]>;
    expect((await ask(both.near, {})).error).toMatchObject({ code: 'ECONNRESET' });
    expect((await failed)[0].code).toBe('ERR_TLS_SESSION_ATTACK');
    await endBoth(both);
  });

  test('counts those within the window only', async () => {
    limits.CLIENT_RENEG_LIMIT = 1;
    limits.CLIENT_RENEG_WINDOW = 0;
    const both = await openConnection(letting, trusting);
    both.far.resume();
    for (let time = 1; time <= 4; ++time) expect(await ask(both.near, {})).toEqual({ result: true, error: null });
    await endBoth(both);
  });

  test("does not count the server's own", async () => {
    const both = await openConnection(letting, { ...trusting, ...clients });
    both.near.resume();
    both.far.resume();
    for (let time = 1; time <= 5; ++time) expect(await ask(both.far)).toEqual({ result: true, error: null });
    for (let time = 1; time <= 3; ++time) expect(await ask(both.near, {})).toEqual({ result: true, error: null });
    await endBoth(both);
  });

  // A server of Node.js goes on with such a client.
  test('holds where nobody does anything about the error', async () => {
    limits.CLIENT_RENEG_LIMIT = 0;
    const both = await openConnection(letting, trusting);
    both.far.resume();
    expect((await ask(both.near, {})).error).toMatchObject({ code: 'ECONNRESET' });
    expect(both.far.destroyed).toBe(true);
    await endBoth(both);
  });

  test('keeps a client that floods from the others', async () => {
    const server = createServer(letting, (socket) => socket.on('error', () => undefined).pipe(socket));
    const port = await listen(server);
    const other = connect({ ...trusting, port });
    await once(other, 'secureConnect');
    for (let time = 0; time < 5; ++time) {
      const client = makeOfNode({ ...trusting, port });
      client.on('error', () => undefined);
      const closed = closing(client.resume());
      await once(client, 'secureConnect');
      let secured = 0;
      const again = (): void => {
        client.renegotiate({}, () => {
          ++secured;
          again();
        });
      };
      again();
      await exchange(other, other, `text ${String(time)}`);
      await closed;
      expect(secured).toBe(3);
    }
    other.destroy();
    await close(server);
  });
});

// The event loop has 2 ms for handshakes before it has its turn.
test('many that begin at once do not hold the event loop until all are done', async () => {
  const count = 30;
  const { server, near, far } = await openConnection({ ...letting, ...selfSigned('localhost', 'rsa') }, lenient);
  const clients = [near];
  const sockets = [far];
  server.on('secureConnection', (socket: nodeTls.TLSSocket) => sockets.push(socket));
  const { port } = server.address() as AddressInfo;
  while (clients.length < count) clients.push(await connectTo(port));
  while (sockets.length < count) await once(server, 'secureConnection');
  let turn = 0;
  let ticking = setImmediate(function tick() {
    ++turn;
    ticking = setImmediate(tick);
  });
  const turns = sockets.map(async (socket) => {
    await once(socket.resume(), 'secure');
    return turn;
  });
  for (const client of clients) client.resume().renegotiate({}, () => undefined);
  const seen = new Set(await Promise.all(turns));
  clearImmediate(ticking);
  expect(seen.size).toBeGreaterThan(2);
  for (const socket of [...clients, ...sockets]) socket.destroy();
  await close(server);
});

describe('a server that does not let clients', () => {
  test.each([
    ['by default', { ...letting, clientRenegotiation: undefined }],
    ['by its option', { ...letting, clientRenegotiation: false }],
    ['by OpenSSL’s option', { ...letting, secureOptions: constants.SSL_OP_NO_RENEGOTIATION }],
    [
      'by default, whatever the options of OpenSSL say',
      { ...letting, clientRenegotiation: undefined, secureOptions: 1 << 8 }, // SSL_OP_ALLOW_CLIENT_RENEGOTIATION
    ],
  ] as [string, TlsOptions][])('refuses, %s', async (_, options) => {
    const both = await openConnection(options, trusting);
    both.far.resume();
    const codes: unknown[] = [];
    both.far.on('error', ({ code }: Error & { code?: string }) => codes.push(code));
    expect((await ask(both.near, {})).error?.code).toBe('ERR_SSL_NO_RENEGOTIATION');
    await closing(both.far);
    expect(codes).not.toContain('ERR_TLS_SESSION_ATTACK');
    await endBoth(both);
  });

  test('refuses with HTTP/2 in any case', async () => {
    const server = createSecureServer(letting);
    const near = makeOfNode({ ...trusting, port: await listen(server), ALPNProtocols: ['h2'] });
    await once(near.resume(), 'secureConnect');
    const failed = once(near, 'error') as Promise<[Error & { code: string }]>;
    near.renegotiate({}, () => undefined);
    expect([near.alpnProtocol, (await failed)[0].code]).toEqual(['h2', 'ERR_SSL_NO_RENEGOTIATION']);
    await close(server);
  });

  test.each([1, 'yes', null, {}])('takes no other option, %p', (clientRenegotiation) => {
    expect(() => createServer({ ...letting, clientRenegotiation: clientRenegotiation as boolean })).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }) as Error,
    );
  });
});

// Its client is of this package, too, and says what Node.js's would say.
test('is the default with register, and a callback does not hear of the end', () => {
  const program = `
    const tls = require('node:tls');
    tls.CLIENT_RENEG_LIMIT = 2;
    const server = tls.createServer({ ...${JSON.stringify(identity)}, maxVersion: 'TLSv1.2' }, (socket) => {
      socket.on('error', ({ code }) => console.log(code, socket.handshake !== undefined)).resume();
      server.close();
    });
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      const client = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
      const again = () => client.renegotiate({}, (error) => {
        console.log(error);
        again();
      });
      client.once('secureConnect', again);
      client.on('close', (hadError) => console.log('closed', hadError));
      client.resume();
    });`;
  const register = path.join(ROOT, 'dist', 'register.js');
  const ran = spawnSync(process.execPath, ['--require', register, '-e', program], { encoding: 'utf8' });
  expect([ran.stderr, ran.stdout]).toEqual(['', 'null\nnull\nERR_TLS_SESSION_ATTACK true\nclosed false\n']);
});

describe("a client's certificate", () => {
  test('is looked at again', async () => {
    const both = await openConnection({ ...letting, requestCert: true }, { ...trusting, ...clients });
    both.far.resume();
    Object.assign(both.far, { authorized: false, authorizationError: 'CERT_HAS_EXPIRED' });
    expect(await ask(both.near, {})).toEqual({ result: true, error: null });
    await exchange(both.near, both.far, 'x');
    expect([both.far.authorized, both.far.authorizationError]).toEqual([true, null]);
    await endBoth(both);
  });
});

describe('data in flight', () => {
  test.each(PLACES)('arrives, in both directions, %s', async (_, options) => {
    const both = await openConnection({ ...letting, ...options }, trusting);
    const { near, far, server } = both;
    const message = Buffer.alloc(1_000_000, 'm');
    const heard = [read(near), read(far)];
    for (let time = 1; time <= 3; ++time) {
      far.write(message);
      near.write(message);
      const asked = ask(near, {});
      far.write(message);
      near.write(message);
      expect(await asked).toEqual({ result: true, error: null });
    }
    near.end('near');
    far.end('far');
    const [atNear, atFar] = (await Promise.all(heard)) as [Buffer, Buffer];
    expect([atNear.length, atFar.length]).toEqual([6_000_003, 6_000_004]);
    expect([atNear.subarray(-3), atFar.subarray(-4)].map(String)).toEqual(['far', 'near']);
    await close(server);
  });

  test('waits with the handshake while nobody reads the socket', async () => {
    const both = await openConnection(letting, trusting);
    both.far.pause();
    both.near.write('before');
    const asked = ask(both.near, {});
    await new Promise(setImmediate);
    both.far.resume();
    expect(await asked).toEqual({ result: true, error: null });
    await exchange(both.far, both.near, 'after');
    await endBoth(both);
  });
});

describe('a handshake that is broken off', () => {
  test.each(PLACES)('by the client, at once, %s', async (_, options) => {
    const both = await openConnection({ ...letting, ...options }, trusting);
    const closed = closing(both.far.resume());
    both.near.renegotiate({}, () => undefined);
    both.near.destroy();
    await closed;
    await endBoth(both);
  });

  test.each(PLACES)('by the server, %s', async (_, options) => {
    const both = await openConnection({ ...letting, ...options }, trusting);
    both.far.resume();
    const asked = ask(both.near, {});
    await new Promise(setImmediate);
    both.far.destroy();
    await asked;
    await endBoth(both);
  });

  test.each(PLACES)('by the end of both, %s', async (_, options) => {
    const both = await openConnection({ ...letting, ...options }, trusting);
    const closed = Promise.all([closing(both.near.resume()), closing(both.far.resume())]);
    both.near.renegotiate({}, () => undefined);
    both.near.end();
    both.far.end();
    await closed;
    await endBoth(both);
  });
});

test('a socket over a stream has the option, too', async () => {
  const [one, other] = pipedPair();
  const far = new TLSSocket(other, { ...letting, isServer: true }) as unknown as nodeTls.TLSSocket;
  const near = connect({ ...trusting, socket: one });
  const codes: unknown[] = [];
  far.on('error', ({ code }: Error & { code?: string }) => codes.push(code));
  near.on('error', () => undefined);
  await once(near, 'secureConnect');
  far.resume();
  for (let time = 1; time <= 3; ++time) expect(await ask(near, {})).toEqual({ result: true, error: null });
  await exchange(far, near, 'y');
  const closed = closing(far);
  near.renegotiate({}, () => undefined);
  await closed;
  expect(codes).toEqual(['ERR_TLS_SESSION_ATTACK']);
  near.destroy();
});

test('a connection of HTTPS is kept alive over it', async () => {
  const errors: unknown[] = [];
  const server = createHttpsServer(letting, (request, response) => response.end(request.url));
  server.on('clientError', (error: Error & { code: string }, socket) => {
    errors.push(error.code);
    socket.destroy();
  });
  const near = connect({ ...trusting, port: await listen(server) });
  await once(near, 'secureConnect');
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  Object.assign(agent, { createConnection: () => near });
  const get = async (path: string): Promise<string> => {
    const [response] = (await once(http.get({ path, agent }), 'response')) as [http.IncomingMessage];
    return String(await read(response));
  };
  for (let time = 1; time <= 3; ++time) {
    expect(await get(`/${String(time)}`)).toBe(`/${String(time)}`);
    expect(await ask(near, {})).toEqual({ result: true, error: null });
  }
  expect(await get('/last')).toBe('/last');
  await ask(near, {});
  expect(errors).toEqual(['ERR_TLS_SESSION_ATTACK']);
  await close(server);
});

describeWithJobs('a key that a function holds', () => {
  const cert = certificateOf(ED25519.publicKey.export({ type: 'spki', format: 'pem' }) as string, 'remote', own);
  const sign = signerOf(ED25519.privateKey);
  let asked = 0;
  let go: (() => void) | undefined;
  let holds = false;
  const key: AsyncKey = createRemoteKey({
    publicKey: ED25519.publicKey,
    sign: (request) =>
      new Promise((resolve) => {
        ++asked;
        go = () => {
          resolve(sign(request));
        };
        if (!holds) go();
        isAsked();
      }),
    timeoutMs: 5000,
  });
  let isAsked = (): void => undefined;
  beforeEach(() => {
    asked = 0;
    holds = false;
  });

  test.each(PLACES)('signs for it, and not beyond the limit, %s', async (_, options) => {
    const both = await openConnection({ ...letting, ...options, cert, key }, lenient);
    const codes: unknown[] = [];
    both.far.on('error', ({ code }: Error & { code?: string }) => codes.push(code));
    for (let time = 1; time <= 3; ++time) {
      await exchange(both.near, both.far, 'x');
      expect(await ask(both.near, {})).toEqual({ result: true, error: null });
      await exchange(both.far, both.near, 'y');
    }
    await ask(both.near, {});
    expect([codes, asked]).toEqual([['ERR_TLS_SESSION_ATTACK'], 4]);
    await endBoth(both);
  });

  test.each(['near', 'far'] as const)('signs when the %s end has left', async (end) => {
    const both = await openConnection({ ...letting, cert, key }, lenient);
    both.far.resume();
    holds = true;
    const question = new Promise<void>((resolve) => (isAsked = resolve));
    const answered = ask(both.near, {});
    await question;
    both[end].destroy();
    go?.();
    expect((await answered).error).toBeInstanceOf(Error);
    await endBoth(both);
  });
});

describeWith('openssl')('openssl s_client', () => {
  test('renegotiates three times', async () => {
    const server = createServer(letting);
    const secure = once(server, 'secureConnection') as Promise<[nodeTls.TLSSocket]>;
    const args = ['s_client', '-tls1_2', '-connect', `127.0.0.1:${String(await listen(server))}`];
    const lines = [
      { after: /Verify return code/, text: 'R\n' },
      ...[1, 2, 3].map((time) => ({ after: new RegExp(`answer ${String(time)}`), text: 'R\n' })),
    ];
    const client = converse('openssl', args, lines);
    const [far] = await secure;
    const codes: unknown[] = [];
    let secured = 0;
    far.on('secure', () => far.write(`answer ${String(++secured)}\n`));
    far.on('error', ({ code }: Error & { code?: string }) => codes.push(code));
    far.resume();
    const said = await client;
    expect([secured, codes]).toEqual([3, ['ERR_TLS_SESSION_ATTACK']]);
    expect(said.match(/RENEGOTIATING/g)).toHaveLength(4);
    expect(said).not.toContain('no renegotiation');
    await close(server);
  });
});
