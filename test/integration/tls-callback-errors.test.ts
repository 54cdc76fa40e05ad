// Callbacks and listeners that a handshake waits for, and that throw or give nonsense: a client may bring that about. It is
// the error of that client's handshake, and never uncaught.
import { once } from 'node:events';
import * as nodeTls from 'node:tls';
import { createServer, type TlsOptions } from '../../lib/tls/tls';
import { pipedPair } from '../support/piped-pair';
import { close, listen, read, run, selfSigned } from '../support/tls';

const identity = selfSigned('localhost');
const broken = new Error('broken on purpose');
const fail = (): never => {
  throw broken;
};
const PSK = 'ECDHE-PSK-CHACHA20-POLY1305:TLS_CHACHA20_POLY1305_SHA256';
const sharing: nodeTls.ConnectionOptions = {
  ciphers: PSK,
  pskCallback: () => ({ psk: Buffer.alloc(32, 1), identity: 'somebody' }),
  checkServerIdentity: () => undefined,
};

const ALERT = { code: 'ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR' };

interface Case {
  options?: TlsOptions;
  listener?: 'OCSPRequest' | 'resumeSession';
  client?: nodeTls.ConnectionOptions & { requestOCSP?: boolean };
  code?: string;
}

const CASES: Record<string, Case> = {
  'SNICallback throws': { options: { SNICallback: fail } },
  'ALPNCallback throws': { options: { ALPNCallback: fail }, client: { ALPNProtocols: ['h2'] } },
  'ALPNCallback gives nonsense': {
    options: { ALPNCallback: () => 'http/5' },
    client: { ALPNProtocols: ['h2'] },
    code: 'ERR_TLS_ALPN_CALLBACK_INVALID_RESULT',
  },
  'onClientHello throws': { options: { onClientHello: fail } },
  'onClientHello rejects': { options: { onClientHello: () => Promise.reject(broken) } },
  'onClientHello throws, on the event loop': { options: { onClientHello: fail, threads: 0 } },
  'pskCallback throws, TLS 1.3': { options: { ciphers: PSK, pskCallback: fail }, client: sharing },
  'pskCallback throws, TLS 1.2': {
    options: { ciphers: PSK, pskCallback: fail, maxVersion: 'TLSv1.2' },
    client: sharing,
  },
  'pskCallback gives nonsense': {
    options: { ciphers: PSK, pskCallback: (() => 'text') as never },
    client: sharing,
    code: 'ERR_INVALID_ARG_TYPE',
  },
  'a listener to OCSPRequest throws': { listener: 'OCSPRequest', client: { requestOCSP: true } },
  'a listener to resumeSession throws': { listener: 'resumeSession' },
};

test.each(Object.entries(CASES))('%s: the error of that client', async (_, { options, listener, client, code }) => {
  const server = createServer({ ...identity, ...options }, (socket) => socket.end('served'));
  if (listener !== undefined) server.on(listener, fail);
  const port = await listen(server);
  const failed = once(server, 'tlsClientError') as Promise<[NodeJS.ErrnoException, nodeTls.TLSSocket]>;
  const socket = nodeTls.connect({
    port,
    host: '127.0.0.1',
    servername: 'localhost',
    rejectUnauthorized: false,
    ...client,
  });
  const refused = once(socket, 'error') as Promise<[NodeJS.ErrnoException]>;
  const [[error, accepted], [told]] = await Promise.all([failed, refused]);
  expect(told).toMatchObject(options?.onClientHello === undefined ? { code: 'ECONNRESET' } : ALERT);
  if (code === undefined) expect(error).toBe(broken);
  else expect(error.code).toBe(code);
  expect(accepted.destroyed).toBe(true);
  await close(server);
});

test('the client hears of it over a stream, too', async () => {
  const server = createServer({ ...identity, onClientHello: fail });
  const [near, far] = pipedPair();
  server.emit('connection', far);
  const [error] = (await once(nodeTls.connect({ socket: near, rejectUnauthorized: false }), 'error')) as [Error];
  expect(error).toMatchObject(ALERT);
});

test('openssl s_client hears of it', async () => {
  const server = createServer({ ...identity, onClientHello: fail });
  const port = await listen(server);
  const { stderr } = await run('openssl', ['s_client', '-connect', `127.0.0.1:${String(port)}`]);
  expect(stderr).toContain('alert internal error');
  await close(server);
});

test("what a listener to 'newSession' throws is an error of the server, and its client is served", async () => {
  const server = createServer(identity, (socket) => socket.end('served')).on('newSession', fail);
  const errors: Error[] = [];
  server.on('error', (error) => errors.push(error));
  const port = await listen(server);
  const socket = nodeTls.connect({ port, host: '127.0.0.1', ca: identity.cert, servername: 'localhost' });
  expect((await read(socket)).toString()).toBe('served');
  expect(errors.length).toBeGreaterThan(0);
  expect(errors.every((error) => error === broken)).toBe(true);
  await close(server);
});
