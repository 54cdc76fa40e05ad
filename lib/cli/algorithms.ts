// The algorithms of `speed`: the library's operations, under their names in `openssl speed`. Each is done by
// `node:crypto` on the event loop, by Node.js on its thread pool, and by this library.
import * as crypto from 'node:crypto';
import * as library from '../index';
import type { Implementation } from './implementation';

/** A call that gives its result at once, later, or to a callback. */
export type Way =
  | { kind: 'sync'; what: string; run: () => unknown }
  | { kind: 'promise'; what: string; run: () => Promise<unknown> }
  | { kind: 'callback'; what: string; run: (done: (error: Error | null, result?: unknown) => void) => void };

export interface Operation {
  sync: Way;
  /** Undefined where Node.js has no such form. */
  threadpool: Way | undefined;
  async: Way;
  isRight(result: unknown): boolean;
}

export interface Algorithm {
  /** The operation's name in the results. */
  operation: string;
  /** Whether it works on messages of `--bytes`. */
  sized: boolean;
  prepare(bytes: number, implementation: Implementation): Operation | Promise<Operation>;
}

const MESSAGE_BYTES = 64;
const PBKDF2_ITERATIONS = 1000;
const { subtle } = crypto.webcrypto;

type Done<T> = (error: Error | null, result?: T) => void;

const sync = (what: string, run: () => unknown): Way => ({ kind: 'sync', what, run });
const promise = (what: string, run: () => Promise<unknown>): Way => ({ kind: 'promise', what, run });
const callback = (what: string, run: (done: Done<unknown>) => void): Way => ({ kind: 'callback', what, run });

const plain = (operation: string, prepare: Algorithm['prepare']): Algorithm => ({ operation, sized: false, prepare });
const sized = (operation: string, prepare: Algorithm['prepare']): Algorithm => ({ operation, sized: true, prepare });

type KeyType = [type: string, options?: Record<string, unknown>];

function newKeyPair([type, options]: KeyType): crypto.KeyPairKeyObjectResult {
  // The key types depend on OpenSSL; the TypeScript type lacks newer ones.
  return crypto.generateKeyPairSync(type as 'ec', (options ?? {}) as unknown as crypto.ECKeyPairKeyObjectOptions);
}

// --- Signatures

function signing(keyType: KeyType, digest: string | null): Algorithm {
  return plain('sign', (_, { options, bindKey }) => {
    const { privateKey, publicKey } = newKeyPair(keyType);
    const key = bindKey(privateKey);
    const data = crypto.randomBytes(MESSAGE_BYTES);
    return {
      sync: sync('crypto.sign()', () => crypto.sign(digest, data, privateKey)),
      threadpool: callback('crypto.sign(…, callback)', (done) => {
        crypto.sign(digest, data, privateKey, done);
      }),
      async: promise('sign()', () => library.sign(digest, data, key, options)),
      isRight: (result) => crypto.verify(digest, data, publicKey, result as Buffer),
    };
  });
}

function verifying(keyType: KeyType, digest: string | null): Algorithm {
  return plain('verify', (_, { options }) => {
    const { privateKey, publicKey } = newKeyPair(keyType);
    const data = crypto.randomBytes(MESSAGE_BYTES);
    const signature = crypto.sign(digest, data, privateKey);
    return {
      sync: sync('crypto.verify()', () => crypto.verify(digest, data, publicKey, signature)),
      threadpool: callback('crypto.verify(…, callback)', (done) => {
        crypto.verify(digest, data, publicKey, signature, done);
      }),
      async: promise('verify()', () => library.verify(digest, data, publicKey, signature, options)),
      isRight: (result) => result === true,
    };
  });
}

// --- Key agreement and encapsulation

type DiffieHellman = (keys: library.DiffieHellmanKeys, done: Done<Buffer>) => void;

function agreement(keyType: KeyType, webCrypto: Record<string, string>): Algorithm {
  return plain('diffieHellman', async (_, { options, bindKey }) => {
    const { privateKey } = newKeyPair(keyType);
    const { publicKey } = newKeyPair(keyType);
    const keys = { privateKey, publicKey };
    const ours = { privateKey: bindKey(privateKey), publicKey };
    const expected = crypto.diffieHellman(keys);
    // Only newer versions take a callback.
    const onPool = crypto.diffieHellman.length > 1 ? (crypto.diffieHellman as unknown as DiffieHellman) : undefined;
    return {
      sync: sync('crypto.diffieHellman()', () => crypto.diffieHellman(keys)),
      threadpool:
        onPool === undefined
          ? await deriveBits(webCrypto, privateKey, publicKey, 8 * expected.length)
          : callback('crypto.diffieHellman(…, callback)', (done) => {
              onPool(keys, done);
            }),
      async: promise('diffieHellman()', () => library.diffieHellman(ours, options)),
      isRight: (result) => expected.equals(bytesOf(result)),
    };
  });
}

async function deriveBits(
  algorithm: Record<string, string>,
  privateKey: crypto.KeyObject,
  publicKey: crypto.KeyObject,
  bits: number,
): Promise<Way> {
  const named = algorithm as unknown as { name: string };
  const imported = (key: crypto.KeyObject, usages: crypto.webcrypto.KeyUsage[]): Promise<crypto.webcrypto.CryptoKey> =>
    subtle.importKey('jwk', key.export({ format: 'jwk' }) as crypto.webcrypto.JsonWebKey, named, false, usages);
  const [own, peer] = await Promise.all([imported(privateKey, ['deriveBits']), imported(publicKey, [])]);
  return promise('subtle.deriveBits()', () => subtle.deriveBits({ name: named.name, public: peer }, own, bits));
}

interface Encapsulating {
  encapsulate(key: crypto.KeyObject): { ciphertext: Buffer };
  decapsulate(key: crypto.KeyObject, ciphertext: Buffer): Buffer;
  decapsulate(key: crypto.KeyObject, ciphertext: Buffer, done: Done<Buffer>): void;
}

function decapsulation(keyType: KeyType): Algorithm {
  return plain('decapsulate', (_, { options, bindKey }) => {
    const { privateKey, publicKey } = newKeyPair(keyType);
    // `encapsulate` is present wherever such keys are.
    const node = crypto as unknown as Encapsulating;
    const { ciphertext } = node.encapsulate(publicKey);
    const expected = node.decapsulate(privateKey, ciphertext);
    const key = bindKey(privateKey);
    return {
      sync: sync('crypto.decapsulate()', () => node.decapsulate(privateKey, ciphertext)),
      threadpool: callback('crypto.decapsulate(…, callback)', (done) => {
        node.decapsulate(privateKey, ciphertext, done);
      }),
      async: promise('decapsulate()', () => library.decapsulate(key, ciphertext, options)),
      isRight: (result) => expected.equals(bytesOf(result)),
    };
  });
}

// --- Digests, ciphers, key derivation

function hashing(digest: string, webCrypto: string): Algorithm {
  return sized('hash', (bytes, { options }) => {
    const data = crypto.randomBytes(bytes);
    const once = (): Buffer => crypto.createHash(digest).update(data).digest();
    return {
      sync: sync('crypto.createHash()', once),
      threadpool: promise('subtle.digest()', () => subtle.digest(webCrypto, data)),
      async: promise('hash()', () => library.hash(digest, data, options)),
      isRight: (result) => once().equals(bytesOf(result)),
    };
  });
}

function authenticating(digest: string, webCrypto: string): Algorithm {
  return sized('hmac', async (bytes, { options }) => {
    const data = crypto.randomBytes(bytes);
    const secret = crypto.randomBytes(32);
    const key = crypto.createSecretKey(secret);
    const cryptoKey = await subtle.importKey('raw', secret, { name: 'HMAC', hash: webCrypto }, false, ['sign']);
    const once = (): Buffer => crypto.createHmac(digest, key).update(data).digest();
    return {
      sync: sync('crypto.createHmac()', once),
      threadpool: promise('subtle.sign()', () => subtle.sign('HMAC', cryptoKey, data)),
      async: promise('hmac()', () => library.hmac(digest, key, data, options)),
      isRight: (result) => once().equals(bytesOf(result)),
    };
  });
}

function encrypting(name: crypto.CipherGCMTypes | 'chacha20-poly1305', keyBytes: number): Algorithm {
  return sized('encrypt', async (bytes, { options }) => {
    const data = crypto.randomBytes(bytes);
    const secret = crypto.randomBytes(keyBytes);
    const iv = crypto.randomBytes(12);
    const key = crypto.createSecretKey(secret);
    const once = (): Buffer[] => {
      const cipher = crypto.createCipheriv(name as crypto.CipherGCMTypes, key, iv);
      return [cipher.update(data), cipher.final(), cipher.getAuthTag()];
    };
    const expected = Buffer.concat(once());
    return {
      sync: sync('crypto.createCipheriv()', once),
      threadpool: name.endsWith('-gcm') ? await subtleEncrypt(secret, iv, data) : undefined,
      async: promise('encrypt()', () => library.encrypt(name, key, iv, data, options)),
      isRight: (result) => expected.equals(ciphertextOf(result)),
    };
  });
}

async function subtleEncrypt(secret: Buffer, iv: Buffer, data: Buffer): Promise<Way> {
  const key = await subtle.importKey('raw', secret, 'AES-GCM', false, ['encrypt']);
  return promise('subtle.encrypt()', () => subtle.encrypt({ name: 'AES-GCM', iv }, key, data));
}

// The tag stands behind the ciphertext in WebCrypto, and beside it here.
function ciphertextOf(result: unknown): Buffer {
  if (Array.isArray(result)) return Buffer.concat(result as Buffer[]);
  if (typeof result !== 'object' || result === null || !('authTag' in result)) return bytesOf(result);
  const { data, authTag } = result as { data: Buffer; authTag: Buffer };
  return Buffer.concat([data, authTag]);
}

function deriving(digest: string): Algorithm {
  return plain('pbkdf2', (_, { options }) => {
    const args = ['password', crypto.randomBytes(16), PBKDF2_ITERATIONS, 32, digest] as const;
    const expected = crypto.pbkdf2Sync(...args);
    return {
      sync: sync('crypto.pbkdf2Sync()', () => crypto.pbkdf2Sync(...args)),
      threadpool: callback('crypto.pbkdf2()', (done) => {
        crypto.pbkdf2(...args, done);
      }),
      async: promise('pbkdf2()', () => library.pbkdf2(...args, options)),
      isRight: (result) => expected.equals(bytesOf(result)),
    };
  });
}

function bytesOf(result: unknown): Buffer {
  return Buffer.isBuffer(result) ? result : Buffer.from(result as ArrayBuffer);
}

// --- The table

const SIGNATURES: [name: string, keyType: KeyType, digest: string | null][] = [
  ['rsa2048', ['rsa', { modulusLength: 2048 }], 'sha256'],
  ['rsa3072', ['rsa', { modulusLength: 3072 }], 'sha256'],
  ['rsa4096', ['rsa', { modulusLength: 4096 }], 'sha256'],
  ['ecdsap256', ['ec', { namedCurve: 'P-256' }], 'sha256'],
  ['ecdsap384', ['ec', { namedCurve: 'P-384' }], 'sha384'],
  ['ecdsap521', ['ec', { namedCurve: 'P-521' }], 'sha512'],
  ['ed25519', ['ed25519'], null],
  ['ed448', ['ed448'], null],
  ['ml-dsa-65', ['ml-dsa-65'], null],
];

/** By name. */
export const ALGORITHMS: ReadonlyMap<string, Algorithm> = new Map([
  ...SIGNATURES.map(([name, keyType, digest]) => [name, signing(keyType, digest)] as const),
  ...SIGNATURES.map(([name, keyType, digest]) => [`${name}-verify`, verifying(keyType, digest)] as const),
  ['ecdhp256', agreement(['ec', { namedCurve: 'P-256' }], { name: 'ECDH', namedCurve: 'P-256' })],
  ['ecdhp384', agreement(['ec', { namedCurve: 'P-384' }], { name: 'ECDH', namedCurve: 'P-384' })],
  ['ecdhp521', agreement(['ec', { namedCurve: 'P-521' }], { name: 'ECDH', namedCurve: 'P-521' })],
  ['ecdhx25519', agreement(['x25519'], { name: 'X25519' })],
  ['ml-kem-768', decapsulation(['ml-kem-768'])],
  ['sha256', hashing('sha256', 'SHA-256')],
  ['sha512', hashing('sha512', 'SHA-512')],
  ['hmac-sha256', authenticating('sha256', 'SHA-256')],
  ['aes-128-gcm', encrypting('aes-128-gcm', 16)],
  ['aes-256-gcm', encrypting('aes-256-gcm', 32)],
  ['chacha20-poly1305', encrypting('chacha20-poly1305', 32)],
  ['pbkdf2-sha256', deriving('sha256')],
]);

/** Other names for some algorithms. */
export const ALIASES: ReadonlyMap<string, string> = new Map([
  ['x25519', 'ecdhx25519'],
  ['hmac', 'hmac-sha256'],
  ['pbkdf2', 'pbkdf2-sha256'],
]);

/** The algorithms that are measured by default. */
export const DEFAULT_ALGORITHMS = ['rsa2048', 'ecdsap256', 'ed25519', 'ecdhx25519', 'sha256', 'aes-256-gcm'];
