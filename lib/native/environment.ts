// The addon of this copy of the library on this thread: opened on first need, with the table of the listeners to its
// events.
//
// JavaScript can be ended between any two of its steps, by a time limit of `node:vm` or by an exhausted stack, and
// skips every `finally` in the first case. Code that hands something to native code therefore notes it first, in
// {@link Environment.submitting} or {@link Environment.driving}; the next `enter()` finds the note and recalls it.
import { asyncError, fromNative, isNativeError } from '../base/errors';
import { DEFAULT_OPTIONS, type ResolvedOptions } from '../base/options';
import type { NativeAddon, NativeEntry } from './contract/addon';
import type { NativeJobs } from './contract/jobs';
import type { NativeOperations } from './contract/operations';
import { EventWord, STATE_WORDS, StateWord, WORDS_PER_EVENT } from './contract/tables';
import { loadAddon, reasonOfRuntime } from './load';

const EVENTS_PER_CALL = 1024;

/** Something that was being handed to native code when JavaScript was ended. */
export interface Recallable {
  /** Undoes it, or lets native code go on with it unheard. Twice is harmless. */
  recall(): void;
}

/** A listener to events, with an id that native code knows. */
export interface Listener extends Recallable {
  id: number;
  /**
   * Reads an event, whose eight words are in `words` from `offset` on. Only the library's code may run: events behind
   * it are not read yet. True when {@link conclude} is to be called.
   */
  receive(words: Int32Array, offset: number): boolean;
  /** Acts on an event. All events of its batch have been received; any code may run. */
  conclude(): void;
  /** A request of the listener's job could not be answered, for this reason. */
  blame?(reason: unknown): void;
  /** The listener's job waits for an answer to the request `whom`; undefined once it has the answer. */
  asking?(whom: Asked | undefined): void;
  /** Runs a function in the async context of the call. */
  inContext?: (<R>(body: () => R) => R) | undefined;
}

/** A request of a job, which wants to hear when nobody waits for the answer any more. */
export interface Asked {
  /** The answer is not wanted any more, for this reason. */
  unwanted(reason: unknown): void;
}

export class Environment {
  readonly addon: NativeAddon;
  /** The parts of the addon that are called for each job and each operation. */
  readonly jobs: NativeJobs;
  readonly operations: NativeOperations;
  options: Readonly<ResolvedOptions> = DEFAULT_OPTIONS;
  /** The size that `initThread()` allows the thread's pool; 0 for no limit. */
  poolLimit = 0;
  /** True once something was done that depends on the options. */
  started = false;
  /** Why no jobs run, in one sentence; undefined when they do. */
  readonly withoutJobs: string | undefined;
  /** The object that is being handed to native code. No user's code runs meanwhile. */
  submitting: Recallable | undefined = undefined;
  /** The job that native code is running for JavaScript, which may run users' code {@link inside}. */
  driving: Recallable | undefined = undefined;

  /** Counters of jobs that native code does not have. */
  readonly cancellations = { aborted: 0, timedOut: 0, refused: 0 };

  readonly #words = new Int32Array(EVENTS_PER_CALL * WORDS_PER_EVENT);
  readonly #state = new Int32Array(STATE_WORDS);
  readonly #listeners: (Listener | undefined)[] = [];
  readonly #freeIds: number[] = [];
  #guarded = false;
  readonly #callbacks = new Map<number, () => void>();
  readonly #onEvents = (count: number): void => {
    this.#tell(count);
  };
  readonly #onCallbacks = (ids: readonly number[]): void => {
    this.runCallbacks(ids);
  };

  constructor(addon: NativeAddon, withoutJobs: string | undefined) {
    this.addon = addon;
    this.withoutJobs = withoutJobs;
    this.jobs = addon.jobs;
    this.operations = addon.operations;
    addon.thread.setEventSink(this.#words, this.#onEvents, this.#onCallbacks, this.#state);
  }

  /** To be called before anything begins: recalls a hand-over that an end of JavaScript has left half done. */
  enter(): void {
    if (this.submitting === undefined && this.driving === undefined) return;
    this.#repair();
  }

  /** To be called before anything that makes the options final. */
  start(): void {
    if (this.started) return;
    const { initialJobs } = this.options;
    // Refused when the thread has a pool already, which will do.
    if (initialJobs > 0 && this.withoutJobs === undefined) this.addon.thread.init(0, initialJobs);
    this.started = true;
  }

  /**
   * To be called before calls that block threads of the pool in modules, whose destructors run when the process ends.
   */
  guardExit(): void {
    if (this.#guarded) return;
    process.once('exit', () => {
      this.operations.endBlockingCalls();
    });
    this.#guarded = true;
  }

  /** How many ids are in use. */
  get listening(): number {
    return this.#listeners.length - this.#freeIds.length;
  }

  /** Gives `listener` an id. */
  listen(listener: Listener): number {
    const id = this.#freeIds.pop() ?? this.#listeners.length;
    listener.id = id;
    this.#listeners[id] = listener;
    return id;
  }

  /** The listener with an id. */
  listener(id: number): Listener | undefined {
    return this.#listeners[id];
  }

  unlisten(id: number): void {
    this.#listeners[id] = undefined;
    this.#freeIds.push(id);
  }

  /** Whether `listener` has the id that it thinks it has. */
  hears(listener: Listener): boolean {
    return this.#listeners[listener.id] === listener;
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
      if (callback !== undefined) this.#guard(callback);
    }
  }

  /** True while JavaScript runs on behalf of a job or of a callback, where C would be inside the job. */
  get insideJob(): boolean {
    return (this.#state[StateWord.inside] as number) > 0;
  }

  /** Runs `body`, which throws nothing, where C would be inside a job, so that it cannot start one. */
  inside(body: () => void): void {
    this.addon.thread.inside(body);
  }

  // Nobody catches an error of user code.
  #guard(userCode: () => void): void {
    this.inside(() => {
      try {
        userCode();
      } catch (error) {
        throwUncaught(error);
      }
    });
  }

  #tell(count: number): void {
    const received = new Array<Listener>(count);
    const length = this.#receiveAll(count, received);
    for (let i = 0; i < length; ++i) {
      try {
        (received[i] as Listener).conclude();
      } catch (error) {
        throwUncaught(error); // and the others still hear
      }
    }
  }

  // An id that is freed meanwhile is not given to another listener before all events are read: nothing begins here.
  #receiveAll(count: number, received: Listener[]): number {
    const words = this.#words;
    let length = 0;
    for (let offset = 0; offset < count * WORDS_PER_EVENT; offset += WORDS_PER_EVENT) {
      const listener = this.#listeners[words[offset + EventWord.id] as number];
      if (listener?.receive(words, offset) === true) received[length++] = listener;
    }
    return length;
  }

  #repair(): void {
    if (this.submitting !== undefined) {
      this.submitting.recall();
      this.submitting = undefined;
    }
    if (this.driving !== undefined && !this.insideJob) {
      this.driving.recall();
      this.driving = undefined;
    }
    // An id may have been taken and not been given to a listener.
    const free = [...this.#listeners.keys()].filter((id) => this.#listeners[id] === undefined);
    this.#freeIds.splice(0, Infinity, ...free.reverse());
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
  readonly module: NativeEntry | undefined;
  /** The reason why there is no environment. `error` makes the error of code that needs one. */
  readonly reason: string | undefined;
  readonly error: (() => Error) | undefined;
  /** The reason why there are no jobs. */
  readonly withoutJobs: string | undefined;
}

// A failed load is tried again: memory or file descriptors may have been lacking.
function load(): Loaded {
  if (loaded !== undefined) return loaded;
  const result = loadOnce();
  if (result.module !== undefined) loaded = result;
  return result;
}

function loadOnce(): Loaded {
  const result = loadAddon();
  if (!result.loaded) {
    const { code, message, reason } = result;
    return { module: undefined, reason, error: () => asyncError(code, message), withoutJobs: reason };
  }
  const { addon: module } = result;
  const lack = module.unsupportedReason();
  if (lack !== '') {
    const reason = reasonOfRuntime() ?? lack;
    return { module, reason, error: () => asyncError('ERR_ASYNC_UNSUPPORTED', reason), withoutJobs: reason };
  }
  const withoutJobs = module.withoutJobsReason();
  return { module, reason: undefined, error: undefined, withoutJobs: withoutJobs === '' ? undefined : withoutJobs };
}

/** Throws `ERR_ASYNC_UNSUPPORTED` or `ERR_ASYNC_ADDON_NOT_LOADED`; `ERR_ASYNC_LOOP`, which may pass. */
export function environment(): Environment {
  return present ?? open();
}

function open(): Environment {
  const { module, error, withoutJobs } = load();
  if (error !== undefined) throw error();
  const addon = (module as NativeEntry).open();
  if (isNativeError(addon)) throw fromNative(addon);
  present = new Environment(addon, withoutJobs);
  return present;
}

/** As {@link environment}, for what runs in jobs: throws `ERR_ASYNC_UNSUPPORTED` also where there are none. */
export function environmentWithJobs(): Environment {
  const env = environment();
  if (env.withoutJobs !== undefined) throw asyncError('ERR_ASYNC_UNSUPPORTED', env.withoutJobs);
  return env;
}

/** The error that {@link environmentWithJobs} would throw. */
export function errorForNoJobs(): Error | undefined {
  try {
    environmentWithJobs();
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

/** One sentence, or undefined where the addon works. */
export function reasonForNone(): string | undefined {
  return load().reason;
}

/** One sentence, or undefined where jobs run. */
export function reasonForNoJobs(): string | undefined {
  return load().withoutJobs;
}

/** The functions of the addon that work even where jobs do not run; undefined without the addon. */
export function symbols(): Pick<NativeEntry, 'symbolNames' | 'hasSymbol' | 'copies'> | undefined {
  return load().module;
}

/** OpenSSL's version; undefined without the addon, or without OpenSSL. */
export function versionOfOpenSSL(): string | undefined {
  const version = load().module?.opensslVersion();
  return version === '' ? undefined : version;
}
