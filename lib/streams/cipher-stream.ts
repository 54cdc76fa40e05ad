// Encryption and decryption of messages that come in parts.
import { getCipherInfo } from 'node:crypto';
import { Transform, type TransformCallback } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { inspect } from 'node:util';
import { copyOf, sizeOf } from '../base/byte-views';
import { invalidArgValue, nodeError } from '../base/errors';
import { Family, cipherPartInputs, cipherPartNumbers } from '../native/contract/tables';
import { environment } from '../native/environment';
import { isolateErrors } from '../native/error-queue';
import { validateBoolean, validateString } from '../base/validators';
import { toInput, type BinaryLike } from '../base/bytes';
import { attempt, call, type CallResult, type Decode, type Spec } from '../operations/call';
import { cipherNames } from '../operations/cipher-names';
import { validateTagLength } from '../operations/cipher';
import { secretBytes, type SecretKeyLike } from '../operations/secret-key';
import { Sequence } from './sequence';
import { createStreamSpec } from '../operations/spec';
import { readStreamOptions, toPart, transformOptions, type CryptoStreamOptions } from './stream';

/** Options of {@link createCipheriv} and {@link createDecipheriv}. */
export interface CipherStreamOptions extends CryptoStreamOptions {
  /** Bytes of the tag of an authenticating cipher, as in {@link EncryptOptions.authTagLength}. */
  authTagLength?: number;
}

/** Options of `setAAD()`. */
export interface AadOptions {
  /** Bytes of the decrypted message, which CCM has to know beforehand. */
  plaintextLength?: number;
  /** The encoding of data that is a string. @defaultValue `'utf8'` */
  encoding?: BufferEncoding;
}

type Direction = typeof Family.encryptStream | typeof Family.decryptStream;

interface Message {
  readonly algorithm: string;
  readonly ivSize: number;
  readonly spec: Spec;
  readonly options: CipherStreamOptions | undefined;
}

/** The common part of {@link CipherStream} and {@link DecipherStream}. */
export abstract class CipherTransform extends Transform {
  /** @internal */
  protected readonly message: Message;
  /** @internal */
  protected hasBegun = false;
  /** @internal */
  protected finalized = false;
  /** @internal To be handed over with the next call. */
  protected nextTag: Uint8Array | undefined;
  readonly #sequence = new Sequence();
  #aad: Uint8Array | undefined;
  #plaintextLength = NaN;
  #pads = true;
  #outputEncoding: string | undefined;
  #decoder: StringDecoder | undefined;

  /** @internal */
  constructor(message: Message) {
    super(transformOptions(message.options));
    this.message = message;
  }

  /**
   * Adds a part of the message. Parts are processed one after the other, in the order of the calls, off the event loop
   * where that pays; `data` is copied, or was read, when the method returns.
   *
   * @param inputEncoding - of a string. @defaultValue `'utf8'`
   * @param outputEncoding - the encoding of the result; the same in every call. @defaultValue `'buffer'`
   * @returns the part of the result that is known by now
   *
   * @throws Everything as a rejection: an error without a code after `final()`, or for data that the cipher does not
   * take; `ERR_CRYPTO_INVALID_MESSAGELEN`, `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_UNKNOWN_ENCODING`,
   * `AbortError`, `ERR_ASYNC_TIMEOUT`, `ERR_ASYNC_QUEUE_FULL`
   */
  update(data: BinaryLike, inputEncoding?: BufferEncoding, outputEncoding?: 'buffer'): Promise<Buffer>;
  update(data: BinaryLike, inputEncoding: BufferEncoding | undefined, outputEncoding: BufferEncoding): Promise<string>;
  update(
    data: BinaryLike,
    inputEncoding?: BufferEncoding,
    outputEncoding?: BufferEncoding | 'buffer',
  ): Promise<Buffer | string> {
    return attempt<Buffer | string>(() => {
      const part = toPart(data, inputEncoding);
      const decoder = this.#decoderFor(outputEncoding);
      if (this.finalized) throw new Error('Trying to add data in unsupported state');
      return this.#run(part, (result) => {
        const bytes = this.bytesOf(result);
        return decoder === undefined ? bytes : decoder.write(bytes);
      });
    });
  }

  /**
   * Ends the message. Afterwards only the object's tag can be used.
   *
   * @param outputEncoding - as of `update()`
   * @returns the rest of the result
   *
   * @throws Everything as a rejection: `ERR_CRYPTO_INVALID_STATE` for a second call, `ERR_OSSL_BAD_DECRYPT`,
   * `ERR_OSSL_WRONG_FINAL_BLOCK_LENGTH`, an error without a code for a message that is not authentic, and as `update()`
   */
  final(outputEncoding?: 'buffer'): Promise<Buffer>;
  final(outputEncoding: BufferEncoding): Promise<string>;
  final(outputEncoding?: BufferEncoding | 'buffer'): Promise<Buffer | string> {
    return attempt<Buffer | string>(() => {
      const decoder = this.#decoderFor(outputEncoding);
      if (this.finalized) throw nodeError('ERR_CRYPTO_INVALID_STATE', 'Invalid state');
      this.finalized = true;
      const ended = this.#run(undefined, (result) => {
        this.onFinal(result);
        const bytes = this.bytesOf(result);
        return decoder === undefined ? bytes : decoder.end(bytes);
      });
      // The spec holds the key.
      const release = (): void => {
        environment().addon.specs.release(this.message.spec.native);
      };
      ended.then(release, release);
      return ended;
    });
  }

  /**
   * For an authenticating cipher: data that is authenticated with the message. To be called before `update()`; the
   * data of several calls are joined.
   *
   * @returns the object itself
   *
   * @throws `ERR_CRYPTO_INVALID_STATE` for another cipher, or later; with CCM, `ERR_MISSING_ARGS` without the option
   * `plaintextLength`, and `ERR_CRYPTO_INVALID_MESSAGELEN` when that is too long; `ERR_INVALID_ARG_TYPE`,
   * `ERR_INVALID_ARG_VALUE`
   */
  setAAD(data: BinaryLike, options?: AadOptions): this {
    const length = options?.plaintextLength ?? undefined;
    if (length !== undefined && length >>> 0 !== length) {
      throw invalidArgValue('options.plaintextLength', length, 'is invalid');
    }
    const aad = toPart(data, options?.encoding, 'aadbuf');
    const mode = this.authenticatingMode();
    if (mode === undefined || this.hasBegun || this.finalized) throw invalidState('setAAD');
    if (mode === 'ccm') {
      if (length === undefined) {
        throw nodeError('ERR_MISSING_ARGS', 'options.plaintextLength required for CCM mode with AAD', TypeError);
      }
      if (length > longestOfCcm(this.message.ivSize)) {
        throw nodeError('ERR_CRYPTO_INVALID_MESSAGELEN', 'Invalid message length', RangeError);
      }
      this.#plaintextLength = length;
    }
    this.#aad = Buffer.concat([this.#aad ?? Buffer.alloc(0), copyOf(aad)]);
    return this;
  }

  /**
   * For block modes: whether the message is padded (PKCS#7), which it is by default. To be called before `final()`.
   *
   * @returns the object itself
   *
   * @throws `ERR_CRYPTO_INVALID_STATE` after `final()`, `ERR_INVALID_ARG_TYPE`
   */
  setAutoPadding(autoPadding = true): this {
    validateBoolean(autoPadding, 'autoPadding');
    if (this.finalized) throw invalidState('setAutoPadding');
    this.#pads = autoPadding;
    return this;
  }

  /** @internal */
  override _transform(chunk: BinaryLike, encoding: BufferEncoding, callback: TransformCallback): void {
    const inputEncoding = typeof chunk === 'string' ? encoding : undefined;
    this.update(chunk, inputEncoding).then((bytes) => callback(null, bytes), callback);
  }

  /** @internal */
  override _flush(callback: TransformCallback): void {
    this.final().then((bytes) => callback(null, bytes), callback);
  }

  /** @internal */
  protected abstract bytesOf(result: CallResult): Buffer;
  /** @internal */
  protected abstract onFinal(result: CallResult): void;

  /** @internal */
  protected authenticatingMode(): 'gcm' | 'ccm' | 'ocb' | 'chacha20-poly1305' | undefined {
    const { algorithm } = this.message;
    if (/^chacha20-poly1305$/i.test(algorithm)) return 'chacha20-poly1305';
    const mode = isolateErrors(() => getCipherInfo(algorithm))?.mode;
    return mode === 'gcm' || mode === 'ccm' || mode === 'ocb' ? mode : undefined;
  }

  #run<T>(part: Uint8Array | undefined, decode: Decode<T>): Promise<T> {
    const copy = part === undefined || this.#sequence.idle ? undefined : copyOf(part);
    const inputs = cipherPartInputs({ data: copy ?? part, authenticatedData: this.#aad, tag: this.nextTag });
    const numbers = cipherPartNumbers({
      isLast: part === undefined ? 1 : 0,
      autoPadding: Number(this.#pads),
      plaintextLength: this.#plaintextLength,
    });
    this.hasBegun = true;
    this.#aad = this.nextTag = undefined;
    return this.#sequence.run(() => {
      try {
        return call(this.message.spec, inputs, numbers, this.message.options, decode);
      } finally {
        copy?.fill(0);
      }
    });
  }

  // The decoder keeps the incomplete character at the end of a result until the next one.
  #decoderFor(encoding: unknown): StringDecoder | undefined {
    if (encoding === undefined || encoding === null || encoding === 'buffer') return undefined;
    if (typeof encoding !== 'string' || !Buffer.isEncoding(encoding)) {
      throw nodeError('ERR_UNKNOWN_ENCODING', `Unknown encoding: ${inspect(encoding)}`, TypeError);
    }
    this.#outputEncoding ??= encoding;
    if (encoding !== this.#outputEncoding) {
      throw invalidArgValue('outputEncoding', encoding, `cannot be changed from '${this.#outputEncoding}'`);
    }
    return (this.#decoder ??= new StringDecoder(encoding));
  }
}

/**
 * An encryption in parts: `crypto.Cipheriv` whose `update()` and `final()` are promises. See {@link createCipheriv}.
 */
export class CipherStream extends CipherTransform {
  #authTag: Buffer | undefined;

  /**
   * The tag of an authenticating cipher, once `final()` has resolved or the stream has ended.
   *
   * @throws `ERR_CRYPTO_INVALID_STATE` for another cipher, or earlier
   */
  getAuthTag(): Buffer {
    if (this.#authTag === undefined) throw invalidState('getAuthTag');
    return Buffer.from(this.#authTag);
  }

  /** @internal */
  protected override bytesOf(result: CallResult): Buffer {
    return result.output(0);
  }

  /** @internal */
  protected override onFinal(result: CallResult): void {
    const tag = result.output(1);
    if (tag.length > 0) this.#authTag = tag;
  }
}

/**
 * A decryption in parts: `crypto.Decipheriv` whose `update()` and `final()` are promises. See {@link createDecipheriv}.
 */
export class DecipherStream extends CipherTransform {
  #hasTag = false;

  /**
   * For an authenticating cipher: the tag that the message has to have. To be called once, before `final()`; with CCM,
   * before `update()`.
   *
   * @param encoding - of a tag that is a string. @defaultValue `'utf8'`
   * @returns the object itself
   *
   * @throws `ERR_CRYPTO_INVALID_STATE` for another cipher, for a second call and after `final()`;
   * `ERR_CRYPTO_INVALID_AUTH_TAG` for a tag of the wrong length; `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`
   */
  setAuthTag(tag: BinaryLike, encoding?: BufferEncoding): this {
    const bytes = toPart(tag, encoding, 'buffer');
    const mode = this.authenticatingMode();
    if (mode === undefined || this.#hasTag || this.finalized) throw invalidState('setAuthTag');
    if (!isTagLength(mode, sizeOf(bytes), this.message.options?.authTagLength)) {
      const message = `Invalid authentication tag length: ${String(sizeOf(bytes))}`;
      throw nodeError('ERR_CRYPTO_INVALID_AUTH_TAG', message, TypeError);
    }
    this.#hasTag = true;
    this.nextTag = copyOf(bytes);
    return this;
  }

  /** @internal */
  protected override bytesOf(result: CallResult): Buffer {
    return result.output(0);
  }

  /** @internal */
  // eslint-disable-next-line @typescript-eslint/no-empty-function -- there is nothing else to a decryption's end
  protected override onFinal(): void {}
}

/**
 * An encryption in parts: `crypto.createCipheriv()`. The object is a stream to write the message to and to read the
 * ciphertext from; or use `update()` and `final()`, which return promises. Parts are processed one after the other, in
 * order, off the event loop where that pays. For a whole message, use {@link encrypt}.
 *
 * @param algorithm - as of {@link encrypt}
 * @param key - as of {@link encrypt}; copied, and wiped after `final()`, or when the object is collected
 * @param iv - as of {@link encrypt}
 *
 * @throws as `crypto.createCipheriv()`: `ERR_CRYPTO_UNKNOWN_CIPHER`, `ERR_CRYPTO_INVALID_KEYLEN`,
 * `ERR_CRYPTO_INVALID_IV`, `ERR_CRYPTO_INVALID_AUTH_TAG`, `ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE`, `ERR_OSSL_…`,
 * `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`; `ERR_ASYNC_UNSUPPORTED`
 *
 * @example
 * ```ts
 * const cipher = createCipheriv('aes-256-gcm', await randomBytes(32), await randomBytes(12));
 * const data = Buffer.concat([await cipher.update('some '), await cipher.update('data'), await cipher.final()]);
 * const authTag = cipher.getAuthTag();
 * ```
 */
export function createCipheriv(
  algorithm: string,
  key: SecretKeyLike,
  iv: BinaryLike | null,
  options?: CipherStreamOptions,
): CipherStream {
  return new CipherStream(begin(Family.encryptStream, algorithm, key, iv, options));
}

/**
 * A decryption in parts: `crypto.createDecipheriv()`; see {@link createCipheriv}. With an authenticating cipher, output
 * is not known to be authentic before `final()` has resolved or the stream has ended: use none of it until then, or use
 * {@link decrypt}, which gives authentic messages only. CCM alone checks beforehand.
 *
 * @throws as {@link createCipheriv}
 *
 * @example
 * ```ts
 * const [key, iv] = [await randomBytes(32), await randomBytes(16)];
 * const data = await encrypt('aes-256-cbc', key, iv, 'a message');
 * const decipher = createDecipheriv('aes-256-cbc', key, iv);
 * const message = Buffer.concat([await decipher.update(data), await decipher.final()]);
 * ```
 */
export function createDecipheriv(
  algorithm: string,
  key: SecretKeyLike,
  iv: BinaryLike | null,
  options?: CipherStreamOptions,
): DecipherStream {
  return new DecipherStream(begin(Family.decryptStream, algorithm, key, iv, options));
}

function begin(
  family: Direction,
  algorithm: string,
  key: SecretKeyLike,
  iv: BinaryLike | null,
  given: CipherStreamOptions | undefined,
): Message {
  validateString(algorithm, 'cipher');
  const secret = secretBytes(key, 'key');
  try {
    const nonce = iv === null ? undefined : toInput(iv, 'iv');
    const options = readStreamOptions(given, ['authTagLength']);
    validateTagLength(options?.authTagLength);
    const request = {
      family,
      algorithm: `${family === Family.encryptStream ? 'encrypt' : 'decrypt'} stream ${algorithm.toLowerCase()}`,
      names: cipherNames(algorithm, options),
      numbers: [options?.authTagLength],
      bytes: nonce === undefined ? [secret.bytes] : [secret.bytes, nonce],
    };
    const spec = createStreamSpec(request, options);
    return { algorithm, ivSize: nonce === undefined ? 0 : sizeOf(nonce), spec, options };
  } finally {
    secret.wipe();
  }
}

/** SP 800-38C: the nonce and the length of the message share the bytes of a block. */
function longestOfCcm(ivSize: number): number {
  return ivSize >= 12 ? 2 ** (8 * (15 - ivSize)) - 1 : 2 ** 31 - 1;
}

function isTagLength(mode: string, length: number, expected: number | undefined): boolean {
  if (mode !== 'gcm') return length === (expected ?? 16);
  return (expected ?? length) === length && (length === 4 || length === 8 || (length >= 12 && length <= 16));
}

function invalidState(operation: string): Error {
  return nodeError('ERR_CRYPTO_INVALID_STATE', `Invalid state for operation ${operation}`);
}
