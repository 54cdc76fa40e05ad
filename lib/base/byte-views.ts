// The memory behind the caller's views and buffers. Subclasses and own properties can make `byteLength`, `buffer` and
// the like run the caller's code, so only the built-in getters are asked, as they were at load.
import { types } from 'node:util';

const { getPrototypeOf } = Object;

function getter(prototype: object, name: PropertyKey): (self: unknown) => unknown {
  const descriptor = Object.getOwnPropertyDescriptor(prototype, name) as { get: () => unknown };
  return Function.prototype.call.bind(descriptor.get) as (self: unknown) => unknown;
}

const Bytes = Uint8Array;
const UINT8_ARRAY = Uint8Array.prototype as object;
const BUFFER = Buffer.prototype as object;
const TYPED_ARRAY = getPrototypeOf(UINT8_ARRAY) as object;
const DATA_VIEW = DataView.prototype;

const { isAnyArrayBuffer, isDataView, isSharedArrayBuffer } = types;
/** `'Uint8Array'` and so on; undefined for a value that is no typed array, even if it inherits from one. */
const typedArrayName = getter(TYPED_ARRAY, Symbol.toStringTag) as (self: unknown) => string | undefined;
const arraySize = getter(TYPED_ARRAY, 'byteLength') as (self: unknown) => number;
const arrayOffset = getter(TYPED_ARRAY, 'byteOffset') as (self: unknown) => number;
const arrayBuffer = getter(TYPED_ARRAY, 'buffer') as (self: unknown) => ArrayBufferLike;
const viewSize = getter(DATA_VIEW, 'byteLength') as (self: unknown) => number;
const viewOffset = getter(DATA_VIEW, 'byteOffset') as (self: unknown) => number;
const viewBuffer = getter(DATA_VIEW, 'buffer') as (self: unknown) => ArrayBufferLike;

const NO_BYTES = new Bytes(0);
const MOST_ON_HEAP = 64;
const MOST_COPIED_SINGLY = 72;

/**
 * The bytes of a view or a buffer, of whichever realm, not copied; undefined for anything else. A view that is
 * detached, or out of the bounds of its buffer, has none. The result is a typed array whose prototype is that of
 * `Buffer` or `Uint8Array`; ask {@link sizeOf} for its size, as it may be the caller's, with properties of the
 * caller's.
 */
export function bytesOf(value: unknown): Uint8Array | undefined {
  const name = typedArrayName(value);
  if (name !== undefined) {
    const size = arraySize(value);
    // A detached buffer allows no further views, and none can be copied.
    if (size === 0) return NO_BYTES;
    // Another view of a short array would move it, and leave its bytes behind in V8's heap.
    if (name === 'Uint8Array' && isPlain(value)) return value as Uint8Array;
    return new Bytes(arrayBuffer(value), arrayOffset(value), size);
  }
  if (isDataView(value)) return bytesOfDataView(value);
  return isAnyArrayBuffer(value) ? bytesOfBuffer(value) : undefined;
}

/** The size in bytes of a result of {@link bytesOf}, as of now. */
export const sizeOf: (bytes: Uint8Array) => number = arraySize;

/** Bytes of one element of a typed array; 1 of anything else. */
export function elementSize(value: unknown): number {
  const name = typedArrayName(value);
  return name === undefined ? 1 : (ELEMENT_SIZES[name] ?? 1);
}

const ELEMENT_SIZES: Readonly<Record<string, number>> = {
  __proto__: null as never,
  Int16Array: 2,
  Uint16Array: 2,
  Float16Array: 2,
  Int32Array: 4,
  Uint32Array: 4,
  Float32Array: 4,
  Float64Array: 8,
  BigInt64Array: 8,
  BigUint64Array: 8,
};

/** `bytes`, or a copy if others can write to them at the same time: Node-API takes no views of shared memory. */
export function unshared(bytes: Uint8Array): Uint8Array {
  return isSharedArrayBuffer(arrayBuffer(bytes)) ? copyOf(bytes) : bytes;
}

/** A copy in memory of its own, all of which can be wiped. */
export function copyOf(bytes: Uint8Array): Buffer {
  const size = sizeOf(bytes);
  const copy = ownMemory(size);
  if (size > 0) copy.set(bytes); // which throws for a detached one
  return copy;
}

/**
 * A Buffer in memory of its own, with any content. Even a short one is outside V8's heap, which leaves copies of bytes
 * behind whenever it moves them.
 */
export function ownMemory(size: number): Buffer {
  return size > MOST_ON_HEAP ? Buffer.allocUnsafeSlow(size) : Buffer.from(new ArrayBuffer(size));
}

/** Fills `to` with the bytes of `from` that begin at `start`. Both are the library's own. */
export function fillFrom(to: Buffer, from: Uint8Array, start: number): Buffer {
  const size = to.length;
  // Making another view takes longer than copying a digest or a signature.
  if (size > MOST_COPIED_SINGLY) to.set(from.subarray(start, start + size));
  else for (let i = 0; i < size; ++i) to[i] = from[start + i] as number;
  return to;
}

function isPlain(array: unknown): boolean {
  const prototype = getPrototypeOf(array) as unknown;
  return prototype === BUFFER || prototype === UINT8_ARRAY;
}

// The getters of a detached view throw.
function bytesOfDataView(view: DataView): Uint8Array {
  try {
    const size = viewSize(view);
    return size === 0 ? NO_BYTES : new Bytes(viewBuffer(view), viewOffset(view), size);
  } catch {
    return NO_BYTES;
  }
}

function bytesOfBuffer(buffer: ArrayBufferLike): Uint8Array {
  try {
    return new Bytes(buffer);
  } catch {
    return NO_BYTES;
  }
}
