// Message authentication codes.
import { Family, macInputs } from '../native/contract/tables';
import { validateString } from '../base/validators';
import { encoded, toInput, validateEncoding, type BinaryLike } from '../base/bytes';
import { attempt, call, type CallResult } from './call';
import { readOperationOptions, type OperationOptions } from './operation-options';
import { digestName } from './digest-names';
import { SecretKeys, type SecretKeyLike } from './secret-key';

/** Options of {@link hmac}. */
export interface HmacOptions extends OperationOptions {
  /** The encoding of the code. @defaultValue `'buffer'` */
  outputEncoding?: BufferEncoding | 'buffer';
}

const keys = new SecretKeys();

/**
 * The HMAC of `data` (RFC 2104): `crypto.createHmac(algorithm, key).update(data).digest()` as a promise. Everything
 * passed is copied, or was read, when the function returns. To check a code, compare with `crypto.timingSafeEqual()`.
 *
 * @param algorithm - a digest that is not extendable, for example `'sha256'`
 * @param key - of any length, bytes or an object of type `'secret'`; calls with the same object are the cheapest
 * @param data - of any length
 * @returns a Buffer as long as the digest, or a string in `outputEncoding`
 *
 * @throws Everything as a rejection, with the codes of `crypto.createHmac()`: `ERR_CRYPTO_INVALID_DIGEST`,
 * `ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE`, `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`; besides what every operation
 * rejects with: `AbortError`, `ERR_ASYNC_TIMEOUT`, `ERR_ASYNC_QUEUE_FULL`, `ERR_ASYNC_UNSUPPORTED`
 *
 * @example
 * ```ts
 * const code = await hmac('sha256', 'a secret', 'some data', { outputEncoding: 'hex' });
 * ```
 */
export function hmac(
  algorithm: string,
  key: SecretKeyLike,
  data: BinaryLike,
  options?: HmacOptions & { outputEncoding?: 'buffer' },
): Promise<Buffer>;
export function hmac(
  algorithm: string,
  key: SecretKeyLike,
  data: BinaryLike,
  options: HmacOptions & { outputEncoding: BufferEncoding },
): Promise<string>;
export function hmac(
  algorithm: string,
  key: SecretKeyLike,
  data: BinaryLike,
  options?: HmacOptions,
): Promise<Buffer | string>;
export function hmac(
  algorithm: string,
  key: SecretKeyLike,
  data: BinaryLike,
  options?: HmacOptions,
): Promise<Buffer | string> {
  return attempt(() => {
    validateString(algorithm, 'hmac');
    options = readOperationOptions(options, ['outputEncoding']);
    validateEncoding(options?.outputEncoding, 'options.outputEncoding');
    const secret = keys.of(key);
    const input = toInput(data, 'data');
    const spec = secret.spec(algorithm, options, () => ({
      family: Family.mac,
      algorithm: `hmac ${algorithm.toLowerCase()}`,
      names: [digestName(algorithm)],
    }));
    const encoding = options?.outputEncoding;
    return call<Buffer | string>(
      spec,
      macInputs({ data: input, key: secret.input }),
      undefined,
      options,
      encoding === undefined ? firstOutput : (result) => encoded(result.output(0), encoding),
    );
  });
}

const firstOutput = (result: CallResult): Buffer => result.output(0);
