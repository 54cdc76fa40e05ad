// Certificates with one fault each: this package refuses them as node:tls does, as a server and as a client.
import * as nodeTls from 'node:tls';
import * as ourTls from '../../lib/tls/tls';
import { AUTHORITY, Authorities, LEAF } from '../support/certificates';
import { close, listen, type Identity } from '../support/tls';

type Tls = Pick<typeof nodeTls, 'createServer' | 'connect'>;

interface Case {
  identity: Identity;
  /** What the peer trusts. */
  ca: string;
  crl?: string;
  code: string | undefined;
  /** OpenSSL leaves errors in its queue, which node:tls takes for the connection's. */
  leavesErrors?: boolean;
}

const chain = (first: Identity, ...others: Identity[]): Identity => ({
  key: first.key,
  cert: [first, ...others].map(({ cert }) => cert).join(''),
});

// One bit of the signature, which comes last.
function withBadSignature({ cert, key }: Identity): Identity {
  const der = Buffer.from(cert.replaceAll(/-----.*-----|\s/g, ''), 'base64');
  (der[der.length - 1] as number) ^= 1;
  return { key, cert: `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n` };
}

const PAST = { notBefore: '200101000000Z', notAfter: '210101000000Z' };
const FUTURE = { notBefore: '450101000000Z', notAfter: '460101000000Z' };

function createCases(made: Authorities): Record<string, Case> {
  const stranger = made.root('stranger');
  const ca = root;
  const short = made.root('short', { extensions: ['basicConstraints = critical, CA:true, pathlen:0'] });
  const middle = made.signed('middle', 'root', { extensions: AUTHORITY });
  const underShort = made.signed('under-short', 'short', { extensions: AUTHORITY });
  const old = made.signed('old', 'root', { extensions: AUTHORITY, ...PAST });
  const noAuthority = made.signed('no-authority', 'root');
  const nobodySigns = made.signed('nobody-signs', 'root', {
    extensions: ['basicConstraints = critical, CA:true', 'keyUsage = critical, digitalSignature'],
  });
  const narrow = made.signed('narrow', 'root', {
    extensions: [...AUTHORITY, 'nameConstraints = critical, permitted;DNS:allowed.test'],
  });
  const outside = [...LEAF, 'subjectAltName = DNS:elsewhere.test'];
  const leaf = made.signed('leaf', 'root');
  const revoked = made.signed('revoked', 'root');
  const crl = made.revoke('revoked', 'root');

  return {
    'one that is right': { identity: leaf, ca, code: undefined },
    'one by way of another authority': { identity: chain(made.signed('a', 'middle'), middle), ca, code: undefined },
    'one that is not on the list of revoked ones': { identity: leaf, ca, crl, code: undefined },
    'an expired one': { identity: made.signed('b', 'root', PAST), ca, code: 'CERT_HAS_EXPIRED' },
    'one that is not valid yet': { identity: made.signed('c', 'root', FUTURE), ca, code: 'CERT_NOT_YET_VALID' },
    'one that signs itself': {
      identity: made.root('d', { extensions: LEAF }),
      ca,
      code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    },
    'one of an authority that is not known': {
      identity: made.signed('e', 'stranger'),
      ca,
      code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    },
    'one that comes with an authority that is not known': {
      identity: chain(made.signed('f', 'stranger'), stranger),
      ca,
      code: 'SELF_SIGNED_CERT_IN_CHAIN',
    },
    'one whose authority does not come with it': {
      identity: made.signed('g', 'middle'),
      ca,
      code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    },
    'one of an expired authority': { identity: chain(made.signed('h', 'old'), old), ca, code: 'CERT_HAS_EXPIRED' },
    'one that was signed by no authority': {
      identity: chain(made.signed('i', 'no-authority'), noAuthority),
      ca,
      code: 'UNSPECIFIED',
    },
    'one of an authority that may not sign': {
      identity: chain(made.signed('j', 'nobody-signs'), nobodySigns),
      ca,
      code: 'UNSPECIFIED',
    },
    'one of too long a chain': {
      identity: chain(made.signed('k', 'under-short'), underShort),
      ca: short.cert,
      code: 'PATH_LENGTH_EXCEEDED',
    },
    'one whose name its authority may not sign': {
      identity: chain(made.signed('l', 'narrow', { extensions: outside }), narrow),
      ca,
      code: 'UNSPECIFIED',
    },
    'one with a critical extension that nobody knows': {
      identity: made.signed('m', 'root', { extensions: [...LEAF, '1.2.3.4 = critical, ASN1:UTF8String:secret'] }),
      ca,
      code: 'UNSPECIFIED',
    },
    'one for other purposes': {
      identity: made.signed('n', 'root', { extensions: [...LEAF, 'extendedKeyUsage = codeSigning'] }),
      ca,
      code: 'INVALID_PURPOSE',
    },
    'one that was revoked': { identity: revoked, ca, crl, code: 'CERT_REVOKED' },
    'one of an authority without a list of revoked ones': {
      identity: chain(made.signed('o', 'middle'), middle),
      ca,
      crl,
      code: 'UNABLE_TO_GET_CRL',
    },
    'one with a broken signature': {
      identity: withBadSignature(leaf),
      ca,
      code: 'CERT_SIGNATURE_FAILURE',
      leavesErrors: true,
    },
    'one whose authority has signed with SHA-1': {
      identity: made.signed('p', 'root', { digest: 'sha1' }),
      ca,
      code: 'UNSPECIFIED',
    },
    'one that must come with its status, and does not': {
      identity: made.signed('q', 'root', { extensions: [...LEAF, 'tlsfeature = status_request'] }),
      ca,
      code: undefined,
    },
  };
}

const authorities = new Authorities();
const root = authorities.root('root').cert;
const cases = createCases(authorities);
const good = authorities.signed('server', 'root', { extensions: [...LEAF, 'subjectAltName = DNS:server.test'] });
afterAll(() => {
  authorities.close();
});

interface Failure {
  code: unknown;
  reason: unknown;
  message: string;
}

const failureOf = (error: unknown): Failure => {
  const { code, reason, message } = error as Failure;
  return { code, reason, message };
};

/** The first of the events, with its arguments. */
const told = (emitter: NodeJS.EventEmitter, ...events: string[]): Promise<[string, unknown[]]> =>
  new Promise((resolve) => {
    for (const event of events) {
      emitter.once(event, (...args) => {
        resolve([event, args]);
      });
    }
  });

// Security level 0: the side whose certificate is looked at may have any.
const ANY = 'DEFAULT:@SECLEVEL=0';

async function outcomeOfServer(tls: Tls, options: nodeTls.TlsOptions, identity: Identity): Promise<unknown[]> {
  const server = tls.createServer({ ...good, ...options, requestCert: true });
  const port = await listen(server);
  const client = nodeTls.connect({ ...identity, port, ciphers: ANY, rejectUnauthorized: false });
  client.on('error', () => undefined).resume();
  const [event, args] = await told(server, 'secureConnection', 'tlsClientError');
  const socket = args.at(-1) as nodeTls.TLSSocket;
  const failure = event === 'secureConnection' ? undefined : failureOf(args[0]);
  const outcome = [socket.authorized, socket.authorizationError, failure];
  socket.destroy();
  client.destroy();
  await close(server);
  return outcome;
}

async function outcomeOfClient(
  tls: Tls,
  options: nodeTls.ConnectionOptions,
  { identity, maxVersion }: { identity: Identity; maxVersion?: nodeTls.SecureVersion },
): Promise<unknown[]> {
  const server = nodeTls.createServer({ ...identity, ciphers: ANY, maxVersion });
  server.on('tlsClientError', () => undefined);
  const port = await listen(server);
  const client = tls.connect({ port, host: '127.0.0.1', servername: 'server.test', ...options });
  const [event, args] = await told(client, 'secureConnect', 'error');
  const failure = event === 'secureConnect' ? undefined : failureOf(args[0]);
  const outcome = [client.authorized, client.authorizationError, failure];
  client.destroy();
  await close(server);
  return outcome;
}

const ours = ourTls as unknown as Tls;

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('%s', (maxVersion) => {
  test.each(Object.entries(cases))(
    'a server and a client of %s',
    async (_, { identity, ca, crl, code, leavesErrors }) => {
      const lenient = { ca, crl, maxVersion, rejectUnauthorized: false };
      const ofServer = await outcomeOfServer(ours, lenient, identity);
      expect(ofServer).toEqual(await outcomeOfServer(nodeTls, lenient, identity));
      expect(ofServer).toEqual([code === undefined, code ?? null, undefined]);

      const strict = { ...lenient, rejectUnauthorized: true };
      const [authorized, error, failure] = await outcomeOfServer(nodeTls, strict, identity);
      const hungUp = { code: 'ECONNRESET', reason: undefined, message: 'socket hang up' };
      expect(await outcomeOfServer(ours, strict, identity)).toEqual([
        authorized,
        error,
        leavesErrors === true ? hungUp : failure,
      ]);

      const anyName = { checkServerIdentity: () => undefined };
      for (const options of [lenient, strict]) {
        const ofClient = await outcomeOfClient(ours, { ...options, ...anyName }, { identity });
        expect(ofClient).toEqual(await outcomeOfClient(nodeTls, { ...options, ...anyName }, { identity }));
      }
    },
  );
});

describe('the name in a certificate', () => {
  const named = (file: string, ...names: string[]): Identity => {
    const alternatives = names.length === 0 ? [] : [`subjectAltName = ${names.join(', ')}`];
    return authorities.signed(file, 'root', { name: 'common.test', extensions: [...LEAF, ...alternatives] });
  };
  const wildcard = named('wildcard', 'DNS:*.example.test');
  const WRONG = 'ERR_TLS_CERT_ALTNAME_INVALID';

  test.each([
    ['one of several', named('several', 'DNS:a.test', 'DNS:server.test'), 'server.test', undefined],
    ['another', named('another', 'DNS:other.test'), 'server.test', WRONG],
    ['in another case', named('upper', 'DNS:SERVER.test'), 'server.TEST', undefined],
    ['a wildcard', wildcard, 'a.example.test', undefined],
    ['a wildcard for two labels', wildcard, 'a.b.example.test', WRONG],
    ['a wildcard for none', wildcard, 'example.test', WRONG],
    ['a wildcard in a label', named('part', 'DNS:f*.example.test'), 'foo.example.test', undefined],
    ['a wildcard in the second label', named('second', 'DNS:a.*.test'), 'a.example.test', WRONG],
    ['a wildcard for a whole domain', named('top', 'DNS:*.test'), 'server.test', WRONG],
    ['only the common one', named('common'), 'common.test', undefined],
    ['the common one, and others beside it', named('beside', 'DNS:other.test'), 'common.test', WRONG],
    ['an address in place of a name', named('address', 'IP:127.0.0.1'), 'server.test', WRONG],
  ])('%s', async (_, identity, servername, code) => {
    const options = { ca: root, servername };
    const outcome = await outcomeOfClient(ours, options, { identity });
    expect(outcome).toEqual(await outcomeOfClient(nodeTls, options, { identity }));
    expect((outcome[2] as Failure | undefined)?.code).toBe(code);
  });
});
