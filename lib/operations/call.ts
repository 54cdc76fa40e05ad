// How an operation gets to native code and its result back: the path of every call.
import { cancelWith, letGo, type Cancellable, type Limits } from '../cancellation';
import { abortError, asyncError, fromNative, invalidArgValue, nodeError } from '../errors';
import {
  CALL_WORDS,
  CallStatus,
  CallWord,
  EventKind,
  MAX_NUMBERS,
  OperationMode,
  OperationWord,
  WORDS_PER_EVENT,
  type NativeAddon,
  type NativeError,
  type NativeSpec,
} from '../native/contract';
import type { HeldKey } from '../keys';
import { environment, errorForNone, type Asked, type Environment, type Listener } from '../native/environment';
import {
  validateAbortSignal,
  validateBoolean,
  validateFallback,
  validateInteger,
  validateOptions,
  validateString,
} from '../validators';
import {
  publishNotOffloaded,
  publishOperation,
  wantsNotOffloaded,
  wantsOperations,
  type OperationMessage,
  type OperationPlace,
} from '../diagnostics';
import { load } from './load';

/** Options that every operation takes, last. */
export interface OperationOptions {
  /** Rejects with an `AbortError` at once. Work that has begun goes on unheard. */
  signal?: AbortSignal;
  /** Rejects with `ERR_ASYNC_TIMEOUT` after so many milliseconds, 1 to 2 147 483 647; the work as with `signal`. */
  timeoutMs?: number;
  /**
   * The provider whose implementation is used, for example `'accelerator'`: the operation then runs in an OpenSSL job,
   * which may pause. One that is not loaded is refused with `ERR_ASYNC_PROVIDER_NOT_LOADED`. Without it, OpenSSL's choice.
   */
  provider?: string;
  /** A query that chooses among implementations, as property(7), for example `'fips=yes'`. */
  properties?: string;
  /**
   * Where a software operation runs. `'auto'` learns what each costs: within the call when that is cheaper than a hop to
   * a pool thread and does not hold the event loop for long, else on the pool. `'inline'`: within the call. `'offload'`:
   * never on the event loop. @defaultValue `'auto'`
   */
  mode?: 'auto' | 'inline' | 'offload';
  /**
   * What happens when the implementation of `provider` fails: `'software'` tries again with OpenSSL's own, and takes that
   * at once for what the provider does not have; `'error'` rejects. @defaultValue that of `configure()`, `'error'`
   */
  fallback?: 'software' | 'error';
  /**
   * Rejects with `ERR_ASYNC_NOT_OFFLOADED` what was meant for hardware and ran here, because its job did not pause, or
   * because a query such as `?provider=name` found it in software only, which is known before it runs; there is no
   * `fallback` then. Without it, `stats().providers[name].notOffloaded` counts such operations, and the channel
   * `openssl-async:operation:not-offloaded` tells of them. @defaultValue false
   */
  requireOffload?: boolean;
}

export const OPERATION_OPTIONS = [
  'signal',
  'timeoutMs',
  'provider',
  'properties',
  'mode',
  'fallback',
  'requireOffload',
] as const;

/** What calls of one kind share; see src-native/operations/operation_spec.h. */
export interface Spec {
  readonly native: NativeSpec;
  /** Its name in the figures. */
  readonly algorithm: string;
  /** Of the provider that it was made with; see {@link NativeScope}. */
  readonly generation: number | undefined;
  /** Its implementation may pause: it is run in a job. */
  readonly mayPause: boolean;
  /** What the options ask for does not have it, and software does the work. */
  readonly passesOver?: boolean;
  /** Whether the process was in FIPS mode when it was made. */
  readonly inFipsMode?: boolean;
  /** Makes it anew, where it is kept: the process is in another mode now. */
  readonly renew?: (() => Spec) | undefined;
  /** Who holds its key, who has to stay while a call is under way. */
  readonly held?: HeldKey | undefined;
}

/** What a call gives; valid while it is being decoded. */
export interface CallResult {
  readonly value: number;
  /** A copy. */
  output(index: 0 | 1): Buffer;
  /** A copy in memory of its own: that of other Buffers is shared, and who gets hold of one sees all. */
  secret(index: 0 | 1): Buffer;
}

export type Decode<T> = (result: CallResult) => T;

export const firstOutput: Decode<Buffer> = (result) => result.output(0);
export const firstSecret: Decode<Buffer> = (result) => result.secret(0);

const CALL_BYTES = 32 * 1024;
const MOST_STAGED_BYTES = 8 * 1024;
const OUTPUT_BYTES = 256 * 1024;
const PLACES: readonly OperationPlace[] = ['inline', 'pool', 'job'];

class Result implements CallResult {
  value = 0;
  offset = 0;
  firstSize = 0;
  secondSize = 0;
  bytes: Uint8Array = new Uint8Array(0);
  large: readonly Buffer[] | undefined = undefined;

  read(words: Int32Array, at: number, bytes: Uint8Array): void {
    this.value = words[at + OperationWord.value] as number;
    this.offset = words[at + OperationWord.offset] as number;
    this.firstSize = words[at + OperationWord.firstSize] as number;
    this.secondSize = words[at + OperationWord.secondSize] as number;
    this.bytes = bytes;
    this.large = undefined;
  }

  output(index: 0 | 1): Buffer {
    return this.large?.[index] ?? this.copy(index, Buffer.allocUnsafe(this.size(index)));
  }

  secret(index: 0 | 1): Buffer {
    return this.large?.[index] ?? this.copy(index, Buffer.allocUnsafeSlow(this.size(index)));
  }

  private size(index: 0 | 1): number {
    return index === 0 ? this.firstSize : this.secondSize;
  }

  private copy(index: 0 | 1, to: Buffer): Buffer {
    const start = index === 0 ? this.offset : this.offset + this.firstSize;
    to.set(this.bytes.subarray(start, start + to.length));
    return to;
  }
}

// One of each for a thread: calls do not overlap, nor do the tellings of results.
const result = new Result();
const words = new Float64Array(CALL_WORDS);
const bytes = new Uint8Array(CALL_BYTES);
const answer = new Int32Array(WORDS_PER_EVENT);
const outputs = new Uint8Array(OUTPUT_BYTES);
let ready: Environment | undefined;

/** This thread's environment, prepared for calls. Throws where there is none. */
export function callEnvironment(): Environment {
  return ready ?? prepare();
}

function prepare(): Environment {
  const missing = errorForNone();
  if (missing !== undefined) throw missing;
  const env = environment();
  env.addon.setCallBuffers(words, bytes, answer, outputs);
  if (!env.started) env.start();
  load.attach(env);
  ready = env;
  return env;
}

/** An unfinished call, which a signal or a time limit may end. */
export interface LimitedCall extends Cancellable {
  limits: Limits | undefined;
}

// One for each unfinished call.
class Call<T> implements Listener, LimitedCall {
  id = 0;
  limits: Limits | undefined = undefined;
  private asked: Asked | undefined = undefined;
  private blamed: ErrorOptions | undefined = undefined;

  constructor(
    readonly spec: Spec,
    readonly decode: Decode<T>,
    private readonly requiresOffload: boolean,
    // Undefined once the promise is settled.
    private resolve: ((value: T) => void) | undefined,
    private reject: ((error: unknown) => void) | undefined,
  ) {}

  onEvent(events: Int32Array, offset: number): void {
    const env = ready as Environment;
    const { resolve, reject } = this;
    env.unlisten(this.id);
    if (resolve === undefined || reject === undefined) {
      load.ended();
      return;
    }
    this.settle();
    const error = conclude(this.spec, this.requiresOffload, env.addon, events, offset, outputs, this.blamed);
    if (error === undefined) {
      try {
        resolve(this.decode(result));
      } catch (thrown) {
        reject(thrown);
      }
    } else {
      reject(error);
    }
    load.ended();
  }

  asking(whom: Asked | undefined): void {
    this.asked = whom;
    // It was given up before it came so far.
    if (this.reject === undefined) whom?.unwanted(undefined);
  }

  blame(reason: unknown): void {
    this.blamed = { cause: reason };
  }

  cancel(error: Error): void {
    const { reject } = this;
    if (reject === undefined) return;
    this.settle();
    this.asked?.unwanted(error);
    const env = ready as Environment;
    if (env.addon.abandonOperation(this.id)) {
      env.unlisten(this.id);
      load.ended();
    }
    reject(error);
  }

  private settle(): void {
    this.resolve = this.reject = undefined;
    if (this.limits !== undefined) letGo(this.limits, this);
  }
}

// Reads an event into `result`; what it failed with, if it did.
function finish(
  addon: NativeAddon,
  events: Int32Array,
  at: number,
  from: Uint8Array,
  blamed?: ErrorOptions,
): Error | undefined {
  const kind = (events[at + OperationWord.kind] as number) & 0xff;
  result.read(events, at, from);
  if (kind === EventKind.operationDone) return undefined;
  const taken = addon.takeOperation(events[at + OperationWord.id] as number);
  if (kind === EventKind.operationFailed) return operationError(taken as NativeError, blamed);
  result.large = taken as readonly Buffer[];
  return undefined;
}

/** As `node:crypto` reports what OpenSSL says; what OpenSSL does not explain has the code that native code gives. */
function operationError(native: NativeError, blamed: ErrorOptions | undefined): Error {
  if (native.code === 'ERR_ASYNC_REMOTE_KEY_FAILED') return fromNative(native, blamed);
  if (native.code.startsWith('ERR_ASYNC_REMOTE_KEY_')) return fromNative(native);
  return native.opensslErrors.length > 0 ? fromNative({ ...native, code: '' }) : fromNative(native);
}

// `finish`, told to those who subscribed; what ran here though it must not counts as failed.
function conclude(
  spec: Spec,
  requiresOffload: boolean,
  addon: NativeAddon,
  events: Int32Array,
  at: number,
  from: Uint8Array,
  blamed?: ErrorOptions,
): Error | undefined {
  const error = finish(addon, events, at, from, blamed);
  if (wantsOperations()) publishOperation(describe(spec, events, at, error));
  if (error !== undefined || !ranHere(spec, events[at + OperationWord.kind] as number)) return error;
  if (wantsNotOffloaded()) publishNotOffloaded(describe(spec, events, at, error));
  if (!requiresOffload) return undefined;
  return asyncError('ERR_ASYNC_NOT_OFFLOADED', `${spec.algorithm} ran here: its job did not pause`);
}

const placeIn = (kind: number): OperationPlace => PLACES[(kind >>> 8) & 0xff] as OperationPlace;
const pausesIn = (kind: number): number => kind >>> 16;
const isOffloaded = (kind: number): boolean => placeIn(kind) === 'job' && pausesIn(kind) > 0;

// What is for hardware.
function ranHere(spec: Spec, kind: number): boolean {
  return spec.passesOver === true || (spec.mayPause && !isOffloaded(kind));
}

function describe(spec: Spec, events: Int32Array, at: number, error: Error | undefined): OperationMessage {
  const kind = events[at + OperationWord.kind] as number;
  return {
    algorithm: spec.algorithm,
    place: placeIn(kind),
    pauses: pausesIn(kind),
    queueMicros: events[at + OperationWord.queueMicros] as number,
    runMicros: events[at + OperationWord.runMicros] as number,
    ...(error === undefined ? {} : { error }),
  };
}

/** The error of a call that requires an offload, and asks for nothing that may pause and has it. */
export function nothingPauses(algorithm: string): Error {
  return asyncError('ERR_ASYNC_NOT_OFFLOADED', `No provider that may pause, and has ${algorithm}, is asked for`);
}

// Saves a closure per call: the executor of a promise runs before its constructor returns.
let resolveNext: (value: unknown) => void;
let rejectNext: (error: unknown) => void;
function executor(resolve: (value: never) => void, reject: (error: unknown) => void): void {
  resolveNext = resolve as (value: unknown) => void;
  rejectNext = reject;
}

/**
 * Runs a call of `spec`. `inputs` are copied before it returns, or have been read by then. Throws for what is wrong with
 * `options`; everything else rejects.
 */
export function call<T>(
  spec: Spec,
  inputs: readonly (Uint8Array | undefined)[],
  numbers: readonly number[] | undefined,
  options: OperationOptions | undefined,
  decode: Decode<T>,
): Promise<T> {
  const env = callEnvironment();
  const signal = options?.signal;
  if (signal?.aborted === true) return Promise.reject(abortError(signal.reason));
  const requiresOffload = options?.requireOffload === true;
  if (requiresOffload && (!spec.mayPause || spec.passesOver === true)) {
    return Promise.reject(nothingPauses(spec.algorithm));
  }
  const { addon } = env;
  const id = env.nextId;
  words[CallWord.id] = id;
  words[CallWord.mode] = options?.mode === undefined ? OperationMode.auto : OperationMode[options.mode];
  for (let i = 0; i < MAX_NUMBERS; ++i) words[CallWord.firstNumber + i] = numbers?.[i] ?? NaN;
  const status = hand(addon, spec.native, inputs);
  switch (status) {
    case CallStatus.queued:
      break;
    case CallStatus.done:
      return answered(addon, spec, requiresOffload, decode);
    case CallStatus.full:
      return Promise.reject(refusal());
    case CallStatus.stale:
      if (spec.renew !== undefined) return call(spec.renew(), inputs, numbers, options, decode);
      return Promise.reject(asyncError('ERR_ASYNC_FIPS', 'The process has changed its FIPS mode meanwhile'));
    default:
      return Promise.reject(nodeError('ERR_MEMORY_ALLOCATION_FAILED', 'There is not enough memory'));
  }
  const promise = new Promise<T>(executor);
  const pending = new Call<T>(spec, decode, requiresOffload, resolveNext, rejectNext);
  pending.id = env.listen(pending);
  load.began();
  if (options !== undefined) limit(pending, options);
  return promise;
}

/** The error of a call for which there is no room. */
export function refusal(): Error {
  load.refused();
  return asyncError('ERR_ASYNC_QUEUE_FULL', 'Too many operations are in flight');
}

// Short inputs are staged in memory that native code sees: to ask for that of an array takes longer than to copy it.
function hand(addon: NativeAddon, spec: NativeSpec, inputs: readonly (Uint8Array | undefined)[]): number {
  let total = 0;
  words[CallWord.inputCount] = inputs.length;
  for (let i = 0; i < inputs.length; ++i) {
    const size = inputs[i]?.byteLength ?? -1;
    words[CallWord.firstSize + i] = size;
    if (size > 0) total += size;
  }
  if (total > MOST_STAGED_BYTES) {
    words[CallWord.passed] = 1;
    return addon.operate(spec, ...inputs.map(unshared));
  }
  words[CallWord.passed] = 0;
  let offset = 0;
  for (const input of inputs) {
    if (input === undefined) continue;
    bytes.set(input, offset);
    offset += input.byteLength;
  }
  return addon.operate(spec);
}

// Node-API takes no views of shared memory.
function unshared(input: Uint8Array | undefined): Uint8Array | undefined {
  if (input === undefined || !(input.buffer instanceof SharedArrayBuffer)) return input;
  return Buffer.from(input);
}

function answered<T>(addon: NativeAddon, spec: Spec, requiresOffload: boolean, decode: Decode<T>): Promise<T> {
  const error = conclude(spec, requiresOffload, addon, answer, 0, bytes);
  try {
    return error === undefined ? Promise.resolve(decode(result)) : Promise.reject(error);
  } catch (thrown) {
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- whatever it is
    return Promise.reject(thrown);
  } finally {
    bytes.fill(0, result.offset, result.offset + result.firstSize + result.secondSize);
  }
}

/** Has `pending` cancelled when its options say so. It lets go of its limits when it is settled. */
export function limit(pending: LimitedCall, { signal, timeoutMs }: OperationOptions): void {
  if (signal === undefined && timeoutMs === undefined) return;
  const limits: Limits = (pending.limits = {});
  if (signal !== undefined) {
    limits.signal = signal;
    cancelWith(signal, pending, abortError);
  }
  if (timeoutMs !== undefined) {
    limits.timer = setTimeout(() => {
      pending.cancel(asyncError('ERR_ASYNC_TIMEOUT', `The operation did not end within ${String(timeoutMs)} ms`));
    }, timeoutMs);
  }
}

/** Checks the options that every operation takes; `known` are those that this one takes besides. */
export function validateOperationOptions(
  options: unknown,
  known: readonly string[] = [],
): asserts options is OperationOptions {
  validateOptions(options, 'options', known.length === 0 ? OPERATION_OPTIONS : [...known, ...OPERATION_OPTIONS]);
  const { signal, timeoutMs, provider, properties, mode, fallback, requireOffload } = options;
  if (signal !== undefined) validateAbortSignal(signal, 'options.signal');
  if (timeoutMs !== undefined) validateInteger(timeoutMs, 'options.timeoutMs', 1, 2 ** 31 - 1);
  if (provider !== undefined) validateString(provider, 'options.provider');
  if (properties !== undefined) validateString(properties, 'options.properties');
  if (mode !== undefined && !(typeof mode === 'string' && Object.hasOwn(OperationMode, mode))) {
    throw invalidArgValue('options.mode', mode, "must be 'auto', 'inline' or 'offload'");
  }
  if (fallback !== undefined) validateFallback(fallback, 'options.fallback');
  if (requireOffload !== undefined) validateBoolean(requireOffload, 'options.requireOffload');
}

/** What an operation's function does, with what it throws as a rejection. */
export function attempt<T>(body: () => Promise<T>): Promise<T> {
  try {
    return body();
  } catch (error) {
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- whatever it is
    return Promise.reject(error);
  }
}
