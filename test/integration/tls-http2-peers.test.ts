// Servers of openssl-async/http2 under clients of other projects, and in the place of Node's own.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import * as path from 'node:path';
import * as nodeTls from 'node:tls';
import { createSecureServer } from 'openssl-async/http2';
import { ROOT } from '../support/programs';
import { close, connectTo, listen, run, selfSigned } from '../support/tls';
import { describeWith } from '../support/tools';

const { unreviewedMembers } = jest.requireActual<{ unreviewedMembers(module: unknown): string[] }>(
  '../support/inherited-members.js',
);

const identity = selfSigned('localhost');
const BIG = Buffer.alloc(100 * 1024, 'x');

let server: ReturnType<typeof createSecureServer>;
let port: number;
beforeEach(async () => {
  server = createSecureServer({ ...identity, allowHTTP1: true }, (incoming, response) => {
    if (incoming.url === '/big') {
      response.end(BIG);
      return;
    }
    let size = 0;
    incoming.on('data', (bytes: Buffer) => (size += bytes.length));
    incoming.on('end', () => response.end(`${incoming.httpVersion} ${String(size)}`));
  });
  port = await listen(server);
});
afterEach(() => close(server));
const urlOf = (name: string): string => `https://127.0.0.1:${String(port)}/${name}`;

describeWith('curl')('curl', () => {
  test.each([
    ['--http2', '2.0 6'],
    ['--http1.1', '1.1 6'],
  ])('%s', async (protocol, expected) => {
    const { stdout, code } = await run('curl', ['-sk', protocol, '-d', 'posted', urlOf('')]);
    expect([code, stdout]).toEqual([0, expected]);
  });
});

describeWith('nghttp')('nghttp', () => {
  test('asks twice, and says good-bye', async () => {
    const { stdout, code } = await run('nghttp', ['-v', '--no-verify-peer', '-m2', urlOf('')]);
    expect(code).toBe(0);
    expect(stdout.match(/2\.0 0/g)).toHaveLength(2);
    expect(stdout).toMatch(/send GOAWAY.*\n.*NO_ERROR/);
  });
});

describeWith('h2load')('h2load', () => {
  test.each([
    ['1 000 streams at a time', ['-n5000', '-c1', '-m1000'], ''],
    ['many sessions', ['-n2000', '-c100', '-m4'], ''],
    ['large answers', ['-n500', '-c10', '-m5'], 'big'],
  ])('%s', async (_, args, name) => {
    const { stdout } = await run('h2load', [...args, urlOf(name)]);
    expect(stdout).toMatch(/ 0 failed, 0 errored, 0 timeout\n/);
    expect(stdout).toMatch(new RegExp(` ${String(args[0]?.slice(2))} succeeded`));
  });
});

test('every member that a socket of a session inherits from one of node:tls was read', async () => {
  const secure = once(server, 'secureConnection') as Promise<[nodeTls.TLSSocket]>;
  const client = await connectTo(port, { ALPNProtocols: ['h2'] });
  const [socket] = await secure;
  const prototype = Object.getPrototypeOf(socket) as object;
  expect(unreviewedMembers({ TLSSocket: { prototype }, bases: [nodeTls.TLSSocket] })).toEqual([]);
  client.destroy();
});

test('register replaces servers of node:http2, in programs that know nothing of the package', () => {
  const program = `
    const http2 = require('node:http2');
    const server = http2.createSecureServer(${JSON.stringify(identity)}, (incoming, response) => {
      response.end(String(incoming.socket.handshake?.place));
    });
    server.listen(0, '127.0.0.1', () => {
      const session = http2.connect('https://127.0.0.1:' + server.address().port, { rejectUnauthorized: false });
      session.request().setEncoding('utf8').on('data', (text) => console.log(text, session.encrypted)).on('end', () => {
        session.close();
        server.close();
      });
    });`;
  const register = path.join(ROOT, 'dist', 'register.js');
  const { stdout, stderr } = spawnSync(process.execPath, ['--require', register, '-e', program], { encoding: 'utf8' });
  expect([stdout, stderr]).toEqual(['thread true\n', '']);
});
