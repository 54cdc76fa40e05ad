// Flags and variables that node:tls heeds, over servers and clients of ours in child processes.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { ROOT } from '../support/programs';
import { selfSigned } from '../support/tls';

const identity = selfSigned('localhost');
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'openssl-async-flags-'));
afterAll(() => {
  fs.rmSync(folder, { recursive: true });
});
const ours = path.join(ROOT, 'dist', 'tls.js');

interface Ran {
  said: [version: string, cipher: string, protocol: string] | string;
  stderr: string;
}

/** What both sides agree on, or the code of the client's error. */
function run(
  args: string[],
  { server = {}, client = {}, env = {}, modules = [ours, ours], before = '', more = '' } = {},
): Ran {
  const program = `
    const [server, client] = ${JSON.stringify(modules)}.map((name) => require(name));
    ${before}
    const listening = server.createServer({ ...${JSON.stringify({ ...identity, ...server })} }, (socket) => {
      socket.on('error', () => undefined);
      socket.end('x');
    });
    listening.listen(0, '127.0.0.1', () => {
      const { port } = listening.address();
      const common = { port, host: '127.0.0.1', servername: 'localhost', ca: ${JSON.stringify(identity.cert)} };
      const socket = client.connect({ ...common, ...${JSON.stringify(client)} });
      ${more}
      const say = (value) => {
        console.log(JSON.stringify(value));
        listening.close();
      };
      socket.on('secureConnect', () => {
        const { name, version } = socket.getCipher();
        socket.resume().once('close', () => say([socket.version, name, version]));
        socket.version = socket.getProtocol();
      });
      socket.on('error', (error) => say(error.code));
    });`;
  const { stdout, stderr } = spawnSync(process.execPath, [...args, '-e', program], {
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '', ...env },
    timeout: 20_000,
  });
  return { said: JSON.parse(stdout) as Ran['said'], stderr };
}

test.each([
  ['--tls-max-v1.2', {}, 'TLSv1.2'],
  ['--tls-min-v1.3', {}, 'TLSv1.3'],
  ['--tls-min-v1.0', { ciphers: 'DEFAULT@SECLEVEL=0', maxVersion: 'TLSv1' }, 'TLSv1'],
  ['--tls-min-v1.1', { ciphers: 'DEFAULT@SECLEVEL=0', maxVersion: 'TLSv1.1' }, 'TLSv1.1'],
] as [string, { ciphers?: string; maxVersion?: string }, string][])(
  '%s holds for both sides',
  (flag, client, version) => {
    const { ciphers } = client;
    const { said } = run([flag], { server: { ciphers }, client });
    expect(said[0]).toBe(version);
  },
);

test.each([
  ['server', [ours, 'node:tls'], 'client'],
  ['client', ['node:tls', ours], 'server'],
])('--tls-min-v1.3 holds for a %s whose peer has limits of its own', (_, modules, peer) => {
  const limits = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' };
  const { said } = run(['--tls-min-v1.3'], { [peer]: limits, modules });
  expect(said).toBe('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
});

test('--tls-cipher-list holds for both sides', () => {
  const cipher = 'ECDHE-ECDSA-CHACHA20-POLY1305';
  expect(run([`--tls-cipher-list=${cipher}`], { client: { maxVersion: 'TLSv1.2' } }).said[1]).toBe(cipher);
  const suite = 'TLS_CHACHA20_POLY1305_SHA256';
  expect(run([`--tls-cipher-list=${suite}`]).said[1]).toBe(suite);
});

test.each([
  ['as a flag', (file: string) => [[`--tls-keylog=${file}`], {}]],
  ['with underscores', (file: string) => [[`--tls_keylog=${file}`], {}]],
  ['by NODE_OPTIONS', (file: string) => [[], { NODE_OPTIONS: `--tls-keylog="${file}"` }]],
] as [string, (file: string) => [string[], object]][])('--tls-keylog has the secrets of both sides, %s', (name, of) => {
  const file = path.join(folder, name);
  const [args, env] = of(file);
  const { said, stderr } = run(args, { env });
  expect(said[0]).toBe('TLSv1.3');
  expect(stderr).toContain('Using --tls-keylog makes TLS connections insecure');
  const lines = fs.readFileSync(file, 'utf8').trim().split('\n').sort();
  expect(lines).toHaveLength(10);
  expect(new Set(lines).size).toBe(5);
  expect(fs.statSync(file).mode & 0o777).toBe(0o600);
});

test('NODE_OPTIONS that a program sets are for its children', () => {
  const file = path.join(folder, 'of children');
  const before = `process.env.NODE_OPTIONS = ${JSON.stringify(`--trace-tls --tls-keylog="${file}"`)};`;
  const { said, stderr } = run([], { before });
  expect([said[0], stderr, fs.existsSync(file)]).toEqual(['TLSv1.3', '', false]);
});

test('a key log that cannot be written is told of once', () => {
  const { said, stderr } = run([`--tls-keylog=${path.join(folder, 'no', 'folder')}`]);
  expect(said[0]).toBe('TLSv1.3');
  expect(stderr.match(/Failed to write TLS keylog/g)).toHaveLength(1);
});

describe('traces', () => {
  const SENT = /Sent (?:TLS )?Record/g;
  const RECEIVED_HELLO = /Received (?:TLS )?Record[^]*?ClientHello/;
  const SENT_HELLO = /Sent (?:TLS )?Record[^]*?ClientHello/;
  // Whether OpenSSL can: node:tls says so.
  const isThere = SENT.test(run(['--trace-tls'], { modules: ['node:tls', 'node:tls'] }).stderr);
  const testWithTraces = isThere ? test : test.skip;

  testWithTraces('--trace-tls shows both sides', () => {
    const { said, stderr } = run(['--trace-tls']);
    expect(said[0]).toBe('TLSv1.3');
    expect(stderr).toContain('Enabling --trace-tls can expose sensitive data in the resulting log.');
    expect(stderr).toMatch(RECEIVED_HELLO);
    expect(stderr).toMatch(SENT_HELLO);
    expect(stderr).toMatch(/Sent[^]*Finished[^]*verify_data/);
  });

  testWithTraces.each([
    ['server', { server: { enableTrace: true } }, RECEIVED_HELLO],
    ['client', { client: { enableTrace: true } }, SENT_HELLO],
  ])('enableTrace shows the messages of a %s alone', (_, options, shown) => {
    const { said, stderr } = run([], options);
    expect(said[0]).toBe('TLSv1.3');
    expect(stderr).toMatch(shown);
    expect(stderr.split('ClientHello')).toHaveLength(2);
  });

  testWithTraces('enableTrace wins over the flag', () => {
    const off = { enableTrace: false };
    expect(run(['--trace-tls'], { server: off, client: off }).stderr).not.toMatch(SENT);
    expect(run([]).stderr).toBe('');
  });

  testWithTraces.each([
    ['before the handshake', 'socket.enableTrace();', 1],
    ['afterwards', "socket.once('secureConnect', () => socket.enableTrace());", 0],
  ])('enableTrace() of a client shows what follows, %s', (_, more, hellos) => {
    const { said, stderr } = run([], { more });
    expect(said[0]).toBe('TLSv1.3');
    expect(stderr.split('ClientHello')).toHaveLength(hellos + 1);
    expect(stderr).toMatch(/NewSessionTicket, Length=/);
  });
});

test('NODE_DEBUG=tls,https tells of both sides', () => {
  const { stderr } = run([], { env: { NODE_DEBUG: 'tls' } });
  expect(stderr).toMatch(/^TLS \d+: client begins, for localhost$/m);
  expect(stderr).toMatch(/^TLS \d+: client emits secureConnect, authorized: true, protocol: false$/m);
  expect(stderr).toMatch(/^TLS \d+: server emits secureConnection, for localhost, protocol: false$/m);
  const more = `
    const { Agent } = require(${JSON.stringify(path.join(ROOT, 'dist', 'https.js'))});
    new Agent().createConnection(common).on('error', () => undefined).destroy();`;
  expect(run([], { env: { NODE_DEBUG: 'https' }, more }).stderr).toMatch(
    /^HTTPS \d+: createConnection to 127\.0\.0\.1:\d+$/m,
  );
});

test('NODE_DEBUG=https shows no key of an agent', () => {
  const more = `
    const { Agent } = require(${JSON.stringify(path.join(ROOT, 'dist', 'https.js'))});
    const agent = new Agent();
    const options = { ...common, ...${JSON.stringify(identity)} };
    options._agentKey = agent.getName(options);
    agent.createConnection(options).resume().once('session', () => {
      agent.createConnection(options).on('error', () => undefined).resume();
      agent.createConnection({ ...options, port: 1 }).on('error', () => undefined);
    });`;
  const { stderr } = run([], { env: { NODE_DEBUG: 'https' }, more });
  expect(stderr).toMatch(/^HTTPS \d+: reuse session for 127\.0\.0\.1:\d+$/m);
  expect(stderr).toMatch(/^HTTPS \d+: evicting session for 127\.0\.0\.1:1$/m);
  expect(stderr).not.toContain('PRIVATE KEY');
});

test('an enableTrace that is no boolean is refused', () => {
  const { createServer, connect } = jest.requireActual<typeof import('../../lib/tls/tls')>('../../lib/tls/tls');
  const code = (make: () => unknown): unknown => {
    try {
      return make();
    } catch (error) {
      return (error as { code: unknown }).code;
    }
  };
  expect(code(() => createServer({ enableTrace: 1 as never }))).toBe('ERR_INVALID_ARG_TYPE');
  expect(code(() => connect({ port: 1, enableTrace: 'x' as never }))).toBe('ERR_INVALID_ARG_TYPE');
});
