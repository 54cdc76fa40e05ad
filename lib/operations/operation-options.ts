// The options that every operation takes.
import type { LimitOptions } from '../base/pending';
import { invalidArgValue } from '../base/errors';
import { OperationMode } from '../native/contract/tables';
import {
  Bag,
  validateAbortSignal,
  validateBoolean,
  validateFallback,
  validateInteger,
  validateOptions,
  validateString,
} from '../base/validators';

/** Options that every operation takes, last. */
export interface OperationOptions {
  /** Rejects with an `AbortError` at once. Work that has begun goes on unheard. */
  signal?: AbortSignal;
  /** Rejects with `ERR_ASYNC_TIMEOUT` after so many milliseconds, 1 to 2 147 483 647; the work as with `signal`. */
  timeoutMs?: number;
  /**
   * The provider whose implementation is used, for example `'accelerator'`: the operation then runs in an OpenSSL job,
   * which may pause. An unloaded one is refused with `ERR_ASYNC_PROVIDER_NOT_LOADED`. By default, OpenSSL chooses.
   */
  provider?: string;
  /** A query that chooses among implementations, as property(7), for example `'fips=yes'`. */
  properties?: string;
  /**
   * Where a software operation runs. `'auto'` learns the cost of each: it runs within the call when that is cheaper
   * than a hop to a pool thread and does not hold the event loop for long, else on the pool. `'inline'`: within the
   * call. `'offload'`: never on the event loop. @defaultValue `'auto'`
   */
  mode?: 'auto' | 'inline' | 'offload';
  /**
   * The reaction when the implementation of `provider` fails: `'software'` tries again with OpenSSL's own, and uses
   * that at once for operations that the provider lacks; `'error'` rejects. @defaultValue as `configure()` says,
   * `'error'`
   */
  fallback?: 'software' | 'error';
  /**
   * Rejects an operation with `ERR_ASYNC_NOT_OFFLOADED` if it was meant for hardware and ran here: its job did not
   * pause, or a query such as `?provider=name` found software only, which is known before it runs. There is no
   * `fallback` then. Without jobs, hardware is
   * refused with `ERR_ASYNC_UNSUPPORTED`. By default, `stats().providers[name].notOffloaded` counts such operations, and the channel
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

/**
 * The options that every operation takes, and the `known` ones of this operation, each read once. Throws for wrong
 * values of the former.
 */
export function readOperationOptions<T extends OperationOptions = OperationOptions>(
  given: T | undefined,
  known: readonly (keyof T & string)[] = [],
): T | undefined {
  if (given === undefined) return undefined;
  validateOptions(given, 'options', known.length === 0 ? OPERATION_OPTIONS : [...known, ...OPERATION_OPTIONS]);
  const options = new OperationBag(given) as unknown as Record<string, unknown>;
  for (const name of known) options[name] = (given as Record<string, unknown>)[name];
  checkOperationOptions(options);
  return options as T;
}

// As readOptions() would make it, in a tenth of the time.
class OperationBag extends Bag {
  readonly signal: unknown;
  readonly timeoutMs: unknown;
  readonly provider: unknown;
  readonly properties: unknown;
  readonly mode: unknown;
  readonly fallback: unknown;
  readonly requireOffload: unknown;

  constructor(given: Partial<Record<(typeof OPERATION_OPTIONS)[number], unknown>>) {
    super();
    const { signal, timeoutMs, provider, properties, mode, fallback, requireOffload } = given;
    this.signal = signal;
    this.timeoutMs = timeoutMs;
    this.provider = provider;
    this.properties = properties;
    this.mode = mode;
    this.fallback = fallback;
    this.requireOffload = requireOffload;
  }
}

/** Options, as read, of a call that never runs on the event loop. */
export function offloaded(options: LimitOptions | undefined): OperationOptions {
  const { signal, timeoutMs } = options ?? NO_LIMITS;
  return { __proto__: null, signal, timeoutMs, mode: 'offload' } as unknown as OperationOptions;
}

const NO_LIMITS = Object.freeze({ __proto__: null }) as unknown as LimitOptions;

/** Throws for wrong values of the options that every operation takes. */
export function checkOperationOptions(options: Partial<Record<(typeof OPERATION_OPTIONS)[number], unknown>>): void {
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
