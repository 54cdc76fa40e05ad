// Lengths that cannot be, or are large: neither holds the event loop.
import {
  createHash,
  hash,
  hkdf,
  operations,
  pbkdf2,
  randomBytes,
  randomFill,
  scrypt,
  stats,
  type AlgorithmStats,
} from 'openssl-async';
import { readFileSync } from 'node:fs';
import { rejectionCode } from '../support/library';

const LARGE = 100_000_000;

/** The most memory that this process has had mapped at a time, in KiB. */
function mostMappedKiB(): number {
  return Number(/VmPeak:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
}

function figuresOf(algorithm: string): AlgorithmStats {
  return stats().operations.algorithms[algorithm] as AlgorithmStats;
}

describe('a key that HKDF cannot give', () => {
  test.each(['auto', 'inline', 'offload'] as const)('is refused at once, in mode %s', async (mode) => {
    const promise = hkdf('sha256', 'key', 'salt', 'info', 255 * 32 + 1, { mode });
    expect(operations.inFlight).toBe(0);
    expect(await rejectionCode(promise)).toBe('ERR_CRYPTO_INVALID_KEYLEN');
    expect(Buffer.from(await hkdf('sha256', 'key', 'salt', 'info', 255 * 32, { mode })).length).toBe(255 * 32);
  });

  const onLinux = process.platform === 'linux' ? test : test.skip;
  onLinux('takes no memory', async () => {
    expect(await rejectionCode(hkdf('sha256', 'key', 'salt', 'info', LARGE))).toBe('ERR_CRYPTO_INVALID_KEYLEN');
    const before = mostMappedKiB();
    for (const mode of ['auto', 'inline', 'offload'] as const) {
      const code = await rejectionCode(hkdf('sha256', 'key', 'salt', 'info', 20 * LARGE, { mode }));
      expect(code).toBe('ERR_CRYPTO_INVALID_KEYLEN');
    }
    expect(mostMappedKiB() - before).toBeLessThan(LARGE / 1024);
  });

  test('is out of range when no buffer is so large, as in node:crypto', async () => {
    expect(await rejectionCode(hkdf('sha256', 'key', 'salt', 'info', 2 ** 53 - 1))).toBe('ERR_OUT_OF_RANGE');
  });
});

const onLinux = process.platform === 'linux' ? test : test.skip;
onLinux('parameters that scrypt cannot take are refused before there is memory for a key', async () => {
  const before = mostMappedKiB();
  const refused = scrypt('password', 'salt', 20 * LARGE, { N: 2 ** 20, maxmem: 1024 });
  expect(await rejectionCode(refused)).toBe('ERR_CRYPTO_INVALID_SCRYPT_PARAMS');
  expect(mostMappedKiB() - before).toBeLessThan(LARGE / 1024);
});

describe('a long output in mode auto is made off the event loop', () => {
  const LONG = 20_000_000;
  test.each<[string, string, (size: number) => Promise<Buffer>]>([
    ['shake256', 'hash shake256', (size) => hash('shake256', 'data', { outputLength: size })],
    [
      'shake256 in parts',
      'hash shake256',
      (size) => createHash('shake256', { outputLength: size }).update('x').digest(),
    ],
    ['scrypt', 'scrypt', (size) => scrypt('password', 'salt', size, { N: 2, r: 1 })],
    ['pbkdf2', 'pbkdf2 sha1', (size) => pbkdf2('password', 'salt', 1, size, 'sha1')],
    ['random', 'random', (size) => randomBytes(size)],
  ])('%s', async (_name, algorithm, run) => {
    // By now it is known to be worth no hop to another thread.
    for (let i = 0; i < 50; ++i) await run(16);
    const before = figuresOf(algorithm);
    expect((await run(LONG)).length).toBe(LONG);
    expect(figuresOf(algorithm).offloaded - before.offloaded).toBe(1);
  });
});

describe('large memory is wiped on the pool', () => {
  test('of what was hashed', async () => {
    const before = stats().pool.submitted;
    await hash('sha256', Buffer.alloc(1_000_000), { mode: 'offload' });
    expect(stats().pool.submitted - before).toBe(2);
  });

  test('of what failed', async () => {
    while (stats().pool.completed < stats().pool.submitted) await new Promise((resolve) => setImmediate(resolve));
    const before = stats().pool.submitted;
    const aborter = new AbortController();
    const promise = randomBytes(50_000_000, { mode: 'offload', signal: aborter.signal });
    // Begun, or else it is only taken back.
    while (stats().pool.running === 0) await new Promise((resolve) => setImmediate(resolve));
    aborter.abort();
    await expect(promise).rejects.toMatchObject({ code: 'ABORT_ERR' });
    while (stats().pool.submitted - before < 2) await new Promise((resolve) => setImmediate(resolve));
  });
});

test('a large buffer is filled with random bytes in turns of the event loop', async () => {
  const buffer = Buffer.alloc(10_000_000);
  let turns = 0;
  let isFilled = false;
  const count = (): void => {
    ++turns;
    if (!isFilled) setImmediate(count);
  };
  const untouched = Buffer.alloc(1000);
  const filled = randomFill(buffer, 1000);
  while (buffer.subarray(1000, 2000).equals(untouched)) await new Promise((resolve) => setImmediate(resolve));
  count();
  await filled;
  isFilled = true;
  expect(turns).toBeGreaterThan(5);
  expect(buffer.subarray(0, 1000).equals(untouched)).toBe(true);
  expect(buffer.subarray(-1000).equals(untouched)).toBe(false);
});

test('a large buffer that is detached while it is filled is left alone from then on', async () => {
  const buffer = new ArrayBuffer(10_000_000);
  const untouched = Buffer.alloc(1000);
  const filled = rejectionCode(randomFill(buffer));
  while (Buffer.from(buffer, 0, 1000).equals(untouched)) await new Promise((resolve) => setImmediate(resolve));
  structuredClone(buffer, { transfer: [buffer] });
  expect(await filled).toBe('ERR_INVALID_STATE');
});
