// The path of every call: the operation goes to native code, and its result comes back.
import { fillFrom, ownMemory, sizeOf, unshared } from '../base/byte-views';
import { captureContext, type InContext } from '../base/async-context';
import { asyncError, rejectWith } from '../base/errors';
import {
  abortedBefore,
  limit,
  promiseOf,
  settle,
  type LimitOptions,
  type Limits,
  type Pending,
  type Resolve,
} from '../base/pending';
import type { HeldKey } from '../keys/key';
import type { NativeError } from '../native/contract/error';
import type { NativeSpec } from '../native/contract/handles';
import {
  CALL_WORDS,
  CallStatus,
  CallWord,
  EventKind,
  MAX_NUMBERS,
  OperationMode,
  OperationWord,
  WORDS_PER_EVENT,
  KIND_MASK,
  PAUSES_SHIFT,
  PLACES,
  PLACE_SHIFT,
} from '../native/contract/tables';
import { environment, type Asked, type Environment, type Listener } from '../native/environment';
import { cannotPause, LIMIT_ERRORS, nothingPauses, operationError, refusalOf } from './call-errors';
import { inFlight } from './in-flight';
import {
  publishNotOffloaded,
  publishOperation,
  traceOperation,
  tracesOperations,
  wantsNotOffloaded,
  wantsOperations,
  type OperationMessage,
  type OperationPlace,
  type OperationTrace,
} from './operation-channels';
import type { OperationOptions } from './operation-options';

/** The data that calls of one kind share; see src-native/operations/operation_spec.h. */
export interface Spec {
  readonly native: NativeSpec;
  /** Its name in the statistics. */
  readonly algorithm: string;
  /** The generation of the provider that the spec was made with; see `Scope` in keys/. */
  readonly generation: number | undefined;
  /** The implementation may pause: calls run in a job. */
  readonly mayPause: boolean;
  /** The hardware that the options ask for is absent or lacks the operation: software does the work. */
  readonly passesOver?: boolean;
  /** The outputs are secrets: each gets memory of its own, because a leaked pooled one shows all of the pool. */
  readonly isSecret?: boolean;
  /** Whether the process was in FIPS mode when the spec was made. */
  readonly inFipsMode?: boolean;
  /** Makes the spec anew in its table, when the process has changed its FIPS mode. */
  readonly renew?: (() => Spec) | undefined;
  /** The key, if a holder keeps it: the holder has to stay while a call is under way. */
  readonly held?: HeldKey | undefined;
}

/** The result of a call: copies. */
export interface CallResult {
  readonly value: number;
  output(index: 0 | 1): Buffer;
}

export type Decode<T> = (result: CallResult) => T;

export const firstOutput: Decode<Buffer> = (result) => result.output(0);

const CALL_BYTES = 32 * 1024;
const MOST_STAGED_BYTES = 8 * 1024;
const OUTPUT_BYTES = 256 * 1024;
const NO_BYTES = Buffer.alloc(0);

// Each thread has one of each. While one is in use, only this module's code runs: see "The rule" in CONTRIBUTING.md.
const words = new Float64Array(CALL_WORDS);
const bytes = new Uint8Array(CALL_BYTES);
const answer = new Int32Array(WORDS_PER_EVENT);
const outputs = new Uint8Array(OUTPUT_BYTES);
let ready: Environment | undefined;

/** This thread's environment, prepared for calls. Throws where there is none. */
export function callEnvironment(): Environment {
  const env = ready ?? prepare();
  env.enter();
  return env;
}

function prepare(): Environment {
  const env = environment();
  env.operations.setCallBuffers(words, bytes, answer, outputs);
  env.start();
  inFlight.attach(env);
  ready = env;
  return env;
}

// An unfinished call, and later its result.
class Call<T> implements Pending<T>, Listener, CallResult {
  id = -1;
  resolve: Resolve<T> | undefined = undefined;
  limits: Limits | undefined = undefined;
  value = 0;
  // The event that ended the call; undefined until it was read.
  private kind: number | undefined = undefined;
  private queueMicros = 0;
  private runMicros = 0;
  private first: Buffer = NO_BYTES;
  private second: Buffer = NO_BYTES;
  private failure: NativeError | undefined = undefined;
  private asked: Asked | undefined = undefined;
  private blamed: ErrorOptions | undefined = undefined;
  private isCounted = false;

  constructor(
    readonly spec: Spec,
    readonly decode: Decode<T>,
    private readonly requiresOffload: boolean,
    private readonly trace: OperationTrace | undefined,
    readonly inContext: InContext | undefined,
  ) {}

  /** Native code has the call. */
  queued(options: LimitOptions | undefined): Promise<T> {
    const promise = promiseOf(this);
    (ready as Environment).submitting = undefined;
    if (options !== undefined) limit(this, options, LIMIT_ERRORS);
    return promise;
  }

  output(index: 0 | 1): Buffer {
    const output = index === 0 ? this.first : this.second;
    return output === NO_BYTES ? Buffer.alloc(0) : output; // nobody shares an object with others
  }

  receive(events: Int32Array, at: number): boolean {
    (ready as Environment).unlisten(this.id);
    if (this.resolve === undefined) {
      this.forget(events[at + OperationWord.kind] as number);
      return false;
    }
    this.read(events, at, outputs);
    return true;
  }

  conclude(): void {
    const resolve = settle(this);
    this.asked = undefined;
    // A listener to another call's end may have given this one up.
    if (resolve !== undefined) this.end(resolve);
    this.uncount();
    inFlight.ended();
  }

  /** The answer of a call that has run by now. */
  answered(): Promise<T> {
    const env = ready as Environment;
    this.read(answer, 0, bytes);
    bytes.fill(0, 0, Math.min(this.first.length + this.second.length, CALL_BYTES));
    env.unlisten(this.id);
    this.uncount();
    env.submitting = undefined;
    inFlight.ended();
    const failed = this.outcome();
    if (failed !== undefined) {
      const error = failed();
      this.publish(error);
      return rejected(error);
    }
    this.publish(undefined);
    try {
      return Promise.resolve(this.decode(this));
    } catch (error) {
      return rejected(error);
    }
  }

  /** Native code has not taken the call. */
  withdraw(): void {
    const env = ready as Environment;
    env.unlisten(this.id);
    this.uncount();
    env.submitting = undefined;
    inFlight.ended();
  }

  /** The same call of another spec. */
  of(spec: Spec): Call<T> {
    return new Call(spec, this.decode, this.requiresOffload, this.trace, this.inContext);
  }

  /** As {@link withdraw}. */
  refused(status: number): Promise<T> {
    this.withdraw();
    const error = refusalOf(status);
    this.trace?.settled(error);
    return rejected(error);
  }

  asking(whom: Asked | undefined): void {
    this.asked = whom;
    // The call was given up before its job asked.
    if (this.resolve === undefined) whom?.unwanted(undefined);
  }

  blame(reason: unknown): void {
    this.blamed = { cause: reason };
  }

  recall(): void {
    const env = ready as Environment;
    settle(this);
    bytes.fill(0);
    if (env.hears(this)) {
      env.operations.forgetAnswer(this.id);
      if (!env.operations.abandon(this.id)) return;
      env.unlisten(this.id);
    }
    this.uncount();
  }

  giveUp(makeError: () => Error): () => Error {
    const env = ready as Environment;
    const { asked } = this;
    this.asked = undefined;
    if (this.kind === undefined && env.operations.abandon(this.id)) {
      env.unlisten(this.id);
      this.uncount();
      inFlight.ended();
    }
    return () => {
      const error = makeError();
      asked?.unwanted(error);
      this.trace?.settled(error);
      return error;
    };
  }

  /** The call is in flight from now on. */
  count(): void {
    this.isCounted = true;
    ++inFlight.count;
  }

  // JavaScript may be ended before this, but not within; recall() comes here again.
  private uncount(): void {
    if (!this.isCounted) return;
    this.isCounted = false;
    --inFlight.count;
  }

  // Nobody waits for the call any more.
  private forget(kind: number): void {
    if ((kind & KIND_MASK) !== EventKind.operationDone) (ready as Environment).operations.take(this.id);
    this.uncount();
    inFlight.ended();
  }

  private read(events: Int32Array, at: number, from: Uint8Array): void {
    const kind = (this.kind = events[at + OperationWord.kind] as number);
    this.value = events[at + OperationWord.value] as number;
    this.queueMicros = events[at + OperationWord.queueMicros] as number;
    this.runMicros = events[at + OperationWord.runMicros] as number;
    if ((kind & KIND_MASK) === EventKind.operationDone) {
      const offset = events[at + OperationWord.offset] as number;
      const size = events[at + OperationWord.firstSize] as number;
      this.first = this.copy(from, offset, size);
      this.second = this.copy(from, offset + size, events[at + OperationWord.secondSize] as number);
      return;
    }
    const taken = (ready as Environment).operations.take(this.id);
    if ((kind & KIND_MASK) === EventKind.operationFailed) this.failure = taken as NativeError;
    else [this.first, this.second] = taken as readonly [Buffer, Buffer];
  }

  private copy(from: Uint8Array, start: number, size: number): Buffer {
    if (size === 0) return NO_BYTES;
    return fillFrom(this.spec.isSecret === true ? ownMemory(size) : Buffer.allocUnsafe(size), from, start);
  }

  private end(resolve: Resolve<T>): void {
    const failed = this.outcome();
    if (failed === undefined) {
      this.publish(undefined);
      let value: T;
      try {
        value = this.decode(this);
      } catch (error) {
        rejectWith(resolve, () => error);
        return;
      }
      resolve(value);
    } else {
      rejectWith(resolve, () => {
        const error = failed();
        this.publish(error);
        return error;
      });
    }
  }

  // Makes the call's error, if it has one. A call that requires an offload and ran here has failed.
  private outcome(): (() => Error) | undefined {
    const { failure, blamed } = this;
    if (failure !== undefined) return () => operationError(failure, blamed);
    if (!this.requiresOffload || !this.ranHere()) return undefined;
    return () => asyncError('ERR_ASYNC_NOT_OFFLOADED', `${this.spec.algorithm} ran here: its job did not pause`);
  }

  // The call was meant for hardware, which did not do the work.
  private ranHere(): boolean {
    const { spec, kind = 0 } = this;
    const place = placeIn(kind);
    // Without jobs, a call to hardware waits on a thread.
    const hasJobs = (ready as Environment).withoutJobs === undefined;
    const isElsewhere = hasJobs ? place === 'job' && pausesIn(kind) > 0 : place === 'pool';
    return spec.passesOver === true || (spec.mayPause && !isElsewhere);
  }

  private publish(error: Error | undefined): void {
    const { trace } = this;
    const tellsNotOffloaded = this.failure === undefined && wantsNotOffloaded() && this.ranHere();
    if (trace === undefined && !wantsOperations() && !tellsNotOffloaded) return;
    const message = Object.assign(trace?.message ?? {}, this.describe(error));
    const tell = (): void => {
      if (wantsOperations()) publishOperation(message);
      if (tellsNotOffloaded) publishNotOffloaded(message);
    };
    if (trace !== undefined) trace.settled(error, tell);
    else if (this.inContext !== undefined) this.inContext(tell);
    else tell();
  }

  private describe(error: Error | undefined): OperationMessage {
    const { spec, kind = 0, queueMicros, runMicros } = this;
    const place = placeIn(kind);
    const message = { algorithm: spec.algorithm, place, pauses: pausesIn(kind), queueMicros, runMicros };
    return error === undefined ? message : { ...message, error };
  }
}

function rejected(error: unknown): Promise<never> {
  // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- whatever it is
  return Promise.reject(error);
}

const placeIn = (kind: number): OperationPlace => PLACES[(kind >>> PLACE_SHIFT) & KIND_MASK] as OperationPlace;
const pausesIn = (kind: number): number => kind >>> PAUSES_SHIFT;

/**
 * Runs a call of `spec`. `inputs` are copied or read before it returns; `options` come from
 * {@link readOperationOptions}. Everything that goes wrong rejects.
 */
export function call<T>(
  spec: Spec,
  inputs: readonly (Uint8Array | undefined)[],
  numbers: readonly number[] | undefined,
  options: OperationOptions | undefined,
  decode: Decode<T>,
): Promise<T> {
  const { withoutJobs } = callEnvironment();
  const aborted = options && abortedBefore(options, LIMIT_ERRORS);
  if (aborted !== undefined) return aborted;
  const requiresOffload = options?.requireOffload === true;
  if (requiresOffload) {
    if (!spec.mayPause || spec.passesOver === true) return rejected(nothingPauses(spec.algorithm));
    if (withoutJobs !== undefined) return rejected(cannotPause(spec.algorithm, withoutJobs));
  }
  if (!tracesOperations()) {
    // The functions of a held key are called in the async context of this call.
    const inContext = spec.held === undefined ? undefined : captureContext();
    return submit(new Call<T>(spec, decode, requiresOffload, undefined, inContext), inputs, numbers, options);
  }
  return traceOperation(spec.algorithm, (trace) =>
    submit(new Call<T>(spec, decode, requiresOffload, trace, trace.inContext), inputs, numbers, options),
  );
}

function submit<T>(
  pending: Call<T>,
  inputs: readonly (Uint8Array | undefined)[],
  numbers: readonly number[] | undefined,
  options: OperationOptions | undefined,
): Promise<T> {
  const env = ready as Environment;
  env.submitting = pending;
  words[CallWord.id] = env.listen(pending);
  pending.count();
  words[CallWord.mode] = options?.mode === undefined ? OperationMode.auto : OperationMode[options.mode];
  setNumbers(numbers);
  let status: number;
  try {
    status = hand(env, pending.spec.native, inputs);
  } catch (error) {
    pending.withdraw(); // there is no memory for it
    throw error;
  }
  if (status === CallStatus.queued) return pending.queued(options);
  if (status === CallStatus.done) return pending.answered();
  const { spec } = pending;
  if (status !== CallStatus.stale || spec.renew === undefined) return pending.refused(status);
  pending.withdraw();
  return submit(pending.of(spec.renew()), inputs, numbers, options);
}

let areNumbersSet = true;

// NaN stands for no number; most calls have none at all.
function setNumbers(numbers: readonly number[] | undefined): void {
  if (numbers === undefined && !areNumbersSet) return;
  areNumbersSet = true; // also when JavaScript is ended in between
  for (let i = 0; i < MAX_NUMBERS; ++i) words[CallWord.firstNumber + i] = numbers?.[i] ?? NaN;
  areNumbersSet = numbers !== undefined;
}

// Short inputs are staged in memory that native code sees: looking an array's memory up takes longer than copying it.
function hand({ operations }: Environment, spec: NativeSpec, inputs: readonly (Uint8Array | undefined)[]): number {
  let total = 0;
  words[CallWord.inputCount] = inputs.length;
  for (let i = 0; i < inputs.length; ++i) {
    const input = inputs[i];
    const size = input === undefined ? -1 : sizeOf(input);
    words[CallWord.firstSize + i] = size;
    if (size > 0) total += size;
  }
  if (total > MOST_STAGED_BYTES) {
    words[CallWord.passed] = 1;
    return operations.operate(spec, ...inputs.map((input) => input && unshared(input)));
  }
  words[CallWord.passed] = 0;
  let offset = 0;
  for (let i = 0; i < inputs.length; ++i) {
    const size = words[CallWord.firstSize + i] as number;
    if (size <= 0) continue; // set() throws for a detached one
    bytes.set(inputs[i] as Uint8Array, offset);
    offset += size;
  }
  return operations.operate(spec);
}

/** Runs the body of an operation's function, and turns an exception into a rejection. */
export function attempt<T>(body: () => Promise<T>): Promise<T> {
  try {
    return body();
  } catch (error) {
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- whatever it is
    return Promise.reject(error);
  }
}
