// Keys as node:crypto reads them, and keys that the URI of a store names.
import { bytesOf } from '../base/byte-views';
import {
  asyncError,
  fromNative,
  invalidArgType,
  invalidArgValue,
  isNativeError,
  type CodedError,
} from '../base/errors';
import {
  AsyncKey,
  entryOf,
  heldPrivateKey,
  isKeyMaterial,
  privateKeyEntry,
  publicKeyEntry,
  readPrivateKey,
  readPublicKey,
  type KeyLike,
} from '../keys/key';
import { PROCESS_SCOPE, type Scope } from '../keys/scope';
import { Family } from '../native/contract/tables';
import { environment } from '../native/environment';
import { readOptions, validateFunction, validateString } from '../base/validators';
import { attempt, call, type Decode } from './call';
import { checkOperationOptions, offloaded, type OperationOptions } from './operation-options';
import { createSpec, scopeOf } from './spec';

/** A key in a file, a token, or wherever a provider has a store: see ossl_store(7). */
export interface StoredKey {
  /** For example `'pkcs11:token=keys;object=server'`, RFC 7512, or `'file:server.pem'`; a path names a file. */
  uri: string;
  /** The PIN or passphrase, if the store asks for one. */
  pin?: string | Uint8Array;
  /** Called for the PIN or passphrase, with the store's own words, when there is no `pin`. */
  prompt?: (question: string) => string | Uint8Array | Promise<string | Uint8Array>;
}

/** A holder of keys that is no provider: an engine. */
export interface KeySource {
  loadPrivateKey(uri: string, options: KeySourceOptions): Promise<AsyncKey>;
  loadPublicKey(uri: string, options: KeySourceOptions): Promise<AsyncKey>;
}

export interface KeySourceOptions extends Pick<OperationOptions, 'signal' | 'timeoutMs'> {
  pin?: string | Uint8Array;
}

/** Key sources by the scheme of their URIs. */
export const keySources = new Map<string, KeySource>();

/** Options of {@link createPrivateKey} and {@link createPublicKey} for keys of a store. */
export type StoreOptions = Pick<OperationOptions, 'signal' | 'timeoutMs' | 'provider'>;

/**
 * Reads a private key: PEM or DER (PKCS#1, PKCS#8, SEC1, also encrypted), a JSON Web Key, a `KeyObject` or `CryptoKey`.
 *
 * @throws what `crypto.createPrivateKey()` throws; `ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE` for a key that is not private
 */
export function createPrivateKey(key: KeyLike): AsyncKey;
/**
 * Looks a private key up in a store, on the pool. A key that its provider does not give away stays there: that provider
 * does all operations with it, whatever they ask for.
 *
 * @param key - see {@link StoredKey}
 * @param options - `provider` says whose store; by default, it is the store of the loaded provider that has one for the
 * URI's scheme, or of the loaded engine whose id is the scheme
 *
 * @throws As a rejection: `ERR_ASYNC_STORE` when there is no such store or key, `ERR_ASYNC_STORE_PROMPT` when it wants
 * a PIN or passphrase and is given none, `ERR_OSSL_…` for what OpenSSL says, `AbortError`, `ERR_ASYNC_TIMEOUT`,
 * `ERR_ASYNC_QUEUE_FULL`, `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_ASYNC_UNSUPPORTED`
 *
 * @example
 * ```ts
 * await loadProvider('pkcs11', { path: '/usr/lib/ossl-modules/pkcs11.so', pauses: false });
 * const key = await createPrivateKey({ uri: 'pkcs11:token=keys;object=server', pin: '1234' });
 * ```
 */
export function createPrivateKey(key: StoredKey, options?: StoreOptions): Promise<AsyncKey>;
export function createPrivateKey(key: KeyLike | StoredKey, options?: StoreOptions): AsyncKey | Promise<AsyncKey> {
  if (isStored(key)) return attempt(() => load(key, options, true));
  refuseOptions(options);
  return AsyncKey.is(key) && key.type === 'private' ? key : new AsyncKey(privateKeyEntry(key));
}

/**
 * Reads a public key: PEM or DER (PKCS#1, SPKI), a certificate, a JSON Web Key, a `KeyObject` or `CryptoKey`. A private
 * key gives its public part.
 *
 * @throws what `crypto.createPublicKey()` throws; `ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE` for a secret key
 */
export function createPublicKey(key: KeyLike): AsyncKey;
/**
 * Looks a public key up in a store: a public key, the key of a certificate or the public part of a private key. The
 * result is an ordinary key.
 *
 * @param key - see {@link StoredKey}
 * @param options - as of {@link createPrivateKey}
 *
 * @throws As a rejection: what {@link createPrivateKey} rejects with
 */
export function createPublicKey(key: StoredKey, options?: StoreOptions): Promise<AsyncKey>;
export function createPublicKey(key: KeyLike | StoredKey, options?: StoreOptions): AsyncKey | Promise<AsyncKey> {
  if (isStored(key)) return attempt(() => load(key, options, false));
  refuseOptions(options);
  return AsyncKey.is(key) && key.type === 'public' ? key : new AsyncKey(publicKeyEntry(key));
}

function isStored(key: unknown): key is StoredKey {
  return !isKeyMaterial(key) && 'uri' in (key as object) && !('key' in (key as object));
}

// A value that is not an object may be an index: keys.map(createPrivateKey).
function refuseOptions(options: unknown): void {
  if (typeof options === 'object' && options !== null) {
    throw invalidArgValue('options', options, 'is for keys of a store, which have a `uri`');
  }
}

const STORE_OPTIONS = ['signal', 'timeoutMs', 'provider'] as const;

async function load(key: StoredKey, options: StoreOptions | undefined, isPrivate: boolean): Promise<AsyncKey> {
  if (options !== undefined) {
    options = readOptions(options, 'options', STORE_OPTIONS) as StoreOptions;
    checkOperationOptions(options);
  }
  const { uri, pin, prompt } = key;
  validateString(uri, 'key.uri');
  if (pin !== undefined) validatePin(pin, 'key.pin');
  if (prompt !== undefined) validateFunction(prompt, 'key.prompt');
  const { scope, source } = originOf(uri, options?.provider);
  if (source !== undefined) return loadFrom(source, { uri, pin, prompt }, options, isPrivate);
  try {
    return await loadWith(pin, uri, scope, options, isPrivate);
  } catch (error) {
    const { code, message: question } = error as CodedError;
    if (code !== 'ERR_ASYNC_STORE_PROMPT') throw error;
    if (prompt === undefined) throw asyncError(code, `The store wants a PIN or passphrase: ${question}`);
    const answer = await prompt(question);
    validatePin(answer, 'prompt()');
    return loadWith(answer, uri, scope, options, isPrivate);
  }
}

export function validatePin(pin: unknown, name: string): asserts pin is string | Uint8Array {
  // Only the type is passed on: the error would show a value.
  if (typeof pin !== 'string' && bytesOf(pin) === undefined) {
    throw invalidArgType(name, 'of type string or an instance of Uint8Array', typeof pin);
  }
}

// Engines ask for a PIN in the middle of an operation, so it has to be known before.
async function loadFrom(
  source: KeySource,
  { uri, pin, prompt }: StoredKey,
  options: StoreOptions | undefined,
  isPrivate: boolean,
): Promise<AsyncKey> {
  const answer = pin ?? (await prompt?.('PIN:'));
  if (prompt !== undefined) validatePin(answer, 'prompt()');
  const { signal, timeoutMs } = options ?? {};
  const sourceOptions: KeySourceOptions = {
    ...(answer === undefined ? {} : { pin: answer }),
    ...(signal === undefined ? {} : { signal }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
  return isPrivate ? source.loadPrivateKey(uri, sourceOptions) : source.loadPublicKey(uri, sourceOptions);
}

async function loadWith(
  pin: string | Uint8Array | undefined,
  uri: string,
  scope: Scope | undefined,
  options: StoreOptions | undefined,
  isPrivate: boolean,
): Promise<AsyncKey> {
  // A store may block for long, and none is known to pause.
  const blocking = scope && { ...scope, mayPause: false, blocks: true };
  const request = { family: Family.store, algorithm: 'load key', names: [uri], numbers: [isPrivate ? 1 : 0] };
  const spec = createSpec({ ...request, scope: blocking });
  const toKey: Decode<AsyncKey> = (result) => {
    const spki = result.output(0);
    if (!isPrivate) return new AsyncKey(entryOf(readPublicKey(spki)));
    const pkcs8 = result.output(1);
    if (pkcs8.length > 0) {
      try {
        return new AsyncKey(entryOf(readPrivateKey(pkcs8)));
      } finally {
        pkcs8.fill(0);
      }
    }
    const native = environment().addon.specs.takeKey(spec.native);
    return heldPrivateKey(spki, { native, scope: scope ?? PROCESS_SCOPE, holder: 'its store' });
  };
  const answer = typeof pin === 'string' ? Buffer.from(pin) : bytesOf(pin);
  try {
    return await call(spec, [answer], undefined, offloaded(options), toKey);
  } finally {
    if (typeof pin === 'string') answer?.fill(0);
  }
}

// The scheme of a URI; a single letter is a drive.
const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]+):/;

const TPM = "loadProvider('tpm2', { pauses: false }) loads that of tpm2-openssl";
// How to load the stores that most people mean.
const WITH_STORE: Readonly<Record<string, string>> = {
  pkcs11:
    "loadProvider('pkcs11', { pauses: false }) loads that of pkcs11-provider, loadEngine('pkcs11') the engine of libp11",
  tpm2: TPM,
  handle: TPM,
  object: TPM,
};

interface Origin {
  scope: Scope | undefined;
  /** A holder that is no provider. */
  source: KeySource | undefined;
}

// Decides where to look: in the process's library, in a scope, or at a key source.
function originOf(uri: string, provider: string | undefined): Origin {
  const inScope = (properties: string): Origin => ({ scope: scopeOf({ properties }), source: undefined });
  // Other providers may have parts that this one lacks, for example decoders.
  if (provider !== undefined) {
    scopeOf({ provider });
    return inScope(`?provider=${provider}`);
  }
  const scheme = SCHEME.exec(uri)?.[1]?.toLowerCase();
  if (scheme === undefined || scheme === 'file') return { scope: undefined, source: undefined };
  for (const isOwn of [true, false]) {
    const found = environment().addon.providers.list(isOwn, false);
    if (isNativeError(found)) throw fromNative(found);
    const owner = found.find(({ algorithms }) => algorithms.stores?.some((names) => names.split(':').includes(scheme)));
    if (owner !== undefined) return inScope(`?provider=${owner.name}`);
  }
  const source = keySources.get(scheme);
  if (source !== undefined) return { scope: undefined, source };
  const advice = WITH_STORE[scheme] ?? 'loadProvider() or loadEngine() loads one that has';
  throw asyncError('ERR_ASYNC_STORE', `No loaded provider or engine has a store for '${scheme}:'. ${advice}`);
}
