// The example program of ASYNC_start_job(3), in TypeScript. It prints the eight lines that the page promises.
import { getCurrentJob, jobFunction, startJob, WaitContext, WaitSignal } from 'openssl-async';

const unique = Symbol('unique');

const jobfunc = jobFunction(function* (job, message: string) {
  if (getCurrentJob() === job) {
    console.log('Executing within a job');
  } else {
    console.log('Not executing within a job - should not happen');
    return 0;
  }

  console.log(`Passed in message is: ${message}`);

  // The pipe of the original: readable once it is woken.
  const signal = new WaitSignal();
  yield job.setWaitFd(unique, signal.fd, () => {
    signal.close();
  });

  // Normally some external event would cause this to happen at some later point, but we do it here for demo purposes,
  // i.e. immediately signalling that the job is ready to be woken up after we return to main by pausing.
  signal.wake();

  // Return control back to main
  yield job.pause();

  // Clear the wake signal
  signal.clear();

  console.log('Resumed the job after a pause');

  return 1;
});

export async function main(): Promise<void> {
  console.log('Starting...');

  const waitContext = new WaitContext();
  let result = startJob(null, waitContext, jobfunc, 'Hello world!');
  while (result.status === 'pause') {
    console.log('Job was paused');

    // Wait for the job to be woken
    console.log('Waiting for the job to be woken up');
    if (result.waitFds.length !== 1) throw new Error('Unexpected number of fds');
    await waitContext.wait();
    result = startJob(result.job, waitContext);
  }
  if (result.status === 'finish') {
    console.log(`Job finished with return value ${String(result.returnValue)}`);
  } else {
    console.log('An error occurred');
  }

  waitContext.close();
  console.log('Finishing');
}

if (require.main === module) void main();
