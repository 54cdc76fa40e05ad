// Jobs that the event loop runs, with a library and a scheduler for each test.
import type { JobFunction, WaitSignal } from '../../lib';
import { device } from './device';
import { freshLibrary, until, type Library } from './library';

// Each test has a scheduler of its own: its figures begin at 0, and it can be configured.
export let library: Library;
export let native: Record<keyof typeof device.functions, JobFunction>;

beforeEach(() => {
  library = freshLibrary();
  native = Object.fromEntries(
    Object.entries(device.functions).map(([name, external]) => [name, library.nativeJobFunction(external)]),
  ) as typeof native;
});

// No test leaves a job behind, and none keeps the device from working.
afterEach(async () => {
  device.holdAll(false);
  await until(() => library.stats().jobs.live === 0);
  expect(library.stats().jobs).toMatchObject({ queued: 0, ready: 0, waiting: 0 });
});

export const held = { mode: 'callback-thread' } as const;

/** Pauses until the signal is woken; `onCancel` hears of what is thrown at the pause. */
export function untilWoken(signal: WaitSignal, onCancel?: (error: unknown) => void): JobFunction {
  return library.jobFunction(function* (job) {
    yield job.setWaitFd('signal', signal.fd);
    try {
      while (!signal.clear()) yield job.pause();
    } catch (error) {
      onCancel?.(error);
      throw error;
    } finally {
      yield job.clearFd('signal');
    }
    return 1;
  });
}
