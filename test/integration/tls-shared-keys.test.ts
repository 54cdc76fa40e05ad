// Clients and servers that share a key: pskCallback and pskIdentityHint.
import { once } from 'node:events';
import * as nodeTls from 'node:tls';
import { setImmediate } from 'node:timers/promises';
import { stats } from '../../lib';
import { createServer, type Server, type SharedKey, type TlsOptions } from '../../lib/tls/tls';
import { pipedPair } from '../support/piped-pair';
import { close, connectTo, listen, read, run, selfSigned } from '../support/tls';
import { all, clientOver, endStreams, serve } from '../support/tls-over-streams';
import { codeOf } from '../support/unit';

const key = Buffer.from('82072606b502b0f4025e90eb75fe137d', 'hex');
const identity = selfSigned('localhost');
const CIPHERS = 'PSK+HIGH:TLS_AES_128_GCM_SHA256';

const knowing = (asked: string[] = []): TlsOptions => ({
  ciphers: CIPHERS,
  pskCallback: (_, name) => {
    asked.push(name);
    return name === 'ann' ? key : null;
  },
});

const served = (options: TlsOptions): Server => createServer(options, (socket) => socket.end('served'));

function clientOf(name: string, options: nodeTls.ConnectionOptions = {}, psk = key): nodeTls.ConnectionOptions {
  return {
    ciphers: CIPHERS,
    checkServerIdentity: () => undefined,
    pskCallback: () => ({ psk, identity: name }),
    ...options,
  };
}

const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;
const only = (version: (typeof VERSIONS)[number]): { minVersion: typeof version; maxVersion: typeof version } => ({
  minVersion: version,
  maxVersion: version,
});

afterEach(endStreams);

describe.each(VERSIONS)('%s', (version) => {
  test.each([0, 1])('a client with the key is served, with %i threads', async (threads) => {
    const asked: string[] = [];
    const server = served({ ...knowing(asked), threads, maxInlineMicros: 0 });
    const port = await listen(server);
    const client = await connectTo(port, clientOf('ann', only(version)));
    expect([client.getProtocol(), client.getPeerCertificate()]).toEqual([version, {}]);
    expect((await read(client)).toString()).toBe('served');
    expect(asked).toEqual(['ann']);
    await close(server);
    expect(stats().tls.connections).toBe(0);
  });

  test('a key may come by a promise, as an object, and in any view', async () => {
    const answers: SharedKey[] = [key, { psk: key }, new DataView(key.buffer, key.byteOffset, key.length)];
    const sockets = new Set<unknown>();
    const server = served({
      ciphers: CIPHERS,
      async pskCallback(this: unknown, socket: nodeTls.TLSSocket) {
        sockets.add(this);
        sockets.add(socket);
        await setImmediate();
        return answers[sockets.size - 1];
      },
    });
    const port = await listen(server);
    for (let count = 1; count <= answers.length; ++count) {
      expect((await read(await connectTo(port, clientOf('ann', only(version))))).toString()).toBe('served');
      expect(sockets.size).toBe(count); // `this` is the socket
    }
    await close(server);
  });

  test.each([
    ['a name that nobody knows', 'bob', key],
    ['a wrong key', 'ann', Buffer.alloc(16, 1)],
  ])('%s fails', async (_, name, psk) => {
    const server = served(knowing());
    const failed = once(server, 'tlsClientError') as Promise<[Error & { code: string }]>;
    await expect(connectTo(await listen(server), clientOf(name, only(version), psk))).rejects.toThrow();
    expect((await failed)[0].code).toMatch(/^ERR_SSL_/);
    await close(server);
  });

  test.each([
    ['a text', 'text', 'ERR_INVALID_ARG_TYPE'],
    ['an object without a key', {}, 'ERR_INVALID_ARG_TYPE'],
    ['a key that is too long', Buffer.alloc(257), 'ERR_INVALID_ARG_VALUE'],
    ['an error', new Error('the store is down'), undefined],
  ])('%s from a promise ends the handshake', async (_, answer, code) => {
    const server = served({
      ciphers: CIPHERS,
      pskCallback: async () => {
        await setImmediate();
        if (answer instanceof Error) throw answer;
        return answer as SharedKey;
      },
    });
    const failed = once(server, 'tlsClientError') as Promise<[Error & { code?: string }]>;
    await expect(connectTo(await listen(server), clientOf('ann', only(version)))).rejects.toThrow();
    const [error] = await failed;
    if (answer instanceof Error) expect(error).toBe(answer);
    else expect(error.code).toBe(code);
    await close(server);
  });

  test('clients with and without a key, at once', async () => {
    const server = served({ ...knowing(), ...identity, ciphers: `${CIPHERS}:ECDHE+HIGH`, maxInlineMicros: 0 });
    const port = await listen(server);
    const clients = Array.from({ length: 40 }, async (_, i) => {
      const options = i % 2 === 0 ? clientOf('ann', only(version)) : only(version);
      const client = await connectTo(port, options);
      const { subject } = client.getPeerCertificate() as { subject?: { CN: string } };
      return [subject?.CN, (await read(client)).toString()];
    });
    const expected = clients.map((_, i) => [i % 2 === 0 ? undefined : 'localhost', 'served']);
    expect(await Promise.all(clients)).toEqual(expected);
    await close(server);
  });

  test('a client with the key needs no certificate where clients have to show one, and others do', async () => {
    const options = {
      ...knowing(),
      ...identity,
      ciphers: `${CIPHERS}:ECDHE+HIGH`,
      requestCert: true,
      ca: identity.cert,
    };
    const server = createServer(options, (socket) => socket.end(String(socket.authorized)));
    const port = await listen(server);
    expect((await read(await connectTo(port, clientOf('ann', only(version))))).toString()).toBe('true');
    const failed = once(server, 'tlsClientError');
    const other = nodeTls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...only(version) });
    other.on('error', () => undefined);
    await failed;
    other.destroy();
    await close(server);
  });

  test('a client that leaves while the key is looked for is forgotten', async () => {
    const asked: ((answer: SharedKey) => void)[] = [];
    const server = served({
      ciphers: CIPHERS,
      pskCallback: () => new Promise((resolve) => asked.push(resolve)),
    });
    server.on('tlsClientError', () => undefined);
    const port = await listen(server);
    const client = nodeTls.connect({ port, host: '127.0.0.1', ...clientOf('ann', only(version)) });
    client.on('error', () => undefined);
    while (asked.length === 0) await setImmediate();
    client.destroy();
    await close(server);
    asked[0]?.(key);
    await setImmediate();
    expect(stats().tls.connections).toBe(0);
  });

  test('over a stream', async () => {
    const [near, far] = pipedPair();
    serve(served(knowing()), far);
    const client = clientOver(near, clientOf('ann', only(version)));
    expect((await all(client)).toString()).toBe('served');
  });

  test('a session is resumed', async () => {
    const asked: string[] = [];
    const server = served(knowing(asked));
    const port = await listen(server);
    const client = await connectTo(port, clientOf('ann', only(version)));
    let session: Buffer | undefined = client.getSession();
    client.on('session', (latest: Buffer) => (session = latest));
    await read(client);
    asked.splice(0);
    const offering = session === undefined ? {} : { session };
    const again = await connectTo(port, clientOf('ann', { ...only(version), ...offering }));
    expect(again.isSessionReused()).toBe(true);
    expect((await read(again)).toString()).toBe('served');
    // Under TLS 1.3, the client offers both.
    expect(asked).toEqual(version === 'TLSv1.3' ? ['ann'] : []);
    await close(server);
  });
});

test('a client that names a key, and does not use it, has shown nothing', async () => {
  const asked: string[] = [];
  const options = { ...knowing(asked), ...identity, ciphers: 'TLS_AES_256_GCM_SHA384', requestCert: true };
  const server = createServer({ ...options, rejectUnauthorized: false }, (socket) =>
    socket.end(String(socket.authorized)),
  );
  const port = await listen(server);
  // The key is for TLS_AES_128_GCM_SHA256.
  const client = await connectTo(port, clientOf('ann', { ciphers: 'TLS_AES_256_GCM_SHA384' }, Buffer.alloc(16, 1)));
  expect((await read(client)).toString()).toBe('false');
  expect(asked).toEqual(['ann']);
  await close(server);
});

test.each(['PSK-AES128-GCM-SHA256', 'DHE-PSK-AES128-GCM-SHA256', 'ECDHE-PSK-CHACHA20-POLY1305'])(
  'OpenSSL itself shares a key, by %s',
  async (cipher) => {
    const names: string[] = [];
    const server = createServer(
      { ...knowing(names), ciphers: cipher, dhparam: 'auto', maxVersion: 'TLSv1.2' },
      (socket) => socket.end('served'),
    );
    const port = await listen(server);
    const args = [
      's_client',
      '-connect',
      `127.0.0.1:${String(port)}`,
      '-tls1_2',
      '-ign_eof',
      '-cipher',
      `${cipher}:@SECLEVEL=0`,
    ];
    const { stdout } = await run('openssl', [...args, '-psk_identity', 'ann', '-psk', key.toString('hex')]);
    expect(stdout).toContain('served');
    expect(stdout).toContain(cipher);
    expect(names).toEqual(['ann']);
    await close(server);
  },
);

test('the client gets the hint, and one that is too long ends every handshake', async () => {
  const server = served({ ...knowing(), pskIdentityHint: 'who are you?' });
  const port = await listen(server);
  const hints: (string | null)[] = [];
  const client = await connectTo(port, {
    ...clientOf('ann', only('TLSv1.2')),
    pskCallback: (hint) => {
      hints.push(hint);
      return { psk: key, identity: 'ann' };
    },
  });
  expect((await read(client)).toString()).toBe('served');
  expect(hints).toEqual(['who are you?']);
  await close(server);
  const wordy = served({ ...knowing(), pskIdentityHint: 'a'.repeat(257) });
  const failed = once(wordy, 'tlsClientError') as Promise<[Error & { code: string }]>;
  await expect(connectTo(await listen(wordy), clientOf('ann'))).rejects.toThrow();
  expect((await failed)[0].code).toBe('ERR_TLS_PSK_SET_IDENTITY_HINT_FAILED');
  await close(wordy);
});

test('wrong options are refused', () => {
  expect(codeOf(() => createServer({ pskCallback: 1 as never }))).toBe('ERR_INVALID_ARG_TYPE');
  expect(codeOf(() => createServer({ pskIdentityHint: 1 as never }))).toBe('ERR_INVALID_ARG_TYPE');
});
