// Signatures.
import { invalidArgType, invalidArgValue } from '../errors';
import { privateKeyEntry, publicKeyEntry, type KeyEntry, type KeyLike } from '../keys';
import { Family } from '../native/contract';
import { toInput, type BinaryLike } from './bytes';
import { attempt, call, validateOperationOptions, type CallResult, type OperationOptions, type Spec } from './call';
import { choosesImplementation, createSpec, scopeName, scopeOf } from './spec';

/** How a signature is made, besides the key: as `node:crypto` has it, next to the key. */
export interface SigningOptions {
  /** RSA: `crypto.constants.RSA_PKCS1_PADDING` or `RSA_PKCS1_PSS_PADDING`. @defaultValue PSS for RSA-PSS keys, else PKCS#1 */
  padding?: number;
  /** PSS: in bytes, or one of `crypto.constants.RSA_PSS_SALTLEN_…`. @defaultValue the longest possible */
  saltLength?: number;
  /** DSA and ECDSA: `'der'`, or r and s next to each other. @defaultValue `'der'` */
  dsaEncoding?: 'der' | 'ieee-p1363';
  /** ML-DSA, SLH-DSA, Ed448: a context string of at most 255 bytes. */
  context?: BinaryLike;
}

/** A key to sign or verify with. */
export type SigningKey = KeyLike | (Exclude<KeyLike, string> & SigningOptions);

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
    if (options !== undefined) validateOperationOptions(options);
    validateAlgorithm(algorithm);
    const input = toInput(data, 'data');
    const spec = specOf(Family.sign, algorithm, privateKeyEntry(key), key, options);
    return call(spec, [input], undefined, options, firstOutput);
  });
}

/**
 * Verifies a signature: `crypto.verify()` as a promise.
 *
 * @param key - a public key, a certificate, or a private key, whose public part is used; or an object with one and
 * {@link SigningOptions}
 * @returns whether it is valid; what is no signature at all is not valid
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
    if (options !== undefined) validateOperationOptions(options);
    validateAlgorithm(algorithm);
    const input = toInput(data, 'data');
    if (typeof signature === 'string') {
      throw invalidArgType('signature', 'an instance of ArrayBuffer, Buffer, TypedArray, or DataView', signature);
    }
    const signed = toInput(signature, 'signature');
    const spec = specOf(Family.verify, algorithm, publicKeyEntry(key), key, options);
    return call(spec, [input, signed], undefined, options, isValid);
  });
}

const firstOutput = (result: CallResult): Buffer => result.output(0);
const isValid = (result: CallResult): boolean => result.value === 1;

function validateAlgorithm(algorithm: unknown): asserts algorithm is string | null | undefined {
  if (algorithm !== null && algorithm !== undefined && typeof algorithm !== 'string') {
    throw invalidArgType('algorithm', 'of type string', algorithm);
  }
}

function specOf(
  family: typeof Family.sign | typeof Family.verify,
  algorithm: string | null | undefined,
  entry: KeyEntry,
  key: SigningKey,
  options: OperationOptions | undefined,
): Spec {
  const digest = algorithm ?? '';
  const signing = signingOptions(key);
  if (signing === NO_OPTIONS && !choosesImplementation(options)) {
    const specs = entry.plainSpecs[family === Family.sign ? 'sign' : 'verify'];
    return keptSpec(specs, digest, () => create(family, digest, entry, NO_OPTIONS, undefined));
  }
  const { padding, saltLength, dsaEncoding, context } = signing;
  const scope = scopeOf(options);
  if (context !== undefined) {
    // Rarely twice the same, so it is not kept.
    return create(family, digest, entry, { padding, saltLength, dsaEncoding, context }, options);
  }
  const name = `${String(family)}|${digest}|${String(padding)}|${String(saltLength)}|${String(dsaEncoding)}|${scopeName(scope)}|${String(options?.fallback)}`;
  return keptSpec(entry.specs, name, () =>
    create(family, digest, entry, { padding, saltLength, dsaEncoding }, options),
  );
}

function keptSpec(specs: Map<string, unknown>, name: string, make: () => Spec): Spec {
  let spec = specs.get(name) as Spec | undefined;
  if (spec === undefined) {
    spec = make();
    specs.set(name, spec);
  }
  return spec;
}

function create(
  family: typeof Family.sign | typeof Family.verify,
  digest: string,
  entry: KeyEntry,
  { padding, saltLength, dsaEncoding, context }: SigningOptions,
  options: OperationOptions | undefined,
): Spec {
  const scope = scopeOf(options);
  const software =
    scope?.[2] === true && options?.fallback === 'software'
      ? create(family, digest, entry, { padding, saltLength, dsaEncoding, context }, undefined)
      : undefined;
  const verb = family === Family.sign ? 'sign' : 'verify';
  return createSpec({
    family,
    algorithm: digest === '' ? `${verb} ${entry.label}` : `${verb} ${entry.label} ${digest.toLowerCase()}`,
    names: [digest],
    numbers: [padding, saltLength, dsaEncoding === 'ieee-p1363' ? P1363 : undefined],
    keys: [entry.native(scope)],
    bytes: context === undefined ? [] : [toInput(context, 'key.context')],
    scope,
    fallback: software,
  });
}

function signingOptions(key: SigningKey): SigningOptions {
  if (typeof key !== 'object' || !('key' in key)) return NO_OPTIONS;
  const { padding, saltLength, dsaEncoding, context } = key as SigningOptions;
  validateIntegerOption(padding, 'padding');
  validateIntegerOption(saltLength, 'saltLength');
  if (!DSA_ENCODINGS.includes(dsaEncoding)) {
    throw invalidArgValue('options.dsaEncoding', dsaEncoding, 'is invalid');
  }
  return { padding, saltLength, dsaEncoding, context };
}

const NO_OPTIONS: SigningOptions = {};
const DSA_ENCODINGS: readonly unknown[] = [undefined, 'der', 'ieee-p1363'];

// As node:crypto: a 32-bit integer or nothing.
function validateIntegerOption(value: unknown, name: string): void {
  if (value !== undefined && (typeof value !== 'number' || value !== value >> 0)) {
    throw invalidArgValue(`options.${name}`, value, 'is invalid');
  }
}
