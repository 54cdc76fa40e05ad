import { NATIVE_JOBS, runAndCheck } from '../support/scenario/expectations';

jest.setTimeout(60_000);

describe('a worker ends while hundreds of its jobs are paused', () => {
  test.each([
    ['terminate', { code: 1 }],
    ['exit', { code: 5 }],
    ['throw', { code: 1, error: 'thrown on purpose' }],
    ['reject', { code: 1, error: 'rejected on purpose' }],
    ['abandon', { code: 0 }],
  ])('%s; the device answers later, and another worker is not harmed', async (end, ended) => {
    const reports = await runAndCheck('worker-end', { abandoned: [NATIVE_JOBS] }, { args: [end] });
    expect(reports).toEqual([ended, { foreignCallbacks: 80, wakesWritten: 200 }, { second: [true] }]);
  });

  test.each([
    ['worker', 0],
    ['terminate', 1],
    ['released', 0],
  ])('they are driven to their end when the device completes them in time (%s)', async (kind, code) => {
    expect(await runAndCheck('drain-completes', {}, { args: [kind] })).toEqual([
      { code, inFlight: 0, leakedFds: 0, leakedNumbers: 0 },
    ]);
  });

  test('in the middle of a storm of jobs; then the process does', async () => {
    const [codes] = await runAndCheck('busy-end', { code: 3 });
    expect(codes).toEqual(Array.from({ length: 24 }, () => 1));
  });
});

describe('the main thread ends', () => {
  test.each([
    ['exit', { code: 3 }],
    ['throw', { code: 1, stderr: /^Error: thrown on purpose$/m }],
  ])('while it and four workers have jobs outstanding (%s)', async (how, expected) => {
    const abandoned = Array.from({ length: 5 }, () => NATIVE_JOBS);
    await runAndCheck('main-exit-with-workers', { ...expected, abandoned }, { args: [how] });
  });
});

describe('loading', () => {
  test('by all threads at once: all their jobs end well', async () => {
    const [results] = await runAndCheck('all-threads-at-once');
    expect(results).toEqual(Array.from({ length: 5 }, () => ({ right: 540, live: 0 })));
  });

  test('by workers alone: the addon stays when the last of them has ended', async () => {
    const end = { code: 0, messages: ['done', { finished: 200, live: 0 }] };
    const abandoned = Array.from({ length: 9 }, () => NATIVE_JOBS);
    const round = { ends: [end, end, end], mapped: true };
    expect(await runAndCheck('only-in-workers', { abandoned })).toEqual([round, round, round]);
  });
});

describe('callbacks from a foreign thread', () => {
  test('do nothing when their environment is gone, and no harm when another one has taken its place', async () => {
    const left = { code: 0, messages: [200] };
    const ran = { code: 0, messages: ['running', 100], late: true };
    expect(await runAndCheck('late-callbacks')).toEqual([left, ran, left, ran, left, ran]);
  });

  test('may come while the process exits', async () => {
    expect(await runAndCheck('late-callbacks', {}, { args: ['main'] })).toEqual([200]);
  });
});
