// `openssl-async run-example`: the example program of ASYNC_start_job(3), which prints the eight lines that the page
// promises.
import { getCurrentJob, jobFunction, startJob, WaitContext, WaitSignal } from '../index';

export interface RunExampleOptions {
  json?: boolean;
}

const unique = Symbol('unique');

/** The exit status. */
export async function runExample({ json = false }: RunExampleOptions): Promise<number> {
  const lines: string[] = [];
  const returnValue = await manPage((line) => {
    if (json) lines.push(line);
    else console.log(line);
  });
  if (json) console.log(JSON.stringify({ lines, returnValue: returnValue ?? null }, undefined, 2));
  return returnValue === 1 ? 0 : 1;
}

/** What the job returned; undefined when it failed. */
async function manPage(print: (line: string) => void): Promise<number | undefined> {
  const jobfunc = jobFunction(function* (job, message: string) {
    if (getCurrentJob() !== job) {
      print('Not executing within a job - should not happen');
      return 0;
    }
    print('Executing within a job');
    print(`Passed in message is: ${message}`);

    // The pipe of the original: readable once it is woken.
    const signal = new WaitSignal();
    yield job.setWaitFd(unique, signal.fd, () => {
      signal.close();
    });
    // Something outside the job does this at some later point; here the job will be ready as soon as it has paused.
    signal.wake();
    yield job.pause();
    signal.clear();
    print('Resumed the job after a pause');
    return 1;
  });

  print('Starting...');
  const waitContext = new WaitContext();
  let result = startJob(null, waitContext, jobfunc, 'Hello world!');
  while (result.status === 'pause') {
    print('Job was paused');
    print('Waiting for the job to be woken up');
    await waitContext.wait();
    result = startJob(result.job, waitContext);
  }
  const returnValue = result.status === 'finish' ? result.returnValue : undefined;
  print(returnValue === undefined ? 'An error occurred' : `Job finished with return value ${returnValue}`);
  waitContext.close();
  print('Finishing');
  return returnValue;
}
