import { DEFAULT_OPTIONS, resolveOptions } from '../../lib/base/options';
import { codeOf } from '../support/unit';

const resolve = (options: unknown) => resolveOptions(options, DEFAULT_OPTIONS);

describe('options', () => {
  test('have the documented defaults', () => {
    expect(resolve({})).toEqual({
      maxJobs: 16_384,
      initialJobs: 0,
      maxQueued: 65_536,
      stackSizeBytes: 65_536,
      maxGuardedStacks: 8000,
      stackHighWater: false,
      threads: 0,
      spareThread: true,
      maxInlineMicros: 50,
      maxInFlight: 65_536,
      fallback: 'error',
      opensslConfig: '',
      poll: { initialIntervalMs: 1, maxIntervalMs: 16 },
      tickBudgetMicros: 2000,
      drainTimeoutMs: 1000,
    });
  });

  test('are taken over what was set before, one by one', () => {
    const before = resolve({ maxJobs: 5, poll: { initialIntervalMs: 2 } });
    const after = resolveOptions({ maxQueued: 7, poll: { maxIntervalMs: 9 }, maxJobs: undefined }, before);
    expect(after).toMatchObject({ maxJobs: 5, maxQueued: 7, poll: { initialIntervalMs: 2, maxIntervalMs: 9 } });
    expect(before).toMatchObject({ maxQueued: 65_536, poll: { maxIntervalMs: 16 } });
    expect(DEFAULT_OPTIONS.poll).toEqual({ initialIntervalMs: 1, maxIntervalMs: 16 });
  });

  test.each([
    ['maxJobs', 1, 1_000_000],
    ['initialJobs', 0, 16_384],
    ['maxQueued', 0, 10_000_000],
    ['stackSizeBytes', 16_384, 16_777_216],
    ['maxGuardedStacks', 0, 1_000_000],
    ['threads', 1, 1024],
    ['maxInlineMicros', 0, 1_000_000],
    ['maxInFlight', 1, 10_000_000],
    ['tickBudgetMicros', 50, 1_000_000],
    ['drainTimeoutMs', 0, 600_000],
  ])('%s is an integer from %i to %i', (name, min, max) => {
    for (const value of [min, max]) expect(resolve({ [name]: value })).toMatchObject({ [name]: value });
    for (const value of [min - 1, max + 1, min + 0.5, NaN, Infinity]) {
      expect(codeOf(() => resolve({ [name]: value }))).toBe('ERR_OUT_OF_RANGE');
    }
    for (const value of ['1', null, 1n, {}]) {
      expect(codeOf(() => resolve({ [name]: value }))).toBe('ERR_INVALID_ARG_TYPE');
    }
  });

  test.each([
    [undefined, 'ERR_INVALID_ARG_TYPE'],
    [null, 'ERR_INVALID_ARG_TYPE'],
    [[], 'ERR_INVALID_ARG_TYPE'],
    ['maxJobs', 'ERR_INVALID_ARG_TYPE'],
    [{ maxjobs: 1 }, 'ERR_INVALID_ARG_VALUE'],
    [{ maxjobs: undefined }, 'ERR_INVALID_ARG_VALUE'],
    [{ stackHighWater: 'yes' }, 'ERR_INVALID_ARG_TYPE'],
    [{ opensslConfig: 1 }, 'ERR_INVALID_ARG_TYPE'],
    [{ opensslConfig: '' }, 'ERR_INVALID_ARG_VALUE'],
    [{ poll: 1 }, 'ERR_INVALID_ARG_TYPE'],
    [{ poll: null }, 'ERR_INVALID_ARG_TYPE'],
    [{ poll: { intervalMs: 1 } }, 'ERR_INVALID_ARG_VALUE'],
    [{ poll: { initialIntervalMs: 0 } }, 'ERR_OUT_OF_RANGE'],
    [{ poll: { maxIntervalMs: 60_001 } }, 'ERR_OUT_OF_RANGE'],
    [{ poll: { initialIntervalMs: 17 } }, 'ERR_OUT_OF_RANGE'],
    [{ maxJobs: 3, initialJobs: 4 }, 'ERR_OUT_OF_RANGE'],
  ])('%p is refused', (options, code) => {
    expect(codeOf(() => resolve(options))).toBe(code);
  });
});
