// The data that operations take, and the results that they give.
import { bytesOf } from './byte-views';
import { invalidArgType, invalidArgValue } from './errors';

/** Bytes, or a string that stands for its UTF-8. */
export type BinaryLike = string | ArrayBuffer | SharedArrayBuffer | NodeJS.ArrayBufferView;

export { bytesOf, sizeOf } from './byte-views';

/** The bytes of `value`, not copied: see {@link bytesOf}; a string is encoded. */
export function toInput(value: unknown, name: string, encoding: BufferEncoding = 'utf8'): Uint8Array {
  if (typeof value === 'string') return Buffer.from(value, encoding);
  const bytes = bytesOf(value);
  if (bytes === undefined) {
    throw invalidArgType(name, 'of type string or an instance of ArrayBuffer, Buffer, TypedArray, or DataView', value);
  }
  return bytes;
}

/** A result, as bytes or in the encoding asked for. */
export function encoded(bytes: Buffer, encoding: BufferEncoding | 'buffer' | undefined): Buffer | string {
  return encoding === undefined || encoding === 'buffer' ? bytes : bytes.toString(encoding);
}

export function validateEncoding(value: unknown, name: string): asserts value is BufferEncoding | 'buffer' | undefined {
  if (value === undefined || value === 'buffer') return;
  if (typeof value !== 'string') throw invalidArgType(name, 'of type string', value);
  if (!Buffer.isEncoding(value)) throw invalidArgValue(name, value, 'is not an encoding');
}
