// Whom clients trust without `ca`: the same as node:tls, which asks the same server in the same process.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { ROOT } from '../support/programs';
import { selfSigned } from '../support/tls';

const identity = selfSigned('localhost');
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'openssl-async-roots-'));
const file = path.join(folder, 'extra.pem');
fs.writeFileSync(file, `no certificate\n${identity.cert}`);
afterAll(() => {
  fs.rmSync(folder, { recursive: true });
});

/** What our client says of a server, and what node:tls's does. */
function outcomes(env: Record<string, string>, args: string[] = [], options = {}): unknown[] {
  const program = `
    const nodeTls = require('node:tls'), tls = require(${JSON.stringify(path.join(ROOT, 'dist', 'tls.js'))});
    const server = nodeTls.createServer(${JSON.stringify(identity)}, (socket) => socket.end());
    server.listen(0, '127.0.0.1', async () => {
      const all = [];
      for (const { connect } of [tls, nodeTls]) {
        const options = { port: server.address().port, host: '127.0.0.1', servername: 'localhost' };
        const socket = connect({ ...options, ...${JSON.stringify(options)} });
        all.push(await new Promise((resolve) => {
          socket.on('secureConnect', () => resolve(socket.authorized ? 'welcome' : socket.authorizationError));
          socket.on('error', (error) => resolve(error.code));
        }));
        socket.destroy();
      }
      server.close();
      console.log(JSON.stringify(all));
    });`;
  const ran = spawnSync(process.execPath, [...args, '-e', program], {
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '', ...env },
    timeout: 20_000,
  });
  return JSON.parse(ran.stdout) as unknown[];
}

test.each([
  ['nobody else', {}, [], 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ['NODE_EXTRA_CA_CERTS', { NODE_EXTRA_CA_CERTS: file }, [], 'welcome'],
  ['a file that is not there', { NODE_EXTRA_CA_CERTS: `${file}.not` }, [], 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ['SSL_CERT_FILE', { SSL_CERT_FILE: file }, ['--use-openssl-ca'], 'welcome'],
  ['SSL_CERT_FILE by a flag with underscores', { SSL_CERT_FILE: file }, ['--use_openssl_ca'], 'welcome'],
  ['SSL_CERT_FILE that does not count', { SSL_CERT_FILE: file }, [], 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ['SSL_CERT_FILE by NODE_OPTIONS', { SSL_CERT_FILE: file, NODE_OPTIONS: '--use-openssl-ca' }, [], 'welcome'],
  ['NODE_TLS_REJECT_UNAUTHORIZED', { NODE_TLS_REJECT_UNAUTHORIZED: '0' }, [], 'DEPTH_ZERO_SELF_SIGNED_CERT'],
])('%s', (_, env, args, expected) => {
  expect(outcomes(env, args)).toEqual([expected, expected]);
});

test('an empty list trusts nobody', () => {
  expect(outcomes({ NODE_EXTRA_CA_CERTS: file }, [], { ca: [] })).toEqual([
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
  ]);
});
