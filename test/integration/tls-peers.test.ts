// TLS with servers and proxies of other projects, in both directions: OpenSSL's s_server, nginx, HAProxy and stunnel.
import { spawn, type ChildProcess } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as nodeHttp from 'node:http';
import type { IncomingMessage, RequestListener } from 'node:http';
import * as http2 from 'node:http2';
import * as os from 'node:os';
import * as path from 'node:path';
import type { TLSSocket as NodeTlsSocket } from 'node:tls';
import { Agent, createServer, request } from 'openssl-async/https';
import { connect, TLSSocket } from 'openssl-async/tls';
import { foreignEnvironment } from '../support/foreign';
import { testWithJobs } from '../support/jobs';
import { startHaproxy, startNginx, startStunnel, type Proxy } from '../support/peer-proxies';
import { inChild, resultOf } from '../support/programs';
import { certificateOf, close, listen, read, selfSigned, signedClient } from '../support/tls';
import { createToken, missing as missingToken, type Token } from '../support/token';
import { describeWith } from '../support/tools';

const server = selfSigned('localhost');
const { authority, client } = signedClient();
const trust = { server, client, authority: authority.cert };
const trusting = { host: '127.0.0.1', servername: 'localhost', ca: server.cert };
const BODY = randomBytes(5 * 2 ** 20);
const digestOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

const versions = [
  ['TLSv1.2', '-tls1_2'],
  ['TLSv1.3', '-tls1_3'],
] as const;

interface Asked {
  port: number;
  path?: string;
  method?: string;
}

/** What a server answers to a request by a connection of ours. */
async function ask(options: Asked, body?: Buffer, agent = new Agent(trusting)): Promise<string> {
  const sent = request({ ...trusting, ...options, agent });
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  expect(response.socket).toBeInstanceOf(TLSSocket);
  return (await read(response)).toString();
}

/** What a server of HTTP answers, through a proxy. */
async function askPlainly(port: number, body?: Buffer): Promise<string> {
  const sent = nodeHttp.request({ port, host: '127.0.0.1', method: 'POST', agent: false });
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return (await read(response)).toString();
}

/** A server of ours that says who its client is, and what it was sent. Clients need certificates. */
const witness: RequestListener = (incoming, outgoing) => {
  const socket = incoming.socket as NodeTlsSocket;
  const said = [socket.getProtocol(), socket.getPeerCertificate().subject.CN];
  void read(incoming).then((body) => outgoing.end([...said, digestOf(body)].join(' ')));
};

describeWith('openssl')('openssl s_server', () => {
  let running: ChildProcess | undefined;
  afterEach(async () => {
    if (running === undefined) return;
    const closed = once(running, 'close');
    running.kill('SIGKILL');
    running = undefined;
    await closed;
  });

  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'openssl-async-peers-'));
  const file = (name: string, text: string): string => {
    fs.writeFileSync(path.join(folder, name), text);
    return path.join(folder, name);
  };
  const identity = ['-cert', file('server.pem', server.cert), '-key', file('server-key.pem', server.key)];
  const clients = ['-CAfile', file('clients.pem', authority.cert), '-verify_return_error'];
  afterAll(() => fs.rmSync(folder, { recursive: true }));

  /** Starts a server, and resolves with its port. */
  async function serve(...args: string[]): Promise<number> {
    const given = ['s_server', '-accept', '127.0.0.1:0', ...identity, ...args];
    const child = spawn('openssl', given, { env: foreignEnvironment(), stdio: ['ignore', 'pipe', 'ignore'] });
    running = child;
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    for (;;) {
      const port = /ACCEPT \S*:(\d+)/.exec(said)?.[1];
      if (port !== undefined) return Number(port);
      await once(child.stdout, 'data');
    }
  }

  test.each(versions)('a request in %s', async (version, option) => {
    const port = await serve('-www', option);
    expect(await ask({ port })).toContain(`New, ${version}, Cipher is`);
  });

  test("a group of the server's choice: HelloRetryRequest", async () => {
    const port = await serve('-www', '-groups', 'P-384');
    const socket = connect({ ...trusting, port, ecdhCurve: 'X25519:P-384' });
    await once(socket, 'secureConnect');
    expect(socket.getEphemeralKeyInfo()).toMatchObject({ size: 384 });
    socket.destroy();
  });

  test.each(versions)('a session is resumed (%s)', async (version, option) => {
    const port = await serve('-www', option);
    const agent = new Agent(trusting);
    expect(await ask({ port }, undefined, agent)).toContain(`New, ${version}, `);
    expect(await ask({ port }, undefined, agent)).toContain(`Reused, ${version}, `);
  });

  test.each(versions)('a certificate that the server wants (%s)', async (version, option) => {
    const port = await serve('-www', option, '-Verify', '2', ...clients);
    expect(await ask({ port }, undefined, new Agent({ ...trusting, ...client }))).toMatch(/Subject: CN ?= ?client/);
    const refused = ask({ port }).catch((error: unknown) => (error as NodeJS.ErrnoException).code);
    // OpenSSL has named alerts that are older than TLS 1.3 in several ways.
    const alert = version === 'TLSv1.3' ? /^ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED$/ : /_ALERT_HANDSHAKE_FAILURE$/;
    expect(await refused).toMatch(alert);
  });
});

/** A server of ours, and a proxy in front of it. */
async function behind(start: (port: number) => Promise<Proxy>): Promise<{ proxy: Proxy; end(): Promise<void> }> {
  const ours = createServer({ ...server, ca: trust.authority, requestCert: true }, witness);
  const proxy = await start(await listen(ours));
  return {
    proxy,
    async end() {
      await proxy.daemon.stop();
      ours.closeAllConnections();
      await close(ours);
    },
  };
}

describeWith('nginx')('nginx', () => {
  let proxy: Proxy;
  let end: () => Promise<void>;
  beforeAll(async () => {
    ({ proxy, end } = await behind((port) => startNginx(trust, port, BODY.toString('base64'))));
  });
  afterAll(() => end());

  test.each(versions)('has verified us, and knows our session again (%s)', async (version) => {
    const agent = new Agent({ ...trusting, ...client, maxVersion: version });
    const asked = { port: proxy.secure, path: '/seen' };
    expect(await ask(asked, undefined, agent)).toBe(`${version} . SUCCESS CN=client HTTP/1.1`);
    expect(await ask(asked, undefined, agent)).toBe(`${version} r SUCCESS CN=client HTTP/1.1`);
  });

  test('sends a file of some mebibytes', async () => {
    expect(await ask({ port: proxy.secure, path: '/file' })).toBe(BODY.toString('base64'));
  });

  test('speaks HTTP/2 on a connection of ours', async () => {
    const socket = connect({ ...trusting, port: proxy.secure, ALPNProtocols: ['h2'] });
    const session = http2.connect('https://localhost', { createConnection: () => socket });
    const answers = await Promise.all(
      Array.from({ length: 50 }, async () => (await read(session.request({ ':path': '/seen' }))).toString()),
    );
    expect(new Set(answers)).toEqual(new Set(['TLSv1.3 . NONE  HTTP/2.0']));
    session.close();
    await once(session, 'close');
  });

  test('is a client of ours with a certificate, one connection for many requests', async () => {
    for (const body of [BODY, Buffer.from('some'), BODY]) {
      expect(await askPlainly(proxy.plain, body)).toBe(`TLSv1.3 client ${digestOf(body)}`);
    }
  });

  test('stands between a client of ours and a server of ours', async () => {
    expect(await ask({ port: proxy.secure, method: 'POST' }, BODY)).toBe(`TLSv1.3 client ${digestOf(BODY)}`);
  });

  if (missingToken !== undefined) console.log(`Skipped: ${missingToken}.`);
  (missingToken === undefined ? describe : describe.skip)('verifies a key that stays in a token', () => {
    let token: Token;
    beforeAll(() => {
      token = createToken();
    });
    afterAll(() => fs.rmSync(token.folder, { recursive: true }));

    testWithJobs.each(['rsa', 'ec'] as const)('%s', async (name) => {
      const publicKey = token.publicKeys[name].export({ type: 'spki', format: 'pem' }) as string;
      const asked = { ...trusting, port: proxy.secure, path: '/seen', cert: certificateOf(publicKey, name, authority) };
      const outcome = await inChild(
        async ({ library, require: load }) => {
          const { Agent, get } = load('./dist/https.js') as typeof import('openssl-async/https');
          const { asked, name } = JSON.parse(process.env.ASKED ?? '') as { asked: object; name: string };
          const engine = await library.loadEngine('pkcs11', { preInit: [['MODULE_PATH', process.env.TOKEN_MODULE]] });
          const pin = process.env.TOKEN_PIN ?? '';
          const key = await engine.loadPrivateKey(`pkcs11:token=keys;object=${name}`, { pin });
          const agent = new Agent({ ...asked, key });
          return new Promise<string>((resolve, reject) => {
            get({ ...asked, agent }, (answer) => {
              answer.setEncoding('utf8').on('data', resolve);
            }).on('error', reject);
          });
        },
        { env: { ...token.env, ASKED: JSON.stringify({ asked, name }) } },
      );
      expect(resultOf(outcome)).toBe(`TLSv1.3 . SUCCESS CN=${name} HTTP/1.1`);
    });
  });
});

describeWith('haproxy')('HAProxy', () => {
  let proxy: Proxy;
  let end: () => Promise<void>;
  beforeAll(async () => {
    ({ proxy, end } = await behind((port) => startHaproxy(trust, port)));
  });
  afterAll(() => end());

  test.each(versions)('has verified us, and knows our session again (%s)', async (version) => {
    const agent = new Agent({ ...trusting, ...client, maxVersion: version });
    const asked = { port: proxy.secure, path: '/seen' };
    expect(await ask(asked, undefined, agent)).toBe(`${version} 0 client`);
    expect(await ask(asked, undefined, agent)).toBe(`${version} 1 client`);
  });

  test('encrypts again what it sends to a server of ours', async () => {
    expect(await ask({ port: proxy.secure, method: 'POST' }, BODY)).toBe(`TLSv1.3 client ${digestOf(BODY)}`);
    expect(await askPlainly(proxy.plain, BODY)).toBe(`TLSv1.3 client ${digestOf(BODY)}`);
  });

  test('carries bytes between a client and a server of ours', async () => {
    const agent = new Agent({ ...trusting, ...client });
    expect(await ask({ port: proxy.passing as number, method: 'POST' }, BODY, agent)).toBe(
      `TLSv1.3 client ${digestOf(BODY)}`,
    );
  });
});

describeWith('stunnel4')('stunnel', () => {
  let proxy: Proxy;
  let end: () => Promise<void>;
  const plain = nodeHttp.createServer((incoming, outgoing) => {
    void read(incoming).then((body) => outgoing.end(digestOf(body)));
  });
  beforeAll(async () => {
    const plainPort = await listen(plain);
    ({ proxy, end } = await behind((port) => startStunnel(trust, port, plainPort)));
  });
  afterAll(async () => {
    await end();
    await close(plain);
  });

  test.each(versions)('lets us through to a server without TLS (%s)', async (maxVersion) => {
    const agent = new Agent({ ...trusting, ...client, maxVersion });
    expect(await ask({ port: proxy.secure, method: 'POST' }, BODY, agent)).toBe(digestOf(BODY));
  });

  test('brings clients without TLS to a server of ours', async () => {
    expect(await askPlainly(proxy.plain, BODY)).toBe(`TLSv1.3 client ${digestOf(BODY)}`);
  });
});
