// Message digests.
import { invalidArgType } from '../errors';
import { Family } from '../native/contract';
import { validateInteger } from '../validators';
import { encoded, toInput, validateEncoding, type BinaryLike } from './bytes';
import { attempt, call, validateOperationOptions, type CallResult, type OperationOptions } from './call';
import { createSpec, scopeName, scopeOf, SpecTable } from './spec';

/** Options of {@link hash}. */
export interface HashOptions extends OperationOptions {
  /** What the digest is given as. @defaultValue `'buffer'` */
  outputEncoding?: BufferEncoding | 'buffer';
  /** Of an extendable function such as SHAKE256: bytes of output. */
  outputLength?: number;
}

const specs = new SpecTable();

/**
 * The digest of `data`: `crypto.hash()` as a promise. `data` is copied, or was read, when the function returns.
 *
 * @param algorithm - for example `'sha256'`
 * @returns a Buffer, or a string in `outputEncoding`
 *
 * @throws Everything as a rejection: `ERR_CRYPTO_INVALID_DIGEST`, `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`,
 * `ERR_OUT_OF_RANGE`, and what every operation rejects with
 *
 * @example
 * ```ts
 * const digest = await hash('sha256', 'some data', { outputEncoding: 'hex' });
 * ```
 */
export function hash(
  algorithm: string,
  data: BinaryLike,
  options?: HashOptions & { outputEncoding?: 'buffer' },
): Promise<Buffer>;
export function hash(
  algorithm: string,
  data: BinaryLike,
  options: HashOptions & { outputEncoding: BufferEncoding },
): Promise<string>;
export function hash(algorithm: string, data: BinaryLike, options?: HashOptions): Promise<Buffer | string>;
export function hash(algorithm: string, data: BinaryLike, options?: HashOptions): Promise<Buffer | string> {
  return attempt(() => {
    if (typeof algorithm !== 'string') throw invalidArgType('algorithm', 'of type string', algorithm);
    if (options !== undefined) validateHashOptions(options);
    const input = toInput(data, 'data');
    const scope = scopeOf(options);
    const outputLength = options?.outputLength;
    const spec = specs.get(`${algorithm}|${String(outputLength)}|${scopeName(scope)}`, () =>
      createSpec({
        family: Family.digest,
        algorithm: `hash ${algorithm.toLowerCase()}`,
        names: [algorithm],
        numbers: [outputLength],
        scope,
      }),
    );
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

const firstOutput = (result: CallResult): Buffer => result.output(0);

function validateHashOptions(options: HashOptions): void {
  validateOperationOptions(options, ['outputEncoding', 'outputLength']);
  validateEncoding(options.outputEncoding, 'options.outputEncoding');
  if (options.outputLength !== undefined) validateInteger(options.outputLength, 'options.outputLength', 0, 2 ** 31 - 1);
}
