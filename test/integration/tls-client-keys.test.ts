// Clients whose private keys are elsewhere: mTLS with a key that nobody can export.
import { once } from 'node:events';
import * as nodeHttps from 'node:https';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import * as nodeTls from 'node:tls';
import { createPrivateKey, createRemoteKey, loadEngine, stats, type RemoteSignRequest } from '../../lib';
import * as https from '../../lib/tls/https';
import type { TLSSocket } from '../../lib/tls/tls';
import { connect } from '../../lib/tls/tls';
import { describeWithJobs, HAS_JOBS } from '../support/jobs';
import { ROOT } from '../support/programs';
import { ED25519, signerOf } from '../support/remote-keys';
import { certificateOf, close, listen, read, selfSigned } from '../support/tls';

const identity = selfSigned('localhost');
const cert = certificateOf(ED25519.publicKey.export({ type: 'spki', format: 'pem' }) as string, 'client');

const sign = signerOf(ED25519.privateKey);
const remote = (answer: (request: RemoteSignRequest) => Buffer | Promise<Buffer>) =>
  createRemoteKey({ publicKey: ED25519.publicKey, sign: answer, timeoutMs: 5000 });

/** A server that sends the name of its client. */
async function namer(options: nodeTls.TlsOptions = {}): Promise<{ server: nodeTls.Server; port: number }> {
  const server = nodeTls.createServer({ ...identity, requestCert: true, rejectUnauthorized: false, ...options });
  server.on('secureConnection', (socket) => {
    socket.on('error', () => undefined);
    socket.end(String(socket.getPeerCertificate().subject.CN));
  });
  return { server, port: await listen(server) };
}

const trusting = { host: '127.0.0.1', servername: 'localhost', ca: identity.cert };

describeWithJobs('a key of a client that a function holds', () => {
  test.each(['TLSv1.2', 'TLSv1.3'] as const)('signs, with %s', async (maxVersion) => {
    const { server, port } = await namer({ maxVersion });
    let asked = 0;
    const key = remote(async (request) => {
      ++asked;
      await new Promise(setImmediate);
      return sign(request);
    });
    const socket = connect({ ...trusting, port, cert, key });
    expect((await read(socket)).toString()).toBe('client');
    expect(asked).toBe(1);
    expect((socket as unknown as TLSSocket).handshake).toMatchObject({ place: 'loop', pauses: 1 });
    await close(server);
  });

  test('that fails ends the handshake', async () => {
    const { server, port } = await namer();
    // Of many at a time, each has its own reason.
    const failures = Array.from({ length: 20 }, async (_, i) => {
      const reason = new Error(`no key today, ${String(i)}`);
      const key = remote(() =>
        i % 2 === 0 ? Promise.reject(reason) : Promise.reject(reason).finally(() => undefined),
      );
      const socket = connect({ ...trusting, port, cert, key });
      const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
      expect(error.code).toBe('ERR_ASYNC_REMOTE_KEY_FAILED');
      expect(error.cause).toBe(reason);
    });
    await Promise.all(failures);
    await close(server);
  });

  test('that is asked when the client leaves is waited for', async () => {
    const { server, port } = await namer();
    let answer = (): void => undefined;
    let tell = (): void => undefined;
    const asked = new Promise<void>((resolve) => {
      tell = resolve;
    });
    const key = remote(
      (request) =>
        new Promise((signed) => {
          answer = () => {
            signed(sign(request));
          };
          tell();
        }),
    );
    const socket = connect({ ...trusting, port, cert, key });
    await asked;
    socket.destroy();
    await once(socket, 'close');
    expect(stats().jobs.waiting).toBe(1);
    answer();
    while (stats().jobs.waiting > 0) await new Promise(setImmediate);
    await close(server);
  });

  test('identifies requests, and does not share connections with another key', async () => {
    const secure = nodeHttps.createServer(
      { ...identity, requestCert: true, rejectUnauthorized: false },
      (request, response) => {
        const { subject } = (request.socket as nodeTls.TLSSocket).getPeerCertificate();
        response.end(`${String(subject.CN)} ${String(request.socket.remotePort)}`);
      },
    );
    const port = await listen(secure);
    const agent = new https.Agent({ keepAlive: true, ca: identity.cert });
    const key = remote(sign);
    const other = remote(sign);
    const get = async (own: unknown): Promise<string> => {
      const options = { host: '127.0.0.1', servername: 'localhost', port, agent, cert, key: own };
      const sent = https.get(options as never);
      const [response] = (await once(sent, 'response')) as [AsyncIterable<unknown>];
      const text = (await read(response)).toString();
      await new Promise(setImmediate); // the connection is free
      return text;
    };
    const first = await get(key);
    expect(first).toMatch(/^client \d+$/);
    expect(await get(key)).toBe(first);
    expect(await get(other)).not.toBe(first);
    agent.destroy();
    await close(secure);
  });
});

test('a key object of node:crypto is taken', async () => {
  const { server, port } = await namer();
  const socket = connect({ ...trusting, port, cert, key: ED25519.privateKey });
  expect((await read(socket)).toString()).toBe('client');
  await close(server);
});

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('in %s, a client signs', (maxVersion) => {
  const client = selfSigned('client', 'rsa');

  async function expectWelcome(options: object): Promise<TLSSocket> {
    const { server, port } = await namer({ maxVersion });
    const socket = connect({ ...trusting, ...client, ...options, port });
    expect((await read(socket)).toString()).toBe('client');
    await close(server);
    return socket as unknown as TLSSocket;
  }

  const hasEngines = Number(process.versions.openssl.split('.')[0]) < 4;
  (hasEngines ? test : test.skip)('by a key of an engine that pauses', async () => {
    const engine = await loadEngine(path.join(ROOT, 'build', 'Release', 'reference_engine.so'), { pauses: true });
    const { handshake } = await expectWelcome({ key: engine.bindKey(client.key) });
    if (HAS_JOBS) expect(handshake?.pauses).toBeGreaterThan(0);
    await engine.unload();
  });

  test('by a key of a store', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'client-key-'));
    const file = path.join(folder, 'key.pem');
    fs.writeFileSync(file, client.key);
    await expectWelcome({ key: await createPrivateKey({ uri: `file:${file}` }) });
    fs.rmSync(folder, { recursive: true });
  });

  test('with the accelerator', async () => {
    const { handshake } = await expectWelcome({ provider: 'accelerator' });
    if (HAS_JOBS) expect(handshake?.pauses).toBeGreaterThan(0);
  });
});
