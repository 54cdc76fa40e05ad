// Key encapsulation mechanisms.
import { privateKeyEntry, publicKeyEntry, type KeyEntry, type KeyLike } from '../keys/key';
import { Family } from '../native/contract/tables';
import { toInput, type BinaryLike } from '../base/bytes';
import { attempt, call, firstOutput, type CallResult, type Spec } from './call';
import { readOperationOptions, type OperationOptions } from './operation-options';
import { keySpec } from './spec';

/** The result of {@link encapsulate}. */
export interface EncapsulatedKey {
  /** The key, for the caller alone. */
  sharedKey: Buffer;
  /** The ciphertext, from which the owner of the private key gets the shared key with {@link decapsulate}. */
  ciphertext: Buffer;
}

/**
 * Makes a key that only the owner of a private key can know too: `crypto.encapsulate()` of Node.js 24 as a promise.
 *
 * ML-KEM (FIPS 203; OpenSSL 3.5 and later), RSA as RSASVE (NIST SP 800-56B; the shared key is as long as the modulus),
 * and DHKEM with P-256, P-384, P-521, X25519 and X448 (RFC 9180; OpenSSL 3.2 and later). Node.js 20 has no such
 * function; this one works there with RSA.
 *
 * @param key - a public key, or a private key, whose public part is used
 * @returns the shared key, and the ciphertext to be sent
 *
 * @throws Everything as a rejection: `ERR_CRYPTO_KEM_NOT_SUPPORTED` for EC, X25519 and X448 before OpenSSL 3.2,
 * `ERR_CRYPTO_OPERATION_FAILED` for keys of other types and curves, `ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE`,
 * `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `AbortError`, `ERR_ASYNC_TIMEOUT`, `ERR_ASYNC_QUEUE_FULL`,
 * `ERR_ASYNC_UNSUPPORTED`
 *
 * @example
 * ```ts
 * const { publicKey, privateKey } = await generateKeyPair('rsa', { modulusLength: 2048 });
 * const { sharedKey, ciphertext } = await encapsulate(publicKey);
 * const same = await decapsulate(privateKey, ciphertext);
 * ```
 */
export function encapsulate(key: KeyLike, options?: OperationOptions): Promise<EncapsulatedKey> {
  return attempt(() => {
    options = readOperationOptions(options);
    const spec = specOf('encapsulate', publicKeyEntry(key), options);
    return call(spec, [], undefined, options, bothOutputs);
  });
}

/**
 * Gets the shared key out of a ciphertext of {@link encapsulate}: `crypto.decapsulate()` of Node.js 24 as a promise.
 * The ciphertext is copied, or was read, when the function returns.
 *
 * @param key - the private key
 * @param ciphertext - of the length that the key's mechanism has
 * @returns the shared key; with ML-KEM, a wrong ciphertext of the right length gives another key, not an error
 *
 * @throws Everything as a rejection: as {@link encapsulate}; `ERR_CRYPTO_OPERATION_FAILED` for an invalid ciphertext
 *
 * @example
 * ```ts
 * const sharedKey = await decapsulate(privateKey, ciphertext);
 * ```
 */
export function decapsulate(key: KeyLike, ciphertext: BinaryLike, options?: OperationOptions): Promise<Buffer> {
  return attempt(() => {
    options = readOperationOptions(options);
    const entry = privateKeyEntry(key);
    const input = toInput(ciphertext, 'ciphertext');
    return call(specOf('decapsulate', entry, options), [input], undefined, options, firstOutput);
  });
}

const bothOutputs = (result: CallResult): EncapsulatedKey => ({
  sharedKey: result.output(0),
  ciphertext: result.output(1),
});

function specOf(verb: 'encapsulate' | 'decapsulate', entry: KeyEntry, options: OperationOptions | undefined): Spec {
  return keySpec(entry, verb, options, () => ({
    family: Family[verb],
    algorithm: `${verb} ${entry.label}`,
    names: [],
  }));
}
