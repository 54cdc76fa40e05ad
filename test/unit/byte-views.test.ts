// What is taken for bytes, and that asking for them runs none of the caller's code.
import { runInNewContext } from 'node:vm';
import { bytesOf, copyOf, elementSize, ownMemory, sizeOf, unshared } from '../../lib/base/byte-views';

interface Resizable extends ArrayBuffer {
  resize: (size: number) => void;
}
const ResizableBuffer = ArrayBuffer as unknown as new (size: number, options: { maxByteLength: number }) => Resizable;
const GrowableBuffer = SharedArrayBuffer as unknown as new (
  size: number,
  options: { maxByteLength: number },
) => SharedArrayBuffer & { grow: (size: number) => void };

function detached(View: new (buffer: ArrayBuffer) => ArrayBufferView): ArrayBufferView {
  const buffer = new ArrayBuffer(8);
  const view = new View(buffer);
  structuredClone(buffer, { transfer: [buffer] });
  return view;
}

function outOfBounds(
  View: new (buffer: ArrayBuffer, offset: number, length: number) => ArrayBufferView,
): ArrayBufferView {
  const buffer = new ResizableBuffer(8, { maxByteLength: 16 });
  const view = new View(buffer, 4, 4);
  buffer.resize(2);
  return view;
}

function grown(): Uint8Array {
  const buffer = new ResizableBuffer(2, { maxByteLength: 16 });
  const view = new Uint8Array(buffer);
  buffer.resize(4);
  view.set([1, 2, 3, 4]);
  return view;
}

function grownShared(): Uint8Array {
  const buffer = new GrowableBuffer(2, { maxByteLength: 16 });
  const view = new Uint8Array(buffer);
  buffer.grow(3);
  view.set([1, 2, 3]);
  return view;
}

class Liar extends Uint8Array {
  override get byteLength(): never {
    throw new Error('the caller’s code ran');
  }
  override get byteOffset(): never {
    throw new Error('the caller’s code ran');
  }
  override get buffer(): never {
    throw new Error('the caller’s code ran');
  }
  override get length(): never {
    throw new Error('the caller’s code ran');
  }
  override get [Symbol.toStringTag](): never {
    throw new Error('the caller’s code ran');
  }
}
class LyingView extends (DataView as unknown as new (buffer: ArrayBuffer) => DataView<ArrayBuffer>) {
  override get byteLength(): never {
    throw new Error('the caller’s code ran');
  }
  override get buffer(): never {
    throw new Error('the caller’s code ran');
  }
}

describe('bytes', () => {
  test.each<[string, unknown, number[]]>([
    ['a Buffer', Buffer.from([1, 2]), [1, 2]],
    ['a part of a buffer', new Uint8Array([0, 1, 2, 3]).subarray(1, 3), [1, 2]],
    ['an array of larger elements', new Uint16Array([0x0201]), [1, 2]],
    ['a DataView', new DataView(new Uint8Array([0, 1, 2]).buffer, 1), [1, 2]],
    ['an ArrayBuffer', new Uint8Array([1, 2]).buffer, [1, 2]],
    ['shared memory', new SharedArrayBuffer(2), [0, 0]],
    ['an array of another realm', runInNewContext('new Uint8Array([1, 2])'), [1, 2]],
    ['a DataView of another realm', runInNewContext('new DataView(new ArrayBuffer(2))'), [0, 0]],
    ['a buffer of another realm', runInNewContext('new Uint8Array([1, 2]).buffer'), [1, 2]],
    ['shared memory of another realm', runInNewContext('new SharedArrayBuffer(2)'), [0, 0]],
    ['an array whose buffer grew', grown(), [1, 2, 3, 4]],
    ['an array whose shared buffer grew', grownShared(), [1, 2, 3]],
    ['a detached array', detached(Uint8Array), []],
    ['a detached DataView', detached(DataView), []],
    ['a detached buffer', detached(Uint8Array).buffer, []],
    ['an array out of bounds', outOfBounds(Uint8Array), []],
    ['a DataView out of bounds', outOfBounds(DataView), []],
    ['a subclass that says something else', new Liar([1, 2]), [1, 2]],
    ['a DataView that says something else', new LyingView(new ArrayBuffer(1)), [0]],
  ])('of %s are its own', (_name, value, expected) => {
    const bytes = bytesOf(value) as Uint8Array;
    expect(sizeOf(bytes)).toBe(expected.length);
    expect([...copyOf(bytes)]).toEqual(expected);
    expect([Uint8Array.prototype, Buffer.prototype]).toContain(Object.getPrototypeOf(bytes));
  });

  test.each<[string, unknown]>([
    ['an object that inherits from Uint8Array', Object.create(Uint8Array.prototype)],
    ['an object that inherits from Buffer', Object.create(Buffer.prototype)],
    ['an object that inherits from ArrayBuffer', Object.create(ArrayBuffer.prototype)],
    ['an object with the tag of a buffer', { [Symbol.toStringTag]: 'ArrayBuffer', byteLength: 4 }],
    ['a Proxy of an array', new Proxy(new Uint8Array(1), {})],
    ['a Proxy of a buffer', new Proxy(new ArrayBuffer(1), {})],
    ['an array', [1, 2]],
    ['a string', 'text'],
    ['nothing', undefined],
    ['null', null],
  ])('has not %s', (_name, value) => {
    expect(bytesOf(value)).toBeUndefined();
  });

  test('of a Buffer or Uint8Array are the object itself, whose size is not asked of its own properties', () => {
    for (const value of [Buffer.from('bytes'), new Uint8Array(5)]) {
      let asked = 0;
      for (const name of ['byteLength', 'byteOffset', 'length', 'buffer', 'valueOf', 'constructor']) {
        Object.defineProperty(value, name, { get: () => ++asked });
      }
      const bytes = bytesOf(value) as Uint8Array;
      expect(bytes).toBe(value);
      expect(sizeOf(bytes)).toBe(5);
      expect(unshared(bytes)).toBe(value);
      expect(copyOf(bytes).length).toBe(5);
      expect(asked).toBe(0);
    }
  });

  test('that are shared are copied, of whichever realm', () => {
    for (const buffer of [new SharedArrayBuffer(100), runInNewContext('new SharedArrayBuffer(100)') as ArrayBuffer]) {
      const view = new Uint8Array(buffer);
      expect(unshared(view)).not.toBe(view);
      expect(unshared(view).buffer).toBeInstanceOf(ArrayBuffer);
    }
  });
});

test.each<[unknown, number]>([
  [new Uint8Array(1), 1],
  [new Uint8ClampedArray(1), 1],
  [new Uint16Array(1), 2],
  [new Float32Array(1), 4],
  [new BigUint64Array(1), 8],
  [new DataView(new ArrayBuffer(1)), 1],
  [new ArrayBuffer(1), 1],
])('an element of %p has %i bytes', (value, size) => {
  expect(elementSize(value)).toBe(size);
});

test('memory of its own has the whole of its buffer', () => {
  for (const size of [0, 1, 64, 65, 10_000]) {
    const memory = ownMemory(size);
    expect([memory.length, memory.byteOffset, memory.buffer.byteLength]).toEqual([size, 0, size]);
  }
});
