// The errors of this library: all of them are made here.
import { describeForeign } from './brand';
import type { NativeError } from '../native/contract/error';

/**
 * The codes of this library's own errors. They are stable: a code changes only with a major version, a message at any
 * time. Errors about arguments carry Node's own codes (`ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`,
 * `ERR_OUT_OF_RANGE`), errors that OpenSSL reports carry `ERR_OSSL_…` as in `node:crypto`, and an aborted call
 * rejects with an `AbortError` whose code is `ABORT_ERR`.
 */
export type AsyncErrorCode = keyof AsyncErrors;

/** The errors by code; see {@link AsyncErrorCode}. */
export interface AsyncErrors {
  /** This process has no OpenSSL 3, or the call needs a job and there are none; `unsupportedReason()` says why. */
  ERR_ASYNC_UNSUPPORTED: CodedError;
  /** The native addon could not be loaded; the message says what was tried and what to do. */
  ERR_ASYNC_ADDON_NOT_LOADED: CodedError;
  /** `initThread()` was called twice on a thread, or after the thread's first job. */
  ERR_ASYNC_THREAD_INITIALIZED: CodedError;
  /** OpenSSL could not create the thread's pool. */
  ERR_ASYNC_INIT_FAILED: CodedError;
  /** `cleanupThread()` while jobs of the thread have not finished. */
  ERR_ASYNC_JOBS_OUTSTANDING: CodedError;
  /** `configure()` after the first use. */
  ERR_ASYNC_ALREADY_STARTED: CodedError;
  /** A job was started or resumed from within a job function or a wait context's callback. */
  ERR_ASYNC_NESTED_START: CodedError;
  /** A job that has finished was resumed. */
  ERR_ASYNC_JOB_FINISHED: CodedError;
  /** A job that `runJob()` drives was resumed by hand. */
  ERR_ASYNC_JOB_SCHEDULED: CodedError;
  /** A job was resumed on another thread than the one that started it. */
  ERR_ASYNC_WRONG_THREAD: CodedError;
  /** OpenSSL reported `ASYNC_ERR` without saying why, or refused a command of a job function. */
  ERR_ASYNC_JOB_FAILED: CodedError;
  /** A wait context that a job uses was closed, or given to another job. */
  ERR_ASYNC_WAIT_CONTEXT_BUSY: CodedError;
  /** The wait context was closed. */
  ERR_ASYNC_WAIT_CONTEXT_CLOSED: CodedError;
  /** A job was resumed with another wait context than its own. */
  ERR_ASYNC_WAIT_CONTEXT_MISMATCH: CodedError;
  /** The wait signal was closed. */
  ERR_ASYNC_WAIT_SIGNAL_CLOSED: CodedError;
  /** As many jobs wait to start, operations are in flight, or requests of early data are held back, as may. */
  ERR_ASYNC_QUEUE_FULL: CodedError;
  /** The system gives the pool no thread, and the operation may not run on the event loop. The next call asks again. */
  ERR_ASYNC_NO_THREADS: CodedError;
  /** There is not enough memory. What was being done has been undone. */
  ERR_ASYNC_OUT_OF_MEMORY: CodedError;
  /** The event loop has no room for what is needed, for example because all file descriptors are in use. */
  ERR_ASYNC_LOOP: CodedError;
  /** The time limit of a call passed. */
  ERR_ASYNC_TIMEOUT: CodedError;
  /** A job function yielded something else than a command of its own job, or did not yield one that it had made. */
  ERR_ASYNC_INVALID_COMMAND: CodedError;
  /** A job function yielded a million commands without pausing once. */
  ERR_ASYNC_COMMAND_LIMIT: CodedError;
  /** A wait fd is not open. */
  ERR_ASYNC_INVALID_FD: CodedError;
  /** A wait fd cannot be polled, for example because it is a regular file. */
  ERR_ASYNC_FD_NOT_POLLABLE: CodedError;
  /** A key cannot be read, or OpenSSL could not take it over to the provider asked for. */
  ERR_ASYNC_INVALID_KEY: CodedError;
  /** A URI names no store or no key that can be used. */
  ERR_ASYNC_STORE: CodedError;
  /** A store wants a PIN or passphrase, and is given none. */
  ERR_ASYNC_STORE_PROMPT: CodedError;
  /** A private key that is held elsewhere cannot be given away. */
  ERR_ASYNC_KEY_NOT_EXPORTABLE: CodedError;
  /** A provider that is named is not loaded, OpenSSL cannot load it, or it was unloaded. */
  ERR_ASYNC_PROVIDER_NOT_LOADED: CodedError;
  /** An engine cannot be loaded, refuses a command or a key, or was unloaded; or OpenSSL has no engines. */
  ERR_ASYNC_ENGINE: CodedError;
  /**
   * The module of an engine or provider cannot work in this process: it was compiled against another libcrypto, misses
   * a symbol, is for another architecture, is no module, or does not set itself up.
   */
  ERR_ASYNC_MODULE_INCOMPATIBLE: CodedError;
  /** An operation that `requireOffload` wants elsewhere ran here, or would have. */
  ERR_ASYNC_NOT_OFFLOADED: CodedError;
  /**
   * The process is in FIPS mode, and the implementation asked for is not validated, or cannot be had validated any
   * more.
   */
  ERR_ASYNC_FIPS: CodedError;
  /** OpenSSL cannot use a configuration file. */
  ERR_ASYNC_CONFIGURATION: CodedError;
  /** The function of a remote key threw or rejected; the reason is the `cause`. */
  ERR_ASYNC_REMOTE_KEY_FAILED: CodedError;
  /**
   * The function of a remote key gave something else than bytes of the right length, or a signature that is not valid.
   */
  ERR_ASYNC_REMOTE_KEY_INVALID_RESULT: CodedError;
  /** The function of a remote key did not settle within the key's `timeoutMs`. */
  ERR_ASYNC_REMOTE_KEY_TIMEOUT: CodedError;
  /** A remote key has no function for the operation, or cannot be asked for it in this way. */
  ERR_ASYNC_REMOTE_KEY_UNSUPPORTED: CodedError;
  /** A remote key was needed where nothing can wait for it: outside jobs, or while pauses are blocked. */
  ERR_ASYNC_REMOTE_KEY_CANNOT_WAIT: CodedError;
  /** A C++ exception got out of a native job function. */
  ERR_ASYNC_NATIVE_EXCEPTION: CodedError;
}

/** An error of this library: a plain `Error`, `TypeError` or `RangeError` with a stable `code`. */
export interface CodedError extends Error {
  /** One of {@link AsyncErrorCode}, or one of Node's or OpenSSL's. */
  code: string;
}

/** An error that OpenSSL reported, decorated as `node:crypto` does it. */
export interface OpenSSLError extends CodedError {
  /** OpenSSL's name of the part that failed, for example `Provider routines`. */
  library?: string;
  /** OpenSSL's words, for example `bad decrypt`. */
  reason?: string;
  /** Further errors of the same failure, oldest first. */
  opensslErrorStack?: string[];
}

type ErrorClass = ErrorConstructor | TypeErrorConstructor | RangeErrorConstructor;

function make(Base: ErrorClass, code: string, message: string, options?: ErrorOptions): CodedError {
  const error = new Base(message, options) as CodedError;
  // As Node's own errors: the code is part of the stack's first line, and not of the name.
  error.name = `${Base.name} [${code}]`;
  void error.stack;
  error.name = Base.name;
  Object.defineProperty(error, 'name', { enumerable: false });
  error.code = code;
  return error;
}

export function asyncError(code: AsyncErrorCode, message: string, options?: ErrorOptions): CodedError {
  return make(Error, code, message, options);
}

/** An error with one of Node's own codes, as `node:crypto` has it. */
export function nodeError(
  code: `ERR_${string}`,
  message: string,
  Base: ErrorConstructor | TypeErrorConstructor | RangeErrorConstructor = Error,
): CodedError {
  return make(Base, code, message);
}

export function invalidArgType(name: string, expected: string, actual: unknown): CodedError {
  const foreign = describeForeign(actual);
  const received = `Received ${describe(actual)}${foreign === undefined ? '' : `. ${foreign}`}`;
  const message = `The "${name}" ${kindOf(name)} must be ${expected}. ${received}`;
  return make(TypeError, 'ERR_INVALID_ARG_TYPE', message);
}

export function invalidArgValue(name: string, actual: unknown, reason: string): CodedError {
  const message = `The ${kindOf(name)} '${name}' ${reason}. Received ${describe(actual)}`;
  return make(TypeError, 'ERR_INVALID_ARG_VALUE', message);
}

export function unknownOption(name: string, known: readonly string[]): CodedError {
  const message = `Unknown option '${name}'. The options are: ${known.join(', ')}`;
  return make(TypeError, 'ERR_INVALID_ARG_VALUE', message);
}

export function outOfRange(name: string, range: string, actual: unknown): CodedError {
  const received = typeof actual === 'number' ? withSeparators(actual) : describe(actual);
  const message = `The value of "${name}" is out of range. It must be ${range}. Received ${received}`;
  return make(RangeError, 'ERR_OUT_OF_RANGE', message);
}

// As Node.js writes numbers that are too large or too small.
function withSeparators(value: number): string {
  const isLong = Number.isInteger(value) && Math.abs(value) > 2 ** 32;
  return isLong ? String(value).replaceAll(/\B(?=(?:\d{3})+$)/g, '_') : String(value);
}

export function invalidReturnValue(what: string, expected: string, actual: unknown): CodedError {
  const message = `Expected ${expected} to be returned from ${what} but got ${describe(actual)}`;
  return make(TypeError, 'ERR_INVALID_RETURN_VALUE', message);
}

/** As Node's: name `AbortError`, code `ABORT_ERR`, the signal's reason as `cause`. */
export function abortError(cause: unknown): CodedError {
  const error = make(Error, 'ABORT_ERR', 'The operation was aborted', { cause });
  error.name = 'AbortError';
  return error;
}

// Classes of the errors that native code gives Node's codes, where they are not plain errors.
const CLASSES: Readonly<Record<string, ErrorClass>> = {
  ERR_CRYPTO_INVALID_AUTH_TAG: TypeError,
  ERR_CRYPTO_INVALID_CURVE: TypeError,
  ERR_CRYPTO_INVALID_DIGEST: TypeError,
  ERR_CRYPTO_INVALID_IV: TypeError,
  ERR_CRYPTO_INVALID_KEYLEN: RangeError,
  ERR_CRYPTO_INVALID_MESSAGELEN: RangeError,
  ERR_CRYPTO_INVALID_SCRYPT_PARAMS: RangeError,
  ERR_INVALID_ARG_VALUE: TypeError,
};

/** Whether native code gave an error instead of what it was asked for. */
export function isNativeError(value: object): value is NativeError {
  return Object.hasOwn(value, 'opensslErrors');
}

/**
 * Rejects the promise of `resolve` with the error that `make` makes. The error is made in a reaction that the promise
 * waits for, where V8 finds the functions that await the promise: the error's stack names them.
 */
export function rejectWith(resolve: (value: never) => void, make: () => unknown): void {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolveOpened) => {
    open = resolveOpened;
  });
  const failing = opened.then(() => {
    throw make();
  });
  (resolve as (value: unknown) => void)(failing);
  open();
}

/** The error that native code describes. Like a few errors of `node:crypto`, some have no code. */
export function fromNative(native: NativeError, options?: ErrorOptions): Error {
  if (native.opensslErrors.length > 0 && (native.code === '' || native.code === 'ERR_ASYNC_JOB_FAILED')) {
    return opensslError(native.opensslErrors);
  }
  if (native.code === '') return new Error(native.message);
  const error = make(CLASSES[native.code] ?? Error, native.code, native.message, options);
  if (native.opensslErrors.length > 0) (error as OpenSSLError).opensslErrorStack = [...native.opensslErrors];
  return error;
}

// Library numbers of OpenSSL 3 that node:crypto puts into its codes; errors of other libraries are named by reason
// alone.
const LIBRARY_PREFIXES: Readonly<Record<number, string>> = {
  2: 'SYS_',
  3: 'BN_',
  4: 'RSA_',
  5: 'DH_',
  6: 'EVP_',
  7: 'BUF_',
  8: 'OBJ_',
  9: 'PEM_',
  10: 'DSA_',
  11: 'X509_',
  13: 'ASN1_',
  14: 'CONF_',
  15: 'CRYPTO_',
  16: 'EC_',
  32: 'BIO_',
  33: 'PKCS7_',
  34: 'X509V3_',
  35: 'PKCS12_',
  36: 'RAND_',
  37: 'DSO_',
  38: 'ENGINE_',
  39: 'OCSP_',
  40: 'UI_',
  41: 'COMP_',
  42: 'ECDSA_',
  43: 'ECDH_',
  44: 'OSSL_STORE_',
  45: 'FIPS_',
  46: 'CMS_',
  47: 'TS_',
  48: 'HMAC_',
  50: 'CT_',
  51: 'ASYNC_',
  52: 'KDF_',
  53: 'SM2_',
};
const LIBRARY_SSL = 20;
const prefixOf = (library: number): `ERR_${string}` =>
  library === LIBRARY_SSL ? 'ERR_SSL_' : `ERR_OSSL_${LIBRARY_PREFIXES[library] ?? ''}`;

/**
 * `lines` as ERR_error_string(3) writes them, oldest first: `error:CODE:library:function:reason`. The code begins with
 * `prefix`; with the one of the library by default, as in `node:crypto`.
 */
export function opensslError(lines: readonly string[], prefix?: 'ERR_SSL_'): OpenSSLError {
  const [first = '', ...rest] = lines;
  const [, packed = '', library = '', , reason = ''] = first.split(':');
  const begin = prefix ?? prefixOf((Number.parseInt(packed, 16) >>> 23) & 0xff);
  const error: OpenSSLError = make(Error, `${begin}${reason.toUpperCase().replaceAll(' ', '_')}`, first);
  if (library !== '') error.library = library;
  if (reason !== '') error.reason = reason;
  if (rest.length > 0) error.opensslErrorStack = rest;
  return error;
}

function kindOf(name: string): 'argument' | 'property' {
  return name.includes('.') ? 'property' : 'argument';
}

// As Node words it. Never the content of bytes: they may be key material.
function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'function') {
    const name = read(value, 'name');
    return `function ${typeof name === 'string' ? name : ''}`; // a space at the end, too
  }
  if (typeof value === 'object') {
    const name = classNameOf(value);
    return typeof name === 'string' && name !== '' ? `an instance of ${name}` : 'an object';
  }
  if (typeof value === 'string') {
    return `type string ('${value.length > 25 ? `${value.slice(0, 25)}...` : value}')`;
  }
  if (typeof value === 'bigint') return `type bigint (${String(value)}n)`;
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'symbol') {
    return `type ${typeof value} (${String(value)})`;
  }
  return `type ${typeof value}`;
}

function classNameOf(value: object): unknown {
  const maker = read(value, 'constructor');
  return typeof maker === 'function' ? read(maker, 'name') : undefined;
}

// A getter or a Proxy may throw, which the caller is not to be told.
function read(value: object, name: string): unknown {
  try {
    return (value as Record<string, unknown>)[name];
  } catch {
    return undefined;
  }
}
