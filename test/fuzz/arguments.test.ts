// Junk for every public function: a typed error with a code, or success, never a crash and never a job that is left over.
import fc from 'fast-check';
import * as library from '../../lib';
import { device } from '../support/device';

const FIXED_SEED = 20_260_102;
const RANDOM_SEED = process.env.FUZZ_SEED === undefined ? Date.now() % 2 ** 31 : Number(process.env.FUZZ_SEED);
const RUNS = 3000;

const { jobFunction, nativeJobFunction, runJob, startJob, stats, WaitContext, WaitSignal } = library;

const empty = nativeJobFunction(device.functions.empty);
const generator = jobFunction(function* (job, args) {
  void args;
  yield job.blockPause();
  return 1;
});

const hostile = [
  () => new Proxy({}, {}),
  () => Object.create(null) as object,
  () => Object.create(WaitContext.prototype) as object,
  () => Object.create(library.Job.prototype) as object,
  () => new WaitSignal(),
  () => device.functions.empty,
  () => device.functions,
  () => Symbol('junk'),
  () => 10n,
  () => () => 1,
  () => new Date(),
  () => new Map([[1, 2]]),
  () => new Error('junk'),
  () => Promise.resolve(1),
  () => new Uint8Array(3).subarray(1),
  () => new DataView(new ArrayBuffer(8), 2, 3),
  () => new SharedArrayBuffer(4),
  () => new Float64Array(0),
  () => Buffer.from('bytes'),
  () => new AbortController().signal,
  () => AbortSignal.abort(),
  () => ({ aborted: true }),
  () => ({ aborted: false }),
  () => ({ signal: { aborted: false } }),
  () => ({ timeoutMs: Number.NaN }),
  () => ({ timeoutMs: -1 }),
  () => ({ timeoutMs: 2 ** 31 }),
  () => ({ timeoutMs: 1.5 }),
  () => ({ maxSize: -1, initSize: 2 }),
  () => ({ initSize: Infinity }),
  () => ({ poll: { initialIntervalMs: 0 } }),
  () => ({ waitContext: {} }),
  () => ({ args: () => 1 }),
  () => ({
    get args() {
      return 1;
    },
  }),
];

const junk: fc.Arbitrary<unknown> = fc.oneof(
  fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true }),
  fc.double(),
  fc.integer({ min: -3, max: 5 }),
  fc.constantFrom(undefined, null, Number.NaN, Infinity, -0, 2 ** 31, 2 ** 32, 2 ** 53, ''),
  fc.constantFrom(...hostile).map((make) => make()),
);

/** Bad enough for a caller to be told so, in a way that programs understand. */
function expectTyped(error: unknown): void {
  const { code, name } = error as { code?: unknown; name?: unknown };
  if (name === 'DataCloneError') return; // structuredClone()'s own, whose code is a number
  expect({ error: String(error), type: typeof code }).toEqual({ error: String(error), type: 'string' });
}

/** Makes the call, and whatever it began comes to an end. */
async function tolerate(call: () => unknown): Promise<void> {
  let result: unknown;
  try {
    result = call();
    if (result instanceof Promise) await result;
  } catch (error) {
    expectTyped(error);
  }
}

const targets: Record<string, (args: unknown[]) => unknown> = {
  initThread: (args) => {
    // A pool that junk happened to make legal is taken back.
    library.initThread(...(args as []));
    library.cleanupThread();
  },
  cleanupThread: (args) => {
    library.cleanupThread(...(args as []));
  },
  configure: (args) => {
    library.configure(...(args as [object]));
  },
  capability: (args) => library.capability(...(args as [])),
  isCapable: (args) => library.isCapable(...(args as [])),
  unsupportedReason: (args) => library.unsupportedReason(...(args as [])),
  opensslVersion: (args) => library.opensslVersion(...(args as [])),
  stats: (args) => stats(...(args as [])),
  getCurrentJob: (args) => library.getCurrentJob(...(args as [])),
  jobFunction: (args) => jobFunction(...(args as [never])),
  nativeJobFunction: (args) => nativeJobFunction(...(args as [unknown])),
  startJob: (args) => startJob(...(args as [never, never])),
  'startJob, with a good context': ([job, ...args]) =>
    withContext((context) => startJob(job as null, context, ...(args as [never]))),
  'startJob of a native function': ([args]) => withContext((context) => startJob(null, context, empty, args)),
  'startJob of a generator': ([args]) => withContext((context) => startJob(null, context, generator, args)),
  runJob: (args) => runJob(...(args as [never])),
  'runJob of a native function': ([options]) => runJob(empty, options as object),
  'runJob of a generator': ([options]) => runJob(generator, options as object),
  'runJob, its arguments': ([args]) => runJob(empty, { args }),
  'runJob, its context': ([waitContext]) => runJob(empty, { waitContext: waitContext as never }),
  'runJob, its signal': ([signal]) => runJob(empty, { signal: signal as never }),
  'runJob, its time limit': ([timeoutMs]) => runJob(empty, { timeoutMs: timeoutMs as never }),
  'WaitContext.wait': ([options]) => {
    const context = new WaitContext();
    return context.wait(options as object).finally(() => {
      context.close();
    });
  },
  'WaitContext.setCallback': ([callback]) =>
    withContext((context) => {
      context.setCallback(callback as null);
      expect(context.callback).toBe(callback);
    }),
  'WaitContext.status': ([status]) =>
    withContext((context) => {
      context.status = status as 'ok';
    }),
  'Job.setWaitFd': (args) => inJob((job) => job.setWaitFd(...(args as [unknown, number]))),
  'Job.getFd': (args) => inJob((job) => job.getFd(...(args as [unknown]))),
  'Job.clearFd': (args) => inJob((job) => job.clearFd(...(args as [unknown]))),
  'what a generator yields': ([yielded]) => inJob(() => yielded as never),
  'what a generator returns': ([returned]) =>
    runJob(
      jobFunction(function* () {
        return returned as number;
      }),
    ),
  'what a generator throws': ([thrown]) =>
    runJob(
      jobFunction(function* () {
        throw thrown;
      }),
    ).catch((error: unknown) => {
      expect(error).toBe(thrown);
    }),
  'foreign receivers': ([receiver]) => {
    if (receiver instanceof WaitContext || receiver instanceof WaitSignal) return;
    const getters = [
      () => Reflect.get(WaitContext.prototype, 'closed', receiver) as unknown,
      () => Reflect.get(WaitSignal.prototype, 'fd', receiver) as unknown,
    ];
    for (const getter of getters) expect(getter).toThrow();
  },
};

function withContext<T>(use: (context: library.WaitContext) => T): T {
  const context = new WaitContext();
  try {
    return use(context);
  } finally {
    context.close();
  }
}

function inJob(command: (job: library.Job) => library.Command<unknown>): Promise<unknown> {
  return runJob(
    jobFunction(function* (job) {
      yield command(job);
      return 1;
    }),
  );
}

async function fuzz(seed: number): Promise<void> {
  process.stdout.write(`arguments: seed ${String(seed)}\n`);
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...Object.keys(targets)), fc.array(junk, { maxLength: 4 }), async (name, args) => {
      await tolerate(() => (targets[name] as (args: unknown[]) => unknown)(args));
      expect(stats().jobs).toMatchObject({ liveInThread: 0, live: 0, queued: 0 });
    }),
    { seed, numRuns: RUNS },
  );
  await expect(runJob(empty)).resolves.toMatchObject({ returnValue: 1 });
}

describe('junk arguments', () => {
  afterAll(() => {
    device.shutdown();
  });

  test('are refused with a code, or do no harm, with a seed that never changes', () => fuzz(FIXED_SEED), 120_000);
  test('are refused with a code, or do no harm, with a new seed', () => fuzz(RANDOM_SEED), 120_000);
});
