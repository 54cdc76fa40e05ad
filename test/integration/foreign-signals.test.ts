// Signals that are not Node's own: their methods are code of users, which may throw.
import {
  hash,
  jobFunction,
  operations,
  runJob,
  startJob,
  WaitContext,
  WaitSignal,
  type OperationOptions,
} from '../../lib';
import { rejectionCode } from '../support/library';

function throwing(name: 'addEventListener' | 'removeEventListener'): AbortSignal {
  const signal = {
    aborted: false,
    addEventListener: () => undefined,
    removeEventListener: () => undefined,
    [name]: () => {
      throw Object.assign(new Error('not here'), { code: 'ERR_FOREIGN' });
    },
  };
  return signal as unknown as AbortSignal;
}

const pauseOnce = jobFunction(function* (job) {
  yield job.pause();
  return 7;
});

// In each of the places where operations run.
const MODES: OperationOptions['mode'][] = ['auto', 'inline', 'offload'];

test.each(MODES)('an operation settles though its signal cannot be let go of (%s)', async (mode) => {
  const signal = throwing('removeEventListener');
  const digests = await Promise.all(['a', 'b'].map((data) => hash('sha256', data, { signal, mode })));
  expect(digests.map(({ length }) => length)).toEqual([32, 32]);
  expect(operations.inFlight).toBe(0);
});

test('a job settles though its signal cannot be let go of', async () => {
  const { returnValue } = await runJob(pauseOnce, { signal: throwing('removeEventListener') });
  expect(returnValue).toBe(7);
});

test('a wait settles though its signal cannot be let go of', async () => {
  const waitContext = new WaitContext();
  const waitSignal = new WaitSignal();
  const waits = jobFunction(function* (job) {
    yield job.setWaitFd('fd', waitSignal.fd);
    yield job.pause();
    yield job.clearFd('fd');
    return 1;
  });
  const started = startJob(null, waitContext, waits);
  const wait = waitContext.wait({ signal: throwing('removeEventListener'), timeoutMs: 5 });
  expect(await rejectionCode(wait)).toBe('ERR_ASYNC_TIMEOUT');
  if (started.status === 'pause') startJob(started.job, waitContext);
  waitContext.close();
  waitSignal.close();
});

test('what a signal throws when it is asked is the error of the call', async () => {
  const signal = throwing('addEventListener');
  expect(await rejectionCode(hash('sha256', 'a', { signal, mode: 'offload' }))).toBe('ERR_FOREIGN');
  expect(await rejectionCode(runJob(pauseOnce, { signal }))).toBe('ERR_FOREIGN');
});
