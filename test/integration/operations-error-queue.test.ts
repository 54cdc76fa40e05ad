// OpenSSL's error queue is the thread's, and node:crypto's too: every function leaves it as it was, on good and on bad
// input.
import * as crypto from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import * as library from '../../lib';
import { device } from '../support/device';
import { PRIVATE_KEYS } from '../support/keys';
import { turn } from '../support/library';

const MESSAGE = Buffer.from('the message');
const IV = Buffer.alloc(12);
const SECRET = Buffer.alloc(32, 1);
const pairOf = (pem: string): { privateKey: crypto.KeyObject; publicKey: crypto.KeyObject } => {
  const privateKey = crypto.createPrivateKey(pem);
  return { privateKey, publicKey: crypto.createPublicKey(privateKey) };
};
const rsa = pairOf(PRIVATE_KEYS.rsa1024);
const ec = pairOf(PRIVATE_KEYS.p256);
const secp = pairOf(PRIVATE_KEYS.secp256k1);
const ed25519 = pairOf(PRIVATE_KEYS.ed25519);
const x25519 = pairOf(PRIVATE_KEYS.x25519);
const dsa = pairOf(PRIVATE_KEYS.dsa);
const jwk = ec.privateKey.export({ format: 'jwk' });
const signature = crypto.sign('sha256', MESSAGE, ec.privateKey);
const pem = ec.privateKey.export({ format: 'pem', type: 'pkcs8' }) as string;
const publicPem = ec.publicKey.export({ format: 'pem', type: 'spki' }) as string;
const encrypted = ec.privateKey.export({ format: 'pem', type: 'pkcs8', cipher: 'aes-128-cbc', passphrase: 'right' });
const pkcs8 = ed25519.privateKey.export({ format: 'der', type: 'pkcs8' });

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'error-queue-'));
const file = (name: string, content: string | Buffer): string => {
  const target = path.join(folder, name);
  fs.writeFileSync(target, content);
  return target;
};
afterAll(() => {
  fs.rmSync(folder, { recursive: true });
});

const { sign, verify, hash, hmac, hkdf, pbkdf2, scrypt, encrypt, decrypt, generateKeyPair } = library;
const { publicEncrypt, privateDecrypt, privateEncrypt, publicDecrypt, diffieHellman } = library;
const { createPrivateKey, createPublicKey, loadProvider, listProviders, loadEngine } = library;

// Of every kind of key that can be read, and of none.
const keys: [name: string, key: unknown][] = [
  ['RSA', rsa.privateKey],
  ['P-256', ec.privateKey],
  ['public P-256', ec.publicKey],
  ['secp256k1', secp.privateKey],
  ['Ed25519', ed25519.privateKey],
  ['X25519', x25519.privateKey],
  ['DSA', dsa.privateKey],
  ['PEM', pem],
  ['PEM of a public key', publicPem],
  ['PEM cut short', pem.slice(0, 120)],
  ['PEM that is damaged', pem.replace(/[a-z]/, 'A').replace(/\d/g, '7')],
  ['text', 'text'],
  ['nothing', ''],
  ['an encrypted one', { key: encrypted, passphrase: 'right' }],
  ['an encrypted one, and a wrong passphrase', { key: encrypted, passphrase: 'wrong' }],
  ['an encrypted one, and no passphrase', { key: encrypted }],
  ['DER', { key: pkcs8, format: 'der', type: 'pkcs8' }],
  ['DER with bytes behind it', { key: Buffer.concat([pkcs8, Buffer.of(0x30)]), format: 'der', type: 'pkcs8' }],
  ['DER of another type', { key: pkcs8, format: 'der', type: 'sec1' }],
  ['DER of a public key', { key: pkcs8, format: 'der', type: 'spki' }],
  ['a JSON Web Key', { key: jwk, format: 'jwk' }],
  ['a JSON Web Key whose number is too long', { key: { ...jwk, d: `${jwk.d ?? ''}${jwk.d ?? ''}` }, format: 'jwk' }],
  ['a JSON Web Key that is no point', { key: { ...jwk, x: jwk.y }, format: 'jwk' }],
  ['a JSON Web Key of RSA, damaged', { key: { ...rsa.privateKey.export({ format: 'jwk' }), d: 'AA' }, format: 'jwk' }],
];

type Call = () => unknown;
const withKey = (name: string, call: (key: never) => unknown): [string, Call][] =>
  keys.map(([title, key]) => [`${name}: ${title}`, () => call(key as never)]);

const calls: [name: string, call: Call][] = [
  ...withKey('createPrivateKey', (key) => createPrivateKey(key)),
  ...withKey('createPublicKey', (key) => createPublicKey(key)),
  ...withKey('sign', (key) => sign('sha256', MESSAGE, key)),
  ...withKey('verify', (key) => verify('sha256', MESSAGE, key, signature)),
  ...withKey('publicEncrypt', (key) => publicEncrypt(key, MESSAGE)),
  ...withKey('privateDecrypt', (key) => privateDecrypt(key, MESSAGE)),
  ...withKey('diffieHellman', (key) => diffieHellman({ privateKey: key, publicKey: key })),
  ...withKey('sign with the accelerator', (key) => sign('sha256', MESSAGE, key, { provider: 'accelerator' })),
  ...withKey('sign with a query', (key) => sign('sha256', MESSAGE, key, { properties: 'nosuch=property' })),
  ...withKey('the details of a key', (key) => {
    const read = createPrivateKey(key);
    return [
      read.asymmetricKeyType,
      read.asymmetricKeyDetails,
      read.equals(read),
      read.export({ format: 'der', type: 'pkcs8' }),
    ];
  }),
  ['sign with an unknown digest', () => sign('nonsense', MESSAGE, ec.privateKey)],
  ['sign with a padding that is none', () => sign('sha256', MESSAGE, { key: rsa.privateKey, padding: 99 })],
  ['privateEncrypt', () => privateEncrypt(rsa.privateKey, Buffer.alloc(1000))],
  ['publicDecrypt', () => publicDecrypt(rsa.publicKey, Buffer.alloc(128))],
  ['hash', () => hash('sha256', MESSAGE)],
  ['hash, unknown', () => hash('nonsense', MESSAGE)],
  ['hash, that no provider has', () => hash('md4', MESSAGE)],
  ['createHash', () => library.createHash('sha256').update(MESSAGE).digest()],
  ['createHash, unknown', () => library.createHash('nonsense')],
  ['createHash, of a length that it has not', () => library.createHash('sha256', { outputLength: 3 })],
  ['hmac', () => hmac('sha256', SECRET, MESSAGE)],
  ['hmac, unknown', () => hmac('nonsense', SECRET, MESSAGE)],
  ['hkdf', () => hkdf('sha256', SECRET, '', '', 32)],
  ['hkdf, unknown', () => hkdf('nonsense', SECRET, '', '', 32)],
  ['hkdf, too long', () => hkdf('sha256', SECRET, '', '', 255 * 32 + 1)],
  ['pbkdf2', () => pbkdf2('secret', 'salt', 1, 32, 'sha256')],
  ['pbkdf2, unknown', () => pbkdf2('secret', 'salt', 1, 32, 'nonsense')],
  ['scrypt', () => scrypt('secret', 'salt', 32, { N: 16 })],
  ['scrypt, with too much memory', () => scrypt('secret', 'salt', 32, { N: 2 ** 20, maxmem: 1024 })],
  ['scrypt, with options that exclude each other', () => scrypt('secret', 'salt', 32, { N: 16, cost: 16 })],
  ['encrypt', () => encrypt('aes-256-gcm', SECRET, IV, MESSAGE)],
  ['encrypt, unknown', () => encrypt('nonsense', SECRET, IV, MESSAGE)],
  ['encrypt, a key too short', () => encrypt('aes-256-gcm', Buffer.alloc(3), IV, MESSAGE)],
  ['decrypt, forged', () => decrypt('aes-256-gcm', SECRET, IV, MESSAGE, { authTag: Buffer.alloc(16) })],
  ['decrypt, padding', () => decrypt('aes-256-cbc', SECRET, Buffer.alloc(16), Buffer.alloc(32))],
  ['createCipheriv', () => library.createCipheriv('aes-256-gcm', SECRET, IV).final()],
  ['createCipheriv, unknown', () => library.createCipheriv('nonsense', SECRET, IV)],
  ['createDecipheriv, without a tag', () => library.createDecipheriv('aes-256-gcm', SECRET, IV).final()],
  ['encapsulate', () => library.encapsulate(rsa.publicKey)],
  ['encapsulate, with a key that cannot', () => library.encapsulate(ed25519.publicKey)],
  ['decapsulate, forged', () => library.decapsulate(rsa.privateKey, Buffer.alloc(3))],
  ['diffieHellman', () => diffieHellman(x25519)],
  ['diffieHellman, other curves', () => diffieHellman({ privateKey: ec.privateKey, publicKey: secp.publicKey })],
  ['generateKeyPair of EC', () => generateKeyPair('ec', { namedCurve: 'P-256' })],
  ['generateKeyPair of no curve', () => generateKeyPair('ec', { namedCurve: 'nonsense' })],
  ['generateKeyPair of RSA', () => generateKeyPair('rsa', { modulusLength: 512 })],
  ['generateKeyPair of RSA, too short', () => generateKeyPair('rsa', { modulusLength: 3 })],
  [
    'generateKeyPair, encoded',
    () =>
      generateKeyPair('ec', {
        namedCurve: 'P-256',
        publicKeyEncoding: { format: 'jwk' },
        privateKeyEncoding: { format: 'pem', type: 'sec1', cipher: 'aes-128-cbc', passphrase: 'secret' },
      }),
  ],
  [
    'generateKeyPair, encrypted with no cipher',
    () =>
      generateKeyPair('rsa', {
        modulusLength: 512,
        publicKeyEncoding: { format: 'jwk' },
        privateKeyEncoding: { format: 'pem', type: 'pkcs8', cipher: 'nonsense', passphrase: 'secret' },
      }),
  ],
  ['generateKeyPair, mode inline', () => generateKeyPair('x25519', undefined, { mode: 'inline' })],
  ['randomBytes', () => library.randomBytes(8)],
  ['randomBytes of a provider', () => library.randomBytes(8, { provider: 'accelerator' })],
  ['randomBytes of a query', () => library.randomBytes(8, { properties: 'nosuch=property' })],
  ['randomFill', () => library.randomFill(Buffer.alloc(8))],
  ['a key in a file', () => createPrivateKey({ uri: file('key.pem', pem) })],
  ['a key in no file', () => createPrivateKey({ uri: path.join(folder, 'none') })],
  ['a key in a file of something else', () => createPublicKey({ uri: file('text', 'text') })],
  ['a key without its passphrase', () => createPrivateKey({ uri: file('encrypted.pem', encrypted) })],
  ['a key of no store', () => createPrivateKey({ uri: 'nonsense:key' })],
  ['a provider', async () => (await loadProvider('legacy')).unload()],
  ['a provider that is none', () => loadProvider('nonsense')],
  ['a provider of no file', () => loadProvider('legacy', { path: path.join(folder, 'none') })],
  ['a provider of a bad file', () => loadProvider('legacy', { path: file('text.so', 'text') })],
  ['a configuration that is none', () => loadProvider('legacy', { config: file('bad.cnf', '[unclosed\n') })],
  ['a provider that is not loaded', () => hash('sha256', MESSAGE, { provider: 'nonsense' })],
  ['listProviders', () => listProviders({ selfTest: true })],
  ['an engine that is none', () => loadEngine('nonsense')],
  ['listEngines', () => library.listEngines()],
  ['stats', () => library.stats()],
  ['initThread, twice', () => [0, 1].map(() => library.initThread({ maxSize: 8, initSize: 0 }))],
  ['startJob', () => startAndFinish()],
  [
    'runJob',
    () =>
      library.runJob(
        library.jobFunction(function* (job) {
          yield job.pause();
          return 1;
        }),
      ),
  ],
  [
    'a job that leaves errors',
    () => library.runJob(library.nativeJobFunction(device.functions.raiseErrors), { args: Buffer.alloc(8) }),
  ],
  ['a wait context', () => new library.WaitContext().close()],
  ['a remote key', () => remoteSignature((request) => crypto.sign(null, request.data as Buffer, ed25519.privateKey))],
  ['a remote key that fails', () => remoteSignature(() => Promise.reject(new Error('no')))],
];

function startAndFinish(): unknown {
  using context = new library.WaitContext();
  return library.startJob(
    null,
    context,
    library.jobFunction(function* () {
      return 1;
    }),
  );
}

function remoteSignature(answer: (request: { data?: Uint8Array }) => unknown): Promise<unknown> {
  const key = library.createRemoteKey({ publicKey: ed25519.publicKey, sign: answer } as never);
  return sign(null, MESSAGE, key);
}

const REASON = 777;
const MARK = [expect.stringContaining('reason(777)')];

describe.each(calls)('%s', (_name, call) => {
  test.each([
    ['an empty queue', () => undefined, []],
    [
      'a queue with an error',
      () => {
        device.leaveError(REASON);
      },
      MARK,
    ],
  ])('leaves %s as it was', async (_title, prepare, expected) => {
    device.takeErrors();
    prepare();
    let result: unknown;
    let errors: string[];
    try {
      result = call();
    } catch {
      // It is the queue that counts.
    } finally {
      errors = device.takeErrors();
    }
    expect(errors).toEqual(expected);
    await Promise.resolve(result).catch(() => undefined);
    expect(device.takeErrors()).toEqual([]);
    await turn();
    expect(device.takeErrors()).toEqual([]);
  });
});
