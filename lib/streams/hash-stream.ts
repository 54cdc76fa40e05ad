// Message digests of data that comes in parts.
import { Transform, type TransformCallback } from 'node:stream';
import { copyOf, sizeOf } from '../base/byte-views';
import { nodeError } from '../base/errors';
import { Family, digestNumbers } from '../native/contract/tables';
import { validateString } from '../base/validators';
import { encoded, validateEncoding, type BinaryLike } from '../base/bytes';
import { attempt, call, type Spec } from '../operations/call';
import { digestName } from '../operations/digest-names';
import { AS_STREAM, digestSpec, validateOutputLength, type HashOptions } from '../operations/hash';
import { Sequence } from './sequence';
import { createStreamSpec } from '../operations/spec';
import { readStreamOptions, toPart, transformOptions, type CryptoStreamOptions } from './stream';

/** Options of {@link createHash}. */
export interface HashStreamOptions extends CryptoStreamOptions, Pick<HashOptions, 'outputLength'> {}

// Parts are gathered up to this size: hashing so many bytes costs more than handing them over.
const GATHERED_BYTES = 16 * 1024;
const FIRST_BYTES = 256;

const MORE = [0] as const;
const LAST = [1] as const;

/**
 * A digest of data that comes in parts: `crypto.Hash`, whose {@link HashStream.digest} is a promise. Write data to it
 * as to a stream, whose one chunk of output is the digest, or with {@link HashStream.update}.
 */
export class HashStream extends Transform {
  readonly #algorithm: string;
  readonly #options: HashStreamOptions | undefined;
  readonly #sequence = new Sequence();
  // For a message that is complete in memory when its digest is asked for.
  readonly #whole: Spec;
  // For any other message: made when the first of its calls begins.
  #spec: Spec | undefined;
  #hasState = false;
  #gathered: Buffer = Buffer.alloc(0);
  #used = 0;
  #failure: { error: unknown } | undefined;
  #finalized = false;

  /** @internal */
  constructor(algorithm: string, options: HashStreamOptions | undefined, source?: HashStream) {
    super(transformOptions(options));
    this.#algorithm = algorithm;
    this.#options = options;
    this.#whole = digestSpec(algorithm, options, AS_STREAM);
    if (source === undefined) return;
    this.#gathered = copyOf(source.#gathered.subarray(0, source.#used));
    this.#used = source.#used;
    this.#failure = source.#failure;
    this.#hasState = source.#hasState;
    if (!source.#hasState) return;
    if (source.#sequence.idle) this.#spec = this.#createSpec(source.#spec);
    else this.#startAfter(source);
  }

  /**
   * Adds data. It is copied, or was hashed, when the method returns: small parts are gathered, large ones are hashed in
   * order, off the event loop where that pays. Whoever adds data faster than it is hashed fills memory; the stream's
   * `write()` tells when to wait.
   *
   * @param inputEncoding - of a string. @defaultValue `'utf8'`
   * @returns the object itself
   *
   * @throws `ERR_CRYPTO_HASH_FINALIZED` after `digest()`, `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` for an
   * encoding that does not exist or does not fit. A later error rejects `digest()`
   */
  update(data: BinaryLike, inputEncoding?: BufferEncoding): this {
    if (this.#finalized) throw finalized();
    // eslint-disable-next-line @typescript-eslint/no-empty-function -- digest() tells
    this.#add(toPart(data, inputEncoding))?.catch(() => {});
    return this;
  }

  /**
   * The digest of everything added. Afterwards nothing can be added.
   *
   * @param encoding - the encoding of the digest. @defaultValue `'buffer'`
   *
   * @throws Everything as a rejection: `ERR_CRYPTO_HASH_FINALIZED` for a second call, `ERR_INVALID_ARG_TYPE` and
   * `ERR_INVALID_ARG_VALUE` for a value that is no encoding, `AbortError`, `ERR_ASYNC_TIMEOUT`, `ERR_ASYNC_QUEUE_FULL`
   */
  digest(encoding?: 'buffer'): Promise<Buffer>;
  digest(encoding: BufferEncoding): Promise<string>;
  digest(encoding?: BufferEncoding | 'buffer'): Promise<Buffer | string>;
  digest(encoding?: BufferEncoding | 'buffer'): Promise<Buffer | string> {
    return attempt(() => {
      if (this.#finalized) throw finalized();
      validateEncoding(encoding, 'encoding');
      this.#finalized = true;
      const rest = this.#gathered.subarray(0, this.#used);
      return this.#sequence.run(() => {
        if (this.#failure !== undefined) throw this.#failure.error;
        const spec = this.#hasState ? (this.#spec as Spec) : this.#whole;
        try {
          return call(spec, [rest], LAST, this.#options, (result) => encoded(result.output(0), encoding));
        } finally {
          rest.fill(0);
        }
      });
    });
  }

  /**
   * Another object that goes on from the data that were added so far.
   *
   * @param options - for the new object; an `outputLength` of this one is not taken over
   *
   * @throws `ERR_CRYPTO_HASH_FINALIZED` after `digest()`; what {@link createHash} throws
   */
  copy(options?: HashStreamOptions | null): HashStream {
    if (this.#finalized) throw finalized();
    return new HashStream(this.#algorithm, readHashStreamOptions(options), this);
  }

  /** @internal */
  override _transform(chunk: unknown, encoding: BufferEncoding, callback: TransformCallback): void {
    try {
      if (this.#finalized) throw finalized();
      const added = this.#add(toPart(chunk, encoding));
      if (added === undefined) callback();
      else added.then(() => callback(), callback);
    } catch (error) {
      callback(error as Error);
    }
  }

  /** @internal */
  override _flush(callback: TransformCallback): void {
    this.digest().then((digest) => callback(null, digest), callback);
  }

  // Undefined when there is nothing to wait for.
  #add(part: Uint8Array): Promise<void> | undefined {
    const size = this.#used + sizeOf(part);
    if (size > GATHERED_BYTES) return this.#hash([this.#takeGathered(), part]);
    if (size > this.#gathered.length) {
      const larger = Buffer.allocUnsafeSlow(Math.min(Math.max(FIRST_BYTES, 2 * size), GATHERED_BYTES));
      larger.set(this.#gathered.subarray(0, this.#used));
      this.#gathered.fill(0, 0, this.#used);
      this.#gathered = larger;
    }
    if (size > this.#used) this.#gathered.set(part, this.#used); // which throws for a detached one
    this.#used = size;
    return undefined;
  }

  #takeGathered(): Uint8Array {
    const gathered = this.#gathered.subarray(0, this.#used);
    this.#used = 0;
    return gathered;
  }

  #hash(parts: Uint8Array[]): Promise<void> {
    if (!this.#hasState) this.#spec = this.#createSpec(undefined);
    this.#hasState = true;
    const copies = this.#sequence.idle ? undefined : parts.map(copyOf);
    const hashed = this.#sequence.run(() => {
      try {
        return call(this.#spec as Spec, copies ?? parts, MORE, this.#options, nothing);
      } finally {
        for (const copy of copies ?? []) copy.fill(0);
      }
    });
    hashed.catch((error: unknown) => (this.#failure ??= { error }));
    return hashed;
  }

  // The state of `source` can be copied once the calls that were made on it by now have ended.
  #startAfter(source: HashStream): void {
    const started = this.#sequence.run(() =>
      source.#sequence.run(() => {
        if (source.#failure !== undefined) throw source.#failure.error;
        this.#spec = this.#createSpec(source.#spec);
        return Promise.resolve();
      }),
    );
    started.catch((error: unknown) => (this.#failure ??= { error }));
  }

  #createSpec(source: Spec | undefined): Spec {
    const request = {
      family: Family.digestStream,
      algorithm: `hash stream ${this.#algorithm.toLowerCase()}`,
      names: [digestName(this.#algorithm)],
      numbers: digestNumbers({ outputLength: this.#options?.outputLength, asStream: undefined }),
      source,
    };
    return createStreamSpec(request, this.#options);
  }
}

/**
 * A digest of data that comes in parts: `crypto.createHash()`. The object is a stream to write to and to read the
 * digest from; or use `update()`, which returns at once, and `digest()`, which returns a promise. Small parts are
 * gathered; large ones are hashed in order, off the event loop where that pays.
 *
 * @param algorithm - for example `'sha256'`; any of `crypto.getHashes()`
 *
 * @throws as `crypto.createHash()`: an error without a code for a digest that OpenSSL does not know,
 * `ERR_OSSL_EVP_UNSUPPORTED` for one that no loaded provider has, `ERR_OSSL_EVP_NOT_XOF_OR_INVALID_LENGTH` for an
 * `outputLength` that it does not have, `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`; `ERR_INVALID_ARG_VALUE` for an
 * unknown option; `ERR_ASYNC_UNSUPPORTED`
 *
 * @example
 * ```ts
 * const digest = await createHash('sha256').update('some ').update('data').digest('hex');
 * const [ofFile] = (await createReadStream('package.json').pipe(createHash('sha256')).toArray()) as [Buffer];
 * ```
 */
export function createHash(algorithm: string, options?: HashStreamOptions | null): HashStream {
  validateString(algorithm, 'algorithm');
  return new HashStream(algorithm, readHashStreamOptions(options));
}

function readHashStreamOptions(given: HashStreamOptions | null | undefined): HashStreamOptions | undefined {
  const options = readStreamOptions(given ?? undefined, ['outputLength']);
  validateOutputLength(options?.outputLength);
  return options;
}

function finalized(): Error {
  return nodeError('ERR_CRYPTO_HASH_FINALIZED', 'Digest already called');
}

const nothing = (): void => undefined;
