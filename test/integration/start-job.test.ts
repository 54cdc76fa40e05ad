// ASYNC_start_job(3): what a job gives, where it pauses, and how it goes on.
import {
  getCurrentJob,
  isCapable,
  jobFunction,
  opensslVersion,
  startJob,
  unsupportedReason,
  WaitContext,
  WaitSignal,
  type FinishedResult,
  type Job,
  type PausedResult,
  type StartJobResult,
} from '../../lib';
import { checksum, countBytesArgs, deviceRequest, int32Args } from '../support/device';
import { pauseTwice, resume, toEnd } from '../support/job-steps';
import {
  returnArg,
  countBytes,
  pauseOnce,
  simulated,
  context,
  start,
  startPaused,
  expectUsable,
} from '../support/started-jobs';

describe('the library', () => {
  test("is capable of OpenSSL's own jobs", () => {
    expect(isCapable()).toBe(true);
    expect(unsupportedReason()).toBeUndefined();
  });

  test("uses the process's own OpenSSL", () => {
    const [version] = process.versions.openssl.split('+');
    expect(opensslVersion()).toContain(`OpenSSL ${String(version)}`);
  });
});

describe('startJob with a native function', () => {
  test.each([0, 1, -1, 2 ** 31 - 1, -(2 ** 31)])('finishes at once and returns %p', (value) => {
    expect(start(returnArg, int32Args(value))).toEqual({ status: 'finish', returnValue: value });
    expect(context.busy).toBe(false);
  });

  test('passes NULL when there are no arguments', () => {
    expect(start(returnArg)).toEqual({ status: 'finish', returnValue: -1 });
    expect(start(returnArg, null)).toEqual({ status: 'finish', returnValue: -1 });
  });

  const bytes = Uint8Array.from({ length: 32 }, (_, i) => i * 7);
  const message = countBytesArgs(bytes);
  const shared = new SharedArrayBuffer(message.length);
  new Uint8Array(shared).set(message);
  const own = new Uint8Array(message).buffer;
  test.each([
    ['a Buffer', message],
    ['a view into the middle of a buffer', Buffer.concat([Buffer.alloc(3), message]).subarray(3)],
    ['a typed array of wider elements', new Int32Array(own)],
    ['a DataView', new DataView(own)],
    ['an ArrayBuffer', own],
    ['a SharedArrayBuffer', shared],
  ])('passes the bytes of %s', (_, args) => {
    expect(start(countBytes, args)).toEqual({ status: 'finish', returnValue: checksum(bytes) });
  });

  test('passes a string as UTF-8', () => {
    expect(start(returnArg, '\x01\x02\u00e9')).toEqual({ status: 'finish', returnValue: 0xa9c30201 | 0 });
  });

  test('pauses and goes on where it paused', () => {
    const { job, waitFds } = startPaused(pauseOnce);
    expect(waitFds).toEqual([]);
    expect(job.state).toBe('paused');
    expect(context.busy).toBe(true);
    expect(resume(job)).toEqual({ status: 'finish', returnValue: 1 });
    expect(job.state).toBe('finished');
    expect(context.busy).toBe(false);
  });

  test('tells what the function left in its error queue', () => {
    const result = toEnd(start(simulated, deviceRequest({ mode: 'sync', failEvery: 1 }))) as FinishedResult;
    expect(result).toMatchObject({ status: 'finish', returnValue: 0 });
    expect(result.opensslErrorStack).toHaveLength(1);
  });

  test('gives getCurrentJob() nothing: it is the C function that is inside', () => {
    const { job } = startPaused(pauseOnce);
    expect(getCurrentJob()).toBeNull();
    resume(job);
    expect(getCurrentJob()).toBeNull();
  });
});

describe('startJob with a generator', () => {
  test('runs to the first pause, and on from there at each resume', () => {
    const log: string[] = [];
    const func = jobFunction(function* (job, name: string) {
      log.push(`${name} 1`);
      yield job.pause();
      log.push(`${name} 2`);
      yield job.pause();
      log.push(`${name} 3`);
      return 3;
    });
    const { job } = startPaused(func, 'job');
    expect(log).toEqual(['job 1']);
    const again = resume(job) as PausedResult;
    expect(again.status).toBe('pause');
    expect(again.job).toBe(job);
    expect(log).toEqual(['job 1', 'job 2']);
    expect(resume(job)).toEqual({ status: 'finish', returnValue: 3 });
    expect(log).toEqual(['job 1', 'job 2', 'job 3']);
  });

  test('ignores a function and arguments at a resume', () => {
    const { job } = startPaused(pauseTwice);
    expect(startJob(job, context, returnArg, int32Args(1)).status).toBe('pause');
    expect(startJob(job, context, returnArg, int32Args(1))).toEqual({ status: 'finish', returnValue: 7 });
  });

  test('passes bytes as a Buffer, and a copy of everything else', () => {
    const seen: unknown[] = [];
    const func = jobFunction(function* (_job, args: unknown) {
      seen.push(args);
      return 1;
    });
    const object = { nested: { list: [1, 2n], when: new Date(0) } };
    for (const args of [Uint8Array.of(1, 2), object, 'text', 42, null, undefined]) start(func, args);
    expect(Buffer.isBuffer(seen[0])).toBe(true);
    expect(seen[0]).toEqual(Buffer.of(1, 2));
    expect(seen[1]).toEqual(object);
    expect(seen[1]).not.toBe(object);
    expect(seen.slice(2)).toEqual(['text', 42, null, undefined]);
  });

  test.each([0, -1, 2 ** 31 - 1, -(2 ** 31)])('returns %p', (value) => {
    expect(
      start(
        jobFunction(function* () {
          return value;
        }),
      ),
    ).toEqual({ status: 'finish', returnValue: value });
  });

  test('keeps jobs apart that run side by side', () => {
    const others = [new WaitContext(), new WaitContext(), new WaitContext()];
    const func = jobFunction(function* (job, value: number) {
      let sum = value;
      for (let i = 0; i < 5; ++i) {
        yield job.pause();
        sum += value;
      }
      return sum;
    });
    const jobs = others.map((other, i) => startPaused(func, i + 1, other).job);
    const results: StartJobResult[] = [];
    for (let i = 0; i < 5; ++i) results.splice(0, 3, ...jobs.toReversed().map(resume));
    expect(results.map((result) => (result as FinishedResult).returnValue)).toEqual([18, 12, 6]);
    for (const other of others) other.close();
  });

  test('tells inside and outside apart through job.state and getCurrentJob()', () => {
    const inside: unknown[] = [];
    const func = jobFunction(function* (job) {
      inside.push(job.state, getCurrentJob() === job, job.waitContext === context);
      yield job.pause();
      inside.push(job.state, getCurrentJob() === job);
      return 1;
    });
    expect(getCurrentJob()).toBeNull();
    const { job } = startPaused(func);
    expect([job.state, getCurrentJob()]).toEqual(['paused', null]);
    resume(job);
    expect([job.state, getCurrentJob()]).toEqual(['finished', null]);
    expect(inside).toEqual(['running', true, true, 'running', true]);
  });

  test.each([
    ['an Error', new Error('mine')],
    ['a string', 'mine'],
    ['undefined', undefined],
  ])("reports %s that it throws as the job's error, the very same", (_, thrown) => {
    const func = jobFunction(function* (job, pauses: number) {
      for (let i = 0; i < pauses; ++i) yield job.pause();
      throw thrown;
    });
    for (const pauses of [0, 1]) {
      const result = toEnd(start(func, pauses));
      expect(result.status).toBe('error');
      expect((result as { error: unknown }).error).toBe(thrown);
    }
    expectUsable();
  });

  test.each([[1.5], [2 ** 31], [Number.NaN], ['1'], [undefined], [1n]])('refuses %p as a return value', (value) => {
    const result = start(
      jobFunction(function* () {
        return value as number;
      }),
    );
    expect(result).toMatchObject({ status: 'error', error: { code: 'ERR_INVALID_RETURN_VALUE' } });
    expectUsable();
  });

  test.each([
    ['undefined', () => undefined],
    ['a number', () => 1],
    ['a promise', () => Promise.resolve()],
    ['a command of another job', (other: Job) => other.pause()],
  ])('throws where %s is yielded, and the function can go on', (_, yielded) => {
    const other = startPaused(pauseTwice, undefined, new WaitContext());
    const codes: unknown[] = [];
    const func = jobFunction(function* (job) {
      try {
        yield yielded(other.job) as never;
      } catch (error) {
        codes.push((error as { code: unknown }).code);
      }
      yield job.pause();
      return 9;
    });
    const { job } = startPaused(func);
    expect(codes).toEqual(['ERR_ASYNC_INVALID_COMMAND']);
    expect(resume(job)).toEqual({ status: 'finish', returnValue: 9 });
    toEnd(resume(other.job));
    other.job.waitContext.close();
  });

  test('ends with the error of a wrong yield that it does not catch', () => {
    const func = jobFunction(function* () {
      yield 'nothing' as never;
      return 1;
    });
    expect(start(func)).toMatchObject({ status: 'error', error: { code: 'ERR_ASYNC_INVALID_COMMAND' } });
    expectUsable();
  });

  test('ends a function that yields without end', () => {
    const func = jobFunction(function* (job) {
      for (;;) {
        try {
          yield job.blockPause();
        } catch {
          // Not even this keeps it going.
        }
      }
    });
    expect(start(func)).toMatchObject({ status: 'error', error: { code: 'ERR_ASYNC_COMMAND_LIMIT' } });
    expectUsable();
  });

  test('runs the finally blocks of a function that throws', () => {
    const signal = new WaitSignal();
    const func = jobFunction(function* (job) {
      yield job.setWaitFd('key', signal.fd);
      try {
        yield job.pause();
        throw new Error('mine');
      } finally {
        yield job.clearFd('key');
      }
    });
    expect(resume(startPaused(func).job).status).toBe('error');
    expect(context.fds()).toEqual([]);
    signal.close();
  });
});

describe('blockPause and unblockPause', () => {
  test('make pauses return at once, as deep as they are nested', () => {
    const log: string[] = [];
    const func = jobFunction(function* (job) {
      yield job.blockPause();
      yield job.blockPause();
      yield job.pause();
      log.push('blocked twice');
      yield job.unblockPause();
      yield job.pause();
      log.push('blocked once');
      yield job.unblockPause();
      yield job.pause();
      log.push('unblocked');
      return 1;
    });
    const { job } = startPaused(func);
    expect(log).toEqual(['blocked twice', 'blocked once']);
    expect(resume(job)).toEqual({ status: 'finish', returnValue: 1 });
    expect(log).toEqual(['blocked twice', 'blocked once', 'unblocked']);
  });

  test('let other jobs of the thread pause meanwhile', () => {
    const func = jobFunction(function* (job) {
      yield job.pause();
      yield job.blockPause();
      const other = (yield* job.getFd('none')) === null;
      yield job.pause();
      return other ? 2 : 3;
    });
    const { job } = startPaused(func);
    const other = new WaitContext();
    expect(resume(startPaused(pauseOnce, undefined, other).job).status).toBe('finish');
    other.close();
    expect(resume(job)).toEqual({ status: 'finish', returnValue: 2 });
  });

  test('have no effect when unblocked once too often', () => {
    const func = jobFunction(function* (job) {
      yield job.unblockPause();
      yield job.unblockPause();
      yield job.blockPause();
      yield job.pause();
      yield job.unblockPause();
      yield job.pause();
      return 1;
    });
    expect(resume(startPaused(func).job)).toEqual({ status: 'finish', returnValue: 1 });
  });

  test('end with the job that has blocked', () => {
    const func = jobFunction(function* (job) {
      yield job.blockPause();
      yield job.pause();
      return 1;
    });
    expect(start(func)).toEqual({ status: 'finish', returnValue: 1 });
    expect(resume(startPaused(pauseOnce).job).status).toBe('finish');
    expect(toEnd(start(pauseTwice)).status).toBe('finish');
  });
});
