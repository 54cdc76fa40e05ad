// What a job function must not be, and must not forget.
import { runInNewContext } from 'node:vm';
import { jobFunction, runJob, startJob, WaitContext, type Command, type Job } from 'openssl-async';
import { codeOf } from '../support/unit';

type AnyFunction = (...args: never[]) => unknown;

describe('a function that is no generator function is refused when it is given', () => {
  test.each<[string, unknown]>([
    ['async', async () => Promise.resolve(1)],
    [
      'async function',
      async function () {
        await Promise.resolve();
      },
    ],
    [
      'async generator',
      async function* () {
        yield await Promise.resolve(1);
      },
    ],
    ['arrow', () => 1],
    [
      'plain function',
      function () {
        return 1;
      },
    ],
    ['method', { method: () => 1 }.method],
    ['class', class {}],
    ['of another realm', runInNewContext('(async () => 1)')],
    ['number', 1],
    [
      'generator',
      (function* () {
        yield 1;
      })(),
    ],
  ])('%s', (_kind, body) => {
    expect(codeOf(() => jobFunction(body as never))).toBe('ERR_INVALID_ARG_TYPE');
  });
});

describe('a generator function in disguise is taken', () => {
  const body = function* (job: Job): Generator<Command<unknown>, number> {
    yield job.pause();
    return 7;
  };
  // As regenerator marks what it compiles.
  const compiled = function (job: Job) {
    return body(job);
  };
  Object.setPrototypeOf(compiled, Object.getPrototypeOf(body) as object);
  test.each<[string, AnyFunction]>([
    [
      'method',
      {
        *method(job: Job) {
          return yield* body(job);
        },
      }.method as AnyFunction,
    ],
    ['bound', body.bind(null)],
    ['Proxy', new Proxy(body, {})],
    ['compiled', compiled],
    ['of another realm', runInNewContext('(function* (job) { yield job.pause(); return 7; })') as AnyFunction],
  ])('%s', async (_kind, disguised) => {
    expect((await runJob(jobFunction(disguised as never))).returnValue).toBe(7);
  });

  test('but not if it gives no generator', async () => {
    const notOne = jobFunction((() => 1).bind(null) as never);
    await expect(runJob(notOne)).rejects.toMatchObject({ code: 'ERR_INVALID_RETURN_VALUE' });
  });
});

describe('a command that is made and never yielded is an error of the job', () => {
  const forgetful = [
    [
      'the only one',
      jobFunction(function* (job) {
        job.pause();
        return 1;
      }),
    ],
    [
      'before a pause',
      jobFunction(function* (job) {
        job.blockPause();
        yield job.pause();
        return 1;
      }),
    ],
    [
      'after others',
      jobFunction(function* (job) {
        yield job.pause();
        yield* job.clearFd('key');
        job.getFd('key');
        return 1;
      }),
    ],
  ] as const;

  test.each(forgetful)('%s', async (_name, func) => {
    await expect(runJob(func)).rejects.toMatchObject({ code: 'ERR_ASYNC_INVALID_COMMAND' });
  });

  test('of startJob() too, and the context can be used again', () => {
    const context = new WaitContext();
    const [[, func]] = forgetful;
    expect(startJob(null, context, func)).toMatchObject({
      status: 'error',
      error: { code: 'ERR_ASYNC_INVALID_COMMAND' },
    });
    const fine = jobFunction(function* () {
      return 3;
    });
    expect(startJob(null, context, fine)).toMatchObject({ status: 'finish', returnValue: 3 });
    context.close();
  });

  test('but what the function throws comes first', async () => {
    const mine = new Error('mine');
    const func = jobFunction(function* (job) {
      job.pause();
      throw mine;
    });
    await expect(runJob(func)).rejects.toBe(mine);
  });
});

test('commands may be made before they are yielded, and yielded again', async () => {
  const func = jobFunction(function* (job) {
    const commands = [job.blockPause(), job.unblockPause(), job.pause(), job.pause()];
    for (const command of [...commands, ...commands]) yield command;
    return 1;
  });
  expect((await runJob(func)).pauses).toBe(4);
});

test('a command that is refused where it is yielded is not forgotten', async () => {
  const func = jobFunction(function* (job) {
    try {
      yield job.setWaitFd('key', 1_000_000);
    } catch {
      return 5;
    }
    return 1;
  });
  expect((await runJob(func)).returnValue).toBe(5);
});
