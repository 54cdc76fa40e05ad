// Random bytes.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { elementSize } from '../base/byte-views';
import { invalidArgType, nodeError, outOfRange } from '../base/errors';
import { Family } from '../native/contract/tables';
import { bytesOf, sizeOf } from '../base/bytes';
import { attempt, call, firstOutput, type Spec } from './call';
import { readOperationOptions, type OperationOptions } from './operation-options';
import { specFor, SpecTable } from './spec';

const MOST_BYTES = 2 ** 31 - 1;
const MOST_BYTES_AT_ONCE = 2 ** 20;

const specs = new SpecTable();

/**
 * Random bytes of OpenSSL's generator, fit for keys: `crypto.randomBytes()` as a promise.
 *
 * @param size - how many: 0 to 2 147 483 647
 * @returns a Buffer in memory of its own
 *
 * @throws Everything as a rejection: `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`, `ERR_INVALID_ARG_VALUE` for an unknown
 * option, `ERR_MEMORY_ALLOCATION_FAILED`; besides what every operation rejects with: `AbortError`, `ERR_ASYNC_TIMEOUT`,
 * `ERR_ASYNC_QUEUE_FULL`, `ERR_ASYNC_UNSUPPORTED`
 *
 * @example
 * ```ts
 * const key = await randomBytes(32);
 * ```
 */
export function randomBytes(size: number, options?: OperationOptions): Promise<Buffer> {
  return attempt(() => {
    const count = byteSize(size, 1);
    options = readOperationOptions(options);
    return call(specOf(options), [], [count], options, firstOutput);
  });
}

/**
 * Fills a buffer with random bytes: `crypto.randomFill()` as a promise. They are generated in memory of their own and
 * copied into `buffer` at the end, so that it may be used, and even transferred, meanwhile.
 *
 * @param buffer - the buffer to fill: an ArrayBuffer, a SharedArrayBuffer, or a view of one
 * @param offset - where to begin, in elements of a typed array, else in bytes: 0 to its length. @defaultValue 0
 * @param size - how much, in the same unit: 0 to the rest of the buffer. @defaultValue the rest
 * @returns `buffer`
 *
 * @throws Everything as a rejection: `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`, `ERR_INVALID_ARG_VALUE` for an unknown
 * option, `ERR_INVALID_STATE` when the buffer was detached or shrunk meanwhile, and is not written to any further;
 * besides what every operation rejects with: `AbortError`, `ERR_ASYNC_TIMEOUT`, `ERR_ASYNC_QUEUE_FULL`,
 * `ERR_ASYNC_UNSUPPORTED`
 *
 * @example
 * ```ts
 * const numbers = await randomFill(new Uint32Array(8));
 * ```
 */
export function randomFill<T extends ArrayBuffer | SharedArrayBuffer | NodeJS.ArrayBufferView>(
  buffer: T,
  offset = 0,
  size?: number,
  options?: OperationOptions,
): Promise<T> {
  return attempt(() => {
    const bytes = bytesOf(buffer);
    if (bytes === undefined) throw invalidArgType('buf', 'an instance of ArrayBuffer or ArrayBufferView', buffer);
    const element = elementSize(buffer);
    const length = sizeOf(bytes);
    const start = byteOffset(offset, element, length);
    const count = size === undefined ? length - start : byteSize(size, element, start, length);
    options = readOperationOptions(options);
    const spec = specOf(options);
    if (count > MOST_BYTES_AT_ONCE) {
      return call(spec, [], [count], options, firstOutput).then((random) => moveInParts(random, buffer, start));
    }
    return call(spec, [], [count], options, (result) => {
      move(result.output(0), buffer, start, start + count);
      return buffer;
    });
  });
}

function specOf(options: OperationOptions | undefined): Spec {
  return specFor(specs, '', options, () => ({ family: Family.random, algorithm: 'random', names: [] }));
}

// In parts: moving all bytes at once would hold the event loop.
async function moveInParts<T>(random: Buffer, buffer: T, start: number): Promise<T> {
  for (let at = 0; at < random.length; at += MOST_BYTES_AT_ONCE) {
    if (at > 0) await nextTurn();
    move(random.subarray(at, at + MOST_BYTES_AT_ONCE), buffer, start + at, start + random.length);
  }
  return buffer;
}

/** Copies and wipes `random`. The buffer has to reach to `end`. */
function move(random: Buffer, buffer: unknown, start: number, end: number): void {
  try {
    // The bytes are looked up anew: a buffer that was detached has others now.
    const bytes = bytesOf(buffer);
    if (bytes === undefined || end > sizeOf(bytes)) {
      throw nodeError('ERR_INVALID_STATE', 'Invalid state: the buffer was detached or shrunk');
    }
    bytes.set(random, start);
  } finally {
    random.fill(0);
  }
}

// As node:crypto: fractions are cut off.
function byteOffset(offset: unknown, element: number, length: number): number {
  if (typeof offset !== 'number') throw invalidArgType('offset', 'of type number', offset);
  const bytes = offset * element;
  const most = Math.min(length, MOST_BYTES);
  if (Number.isNaN(bytes) || bytes > most || bytes < 0) {
    throw outOfRange('offset', `>= 0 && <= ${String(most)}`, offset);
  }
  return Math.trunc(bytes);
}

function byteSize(size: unknown, element: number, offset = 0, length = Infinity): number {
  if (typeof size !== 'number') throw invalidArgType('size', 'of type number', size);
  const bytes = size * element;
  if (Number.isNaN(bytes) || bytes > MOST_BYTES || bytes < 0) {
    throw outOfRange('size', `>= 0 && <= ${String(MOST_BYTES)}`, size);
  }
  if (bytes + offset > length) throw outOfRange('size + offset', `<= ${String(length)}`, bytes + offset);
  return Math.trunc(bytes);
}
