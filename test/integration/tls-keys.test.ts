// Servers whose private keys are elsewhere: asked for by JavaScript, in an engine, a provider or a token.
import { spawn, execFile } from 'node:child_process';
import * as crypto from 'node:crypto';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as net from 'node:net';
import * as path from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import type { TlsOptions } from 'node:tls';
import { Worker } from 'node:worker_threads';
import { createRemoteKey, loadEngine, loadProvider, stats, type RemoteSignRequest } from '../../lib';
import { createServer, type Server, type TLSSocket } from '../../lib/tls/tls';
import { describeWithJobs, HAS_JOBS } from '../support/jobs';
import { ROOT, inChild, resultOf } from '../support/programs';
import { describeReference, PROVIDER } from '../support/reference';
import { certificateOf, close, connectTo, listen, read, selfSigned, type Identity } from '../support/tls';
import { createToken, missing } from '../support/token';

const ec = selfSigned('ec.test', 'ec');
const rsa = selfSigned('rsa.test', 'rsa');
const ed25519 = selfSigned('ed25519.test', 'ed25519');

const folder = fs.mkdtempSync(path.join(ROOT, 'build', 'tls-keys-'));
afterAll(() => {
  fs.rmSync(folder, { recursive: true });
});

type Options = Omit<TlsOptions, 'key'> & { key: unknown; provider?: string; threads?: number; maxHandshakes?: number };
type Told = TLSSocket['handshake'];

/** A server that answers with one word; `told` is what its sockets say of their handshakes. */
function serverOf(options: Options): Server & { told: Told[] } {
  const told: Told[] = [];
  const server = createServer(options as TlsOptions, (socket) => {
    told.push((socket as unknown as TLSSocket).handshake);
    socket.end('served');
  });
  return Object.assign(server, { told });
}

async function served(port: number, options: Parameters<typeof connectTo>[1] = {}): Promise<string> {
  return (await read(await connectTo(port, options))).toString();
}

/** Another process signs a digest: node:crypto would hash it again. */
async function signDigest(identity: Identity, request: RemoteSignRequest): Promise<Buffer> {
  const { digest, digestAlgorithm, padding, saltLength } = request;
  const key = path.join(folder, `${String(digestAlgorithm)}-${crypto.randomUUID()}.pem`);
  fs.writeFileSync(key, identity.key);
  const options = [`digest:${String(digestAlgorithm)}`];
  if (padding === crypto.constants.RSA_PKCS1_PSS_PADDING) {
    options.push('rsa_padding_mode:pss', `rsa_pss_saltlen:${String(saltLength)}`);
  }
  const args = ['pkeyutl', '-sign', '-inkey', key, ...options.flatMap((option) => ['-pkeyopt', option])];
  return new Promise((resolve, reject) => {
    const child = execFile('openssl', args, { encoding: 'buffer' }, (error, stdout) => {
      if (error === null) resolve(stdout);
      else reject(new Error(error.message));
    });
    child.stdin?.end(digest);
  });
}

/** The key of an identity, behind a function. */
function remote(identity: Identity, sign: (request: RemoteSignRequest) => Promise<Uint8Array> | Uint8Array) {
  return createRemoteKey({ publicKey: crypto.createPublicKey(identity.cert), sign, timeoutMs: 5000 });
}

const signEd25519 = ({ data }: RemoteSignRequest): Buffer => crypto.sign(null, data ?? Buffer.alloc(0), ed25519.key);

// Without jobs, the thread that has the handshake sleeps until the answer.
const PLACE = HAS_JOBS ? 'loop' : 'thread';

describe('keys that JavaScript functions have', () => {
  const identities = { RSA: rsa, 'P-256': ec, Ed25519: ed25519 };
  test.each([
    ['RSA', 'TLSv1.3'],
    ['RSA', 'TLSv1.2'],
    ['P-256', 'TLSv1.3'],
    ['P-256', 'TLSv1.2'],
    ['Ed25519', 'TLSv1.3'],
  ] as const)('%s, %s', async (name, maxVersion) => {
    const identity = identities[name];
    const before = stats().tls.pauses;
    const server = serverOf({
      cert: identity.cert,
      key: remote(identity, (request) => (identity === ed25519 ? signEd25519(request) : signDigest(identity, request))),
    });
    const port = await listen(server);
    expect(await served(port, { maxVersion })).toBe('served');
    expect(server.told[0]).toMatchObject({ place: PLACE, pauses: HAS_JOBS ? 1 : 0, resumed: false });
    expect(stats().tls.pauses - before).toBe(HAS_JOBS ? 1 : 0);
    await close(server);
  });

  describe('the exchange of keys by RSA', () => {
    const ciphers = 'AES128-GCM-SHA256';
    const withoutPadding = (padded: Buffer): Buffer => padded.subarray(padded.indexOf(0, 2) + 1);

    function servesWith(change: (premaster: Buffer) => Buffer, asked: unknown[] = []) {
      const key = createRemoteKey({
        publicKey: crypto.createPublicKey(rsa.cert),
        decrypt: ({ data, padding }) => {
          asked.push(padding);
          const raw = { key: rsa.key, padding: crypto.constants.RSA_NO_PADDING };
          return change(withoutPadding(crypto.privateDecrypt(raw, data)));
        },
      });
      return serverOf({ cert: rsa.cert, key, ciphers });
    }

    test('takes the padding of PKCS#1 v1.5', async () => {
      const asked: unknown[] = [];
      const server = servesWith((premaster) => premaster, asked);
      const port = await listen(server);
      expect(await served(port, { maxVersion: 'TLSv1.2', ciphers })).toBe('served');
      expect(asked).toEqual([crypto.constants.RSA_PKCS1_PADDING]);
      await close(server);
    });

    test.each<[string, (premaster: Buffer) => Buffer]>([
      ['is too short', (premaster) => premaster.subarray(1)],
      ['is too long', (premaster) => Buffer.concat([premaster, premaster])],
      ['is empty', () => Buffer.alloc(0)],
      [
        'cannot be decrypted',
        () => {
          throw new Error('the padding is wrong');
        },
      ],
      ['has another version', (premaster) => Buffer.concat([Buffer.of(3, 2), premaster.subarray(2)])],
    ])('tells nothing of a secret that %s: the handshake fails as with any wrong one', async (_, change) => {
      const server = servesWith(change);
      const port = await listen(server);
      const attempt = connectTo(port, { maxVersion: 'TLSv1.2', ciphers });
      const code = expect.stringMatching(/_ALERT_BAD_RECORD_MAC$/) as string;
      await expect(attempt).rejects.toMatchObject({ code });
      await close(server);
    });
  });

  const down = new Error('the service is down');
  const downCode = 'ERR_ASYNC_REMOTE_KEY_FAILED';
  const wrongCode = 'ERR_ASYNC_REMOTE_KEY_INVALID_RESULT';
  test.each<[string, string, () => Promise<Uint8Array> | Uint8Array]>([
    ['rejects', downCode, () => Promise.reject(down)],
    [
      'throws',
      downCode,
      () => {
        throw down;
      },
    ],
    ['gives too little', wrongCode, () => Buffer.alloc(3)],
    ['gives a wrong signature', wrongCode, () => Buffer.alloc(64, 1)],
  ])('a function that %s ends this handshake with %s, and no other one', async (_, code, fails) => {
    let isDown = true;
    const server = serverOf({
      cert: ed25519.cert,
      key: createRemoteKey({
        publicKey: crypto.createPublicKey(ed25519.cert),
        sign: (request) => (isDown ? fails() : signEd25519(request)),
        verify: true,
      }),
    });
    const port = await listen(server);
    const failed = once(server, 'tlsClientError') as Promise<[Error & { code: string }]>;
    await expect(connectTo(port)).rejects.toMatchObject({ code: 'ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR' });
    const [error] = await failed;
    expect(error.code).toBe(code);
    if (code === downCode && HAS_JOBS) {
      expect(error.message).toBe('sign() of the remote key failed: the service is down');
      expect(error.cause).toBe(down);
    }
    isDown = false;
    expect(await served(port)).toBe('served');
    await close(server);
  });

  test('a function that takes too long ends the handshake', async () => {
    const key = createRemoteKey({
      publicKey: crypto.createPublicKey(ed25519.cert),
      sign: () => new Promise<Buffer>(() => undefined),
      timeoutMs: 100,
    });
    const server = serverOf({ cert: ed25519.cert, key });
    const port = await listen(server);
    const failed = once(server, 'tlsClientError') as Promise<[Error & { code: string }]>;
    await expect(connectTo(port)).rejects.toMatchObject({ code: 'ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR' });
    expect((await failed)[0].code).toBe('ERR_ASYNC_REMOTE_KEY_TIMEOUT');
    await close(server);
  });

  test('names have keys of their own: some are here, some elsewhere', async () => {
    const server = serverOf({ cert: ec.cert, key: ec.key });
    server.addContext('ed25519.test', {
      cert: ed25519.cert,
      key: remote(ed25519, signEd25519),
    } as never);
    const port = await listen(server);
    for (const servername of ['ec.test', 'ed25519.test']) {
      const client = await connectTo(port, { servername });
      expect(client.getPeerCertificate().subject.CN).toBe(servername);
      client.destroy();
    }
    await close(server);
  });
});

describeWithJobs('handshakes that wait for a key', () => {
  /** A server whose key answers when the test wants it to. */
  async function waiting(options: Partial<Options> = {}) {
    const asked: ((signature: Buffer) => void)[] = [];
    const requests: RemoteSignRequest[] = [];
    const server = serverOf({
      cert: ed25519.cert,
      key: remote(ed25519, (request) => {
        requests.push(request);
        return new Promise((resolve) => asked.push(resolve));
      }),
      ...options,
    });
    const port = await listen(server);
    const isAsked = async (count: number): Promise<void> => {
      while (asked.length < count) await setTimeout(5);
    };
    const answer = (index: number): void => {
      asked[index]?.(signEd25519(requests[index] as RemoteSignRequest));
    };
    return { server, port, isAsked, answer };
  }

  test('a client that leaves meanwhile is noticed, and its job goes on to its end', async () => {
    const { server, port, isAsked, answer } = await waiting();
    const before = stats();
    const client = net.connect(port, '127.0.0.1');
    const hello = await helloOf();
    client.write(hello);
    await isAsked(1);
    const failed = once(server, 'tlsClientError') as Promise<[Error & { code: string }]>;
    client.destroy();
    expect((await failed)[0].code).toBe('ECONNRESET');
    expect(stats().tls.abandoned - before.tls.abandoned).toBe(1);
    expect(stats().jobs.live - before.jobs.live).toBe(1);
    answer(0);
    while (stats().jobs.live > before.jobs.live) await setTimeout(5);
    await close(server);
    expect(stats().tls.connections).toBe(0);
  });

  test('clients that leave make no room for more questions before theirs are answered', async () => {
    const { server, port, isAsked, answer } = await waiting({ maxHandshakes: 1 });
    const client = net.connect(port, '127.0.0.1');
    client.write(await helloOf());
    await isAsked(1);
    const failed = once(server, 'tlsClientError');
    client.destroy();
    await failed;
    const next = served(port);
    await setTimeout(50);
    await isAsked(1);
    expect(stats().jobs.live).toBe(1);
    answer(0);
    await isAsked(2);
    answer(1);
    expect(await next).toBe('served');
    await close(server);
  });

  test('a handshake that takes too long is told, though its key still works', async () => {
    const { server, port, isAsked, answer } = await waiting({ handshakeTimeout: 200 });
    const failed = once(server, 'tlsClientError') as Promise<[Error & { code: string }]>;
    await expect(connectTo(port)).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect((await failed)[0].code).toBe('ERR_TLS_HANDSHAKE_TIMEOUT');
    await isAsked(1);
    answer(0);
    await close(server);
  });

  test('close() waits for it', async () => {
    const { server, port, isAsked, answer } = await waiting();
    const client = served(port);
    await isAsked(1);
    let isClosed = false;
    server.close(() => (isClosed = true));
    await setTimeout(50);
    expect(isClosed).toBe(false);
    answer(0);
    expect(await client).toBe('served');
    await once(server, 'close');
  });

  test('others are served meanwhile', async () => {
    const { server, port, isAsked, answer } = await waiting();
    server.addContext('ec.test', { cert: ec.cert, key: ec.key });
    const slow = served(port);
    await isAsked(1);
    expect(await served(port, { servername: 'ec.test' })).toBe('served');
    expect(server.told[0]?.place).toBe('thread');
    answer(0);
    expect(await slow).toBe('served');
    await close(server);
  });

  test('a thousand wait at once, and the event loop does not', async () => {
    const signer = new Worker(
      `const { parentPort, workerData } = require('node:worker_threads');
      const { createPrivateKey, sign } = require('node:crypto');
      const key = createPrivateKey(workerData);
      parentPort.on('message', ({ id, data }) => {
        setTimeout(() => parentPort.postMessage({ id, signature: sign(null, data, key) }), 50);
      });`,
      { eval: true, workerData: ed25519.key },
    );
    const waits = new Map<number, (signature: Uint8Array) => void>();
    signer.on('message', ({ id, signature }: { id: number; signature: Uint8Array }) => {
      waits.get(id)?.(signature);
    });
    const server = serverOf({
      cert: ed25519.cert,
      key: remote(ed25519, ({ data }) => {
        const id = waits.size;
        signer.postMessage({ id, data });
        return new Promise((resolve) => waits.set(id, resolve));
      }),
    });
    const port = await listen(server);
    const client = `
      const tls = require('node:tls');
      let left = 1000, served = 0;
      for (let i = 0; i < 1000; ++i) {
        const socket = tls.connect({ port: ${String(port)}, host: '127.0.0.1', rejectUnauthorized: false });
        socket.on('data', () => ++served).on('error', (error) => console.error(error.code));
        socket.on('close', () => --left === 0 && console.log(served));
      }`;
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    const child = spawn(process.execPath, ['-e', client], { stdio: ['ignore', 'pipe', 'inherit'] });
    expect((await read(child.stdout)).toString().trim()).toBe('1000');
    delay.disable();
    console.log(`event loop's delay: p99 ${(delay.percentile(99) / 1e6).toFixed(1)} ms`);
    await close(server);
    await signer.terminate();
    expect(server.told).toHaveLength(1000);
  });

  /** The first message of a client of node:tls. */
  async function helloOf(): Promise<Buffer> {
    const catcher = net.createServer();
    const client = connectTo(await listen(catcher)).catch(() => undefined);
    const [socket] = (await once(catcher, 'connection')) as [net.Socket];
    const [hello] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    catcher.close();
    await client;
    return hello;
  }
});

describe('keys of providers and engines', () => {
  test('KeyObjects and CryptoKeys are keys', async () => {
    const server = serverOf({ cert: ec.cert, key: crypto.createPrivateKey(ec.key) });
    expect(await served(await listen(server))).toBe('served');
    await close(server);
    const key = crypto.createPublicKey(ec.cert);
    expect(() => serverOf({ cert: ec.cert, key })).toThrow(
      expect.objectContaining({ code: 'ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE' }) as Error,
    );
  });

  test('a key of another certificate is refused', () => {
    expect(() => serverOf({ cert: ec.cert, key: remote(selfSigned('other.test'), signEd25519) })).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^ERR_OSSL_X509_KEY_/) as string }) as Error,
    );
  });

  test('the accelerator pauses handshakes', async () => {
    const server = serverOf({ ...rsa, provider: 'accelerator' });
    const port = await listen(server);
    for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
      expect(await served(port, { maxVersion })).toBe('served');
    }
    if (HAS_JOBS) expect(server.told.map((told) => told?.pauses)).toEqual([1, 1]);
    await close(server);
  });

  test('a provider that nobody has loaded is refused', () => {
    expect(() => serverOf({ ...rsa, provider: 'nowhere' })).toThrow(
      expect.objectContaining({ code: 'ERR_ASYNC_PROVIDER_NOT_LOADED' }) as Error,
    );
  });

  describeReference('the reference provider', () => {
    test.each([
      ['callback', {}],
      ['fd', {}],
      ['event-fd', {}],
      ['poll', { poll: {} }],
    ])('wakes handshakes in the mode %s', async (mode, options) => {
      const provider = await loadProvider('reference', { path: PROVIDER, parameters: { mode }, ...options });
      const server = serverOf({ ...rsa, provider: 'reference' });
      const port = await listen(server);
      expect(await Promise.all(Array.from({ length: 20 }, () => served(port)))).toEqual(
        Array.from({ length: 20 }, () => 'served'),
      );
      if (HAS_JOBS) expect(server.told.every((told) => told !== undefined && told.pauses > 0)).toBe(true);
      await close(server);
      await provider.unload();
    });
  });

  const hasEngines = Number(process.versions.openssl.split('.')[0]) < 4;
  (hasEngines ? test : test.skip)('a key of an engine', async () => {
    const engine = await loadEngine(path.join(ROOT, 'build', 'Release', 'reference_engine.so'), { pauses: true });
    const server = serverOf({ cert: rsa.cert, key: engine.bindKey(rsa.key) });
    const port = await listen(server);
    expect(await served(port)).toBe('served');
    if (HAS_JOBS) expect(server.told[0]?.pauses).toBeGreaterThan(0);
    await close(server);
    await engine.unload();
  });

  if (missing !== undefined) console.log(`Skipped: ${missing}.`);
  (missing === undefined ? test : test.skip)('a key in a token of PKCS#11, on threads', async () => {
    const token = createToken();
    const cert = certificateOf(token.publicKeys.rsa.export({ format: 'pem', type: 'spki' }) as string, 'token.test');
    const outcome = await inChild(
      async ({ library, require }) => {
        const { tls } = require('./dist/library/tls.js') as { tls: typeof import('../../lib/tls/tls') };
        const nodeTls = require('node:tls') as typeof import('node:tls');
        const engine = await library.loadEngine('pkcs11', { preInit: [['MODULE_PATH', process.env.TOKEN_MODULE]] });
        const key = await engine.loadPrivateKey('pkcs11:token=keys;object=rsa', { pin: process.env.TOKEN_PIN ?? '' });
        const options = { key, cert: process.env.TOKEN_CERTIFICATE } as object;
        const places: (string | undefined)[] = [];
        const server = tls.createServer(options, (socket) => {
          places.push((socket as unknown as { handshake?: { place: string } }).handshake?.place);
          socket.end();
        });
        await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
        const { port } = server.address() as { port: number };
        for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
          const client = nodeTls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false, maxVersion });
          client.resume();
          await new Promise((resolve) => client.once('close', resolve));
        }
        server.close();
        return places;
      },
      { env: { ...token.env, TOKEN_CERTIFICATE: cert } },
    );
    expect(resultOf(outcome)).toEqual(['thread', 'thread']);
    fs.rmSync(token.folder, { recursive: true });
  });
});
