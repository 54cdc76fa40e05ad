// Keys as operations use them: whatever node:crypto accepts, converted once and remembered.
import {
  createPrivateKey as nodePrivateKey,
  createPublicKey as nodePublicKey,
  KeyObject,
  verify as nodeVerify,
  type AsymmetricKeyDetails,
  type JsonWebKeyInput,
  type JwkKeyExportOptions,
  type webcrypto,
} from 'node:crypto';
import { inspect, types, type InspectOptions } from 'node:util';
import { brand, describeForeign } from '../base/brand';
import { bytesOf } from '../base/byte-views';
import {
  asyncError,
  fromNative,
  invalidArgType,
  isNativeError,
  nodeError,
  type CodedError,
  type OpenSSLError,
} from '../base/errors';
import type { NativeKey, NativeSpec } from '../native/contract/handles';
import { environment } from '../native/environment';
import { isolateErrors } from '../native/error-queue';
import { noteImport, type KeyHolder } from './native-keys';
import { scopeName, type Scope } from './scope';
import { Bag } from '../base/validators';

/** A private key that its holder keeps: an engine, a store, or somebody whom a remote key asks. */
export interface HeldKey {
  readonly native: NativeKey;
  /** The scope of the key's operations, which no option changes. */
  readonly scope: Scope;
  /** The holder, for error messages: `"the engine 'pkcs11'"`. */
  readonly holder: string;
  /** Throws when the key cannot be used any more. */
  readonly check?: () => void;
}

/** A key, with the native keys and the specs that were made of it. */
export class KeyEntry implements KeyHolder {
  readonly #native = new Map<string, { key: NativeKey; generation: number | undefined }>();
  /** Specs of operations with this key, by name. */
  readonly specs = new Map<string, unknown>();
  /** Specs of signing and verifying that only the digest distinguishes: no name has to be made to find them. */
  readonly plainSpecs = { sign: new Map<string, unknown>(), verify: new Map<string, unknown>() };
  #publicEntry: KeyEntry | undefined;
  #spki: Buffer | undefined;
  #point: Point | null | undefined;
  #label: string | undefined;

  /**
   * @param keyObject - the key; for a private key that is held elsewhere, its public part
   * @param held - for a private key that is held elsewhere
   */
  constructor(
    readonly keyObject: KeyObject,
    readonly held?: HeldKey,
  ) {}

  get type(): KeyObject['type'] {
    return this.held === undefined ? this.keyObject.type : 'private';
  }

  /** The native key in a scope. */
  native(scope: Scope | undefined): NativeKey {
    if (this.held !== undefined) return this.held.native;
    // In FIPS mode, the native keys belong to validated implementations.
    const name = `${String(environment().addon.libraries.inFipsMode())}:${scopeName(scope)}`;
    const generation = scope?.generation;
    const known = this.#native.get(name);
    if (known !== undefined && known.generation === generation) return known.key;
    const key = importKey(this.keyObject, scope);
    this.#native.set(name, { key, generation });
    noteImport(this, generation);
    return key;
  }

  forget(generation?: number): void {
    const { addon } = environment();
    const isChosen = (made: { generation: number | undefined }): boolean =>
      generation === undefined || made.generation === generation;
    for (const table of this.#specTables) {
      for (const [name, spec] of table as Map<string, { native: NativeSpec; generation: number | undefined }>) {
        if (!isChosen(spec)) continue;
        table.delete(name);
        addon.specs.release(spec.native);
      }
    }
    for (const [name, made] of this.#native) {
      if (!isChosen(made)) continue;
      this.#native.delete(name);
      addon.keys.release(made.key);
    }
    this.#publicEntry?.forget(generation);
  }

  /** The entry of a private key's public part; for a public key, this entry. */
  get publicEntry(): KeyEntry {
    if (this.type === 'public') return this;
    const { held, keyObject } = this;
    const publicKey = (): KeyObject => (held === undefined ? isolateErrors(() => nodePublicKey(keyObject)) : keyObject);
    return (this.#publicEntry ??= entryOf(publicKey()));
  }

  /** Forgets a spec that is not to be used any more. */
  forgetSpec(spec: unknown): void {
    for (const table of this.#specTables) {
      for (const [name, kept] of table) {
        if (kept === spec) table.delete(name);
      }
    }
  }

  /** Forgets the specs of operations with this key, and returns them. */
  takeSpecs(): unknown[] {
    const tables = this.#specTables;
    const all = new Set(tables.flatMap((table) => [...table.values()]));
    for (const table of tables) table.clear();
    return [...all];
  }

  get #specTables(): Map<string, unknown>[] {
    return [this.specs, this.plainSpecs.sign, this.plainSpecs.verify];
  }

  /** SubjectPublicKeyInfo of a public key. */
  get spki(): Buffer {
    return (this.#spki ??= isolateErrors(() => this.keyObject.export({ format: 'der', type: 'spki' })));
  }

  /** The point of a public key; undefined for types that have none, and for curves without a JSON Web Key. */
  get point(): Point | undefined {
    if (this.#point === undefined) this.#point = pointOf(this.keyObject) ?? null;
    return this.#point ?? undefined;
  }

  /** For the statistics: type, and size or curve. */
  get label(): string {
    return (this.#label ??= this.#describe());
  }

  // Not by asymmetricKeyDetails: on Node.js 20 that waits for itself, for ever, when the object that generated the key is
  // collected meanwhile.
  #describe(): string {
    const type = this.keyObject.asymmetricKeyType ?? 'unknown';
    const isNamed = type === 'ec';
    if (!isNamed && !WITH_MODULUS.has(type)) return type;
    try {
      const [made] = this.#native.values();
      const details = environment().addon.keys.describe(made?.key ?? this.native(undefined));
      return details === undefined ? type : `${type.toUpperCase()}-${String(details[isNamed ? 1 : 0])}`;
    } catch {
      return type; // it cannot be used, and operations say why
    }
  }
}

/** A point of a curve, as RFC 7748 or SEC 1 encode it. */
export interface Point {
  readonly curve: string;
  readonly bytes: Uint8Array;
}

const WITH_MODULUS: ReadonlySet<string> = new Set(['rsa', 'rsa-pss', 'dsa']);
const UNCOMPRESSED = Buffer.of(4);
const WITH_POINT: ReadonlySet<string | undefined> = new Set(['ec', 'x25519', 'x448']);

// OpenSSL 3.0 exports a JSON Web Key in a fiftieth of the time of SubjectPublicKeyInfo.
function pointOf(publicKey: KeyObject): Point | undefined {
  if (!WITH_POINT.has(publicKey.asymmetricKeyType)) return undefined;
  try {
    const { crv = '', x = '', y } = isolateErrors(() => publicKey.export({ format: 'jwk' }));
    const first = Buffer.from(x, 'base64url');
    if (y === undefined) return { curve: crv, bytes: first };
    return { curve: crv, bytes: Buffer.concat([UNCOMPRESSED, first, Buffer.from(y, 'base64url')]) };
  } catch {
    return undefined;
  }
}

const entries = new WeakMap<KeyObject, KeyEntry>();

export function entryOf(keyObject: KeyObject): KeyEntry {
  let entry = entries.get(keyObject);
  if (entry === undefined) {
    entry = new KeyEntry(keyObject);
    entries.set(keyObject, entry);
  }
  return entry;
}

function importKey(keyObject: KeyObject, scope: Scope | undefined): NativeKey {
  const isPrivate = keyObject.type === 'private';
  if (!isPrivate) refuseDamaged(keyObject);
  const type = (isPrivate ? 'pkcs8' : 'spki') as 'pkcs8';
  const der = isolateErrors(() => keyObject.export({ format: 'der', type }));
  try {
    const native = environment().addon.keys.create(der, isPrivate, keyObject.asymmetricKeyType?.toUpperCase(), scope);
    if (!isNativeError(native)) return native;
    refuseDamaged(keyObject);
    throw fromNative(native);
  } finally {
    if (isPrivate) der.fill(0);
  }
}

// OpenSSL 3.0 works with the public part of such keys.
const CHECKS_PAIRS = !process.versions.openssl.startsWith('3.0.');

/**
 * Throws what `node:crypto` throws for an RSA key whose private part is so damaged that no provider takes the key. A
 * public key may have come from one: only Node.js knows.
 */
function refuseDamaged(key: KeyObject): void {
  if (!CHECKS_PAIRS || key.asymmetricKeyType?.startsWith('rsa') !== true) return;
  try {
    isolateErrors(() => nodeVerify(null, NOTHING, key, NOTHING));
  } catch (error) {
    // Other errors say that the key is not for this.
    const { message, opensslErrorStack = [] } = error as OpenSSLError;
    if ([message, ...opensslErrorStack].some((line) => line.endsWith(':initialization error'))) throw error;
  }
}

const NOTHING = Buffer.alloc(0);

/** A key by itself: an object that holds one, PEM, or DER as Node takes it. */
export type KeyMaterial = AsyncKey | KeyObject | webcrypto.CryptoKey | string | ArrayBuffer | NodeJS.ArrayBufferView;

/**
 * A JSON Web Key (RFC 7517), as `node:crypto` takes and gives it; versions of `@types/node` name the type differently.
 */
export type JsonWebKey = JsonWebKeyInput['key'];

/** How a key is exported as PEM or DER, as `KeyObject.export()` takes it. */
export interface KeyExportOptions<Format extends 'pem' | 'der'> {
  /**
   * The structure: `'spki'` or, for RSA, `'pkcs1'` of a public key; `'pkcs8'`, `'pkcs1'` or `'sec1'` of a private one.
   */
  type: 'pkcs1' | 'spki' | 'pkcs8' | 'sec1';
  /** A string, or bytes. */
  format: Format;
  /** The cipher that encrypts a private key, for example `'aes-256-cbc'`. @defaultValue no encryption */
  cipher?: string | undefined;
  /** The passphrase, from which the cipher's key is derived; required with `cipher`. */
  passphrase?: string | Buffer | undefined;
}

/** A key with the details that reading it takes, as in `node:crypto`. */
export interface KeyInput {
  /** The key: an object, PEM, DER, or a JSON Web Key. */
  key: KeyMaterial | JsonWebKey;
  /** The format of bytes. @defaultValue `'pem'` */
  format?: 'pem' | 'der' | 'jwk';
  /** The structure of DER. */
  type?: 'pkcs1' | 'pkcs8' | 'spki' | 'sec1';
  /** The passphrase of an encrypted private key. At most 1024 bytes. */
  passphrase?: string | Buffer;
  /** The encoding of `key` and `passphrase`, when they are strings. */
  encoding?: BufferEncoding;
}

/** A private or public key, as operations take it: everything that `node:crypto` accepts, and {@link AsyncKey}. */
export type KeyLike = KeyMaterial | KeyInput;

/**
 * An asymmetric key for operations. It holds the parsed key, and OpenSSL's form of it for each provider, so that calls
 * cost no parsing. Printing it shows its type and size only. The native memory is wiped when the object is
 * collected.
 */
export class AsyncKey {
  readonly #entry: KeyEntry;

  /** @internal */
  constructor(entry: KeyEntry) {
    this.#entry = entry;
  }

  /** @internal */
  static entryOf(key: AsyncKey): KeyEntry {
    return key.#entry;
  }

  /** @internal Whether `value` is an AsyncKey, whatever its prototype says. */
  static is(value: unknown): value is AsyncKey {
    return typeof value === 'object' && value !== null && #entry in value;
  }

  /** `'private'` or `'public'`. */
  get type(): 'private' | 'public' {
    return this.#entry.type as 'private' | 'public';
  }

  /** For example `'rsa'`, `'ec'`, `'ed25519'`. */
  get asymmetricKeyType(): string | undefined {
    return this.#entry.keyObject.asymmetricKeyType;
  }

  /** Size, curve and parameters, as far as the type has them. */
  get asymmetricKeyDetails(): AsymmetricKeyDetails | undefined {
    return isolateErrors(() => this.#entry.keyObject.asymmetricKeyDetails);
  }

  /** As `KeyObject.export()`. A private key that is held elsewhere throws `ERR_ASYNC_KEY_NOT_EXPORTABLE`. */
  export(options: KeyExportOptions<'pem'>): string;
  export(options?: KeyExportOptions<'der'>): Buffer;
  export(options?: JwkKeyExportOptions): JsonWebKey;
  export(
    options?: KeyExportOptions<'pem'> | KeyExportOptions<'der'> | JwkKeyExportOptions,
  ): string | Buffer | JsonWebKey {
    const keyObject = this.toKeyObject();
    return isolateErrors(() => keyObject.export(options as KeyExportOptions<'der'>));
  }

  /** Whether both are the same key of the same type; in constant time. */
  equals(other: AsyncKey | KeyObject): boolean {
    const { held, keyObject } = this.#entry;
    const isSame = (another: KeyObject): boolean => isolateErrors(() => keyObject.equals(another));
    if (!AsyncKey.is(other)) {
      if (describeForeign(other) !== undefined) throw invalidArgType('other', 'an AsyncKey or a KeyObject', other);
      return held === undefined && isSame(other);
    }
    return other.isHeld === this.isHeld && isSame(other.#entry.keyObject);
  }

  /** Whether this is a private key that is held elsewhere: by an engine, a store, or somebody who is asked. */
  get isHeld(): boolean {
    return this.#entry.held !== undefined;
  }

  /** The same key for `node:crypto`. A private key that is held elsewhere throws `ERR_ASYNC_KEY_NOT_EXPORTABLE`. */
  toKeyObject(): KeyObject {
    const { held, keyObject } = this.#entry;
    if (held === undefined) return keyObject;
    throw asyncError('ERR_ASYNC_KEY_NOT_EXPORTABLE', `The private key does not leave ${held.holder}`);
  }

  /** Neither this nor `JSON.stringify()` shows more than type and size. */
  [inspect.custom](_depth: number, options: InspectOptions): string {
    return `AsyncKey ${inspect({ type: this.type, key: this.#entry.label }, options)}`;
  }
}

brand(AsyncKey, 'AsyncKey');

/** Whether `key` is a key by itself: not an object that may have one. */
export function isKeyMaterial(key: unknown): boolean {
  if (typeof key !== 'object' || key === null) return true;
  return AsyncKey.is(key) || types.isKeyObject(key) || types.isCryptoKey(key) || bytesOf(key) !== undefined;
}

const KEY_INPUT_NAMES = [
  'key',
  'format',
  'type',
  'passphrase',
  'encoding',
  'padding',
  'saltLength',
  'dsaEncoding',
  'context',
  'oaepHash',
  'oaepLabel',
] as const;

const keyInputs = new WeakSet();

/**
 * Reads an object that has a key, as {@link KeyInput} and operations describe it: each property once, own or inherited
 * as `node:crypto` reads them. Returns any other key as it is.
 */
export function readKeyInput(key: unknown): unknown {
  if (isKeyMaterial(key) || isKeyInput(key) || !('key' in (key as object))) return key;
  const input = new Bag() as Record<string, unknown>;
  for (const name of KEY_INPUT_NAMES) input[name] = (key as Record<string, unknown>)[name];
  keyInputs.add(input);
  return input;
}

/** The entry of a key that is an object, or is held by one; undefined for a key that has to be parsed. */
export function objectEntry(key: unknown): KeyEntry | undefined {
  const material = isKeyInput(key) ? key.key : key;
  if (AsyncKey.is(material)) return AsyncKey.entryOf(material);
  if (types.isKeyObject(material)) return entryOf(material);
  return types.isCryptoKey(material) ? entryOfCryptoKey(material) : undefined;
}

const cryptoKeyEntries = new WeakMap<webcrypto.CryptoKey, KeyEntry>();

// KeyObject.from() makes a new object each time.
function entryOfCryptoKey(key: webcrypto.CryptoKey): KeyEntry {
  let entry = cryptoKeyEntries.get(key);
  if (entry === undefined) {
    entry = entryOf(KeyObject.from(key));
    cryptoKeyEntries.set(key, entry);
  }
  return entry;
}

function wrongType(actual: string, expected: string): Error {
  return nodeError(
    'ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE',
    `Invalid key object type ${actual}, expected ${expected}.`,
    TypeError,
  );
}

/** Whether `key` is an object that {@link readKeyInput} made. */
export function isKeyInput(key: unknown): key is KeyInput {
  return typeof key === 'object' && key !== null && keyInputs.has(key);
}

type Read = typeof nodePrivateKey | typeof nodePublicKey;

const A_KEY = 'a key: a string, bytes, a KeyObject, a CryptoKey, an AsyncKey, or an object';

/** The entry of a key that `node:crypto` has to read. */
function parse(key: unknown, name: string, read: Read): KeyEntry {
  if (key === undefined || key === null) throw invalidArgType(name, A_KEY, key);
  try {
    return entryOf(isolateErrors(() => read(key as string)));
  } catch (error) {
    // An AsyncKey of another copy of this package: node:crypto knows nothing of it.
    const material = isKeyInput(key) ? key.key : key;
    if (describeForeign(material) !== undefined) throw invalidArgType(name, A_KEY, material);
    throw explained(error);
  }
}

/** Mends errors of `node:crypto`: some show the received value, which may be a part of a key, and some have no code. */
function explained(error: unknown): unknown {
  const { code, message = '' } = error as Partial<CodedError>;
  if (code === undefined) return asyncError('ERR_ASYNC_INVALID_KEY', message, { cause: error });
  const end = message.indexOf(' Received ');
  if (end === -1 || !(code === 'ERR_INVALID_ARG_TYPE' || code === 'ERR_INVALID_ARG_VALUE')) return error;
  return nodeError(code, message.slice(0, end), TypeError);
}

/** The key object of a held key. `spki`: SubjectPublicKeyInfo of its public part. */
export function heldPrivateKey(spki: Buffer, held: HeldKey): AsyncKey {
  return new AsyncKey(new KeyEntry(readPublicKey(spki), held));
}

/** Reads SubjectPublicKeyInfo. */
export function readPublicKey(spki: Buffer): KeyObject {
  return isolateErrors(() => nodePublicKey({ key: spki, format: 'der', type: 'spki' }));
}

/** Reads DER. */
export function readPrivateKey(key: Buffer, type: 'pkcs8' | 'sec1' = 'pkcs8'): KeyObject {
  return isolateErrors(() => nodePrivateKey({ key, format: 'der', type }));
}

export function privateKeyEntry(given: unknown, name = 'key'): KeyEntry {
  const key = readKeyInput(given);
  const held = objectEntry(key);
  if (held === undefined) return parse(key, name, nodePrivateKey);
  if (held.type !== 'private') throw wrongType(held.type, 'private');
  return held;
}

export function publicKeyEntry(given: unknown, name = 'key'): KeyEntry {
  const key = readKeyInput(given);
  const held = objectEntry(key);
  if (held === undefined) return parse(key, name, nodePublicKey);
  if (held.type === 'secret') throw wrongType('secret', 'private or public');
  return held.publicEntry;
}
