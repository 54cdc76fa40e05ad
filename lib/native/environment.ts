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

  /** How many ids are in use. */
  get listening(): number {
    return this.#listeners.length - this.#freeIds.length;
  }

  listen(listener: Listener): number {
    const id = this.#freeIds.pop() ?? this.#listeners.length;
    this.#listeners[id] = listener;
    return id;
  }

  unlisten(id: number): void {
    this.#listeners[id] = undefined;
    this.#freeIds.push(id);
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
    for (let offset = 0; offset < count * WORDS_PER_EVENT; offset += WORDS_PER_EVENT) {
      try {
        this.#listeners[words[offset + EventWord.id] as number]?.onEvent(words, offset);
      } catch (error) {
        throwUncaught(error); // and the events behind it still arrive
      }
    }
  }
}

function throwUncaught(error: unknown): void {
  process.nextTick(() => {
    throw error;
  });
}

let present: Environment | undefined;
let loaded: { environment: Environment } | { reason: string; error: () => Error } | undefined;

function load(): NonNullable<typeof loaded> {
  if (loaded !== undefined) return loaded;
  const result = loadAddon();
  if (!result.loaded) {
    const { code, message, reason } = result;
    loaded = { reason, error: () => asyncError(code, message) };
  } else {
    const reason = result.addon.unsupportedReason();
    loaded =
      reason === ''
        ? { environment: new Environment(result.addon) }
        : { reason, error: () => asyncError('ERR_ASYNC_UNSUPPORTED', reason) };
  }
  return loaded;
}

/** Throws `ERR_ASYNC_UNSUPPORTED` or `ERR_ASYNC_ADDON_NOT_LOADED`. */
export function environment(): Environment {
  if (present !== undefined) return present;
  const state = load();
  if (!('environment' in state)) throw state.error();
  present = state.environment;
  return present;
}

/** One sentence, or undefined when {@link environment} returns. */
export function reasonForNone(): string | undefined {
  const state = load();
  return 'reason' in state ? state.reason : undefined;
}
