// Secure contexts, from the options of node:tls.
import { constants, type KeyObject } from 'node:crypto';
import * as nodeTls from 'node:tls';
import { fromNative, invalidArgType, invalidArgValue, isNativeError, nodeError } from '../base/errors';
import { validateInteger, validateString } from '../base/validators';
import type { NativeKey, NativeTlsContext, NativeTrustedRoots } from '../native/contract/handles';
import type { NativeTlsContextOptions } from '../native/contract/tls';
import { environment } from '../native/environment';
import { objectEntry, privateKeyEntry, type AsyncKey, type KeyEntry } from '../keys/key';
import type { Scope } from '../keys/scope';
import { scopeOf } from '../operations/scope';
import { toCompressions, type CertificateCompressionAlgorithm } from './certificate-compression';
import { nativeTls } from './connections';
import { cachedContext } from './context-cache';
import { trustedRoots } from './roots';

const NAMES = [
  'allowPartialTrustChain',
  'ca',
  'cert',
  'certificateCompression',
  'ciphers',
  'crl',
  'dhparam',
  'ecdhCurve',
  'honorCipherOrder',
  'key',
  'maxVersion',
  'minVersion',
  'passphrase',
  'pfx',
  'provider',
  'requestCert',
  'secureOptions',
  'secureProtocol',
  'sessionIdContext',
  'sessionTimeout',
  'sigalgs',
  'ticketKeys',
] as const;

/** A private key: as `node:tls` takes it, or a key that may be held elsewhere. */
export type ServerKey =
  NonNullable<nodeTls.SecureContextOptions['key']> | KeyObject | AsyncKey | (KeyObject | AsyncKey)[];

/** Options of contexts that `node:tls` does not have. */
export interface OwnContextOptions {
  /**
   * Algorithms by which certificates may be compressed on their way, in the order of preference (RFC 8879, TLS 1.3): as of
   * current releases of Node.js 24. Certificates are compressed once, when the context is made: that takes some
   * milliseconds with `'brotli'`. Without effect where `getCertificateCompressionAlgorithms()` gives none. Default: none.
   */
  certificateCompression?: readonly CertificateCompressionAlgorithm[];
  /**
   * The private key, or several of them for certificates of several kinds. Keys of engines, stores and
   * `createRemoteKey()` sign where they are. Meanwhile no handshake holds the event loop, except for keys that block of
   * a server with `threads: 0`.
   */
  key?: ServerKey;
  /** The provider that works with the key, for example `'accelerator'`. Default: OpenSSL's choice. */
  provider?: string;
}

/** Options of `createSecureContext()`. */
export type SecureContextOptions = Omit<nodeTls.SecureContextOptions, keyof OwnContextOptions> & OwnContextOptions;
// Whoever replaces node:tls's own function by ours still means Node's here.
const createNodesContext = nodeTls.createSecureContext;

/** Options of a context, each read once. */
export type ContextOptions = Partial<Record<(typeof NAMES)[number], unknown>>;

/** What a server knows: certificates, keys, trust, versions and ciphers. {@link createSecureContext} makes one. */
export class SecureContext implements nodeTls.SecureContext {
  readonly #native: NativeTlsContext;
  readonly #options: ContextOptions;
  #nodes: nodeTls.SecureContext | undefined;
  /** The context of an HTTPS or TLS server, made by {@link createSecureContext}. @internal */
  constructor(native: NativeTlsContext, options: ContextOptions) {
    this.#native = native;
    this.#options = options;
  }
  /** The context that functions of `node:tls` use, made of the same options when they ask for it. */
  get context(): unknown {
    this.#nodes ??= createNodesContext(this.#options as nodeTls.SecureContextOptions);
    return this.#nodes.context as unknown;
  }
  /** @internal */
  static optionsOf(context: SecureContext): ContextOptions {
    return context.#options;
  }
  /** Undefined for what is not of this class. @internal */
  static nativeOf(value: unknown): NativeTlsContext | undefined {
    return typeof value === 'object' && value !== null && #native in value ? value.#native : undefined;
  }
}

export function readContextOptions(value: unknown): ContextOptions {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object') throw invalidArgType('options', 'of type object', value);
  const options: ContextOptions = {};
  for (const name of NAMES) options[name] = (value as ContextOptions)[name];
  return options;
}

/**
 * Makes a context for `server.addContext()` or `SNICallback`. Experimental.
 *
 * @param options - as those of `tls.createSecureContext()` of Node.js: `cert`, `key`, `passphrase`, `pfx`, `ca`, `crl`,
 * `ciphers`, `ecdhCurve`, `sigalgs`, `dhparam`, `minVersion`, `maxVersion`, `secureProtocol`, `secureOptions`,
 * `honorCipherOrder`, `sessionTimeout`, `ticketKeys`, `allowPartialTrustChain`; and {@link OwnContextOptions}. Default:
 * none of them.
 * @returns the context. Functions of `node:tls` take it, except for keys that only this package knows. Contexts of
 * `node:tls` cannot be used here.
 * @throws with the codes of Node.js: `ERR_INVALID_ARG_TYPE`, `ERR_TLS_INVALID_PROTOCOL_VERSION`, `ERR_OSSL_…`,
 * `ERR_CRYPTO_OPERATION_FAILED` and `ERR_CRYPTO_UNSUPPORTED_OPERATION` for a PFX;
 * `ERR_ASYNC_UNSUPPORTED` where there is no TLS.
 */
export function createSecureContext(options?: SecureContextOptions): SecureContext {
  const given = readContextOptions(options);
  return new SecureContext(createNativeContext(given), given);
}

// Options of contexts of node:tls, and our contexts of the same options once they were asked for.
const ofNodes = new WeakMap<object, { options: ContextOptions; native?: NativeTlsContext }>();

/** A function that makes contexts of `node:tls` which can be used here, too. */
export function rememberingOptions<F extends typeof nodeTls.createSecureContext>(create: F): F {
  return ((options?: object) => {
    // Both read the same values: each of the caller's is read once.
    const given: Record<string, unknown> = {};
    for (const name in options) given[name] = (options as Record<string, unknown>)[name];
    const context = create(options === undefined ? options : given);
    ofNodes.set(context, { options: readContextOptions(given) });
    return context;
  }) as F;
}

/** The context of another module is refused by name. */
export function toNativeContext(value: unknown): NativeTlsContext | undefined {
  const native = SecureContext.nativeOf(value);
  if (native !== undefined) return native;
  const remembered = typeof value === 'object' && value !== null ? ofNodes.get(value) : undefined;
  if (remembered !== undefined) return (remembered.native ??= createNativeContext(remembered.options));
  const isNodes = typeof value === 'object' && value !== null && 'context' in value;
  if (!isNodes) return undefined;
  throw nodeError(
    'ERR_TLS_INVALID_CONTEXT',
    "context must be a SecureContext of openssl-async: import createSecureContext from 'openssl-async/tls'",
    TypeError,
  );
}

/** A context for a client, and whom it trusts beside those whom the context knows. */
export interface ClientContext {
  readonly native: NativeTlsContext;
  readonly roots: NativeTrustedRoots | undefined;
}

/** Of the value of `secureContext`; undefined for what is no context. */
export function toClientContext(value: unknown): ClientContext | undefined {
  const native = toNativeContext(value);
  if (native === undefined) return undefined;
  const options =
    value instanceof SecureContext ? SecureContext.optionsOf(value) : ofNodes.get(value as object)?.options;
  return { native, roots: rootsOf(options ?? {}) };
}

export function clientContext(options: ContextOptions): ClientContext {
  const make = (): NativeTlsContext => createNativeContext(options);
  // A context with roots of its own keeps those of its begin.
  const native = needsOwnRoots(options) ? make() : cachedContext(options, make);
  return { native, roots: rootsOf(options) };
}

function rootsOf(options: ContextOptions): NativeTrustedRoots | undefined {
  return isGiven(options.ca) || needsOwnRoots(options) ? undefined : trustedRoots();
}

export function createNativeContext(given: ContextOptions): NativeTlsContext {
  const options = toNativeOptions(given);
  try {
    const context = nativeTls().createContext(options);
    if (isNativeError(context)) throw fromNative(context);
    return context;
  } finally {
    for (const [copy] of [...options.keys, ...options.pfx]) copy.fill(0);
    options.ticketKeys?.fill(0);
  }
}

function toNativeOptions(given: ContextOptions): NativeTlsContextOptions {
  const passphrase = optionalText(given.passphrase, 'options.passphrase');
  const { ciphers, suites } = toCiphers(given.ciphers);
  const curve = optionalText(given.ecdhCurve, 'options.ecdhCurve') ?? nodeTls.DEFAULT_ECDH_CURVE;
  return {
    certificates: toList(given.cert, 'options.cert').map((each) => toBytes(each, 'options.cert')),
    ...toKeys(given, passphrase),
    pfx: toList(given.pfx, 'options.pfx').map((each) =>
      toKey(each, passphrase, 'buf', 'options.pfx', Array.isArray(given.pfx)),
    ),
    authorities: toList(given.ca, 'options.ca').map((each) => toBytes(each, 'options.ca')),
    roots: needsOwnRoots(given) ? trustedRoots() : undefined,
    revocations: toList(given.crl, 'options.crl').map((each) => toBytes(each, 'options.crl')),
    ciphers,
    suites: suites === '' ? undefined : suites,
    curves: curve === 'auto' ? undefined : curve,
    signatureAlgorithms: toSignatureAlgorithms(given.sigalgs),
    dhParameters: toDhParameters(given.dhparam),
    ...withCiphers(toVersions(given), ciphers),
    options: toFlags(given),
    sessionTimeout: toSessionTimeout(given.sessionTimeout),
    allowPartialChain: given.allowPartialTrustChain === true,
    compressions: toCompressions(given.certificateCompression),
    ticketKeys: toTicketKeys(given.ticketKeys),
  };
}

// Other clients' contexts share a store of them, see `clientContext()`.
function needsOwnRoots({ ca, requestCert, crl, pfx, allowPartialTrustChain }: ContextOptions): boolean {
  if (isGiven(ca) || requestCert === false) return false;
  return requestCert === true || isGiven(crl) || isGiven(pfx) || allowPartialTrustChain === true;
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null && value !== false && value !== '';
}

function optionalText(value: unknown, name: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  validateString(value, name);
  return value;
}

function toList(value: unknown, name: string): readonly unknown[] {
  if (value === undefined || value === null || value === false || value === '') return [];
  if (!Array.isArray(value)) return [value];
  const list = value as unknown[];
  if (list.includes(undefined)) throw invalidArgType(name, 'of type string or an instance of Buffer', undefined);
  return list;
}

/** A copy: the bytes of callers may change. */
export function toBytes(value: unknown, name: string): Uint8Array {
  if (typeof value === 'string') return Buffer.from(value);
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength).slice();
  throw invalidArgType(name, 'of type string or an instance of Buffer, TypedArray, or DataView', value);
}

type Keys = Pick<NativeTlsContextOptions, 'keys' | 'givenKeys'>;

// Text and bytes are read by native code, except for another provider's keys; other keys are there already.
function toKeys({ key, provider }: ContextOptions, passphrase: string | undefined): Keys {
  const named = optionalText(provider, 'options.provider');
  const scope = named === undefined ? undefined : scopeOf({ provider: named });
  const keys: Keys = { keys: [], givenKeys: [] };
  for (const each of toList(key, 'options.key')) {
    if (objectEntry(each) !== undefined) {
      keys.givenKeys.push(toGivenKey(privateKeyEntry(each, 'options.key'), scope));
      continue;
    }
    const [bytes, secret] = toKey(each, passphrase, 'pem', 'options.key', Array.isArray(key));
    if (scope === undefined) {
      keys.keys.push([bytes, secret]);
    } else {
      const pem = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const input = secret === undefined ? pem : { key: pem, passphrase: secret };
      keys.givenKeys.push(toGivenKey(privateKeyEntry(input, 'options.key'), scope));
      bytes.fill(0);
    }
  }
  return keys;
}

function toGivenKey(entry: KeyEntry, scope: Scope | undefined): Keys['givenKeys'][number] {
  entry.held?.check?.();
  const { mayPause = false, backend } = entry.held?.scope ?? scope ?? {};
  const native = entry.native(scope);
  // Keys that pause keep the private part to themselves.
  const delegate = entry.held === undefined || mayPause ? undefined : delegateOf(native, entry.publicEntry.spki);
  return [delegate ?? native, mayPause, backend];
}

function delegateOf(native: NativeKey, spki: Uint8Array): NativeKey | undefined {
  const delegate = environment().addon.remote.delegateKey(native, spki);
  if (delegate !== undefined && isNativeError(delegate)) throw fromNative(delegate);
  return delegate;
}

function toKey(
  value: unknown,
  passphrase: string | undefined,
  property: 'pem' | 'buf',
  name: string,
  isList: boolean,
): [Uint8Array, string | undefined] {
  const isRecord = isList && typeof value === 'object' && value !== null && !ArrayBuffer.isView(value);
  if (!isRecord) return [toBytes(value, name), passphrase];
  const given = value as { pem?: unknown; buf?: unknown; passphrase?: unknown };
  const own = optionalText(given.passphrase, `${name}.passphrase`);
  return [toBytes(given[property], `${name}.${property}`), own ?? passphrase];
}

// Node.js takes the names of TLS 1.3 and of earlier versions in one list.
function toCiphers(value: unknown): { ciphers: string; suites: string } {
  const text = optionalText(value, 'options.ciphers');
  const all = (text === undefined || text === '' ? nodeTls.DEFAULT_CIPHERS : text)
    .split(':')
    .filter((name) => name !== '');
  const isSuite = (name: string): boolean => /^!?TLS_/.test(name);
  const suites = all.filter(isSuite).join(':');
  const ciphers = all.filter((name) => !isSuite(name)).join(':');
  if (suites === '' && ciphers === '') throw invalidArgValue('options.ciphers', value, 'names no cipher');
  return { ciphers, suites };
}

function toSignatureAlgorithms(value: unknown): string | undefined {
  const text = optionalText(value, 'options.sigalgs');
  if (text === '') throw invalidArgValue('options.sigalgs', text, 'is invalid');
  return text;
}

function toDhParameters(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  return value === 'auto' ? value : Buffer.from(toBytes(value, 'options.dhparam')).toString('latin1');
}

const TLS_1_2 = 0x303;
const TLS_1_3 = 0x304;
const VERSIONS: Readonly<Record<string, number>> = {
  TLSv1: 0x301,
  'TLSv1.1': 0x302,
  'TLSv1.2': TLS_1_2,
  'TLSv1.3': TLS_1_3,
};
const METHODS: Readonly<Record<string, readonly [min: number | undefined, max: number]>> = {
  TLS_method: [0, TLS_1_3],
  TLSv1_method: [0x301, 0x301],
  TLSv1_1_method: [0x302, 0x302],
  TLSv1_2_method: [TLS_1_2, TLS_1_2],
  SSLv23_method: [undefined, TLS_1_2], // from Node's default on
};

function toVersions(given: ContextOptions): { minVersion: number; maxVersion: number } {
  const { secureProtocol, minVersion, maxVersion } = given;
  if (secureProtocol !== undefined && secureProtocol !== null) {
    if (minVersion !== undefined || maxVersion !== undefined) {
      const which = minVersion === undefined ? 'maxVersion' : 'minVersion';
      const message = `TLS protocol version ${String(minVersion ?? maxVersion)} conflicts with secureProtocol`;
      throw nodeError('ERR_TLS_PROTOCOL_VERSION_CONFLICT', `${message} (${which})`, TypeError);
    }
    validateString(secureProtocol, 'options.secureProtocol');
    const name = secureProtocol.replace(/_(server|client)_method$/, '_method');
    const disabled = /^(SSLv[23])_method$/.exec(name);
    if (disabled !== null) {
      const message = `${disabled[1] as string} methods disabled`;
      throw nodeError('ERR_TLS_INVALID_PROTOCOL_METHOD', message, TypeError);
    }
    const range = METHODS[name];
    if (range === undefined) throw nodeError('ERR_TLS_INVALID_PROTOCOL_METHOD', `Unknown method: ${name}`, TypeError);
    const least = range[0] ?? toVersion(nodeTls.DEFAULT_MIN_VERSION, 'minimum');
    return { minVersion: least, maxVersion: range[1] };
  }
  return {
    minVersion: toVersion(minVersion ?? nodeTls.DEFAULT_MIN_VERSION, 'minimum'),
    maxVersion: toVersion(maxVersion ?? nodeTls.DEFAULT_MAX_VERSION, 'maximum'),
  };
}

// A list that names ciphers of TLS 1.3 alone leaves earlier versions out, as in Node.js.
function withCiphers<V extends { minVersion: number; maxVersion: number }>(range: V, ciphers: string): V {
  const spans = range.minVersion < TLS_1_3 && range.maxVersion >= TLS_1_3;
  return spans && ciphers === '' ? { ...range, minVersion: TLS_1_3 } : range;
}

function toVersion(name: unknown, which: string): number {
  const version = typeof name === 'string' ? VERSIONS[name] : undefined;
  if (version !== undefined) return version;
  const message = `${String(name)} is not a valid ${which} TLS protocol version`;
  throw nodeError('ERR_TLS_INVALID_PROTOCOL_VERSION', message, TypeError);
}

function toFlags(given: ContextOptions): number {
  let flags = 0;
  if (given.secureOptions !== undefined) {
    validateInteger(given.secureOptions, 'options.secureOptions', 0);
    flags = given.secureOptions;
  }
  return given.honorCipherOrder === false
    ? flags
    : Number(BigInt(flags) | BigInt(constants.SSL_OP_CIPHER_SERVER_PREFERENCE));
}

function toSessionTimeout(value: unknown): number {
  if (value === undefined || value === null) return 0;
  validateInteger(value, 'options.sessionTimeout', 0, 2 ** 31 - 1);
  return value;
}

/** The 48 bytes of `ticketKeys`, or undefined. `message` is for another number of bytes. */
export function toTicketKeys(
  value: unknown,
  message = "The property 'options.ticketKeys' must be exactly 48 bytes",
): Uint8Array | undefined {
  if (value === undefined || value === null) return undefined;
  if (!ArrayBuffer.isView(value)) throw invalidArgType('options.ticketKeys', 'an instance of Buffer', value);
  if (value.byteLength !== 48) throw nodeError('ERR_INVALID_ARG_VALUE', message, TypeError);
  return toBytes(value, 'options.ticketKeys');
}
