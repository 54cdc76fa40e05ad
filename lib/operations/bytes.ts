// What operations take as data, and give as results.
import { invalidArgType, invalidArgValue } from '../errors';

/** Bytes, or a string that stands for its UTF-8. */
export type BinaryLike = string | ArrayBuffer | SharedArrayBuffer | NodeJS.ArrayBufferView;

/** The bytes of `value`, not copied; of a string, its encoding. */
export function toInput(value: unknown, name: string, encoding: BufferEncoding = 'utf8'): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'string') return Buffer.from(value, encoding);
  const bytes = bytesOf(value);
  if (bytes === undefined) {
    throw invalidArgType(name, 'of type string or an instance of ArrayBuffer, Buffer, TypedArray, or DataView', value);
  }
  return bytes;
}

/** The bytes of a view or a buffer, of whichever realm; undefined for anything else. */
export function bytesOf(value: unknown): Uint8Array | undefined {
  // A detached one has no bytes, and no other view can be made of it.
  if (ArrayBuffer.isView(value)) {
    return value.byteLength === 0 ? NO_BYTES : new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  }
  // By brand, not by class: the value may come from another realm.
  const brand = Object.prototype.toString.call(value);
  if (brand !== '[object ArrayBuffer]' && brand !== '[object SharedArrayBuffer]') return undefined;
  return (value as ArrayBuffer).byteLength === 0 ? NO_BYTES : new Uint8Array(value as ArrayBuffer);
}

const NO_BYTES = new Uint8Array(0);

/** A result, as bytes or in the encoding asked for. */
export function encoded(bytes: Buffer, encoding: BufferEncoding | 'buffer' | undefined): Buffer | string {
  return encoding === undefined || encoding === 'buffer' ? bytes : bytes.toString(encoding);
}

export function validateEncoding(value: unknown, name: string): asserts value is BufferEncoding | 'buffer' | undefined {
  if (value === undefined || value === 'buffer') return;
  if (typeof value !== 'string') throw invalidArgType(name, 'of type string', value);
  if (!Buffer.isEncoding(value)) throw invalidArgValue(name, value, 'is not an encoding');
}
