// Keys of a TPM, swtpm's, through Debian's provider for it: they are found by their URIs, and stay where they are.
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import * as crypto from 'node:crypto';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { inChild, resultOf } from '../support/programs';
import { foreignEnvironment } from '../support/foreign';
import { certificateOf } from '../support/tls';

const HANDLE = '0x81000010';

const MODULES = ['x86_64', 'aarch64']
  .map((machine) => `/usr/lib/${machine}-linux-gnu/ossl-modules`)
  .find((folder) => fs.existsSync(path.join(folder, 'tpm2.so')));
const hasTools = ['swtpm', 'tpm2_createprimary'].every(
  (tool) => spawnSync(tool, ['--version'], { env: foreignEnvironment() }).status === 0,
);
const missing = MODULES === undefined || !hasTools ? 'swtpm, tpm2-tools and tpm2-openssl are not installed' : undefined;
if (missing !== undefined) console.log(`Skipped: ${missing}.`);
const withTpm = missing === undefined ? describe : describe.skip;

async function listen(port: number): Promise<Server> {
  const server = createServer();
  await once(server.listen(port, '127.0.0.1'), 'listening');
  return server;
}

/** The first of two that follow each other, as the tools take for granted. */
async function freePorts(): Promise<number> {
  const first = await listen(0);
  const { port } = first.address() as AddressInfo;
  const second = await listen(port + 1).catch(() => undefined);
  const servers = second === undefined ? [first] : [first, second];
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return second === undefined ? freePorts() : port;
}

withTpm("a TPM's key", () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tpm-'));
  let tpm: ChildProcess | undefined;
  let tcti = '';
  let publicKey = '';

  // Without a resource manager, what a tool leaves in the TPM stays there.
  const tool = (name: string, ...args: string[]): void => {
    const options = { cwd: folder, env: foreignEnvironment({ TPM2TOOLS_TCTI: tcti }), stdio: 'pipe' } as const;
    execFileSync(name, args, options);
    execFileSync('tpm2_flushcontext', ['-t'], options);
  };

  beforeAll(async () => {
    const port = await freePorts();
    const args = ['--tpmstate', `dir=${folder}`, '--flags', 'not-need-init,startup-clear'];
    const ports = ['--server', `type=tcp,port=${String(port)}`, '--ctrl', `type=tcp,port=${String(port + 1)}`];
    tpm = spawn('swtpm', ['socket', '--tpm2', ...args, ...ports], { env: foreignEnvironment(), stdio: 'ignore' });
    tcti = `swtpm:host=127.0.0.1,port=${String(port)}`;
    const answers = (): boolean =>
      spawnSync('tpm2_getcap', ['properties-fixed'], { env: foreignEnvironment({ TPM2TOOLS_TCTI: tcti }) }).status ===
      0;
    while (!answers()) await setTimeout(50);
    tool('tpm2_createprimary', '-C', 'o', '-G', 'rsa2048', '-c', 'primary.ctx');
    tool('tpm2_create', '-C', 'primary.ctx', '-G', 'ecc256:ecdsa-sha256', '-u', 'key.pub', '-r', 'key.priv');
    tool('tpm2_load', '-C', 'primary.ctx', '-u', 'key.pub', '-r', 'key.priv', '-c', 'key.ctx');
    tool('tpm2_evictcontrol', '-C', 'o', '-c', 'key.ctx', HANDLE);
    tool('tpm2_readpublic', '-c', HANDLE, '-f', 'pem', '-o', 'key.pem');
    publicKey = fs.readFileSync(path.join(folder, 'key.pem'), 'utf8');
  }, 30_000);
  afterAll(() => {
    tpm?.kill();
    fs.rmSync(folder, { recursive: true });
  });

  test('is found by its URI, signs on the pool, and stays there', async () => {
    const env = { TPM2OPENSSL_TCTI: tcti, OPENSSL_MODULES: MODULES, TPM_URI: `handle:${HANDLE}` };
    const outcome = await inChild(
      async ({ library, codeOf }) => {
        // This provider does not stand several threads at a time.
        library.configure({ threads: 1, spareThread: false });
        const provider = await library.loadProvider('tpm2', { pauses: false });
        const key = await library.createPrivateKey({ uri: process.env.TPM_URI ?? '' });
        const signatures = await Promise.all(['a', 'b', 'c'].map((data) => library.sign('sha256', data, key)));
        const { operations, notOffloaded } = library.stats().providers.tpm2 ?? {};
        await provider.unload();
        return {
          isHeld: key.isHeld,
          exported: codeOf(() => key.export({ format: 'pem', type: 'pkcs8' })),
          signatures: signatures.map((signature) => signature.toString('hex')),
          figures: { operations, notOffloaded },
        };
      },
      { env },
    );
    const { signatures, ...rest } = resultOf(outcome);
    expect(rest).toEqual({
      isHeld: true,
      exported: 'ERR_ASYNC_KEY_NOT_EXPORTABLE',
      figures: { operations: 4, notOffloaded: 0 },
    });
    for (const [index, signature] of signatures.entries()) {
      const data = Buffer.from('abc'[index] as string);
      expect(crypto.verify('sha256', data, publicKey, Buffer.from(signature, 'hex'))).toBe(true);
    }
  });

  test('serves TLS, on a thread', async () => {
    const env = {
      TPM2OPENSSL_TCTI: tcti,
      OPENSSL_MODULES: MODULES,
      TPM_URI: `handle:${HANDLE}`,
      TPM_CERTIFICATE: certificateOf(publicKey, 'tpm.test'),
    };
    const outcome = await inChild(
      async ({ library, require }) => {
        library.configure({ threads: 1, spareThread: false });
        const { createServer } = require('./dist/tls.js') as typeof import('../../lib/tls/tls');
        const { connect } = require('node:tls') as typeof import('node:tls');
        const provider = await library.loadProvider('tpm2', { pauses: false });
        const key = await library.createPrivateKey({ uri: process.env.TPM_URI ?? '' });
        const places: (string | undefined)[] = [];
        const server = createServer({ cert: process.env.TPM_CERTIFICATE, key }, (socket) => {
          places.push((socket as unknown as import('../../lib/tls/tls').TLSSocket).handshake?.place);
          socket.end('served');
        });
        await new Promise<void>((resolve) => void server.listen(0, resolve));
        const { port } = server.address() as { port: number };
        const served: string[] = [];
        for (const maxVersion of ['TLSv1.2', 'TLSv1.3', 'TLSv1.3'] as const) {
          const client = connect({ port, maxVersion, rejectUnauthorized: false });
          for await (const chunk of client) served.push(String(chunk));
        }
        await new Promise((resolve) => server.close(resolve));
        await provider.unload();
        return { places, served };
      },
      { env },
    );
    expect(resultOf(outcome)).toEqual({
      places: ['thread', 'thread', 'thread'],
      served: ['served', 'served', 'served'],
    });
  });
});
