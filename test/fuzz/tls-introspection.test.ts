// What sockets tell of their connections, for random certificates and parameters: the same as those of node:tls. Each
// case connects clients of both to servers of both, and once more with a session of one of these connections.
//
// Two runs: one with a seed that never changes, one with a new one each time. Both print theirs; FUZZ_SEED repeats one.
import * as crypto from 'node:crypto';
import * as nodeTls from 'node:tls';
import fc from 'fast-check';
import * as ours from '../../lib/tls/tls';
import { identity, STRANGER, type RandomIdentity } from '../support/certificate-arbitraries';
import { close, listen } from '../support/tls';

const FIXED_SEED = 20_261_128;
const RANDOM_SEED = process.env.FUZZ_SEED === undefined ? Date.now() % 2 ** 31 : Number(process.env.FUZZ_SEED);
const RUNS = 60; // of each of the two

const node: Library = nodeTls;
const LIBRARIES = { node, ours: ours as unknown as Library };
type Library = Pick<typeof nodeTls, 'connect' | 'createServer' | 'createSecureContext'>;
type Kind = keyof typeof LIBRARIES;
const PAIRS: readonly (readonly [client: Kind, server: Kind])[] = [
  ['node', 'node'],
  ['node', 'ours'],
  ['ours', 'node'],
  ['ours', 'ours'],
];

interface Parameters {
  readonly version: 'TLSv1.2' | 'TLSv1.3' | undefined;
  readonly ciphers: string | undefined;
  readonly ecdhCurve: string | undefined;
  readonly sigalgs: string | undefined;
  readonly ALPNProtocols: string[] | undefined;
}
interface Case {
  readonly identity: RandomIdentity;
  readonly client: Parameters & {
    readonly identity: RandomIdentity | undefined;
    readonly servername: string | undefined;
    readonly trusts: 'the root' | 'a stranger';
    readonly rejects: boolean;
  };
  readonly server: Parameters & {
    readonly requestCert: boolean;
    readonly trusts: 'the root' | 'a stranger';
    readonly rejects: boolean;
  };
  /** Where ours are served. */
  readonly place: { readonly threads?: number; readonly records?: 'threads' };
  /** Whose session is resumed. */
  readonly sessionOf: Kind;
}

const often = <T>(value: T, ...others: T[]): fc.Arbitrary<T> =>
  fc.oneof({ weight: 5, arbitrary: fc.constant(value) }, { weight: 1, arbitrary: fc.constantFrom(...others) });
const parameters = {
  version: fc.constantFrom<Parameters['version'][]>(undefined, undefined, undefined, 'TLSv1.2', 'TLSv1.3'),
  ciphers: often<string | undefined>(
    undefined,
    'ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305',
    'AES128-GCM-SHA256:AES256-SHA',
    'DHE-RSA-AES256-GCM-SHA384:TLS_AES_128_GCM_SHA256',
    'TLS_CHACHA20_POLY1305_SHA256:ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES256-SHA384',
  ),
  ecdhCurve: often<string | undefined>(undefined, 'P-256:P-384', 'X448:X25519', 'P-521', 'secp256k1:P-384'),
  sigalgs: often<string | undefined>(
    undefined,
    'RSA-PSS+SHA256:ECDSA+SHA256:ed25519:rsa_pss_pss_sha256',
    'ECDSA+SHA384:RSA+SHA512:ed448:rsa_pss_rsae_sha384:rsa_pss_pss_sha384:ECDSA+SHA512:ECDSA+SHA256',
  ),
  ALPNProtocols: often<string[] | undefined>(undefined, ['a', 'b'], ['b', 'a'], ['é']),
};
const trusts = often<'the root' | 'a stranger'>('the root', 'a stranger');
const randomCase: fc.Arbitrary<Case> = fc.record({
  identity,
  client: fc.record({
    ...parameters,
    identity: fc.option(identity, { nil: undefined }),
    servername: often<string | undefined>('localhost', 'a.test', '', undefined),
    trusts,
    rejects: often(false, true),
  }),
  server: fc.record({ ...parameters, requestCert: fc.boolean(), trusts, rejects: often(false, true) }),
  place: fc.constantFrom<Case['place'][]>({}, { threads: 0 }, { records: 'threads' }),
  sessionOf: fc.constantFrom<Kind>('node', 'ours'),
});

function ofContext({ version, ciphers, ecdhCurve, sigalgs, ALPNProtocols }: Parameters): nodeTls.SecureContextOptions {
  const given = { ciphers, ecdhCurve, sigalgs, ALPNProtocols, minVersion: version, maxVersion: version };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

const serverOptions = ({ identity: { cert, key }, client, server }: Case): nodeTls.TlsOptions => ({
  ...ofContext(server),
  cert,
  key,
  ca: server.trusts === 'the root' ? (client.identity?.root ?? STRANGER.pem) : STRANGER.pem,
  dhparam: 'auto',
  requestCert: server.requestCert,
  rejectUnauthorized: server.rejects,
});

const clientOptions = ({ identity: { root }, client }: Case): nodeTls.ConnectionOptions => ({
  ...ofContext(client),
  ...(client.identity === undefined ? {} : { cert: client.identity.cert, key: client.identity.key }),
  ...(client.servername === undefined ? {} : { servername: client.servername }),
  ca: client.trusts === 'the root' ? root : STRANGER.pem,
  rejectUnauthorized: client.rejects,
});

// --- What is told

type Told = Record<string, unknown>;

/** A value all of whose differences Jest sees: prototypes, properties without a value, and circles. */
function plain(value: unknown, within: readonly unknown[] = []): unknown {
  if (value === undefined) return 'undefined';
  if (Buffer.isBuffer(value)) return `bytes ${value.toString('base64')}`;
  if (typeof value !== 'object' || value === null) return value;
  const circle = within.indexOf(value);
  if (circle >= 0) return `circle to ${String(circle)}`;
  const inner = [...within, value];
  if (Array.isArray(value)) return value.map((each) => plain(each, inner));
  const properties = Object.entries(value).map(([name, each]) => [name, plain(each, inner)]);
  return Object.fromEntries([...properties, ['has a prototype', Object.getPrototypeOf(value) !== null]]);
}

function tell(ask: () => unknown): unknown {
  try {
    return ask();
  } catch (error) {
    return (error as { code?: string }).code ?? error;
  }
}

const size = (bytes: Buffer | undefined | null): unknown => bytes?.length ?? bytes;
const kind = (bytes: Buffer | undefined | null): unknown => (Buffer.isBuffer(bytes) ? 'bytes' : bytes);

function chainOf(certificate: crypto.X509Certificate | undefined): unknown {
  if (certificate === undefined) return undefined;
  const chain: unknown[] = [];
  for (let each: typeof certificate | undefined = certificate; each !== undefined; each = each.issuerCertificate) {
    chain.push([each instanceof crypto.X509Certificate, each.raw.toString('base64')]);
  }
  return chain;
}

/** Of a session: what comes before OpenSSL's encoding, and which fields that has. */
function partsOf(session: Buffer | null | undefined): unknown {
  if (!Buffer.isBuffer(session)) return session;
  let at = session[0] === 0 ? session.indexOf('\0', 1) + 1 : 0;
  if (at > 0) at += 2 + session.readUInt16BE(at);
  const fields: number[] = [];
  const begin = at;
  at += headerSize(session, at);
  while (at < session.length) {
    fields.push(session[at] as number);
    at += headerSize(session, at) + contentSize(session, at);
  }
  return [session.toString('latin1', 0, begin), fields];
}
const extraSize = (bytes: Buffer, at: number): number => {
  const first = bytes[at + 1] as number;
  return first < 0x80 ? 0 : first - 0x80;
};
const headerSize = (bytes: Buffer, at: number): number => 2 + extraSize(bytes, at);
function contentSize(bytes: Buffer, at: number): number {
  const extra = extraSize(bytes, at);
  return extra === 0 ? (bytes[at + 1] as number) : bytes.readUIntBE(at + 2, extra);
}

type Socket = nodeTls.TLSSocket & { servername?: unknown };

// Not every Node.js names groups of ML-KEM.
const withoutGroup = (key: object | null): object | null =>
  key !== null && Reflect.get(key, 'type') === 'TLSGroup' ? {} : key;

function toldBy(socket: Socket): Told {
  return {
    authorized: socket.authorized,
    authorizationError: socket.authorizationError,
    alpnProtocol: socket.alpnProtocol,
    servername: socket.servername,
    encrypted: socket.encrypted,
    protocol: tell(() => socket.getProtocol()),
    cipher: tell(() => socket.getCipher()),
    ephemeralKey: tell(() => withoutGroup(socket.getEphemeralKeyInfo())),
    sharedSigalgs: tell(() => socket.getSharedSigalgs()),
    peerCertificate: tell(() => plain(socket.getPeerCertificate())),
    detailedPeerCertificate: tell(() => plain(socket.getPeerCertificate(true))),
    peerX509Certificate: tell(() => chainOf(socket.getPeerX509Certificate())),
    certificate: tell(() => plain(socket.getCertificate())),
    x509Certificate: tell(() => chainOf(socket.getX509Certificate())),
    isSessionReused: tell(() => socket.isSessionReused()),
    finished: tell(() => size(socket.getFinished())),
    peerFinished: tell(() => size(socket.getPeerFinished())),
  };
}

const EXPORTS: readonly (readonly [number, string, Buffer?])[] = [
  [1, 'EXPERIMENTAL a'],
  [64, 'EXPERIMENTAL b', Buffer.alloc(0)],
  [300, 'EXPERIMENTAL é', Buffer.from('context')],
];
/** What both ends have to agree on. */
const sharedBy = (socket: Socket, isClient: boolean): unknown[] => [
  ...(isClient ? [socket.getFinished(), socket.getPeerFinished()] : [socket.getPeerFinished(), socket.getFinished()]),
  ...EXPORTS.map((args) => tell(() => (socket.exportKeyingMaterial as (...all: unknown[]) => unknown)(...args))),
];

// Node.js takes what the verification of a certificate has left in OpenSSL's queue for the reason of its refusal.
const SOMEBODY_ELSES = ['ERR_SSL_EVP_LIB', 'ERR_SSL_INVALID_CERTIFICATE', 'ERR_SSL_PROVIDER_SIGNATURE_FAILURE'];
const isSomebodyElses = (error: unknown): boolean => SOMEBODY_ELSES.includes(String(error));

interface Side {
  told?: Told | undefined;
  sessionParts?: unknown;
  ticket?: unknown;
  error?: unknown;
  afterwards?: Told | undefined;
}
interface Outcome {
  readonly client: Side;
  readonly server: Side;
  readonly session: Buffer | undefined;
}

function watch(socket: Socket, side: Side): Promise<void> {
  socket.on('error', (error: Error & { code?: string }) => {
    side.error ??= error.code ?? error.message;
  });
  return new Promise((resolve) => {
    socket.once('close', () => {
      // After an error, Node.js reads memory that it has freed.
      if (side.told !== undefined && side.error === undefined) {
        side.afterwards = {
          ...toldBy(socket),
          session: tell(() => socket.getSession()),
          ticket: tell(() => socket.getTLSTicket()),
        };
      }
      resolve();
    });
  });
}

// A server of TLS 1.3 issues tickets at the end of its handshake, before 'secureConnection' or after it.
function noteSession(socket: Socket, side: Side, isServer: boolean): void {
  const session = socket.getSession();
  side.sessionParts = isServer && socket.getProtocol() === 'TLSv1.3' ? kind(session) : partsOf(session);
  side.ticket = tell(() => kind(socket.getTLSTicket()));
}

/** One connection, from its begin to its end. */
async function connectOnce(
  library: Library,
  options: nodeTls.ConnectionOptions,
  server: nodeTls.Server,
  port: number,
): Promise<Outcome> {
  const client: Side = {};
  const served: Side = {};
  const shared: { client?: unknown[]; server?: unknown[] } = {};
  let session: Buffer | undefined;
  const heard = new Promise<void>((resolve) => {
    server.once('secureConnection', (socket) => {
      served.told = toldBy(socket);
      shared.server = sharedBy(socket, false);
      noteSession(socket, served, true);
      void watch(socket, served).then(resolve);
      socket.end('x'); // the end alone would come before the tickets of node:tls
      socket.resume();
    });
    server.once('tlsClientError', (error: Error & { code?: string }) => {
      served.error = error.code ?? error.message;
      resolve();
    });
  });
  const socket: Socket = library.connect({ host: '127.0.0.1', port, ...options });
  const left = watch(socket, client);
  socket.once('secureConnect', () => {
    client.told = toldBy(socket);
    shared.client = sharedBy(socket, true);
  });
  socket.resume();
  // The tickets of TLS 1.3 have come by then.
  socket.once('end', () => {
    session = socket.getSession();
    noteSession(socket, client, false);
  });
  await Promise.all([left, heard]);
  server.removeAllListeners('secureConnection').removeAllListeners('tlsClientError');
  if (shared.client !== undefined && shared.server !== undefined) expect(shared.client).toEqual(shared.server);
  if (served.told === undefined) {
    // A server of TLS 1.3 has refused the client's certificate, before or after the first tickets.
    delete client.sessionParts;
    delete client.ticket;
  }
  return { client, server: served, session };
}

// Who refuses the other one's certificate may do so before that one has the last message of the handshake, or after it.
const refuses = ({ told, error }: Side): boolean =>
  told === undefined && (!String(error).startsWith('ERR_SSL_') || isSomebodyElses(error));

// Node.js calls a client authorized that has shown no certificate and resumes a session of TLS 1.3. We do not.
function withoutAuthorization(side: Side): Side {
  const cut = (told: Told | undefined): Told | undefined =>
    told && { ...told, authorized: undefined, authorizationError: undefined };
  return { ...side, told: cut(side.told), afterwards: cut(side.afterwards) };
}

// Servers of Node.js 24 show no issuer that a client has sent.
const showsIssuers = !process.version.startsWith('v24.');
function withoutIssuers(side: Side): Side {
  if (showsIssuers || side.told === undefined) return side;
  const { detailedPeerCertificate: detailed, peerX509Certificate: chain, ...rest } = side.told;
  const told = { ...rest, chain: Array.isArray(chain) ? (chain as unknown[])[0] : chain };
  return { ...side, told: { ...told, detailed: { ...(detailed as object), issuerCertificate: undefined } } };
}

function compare(outcomes: Map<string, Outcome>, isAgain: boolean): void {
  const [[, expected] = [], ...others] = outcomes;
  if (expected === undefined) return;
  const hasCertificate = expected.server.told?.peerX509Certificate !== undefined;
  const served = (side: Side): Side => withoutIssuers(isAgain && !hasCertificate ? withoutAuthorization(side) : side);
  // Those of node:tls do not always agree.
  const errors = [expected.server.error, outcomes.get('ours to node')?.server.error];
  const isKnown = !errors.some(isSomebodyElses);
  for (const [name, { client, server }] of others) {
    if (!refuses(expected.server)) expect({ ...client, name }).toEqual({ ...expected.client, name });
    if (refuses(expected.client)) continue;
    const isNodes = errors.includes(server.error) || (!isKnown && server.error !== undefined);
    const error = isNodes ? expected.server.error : server.error;
    expect({ ...served(server), error, name }).toEqual({ ...served(expected.server), name });
  }
}

type Servers = Record<Kind, readonly [nodeTls.Server, number]>;

async function connectAll(
  each: Case,
  servers: Servers,
  sessions?: Record<Kind, Buffer>,
): Promise<Map<string, Outcome>> {
  const outcomes = new Map<string, Outcome>();
  for (const [client, server] of PAIRS) {
    const options = clientOptions(each);
    const session = sessions?.[server];
    if (session !== undefined) options.session = session;
    outcomes.set(`${client} to ${server}`, await connectOnce(LIBRARIES[client], options, ...servers[server]));
  }
  return outcomes;
}

const refusalOf = (library: Library, options: nodeTls.SecureContextOptions): unknown => {
  try {
    library.createSecureContext(options);
  } catch (error) {
    return (error as { code?: string }).code ?? (error as Error).message;
  }
  return undefined;
};

async function judge(each: Case): Promise<void> {
  for (const options of [serverOptions(each), clientOptions(each)] as nodeTls.SecureContextOptions[]) {
    const refusal = refusalOf(node, options);
    expect(refusalOf(LIBRARIES.ours, options)).toBe(refusal);
    if (refusal !== undefined) return;
  }
  const nodes = node.createServer(serverOptions(each));
  const own = ours.createServer({ ...serverOptions(each), ...each.place });
  const servers = { node: [nodes, await listen(nodes)], ours: [own, await listen(own)] } as const;
  try {
    const outcomes = await connectAll(each, servers);
    compare(outcomes, false);
    const [ofNode, ofOurs] = (['node', 'ours'] as const).map(
      (server) => outcomes.get(`${each.sessionOf} to ${server}`)?.session,
    );
    if (ofNode !== undefined && ofOurs !== undefined) {
      const again = await connectAll(each, servers, { node: ofNode, ours: ofOurs });
      compare(again, true);
    }
  } finally {
    await Promise.all([close(nodes), close(own)]);
  }
}

async function play(seed: number): Promise<void> {
  process.stdout.write(`tls-introspection: seed ${String(seed)}\n`);
  await fc.assert(fc.asyncProperty(randomCase, judge), { seed, numRuns: RUNS, interruptAfterTimeLimit: 100_000 });
}

describe('connections with random certificates and parameters', () => {
  test('with a seed that never changes', () => play(FIXED_SEED), 120_000);
  test('with a new seed', () => play(RANDOM_SEED), 120_000);
});
