// Programs that know nothing of this package, by clients of others: they print the same by themselves and with
// openssl-async/register, which makes all of their connections ours.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { pathToFileURL } from 'node:url';
import * as ts from 'typescript';
import { Daemon, freePort } from '../support/daemons';
import { foreignEnvironment } from '../support/foreign';
import { resultOf, ROOT, run } from '../support/programs';
import { selfSigned, signedClient } from '../support/tls';
import { describeWith } from '../support/tools';

const server = selfSigned('localhost');
const { authority, client } = signedClient('postgres');
const files = { 'server.pem': server.cert, 'key.pem': server.key, 'clients.pem': authority.cert + server.cert };
const CLIENTS = path.join(ROOT, 'test', 'support', 'clients');

// Debian keeps the server's programs where no PATH finds them.
const DEBIAN = '/usr/lib/postgresql';
const folders = fs.existsSync(DEBIAN) ? fs.readdirSync(DEBIAN).map((version) => `${DEBIAN}/${version}/bin`) : [];
process.env.PATH = [process.env.PATH, ...folders].join(path.delimiter);

/** What a program prints, and the number of handshakes that were ours. */
async function play(
  name: string,
  port: number,
  nodeArgs: string[] = [],
  environment: NodeJS.ProcessEnv = {},
): Promise<{ printed: string; count: number }> {
  const args = [...nodeArgs, '--require', path.join(CLIENTS, 'count.js'), path.join(CLIENTS, name)];
  const SERVER = JSON.stringify({ ...client, ca: server.cert, clients: authority.cert, server, port });
  const outcome = await run(process.execPath, args, { ...environment, SERVER });
  return { count: Number(resultOf(outcome)), printed: outcome.stdout };
}

async function expectTheSame(name: string, handshakes: number, port = 0): Promise<string> {
  const alone = await play(name, port);
  const registered = await play(name, port, ['--import', './dist/register.mjs']);
  expect(registered.printed).toBe(alone.printed);
  expect(alone.count).toBe(0);
  expect(registered.count).toBeGreaterThanOrEqual(handshakes); // undici may connect once more
  return alone.printed;
}

test('fetch and undici', async () => {
  // Both ends of each connection, and one that the client refuses.
  const printed = await expectTheSame('fetch.mjs', 4);
  expect(printed).toBe('POST 2000000 postgres\nPOST 2000000 postgres\nGET 0 postgres\nDEPTH_ZERO_SELF_SIGNED_CERT\n');
});

describe('axios and got', () => {
  const each = 'POST 2000000 postgres\n';
  const PRINTED = `${each}GET 0 postgres\n${each}GET 0 postgres\n${'DEPTH_ZERO_SELF_SIGNED_CERT\n'.repeat(2)}`;

  test('registered', async () => {
    // Both ends of each connection, and two that the clients refuse.
    expect(await expectTheSame('requests.mjs', 6)).toBe(PRINTED);
  });

  test('by an agent', async () => {
    const AGENT = pathToFileURL(path.join(ROOT, 'dist', 'https.mjs')).href;
    expect(await play('requests.mjs', 0, [], { AGENT })).toEqual({ printed: PRINTED, count: 1 });
  });
});

test('nodemailer and smtp-server', async () => {
  // smtp-server makes its sockets itself, by `new TLSSocket()` of `node:tls`: both ends of each connection are ours. Where
  // clients leave, not all servers hear it.
  const printed = await expectTheSame('nodemailer.js', 6);
  const each = "true true TLSv1.3\n[ 'to@example.test' ]\nESOCKET\n";
  expect(printed).toBe(each + each);
});

test('grpc-js, server and clients', async () => {
  // Both ends of one connection, and of those that the client refuses.
  const printed = await expectTheSame('grpc.js', 4);
  expect(printed).toBe('peer postgres\none true\nmany 5000000\nstranger true\nclosed\n');
});

describeWith('redis-server')('with a redis-server', () => {
  let port: number;
  let daemon: Daemon;
  beforeAll(async () => {
    port = await freePort();
    daemon = await Daemon.start('redis-server', {
      files,
      ports: [port],
      args: () => [
        ...['--port', '0', '--tls-port', String(port), '--bind', '127.0.0.1', '--save', ''],
        ...['--tls-cert-file', 'server.pem', '--tls-key-file', 'key.pem', '--tls-ca-cert-file', 'clients.pem'],
      ],
    });
  });
  afterAll(() => daemon.stop());

  test('ioredis', async () => {
    const printed = await expectTheSame('ioredis.js', 4, port);
    expect(printed).toBe("true\ntrue\n[ 'channel', 'hello' ]\n2\nDEPTH_ZERO_SELF_SIGNED_CERT\nConnection is closed.\n");
  });

  // One line makes the difference between the two.
  test('examples/service.ts, with the import and without', async () => {
    const source = fs.readFileSync(path.join(ROOT, 'examples', 'service.ts'), 'utf8');
    const line = "import 'openssl-async/register';\n";
    expect(source).toContain(line);
    fs.mkdirSync(path.join(ROOT, 'build-examples'), { recursive: true });
    const folder = fs.mkdtempSync(path.join(ROOT, 'build-examples', 'service-'));
    const outcomes = [];
    for (const text of [source, source.replace(line, '')]) {
      const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022, esModuleInterop: true };
      const file = path.join(folder, 'service.js');
      fs.writeFileSync(file, ts.transpileModule(text, { compilerOptions }).outputText);
      const SERVICE = JSON.stringify({ redisPort: port, ca: server.cert + authority.cert, ...server });
      const outcome = await run(process.execPath, ['--require', path.join(CLIENTS, 'count.js'), file], { SERVICE });
      outcomes.push([Number(resultOf(outcome)), outcome.stdout]);
    }
    fs.rmSync(folder, { recursive: true });
    const printed = "201 { count: 1 } first\n201 { count: 2 } second\n[ 'first', 'second' ]\n";
    expect(outcomes).toEqual([
      [expect.any(Number), printed],
      [0, printed],
    ]);
    expect(outcomes[0]?.[0]).toBeGreaterThanOrEqual(6); // two to Redis, and both ends of two to the service
  });
});

describeWith('postgres')('pg', () => {
  test('with a PostgreSQL that wants certificates', async () => {
    const port = await freePort();
    const settings = {
      port,
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      ssl: 'on',
      ssl_cert_file: '$FOLDER/server.pem',
      ssl_key_file: '$FOLDER/key.pem',
      ssl_ca_file: '$FOLDER/clients.pem',
      hba_file: '$FOLDER/hosts',
      fsync: 'off',
    };
    const daemon = await Daemon.start('postgres', {
      files: {
        ...files,
        hosts: 'hostssl all all 127.0.0.1/32 cert\n',
        settings: Object.entries(settings)
          .map(([name, value]) => `${name} = '${String(value)}'\n`)
          .join(''),
      },
      ports: [port],
      user: 'postgres',
      prepare: (folder, credentials) => {
        const args = ['-D', 'data', '-U', 'postgres', '-A', 'trust', '--no-sync'];
        spawnSync('initdb', args, { ...credentials, cwd: folder, env: foreignEnvironment(), stdio: 'ignore' });
      },
      args: (folder) => ['-D', 'data', '-c', `config_file=${folder}/settings`],
    });
    const printed = await expectTheSame('pg.js', 6, port);
    expect(printed).toBe(
      "{ version: 'TLSv1.3', client_dn: '/CN=postgres' }\ntrue\ntrue\nDEPTH_ZERO_SELF_SIGNED_CERT\n",
    );
    await daemon.stop();
  });
});

describeWith('mariadbd')('mysql2', () => {
  test('with a MariaDB that wants certificates', async () => {
    const port = await freePort();
    const daemon = await Daemon.start('mariadbd', {
      files: {
        ...files,
        users: "CREATE USER tester@'%' REQUIRE SUBJECT '/CN=postgres';\n",
      },
      ports: [port],
      user: 'mysql',
      prepare: (folder, credentials) => {
        const args = ['--no-defaults', `--datadir=${folder}/data`, '--auth-root-authentication-method=normal'];
        spawnSync('mariadb-install-db', args, {
          ...credentials,
          cwd: folder,
          env: foreignEnvironment(),
          stdio: 'ignore',
        });
      },
      args: (folder) => [
        ...['--no-defaults', `--datadir=${folder}/data`, `--init-file=${folder}/users`, `--socket=${folder}/socket`],
        ...[`--port=${String(port)}`, '--bind-address=127.0.0.1', '--skip-name-resolve'],
        ...[`--ssl-cert=${folder}/server.pem`, `--ssl-key=${folder}/key.pem`, `--ssl-ca=${folder}/clients.pem`],
      ],
    });
    try {
      const printed = await expectTheSame('mysql2.js', 6, port);
      expect(printed).toBe('TLSv1.3 2000000\ntrue\ntrue\nHANDSHAKE_SSL_ERROR self-signed certificate\n');
    } finally {
      await daemon.stop();
    }
  });
});
