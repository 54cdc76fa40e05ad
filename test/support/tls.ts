// Certificates, servers and clients of TLS for tests.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as nodeHttps from 'node:https';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import * as nodeTls from 'node:tls';

/** A certificate and its key, as PEM. */
export interface Identity {
  cert: string;
  key: string;
}

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'openssl-async-tls-'));
afterAll(() => {
  fs.rmSync(folder, { recursive: true, force: true });
});

const file = (name: string): string => path.join(folder, name);
const openssl = (...args: string[]): unknown => execFileSync('openssl', args, { stdio: 'ignore' });

const ALGORITHMS = {
  rsa: ['rsa:2048'],
  ec: ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  ed25519: ['ed25519'],
} as const;

/** A certificate that signs itself, for a name of a server. */
export function selfSigned(name: string, kind: keyof typeof ALGORITHMS = 'ec'): Identity {
  const algorithm = ALGORITHMS[kind];
  const out = ['-keyout', file('key'), '-out', file('cert')];
  openssl(
    'req',
    '-x509',
    '-newkey',
    ...algorithm,
    '-nodes',
    '-days',
    '30',
    ...out,
    '-subj',
    `/CN=${name}`,
    '-addext',
    `subjectAltName=DNS:${name}`,
  );
  return { cert: fs.readFileSync(file('cert'), 'utf8'), key: fs.readFileSync(file('key'), 'utf8') };
}

/** A certificate for a key that is elsewhere: another key has signed it. */
export function certificateOf(publicKey: string, name: string, authority = selfSigned('authority')): string {
  fs.writeFileSync(file('ca'), authority.cert);
  fs.writeFileSync(file('ca-key'), authority.key);
  fs.writeFileSync(file('public'), publicKey);
  openssl('req', '-new', '-key', file('ca-key'), '-out', file('csr'), '-subj', `/CN=${name}`);
  const signer = ['-CA', file('ca'), '-CAkey', file('ca-key'), '-CAcreateserial', '-days', '30'];
  openssl('x509', '-req', '-in', file('csr'), '-force_pubkey', file('public'), ...signer, '-out', file('cert'));
  return fs.readFileSync(file('cert'), 'utf8');
}

/** An authority, and a client's certificate that it has signed. */
export function signedClient(name = 'client'): { authority: Identity; client: Identity } {
  const authority = selfSigned('authority');
  fs.writeFileSync(file('ca'), authority.cert);
  fs.writeFileSync(file('ca-key'), authority.key);
  openssl(
    'req',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    file('key'),
    '-out',
    file('csr'),
    '-subj',
    `/CN=${name}`,
  );
  openssl(
    'x509',
    '-req',
    '-in',
    file('csr'),
    '-CA',
    file('ca'),
    '-CAkey',
    file('ca-key'),
    '-CAcreateserial',
    '-days',
    '30',
    '-out',
    file('cert'),
  );
  const client = { cert: fs.readFileSync(file('cert'), 'utf8'), key: fs.readFileSync(file('key'), 'utf8') };
  return { authority, client };
}

/** Has a server listen on a port of loopback; resolves with the port. */
export async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** Stops a server, whose connections end by themselves. */
export async function close(server: Server): Promise<void> {
  server.close();
  await once(server, 'close');
}

/** A client of node:tls whose handshake is done. */
export async function connectTo(port: number, options: nodeTls.ConnectionOptions = {}): Promise<nodeTls.TLSSocket> {
  const socket = nodeTls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
  await once(socket, 'secureConnect');
  return socket;
}

/** Everything that a stream still gives. */
export async function read(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** A request of node:https, with its answer. */
export async function request(
  port: number,
  options: nodeHttps.RequestOptions = {},
  body?: Buffer,
): Promise<{ response: IncomingMessage; body: Buffer }> {
  const sent = nodeHttps.request({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return { response, body: await read(response) };
}

/** Runs a program with `input`, which stays open until the program ends. */
export async function run(
  program: string,
  args: string[],
  input = '',
): Promise<{ code: unknown; stdout: string; stderr: string }> {
  // A sanitizer is for Node.js alone: curl does not end with one.
  const env = { ...process.env, LD_PRELOAD: '' };
  const child = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.end(input);
  const closed = once(child, 'close') as Promise<[code: unknown]>;
  const [stdout, stderr, [code]] = await Promise.all([read(child.stdout), read(child.stderr), closed]);
  return { code, stdout: stdout.toString(), stderr: stderr.toString() };
}
