// The addon as this environment has it: loaded on first need, with the table of those whom its events concern.
import { asyncError } from '../errors';
import { DEFAULT_OPTIONS, type ResolvedOptions } from '../options';
import { EventWord, WORDS_PER_EVENT, type NativeAddon } from './contract';
import { loadAddon } from './load';

const EVENTS_PER_CALL = 1024;

/** Somebody with an id that native code knows. */
export interface Listener {
  /** `words` holds the event's eight words from `offset` on, for the time of the call. */
  onEvent(words: Int32Array, offset: number): void;
  /** Somebody whom its job asked could not answer for this reason. */
  blame?(reason: unknown): void;
  /** Its job asks somebody, or has been answered, who wants to hear when nobody waits for the answer any more. */
  asking?(whom: Asked | undefined): void;
}

/** Whom a job asks. */
export interface Asked {
  /** The answer is not wanted any more, for this reason. */
  unwanted(reason: unknown): void;
}

export class Environment {
  readonly addon: NativeAddon;
  options: Readonly<ResolvedOptions> = DEFAULT_OPTIONS;
  /** What `initThread()` allows the thread's pool; 0 for no limit. */
  poolLimit = 0;
  /** True once something was done that depends on the options. */
  started = false;
  /** True while JavaScript runs on behalf of a job or of a callback, where C would be inside the job. */
  insideJob = false;

  readonly #words = new Int32Array(EVENTS_PER_CALL * WORDS_PER_EVENT);
  readonly #listeners: (Listener | undefined)[] = [];
  readonly #freeIds: number[] = [];
  // Freed while events are being told: one of those events may still be for the one who had the id.
  readonly #freedIds: number[] = [];
  #telling = false;
  #guarded = false;
  readonly #callbacks = new Map<number, () => void>();

  constructor(addon: NativeAddon) {
    this.addon = addon;
    addon.setEventSink(
      this.#words,
      (count) => {
        this.#onEvents(count);
      },
      (ids) => {
        this.runCallbacks(ids);
      },
    );
  }

  /** To be called before anything that makes the options final. */
  start(): void {
    if (this.started) return;
    this.started = true;
    const { initialJobs } = this.options;
    // Refused when the thread has a pool already: that one will do.
    if (initialJobs > 0) this.addon.initThread(0, initialJobs);
  }

  /** To be called before calls that block threads of the pool in modules, whose destructors run when the process ends. */
  guardExit(): void {
    if (this.#guarded) return;
    this.#guarded = true;
    process.once('exit', () => {
      this.addon.endBlockingCalls();
    });
  }

  /** How many ids are in use. */
  get listening(): number {
    return this.#listeners.length - this.#freeIds.length - this.#freedIds.length;
  }

  /** The id that the next {@link listen} will give. */
  get nextId(): number {
    return this.#freeIds[this.#freeIds.length - 1] ?? this.#listeners.length;
  }

  listen(listener: Listener): number {
    const id = this.#freeIds.pop() ?? this.#listeners.length;
    this.#listeners[id] = listener;
    return id;
  }

  /** Who listens under an id. */
  listener(id: number): Listener | undefined {
    return this.#listeners[id];
  }

  unlisten(id: number): void {
    this.#listeners[id] = undefined;
    (this.#telling ? this.#freedIds : this.#freeIds).push(id);
  }

  /** Runs `callback` when the wait context that is observed with this id is called back. */
  setCallback(id: number, callback: (() => void) | undefined): void {
    if (callback === undefined) this.#callbacks.delete(id);
    else this.#callbacks.set(id, callback);
  }

  /** True when somebody would hear of a callback. */
  get hasCallbacks(): boolean {
    return this.#callbacks.size > 0;
  }

  runCallbacks(ids: readonly number[]): void {
    for (const id of ids) {
      const callback = this.#callbacks.get(id);
      if (callback !== undefined) this.guard(callback);
    }
  }

  /** Runs user code where C would be inside a job, so that it cannot start one. What it throws is nobody's to catch. */
  guard(userCode: () => void): void {
    const outer = this.insideJob;
    this.insideJob = true;
    try {
      userCode();
    } catch (error) {
      throwUncaught(error);
    } finally {
      this.insideJob = outer;
    }
  }

  #onEvents(count: number): void {
    const words = this.#words;
    this.#telling = true;
    for (let offset = 0; offset < count * WORDS_PER_EVENT; offset += WORDS_PER_EVENT) {
      try {
        this.#listeners[words[offset + EventWord.id] as number]?.onEvent(words, offset);
      } catch (error) {
        throwUncaught(error); // and the events behind it still arrive
      }
    }
    this.#telling = false;
    for (const id of this.#freedIds) this.#freeIds.push(id);
    this.#freedIds.length = 0;
  }
}

function throwUncaught(error: unknown): void {
  process.nextTick(() => {
    throw error;
  });
}

let present: Environment | undefined;
let loaded: Loaded | undefined;

interface Loaded {
  addon?: NativeAddon;
  environment?: Environment;
  /** Why there is no environment, and the error of those who need one. */
  reason?: string;
  error?: () => Error;
}

function load(): Loaded {
  loaded ??= loadOnce();
  return loaded;
}

function loadOnce(): Loaded {
  const result = loadAddon();
  if (!result.loaded) {
    const { code, message, reason } = result;
    return { reason, error: () => asyncError(code, message) };
  }
  const { addon } = result;
  const reason = addon.unsupportedReason();
  if (reason !== '') return { addon, reason, error: () => asyncError('ERR_ASYNC_UNSUPPORTED', reason) };
  return { addon, environment: new Environment(addon) };
}

/** Throws `ERR_ASYNC_UNSUPPORTED` or `ERR_ASYNC_ADDON_NOT_LOADED`. */
export function environment(): Environment {
  if (present !== undefined) return present;
  const { environment: found, error } = load();
  if (found === undefined) throw error?.() ?? asyncError('ERR_ASYNC_UNSUPPORTED', 'No reason is known');
  present = found;
  return found;
}

/** What {@link environment} would throw. */
export function errorForNone(): Error | undefined {
  return load().error?.();
}

/** One sentence, or undefined when {@link environment} returns. */
export function reasonForNone(): string | undefined {
  return load().reason;
}

/** What can be asked of the addon even where jobs do not run; undefined without the addon. */
export function symbols(): Pick<NativeAddon, 'symbolNames' | 'hasSymbol' | 'copies'> | undefined {
  return load().addon;
}

/** OpenSSL's version; undefined without the addon, or without OpenSSL. */
export function versionOfOpenSSL(): string | undefined {
  const version = load().addon?.opensslVersion();
  return version === '' ? undefined : version;
}
