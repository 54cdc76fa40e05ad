// Encryption and decryption of whole messages.
import { invalidArgValue } from '../base/errors';
import { Family, cipherInputs, cipherNumbers } from '../native/contract/tables';
import { validateBoolean, validateString } from '../base/validators';
import { toInput, type BinaryLike } from '../base/bytes';
import { attempt, call, type CallResult } from './call';
import { readOperationOptions, type OperationOptions } from './operation-options';
import { cipherNames } from './cipher-names';
import { SecretKeys, type SecretKey, type SecretKeyLike } from './secret-key';

/** The result of an authenticating cipher. */
export interface AuthenticatedCiphertext {
  /** The ciphertext, as long as the message. */
  data: Buffer;
  /** The tag that {@link decrypt} needs along with the ciphertext. */
  authTag: Buffer;
}

/**
 * The result of {@link encrypt}: {@link AuthenticatedCiphertext} for GCM, CCM, OCB and ChaCha20-Poly1305, else a
 * Buffer; either of them for an algorithm that TypeScript does not know.
 */
export type Encrypted<Algorithm extends string> = string extends Algorithm
  ? Buffer | AuthenticatedCiphertext
  : Lowercase<Algorithm> extends `${string}-${'gcm' | 'ccm' | 'ocb'}` | 'chacha20-poly1305'
    ? AuthenticatedCiphertext
    : Buffer;

/** Options of {@link encrypt}. */
export interface EncryptOptions extends OperationOptions {
  /** For an authenticating cipher: data that is not encrypted, but authenticated with the message. */
  aad?: BinaryLike;
  /**
   * Bytes of the tag. GCM: 4, 8, 12 to 16, 16 unless given; ChaCha20-Poly1305: at most 16, 16 unless given; OCB: at
   * most 16, to be given; CCM: 4, 6, 8, 10, 12, 14, 16, to be given. Others have no tag.
   */
  authTagLength?: number;
  /**
   * For block modes: whether a message is padded (PKCS#7). An unpadded one has to be whole blocks. @defaultValue true
   */
  autoPadding?: boolean;
}

/** Options of {@link decrypt}. */
export interface DecryptOptions extends EncryptOptions {
  /** For an authenticating cipher: the tag that encryption gave. */
  authTag?: BinaryLike;
}

const encryptionKeys = new SecretKeys();
const decryptionKeys = new SecretKeys();

/**
 * Encrypts a message: the several calls of `crypto.createCipheriv()` as one promise. Everything passed is copied, or
 * was read, when the function returns.
 *
 * AES in CBC, CTR, ECB (SP 800-38A), GCM (SP 800-38D), CCM (SP 800-38C), OCB (RFC 7253), XTS (SP 800-38E) and key wrap
 * (RFC 3394, RFC 5649), ChaCha20-Poly1305 (RFC 8439), and every other cipher of `crypto.getCiphers()` whose provider is
 * loaded.
 *
 * @param algorithm - for example `'aes-256-gcm'`, `'chacha20-poly1305'`, `'id-aes256-wrap'`
 * @param key - as long as the cipher asks for: bytes, or an object of type `'secret'`
 * @param iv - the IV or nonce, as long as the cipher asks for: GCM at least 1 byte, usually 12; CCM 7 to 13; OCB 1 to
 * 15; ChaCha20-Poly1305 12; null for ciphers without one. Never use one twice with the same key
 * @param data - the message; at most 2³¹ − 1 bytes, with CCM 2¹⁶ − 1 (an IV of 13 bytes) or 2²⁴ − 1 (12)
 * @returns the ciphertext; of an authenticating cipher, an object of `data`, the ciphertext, and `authTag`
 *
 * @throws Everything as a rejection, as from `createCipheriv()`, `setAAD()`, `update()` and `final()`:
 * `ERR_CRYPTO_UNKNOWN_CIPHER`, `ERR_CRYPTO_INVALID_KEYLEN`, `ERR_CRYPTO_INVALID_IV`, `ERR_CRYPTO_INVALID_AUTH_TAG` for
 * `authTagLength`, `ERR_CRYPTO_INVALID_STATE` for `aad` where nothing is authenticated,
 * `ERR_CRYPTO_INVALID_MESSAGELEN`, `ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE`, `ERR_OSSL_…`, an error without a code for a
 * message that the cipher does not take; `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`; besides what every operation
 * rejects with: `AbortError`, `ERR_ASYNC_TIMEOUT`, `ERR_ASYNC_QUEUE_FULL`, `ERR_ASYNC_UNSUPPORTED`
 *
 * @example
 * ```ts
 * const key = await randomBytes(32);
 * const iv = await randomBytes(12);
 * const { data, authTag } = await encrypt('aes-256-gcm', key, iv, 'a message', { aad: 'its header' });
 * ```
 */
export function encrypt<Algorithm extends string>(
  algorithm: Algorithm,
  key: SecretKeyLike,
  iv: BinaryLike | null,
  data: BinaryLike,
  options?: EncryptOptions,
): Promise<Encrypted<Algorithm>>;
export function encrypt(
  algorithm: string,
  key: SecretKeyLike,
  iv: BinaryLike | null,
  data: BinaryLike,
  options?: EncryptOptions,
): Promise<Buffer | AuthenticatedCiphertext> {
  return attempt(() => {
    validateString(algorithm, 'cipher');
    const secret = encryptionKeys.of(key);
    const nonce = iv === null ? undefined : toInput(iv, 'iv');
    const input = toInput(data, 'data');
    options = readCipherOptions(options, ['aad', 'authTagLength', 'autoPadding']);
    const aad = options?.aad === undefined ? undefined : toInput(options.aad, 'options.aad');
    const spec = secret.spec(algorithm, options, () => ({
      family: Family.encrypt,
      algorithm: `encrypt ${algorithm.toLowerCase()}`,
      names: cipherNames(algorithm, options),
    }));
    return call(spec, inputsOf(input, nonce, secret, aad, undefined), numbersOf(options), options, toCiphertext);
  });
}

/**
 * Decrypts a message: the several calls of `crypto.createDecipheriv()` as one promise. A message that is not authentic
 * gives nothing. Everything passed is copied, or was read, when the function returns.
 *
 * @param algorithm - as of {@link encrypt}
 * @param key - as of {@link encrypt}
 * @param iv - the IV of the encryption
 * @param data - the ciphertext
 * @param options - for an authenticating cipher, with the `authTag`
 * @returns the message, in memory of its own
 *
 * @throws Everything as a rejection, as from `createDecipheriv()`, `setAAD()`, `setAuthTag()`, `update()` and
 * `final()`: an error without a code and `Unsupported state or unable to authenticate data` for a tag that is wrong or
 * missing; `ERR_OSSL_BAD_DECRYPT`, `ERR_OSSL_WRONG_FINAL_BLOCK_LENGTH`, `ERR_CRYPTO_INVALID_AUTH_TAG` for a tag of the
 * wrong length, and what {@link encrypt} rejects with
 *
 * @example
 * ```ts
 * const key = await randomBytes(32);
 * const iv = await randomBytes(12);
 * const { data, authTag } = await encrypt('chacha20-poly1305', key, iv, 'a message');
 * const message = await decrypt('chacha20-poly1305', key, iv, data, { authTag });
 * ```
 */
export function decrypt(
  algorithm: string,
  key: SecretKeyLike,
  iv: BinaryLike | null,
  data: BinaryLike,
  options?: DecryptOptions,
): Promise<Buffer> {
  return attempt(() => {
    validateString(algorithm, 'cipher');
    const secret = decryptionKeys.of(key);
    const nonce = iv === null ? undefined : toInput(iv, 'iv');
    const input = toInput(data, 'data');
    options = readCipherOptions(options, ['aad', 'authTag', 'authTagLength', 'autoPadding']);
    const aad = options?.aad === undefined ? undefined : toInput(options.aad, 'options.aad');
    const tag = options?.authTag === undefined ? undefined : toInput(options.authTag, 'options.authTag');
    const spec = secret.spec(algorithm, options, () => ({
      family: Family.decrypt,
      algorithm: `decrypt ${algorithm.toLowerCase()}`,
      names: cipherNames(algorithm, options),
    }));
    return call(spec, inputsOf(input, nonce, secret, aad, tag), numbersOf(options), options, toMessage);
  });
}

type Input = Uint8Array | undefined;

function inputsOf(data: Uint8Array, iv: Input, key: SecretKey, aad: Input, tag: Input): Input[] {
  return cipherInputs({ data, iv, key: key.input, authenticatedData: aad, tag });
}

function numbersOf(options: EncryptOptions | undefined): number[] | undefined {
  if (options === undefined) return undefined;
  const { authTagLength, autoPadding } = options;
  return cipherNumbers({
    tagLength: authTagLength ?? NaN,
    autoPadding: autoPadding === undefined ? NaN : Number(autoPadding),
  });
}

const AUTHENTICATED = 1;

function toCiphertext(result: CallResult): Buffer | AuthenticatedCiphertext {
  const data = result.output(0);
  return result.value === AUTHENTICATED ? { data, authTag: result.output(1) } : data;
}

const toMessage = (result: CallResult): Buffer => result.output(0);

function readCipherOptions<T extends EncryptOptions>(
  given: T | undefined,
  known: readonly (keyof T & string)[],
): T | undefined {
  const options = readOperationOptions(given, known);
  validateTagLength(options?.authTagLength);
  if (options?.autoPadding !== undefined) validateBoolean(options.autoPadding, 'options.autoPadding');
  return options;
}

/** As `node:crypto`: a 32-bit integer or nothing; native code checks whether it fits the cipher. */
export function validateTagLength(value: unknown): void {
  if (value === undefined || value === null) return;
  if (typeof value !== 'number' || value >>> 0 !== value) {
    throw invalidArgValue('options.authTagLength', value, 'is invalid');
  }
}
