// The function of a job: a generator whose commands are carried out inside the job, or a C function of another addon.
import { types } from 'node:util';
import { brand } from '../base/brand';
import { bytesOf, copyOf, sizeOf, unshared } from '../base/byte-views';
import { invalidArgType, outOfRange } from '../base/errors';
import type { Job } from './job';
import type { Command } from './command';
import type { NativeJobFunctionExternal } from '../native/contract/handles';
import { environment } from '../native/environment';
import { validateFunction } from '../base/validators';

/** The generator of a job's function. */

export type JobGenerator = Generator<Command<unknown>, number>;

/** The body of a {@link jobFunction}. `args` is a copy of what was passed to the job. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the author of the body knows what is passed
export type JobBody<Args = any> = (job: Job, args: Args) => JobGenerator;

/** Bytes that a native job function is passed a copy of; a string is passed as UTF-8. */
export type JobBytes = string | ArrayBuffer | SharedArrayBuffer | NodeJS.ArrayBufferView;

const MAX_ARGS_BYTES = 2 ** 30;

/** A job function written in TypeScript; see {@link jobFunction}. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- as for JobBody
export class GeneratorJobFunction<Args = any> {
  readonly #body: JobBody<Args>;

  /** @internal */
  constructor(body: JobBody<Args>) {
    this.#body = body;
  }

  /** @internal Whether `value` is a job function, whatever its prototype says. */
  static is(value: unknown): value is GeneratorJobFunction {
    return typeof value === 'object' && value !== null && #body in value;
  }

  /** The body that was passed to {@link jobFunction}. */
  get body(): JobBody<Args> {
    return this.#body;
  }
}

/** A job function written in C; see {@link nativeJobFunction}. */
export class NativeJobFunction {
  /** Without a visible member, TypeScript would take any object for this class. */
  declare protected readonly brand: 'native';
  readonly #external: NativeJobFunctionExternal;

  /** @internal */
  constructor(external: NativeJobFunctionExternal) {
    this.#external = external;
  }

  /** @internal As {@link GeneratorJobFunction.is}. */
  static is(value: unknown): value is NativeJobFunction {
    return typeof value === 'object' && value !== null && #external in value;
  }

  /** @internal */
  get external(): NativeJobFunctionExternal {
    return this.#external;
  }
}

brand(GeneratorJobFunction, 'job function');
brand(NativeJobFunction, 'job function');

/** A function that {@link startJob} and {@link runJob} run. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- as for JobBody
export type JobFunction<Args = any> = GeneratorJobFunction<Args> | NativeJobFunction;

/**
 * Makes a job function of a generator function. JavaScript cannot run on a job's stack, so each command that the
 * generator yields (see {@link Job}) is carried out natively inside the real job, to which the generator hands over.
 *
 * The generator returns the job's return value, a 32-bit integer. An exception ends the job with that very error. A
 * command that fails throws where it was yielded; a command that was made and never yielded is an error of the job,
 * when the generator returns.
 *
 * @param body - `function* (job, args)`, also as regenerator compiles it; a bound function or a Proxy is checked when
 * it is called. TypeScript has to compile for ES2015 or later. `args` is a copy: bytes arrive as a `Buffer`, anything
 * else as `structuredClone()` leaves it.
 *
 * @example
 * ```ts
 * const func = jobFunction(function* (job, args: string) {
 *   console.log('started with', args);
 *   yield job.pause();
 *   console.log('resumed');
 *   return 1;
 * });
 * ```
 *
 * @throws `ERR_INVALID_ARG_TYPE` for everything else: async, arrow and other functions that are no generator functions
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- inferred from the body
export function jobFunction<Args = any>(body: JobBody<Args>): GeneratorJobFunction<Args> {
  validateFunction(body, 'body');
  if (!mayBeGeneratorFunction(body)) throw invalidArgType('body', 'a generator function (function*)', body);
  return new GeneratorJobFunction(body);
}

function mayBeGeneratorFunction(body: (...args: never[]) => unknown): boolean {
  if (types.isAsyncFunction(body)) return false; // async generators too
  if (types.isGeneratorFunction(body)) return true;
  // A bound function or a Proxy does not show its source, so nobody can tell what it calls.
  if (/\{\s*\[native code\]\s*\}$/.test(Function.prototype.toString.call(body))) return true;
  // Regenerator marks its functions in this way.
  return Object.prototype.toString.call(body) === '[object GeneratorFunction]';
}

/**
 * Makes a job function of a C function `int (*)(void *)` that another addon supplies: an external value made by
 * `openssl_async_create_job_function()` of `include/openssl_async.h`. The function runs on the job's stack; its
 * argument is a private copy of the bytes passed, or NULL.
 *
 * @throws `ERR_INVALID_ARG_TYPE` for anything else; `ERR_ASYNC_UNSUPPORTED`
 */
export function nativeJobFunction(external: unknown): NativeJobFunction {
  if (!environment().jobs.isFunction(external)) {
    throw invalidArgType('external', 'an external made by openssl_async_create_job_function()', external);
  }
  return new NativeJobFunction(external);
}

export function validateJobFunction(value: unknown): asserts value is JobFunction {
  if (NativeJobFunction.is(value) || GeneratorJobFunction.is(value)) return;
  throw invalidArgType('func', 'a job function made by jobFunction() or nativeJobFunction()', value);
}

/** The bytes to copy for a native job function; null for none. */
export function toBytes(args: unknown): Uint8Array | null {
  if (args === undefined || args === null) return null;
  const bytes = typeof args === 'string' ? Buffer.from(args) : bytesOf(args);
  if (bytes === undefined) {
    throw invalidArgType('args', 'of type string or an instance of ArrayBuffer, Buffer, TypedArray, or DataView', args);
  }
  checkSize(bytes);
  return unshared(bytes);
}

/** The arguments that a generator is passed. Throws a `DataCloneError` for values that cannot be copied. */
export function cloneArgs(args: unknown): unknown {
  const bytes = bytesOf(args);
  if (bytes === undefined) return structuredClone(args);
  checkSize(bytes);
  return copyOf(bytes);
}

function checkSize(bytes: Uint8Array): void {
  const size = sizeOf(bytes);
  if (size > MAX_ARGS_BYTES) throw outOfRange('args.byteLength', `<= ${String(MAX_ARGS_BYTES)}`, size);
}
