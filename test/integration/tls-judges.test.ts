// Servers of openssl-async/https under clients of other projects: OpenSSL's, curl and GnuTLS.
import { randomBytes, createHash } from 'node:crypto';
import { once } from 'node:events';
import * as fs from 'node:fs';
import type { IncomingMessage } from 'node:http';
import * as os from 'node:os';
import * as path from 'node:path';
import type { TLSSocket } from 'node:tls';
import { createServer, type HttpsOptions, type Server } from 'openssl-async/https';
import { close, listen, read, run, selfSigned, signedClient, type Identity } from '../support/tls';
import { converse, describeWith } from '../support/tools';

const identities = {
  ec: selfSigned('localhost'),
  rsa: selfSigned('localhost', 'rsa'),
  ed25519: selfSigned('localhost', 'ed25519'),
};
const MIB = 2 ** 20;

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'openssl-async-judges-'));
afterAll(() => {
  fs.rmSync(folder, { recursive: true });
});

function fileOf(name: string, content: string | Buffer): string {
  const file = path.join(folder, name);
  fs.writeFileSync(file, content);
  return file;
}

/** What the server knows of a request. */
interface Seen {
  method: string | undefined;
  size: number;
  digest: string;
  protocol: string | null;
  authorized: boolean;
  client: string | undefined;
}

async function seen(incoming: IncomingMessage): Promise<Seen> {
  const socket = incoming.socket as TLSSocket;
  const body = await read(incoming);
  const { subject } = socket.getPeerCertificate();
  return {
    method: incoming.method,
    size: body.length,
    digest: createHash('sha256').update(body).digest('hex'),
    protocol: socket.getProtocol(),
    authorized: socket.authorized,
    client: (subject as { CN?: string } | undefined)?.CN,
  };
}

/** Answers each request with what it has seen of it. */
function witness(options: HttpsOptions): Server {
  return createServer(options, (incoming, outgoing) => {
    void seen(incoming).then((all) => outgoing.end(JSON.stringify(all)));
  });
}

async function withServer<T>(options: HttpsOptions, body: (port: string, server: Server) => Promise<T>): Promise<T> {
  const server = witness(options);
  const port = await listen(server);
  try {
    return await body(String(port), server);
  } finally {
    server.closeAllConnections();
    await close(server);
  }
}

const REQUEST = 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';

describeWith('openssl')('openssl s_client', () => {
  const ask = async (port: string, ...args: string[]): Promise<string> => {
    const given = ['s_client', '-connect', `127.0.0.1:${port}`, '-servername', 'localhost', '-ign_eof', ...args];
    const { code, stdout, stderr } = await run('openssl', given, REQUEST);
    expect([code, stderr]).toEqual([0, expect.not.stringMatching(/:error:/)]);
    return stdout;
  };

  const versions = [
    ['TLSv1.2', '-tls1_2'],
    ['TLSv1.3', '-tls1_3'],
  ] as const;
  const groups = ['X25519', 'P-256', 'P-384', 'P-521', 'X448'];

  test.each(versions.flatMap(([version, option]) => groups.map((group) => [version, group, option] as const)))(
    '%s, %s',
    async (version, group, option) => {
      await withServer({ ...identities.rsa, ecdhCurve: 'auto' }, async (port) => {
        const said = await ask(port, option, '-groups', group);
        expect(said).toContain(`"protocol":"${version}"`);
        expect(said).toMatch(/Server Temp Key: (?:ECDH, )?(\S+), \d+ bits/);
      });
    },
  );

  // A client that offers the server's second choice alone, after the share of another group.
  test('a share that the server does not want: HelloRetryRequest', async () => {
    await withServer({ ...identities.ec, ecdhCurve: 'P-384' }, async (port) => {
      const said = await ask(port, '-tls1_3', '-groups', 'X25519:P-384', '-msg');
      expect(said.match(/^<<< .*ServerHello$/gm)).toHaveLength(2);
      expect(said).toContain('"protocol":"TLSv1.3"');
    });
  });

  test('ffdhe2048', async () => {
    await withServer({ ...identities.ec, ecdhCurve: 'ffdhe2048:X25519' }, async (port) => {
      expect(await ask(port, '-tls1_3', '-groups', 'ffdhe2048')).toMatch(/Server Temp Key: .*2048 bits/);
    });
  });

  test('DHE of TLS 1.2', async () => {
    await withServer({ ...identities.rsa, dhparam: 'auto' }, async (port) => {
      expect(await ask(port, '-tls1_2', '-cipher', 'DHE-RSA-AES128-GCM-SHA256')).toMatch(/Server Temp Key: DH/);
    });
  });

  test.each([
    ['rsa', 'RSA-PSS+SHA256', 'SHA256'],
    ['rsa', 'RSA-PSS+SHA512', 'SHA512'],
    ['ec', 'ECDSA+SHA256', 'SHA256'],
    ['ed25519', 'ed25519', undefined],
  ] as const)('a key of %s signs as %s', async (kind, algorithm, digest) => {
    await withServer(identities[kind], async (port) => {
      for (const [version, option] of versions) {
        const said = await ask(port, option, '-sigalgs', algorithm);
        expect(said).toContain(`"protocol":"${version}"`);
        if (digest !== undefined) expect(said).toContain(`Peer signing digest: ${digest}`);
      }
    });
  });

  test('PKCS #1 in TLS 1.2', async () => {
    await withServer(identities.rsa, async (port) => {
      expect(await ask(port, '-tls1_2', '-sigalgs', 'RSA+SHA384')).toContain('Peer signing digest: SHA384');
    });
  });

  test('a client without a common algorithm for signatures is told', async () => {
    await withServer(identities.ec, async (port, server) => {
      const failed = once(server, 'tlsClientError') as Promise<[NodeJS.ErrnoException]>;
      const given = ['s_client', '-connect', `127.0.0.1:${port}`, '-tls1_3', '-sigalgs', 'RSA-PSS+SHA256'];
      const { stderr } = await run('openssl', given);
      expect((await failed)[0].code).toBe('ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM');
      expect(stderr).toContain('handshake failure');
    });
  });

  test.each(versions)('a session is resumed (%s)', async (_, option) => {
    await withServer(identities.ec, async (port) => {
      const session = path.join(folder, `session${option}`);
      expect(await ask(port, option, '-sess_out', session)).toMatch(/^New, /m);
      expect(await ask(port, option, '-sess_in', session)).toMatch(/^Reused, /m);
    });
  });

  test('new keys in the middle of a connection, from the client', async () => {
    await withServer(identities.ec, async (port) => {
      // K: new keys for both directions. Lines follow messages of stderr, because stdout is buffered.
      const said = await converse(
        'openssl',
        ['s_client', '-connect', `127.0.0.1:${port}`, '-tls1_3', '-quiet', '-no_ign_eof', '-msg'],
        [
          { after: /verify return/, text: 'K\n' },
          { after: /KEYUPDATE/, text: REQUEST },
        ],
      );
      expect(said.match(/Handshake .*KeyUpdate/g)).toHaveLength(2);
      expect(said).toContain('"protocol":"TLSv1.3"');
    });
  });
});

describeWith('curl')('curl', () => {
  const urlOf = (port: string): string => `https://localhost:${port}/`;
  const ca = fileOf('ca.pem', identities.ec.cert);

  async function curl(...args: string[]): Promise<Seen[]> {
    const given = ['--silent', '--show-error', '--noproxy', '*', '--ipv4', '--cacert', ca, ...args];
    const { code, stdout, stderr } = await run('curl', given);
    expect([code, stderr]).toEqual([0, '']);
    return stdout
      .replaceAll('}{', '}\n{')
      .split('\n')
      .map((line) => JSON.parse(line) as Seen);
  }

  test.each([
    ['TLSv1.2', '1.2'],
    ['TLSv1.3', '1.3'],
  ])('a request in %s', async (protocol, most) => {
    await withServer(identities.ec, async (port) => {
      const answers = await curl('--http1.1', `--tlsv${most}`, '--tls-max', most, urlOf(port));
      expect(answers).toEqual([expect.objectContaining({ method: 'GET', protocol })]);
    });
  });

  test('three requests share a connection', async () => {
    await withServer(identities.ec, async (port, server) => {
      let connections = 0;
      server.on('secureConnection', () => ++connections);
      expect(await curl(urlOf(port), urlOf(port), urlOf(port))).toHaveLength(3);
      expect(connections).toBe(1);
    });
  });

  test('an upload of 10 MiB', async () => {
    const body = randomBytes(10 * MIB);
    const file = fileOf('upload', body);
    await withServer(identities.ec, async (port) => {
      const digest = createHash('sha256').update(body).digest('hex');
      expect(await curl('--upload-file', file, urlOf(port))).toEqual([
        expect.objectContaining({ method: 'PUT', size: body.length, digest }),
      ]);
    });
  });

  describe('with a certificate of its own', () => {
    const { authority, client } = signedClient();
    const stranger = selfSigned('stranger');
    const own = (name: string, { cert, key }: Identity): string[] => [
      '--cert',
      fileOf(`${name}.pem`, cert),
      '--key',
      fileOf(`${name}-key.pem`, key),
    ];
    const asking = { ...identities.ec, ca: authority.cert, requestCert: true };

    test.each(['1.2', '1.3'])('that the server wants (TLS %s)', async (most) => {
      await withServer(asking, async (port) => {
        expect(await curl('--tls-max', most, ...own('client', client), urlOf(port))).toEqual([
          expect.objectContaining({ authorized: true, client: 'client' }),
        ]);
      });
    });

    test.each(['1.2', '1.3'])('that the server does not want (TLS %s)', async (most) => {
      await withServer(asking, async (port) => {
        const given = ['--silent', '--noproxy', '*', '--insecure', '--tls-max', most, ...own('stranger', stranger)];
        expect((await run('curl', [...given, urlOf(port)])).code).not.toBe(0);
      });
    });
  });
});

describeWith('gnutls-cli')('gnutls-cli', () => {
  const ask = (port: string, ...args: string[]): Promise<string> => {
    const given = ['--no-ca-verification', '--port', port, '127.0.0.1', ...args];
    return converse('gnutls-cli', given, [{ after: /Simple Client Mode/, text: REQUEST }]);
  };
  const versions = [
    ['TLSv1.2', 'NORMAL:-VERS-ALL:+VERS-TLS1.2'],
    ['TLSv1.3', 'NORMAL:-VERS-ALL:+VERS-TLS1.3'],
  ] as const;

  test.each(versions)('a request in %s, and a close that both sides say', async (version, priority) => {
    await withServer(identities.ec, async (port) => {
      const said = await ask(port, '--priority', priority);
      expect(said).toContain(`"protocol":"${version}"`);
      expect(said).toContain('- Peer has closed the GnuTLS connection');
    });
  });

  test.each(versions)('a session is resumed (%s)', async (_, priority) => {
    await withServer(identities.ec, async (port) => {
      const said = await ask(port, '--priority', priority, '--resume', '--waitresumption');
      expect(said).toContain('*** This is a resumed session');
    });
  });
});
