// What the tests of symmetric operations have in common.
import {
  createCipheriv,
  createDecipheriv,
  getCipherInfo,
  getCiphers,
  type CipherGCM,
  type CipherGCMTypes,
  type DecipherGCM,
} from 'node:crypto';
import type { OperationOptions } from '../../../lib';

/** Where an operation runs: software asked for by a query that names its provider runs in a job. */
export const PLACES: readonly (readonly [place: string, options: OperationOptions])[] = [
  ['auto', {}],
  ['inline', { mode: 'inline' }],
  ['pool', { mode: 'offload' }],
  ['job', { properties: 'provider=default' }],
];

export interface CipherCase {
  algorithm: string;
  keyLength: number;
  ivLength: number;
  authenticates: boolean;
  /** Bytes that a message has to have a multiple of, how many at least, and how many do not take long. */
  unit: number;
  least: number;
  most: number;
}

/** All of `names` in the first place, and every seventh in the others, which differ in nothing else. */
export function sampled<T>(place: string, names: readonly T[]): readonly T[] {
  return place === 'auto' ? names : names.filter((_, index) => index % 7 === 0);
}

/** The ciphers that this OpenSSL can use without further providers, and whose result is no matter of chance. */
export function usableCiphers(): CipherCase[] {
  return getCiphers()
    .filter((algorithm) => !/-(?:siv|cts)$/i.test(algorithm)) // not offered: see cipher-names.ts
    .map(caseOf)
    .filter((cipher) => {
      const key = Buffer.alloc(cipher.keyLength, 'a key, and halves that differ');
      try {
        createCipheriv(named(cipher), key, ivOf(cipher), tagOptions(cipher));
        return !/des.*wrap/i.test(cipher.algorithm);
      } catch {
        return false;
      }
    });
}

export function caseOf(algorithm: string): CipherCase {
  const {
    mode,
    keyLength,
    ivLength = 0,
    blockSize = 1,
  } = getCipherInfo(algorithm) as {
    mode: string;
    keyLength: number;
    ivLength?: number;
    blockSize?: number;
  };
  const authenticates = ['gcm', 'ccm', 'ocb'].includes(mode) || /poly1305/i.test(algorithm);
  const unit = mode === 'wrap' && !/pad/i.test(algorithm) ? 8 : blockSize > 1 && /hmac/i.test(algorithm) ? 16 : 1;
  const least = mode === 'wrap' ? 16 : mode === 'xts' ? 16 : 0;
  const most = mode === 'wrap' || /cfb1$/i.test(algorithm) ? 1000 : Infinity;
  return { algorithm, keyLength, ivLength, authenticates, unit, least, most };
}

// The types of node:crypto know the options of few algorithms.
function named({ algorithm }: CipherCase): CipherGCMTypes {
  return algorithm as CipherGCMTypes;
}

export function ivOf({ ivLength }: CipherCase): Buffer {
  return Buffer.alloc(ivLength, 'nonce');
}

export function tagOptions({ authenticates }: CipherCase): { authTagLength: number } | undefined {
  return authenticates ? { authTagLength: 16 } : undefined;
}

/** What node:crypto makes of a message. */
export function nodeEncrypt(
  cipherCase: CipherCase,
  key: Buffer,
  iv: Buffer,
  message: Buffer,
  aad: Buffer,
): { data: Buffer; authTag: Buffer | undefined } {
  const cipher: CipherGCM = createCipheriv(named(cipherCase), key, iv, tagOptions(cipherCase));
  if (cipherCase.authenticates) cipher.setAAD(aad, { plaintextLength: message.length });
  const data = Buffer.concat([cipher.update(message), cipher.final()]);
  return { data, authTag: cipherCase.authenticates ? cipher.getAuthTag() : undefined };
}

/** What node:crypto makes of a ciphertext. */
export function nodeDecrypt(
  cipherCase: CipherCase,
  key: Buffer,
  iv: Buffer,
  data: Buffer,
  aad: Buffer,
  authTag: Buffer | undefined,
): Buffer {
  const decipher: DecipherGCM = createDecipheriv(named(cipherCase), key, iv, tagOptions(cipherCase));
  if (authTag !== undefined) decipher.setAuthTag(authTag).setAAD(aad, { plaintextLength: data.length });
  return Buffer.concat([decipher.update(data), decipher.final()]);
}

/** The same bytes in each of the ways that they can be passed. */
export function formsOf(
  bytes: Buffer,
): [form: string, value: Buffer | ArrayBuffer | SharedArrayBuffer | DataView | Uint16Array][] {
  const copy = Uint8Array.from(bytes);
  const shared = new SharedArrayBuffer(bytes.length);
  new Uint8Array(shared).set(bytes);
  return [
    ['Buffer', bytes],
    ['ArrayBuffer', copy.buffer],
    ['SharedArrayBuffer', shared],
    ['DataView', new DataView(copy.buffer)],
    ['Uint16Array', new Uint16Array(copy.buffer)],
    ['view of a SharedArrayBuffer', Buffer.from(shared)],
  ];
}

/** As toEqual(), which takes long for many bytes. */
export function expectBytes(actual: Buffer, expected: Buffer): void {
  if (!actual.equals(expected)) expect(actual.toString('hex')).toBe(expected.toString('hex'));
}
