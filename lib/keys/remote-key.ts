// Private keys that JavaScript functions work with: they ask a cloud's key service, an HSM, another process.
import { asyncError, fromNative, invalidArgType, invalidArgValue, isNativeError } from '../base/errors';
import { heldPrivateKey, publicKeyEntry, type AsyncKey, type HeldKey, type KeyLike } from './key';
import type { NativeKey, NativeScope } from '../native/contract/addon';
import {
  RemoteKeyFlag,
  RemoteOperation,
  RemoteRefusal,
  RemoteWord,
  WORDS_PER_REMOTE_REQUEST,
} from '../native/contract/tables';
import { bytesOf, unshared } from '../base/byte-views';
import { environment, type Asked, type Environment, type Listener } from '../native/environment';
import type { BinaryLike } from '../base/bytes';
import { readOptions, validateBoolean, validateFunction, validateInteger } from '../base/validators';

/** Types of keys that can be held elsewhere, as `asymmetricKeyType` names them. */
export type RemoteKeyType = 'rsa' | 'rsa-pss' | 'ec' | 'ed25519' | 'ed448' | 'x25519' | 'x448';

/** What every function of a remote key is told. */
export interface RemoteRequest {
  /** The key's type. */
  readonly algorithm: RemoteKeyType;
  /** Aborted when nobody waits for the answer any more: the time is up, or the operation's caller gave up. */
  readonly signal: AbortSignal;
}

/** What {@link RemoteKeyOptions.sign} is asked to sign: `digest`, or `data` where the algorithm takes messages whole. */
export interface RemoteSignRequest extends RemoteRequest {
  /** The name of the digest, for example `'sha256'`. Undefined with `data`. */
  readonly digestAlgorithm: string | undefined;
  /** RSA, ECDSA: the digest of the message. PKCS#1 v1.5 signs it within a DigestInfo (RFC 8017, section 9.2). */
  readonly digest: Buffer | undefined;
  /** Ed25519, Ed448: the message. RSA without a digest, as `privateEncrypt()` has it: the bytes to be padded. */
  readonly data: Buffer | undefined;
  /** RSA: `crypto.constants.RSA_PKCS1_PADDING`, `RSA_PKCS1_PSS_PADDING` or `RSA_NO_PADDING`. */
  readonly padding: number | undefined;
  /** PSS: in bytes. */
  readonly saltLength: number | undefined;
  /** PSS: the digest of MGF1. */
  readonly mgf1Digest: string | undefined;
}

/** What {@link RemoteKeyOptions.decrypt} is asked to decrypt. */
export interface RemoteDecryptRequest extends RemoteRequest {
  /** The ciphertext. */
  readonly data: Buffer;
  /** `crypto.constants.RSA_PKCS1_OAEP_PADDING`, `RSA_PKCS1_PADDING` or `RSA_NO_PADDING`. */
  readonly padding: number;
  /** OAEP: the digest. */
  readonly oaepHash: string | undefined;
  /** OAEP: the digest of MGF1. */
  readonly mgf1Digest: string | undefined;
  /** OAEP: the label, if there is one. */
  readonly oaepLabel: Buffer | undefined;
}

/** What {@link RemoteKeyOptions.derive} is asked to derive a secret with. */
export interface RemoteDeriveRequest extends RemoteRequest {
  /** The peer's public key, on the key's own curve: DER of SubjectPublicKeyInfo. */
  readonly publicKey: Buffer;
}

/** Bytes, now or later. */
export type RemoteAnswer = Exclude<BinaryLike, string> | PromiseLike<Exclude<BinaryLike, string>>;

/** Options of {@link createRemoteKey}. At least one of the functions is needed. */
export interface RemoteKeyOptions {
  /** The public key, a certificate, or an object that holds one. */
  publicKey: KeyLike;
  /** RSA, RSA-PSS, EC, Ed25519, Ed448: gives the signature. */
  sign?: (request: RemoteSignRequest) => RemoteAnswer;
  /**
   * RSA: gives the plaintext, without padding. With PKCS#1 v1.5, a function that fails for wrong padding lets whoever may
   * send ciphertexts decrypt any: it has to give random bytes instead.
   */
  decrypt?: (request: RemoteDecryptRequest) => RemoteAnswer;
  /** EC, X25519, X448: gives the secret, for EC the x coordinate, as long as the curve's field. */
  derive?: (request: RemoteDeriveRequest) => RemoteAnswer;
  /**
   * How long an operation waits for its answer, its time in the line included. 1 to 2 147 483 647 milliseconds.
   * @defaultValue 10 000
   */
  timeoutMs?: number;
  /** Calls of the functions that may be under way; further ones stand in line. 1 to 65 536. @defaultValue 256 */
  maxConcurrent?: number;
  /** Whether signatures are checked with the public key before they are used. @defaultValue false */
  verify?: boolean;
  /** ECDSA: whether `sign` gives DER, or r and s next to each other. @defaultValue `'der'` */
  dsaEncoding?: 'der' | 'ieee-p1363';
}

const OPTIONS = [
  'publicKey',
  'sign',
  'decrypt',
  'derive',
  'timeoutMs',
  'maxConcurrent',
  'verify',
  'dsaEncoding',
] as const;

type OperationName = keyof typeof RemoteOperation;
type Functions = Partial<Record<OperationName, (request: never) => unknown>>;

const NAMES = Object.keys(RemoteOperation) as OperationName[];
const OPERATIONS: Readonly<Record<RemoteKeyType, readonly OperationName[]>> = {
  rsa: ['sign', 'decrypt'],
  'rsa-pss': ['sign'],
  ec: ['sign', 'derive'],
  ed25519: ['sign'],
  ed448: ['sign'],
  x25519: ['derive'],
  x448: ['derive'],
};

// For what operations need besides the key, which has a library of its own with the provider `remote`. They pause.
const SCOPE: NativeScope = [1, '?provider=remote', true, undefined, 'provider:remote'];

/**
 * Makes a private key of functions that know somebody who has it: a cloud's key service, an HSM, another process.
 * `sign()`, `privateDecrypt()`, `diffieHellman()` take it as any other key. Such an operation runs in an OpenSSL job, which
 * is paused while the function works; `stats()` counts it among `jobs` and `paused`.
 *
 * The functions are called on the event loop of the thread that made the key, in the order in which they were needed.
 * What they are given is a copy. An operation whose caller gives up (`signal`, `timeoutMs`) is over for the caller at
 * once; the function's `request.signal` is aborted, and its answer is waited for unheard.
 *
 * Operations reject with `ERR_ASYNC_REMOTE_KEY_FAILED`, whose `cause` is what the function threw or rejected with;
 * `ERR_ASYNC_REMOTE_KEY_INVALID_RESULT`; `ERR_ASYNC_REMOTE_KEY_TIMEOUT`; `ERR_ASYNC_REMOTE_KEY_UNSUPPORTED` when there is
 * no function for them; `ERR_ASYNC_REMOTE_KEY_CANNOT_WAIT` when they were made to run outside a job (`mode: 'inline'`).
 *
 * @returns a private key whose private part nobody can export: `ERR_ASYNC_KEY_NOT_EXPORTABLE`
 *
 * @throws what `createPublicKey()` throws; `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`;
 * `ERR_ASYNC_INVALID_KEY`, `ERR_ASYNC_UNSUPPORTED`
 *
 * @example
 * ```ts
 * const key = createRemoteKey({
 *   publicKey,
 *   sign: async ({ digest, signal }) => kms.sign('keys/1', digest, { signal }),
 * });
 * const signature = await sign('sha256', 'some data', key);
 * ```
 */
export function createRemoteKey(options: RemoteKeyOptions): AsyncKey {
  const given = readOptions(options, 'options', OPTIONS);
  const { publicKey, timeoutMs = 10_000, maxConcurrent = 256, verify = false, dsaEncoding = 'der' } = given;
  validateInteger(timeoutMs, 'options.timeoutMs', 1, 2 ** 31 - 1);
  validateInteger(maxConcurrent, 'options.maxConcurrent', 1, 65_536);
  validateBoolean(verify, 'options.verify');
  if (dsaEncoding !== 'der' && dsaEncoding !== 'ieee-p1363') {
    throw invalidArgValue('options.dsaEncoding', dsaEncoding, "must be 'der' or 'ieee-p1363'");
  }
  const { keyObject, spki } = publicKeyEntry(publicKey, 'options.publicKey');
  const type = keyObject.asymmetricKeyType as RemoteKeyType;
  const functions = functionsOf(given, type);
  const env = environment();
  const number = nextNumber++;
  const operations = NAMES.reduce((bits, name) => bits | (name in functions ? 1 << RemoteOperation[name] : 0), 0);
  const flags = (verify ? RemoteKeyFlag.verifies : 0) | (dsaEncoding === 'ieee-p1363' ? RemoteKeyFlag.p1363 : 0);
  const native = env.addon.createRemoteKey(spki, type.toUpperCase(), number, operations, flags);
  if (isNativeError(native)) throw fromNative(native);
  listen(env);
  const key = new RemoteKey(env, native, type, spki, functions, timeoutMs, maxConcurrent);
  keys.set(number, new WeakRef(key));
  collected.register(key, number);
  return heldPrivateKey(spki, key);
}

function functionsOf(options: Partial<Record<OperationName, unknown>>, type: RemoteKeyType): Functions {
  const known = (OPERATIONS as Partial<Record<string, readonly OperationName[]>>)[type];
  if (known === undefined) {
    throw invalidArgValue('options.publicKey', type, `must be a key of type ${Object.keys(OPERATIONS).join(', ')}`);
  }
  const functions = { __proto__: null } as Functions;
  for (const name of NAMES) {
    const given = options[name];
    if (given === undefined) continue;
    validateFunction(given, `options.${name}`);
    if (!known.includes(name)) throw invalidArgValue(`options.${name}`, given, `is nothing that ${type} keys do`);
    functions[name] = given;
  }
  if (Object.keys(functions).length > 0) return functions;
  throw invalidArgType(`options.${known[0] as string}`, 'of type function', undefined);
}

// By the numbers that native code knows them by. A key lives as long as somebody can use it: the object that was given
// out, and operations that are under way.
const keys = new Map<number, WeakRef<RemoteKey>>();
const collected = new FinalizationRegistry<number>((number) => keys.delete(number));
let nextNumber = 0;
let listening = false;

// Has to live as long as the addon.
const onRequests = (words: readonly unknown[]): void => {
  const { addon } = environment();
  for (let at = 0; at < words.length; at += WORDS_PER_REMOTE_REQUEST) {
    const key = keys.get(words[at + RemoteWord.key] as number)?.deref();
    if (key !== undefined) key.ask(words, at);
    else addon.refuseRemote(words[at + RemoteWord.id] as number, RemoteRefusal.failed, 'The remote key is gone');
  }
};

function listen(env: Environment): void {
  if (listening) return;
  env.start();
  env.addon.setRemoteSink(onRequests);
  listening = true;
}

class RemoteKey implements HeldKey {
  readonly scope = SCOPE;
  readonly holder = 'whoever its functions ask';
  #active = 0;
  readonly #line: Asking[] = [];
  #advancing = false;

  constructor(
    readonly env: Environment,
    readonly native: NativeKey,
    readonly type: RemoteKeyType,
    readonly spki: Buffer,
    readonly functions: Functions,
    readonly timeoutMs: number,
    readonly maxConcurrent: number,
  ) {}

  ask(words: readonly unknown[], at: number): void {
    this.#line.push(new Asking(this, words, at));
    this.advance();
  }

  /** One of those that were under way has ended. */
  ended(): void {
    --this.#active;
    this.advance();
  }

  // A function may answer at once, and so come back here: that must not nest.
  private advance(): void {
    if (this.#advancing) return;
    this.#advancing = true;
    try {
      while (this.#active < this.maxConcurrent) {
        const next = this.#line.shift();
        if (next === undefined) break;
        if (next.isOver) continue;
        ++this.#active;
        next.begin();
      }
    } finally {
      this.#advancing = false;
    }
  }
}

/** A request, from the job that makes it to its answer. */
class Asking implements Asked {
  isOver = false;
  readonly #id: number;
  readonly #asker: Listener | undefined;
  readonly #operation: OperationName;
  readonly #request: Request;
  readonly #timer: NodeJS.Timeout;
  #began = false;
  #controller: AbortController | undefined;
  #unwanted: { reason: unknown } | undefined;

  constructor(
    readonly key: RemoteKey,
    words: readonly unknown[],
    at: number,
  ) {
    this.#id = words[at + RemoteWord.id] as number;
    this.#asker = key.env.listener(words[at + RemoteWord.job] as number);
    this.#operation = NAMES[words[at + RemoteWord.operation] as number] as OperationName;
    this.#request = new REQUESTS[this.#operation](this, words, at);
    // As long as somebody waits for it, the operation keeps the process alive, not this.
    this.#timer = setTimeout(() => {
      this.#expire();
    }, key.timeoutMs).unref();
    this.#asker?.asking?.(this);
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#unwanted !== undefined) this.#controller.abort(this.#unwanted.reason);
    }
    return this.#controller.signal;
  }

  begin(): void {
    this.#began = true;
    try {
      const answer = this.call();
      if (!isThenable(answer)) {
        this.#answer(answer);
        return;
      }
      answer.then(
        (value) => {
          this.#answer(value);
        },
        (reason: unknown) => {
          this.#fail(reason);
        },
      );
    } catch (error) {
      this.#fail(error);
    }
  }

  // In the context of the operation that needs the key.
  private call(): unknown {
    const ask = this.key.functions[this.#operation] as (request: Request) => unknown;
    const inContext = this.#asker?.inContext;
    return inContext === undefined ? ask(this.#request) : inContext(() => ask(this.#request));
  }

  unwanted(reason: unknown): void {
    this.#abort(reason);
    if (!this.#began) this.#refuse(RemoteRefusal.failed, 'The operation was given up');
  }

  #answer(value: unknown): void {
    const bytes = bytesOf(value);
    if (bytes === undefined) {
      this.#refuse(RemoteRefusal.invalidResult, `${this.#operation}() of the remote key gave no bytes`);
      return;
    }
    if (this.#end()) this.key.env.addon.answerRemote(this.#id, unshared(bytes));
    this.#release();
  }

  #fail(reason: unknown): void {
    if (!this.isOver) this.#asker?.blame?.(reason);
    this.#refuse(RemoteRefusal.failed, `${this.#operation}() of the remote key failed`);
  }

  #expire(): void {
    const message = `The remote key did not answer within ${String(this.key.timeoutMs)} ms`;
    this.#refuse(RemoteRefusal.timeout, message);
    this.#abort(asyncError('ERR_ASYNC_REMOTE_KEY_TIMEOUT', message));
  }

  #refuse(why: number, message: string): void {
    if (this.#end()) this.key.env.addon.refuseRemote(this.#id, why, message);
    this.#release();
  }

  #abort(reason: unknown): void {
    this.#unwanted ??= { reason };
    this.#controller?.abort(reason);
  }

  // False when it had ended before: whoever is late is not heard.
  #end(): boolean {
    if (this.isOver) return false;
    this.isOver = true;
    clearTimeout(this.#timer);
    this.#asker?.asking?.(undefined);
    return true;
  }

  // Makes room for the next one. What did not answer in time may go on for ever, so it has no place any more.
  #release(): void {
    if (!this.#began) return;
    this.#began = false;
    this.key.ended();
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}

// A request as functions get it. What it has of its own can be sent to another process; the signal stays here.
class Request implements RemoteRequest {
  readonly algorithm: RemoteKeyType;
  readonly #asking: Asking;

  constructor(asking: Asking) {
    this.#asking = asking;
    this.algorithm = asking.key.type;
  }

  get signal(): AbortSignal {
    return this.#asking.signal;
  }
}

class SignRequest extends Request implements RemoteSignRequest {
  readonly digestAlgorithm: string | undefined;
  readonly digest: Buffer | undefined;
  readonly data: Buffer | undefined;
  readonly padding: number | undefined;
  readonly saltLength: number | undefined;
  readonly mgf1Digest: string | undefined;

  constructor(asking: Asking, words: readonly unknown[], at: number) {
    super(asking);
    const bytes = words[at + RemoteWord.bytes] as Buffer;
    this.digestAlgorithm = digestName(words[at + RemoteWord.digest]);
    this.digest = this.digestAlgorithm === undefined ? undefined : bytes;
    this.data = this.digestAlgorithm === undefined ? bytes : undefined;
    this.padding = present(words[at + RemoteWord.padding]);
    this.saltLength = present(words[at + RemoteWord.saltLength]);
    this.mgf1Digest = digestName(words[at + RemoteWord.mgf1Digest]);
  }
}

class DecryptRequest extends Request implements RemoteDecryptRequest {
  readonly data: Buffer;
  readonly padding: number;
  readonly oaepHash: string | undefined;
  readonly mgf1Digest: string | undefined;
  readonly oaepLabel: Buffer | undefined;

  constructor(asking: Asking, words: readonly unknown[], at: number) {
    super(asking);
    this.data = words[at + RemoteWord.bytes] as Buffer;
    this.padding = words[at + RemoteWord.padding] as number;
    this.oaepHash = digestName(words[at + RemoteWord.digest]);
    this.mgf1Digest = digestName(words[at + RemoteWord.mgf1Digest]);
    this.oaepLabel = words[at + RemoteWord.label] as Buffer | undefined;
  }
}

class DeriveRequest extends Request implements RemoteDeriveRequest {
  readonly publicKey: Buffer;

  constructor(asking: Asking, words: readonly unknown[], at: number) {
    super(asking);
    this.publicKey = peerKey(asking.key.spki, words[at + RemoteWord.bytes] as Buffer);
  }
}

const REQUESTS = { sign: SignRequest, decrypt: DecryptRequest, derive: DeriveRequest } as const;

const present = (word: unknown): number | undefined => (word === -1 ? undefined : (word as number));

/** As `node:crypto` calls what OpenSSL's providers name `SHA2-256`, `SHA2-512/256`, `RIPEMD-160`. */
function digestName(name: unknown): string | undefined {
  if (name === undefined) return undefined;
  return (name as string)
    .toLowerCase()
    .replace(/^sha2-/, 'sha')
    .replace('/', '-')
    .replace(/^ripemd-/, 'ripemd');
}

const SEQUENCE = 0x30;
const BIT_STRING = 0x03;

/** SubjectPublicKeyInfo of a point on the same curve as the key of `spki` (RFC 5280, section 4.1). */
function peerKey(spki: Buffer, point: Buffer): Buffer {
  const [start] = contentOf(spki, 0);
  const [, end] = contentOf(spki, start);
  return wrap(
    SEQUENCE,
    Buffer.concat([spki.subarray(start, end), wrap(BIT_STRING, Buffer.concat([NO_UNUSED_BITS, point]))]),
  );
}

const NO_UNUSED_BITS = Buffer.of(0);

// Where the content of the DER element at `at` begins and ends.
function contentOf(der: Buffer, at: number): [start: number, end: number] {
  const first = der.readUInt8(at + 1);
  if (first < 0x80) return [at + 2, at + 2 + first];
  const start = at + 2 + (first & 0x7f);
  return [start, start + der.readUIntBE(at + 2, first & 0x7f)];
}

function wrap(tag: number, content: Buffer): Buffer {
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), content]);
  if (length < 0x100) return Buffer.concat([Buffer.of(tag, 0x81, length), content]);
  return Buffer.concat([Buffer.of(tag, 0x82, length >> 8, length & 0xff), content]);
}
