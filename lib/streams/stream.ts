// The common part of this library's streams.
import type { TransformOptions } from 'node:stream';
import { invalidArgValue } from '../base/errors';
import { toInput, validateEncoding } from '../base/bytes';
import { readOperationOptions, type OperationOptions } from '../operations/operation-options';

/**
 * Options of streams: those of operations, for each call that the stream makes, and some of `stream.Transform`. There
 * is no `fallback`: an implementation that failed takes its state with it. A stream that was aborted, or one of whose
 * calls took longer than `timeoutMs`, cannot be used any more.
 */
export interface CryptoStreamOptions
  extends Omit<OperationOptions, 'fallback'>, Pick<TransformOptions, (typeof TRANSFORM_OPTIONS)[number]> {}

const TRANSFORM_OPTIONS = [
  'allowHalfOpen',
  'autoDestroy',
  'defaultEncoding',
  'emitClose',
  'encoding',
  'highWaterMark',
  'readableHighWaterMark',
  'writableHighWaterMark',
] as const;

/** Reads options, of which `known` are the stream's own, each once. */
export function readStreamOptions<T extends CryptoStreamOptions>(
  given: T | undefined,
  known: readonly (keyof T & string)[],
): T | undefined {
  const options = readOperationOptions<T & OperationOptions>(given, [...known, ...TRANSFORM_OPTIONS]);
  if (options?.fallback !== undefined) {
    throw invalidArgValue('options.fallback', options.fallback, 'is not for streams');
  }
  return options;
}

/** The options for `stream.Transform`. */
export function transformOptions(options: CryptoStreamOptions | undefined): TransformOptions {
  const chosen = { __proto__: null } as unknown as Record<string, unknown>;
  for (const name of TRANSFORM_OPTIONS) {
    if (options?.[name] !== undefined) chosen[name] = options[name];
  }
  return chosen;
}

/** The bytes of a part of a message. */
export function toPart(data: unknown, encoding: string | undefined, name = 'data'): Uint8Array {
  if (typeof data !== 'string') return toInput(data, name);
  validateEncoding(encoding, 'encoding');
  if (encoding === undefined || encoding === 'buffer') return Buffer.from(data);
  if (encoding.toLowerCase() === 'hex' && data.length % 2 === 1) {
    throw invalidArgValue('encoding', encoding, `is invalid for data of length ${String(data.length)}`);
  }
  return Buffer.from(data, encoding);
}
