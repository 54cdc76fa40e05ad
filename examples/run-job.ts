// Jobs on the event loop: one that is woken, one that is aborted and one that takes too long.
import { jobFunction, runJob, WaitSignal, type CodedError, type GeneratorJobFunction } from 'openssl-async';

/** A job function that has some work begun elsewhere, and waits until that wakes the signal. */
function waitFor(signal: WaitSignal, begin?: () => void): GeneratorJobFunction {
  return jobFunction(function* (job) {
    yield job.setWaitFd(signal, signal.fd);
    try {
      begin?.();
      while (!signal.clear()) yield job.pause(); // a resume is a hint: look
      return 42;
    } finally {
      // Also when the call was cancelled: its error is thrown at the pause, and the job ends in order.
      yield job.clearFd(signal);
      signal.close();
    }
  });
}

async function main(): Promise<void> {
  const signal = new WaitSignal();
  const begin = (): void => {
    setTimeout(() => {
      signal.wake();
    }, 10);
  };
  const { returnValue, pauses, wakeups } = await runJob(waitFor(signal, begin));
  console.log(`finished: returned ${returnValue}, paused ${pauses} time, woken ${wakeups.fd} time by its fd`);

  const controller = new AbortController();
  setTimeout(() => {
    controller.abort('not needed any more');
  }, 10);
  try {
    await runJob(waitFor(new WaitSignal()), { signal: controller.signal });
  } catch (error) {
    const { code, cause } = error as CodedError;
    console.log(`aborted: ${code}, ${String(cause)}`);
  }

  try {
    await runJob(waitFor(new WaitSignal()), { timeoutMs: 10 });
  } catch (error) {
    console.log(`timed out: ${(error as CodedError).code}`);
  }
}

void main();
