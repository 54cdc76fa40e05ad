// RSA as a cipher.
import { constants } from 'node:crypto';
import { nodeError } from '../base/errors';
import {
  isKeyInput,
  privateKeyEntry,
  publicKeyEntry,
  readKeyInput,
  type KeyEntry,
  type KeyInput,
  type KeyLike,
} from '../keys/key';
import { Family, asymmetricCipherInputs } from '../native/contract/tables';
import { validateString } from '../base/validators';
import { toInput, type BinaryLike } from '../base/bytes';
import { attempt, call, firstOutput } from './call';
import { readOperationOptions, type OperationOptions } from './operation-options';
import { digestName } from './digest-names';
import { keySpec } from './spec';

/** The padding of the data, given next to the key as in `node:crypto`. */
export interface AsymmetricCipherOptions {
  /**
   * `crypto.constants.RSA_PKCS1_OAEP_PADDING`, `RSA_PKCS1_PADDING` or `RSA_NO_PADDING`. @defaultValue OAEP for
   * {@link publicEncrypt} and {@link privateDecrypt}, else PKCS#1 v1.5
   */
  padding?: number | undefined;
  /** OAEP: the digest, which MGF1 uses too, for example `'sha256'`. @defaultValue `'sha1'` */
  oaepHash?: string | undefined;
  /** OAEP: the label, which has to be the same on both sides. @defaultValue none */
  oaepLabel?: BinaryLike | undefined;
}

/** A key to encrypt or decrypt with. Its `encoding`, if given, applies to the data and the label too. */
export type AsymmetricCipherKey = KeyLike | (KeyInput & AsymmetricCipherOptions);

/**
 * Encrypts `buffer` with an RSA public key: `crypto.publicEncrypt()` as a promise (RFC 8017, sections 7.1 and 7.2).
 * Everything passed is copied, or was read, when the function returns.
 *
 * @param key - a public key, a certificate, or a private key, whose public part is used; or an object with one and
 * {@link AsymmetricCipherOptions}
 * @param buffer - with OAEP at most k − 2h − 2 bytes, with PKCS#1 v1.5 at most k − 11, with no padding exactly k, where
 * k is the size of the modulus and h the size of the digest
 * @returns as many bytes as the modulus has
 *
 * @throws Everything as a rejection: what `crypto.publicEncrypt()` throws (`ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE`,
 * `ERR_OSSL_EVP_INVALID_DIGEST`, `ERR_OSSL_RSA_DATA_TOO_LARGE_FOR_KEY_SIZE`,
 * `ERR_OSSL_EVP_OPERATION_NOT_SUPPORTED_FOR_THIS_KEYTYPE` and other `ERR_OSSL_…`), `ERR_INVALID_ARG_TYPE`,
 * `ERR_INVALID_ARG_VALUE`, `AbortError`, `ERR_ASYNC_TIMEOUT`, `ERR_ASYNC_QUEUE_FULL`, `ERR_ASYNC_UNSUPPORTED`
 *
 * @example
 * ```ts
 * const { publicKey, privateKey } = await generateKeyPair('rsa', { modulusLength: 2048 });
 * const sealed = await publicEncrypt({ key: publicKey, oaepHash: 'sha256' }, 'a secret');
 * const opened = await privateDecrypt({ key: privateKey, oaepHash: 'sha256' }, sealed);
 * ```
 */
export function publicEncrypt(
  key: AsymmetricCipherKey,
  buffer: BinaryLike,
  options?: OperationOptions,
): Promise<Buffer> {
  return run('publicEncrypt', publicKeyEntry, constants.RSA_PKCS1_OAEP_PADDING, key, buffer, options);
}

/**
 * Decrypts a ciphertext of {@link publicEncrypt}: `crypto.privateDecrypt()` as a promise.
 *
 * With `RSA_PKCS1_PADDING`, where OpenSSL rejects implicitly (3.2 and later), a wrong ciphertext gives bytes that look
 * random instead of an error. Elsewhere the call is refused: anybody who sees such errors could decrypt.
 *
 * @param key - a private key, or an object with one and {@link AsymmetricCipherOptions}
 * @param buffer - the ciphertext, as long as the modulus
 * @returns the message
 *
 * @throws Everything as a rejection: as {@link publicEncrypt}; `ERR_OSSL_RSA_OAEP_DECODING_ERROR` for data not
 * encrypted for this key with this label, and `ERR_INVALID_ARG_VALUE` for `RSA_PKCS1_PADDING` without implicit
 * rejection
 *
 * @example
 * ```ts
 * const opened = await privateDecrypt(privateKey, await publicEncrypt(publicKey, 'a secret'));
 * ```
 */
export function privateDecrypt(
  key: AsymmetricCipherKey,
  buffer: BinaryLike,
  options?: OperationOptions,
): Promise<Buffer> {
  return run('privateDecrypt', privateKeyEntry, constants.RSA_PKCS1_OAEP_PADDING, key, buffer, options);
}

/**
 * Pads `buffer` and applies an RSA private key to it: `crypto.privateEncrypt()` as a promise. The result is a signature
 * of data that are not hashed (RFC 8017, section 8.2, without the digest); {@link sign} is for everything else.
 *
 * @param key - a private key, or an object with one and {@link AsymmetricCipherOptions}
 * @param buffer - with PKCS#1 v1.5 at most k − 11 bytes, with no padding exactly k, where k is the size of the modulus
 * @returns as many bytes as the modulus has
 *
 * @throws Everything as a rejection: as {@link publicEncrypt}; `ERR_OSSL_ILLEGAL_OR_UNSUPPORTED_PADDING_MODE` for OAEP
 *
 * @example
 * ```ts
 * const signed = await privateEncrypt(privateKey, 'some data');
 * const data = await publicDecrypt(publicKey, signed);
 * ```
 */
export function privateEncrypt(
  key: AsymmetricCipherKey,
  buffer: BinaryLike,
  options?: OperationOptions,
): Promise<Buffer> {
  return run('privateEncrypt', privateKeyEntry, constants.RSA_PKCS1_PADDING, key, buffer, options);
}

/**
 * Recovers the data that {@link privateEncrypt} was given: `crypto.publicDecrypt()` as a promise.
 *
 * @param key - a public key, a certificate, or a private key, whose public part is used; or an object with one and
 * {@link AsymmetricCipherOptions}
 * @param buffer - the result of `privateEncrypt()`, as long as the modulus
 * @returns the data without padding
 *
 * @throws Everything as a rejection: as {@link publicEncrypt}; `ERR_OSSL_RSA_INVALID_PADDING` for data that this key
 * did not sign
 *
 * @example
 * ```ts
 * const data = await publicDecrypt(publicKey, await privateEncrypt(privateKey, 'some data'));
 * ```
 */
export function publicDecrypt(
  key: AsymmetricCipherKey,
  buffer: BinaryLike,
  options?: OperationOptions,
): Promise<Buffer> {
  return run('publicDecrypt', publicKeyEntry, constants.RSA_PKCS1_PADDING, key, buffer, options);
}

type CipherInput = Partial<KeyInput> & AsymmetricCipherOptions;

const NO_INPUT = Object.freeze({ __proto__: null }) as unknown as CipherInput;

function run(
  verb: 'publicEncrypt' | 'privateDecrypt' | 'privateEncrypt' | 'publicDecrypt',
  entryOf: (key: unknown) => KeyEntry,
  defaultPadding: number,
  key: AsymmetricCipherKey,
  buffer: BinaryLike,
  options: OperationOptions | undefined,
): Promise<Buffer> {
  return attempt(() => {
    options = readOperationOptions(options);
    const given = readKeyInput(key);
    const entry = entryOf(given);
    const { padding, oaepHash, oaepLabel, encoding } = isKeyInput(given) ? (given as CipherInput) : NO_INPUT;
    if (oaepHash !== undefined) validateString(oaepHash, 'key.oaepHash');
    // Native code takes an empty name for none.
    if (oaepHash === '') throw nodeError('ERR_OSSL_EVP_INVALID_DIGEST', 'Invalid digest used');
    const label = oaepLabel === undefined ? undefined : toInput(oaepLabel, 'key.oaepLabel', encoding);
    const input = toInput(buffer, 'buffer', encoding);
    // As node:crypto: 0 is the default, and OpenSSL refuses numbers that are no padding.
    // eslint-disable-next-line @typescript-eslint/prefer-nullish-coalescing
    const mode = (padding || defaultPadding) | 0;
    const digest = oaepHash ?? '';
    const spec = keySpec(entry, `${verb}|${String(mode)}|${digest}`, options, () => ({
      family: Family[verb],
      algorithm: `${verb} ${entry.label}`,
      names: [digestName(digest)],
      numbers: [mode],
    }));
    return call(spec, asymmetricCipherInputs({ data: input, label }), undefined, options, firstOutput);
  });
}
