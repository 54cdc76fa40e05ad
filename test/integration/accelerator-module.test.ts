// The accelerator as a module: programs that know nothing of this project load it and have their jobs pause.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { ROOT } from '../support/programs';
import { foreignEnvironment } from '../support/foreign';

const OPENSSL = '/usr/bin/openssl';
const FOLDER = path.join(ROOT, 'build', 'Release');
const MODULE = path.join(FOLDER, 'accelerator.so');
const BESIDE_DEFAULT = ['-provider-path', FOLDER, '-provider', 'accelerator', '-provider', 'default'];
const BESIDE_BASE = ['-provider-path', FOLDER, '-provider', 'accelerator', '-provider', 'base'];
const PREFERRED = ['-propquery', '?provider=accelerator'];

function reasonToSkip(): string | undefined {
  if (process.platform !== 'linux') return 'the test drives the openssl(1) of a Linux distribution';
  if (!existsSync(OPENSSL)) return `${OPENSSL} is not installed`;
  const { stdout } = spawnSync(OPENSSL, ['version'], { encoding: 'utf8', env: foreignEnvironment() });
  return /^OpenSSL [3-9]\./.test(stdout) ? undefined : `${OPENSSL} is ${stdout.trim()}, and the module needs 3.0`;
}

const skipped = reasonToSkip();
if (skipped !== undefined) console.log(`accelerator-module: skipped, ${skipped}`);
const describeModule = skipped === undefined ? describe : describe.skip;

const environment = (): NodeJS.ProcessEnv => foreignEnvironment({ OPENSSL_ASYNC_ACCELERATOR_STATS: '1' });

interface Counts {
  offloaded: number;
  inline: number;
  refused: number;
}

/** What the module counted, by class of operations, of all processes that wrote to `stderr`. */
function countsIn(stderr: string): Map<string, Counts> {
  const counts = new Map<string, Counts>();
  const lines = stderr.matchAll(/^accelerator: (\S+) offloaded=(\d+) inline=(\d+) refused=(\d+)$/gm);
  for (const [, name = '', offloaded, inline, refused] of lines) {
    const before = counts.get(name) ?? { offloaded: 0, inline: 0, refused: 0 };
    counts.set(name, {
      offloaded: before.offloaded + Number(offloaded),
      inline: before.inline + Number(inline),
      refused: before.refused + Number(refused),
    });
  }
  return counts;
}

interface Outcome {
  status: number | null;
  stdout: string;
  stderr: string;
}

function outcomeOf(child: ChildProcess): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const outcome = { status: null as number | null, stdout: '', stderr: '' };
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (outcome.stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (outcome.stderr += text));
    child.on('error', reject);
    child.on('close', (status) => resolve({ ...outcome, status }));
  });
}

const openssl = (args: string[], input = ''): Promise<Outcome> => {
  const child = spawn(OPENSSL, args, { env: environment(), stdio: 'pipe' });
  child.stdin.on('error', () => undefined).end(input); // the program may have ended before
  return outcomeOf(child);
};

describeModule('the module in openssl(1)', () => {
  let folder = '';
  const file = (name: string): string => path.join(folder, name);

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'openssl-async-module-'));
    const kinds = { rsa: ['rsa:2048'], ec: ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'] };
    for (const [kind, options] of Object.entries(kinds)) {
      const made = await openssl([
        ...['req', '-x509', '-nodes', '-days', '2', '-subj', '/CN=localhost', '-newkey', ...options],
        ...['-keyout', file(`${kind}.key`), '-out', file(`${kind}.crt`)],
        ...['-config', '/dev/null', '-addext', 'basicConstraints=CA:TRUE'],
      ]);
      if (made.status !== 0) throw new Error(made.stderr);
    }
    writeFileSync(file('message'), 'a message');
  }, 60_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('it loads, and tells what it counts', async () => {
    const { status, stdout } = await openssl(['list', '-providers', '-verbose', ...BESIDE_DEFAULT]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/accelerator\s+name: accelerator\s+status: active/);
    expect(stdout).toContain('signature-offloaded: unsigned integer');
  });

  test('outside a job it signs inline, and openssl(1) itself verifies', async () => {
    const signature = file('signature');
    const signed = await openssl([
      ...['dgst', '-sha256', '-sign', file('ec.key'), '-out', signature],
      ...[...BESIDE_DEFAULT, ...PREFERRED, file('message')],
    ]);
    expect(signed.status).toBe(0);
    expect(countsIn(signed.stderr).get('signature')).toEqual({ offloaded: 0, inline: 1, refused: 0 });
    const key = await openssl(['x509', '-in', file('ec.crt'), '-pubkey', '-noout', '-out', file('ec.pub')]);
    expect(key.status).toBe(0);
    const verified = await openssl([
      'dgst',
      '-sha256',
      '-verify',
      file('ec.pub'),
      '-signature',
      signature,
      file('message'),
    ]);
    expect(verified.stdout).toBe('Verified OK\n');
    expect(countsIn(verified.stderr).size).toBe(0);
  });

  test.each([[[]], [['-multi', '2']]])(
    'openssl speed %j pauses 64 jobs at a time for RSA and ECDSA',
    async (multi) => {
      const { status, stdout, stderr } = await openssl([
        ...['speed', ...BESIDE_DEFAULT, ...PREFERRED, '-async_jobs', '64', '-seconds', '1', '-mr', ...multi],
        ...['rsa2048', 'ecdsap256'],
      ]);
      expect(status).toBe(0);
      expect(stderr).not.toMatch(/failure|error/i);
      expect(stdout).toMatch(/^\+F2:/m);
      expect(stdout).toMatch(/^\+F4:/m);
      const signature = countsIn(stderr).get('signature');
      // RSA is the slowest: some hundred signatures in a second, and thousands of everything else.
      expect(signature?.offloaded).toBeGreaterThan(1000);
      expect(signature?.refused).toBe(0);
    },
    60_000,
  );

  async function handshake(kind: string, version: string, providers: string[]): Promise<Map<string, Counts>> {
    const server = spawn(
      OPENSSL,
      [
        ...['s_server', '-accept', '127.0.0.1:0', '-naccept', '1', '-www', '-async'],
        ...['-key', file(`${kind}.key`), '-cert', file(`${kind}.crt`), ...providers, ...PREFERRED],
      ],
      { env: environment(), stdio: 'pipe' },
    );
    const ended = outcomeOf(server);
    try {
      const port = await new Promise<string>((resolve, reject) => {
        let text = '';
        server.stdout.on('data', (data: string) => {
          text += data;
          const found = /ACCEPT 127\.0\.0\.1:(\d+)/.exec(text)?.[1];
          if (found !== undefined) resolve(found);
        });
        server.on('close', () => reject(new Error(`s_server ended: ${text}`)));
      });
      const client = await openssl(
        ['s_client', '-connect', `127.0.0.1:${port}`, `-${version}`, '-CAfile', file(`${kind}.crt`), '-ign_eof'],
        'GET / HTTP/1.0\r\n\r\n',
      );
      expect(client.stdout).toContain('Verify return code: 0 (ok)');
      expect(client.stdout).toContain('HTTP/1.0 200 ok');
      const { status, stderr } = await ended;
      expect(status).toBe(0);
      return countsIn(stderr);
    } finally {
      server.kill();
    }
  }

  const cases = ['tls1_2', 'tls1_3'].flatMap((version) =>
    [BESIDE_DEFAULT, BESIDE_BASE].map((providers) => ({ version, providers })),
  );

  // Side by side: s_server takes seconds to end.
  test.each(['rsa', 'ec'])('s_server -async, with a certificate of %s, pauses in TLS 1.2 and 1.3', async (kind) => {
    const counted = await Promise.all(cases.map((of) => handshake(kind, of.version, of.providers)));
    for (const [index, counts] of counted.entries()) {
      const once = { offloaded: 1, inline: 0, refused: 0 };
      // One key for the exchange, one secret, one signature; a pause for each. The key schedule is not worth one.
      expect({ ...cases[index], counts: Object.fromEntries(counts) }).toMatchObject({
        counts: { keymgmt: { offloaded: 1 }, keyexch: once, signature: once, kdf: { offloaded: 0 } },
      });
    }
  });
});

describeModule('the module in Node', () => {
  test('a configuration file puts it under node:crypto', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'openssl-async-module-'));
    try {
      const configuration = path.join(folder, 'openssl.cnf');
      writeFileSync(
        configuration,
        [
          'nodejs_conf = init',
          '[init]\nproviders = list',
          '[list]\naccelerator = ours\ndefault = theirs',
          `[ours]\nmodule = ${MODULE}\nactivate = 1`,
          '[theirs]\nactivate = 1',
        ].join('\n'),
      );
      const program = `
        const crypto = require('node:crypto');
        const pair = crypto.generateKeyPairSync('ed25519');
        const signature = crypto.sign(null, Buffer.from('m'), pair.privateKey);
        if (!crypto.verify(null, Buffer.from('m'), pair.publicKey, signature)) throw new Error('not valid');`;
      const child = spawn(process.execPath, [`--openssl-config=${configuration}`, '-e', program], {
        env: { ...environment(), OPENSSL_CONF: undefined },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const { status, stderr } = await outcomeOf(child);
      expect(stderr).toContain('accelerator: signature offloaded=0 inline=2');
      expect(stderr).toContain('accelerator: keymgmt offloaded=0 inline=1');
      expect(status).toBe(0);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
