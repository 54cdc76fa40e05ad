import { runAndCheck } from '../support/scenario/expectations';
import { HAS_JOBS } from '../support/jobs';

/** As test/support/scenario/remote-keys.js has it. */
const OPERATIONS = HAS_JOBS ? 400 : 40;

jest.setTimeout(60_000);

// Nobody can answer any more once the environment ends, so its jobs are driven to their end, and none is abandoned.
describe('the process ends while hundreds of jobs wait for remote keys', () => {
  test.each(['plain', 'function', 'answer', 'exit-handler'])('by process.exit() (%s)', async (way) => {
    expect(await runAndCheck('remote-keys-exit', { code: 3 }, { args: [way] })).toEqual([{ asked: OPERATIONS }]);
  });

  test.each(['throw', 'throw-in-answer'])('by an uncaught exception (%s)', async (way) => {
    await runAndCheck('remote-keys-exit', { code: 1, stderr: /^Error: thrown on purpose$/m }, { args: [way] });
  });

  test('by itself, when the operations were given up', async () => {
    const [, exit] = await runAndCheck('remote-keys-exit', {}, { args: ['aborted'] });
    expect((exit as { exitAfterMs: number }).exitAfterMs).toBeLessThan(1000);
  });
});

describe('a worker ends while hundreds of its jobs wait for remote keys', () => {
  test.each([
    ['terminate', { code: 1, messages: [OPERATIONS] }],
    ['exit', { code: 5, messages: [OPERATIONS] }],
    ['throw', { code: 1, error: 'thrown on purpose', messages: [OPERATIONS] }],
  ])('%s; those of other threads go on', async (end, ended) => {
    const reports = await runAndCheck('remote-keys-worker-end', {}, { args: [end] });
    expect(reports).toEqual([ended, { ours: true }]);
  });

  test('twenty times over', async () => {
    expect(await runAndCheck('remote-keys-worker-end', {}, { args: ['again'] })).toEqual([{ fdGrowth: 0 }]);
  });
});

test('an operation keeps the process alive until it is answered, or its time is up', async () => {
  expect(await runAndCheck('remote-keys-exit', {}, { args: ['wait'] })).toEqual([
    { answered: true },
    { code: 'ERR_ASYNC_REMOTE_KEY_TIMEOUT' },
  ]);
});

test('a key that nobody holds any more is gone, and stays as long as an operation needs it', async () => {
  expect(await runAndCheck('remote-keys-collected')).toEqual([{ valid: 200 }, { collected: true }]);
});
