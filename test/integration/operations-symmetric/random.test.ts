// randomBytes() and randomFill() fill what they should, and nothing else.
import { randomBytes, randomFill } from '../../../lib';
import { rejectionCode } from '../../support/library';
import { PLACES } from './support';

const MEBI = 1024 * 1024;
const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);

describe.each(PLACES)('in place %s', (_place, options) => {
  test.each([0, 1, 16, 1000, 100_000, MEBI])('%d random bytes in memory of their own', async (size) => {
    const [first, second] = await Promise.all([randomBytes(size, options), randomBytes(size, options)]);
    expect([first.length, first.buffer.byteLength]).toEqual([size, size]);
    if (size >= 16) expect(first.equals(second)).toBe(false);
  });

  test.each([
    ['Buffer', Buffer.alloc(100), 20, 30, 20, 30],
    ['Uint32Array', new Uint32Array(25), 5, 10, 20, 40],
    ['DataView', new DataView(new ArrayBuffer(100), 0), 20, 30, 20, 30],
    ['ArrayBuffer', new ArrayBuffer(100), 20, 30, 20, 30],
    ['SharedArrayBuffer', new SharedArrayBuffer(100), 20, 30, 20, 30],
  ] as const)('a part of a %s', async (_kind, buffer, offset, size, start, count) => {
    expect(await randomFill<typeof buffer>(buffer, offset, size, options)).toBe(buffer);
    const bytes = new Uint8Array(ArrayBuffer.isView(buffer) ? buffer.buffer : buffer, 0, 100);
    expect(isZero(bytes.subarray(start, start + count))).toBe(false);
    expect(isZero(bytes.subarray(0, start)) && isZero(bytes.subarray(start + count))).toBe(true);
  });

  test('a buffer that is detached meanwhile is left alone', async () => {
    for (const size of [100, 100_000]) {
      const buffer = new ArrayBuffer(size);
      const view = new Uint8Array(buffer);
      const fills = [randomFill(buffer, 0, undefined, options), randomFill(view, 10, 20, options)].map(rejectionCode);
      const moved = structuredClone(buffer, { transfer: [buffer] });
      for (const code of await Promise.all(fills)) expect(['ERR_INVALID_STATE', undefined]).toContain(code);
      expect([buffer.byteLength, moved.byteLength]).toEqual([0, size]);
    }
  });
});

test('all of a buffer, without further arguments', async () => {
  expect(isZero((await randomFill(Buffer.alloc(1000))).subarray(900))).toBe(false);
  expect(isZero((await randomFill(Buffer.alloc(1000), 900)).subarray(0, 900))).toBe(true);
});

test('a detached buffer has nothing to fill', async () => {
  const buffer = new ArrayBuffer(10);
  const view = new Uint8Array(buffer);
  structuredClone(buffer, { transfer: [buffer] });
  await expect(randomFill(view)).resolves.toBe(view);
  expect(await rejectionCode(randomFill(view, 1))).toBe('ERR_OUT_OF_RANGE');
});

test('every byte occurs as often as any other', async () => {
  const counts = new Array<number>(256).fill(0);
  for (const byte of await randomBytes(MEBI)) counts[byte] = (counts[byte] ?? 0) + 1;
  // 4096 are expected, give or take 64; ten times that does not happen.
  for (const count of counts) expect(Math.abs(count - 4096)).toBeLessThan(640);
});
