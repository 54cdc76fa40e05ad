// A process whose OpenSSL has no jobs, as on musl: what works all the same, what is refused, and how one can tell.
// npm run test:without-jobs runs it with an addon that finds none.
import * as crypto from 'node:crypto';
import * as async from '../../lib';
import { HAS_JOBS } from '../support/jobs';
import { codeOf, rejection, rejectionCode, until } from '../support/library';
import { inChild, resultOf, ROOT, run } from '../support/programs';
import { describeReference, PROVIDER } from '../support/reference';

const UNSUPPORTED = 'ERR_ASYNC_UNSUPPORTED';
const ec = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ed25519 = crypto.generateKeyPairSync('ed25519');
const MESSAGE = Buffer.from('a message');
const THREADS = 64;

test('the parts that work can be told', () => {
  expect(async.capability()).toBe(HAS_JOBS ? 'jobs' : 'operations');
  expect(async.isCapable()).toBe(HAS_JOBS);
});

(HAS_JOBS ? describe.skip : describe)('without jobs', () => {
  const onlyOne = async.jobFunction(function* () {
    return 1;
  });

  test('a sentence says why', () => {
    expect(async.unsupportedReason()).toMatch(/^OpenSSL 3.* without async jobs .*musl.*\.$/);
    expect(async.opensslVersion()).toMatch(/^OpenSSL 3/);
  });

  test.each<[string, () => unknown]>([
    ['startJob', () => async.startJob(null, undefined as never, onlyOne)],
    [
      'initThread',
      () => {
        async.initThread({ initSize: 1 });
      },
    ],
    ['WaitContext', () => new async.WaitContext()],
  ])('%s is refused', (_name, action) => {
    expect(codeOf(action)).toBe(UNSUPPORTED);
  });

  test('runJob is refused, with the sentence', async () => {
    expect(await rejection(async.runJob(onlyOne))).toMatchObject({
      code: UNSUPPORTED,
      message: async.unsupportedReason(),
    });
  });

  test('an operation that has to pause is refused, and does not run', async () => {
    const before = async.stats().operations.offloaded;
    const options = { provider: 'accelerator', requireOffload: true } as const;
    expect(await rejectionCode(async.sign('sha256', MESSAGE, ec.privateKey, options))).toBe(UNSUPPORTED);
    expect(await rejectionCode(async.hash('sha256', MESSAGE, { requireOffload: true }))).toBe(
      'ERR_ASYNC_NOT_OFFLOADED',
    );
    expect(async.stats().operations.offloaded).toBe(before);
  });

  test('jobs that are to be created at once are not', async () => {
    const outcome = await inChild(async ({ library }) => {
      library.configure({ initialJobs: 4, stackSizeBytes: 65536 });
      await library.hash('sha256', 'x');
      library.cleanupThread();
      return library.stats().jobs.live;
    });
    expect(resultOf(outcome)).toBe(0);
  });

  test("the accelerator works on the pool's thread, not on the event loop", async () => {
    const before = async.stats().operations;
    const signature = await async.sign('sha256', MESSAGE, ec.privateKey, { provider: 'accelerator' });
    expect(crypto.verify('sha256', MESSAGE, ec.publicKey, signature)).toBe(true);
    const after = async.stats().operations;
    expect(after.offloaded - before.offloaded).toBe(1);
    expect(after).toMatchObject({ jobs: 0, pauses: 0, inline: before.inline });
  });

  test('as many threads wait for remote keys as may, and the others in line', async () => {
    const answers: (() => void)[] = [];
    const key = async.createRemoteKey({
      publicKey: ed25519.publicKey,
      maxConcurrent: 1000,
      sign: ({ data }) =>
        new Promise((resolve) => {
          answers.push(() => {
            resolve(crypto.sign(null, data as Buffer, ed25519.privateKey));
          });
        }),
    });
    const messages = Array.from({ length: THREADS + 36 }, (_, i) => Buffer.from(`message ${i}`));
    const signing = Promise.all(messages.map((message) => async.sign(null, message, key)));
    await until(() => answers.length === THREADS);
    // The pool is free meanwhile, for what the functions themselves may need.
    await async.hash('sha256', MESSAGE, { mode: 'offload' });
    expect(answers).toHaveLength(THREADS);
    expect(async.stats().inFlight).toBe(messages.length);
    while (answers.length > 0 || async.stats().inFlight > 0) {
      for (const answer of answers.splice(0)) answer();
      await new Promise(setImmediate);
    }
    const isValid = (signature: Buffer, i: number): boolean =>
      crypto.verify(null, messages[i] as Buffer, ed25519.publicKey, signature);
    expect((await signing).every(isValid)).toBe(true);
    expect(async.stats().providers.remote).toMatchObject({ failed: 0, notOffloaded: 0, paused: 0 });
  });

  test('a function of a remote key may use the pool, and other remote keys', async () => {
    const inner = async.createRemoteKey({
      publicKey: ec.publicKey,
      sign: ({ digest }) => async.hash('sha256', digest as Buffer, { mode: 'offload' }),
    });
    const outer = async.createRemoteKey({
      publicKey: ed25519.publicKey,
      sign: async ({ data }) => {
        await rejectionCode(async.sign('sha256', MESSAGE, inner));
        return async.sign(null, data as Buffer, ed25519.privateKey, { mode: 'offload' });
      },
    });
    const signatures = await Promise.all(Array.from({ length: 20 }, () => async.sign(null, MESSAGE, outer)));
    for (const each of signatures) expect(crypto.verify(null, MESSAGE, ed25519.publicKey, each)).toBe(true);
  });

  test('a process that ends does not wait for the answers of remote keys', async () => {
    const outcome = await inChild(async ({ library, require }) => {
      const { generateKeyPairSync } = require('node:crypto') as typeof crypto;
      const { publicKey } = generateKeyPairSync('ed25519');
      const asked = await new Promise<number>((resolve) => {
        let count = 0;
        const key = library.createRemoteKey({
          publicKey,
          timeoutMs: 1_000_000,
          sign: () => {
            if (++count === 10) resolve(count);
            return new Promise<Buffer>(() => undefined);
          },
        });
        for (let i = 0; i < 100; ++i) void library.sign(null, 'x', key);
      });
      setImmediate(() => process.exit());
      return asked;
    });
    expect(resultOf(outcome)).toBe(10);
  });

  test('doctor tells', async () => {
    const outcome = await run(process.execPath, [`${ROOT}/dist/cli/main.js`, 'doctor', '--json']);
    const { ok, checks } = JSON.parse(outcome.stdout) as {
      ok: boolean;
      checks: Record<string, { status: string; summary: string; details: unknown }>;
    };
    expect(ok).toBe(true);
    expect(checks.capability).toMatchObject({
      status: 'warning',
      summary: `without jobs: ${String(async.unsupportedReason())}`,
      details: { capable: false, capability: 'operations' },
    });
    expect(checks.job?.status).toBe('unknown');
    expect(checks.accelerator?.status).toBe('ok');
  });

  describeReference('hardware that would pause', () => {
    const OURS = { provider: 'reference' } as const;
    const sign = (options = {}): Promise<Buffer> =>
      async.sign('sha256', MESSAGE, ec.privateKey, { ...OURS, ...options });
    let provider: async.Provider;
    afterEach(() => provider.unload());
    const load = async (parameters: Record<string, string | number>): Promise<void> => {
      provider = await async.loadProvider('reference', { path: PROVIDER, parameters });
    };

    test.each(['auto', 'callback', 'event-fd', 'fd', 'none', 'sync'])('is waited for on the pool: %s', async (mode) => {
      await load({ mode, 'latency-micros': 200 });
      const before = async.stats().providers.reference;
      const signatures = await Promise.all(Array.from({ length: 32 }, () => sign()));
      for (const each of signatures) expect(crypto.verify('sha256', MESSAGE, ec.publicKey, each)).toBe(true);
      expect(Number(provider.parameter('synchronous'))).toBe(32);
      const after = async.stats().providers.reference;
      expect((after?.operations ?? 0) - (before?.operations ?? 0)).toBe(32);
      expect(after).toMatchObject({ paused: 0, notOffloaded: 0, inFlight: 0 });
    });

    test('is followed by software where it fails', async () => {
      await load({ 'fail-every': 1 });
      const before = async.stats().operations.fallbacks;
      const signature = await sign({ fallback: 'software' });
      expect(crypto.verify('sha256', MESSAGE, ec.publicKey, signature)).toBe(true);
      expect(async.stats().operations.fallbacks).toBe(before + 1);
      expect(await rejectionCode(sign({ requireOffload: true }))).toBe(UNSUPPORTED);
    });
  });
});
