// Private keys of JavaScript functions, which ask a cloud's key service, an HSM or another process.
import { asyncError, fromNative, invalidArgType, invalidArgValue, isNativeError } from '../base/errors';
import { heldPrivateKey, publicKeyEntry, type AsyncKey, type HeldKey, type KeyLike } from './key';
import type { NativeKey } from '../native/contract/handles';
import { RemoteKeyFlag, RemoteOperation, RemoteRefusal, RemoteWord } from '../native/contract/tables';
import { bytesOf, unshared } from '../base/byte-views';
import { PROCESS_SCOPE, type Scope } from './scope';
import { Deadline, Deadlines } from './deadlines';
import { noteCause } from './remote-failures';
import {
  listenForRequests,
  readRequest,
  REMOTE_OPERATIONS,
  requestWord,
  type RemoteDecryptRequest,
  type RemoteDeriveRequest,
  type RemoteKeyType,
  type RemoteOperationName,
  type RemoteRequest,
  type RemoteSignRequest,
} from './remote-request';
import { environment, type Asked, type Environment, type Listener } from '../native/environment';
import type { BinaryLike } from '../base/bytes';
import { readOptions, validateBoolean, validateFunction, validateInteger } from '../base/validators';

/** Bytes, now or later. */
export type RemoteAnswer = Exclude<BinaryLike, string> | PromiseLike<Exclude<BinaryLike, string>>;

/** Options of {@link createRemoteKey}. At least one of the functions is needed. */
export interface RemoteKeyOptions {
  /** The public key, a certificate, or an object that holds one. */
  publicKey: KeyLike;
  /** RSA, RSA-PSS, EC, Ed25519, Ed448: gives the signature. */
  sign?: (request: RemoteSignRequest) => RemoteAnswer;
  /**
   * RSA: gives the plaintext, without padding. With PKCS#1 v1.5, wrong padding has to give random bytes: if the
   * function failed, anybody who may send ciphertexts could decrypt any.
   */
  decrypt?: (request: RemoteDecryptRequest) => RemoteAnswer;
  /** EC, X25519, X448: gives the secret, for EC the x coordinate, as long as the curve's field. */
  derive?: (request: RemoteDeriveRequest) => RemoteAnswer;
  /**
   * How long an operation waits for its answer, including its time in the queue. 1 to 2 147 483 647 milliseconds.
   * @defaultValue 10 000
   */
  timeoutMs?: number;
  /** Calls of the functions that may be under way; further calls are queued. 1 to 65 536. @defaultValue 256 */
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

type Functions = Partial<Record<RemoteOperationName, (request: never) => unknown>>;

const OPERATIONS: Readonly<Record<RemoteKeyType, readonly RemoteOperationName[]>> = {
  rsa: ['sign', 'decrypt'],
  'rsa-pss': ['sign'],
  ec: ['sign', 'derive'],
  ed25519: ['sign'],
  ed448: ['sign'],
  x25519: ['derive'],
  x448: ['derive'],
};

// The scope of everything but the key, which has a library of its own with the provider `remote`. Operations pause.
const SCOPE: Scope = {
  ...PROCESS_SCOPE,
  library: 'own',
  properties: '?provider=remote',
  mayPause: true,
  backend: 'provider:remote',
};

/**
 * Makes a private key of functions that ask the holder of the key: a cloud's key service, an HSM, another process.
 * `sign()`, `privateDecrypt()`, `diffieHellman()` take it as any other key. Such an operation runs in an OpenSSL job,
 * which is paused while the function works; `stats()` counts it among `jobs` and `paused`. Where there are no jobs, it
 * holds one of 64 threads meanwhile, and further operations wait in line.
 *
 * The functions are called on the event loop of the thread that made the key, in the order in which they were needed.
 * Their arguments are copies. An operation whose caller gives up (`signal`, `timeoutMs`) is over for the caller at
 * once; the function's `request.signal` is aborted, and its answer is awaited but ignored.
 *
 * Operations reject with `ERR_ASYNC_REMOTE_KEY_FAILED`, whose `cause` is what the function threw or rejected with;
 * `ERR_ASYNC_REMOTE_KEY_INVALID_RESULT`; `ERR_ASYNC_REMOTE_KEY_TIMEOUT`; `ERR_ASYNC_REMOTE_KEY_UNSUPPORTED` when there
 * is no function for them; `ERR_ASYNC_REMOTE_KEY_CANNOT_WAIT` when they were made to run outside a job
 * (`mode: 'inline'`).
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
  const operations = REMOTE_OPERATIONS.reduce(
    (bits, name) => bits | (name in functions ? 1 << RemoteOperation[name] : 0),
    0,
  );
  const flags = (verify ? RemoteKeyFlag.verifies : 0) | (dsaEncoding === 'ieee-p1363' ? RemoteKeyFlag.p1363 : 0);
  const native = env.addon.remote.createKey(spki, type.toUpperCase(), number, operations, flags);
  if (isNativeError(native)) throw fromNative(native);
  listen(env);
  const key = new RemoteKey(env, native, type, spki, functions, timeoutMs, maxConcurrent);
  keys.set(number, new WeakRef(key));
  collected.register(key, number);
  return heldPrivateKey(spki, key);
}

function functionsOf(options: Partial<Record<RemoteOperationName, unknown>>, type: RemoteKeyType): Functions {
  const known = (OPERATIONS as Partial<Record<string, readonly RemoteOperationName[]>>)[type];
  if (known === undefined) {
    throw invalidArgValue('options.publicKey', type, `must be a key of type ${Object.keys(OPERATIONS).join(', ')}`);
  }
  const functions = { __proto__: null } as Functions;
  for (const name of REMOTE_OPERATIONS) {
    const given = options[name];
    if (given === undefined) continue;
    validateFunction(given, `options.${name}`);
    if (!known.includes(name)) throw invalidArgValue(`options.${name}`, given, `is nothing that ${type} keys do`);
    functions[name] = given;
  }
  if (Object.keys(functions).length > 0) return functions;
  throw invalidArgType(`options.${known[0] as string}`, 'of type function', undefined);
}

// Keys by their numbers in native code. A key lives as long as the object that was given out, or an operation that is
// under way, can use it.
const keys = new Map<number, WeakRef<RemoteKey>>();
const collected = new FinalizationRegistry<number>((number) => keys.delete(number));
let nextNumber = 0;
let listening = false;

// The callback has to live as long as the addon. It calls users' functions after all requests have been read.
const onRequests = (count: number): void => {
  const now = performance.now();
  const asked: Asking[] = [];
  for (let i = 0; i < count; ++i) {
    const asking = readAsking(i);
    if (typeof asking === 'string') refuse(requestWord(i, RemoteWord.id), asking);
    else asked.push(asking);
  }
  for (const asking of asked) asking.key.ask(asking, now);
};

// Gives the request, or the reason why it cannot be read: a lack of memory must not keep the others waiting.
function readAsking(index: number): Asking | string {
  const key = keys.get(requestWord(index, RemoteWord.key))?.deref();
  if (key === undefined) return 'The remote key is gone';
  try {
    return new Asking(key, index);
  } catch {
    return 'There is not enough memory for the request to the remote key';
  }
}

function refuse(id: number, message: string): void {
  environment().addon.remote.refuse(id, RemoteRefusal.failed, message);
}

function listen(env: Environment): void {
  if (listening) return;
  env.start();
  listenForRequests(env, onRequests);
  listening = true;
}

class RemoteKey implements HeldKey {
  readonly scope = SCOPE;
  readonly holder = 'whoever its functions ask';
  #active = 0;
  readonly #line: Asking[] = [];
  #advancing = false;
  readonly deadlines: Deadlines;

  constructor(
    readonly env: Environment,
    readonly native: NativeKey,
    readonly type: RemoteKeyType,
    readonly spki: Buffer,
    readonly functions: Functions,
    readonly timeoutMs: number,
    readonly maxConcurrent: number,
  ) {
    this.deadlines = new Deadlines(timeoutMs);
  }

  ask(asking: Asking, now: number): void {
    // The operation keeps the process alive as long as somebody waits for it; the deadline does not.
    this.deadlines.add(asking, now);
    asking.announce();
    this.#line.push(asking);
    this.advance();
  }

  /** A call that was under way has ended. */
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
class Asking extends Deadline implements Asked {
  isOver = false;
  readonly #id: number;
  readonly #job: number;
  readonly #asker: Listener | undefined; // none of handshakes
  readonly #operation: RemoteOperationName;
  readonly #request: RemoteRequest;
  #began = false;
  #controller: AbortController | undefined;
  #unwanted: { reason: unknown } | undefined;

  /** Reads the request with this index in the batch. */
  constructor(
    readonly key: RemoteKey,
    index: number,
  ) {
    super();
    this.#id = requestWord(index, RemoteWord.id);
    this.#job = requestWord(index, RemoteWord.job);
    this.#asker = key.env.listener(this.#job);
    this.#operation = REMOTE_OPERATIONS[requestWord(index, RemoteWord.operation)] as RemoteOperationName;
    this.#request = readRequest(this.#operation, index, key, this);
  }

  /** Tells the operation, which may have been given up meanwhile. */
  announce(): void {
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
      const then = (answer as { then?: unknown } | null | undefined)?.then;
      if (typeof then !== 'function') {
        this.#answer(answer);
        return;
      }
      (then as PromiseLike<unknown>['then']).call(
        answer,
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

  // Calls the function in the async context of the operation that needs the key.
  private call(): unknown {
    const ask = this.key.functions[this.#operation] as (request: RemoteRequest) => unknown;
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
    if (this.#end()) this.key.env.addon.remote.answer(this.#id, unshared(bytes));
    this.#release();
  }

  #fail(reason: unknown): void {
    if (!this.isOver && this.#asker === undefined) noteCause(this.#job, reason);
    else if (!this.isOver) this.#asker?.blame?.(reason);
    this.#refuse(RemoteRefusal.failed, `${this.#operation}() of the remote key failed`);
  }

  override expire(): void {
    const message = `The remote key did not answer within ${String(this.key.timeoutMs)} ms`;
    this.#refuse(RemoteRefusal.timeout, message);
    this.#abort(asyncError('ERR_ASYNC_REMOTE_KEY_TIMEOUT', message));
  }

  #refuse(why: RemoteRefusal, message: string): void {
    if (this.#end()) this.key.env.addon.remote.refuse(this.#id, why, message);
    this.#release();
  }

  #abort(reason: unknown): void {
    this.#unwanted ??= { reason };
    this.#controller?.abort(reason);
  }

  // False when the request had ended before: a late answer is not heard.
  #end(): boolean {
    if (this.isOver) return false;
    this.isOver = true;
    this.key.deadlines.remove(this);
    this.#asker?.asking?.(undefined);
    return true;
  }

  // Makes room for the next call. A function that did not answer in time may never end, so it is not counted any more.
  #release(): void {
    if (!this.#began) return;
    this.#began = false;
    this.key.ended();
  }
}
