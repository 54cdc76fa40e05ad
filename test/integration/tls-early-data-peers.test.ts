// Early data with programs of other projects: OpenSSL's s_client and s_server, and nginx.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { createServer } from 'openssl-async/https';
import type { TLSSocket } from 'openssl-async/tls';
import { freePort, type Daemon } from '../support/daemons';
import { startNginxWith } from '../support/peer-proxies';
import { dial, textOf } from '../support/early-data';
import { foreignEnvironment } from '../support/foreign';
import { close, listen, run, selfSigned } from '../support/tls';
import { describeWith } from '../support/tools';

const identity = selfSigned('localhost');
const REQUEST = 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'openssl-async-early-'));
afterAll(() => {
  fs.rmSync(folder, { recursive: true });
});

function fileOf(name: string, content: string): string {
  fs.writeFileSync(path.join(folder, name), content);
  return path.join(folder, name);
}

/** The session of a connection on which a request was answered. */
async function sessionOf(port: number, options: Parameters<typeof dial>[1] = {}): Promise<Buffer> {
  const client = dial(port, options);
  const given = once(client, 'session') as Promise<[Buffer]>;
  client.write(REQUEST);
  client.resume();
  const [session] = await given;
  client.destroy();
  return session;
}

describeWith('openssl')('openssl s_client', () => {
  test.each([0, 1])('sends a request as early data, which is answered; %i threads', async (threads) => {
    const server = createServer({ ...identity, maxEarlyData: 16384, threads, maxInlineMicros: 0 }, (asked, answer) => {
      answer.end(`early: ${String((asked.socket as unknown as TLSSocket).isEarlyData)}`);
    });
    const port = await listen(server);
    const kept = path.join(folder, 'session');
    const ask = async (...args: string[]): Promise<string> => {
      const given = ['s_client', '-connect', `127.0.0.1:${String(port)}`, '-ign_eof', ...args];
      return (await run('openssl', given, args.includes('-early_data') ? '' : REQUEST)).stdout;
    };
    const early = ['-sess_in', kept, '-early_data', fileOf('request', REQUEST)];
    expect(await ask('-sess_out', kept)).toContain('Max Early Data: 16384');
    const first = await ask(...early);
    expect(first).toContain('Early data was accepted');
    expect(first).toMatch(/early: true/);
    const second = ask(...early);
    await once(server, 'secureConnection');
    server.closeAllConnections(); // it has no request on this connection
    expect(await second).toContain('Early data was rejected');
    await close(server);
  });
});

describeWith('openssl')('openssl s_server', () => {
  test('takes our early data', async () => {
    const keys = ['-cert', fileOf('cert', identity.cert), '-key', fileOf('key', identity.key)];
    const args = ['s_server', '-accept', '127.0.0.1:0', ...keys, '-tls1_3', '-early_data'];
    const child = spawn('openssl', args, { env: foreignEnvironment(), stdio: ['pipe', 'pipe', 'ignore'] });
    const closed = once(child, 'close');
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    const heard = async (pattern: RegExp): Promise<string> => {
      for (;;) {
        const match = pattern.exec(said);
        if (match !== null) return match[1] ?? '';
        await once(child.stdout, 'data');
      }
    };
    try {
      const port = Number(await heard(/ACCEPT \S*:(\d+)/));
      const first = dial(port);
      const [session] = (await once(first, 'session')) as [Buffer];
      first.destroy();
      const client = dial(port, { session, earlyData: 'in no time' });
      await once(client, 'secureConnect');
      expect(client.earlyDataAccepted).toBe(true);
      await heard(/(in no time)/);
      client.destroy();
    } finally {
      child.kill('SIGKILL');
      await closed;
    }
  });
});

describeWith('nginx')('nginx', () => {
  let nginx: Daemon;
  let port = 0;
  beforeAll(async () => {
    port = await freePort();
    const http = `
  server {
    listen 127.0.0.1:${String(port)} ssl;
    ssl_protocols TLSv1.3;
    ssl_early_data on;
    ssl_certificate $FOLDER/server.pem;
    ssl_certificate_key $FOLDER/server.pem;
    location / { return 200 "early: $ssl_early_data."; }
  }`;
    nginx = await startNginxWith(http, [port], { 'server.pem': identity.cert + identity.key });
  });
  afterAll(() => nginx.stop());

  test('is sent none by a client that asks for another name than the session is for', async () => {
    const session = await sessionOf(port, { servername: 'localhost' });
    const client = dial(port, { session, servername: 'other.test', earlyData: REQUEST });
    expect(await textOf(client)).toContain('early: .');
    expect(client.earlyDataAccepted).toBe(false);
  });

  test('takes our early data, and answers the request', async () => {
    let answer = '';
    // nginx says so of a request that it reads before the end of the handshake, which may have come meanwhile.
    for (let left = 50; left > 0 && !answer.includes('early: 1.'); --left) {
      const client = dial(port, { session: await sessionOf(port), earlyData: REQUEST });
      answer = await textOf(client);
      expect(client.earlyDataAccepted).toBe(true);
    }
    expect(answer).toContain('early: 1.');
  });
});
