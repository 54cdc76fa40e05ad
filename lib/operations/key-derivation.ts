// Keys from passwords and from other keys.
import { kMaxLength } from 'node:buffer';
import { scryptSync, type KeyObject, type webcrypto } from 'node:crypto';
import { nodeError, outOfRange } from '../base/errors';
import {
  Family,
  hkdfInputs,
  keyDerivationNames,
  passwordInputs,
  pbkdf2Numbers,
  scryptNumbers,
} from '../native/contract/tables';
import { isolateErrors } from '../native/error-queue';
import { validateInteger, validateString } from '../base/validators';
import { sizeOf, toInput, type BinaryLike } from '../base/bytes';
import { attempt, call, type CallResult, type Spec } from './call';
import { readOperationOptions, type OperationOptions } from './operation-options';
import { secretBytes } from './secret-key';
import { digestName } from './digest-names';
import { specFor, SpecTable } from './spec';

const MOST_INT32 = 2 ** 31 - 1;
const MOST_UINT32 = 2 ** 32 - 1;
const MOST_INFO_BYTES = 1024;

const specs = new SpecTable();

/**
 * A key from another key, by HKDF (RFC 5869): `crypto.hkdf()` as a promise. Everything passed is copied, or was read,
 * when the function returns.
 *
 * @param digest - for example `'sha256'`
 * @param key - the input keying material, of any length: bytes, or an object of type `'secret'`
 * @param salt - of any length; without one, pass an empty string
 * @param info - what the key is for; at most 1024 bytes
 * @param keylen - bytes of the result: 0 to 255 times those of the digest
 * @returns the derived key, as `crypto.hkdf()` gives it: an ArrayBuffer
 *
 * @throws Everything as a rejection, with the codes of `crypto.hkdf()`: `ERR_CRYPTO_INVALID_DIGEST`,
 * `ERR_CRYPTO_INVALID_KEYLEN`, `ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE`, `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`;
 * `ERR_OSSL_…`; besides what every operation rejects with: `AbortError`, `ERR_ASYNC_TIMEOUT`, `ERR_ASYNC_QUEUE_FULL`,
 * `ERR_ASYNC_UNSUPPORTED`
 *
 * @example
 * ```ts
 * const key = Buffer.from(await hkdf('sha256', await randomBytes(32), 'salt', 'cookies', 64));
 * ```
 */
export function hkdf(
  digest: string,
  key: BinaryLike | KeyObject | webcrypto.CryptoKey,
  salt: BinaryLike,
  info: BinaryLike,
  keylen: number,
  options?: OperationOptions,
): Promise<ArrayBuffer> {
  return attempt(() => {
    validateDigest(digest);
    const secret = secretBytes(key, 'ikm');
    try {
      const label = toInput(info, 'info');
      const inputs = hkdfInputs({ key: secret.bytes, salt: toInput(salt, 'salt'), info: label });
      validateInteger(keylen, 'length', 0, kMaxLength);
      const infoSize = sizeOf(label);
      if (infoSize > MOST_INFO_BYTES) throw outOfRange('info', `at most ${String(MOST_INFO_BYTES)} bytes`, infoSize);
      options = readOperationOptions(options);
      return call(specOf('HKDF', digest, options), inputs, [keylen], options, toArrayBuffer);
    } finally {
      secret.wipe();
    }
  });
}

/**
 * A key from a password, by PBKDF2 with HMAC (RFC 8018): `crypto.pbkdf2()` as a promise. Everything passed is copied,
 * or was read, when the function returns.
 *
 * @param password - of any length
 * @param salt - of any length; 16 random bytes are recommended
 * @param iterations - 1 to 2 147 483 647. The time is proportional to them
 * @param keylen - bytes of the result: 0 to 2 147 483 647. The time grows with each further digest's worth of them
 * @param digest - for example `'sha256'`
 * @returns the derived key, in memory of its own
 *
 * @throws Everything as a rejection, with the codes of `crypto.pbkdf2()`: `ERR_CRYPTO_INVALID_DIGEST`,
 * `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`; `ERR_OSSL_…`; besides what every operation rejects with: `AbortError`,
 * `ERR_ASYNC_TIMEOUT`, `ERR_ASYNC_QUEUE_FULL`, `ERR_ASYNC_UNSUPPORTED`. A call that is aborted after it has begun
 * still runs to its end, and uses a thread until then
 *
 * @example
 * ```ts
 * const key = await pbkdf2('a password', await randomBytes(16), 600_000, 32, 'sha256');
 * ```
 */
export function pbkdf2(
  password: BinaryLike,
  salt: BinaryLike,
  iterations: number,
  keylen: number,
  digest: string,
  options?: OperationOptions,
): Promise<Buffer> {
  return attempt(() => {
    validateDigest(digest);
    const inputs = passwordInputs({ password: toInput(password, 'password'), salt: toInput(salt, 'salt') });
    validateInteger(iterations, 'iterations', 1, MOST_INT32);
    validateInteger(keylen, 'keylen', 0, MOST_INT32);
    options = readOperationOptions(options);
    return call(
      specOf('PBKDF2', digest, options),
      inputs,
      pbkdf2Numbers({ size: keylen, iterations }),
      options,
      secretOutput,
    );
  });
}

/** Options of {@link scrypt}. Each parameter has two names, of which one may be used. */
export interface ScryptOptions extends OperationOptions {
  /** Cost in time and memory: a power of two, 2 to 2³¹. @defaultValue 16 384 */
  cost?: number;
  /** As `cost`. */
  N?: number;
  /** 1 to 2³² − 1. @defaultValue 8 */
  blockSize?: number;
  /** As `blockSize`. */
  r?: number;
  /** 1 to 2³² − 1. @defaultValue 1 */
  parallelization?: number;
  /** As `parallelization`. */
  p?: number;
  /** Most bytes of memory; about 128 × N × r are needed. 0 to 2⁵³ − 1. @defaultValue 33 554 432 */
  maxmem?: number;
}

const SCRYPT_OPTIONS = ['cost', 'N', 'blockSize', 'r', 'parallelization', 'p', 'maxmem'] as const;

/**
 * A key from a password, by scrypt (RFC 7914): `crypto.scrypt()` as a promise. Everything passed is copied, or was
 * read, when the function returns.
 *
 * @param password - of any length
 * @param salt - of any length; 16 random bytes are recommended
 * @param keylen - bytes of the result: 0 to 2 147 483 647
 * @returns the derived key, in memory of its own
 *
 * @throws Everything as a rejection, with the codes of `crypto.scrypt()`: `ERR_CRYPTO_INVALID_SCRYPT_PARAMS` for a cost
 * that is no power of two, or more memory than `maxmem`; `ERR_INCOMPATIBLE_OPTION_PAIR`
 * (`ERR_CRYPTO_SCRYPT_INVALID_PARAMETER` before Node 23) for both names of a parameter; `ERR_INVALID_ARG_TYPE`,
 * `ERR_OUT_OF_RANGE`; besides what every operation rejects with: `AbortError`, `ERR_ASYNC_TIMEOUT`,
 * `ERR_ASYNC_QUEUE_FULL`, `ERR_ASYNC_UNSUPPORTED`
 *
 * @example
 * ```ts
 * const key = await scrypt('a password', await randomBytes(16), 32, { N: 2 ** 17, maxmem: 2 ** 28 });
 * ```
 */
export function scrypt(
  password: BinaryLike,
  salt: BinaryLike,
  keylen: number,
  given?: ScryptOptions | null,
): Promise<Buffer> {
  return attempt(() => {
    const inputs = passwordInputs({ password: toInput(password, 'password'), salt: toInput(salt, 'salt') });
    validateInteger(keylen, 'keylen', 0, MOST_INT32);
    const options = readOperationOptions(given ?? undefined, SCRYPT_OPTIONS);
    return call(specOf('SCRYPT', '', options), inputs, numbersOf(keylen, options), options, secretOutput);
  });
}

function numbersOf(size: number, options: ScryptOptions | undefined): number[] {
  return scryptNumbers({
    size,
    cost: eitherOf(options, 'N', 'cost', 16_384),
    blockSize: eitherOf(options, 'r', 'blockSize', 8),
    parallelization: eitherOf(options, 'p', 'parallelization', 1),
    maxMemory: numberOf(options, 'maxmem', 32 * 1024 * 1024, Number.MAX_SAFE_INTEGER),
  });
}

type ScryptName = (typeof SCRYPT_OPTIONS)[number];

function eitherOf(options: ScryptOptions | undefined, short: ScryptName, long: ScryptName, standard: number): number {
  if (options?.[short] !== undefined && options[long] !== undefined) {
    validateInteger(options[short], short, 0, MOST_UINT32);
    // Node's own error, whose code is not the same in all of its versions.
    isolateErrors(() => scryptSync('', '', 0, { [short]: options[short], [long]: options[long] }));
  }
  return numberOf(options, options?.[short] === undefined ? long : short, standard, MOST_UINT32);
}

/** As `node:crypto`: 0 stands for the default. */
function numberOf(options: ScryptOptions | undefined, name: ScryptName, standard: number, most: number): number {
  const value = options?.[name];
  if (value === undefined) return standard;
  validateInteger(value, name, 0, most);
  return value === 0 ? standard : value;
}

function validateDigest(digest: unknown): asserts digest is string {
  validateString(digest, 'digest');
  // Native code takes an empty name for none.
  if (digest === '') throw nodeError('ERR_CRYPTO_INVALID_DIGEST', 'Invalid digest: ', TypeError);
}

function specOf(name: 'HKDF' | 'PBKDF2' | 'SCRYPT', digest: string, options: OperationOptions | undefined): Spec {
  return specFor(specs, `${name}|${digest}`, options, () => ({
    family: Family.keyDerivation,
    algorithm: `${name} ${digest}`.toLowerCase().trim(),
    names: keyDerivationNames({ function: name, digest: digestName(digest) }),
  }));
}

const secretOutput = (result: CallResult): Buffer => result.output(0);

function toArrayBuffer(result: CallResult): ArrayBuffer {
  const key = result.output(0);
  const { buffer, byteOffset, byteLength } = key;
  // A result that native code allocated may be a part of a larger buffer.
  return byteOffset === 0 && buffer.byteLength === byteLength
    ? (buffer as ArrayBuffer)
    : (buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer);
}
