// Signatures.
import { constants } from 'node:crypto';
import { invalidArgType, invalidArgValue, nodeError, outOfRange } from '../base/errors';
import {
  isKeyInput,
  privateKeyEntry,
  publicKeyEntry,
  readKeyInput,
  type KeyEntry,
  type KeyInput,
  type KeyLike,
} from '../keys/key';
import { Family, signatureNumbers, verifyInputs } from '../native/contract/tables';
import { bytesOf, sizeOf, toInput, type BinaryLike } from '../base/bytes';
import { attempt, call, firstOutput, type CallResult, type Spec } from './call';
import { readOperationOptions, type OperationOptions } from './operation-options';
import { digestName } from './digest-names';
import { choosesImplementation, createSpecIn, keySpec, type SpecPlan } from './spec';

/** The parameters of a signature, given next to the key as in `node:crypto`. */
export interface SigningOptions {
  /**
   * RSA: `crypto.constants.RSA_PKCS1_PADDING` or `RSA_PKCS1_PSS_PADDING`. @defaultValue PSS for RSA-PSS keys, else
   * PKCS#1
   */
  padding?: number | undefined;
  /**
   * PSS: bytes of the salt, or one of `crypto.constants.RSA_PSS_SALTLEN_…`. @defaultValue the longest possible with
   * `RSA_PKCS1_PSS_PADDING`; without it, the length that an RSA-PSS key asks for
   */
  saltLength?: number | undefined;
  /** DSA and ECDSA: `'der'`, or r and s next to each other. @defaultValue `'der'` */
  dsaEncoding?: 'der' | 'ieee-p1363' | undefined;
  /**
   * Ed25519 (then Ed25519ctx), Ed448, ML-DSA, SLH-DSA, with OpenSSL 3.2 and later: a context string of at most 255
   * bytes.
   * @defaultValue none, which is the same as an empty one
   */
  context?: NodeJS.ArrayBufferView | undefined;
}

/** A key to sign or verify with. */
export type SigningKey = KeyLike | (KeyInput & SigningOptions);

const P1363 = 1;

/**
 * Signs `data` with a private key: `crypto.sign()` as a promise.
 *
 * RSA (PKCS#1 v1.5, PSS), ECDSA, DSA, Ed25519, Ed448, and with OpenSSL 3.5 and later ML-DSA and SLH-DSA (RFC 8017,
 * FIPS 186-5, RFC 8032, FIPS 204, FIPS 205). Everything passed is copied, or was read, when the function returns.
 *
 * @param algorithm - the digest, for example `'sha256'`; null or undefined for the key's own, which Ed25519, Ed448,
 * ML-DSA and SLH-DSA require
 * @param key - a private key, or an object with one and {@link SigningOptions}
 * @returns the signature
 *
 * @throws Everything as a rejection: what `crypto.sign()` throws (`ERR_CRYPTO_INVALID_DIGEST`,
 * `ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE`, `ERR_OSSL_…`), `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `AbortError`,
 * `ERR_ASYNC_TIMEOUT`, `ERR_ASYNC_QUEUE_FULL`, `ERR_ASYNC_UNSUPPORTED`
 *
 * @example
 * ```ts
 * const signature = await sign('sha256', 'some data', privateKey);
 * ```
 */
export function sign(
  algorithm: string | null | undefined,
  data: BinaryLike,
  key: SigningKey,
  options?: OperationOptions,
): Promise<Buffer> {
  return attempt(() => {
    options = readOperationOptions(options);
    validateAlgorithm(algorithm);
    const input = toInput(data, 'data');
    // As node:crypto, for any value that is no key at all.
    if (!key) throw nodeError('ERR_CRYPTO_SIGN_KEY_REQUIRED', 'No key provided to sign');
    const given = readKeyInput(key);
    const signing = signingOptions(given);
    const spec = specOf(Family.sign, algorithm, privateKeyEntry(given), signing, options);
    return call(spec, [input], undefined, options, firstOutput);
  });
}

/**
 * Verifies a signature: `crypto.verify()` as a promise.
 *
 * @param key - a public key, a certificate, or a private key, whose public part is used; or an object with one and
 * {@link SigningOptions}
 * @returns whether the signature is valid; bytes that are no signature at all are not
 *
 * @throws Everything as a rejection: as {@link sign}
 */
export function verify(
  algorithm: string | null | undefined,
  data: BinaryLike,
  key: SigningKey,
  signature: NodeJS.ArrayBufferView | ArrayBuffer | SharedArrayBuffer,
  options?: OperationOptions,
): Promise<boolean> {
  return attempt(() => {
    options = readOperationOptions(options);
    validateAlgorithm(algorithm);
    const input = toInput(data, 'data');
    if (typeof signature === 'string') {
      throw invalidArgType('signature', 'an instance of ArrayBuffer, Buffer, TypedArray, or DataView', signature);
    }
    const signed = toInput(signature, 'signature');
    const given = readKeyInput(key);
    const signing = signingOptions(given);
    const spec = specOf(Family.verify, algorithm, publicKeyEntry(given), signing, options);
    return call(spec, verifyInputs({ data: input, signature: signed }), undefined, options, isValid);
  });
}

const isValid = (result: CallResult): boolean => result.value === 1;

function validateAlgorithm(algorithm: unknown): asserts algorithm is string | null | undefined {
  if (algorithm !== null && algorithm !== undefined && typeof algorithm !== 'string') {
    throw invalidArgType('algorithm', 'of type string', algorithm);
  }
  // Native code takes an empty name for none.
  if (algorithm === '') throw nodeError('ERR_CRYPTO_INVALID_DIGEST', 'Invalid digest: ', TypeError);
}

function specOf(
  family: typeof Family.sign | typeof Family.verify,
  algorithm: string | null | undefined,
  entry: KeyEntry,
  signing: ParsedSigningOptions,
  options: OperationOptions | undefined,
): Spec {
  const digest = algorithm ?? '';
  const verb = family === Family.sign ? 'sign' : 'verify';
  // The usual case needs no name to be made.
  const plain = signing === NO_OPTIONS && !choosesImplementation(options) ? entry.plainSpecs[verb] : undefined;
  const known = plain?.get(digest);
  if (known !== undefined) return known as Spec;
  const { padding, saltLength, dsaEncoding, context } = signing;
  const plan = (): SpecPlan => ({
    family,
    algorithm: digest === '' ? `${verb} ${entry.label}` : `${verb} ${entry.label} ${digest.toLowerCase()}`,
    names: [digestName(digest)],
    numbers: signatureNumbers({ padding, saltLength, p1363: dsaEncoding === 'ieee-p1363' ? P1363 : undefined }),
    bytes: context === undefined ? [] : [context],
  });
  // A context is rarely twice the same, so such a spec is not kept.
  if (context !== undefined) return createSpecIn(plan(), [entry], options);
  const name = `${String(family)}|${digest}|${String(padding)}|${String(saltLength)}|${String(dsaEncoding)}`;
  const spec = keySpec(entry, name, options, plan);
  plain?.set(digest, spec);
  return spec;
}

/** {@link SigningOptions} that were read and checked. */
interface ParsedSigningOptions extends Omit<SigningOptions, 'context'> {
  readonly context?: Uint8Array | undefined;
}

const NO_OPTIONS = Object.freeze({ __proto__: null }) as unknown as ParsedSigningOptions;
const MOST_CONTEXT_BYTES = 255;

function signingOptions(key: unknown): ParsedSigningOptions {
  if (!isKeyInput(key)) return NO_OPTIONS;
  const { padding, saltLength, dsaEncoding = 'der', context } = key as SigningOptions;
  validateIntegerOption(padding, 'padding');
  validateIntegerOption(saltLength, 'saltLength');
  if (!DSA_ENCODINGS.includes(dsaEncoding)) {
    throw invalidArgValue('options.dsaEncoding', dsaEncoding, 'is invalid');
  }
  const isPss = padding === constants.RSA_PKCS1_PSS_PADDING;
  return {
    // As node:crypto: a negative padding is none.
    padding: padding !== undefined && padding < 0 ? undefined : padding,
    saltLength: saltLength ?? (isPss ? constants.RSA_PSS_SALTLEN_MAX_SIGN : undefined),
    dsaEncoding,
    context: validContext(context),
  };
}

const DSA_ENCODINGS: readonly unknown[] = ['der', 'ieee-p1363'];

// As node:crypto: a 32-bit integer or nothing.
function validateIntegerOption(value: unknown, name: string): void {
  if (value !== undefined && (typeof value !== 'number' || value !== value >> 0)) {
    throw invalidArgValue(`options.${name}`, value, 'is invalid');
  }
}

/** An empty context is none: every kind of key can do without one. */
function validContext(context: unknown): Uint8Array | undefined {
  if (context === undefined) return undefined;
  const bytes = ArrayBuffer.isView(context) ? bytesOf(context) : undefined;
  if (bytes === undefined) {
    throw invalidArgType('options.context', 'an instance of Buffer, TypedArray, or DataView', context);
  }
  const size = sizeOf(bytes);
  if (size > MOST_CONTEXT_BYTES) {
    throw outOfRange('options.context', `at most ${String(MOST_CONTEXT_BYTES)} bytes`, size);
  }
  return size === 0 ? undefined : bytes;
}
