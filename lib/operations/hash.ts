// Message digests.
import { Family, digestNumbers } from '../native/contract/tables';
import { validateInteger, validateString } from '../base/validators';
import { encoded, toInput, validateEncoding, type BinaryLike } from '../base/bytes';
import { attempt, call, firstOutput, type Spec } from './call';
import { readOperationOptions, type OperationOptions } from './operation-options';
import { digestName } from './digest-names';
import { specFor, SpecTable } from './spec';

/** Options of {@link hash}. */
export interface HashOptions extends OperationOptions {
  /** The encoding of the digest. @defaultValue `'buffer'` */
  outputEncoding?: BufferEncoding | 'buffer';
  /**
   * Bytes of output. Extendable-output functions such as SHAKE256 take 0 to 2³² − 1, any other digest only its own
   * length. @defaultValue 16 for SHAKE128, 32 for SHAKE256
   */
  outputLength?: number;
}

const MOST_OUTPUT_BYTES = 2 ** 32 - 1;

const specs = new SpecTable();

/**
 * The digest of `data`: `crypto.hash()` as a promise, by default of a Buffer. `data` is copied, or
 * was read, when the function returns. For data in parts, use {@link createHash}.
 *
 * @param algorithm - for example `'sha256'`; any of `crypto.getHashes()`
 * @param data - of any length
 * @param options - {@link HashOptions}, or only their `outputEncoding`
 * @returns a Buffer, or a string in `outputEncoding`
 *
 * @throws Everything as a rejection, as from `crypto.hash()`: an error without a code for a digest that OpenSSL does
 * not know, or an `outputLength` that it does not have; `ERR_OSSL_EVP_UNSUPPORTED` for one that no loaded provider has;
 * `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`; besides what every operation rejects with:
 * `AbortError`, `ERR_ASYNC_TIMEOUT`, `ERR_ASYNC_QUEUE_FULL`, `ERR_ASYNC_UNSUPPORTED`
 *
 * @example
 * ```ts
 * const digest = await hash('sha256', 'some data', { outputEncoding: 'hex' });
 * ```
 */
export function hash(
  algorithm: string,
  data: BinaryLike,
  options?: (HashOptions & { outputEncoding?: 'buffer' }) | 'buffer',
): Promise<Buffer>;
export function hash(
  algorithm: string,
  data: BinaryLike,
  options: (HashOptions & { outputEncoding: BufferEncoding }) | BufferEncoding,
): Promise<string>;
export function hash(
  algorithm: string,
  data: BinaryLike,
  options?: HashOptions | BufferEncoding | 'buffer',
): Promise<Buffer | string>;
export function hash(
  algorithm: string,
  data: BinaryLike,
  given?: HashOptions | BufferEncoding | 'buffer',
): Promise<Buffer | string> {
  return attempt(() => {
    validateString(algorithm, 'algorithm');
    const input = toInput(data, 'input');
    const options = readHashOptions(typeof given === 'string' ? { outputEncoding: given } : given);
    const spec = digestSpec(algorithm, options);
    const encoding = options?.outputEncoding;
    return call<Buffer | string>(
      spec,
      [input],
      undefined,
      options,
      encoding === undefined ? firstOutput : (result) => encoded(result.output(0), encoding),
    );
  });
}

/** Asks for the errors of `crypto.createHash()`, some of which differ from the errors of `crypto.hash()`. */
export const AS_STREAM = 1;

export function digestSpec(
  algorithm: string,
  options: (OperationOptions & { outputLength?: number }) | undefined,
  errors?: typeof AS_STREAM,
): Spec {
  const outputLength = options?.outputLength;
  // The usual case needs no name to be made.
  const isPlain = outputLength === undefined && errors === undefined;
  const name = isPlain ? algorithm : `${algorithm}|${String(outputLength)}|${String(errors)}`;
  return specFor(specs, name, options, () => ({
    family: Family.digest,
    algorithm: `hash ${algorithm.toLowerCase()}`,
    names: [digestName(algorithm)],
    numbers: digestNumbers({ outputLength, asStream: errors }),
  }));
}

function readHashOptions(given: HashOptions | undefined): HashOptions | undefined {
  const options = readOperationOptions(given, ['outputEncoding', 'outputLength']);
  validateEncoding(options?.outputEncoding, 'outputEncoding');
  validateOutputLength(options?.outputLength);
  return options;
}

export function validateOutputLength(outputLength: unknown): void {
  if (outputLength !== undefined) validateInteger(outputLength, 'options.outputLength', 0, MOST_OUTPUT_BYTES);
}
