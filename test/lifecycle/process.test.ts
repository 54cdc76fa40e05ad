import { NATIVE_JOBS, runAndCheck } from '../support/scenario/expectations';

jest.setTimeout(60_000);

const SCHEDULED_JOBS = 360;

describe('the process ends while hundreds of jobs are paused', () => {
  test('by itself, since jobs that nobody waits for do not keep it alive', async () => {
    const [counts, exit] = await runAndCheck('normal-exit', { abandoned: [NATIVE_JOBS] });
    expect(counts).toMatchObject({ aborted: SCHEDULED_JOBS, abandoned: SCHEDULED_JOBS });
    expect((exit as { exitAfterMs: number }).exitAfterMs).toBeLessThan(1000);
  });

  test.each(['plain', 'generator', 'completion', 'callback', 'exit-handler'])(
    'by process.exit() (%s)',
    async (from) => {
      await runAndCheck('process-exit', { code: 3, abandoned: [NATIVE_JOBS] }, { args: [from] });
    },
  );

  test('by process.exit() before scheduled jobs have begun', async () => {
    // Those of startJob() have begun at once.
    await runAndCheck('process-exit', { code: 3, abandoned: [120] }, { args: ['now'] });
  });

  test.each(['plain', 'cleanup', 'callback'])('by an uncaught exception (%s)', async (from) => {
    const expected = { code: 1, abandoned: [NATIVE_JOBS], stderr: /^Error: thrown on purpose$/m };
    await runAndCheck('uncaught-exception', expected, { args: [from] });
  });

  test.each(['plain', 'job'])('by an unhandled rejection (%s)', async (from) => {
    const expected = { code: 1, abandoned: [NATIVE_JOBS], stderr: /^Error: rejected on purpose$/m };
    await runAndCheck('unhandled-rejection', expected, { args: [from] });
  });

  test('with two copies of the library in one environment', async () => {
    await runAndCheck('loaded-twice', { abandoned: [NATIVE_JOBS, NATIVE_JOBS] });
  });
});

describe('keeping the process alive', () => {
  test('nothing of the library does when nothing is in flight', async () => {
    const [report] = await runAndCheck('idle-exit');
    expect(report).toMatchObject({ finished: { status: 'finish', returnValue: 1 } });
    expect((report as { exitAfterMs: number }).exitAfterMs).toBeLessThan(1000);
  });

  test.each([
    'fd-cached',
    'fd-fresh',
    'fds-many',
    'callback-thread',
    'none',
    'again',
    'callback-or-fd',
    'generator',
    'signal',
    'wait',
    'queued',
  ])('a job in flight does until it is done (%s)', async (kind) => {
    expect(await runAndCheck('keep-alive', {}, { args: [kind] })).toEqual([{ returnValue: 1 }]);
  });
});

describe('the drain at the end', () => {
  test.each([
    ['normal', 0],
    ['exit', 3],
  ])('drives jobs to their end that the device completes in time (%s)', async (kind, code) => {
    await runAndCheck('drain-completes', { code }, { args: [kind] });
  });

  test('drops jobs that have not begun', async () => {
    expect(await runAndCheck('queued-at-exit', { code: 3 })).toEqual([{ live: 10, queued: 490 }]);
  });

  test('takes jobs to their end whose device has gone first, having completed them', async () => {
    await runAndCheck('device-ends-first');
  });
});

describe('what JavaScript forgets', () => {
  test('a paused job is driven to its end when it is collected, and its wait context is closed', async () => {
    expect(await runAndCheck('collected-jobs')).toEqual([
      { live: 400 },
      { live: 0, completed: 900, inFlight: 0, submitted: 900 },
      { allClosed: true, fdsOpened: 600 },
    ]);
  });

  test('a wait context is closed when it is collected', async () => {
    expect(await runAndCheck('collected-contexts')).toEqual([
      { fdsOpened: 300, fdsClosed: 0, open: 300 },
      { fdsClosed: 300, left: 0 },
    ]);
  });
});
