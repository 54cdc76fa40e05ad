// OpenSSL's engines, which hold keys, or work with the caller's own. Providers have replaced them since OpenSSL 3;
// OpenSSL 4 has none.
import { resolve } from 'node:path';
import { bytesOf } from '../base/byte-views';
import { asyncError, fromNative, invalidArgType, invalidArgValue, isNativeError } from '../base/errors';
import { isolateModules, modulesOf, validateIsolate, type IsolationOptions } from '../native/isolation';
import { HARDWARE_OPTIONS, readHardwareOptions, waitFor, Heartbeat, type HardwareOptions } from './waiting';
import {
  AsyncKey,
  entryOf,
  heldPrivateKey,
  privateKeyEntry,
  readPublicKey,
  type HeldKey,
  type KeyEntry,
  type KeyLike,
} from '../keys/key';
import type { NativeEngineTask } from '../native/contract/engines';
import type { NativeEngine, NativeKey, NativeOutcome } from '../native/contract/handles';
import { PROCESS_SCOPE } from '../keys/scope';
import { EngineMethod } from '../native/contract/tables';
import { environment } from '../native/environment';
import { forgetDefaultEngine, inFlightEnded, noteDefaultEngine } from '../keys/native-keys';
import { attempt, call, type Spec } from '../operations/call';
import { checkOperationOptions, offloaded, type OperationOptions } from '../operations/operation-options';
import { keySources, validatePin } from '../operations/store';
import { validateBoolean, validateInteger, validateString, readOptions } from '../base/validators';

/** The functions of an engine for the caller's own key: for RSA or EC keys, or of a higher level for any type. */
export type EngineAlgorithm = 'RSA' | 'EC' | 'PKEY';

/** A part of an engine that a process can use by default, as ENGINE_set_default_string(3) calls it. */
export type EngineDefault =
  'ALL' | 'RSA' | 'DSA' | 'DH' | 'EC' | 'RAND' | 'CIPHERS' | 'DIGESTS' | 'PKEY' | 'PKEY_CRYPTO' | 'PKEY_ASN1';

/** The value of a command, as ENGINE_ctrl_cmd(3) takes it: a number, a text, or none. */
export type EngineValue = number | string | null | undefined;

/** A command with its value, if it takes one. */
export type EngineCommandCall = readonly [command: string, value?: EngineValue];

/** Options of {@link loadEngine}. */
export interface EngineOptions extends HardwareOptions, IsolationOptions {
  /** The id of the engine, when a path names its module. @defaultValue the module's own choice */
  id?: string;
  /** Commands before the engine is initialised, for example `['MODULE_PATH', '/usr/lib/softhsm/libsofthsm2.so']`. */
  preInit?: readonly EngineCommandCall[];
  /** Commands afterwards. */
  postInit?: readonly EngineCommandCall[];
  /**
   * The functions that {@link Engine.bindKey} gives to keys; see {@link Engine.use}. @defaultValue everything that the
   * engine has
   */
  algorithms?: readonly EngineAlgorithm[];
  /**
   * Whether operations with its keys pause their OpenSSL job while the engine works: then they run in jobs, on the
   * event loop's thread. An engine that does not pause would hold the loop there; by default, operations run on the
   * pool.
   * @defaultValue false
   */
  pauses?: boolean;
}

/** Options of {@link Engine.loadPrivateKey} and {@link Engine.loadPublicKey}. */
export interface EngineKeyOptions extends Pick<OperationOptions, 'signal' | 'timeoutMs'> {
  /** The answer when the engine asks for a PIN or passphrase; nobody else is asked. */
  pin?: string | Uint8Array;
}

/** A command of an engine's. */
export interface EngineCommand {
  /** For {@link Engine.control}. */
  name: string;
  /** In the engine's own words. */
  description: string;
  /** The kinds of value that it takes; none at all for a command that only the engine's own programs can give. */
  kinds: ('number' | 'string' | 'none')[];
}

/** An engine, as {@link listEngines} describes it. */
export interface EngineInfo {
  /** The id, for {@link loadEngine}. */
  id: string;
  /** The engine's name for itself. */
  name: string;
  /** Whether {@link loadEngine} has loaded it, on whatever thread. */
  loaded: boolean;
}

/** An engine that {@link loadEngine} loaded. */
export class Engine {
  #native: NativeEngine | undefined;
  #unloaded: Promise<void> | undefined;
  readonly #heartbeat: Heartbeat;
  #methods = 0;
  readonly #keys = new Set<WeakRef<KeyEntry>>();
  readonly #collected = new FinalizationRegistry<WeakRef<KeyEntry>>((key) => this.#keys.delete(key));

  /** The engine's own id. */
  readonly id: string;
  /** The engine's description of itself. */
  readonly name: string;
  /**
   * The algorithms that it has, as openssl-engine(1) lists them: `'RSA'`, `'EC'`, `'DIGESTS'`, `'CIPHERS'`, `'PKEY'`
   * and so on.
   */
  readonly algorithms: readonly string[];
  /** Its commands. */
  readonly commands: readonly EngineCommand[];

  /** @internal */
  constructor(
    native: NativeEngine,
    /** See {@link EngineOptions}. */
    readonly pauses: boolean,
    { heartbeat }: HardwareOptions,
  ) {
    const { id, name, algorithms, commands } = environment().addon.engines.describe(native);
    this.id = id;
    this.name = name;
    this.algorithms = algorithms;
    this.commands = commands.map(({ name: command, description, takesNumber, takesText, takesNothing }) => ({
      name: command,
      description,
      kinds: [
        ...(takesNumber ? (['number'] as const) : []),
        ...(takesText ? (['string'] as const) : []),
        ...(takesNothing ? (['none'] as const) : []),
      ],
    }));
    this.#native = native;
    this.#heartbeat = new Heartbeat(`engine:${id}`, heartbeat, 'HEARTBEAT_POLL', async (command) => {
      try {
        await this.control(command);
        return true;
      } catch {
        return false;
      }
    });
    this.use(KEY_ALGORITHMS);
  }

  /** False after a heartbeat that failed, until one succeeds; true without any. */
  get alive(): boolean {
    return this.#heartbeat.alive;
  }

  /** True until {@link unload}. */
  get loaded(): boolean {
    return this.#native !== undefined;
  }

  /**
   * Gives the engine a command, on the pool: see {@link commands}.
   *
   * @param value - a number, a text, or nothing, as the command takes it
   *
   * @throws As a rejection: `ERR_ASYNC_ENGINE` when it has no such command, takes no such value, or fails, with what
   * OpenSSL says, and after {@link unload}; `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`,
   * `ERR_ASYNC_QUEUE_FULL`
   */
  control(command: string, value?: EngineValue): Promise<void> {
    return attempt(() => {
      validateString(command, 'command');
      const bytes = toNativeValue(value, 'value');
      const task = environment().addon.engines.control(this.#handle(), command, bytes);
      wipe(bytes);
      return ask(task, 'control engine', undefined, undefined, () => undefined);
    });
  }

  /**
   * A private key that stays in the engine, which does all operations with it, whatever they ask for. The key is looked
   * up on the pool.
   *
   * @param id - the engine's name for the key, for example `'pkcs11:token=keys;object=server'`
   * @param options - see {@link EngineKeyOptions}
   *
   * @throws As a rejection: `ERR_ASYNC_ENGINE` with what OpenSSL says, for a wrong PIN, a missing token or key, and
   * after {@link unload}; `AbortError`, `ERR_ASYNC_TIMEOUT`, `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`,
   * `ERR_OUT_OF_RANGE`, `ERR_ASYNC_QUEUE_FULL`
   */
  loadPrivateKey(id: string, options: EngineKeyOptions = {}): Promise<AsyncKey> {
    return this.#loadKey(id, options, true, (native, spki) => this.#hold(spki, native));
  }

  /**
   * A public key of the engine; the result is an ordinary key.
   *
   * @param id - the engine's name for the key
   * @param options - see {@link EngineKeyOptions}
   *
   * @throws As a rejection: what {@link loadPrivateKey} rejects with
   */
  loadPublicKey(id: string, options: EngineKeyOptions = {}): Promise<AsyncKey> {
    return this.#loadKey(id, options, false, (native, spki) => {
      environment().addon.keys.release(native);
      return new AsyncKey(entryOf(readPublicKey(spki)));
    });
  }

  /**
   * From now on {@link bindKey} gives keys these functions of the engine's, as far as it has them, and no others.
   *
   * @throws `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`
   */
  use(algorithms: readonly EngineAlgorithm[]): void {
    this.#methods = methodsOf(algorithms, 'algorithms');
  }

  /**
   * A private key of the caller's own whose operations the engine does: nothing else in the process uses the engine for
   * it.
   *
   * @param key - a private key, as operations take it
   *
   * @throws `ERR_ASYNC_ENGINE` when the engine has nothing for keys of this type, and after {@link unload}; what
   * `createPrivateKey()` throws
   *
   * @example
   * ```ts
   * const key = engine.bindKey(fs.readFileSync('server.pem'));
   * const signature = await sign('sha256', data, key);
   * ```
   */
  bindKey(key: KeyLike): AsyncKey {
    const native = this.#handle();
    const { held, keyObject, publicEntry } = privateKeyEntry(key);
    if (held !== undefined) throw asyncError('ERR_ASYNC_ENGINE', `The private key does not leave ${held.holder}`);
    const pkcs8 = keyObject.export({ format: 'der', type: 'pkcs8' });
    const bound = environment().addon.engines.bindKey(native, pkcs8, this.#methods, this.pauses);
    pkcs8.fill(0);
    if (isNativeError(bound)) throw fromNative(bound);
    return this.#hold(publicEntry.spki, bound);
  }

  /**
   * Makes the engine the choice of the whole process, `node:crypto` and every thread included, for code that asks
   * OpenSSL for none, until the engine is unloaded. OpenSSL 3 asks engines for the functions of RSA and EC keys, for
   * digests and for ciphers. A key that `node:crypto` makes meanwhile keeps the engine, and goes on working with it,
   * until it is collected.
   *
   * @param algorithms - the parts of the engine; `'ALL'` for everything
   *
   * @throws `ERR_ASYNC_ENGINE` when it has none of them, and after {@link unload}; `ERR_INVALID_ARG_TYPE`,
   * `ERR_INVALID_ARG_VALUE`
   */
  setDefault(algorithms: readonly EngineDefault[]): void {
    const names = readNames(algorithms, 'algorithms', DEFAULTS);
    const native = this.#handle();
    noteDefaultEngine(this);
    const failed = environment().addon.engines.setDefault(native, names.join(','));
    if (failed !== undefined) throw fromNative(failed);
  }

  /**
   * Unloads the engine. At once, it takes no more requests, and its keys cannot be used any more. Operations that run
   * end as they would; then the engine is finished and freed, if no other call of {@link loadEngine} has it loaded, and
   * nothing of it is left: it is nobody's default, and the contexts and wait fds that this thread's operations kept are
   * closed.
   *
   * @returns a promise that resolves then, for later calls too; at once when no operation of this thread is in flight
   */
  unload(): Promise<void> {
    return (this.#unloaded ??= this.#unload());
  }

  #unload(): Promise<void> {
    const native = this.#handle();
    this.#native = undefined;
    this.#heartbeat.stop();
    if (keySources.get(this.id) === this) keySources.delete(this.id);
    const { addon } = environment();
    for (const reference of this.#keys) {
      const entry = reference.deref();
      if (entry?.held === undefined) continue;
      for (const spec of entry.takeSpecs() as Spec[]) addon.specs.release(spec.native);
      addon.keys.release(entry.held.native);
    }
    this.#keys.clear();
    forgetDefaultEngine(this);
    addon.devices.stopPolling(`engine:${this.id}`);
    addon.engines.unload(native);
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

  #handle(): NativeEngine {
    if (this.#native !== undefined) return this.#native;
    throw asyncError('ERR_ASYNC_ENGINE', `The engine '${this.id}' was unloaded`);
  }

  #loadKey(
    id: string,
    options: EngineKeyOptions,
    isPrivate: boolean,
    toKey: (native: NativeKey, spki: Buffer) => AsyncKey,
  ): Promise<AsyncKey> {
    return attempt(() => {
      validateString(id, 'id');
      const limits = readOptions(options, 'options', ENGINE_KEY_OPTIONS);
      checkOperationOptions(limits);
      const { pin } = limits;
      if (pin !== undefined) validatePin(pin, 'options.pin');
      const { addon } = environment();
      const task = addon.engines.loadKey(this.#handle(), id, isPrivate);
      return ask(task, 'load engine key', pin, limits as OperationOptions, (outcome) => {
        const [native, spki] = addon.engines.takeKey(outcome, this.pauses);
        try {
          this.#handle();
          return toKey(native, spki);
        } catch (error) {
          addon.keys.release(native);
          throw error;
        }
      });
    });
  }

  #hold(spki: Buffer, native: NativeKey): AsyncKey {
    const { pauses } = this;
    const scope = { ...PROCESS_SCOPE, mayPause: pauses, blocks: !pauses, backend: `engine:${this.id}` };
    const held: HeldKey = { native, scope, holder: `the engine '${this.id}'`, check: () => void this.#handle() };
    const key = heldPrivateKey(spki, held);
    const entry = AsyncKey.entryOf(key);
    const reference = new WeakRef(entry);
    this.#keys.add(reference);
    this.#collected.register(entry, reference);
    return key;
  }
}

/**
 * Loads an engine and initialises it, on the pool. The process's defaults stay as they are. An engine that is
 * loaded already, on whatever thread, is shared; then `preInit` has to be the same, and is not done again.
 *
 * @param idOrPath - the id of an engine, which is looked for among those that OpenSSL has and in the folders of
 * modules, or the path of a module
 * @param options - see {@link EngineOptions}
 *
 * @throws As a rejection: `ERR_ASYNC_ENGINE` with what OpenSSL says, when there is no such engine, when a command or
 * the initialisation fails, and where OpenSSL has no engines; `ERR_ASYNC_MODULE_INCOMPATIBLE` for a module that cannot
 * work in this process, saying why; `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`,
 * `ERR_ASYNC_QUEUE_FULL`, `ERR_ASYNC_UNSUPPORTED`
 *
 * @example
 * ```ts
 * const engine = await loadEngine('pkcs11', { preInit: [['MODULE_PATH', '/usr/lib/softhsm/libsofthsm2.so']] });
 * const key = await engine.loadPrivateKey('pkcs11:token=keys;object=server', { pin: '1234' });
 * const signature = await sign('sha256', data, key);
 * ```
 */
export function loadEngine(idOrPath: string, options: EngineOptions = {}): Promise<Engine> {
  return attempt(() => {
    validateString(idOrPath, 'idOrPath');
    if (!ID.test(idOrPath)) throw invalidArgValue('idOrPath', idOrPath, 'must be an id or a path');
    const given = readOptions(options, 'options', ENGINE_OPTIONS);
    const hardware = readHardwareOptions(given);
    const { id = '', pauses = false } = given;
    validateString(id, 'options.id');
    validateBoolean(pauses, 'options.pauses');
    const algorithms =
      given.algorithms === undefined ? undefined : readNames(given.algorithms, 'options.algorithms', KEY_ALGORITHMS);
    const preInit = toNativeCommands(given.preInit, 'options.preInit');
    const postInit = toNativeCommands(given.postInit, 'options.postInit');
    const isolate = validateIsolate(given.isolate);
    const modules = modulesOf('engine', idOrPath, [...preInit, ...postInit]);
    const isPath = PATH.test(idOrPath);
    const { addon } = environment();
    const task = addon.engines.load(isPath ? resolve(idOrPath) : idOrPath, isPath, id, preInit, postInit);
    for (const part of [...preInit, ...postInit]) wipe(part);
    isolateModules(isolate, modules, 'engine');
    return ask(task, 'load engine', undefined, undefined, (outcome) => {
      const native = addon.engines.takeEngine(outcome);
      const engine = new Engine(native, pauses, hardware);
      const backend = `engine:${engine.id}`;
      try {
        waitFor(backend, hardware, 'POLL', (...poll) => addon.engines.poll(backend, native, ...poll));
      } catch (error) {
        void engine.unload();
        throw error;
      }
      keySources.set(engine.id, engine);
      if (algorithms !== undefined) engine.use(algorithms);
      return engine;
    });
  });
}

/**
 * The engines that OpenSSL has built in, and those that were loaded into this process; none where OpenSSL has no
 * engines.
 *
 * @throws `ERR_ASYNC_UNSUPPORTED`
 */
export function listEngines(): EngineInfo[] {
  return environment().addon.engines.list();
}

const ENGINE_OPTIONS = ['id', 'preInit', 'postInit', 'algorithms', 'pauses', 'isolate', ...HARDWARE_OPTIONS] as const;
const ENGINE_KEY_OPTIONS = ['pin', 'signal', 'timeoutMs'] as const;

// A NUL ends a text in C.
const ID = /^[^\0]+$/;
const PATH = /[\\/]|\.(?:so|dylib|dll)$/;
const KEY_ALGORITHMS = Object.keys(EngineMethod) as EngineAlgorithm[];
const DEFAULTS: readonly EngineDefault[] = [
  'ALL',
  'RSA',
  'DSA',
  'DH',
  'EC',
  'RAND',
  'CIPHERS',
  'DIGESTS',
  'PKEY',
  'PKEY_CRYPTO',
  'PKEY_ASN1',
];

// Every request to an engine may block, and runs on the pool.
async function ask<T>(
  [native, outcome]: NativeEngineTask,
  algorithm: string,
  pin: string | Uint8Array | undefined,
  limits: OperationOptions | undefined,
  take: (outcome: NativeOutcome) => T,
): Promise<T> {
  const env = environment();
  const { addon } = env;
  env.guardExit();
  const spec: Spec = { native, algorithm, generation: undefined, mayPause: false };
  const answer = typeof pin === 'string' ? Buffer.from(pin) : bytesOf(pin);
  try {
    await call(spec, [answer], undefined, offloaded(limits), () => undefined);
    const failed = addon.engines.takeError(outcome);
    if (failed !== undefined) throw fromNative(failed);
    return take(outcome);
  } finally {
    if (typeof pin === 'string') wipe(answer);
    addon.specs.release(native);
    addon.engines.releaseOutcome(outcome);
  }
}

function readNames<Name extends string>(given: unknown, name: string, known: readonly Name[]): Name[] {
  if (!Array.isArray(given)) throw invalidArgType(name, 'an instance of Array', given);
  const names = [...(given as Name[])];
  for (const each of names) {
    if (!known.includes(each)) throw invalidArgValue(name, each, `must have none but ${known.join(', ')}`);
  }
  return names;
}

function methodsOf(algorithms: unknown, name: string): number {
  const names = readNames(algorithms, name, KEY_ALGORITHMS);
  return names.reduce((methods, algorithm) => methods | EngineMethod[algorithm], 0);
}

function toNativeCommands(commands: unknown, name: string): (string | number | Buffer | undefined)[] {
  if (commands === undefined) return [];
  if (!Array.isArray(commands)) throw invalidArgType(name, 'an instance of Array', commands);
  return (commands as unknown[]).flatMap((entry, index) => {
    const entryName = `${name}[${String(index)}]`;
    if (!Array.isArray(entry)) throw invalidArgType(entryName, 'an instance of Array', typeof entry);
    const [command, value] = entry as unknown[];
    validateString(command, entryName);
    return [command, toNativeValue(value, entryName)];
  });
}

// A text may be a secret, such as a PIN: it becomes bytes that are wiped, and is not shown.
function toNativeValue(value: unknown, name: string): number | Buffer | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') {
    if (value.includes('\0')) throw invalidArgValue(name, undefined, 'must have no NUL in it');
    return Buffer.from(value);
  }
  if (typeof value !== 'number') throw invalidArgType(name, 'of type number or string, or undefined', typeof value);
  validateInteger(value, name, Number.MIN_SAFE_INTEGER);
  return value;
}

function wipe(value: unknown): void {
  if (Buffer.isBuffer(value)) value.fill(0);
}
