// configure(): the settings of a thread.
import type { ConfigureOptions } from '../../lib';
import { device, deviceRequest } from '../support/device';
import { codeOf, until } from '../support/library';
import { library, native } from '../support/scheduled-jobs';

describe('configure', () => {
  test.each<[unknown, string]>([
    [undefined, 'ERR_INVALID_ARG_TYPE'],
    [null, 'ERR_INVALID_ARG_TYPE'],
    [{ maxJob: 1 }, 'ERR_INVALID_ARG_VALUE'],
    [{ stackSize: 1 }, 'ERR_INVALID_ARG_VALUE'],
    [{ maxJobs: 0 }, 'ERR_OUT_OF_RANGE'],
    [{ maxJobs: 1.5 }, 'ERR_OUT_OF_RANGE'],
    [{ maxJobs: '1' }, 'ERR_INVALID_ARG_TYPE'],
    [{ maxJobs: 1, initialJobs: 2 }, 'ERR_OUT_OF_RANGE'],
    [{ stackSizeBytes: 16_383 }, 'ERR_OUT_OF_RANGE'],
    [{ stackHighWater: 1 }, 'ERR_INVALID_ARG_TYPE'],
    [{ poll: { initialIntervalMs: 5, maxIntervalMs: 4 } }, 'ERR_OUT_OF_RANGE'],
    [{ poll: { interval: 5 } }, 'ERR_INVALID_ARG_VALUE'],
  ])('refuses %p and can still be called', async (options, code) => {
    expect(
      codeOf(() => {
        library.configure(options as ConfigureOptions);
      }),
    ).toBe(code);
    library.configure({ maxJobs: 5 });
    await library.runJob(native.empty);
  });

  test.each<[string, () => unknown]>([
    ['a job', () => library.runJob(native.empty)],
    [
      'a wait context',
      () => {
        new library.WaitContext().close();
      },
    ],
  ])('comes too late after %s', async (_, use) => {
    await use();
    expect(
      codeOf(() => {
        library.configure({ maxJobs: 5 });
      }),
    ).toBe('ERR_ASYNC_ALREADY_STARTED');
  });

  test('may be called several times before', () => {
    library.configure({ maxJobs: 5 });
    library.configure({ maxQueued: 1 });
    expect(
      codeOf(() => {
        library.configure({ initialJobs: 6 });
      }),
    ).toBe('ERR_OUT_OF_RANGE');
  });

  test('sets how often a job is tried that offers nothing', async () => {
    library.configure({ poll: { initialIntervalMs: 1, maxIntervalMs: 1 } });
    device.holdAll(true);
    const running = library.runJob(native.device, { args: deviceRequest({ mode: 'none' }) });
    await until(() => library.stats().wakeups.poll >= 10);
    device.holdAll(false);
    const { pauses, wakeups } = await running;
    expect(wakeups.poll).toBe(pauses);
  });
});
