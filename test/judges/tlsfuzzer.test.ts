// Scripts of tlsfuzzer against a server of node:https and ours: each conversation ends alike.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as nodeHttps from 'node:https';
import * as path from 'node:path';
import * as https from 'openssl-async/https';
import { foreignEnvironment } from '../support/foreign';
import { close, listen, selfSigned } from '../support/tls';
import { alike, scripts, unsteadyConversations } from './tlsfuzzer.json';

// The scripts of Debian's python3-ecdsa are those of the system's Python.
const PYTHON = fs.existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3';
const LIMIT_MS = 170_000;
const folder = process.env.OPENSSL_ASYNC_TLSFUZZER ?? '';
const missing = ['scripts', 'tlsfuzzer', 'tlslite'].filter((name) => !fs.existsSync(path.join(folder, name)));
const isHere = folder !== '' && missing.length === 0;
if (!isHere) console.log('Skipped: OPENSSL_ASYNC_TLSFUZZER names no folder with tlsfuzzer and tlslite-ng.');

interface Outcome {
  code: unknown;
  /** How many conversations ended as the script wants, and how not. */
  counts: string[];
  said: string;
}

async function runScript(script: string, port: number): Promise<Outcome> {
  const env = foreignEnvironment({ PYTHONPATH: folder, PYTHONDONTWRITEBYTECODE: '1' });
  // How these end depends on timing, with node:https too.
  const left = (unsteadyConversations as Record<string, string[]>)[script] ?? [];
  const where = ['-h', 'localhost', '-p', String(port)];
  const args = [path.join(folder, 'scripts', script), ...where, ...left.flatMap((name) => ['-e', name])];
  const child = spawn(PYTHON, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  const [code] = (await once(child, 'close')) as [unknown];
  return { code, counts: said.match(/^(?:TOTAL|PASS|XFAIL|FAIL|XPASS): \d+$/gm) ?? [], said };
}

(isHere ? describe : describe.skip)('tlsfuzzer', () => {
  const identity = selfSigned('localhost', 'rsa');
  // Scripts speak of key exchange by RSA by default.
  const options = { ...identity, ciphers: 'DEFAULT@SECLEVEL=0' };
  const answer: Parameters<typeof nodeHttps.createServer>[1] = (_, outgoing) => outgoing.end('answer');
  const servers = [
    nodeHttps.createServer(options, answer),
    https.createServer({ ...options, clientRenegotiation: true }, answer),
  ] as const;
  let ports: number[] = [];

  beforeAll(async () => {
    ports = await Promise.all(servers.map((server) => listen(server)));
  });
  afterAll(async () => {
    for (const server of servers) server.closeAllConnections();
    await Promise.all(servers.map((server) => close(server)));
  });

  test.each(scripts)(
    '%s',
    async (script) => {
      const [nodes, ours] = await Promise.all(ports.map((port) => runScript(script, port)));
      expect(nodes).toMatchObject({ code: 0 });
      expect({ ...ours, said: ours?.code === 0 ? '' : ours?.said }).toEqual({ ...nodes, said: '' });
    },
    LIMIT_MS,
  );

  // OpenSSL does not do all that these want: node:https fails as many conversations.
  test.each(alike)(
    '%s ends as with node:https',
    async (script) => {
      const [nodes, ours] = await Promise.all(ports.map((port) => runScript(script, port)));
      expect(nodes?.counts).not.toEqual([]);
      expect([ours?.code, ours?.counts]).toEqual([nodes?.code, nodes?.counts]);
    },
    LIMIT_MS,
  );
});
