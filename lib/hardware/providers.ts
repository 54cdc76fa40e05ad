// Providers that the caller loads, in a library context that Node.js knows nothing of.
import { resolve } from 'node:path';
import { asyncError, fromNative, invalidArgType, invalidArgValue, isNativeError } from '../base/errors';
import type { NativeProvider } from '../native/contract/handles';
import type { NativeProviderInfo } from '../native/contract/providers';
import { environment } from '../native/environment';
import { loadConfiguration } from '../native/configuration';
import { isolateModules, modulesOf, validateIsolate, type IsolationOptions } from '../native/isolation';
import { inFlightEnded } from '../keys/native-keys';
import { HARDWARE_OPTIONS, readHardwareOptions, waitFor, Heartbeat, type HardwareOptions } from './waiting';
import { setLoaded, setUnloaded } from '../operations/known-providers';
import { UNPRINTABLE, validateBoolean, readOptions, validatePath, validateString } from '../base/validators';

/** Options of {@link loadProvider}. */
export interface ProviderOptions extends HardwareOptions, IsolationOptions {
  /**
   * Path of the module. @defaultValue the provider's name, looked for among OpenSSL's own and in its modules' folder
   */
  path?: string;
  /** Parameters that the provider may ask its core for, as in its section of a configuration file. */
  parameters?: Readonly<Record<string, string | number | boolean>>;
  /** Path of a configuration file, see config(5), that is read first, for the providers and algorithms it sets up. */
  config?: string;
  /**
   * Whether its operations pause their OpenSSL job while the hardware works: then they run in jobs, on the event loop's
   * thread. A provider that does not pause, such as a token behind PKCS#11, would hold the loop there; with `false`,
   * operations run on the pool. @defaultValue true
   */
  pauses?: boolean;
}

/** Names of algorithms by the class of operations; the names of one algorithm are separated by colons. */
export type ProviderAlgorithms = Readonly<Record<string, readonly string[]>>;

/** A provider's description of itself. */
export interface ProviderInfo {
  /** The name, for the option `provider` of operations. */
  name: string;
  /** The provider's name for itself. */
  title: string;
  /** The provider's version. */
  version: string;
  /** The provider's words on its build. */
  buildInfo: string;
  /** Whether it works; one that failed its own tests does not. */
  active: boolean;
  /** Whether its own tests passed just now; only where {@link listProviders} was asked to run them. */
  selfTest?: boolean;
  /** Where it is loaded: Node.js's library context, or this package's own. */
  library: 'process' | 'own';
  /** The algorithms it offers: `digests`, `ciphers`, `macs`, `kdfs`, `signatures`, `keyManagers` and so on. */
  algorithms: ProviderAlgorithms;
}

/** A provider that {@link loadProvider} loaded. */
export class Provider {
  #native: NativeProvider | undefined;
  #unloaded: Promise<void> | undefined;
  readonly #heartbeat: Heartbeat;

  /** @internal */
  constructor(
    /** The name that the provider was loaded by. */
    readonly name: string,
    native: NativeProvider,
    { heartbeat }: HardwareOptions,
  ) {
    this.#native = native;
    this.#heartbeat = new Heartbeat(`provider:${name}`, heartbeat, 'alive', (parameter) => {
      const alive = this.parameter(parameter);
      return alive !== undefined && alive !== '0';
    });
  }

  /** False after a heartbeat that failed, until one succeeds; true without any. */
  get alive(): boolean {
    return this.#heartbeat.alive;
  }

  /** True until {@link unload}. */
  get loaded(): boolean {
    return this.#native !== undefined;
  }

  /** @throws `ERR_ASYNC_PROVIDER_NOT_LOADED` after {@link unload} */
  info(): ProviderInfo {
    return toInfo(environment().addon.providers.describe(this.#handle()), 'own');
  }

  /**
   * Runs the provider's own tests, on this thread; one without any passes.
   *
   * @throws `ERR_ASYNC_PROVIDER_NOT_LOADED` after {@link unload}
   */
  selfTest(): boolean {
    return environment().addon.providers.test(this.#handle());
  }

  /**
   * The value of one of the provider's own parameters, as text; undefined when it has none of this name.
   *
   * @throws `ERR_ASYNC_PROVIDER_NOT_LOADED` after {@link unload}; `ERR_INVALID_ARG_TYPE`
   */
  parameter(name: string): string | undefined {
    validateString(name, 'name');
    return environment().addon.providers.parameter(this.#handle(), name);
  }

  /**
   * Unloads the provider. No operation begins with it any more, and operations that run end as they would. Then the
   * provider is gone, with the wait fds, contexts and keys that this thread's operations kept of it, unless another
   * thread, or another call of {@link loadProvider}, has it loaded. OpenSSL keeps its module.
   *
   * @returns a promise that resolves then, for later calls too; at once when no operation of this thread is in flight
   */
  unload(): Promise<void> {
    return (this.#unloaded ??= this.#unload());
  }

  #unload(): Promise<void> {
    const native = this.#handle();
    this.#heartbeat.stop();
    const others = providers.get(this.name)?.filter((provider) => provider !== this) ?? [];
    providers.set(this.name, others);
    // A provider that a configuration file has activated stays, and is found anew.
    if (others.length === 0) setUnloaded(this.name);
    const { addon } = environment();
    if (others.length === 0) addon.devices.stopPolling(`provider:${this.name}`);
    addon.providers.unload(native);
    this.#native = undefined;
    return inFlightEnded();
  }

  /** As {@link unload}, without waiting for operations that run. */
  [Symbol.dispose](): void {
    void this.unload();
  }

  /** As {@link unload}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.unload();
  }

  #handle(): NativeProvider {
    if (this.#native !== undefined) return this.#native;
    throw asyncError('ERR_ASYNC_PROVIDER_NOT_LOADED', `The provider '${this.name}' was unloaded`);
  }
}

const providers = new Map<string, Provider[]>();

/**
 * Loads a provider into this package's own library context: `provider: name` and `properties: '?provider=name'` of
 * operations find it then. Node.js's own context, its configuration and `node:crypto` stay as they are. Operations with
 * it run in OpenSSL jobs, where it may pause.
 *
 * The module is loaded, and initialised, on this thread. A provider belongs to the thread that loaded it: other threads
 * that want it load it too, and share the module.
 *
 * @param name - the name of the provider, which is also the property `provider` of its algorithms
 * @param options - see {@link ProviderOptions}
 *
 * @throws As a rejection: `ERR_ASYNC_PROVIDER_NOT_LOADED` with what OpenSSL says, `ERR_ASYNC_MODULE_INCOMPATIBLE` for
 * the module of a `path` that cannot work in this process, saying why, `ERR_ASYNC_CONFIGURATION` for a file that
 * OpenSSL does not take, `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_ASYNC_UNSUPPORTED`
 *
 * @example
 * ```ts
 * const provider = await loadProvider('legacy');
 * await hash('md4', 'data', { provider: 'legacy' });
 * ```
 */
export async function loadProvider(name: string, options: ProviderOptions = {}): Promise<Provider> {
  await Promise.resolve();
  validateString(name, 'name');
  if (!NAME.test(name)) throw invalidArgValue('name', name, 'must be the name of a provider');
  const given = readOptions(options, 'options', PROVIDER_OPTIONS);
  const hardware = readHardwareOptions(given);
  const { pauses = true } = given;
  validateBoolean(pauses, 'options.pauses');
  const path = pathOption(given.path, 'options.path');
  const config = pathOption(given.config, 'options.config');
  const parameters = parameterList(given.parameters);
  isolateModules(validateIsolate(given.isolate), modulesOf('provider', name, parameters), 'provider');
  if (config !== undefined) loadConfiguration(config);
  const { addon } = environment();
  const native = addon.providers.load(name, path, parameters);
  if (isNativeError(native)) throw fromNative(native);
  const backend = `provider:${name}`;
  try {
    waitFor(backend, hardware, 'poll', (...poll) => addon.providers.poll(backend, native, ...poll));
  } catch (error) {
    addon.providers.unload(native);
    throw error;
  }
  const provider = new Provider(name, native, hardware);
  providers.set(name, [...(providers.get(name) ?? []), provider]);
  setLoaded(name, pauses);
  return provider;
}

const PROVIDER_OPTIONS = ['path', 'parameters', 'config', 'pauses', 'isolate', ...HARDWARE_OPTIONS] as const;

/** Options of {@link listProviders}. */
export interface ProviderListOptions {
  /**
   * Whether each provider runs its own tests, on this thread: OSSL_PROVIDER_self_test(3). The event loop waits while a
   * FIPS module or a device does so; algorithms of a provider that fails are not found any more. @defaultValue false
   */
  selfTest?: boolean;
}

/**
 * All active providers, of Node.js's library context and of this package's own.
 *
 * @throws `ERR_ASYNC_UNSUPPORTED`, `ERR_ASYNC_INIT_FAILED`, `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`
 */
export function listProviders(options: ProviderListOptions = {}): ProviderInfo[] {
  const { selfTest = false } = readOptions(options, 'options', ['selfTest']);
  validateBoolean(selfTest, 'options.selfTest');
  const { addon } = environment();
  return (['process', 'own'] as const).flatMap((library) => {
    const found = addon.providers.list(library === 'own', selfTest);
    if (isNativeError(found)) throw fromNative(found);
    return found.map((info) => toInfo(info, library));
  });
}

function toInfo(info: NativeProviderInfo, library: 'process' | 'own'): ProviderInfo {
  return { ...info, library };
}

// A name that a query can use: property(7).
const NAME = /^[A-Za-z][\w.-]*$/;
// These mean something else in a provider's section.
const RESERVED = ['identity', 'soft_load', 'module', 'activate'];

function pathOption(path: unknown, name: string): string | undefined {
  if (path === undefined) return undefined;
  validatePath(path, name);
  return resolve(path);
}

function parameterList(parameters: unknown): string[] {
  if (parameters === undefined) return [];
  if (typeof parameters !== 'object' || parameters === null) {
    throw invalidArgType('options.parameters', 'of type object', parameters);
  }
  return Object.entries(parameters).flatMap(([name, value]: [string, unknown]) => {
    const fullName = `options.parameters.${name}`;
    if (!/^[\w.-]+$/.test(name) || RESERVED.includes(name)) {
      throw invalidArgValue('options.parameters', name, 'must have names that a configuration file can hold');
    }
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
      throw invalidArgType(fullName, 'of type string, number or boolean', value);
    }
    const text = String(value);
    // The text may be a secret, such as a PIN, so it is not shown.
    if (UNPRINTABLE.test(text))
      throw invalidArgValue(fullName, undefined, 'must have no line breaks or control characters');
    return [name, text];
  });
}
