// The stacks of jobs: how large they are, and what an overflow meets.
import { inChild, resultOf } from '../support/programs';

describe('job stacks', () => {
  const [major = 0, minor = 0] = process.versions.openssl.split('.').map(Number);
  const here = major > 3 || (major === 3 && minor >= 2);
  const node = here ? process.execPath : process.env.OPENSSL_ASYNC_NODE_24;
  const onNewOpenssl = node === undefined ? test.skip : test;
  if (node === undefined) {
    process.stdout.write(
      'Skipped: stacks of our own need OpenSSL 3.2; OPENSSL_ASYNC_NODE_24 may name a node that has it.\n',
    );
  }
  const onOldOpenssl = here ? test.skip : test;

  onOldOpenssl("are OpenSSL's own before 3.2", async () => {
    const outcome = await inChild(async ({ library, device: { functions } }) => {
      library.configure({ stackSizeBytes: 1 << 18, stackHighWater: true });
      const before = library.stats().stacks.mode;
      await library.runJob(library.nativeJobFunction(functions.empty));
      return [before, library.stats().stacks];
    });
    expect(resultOf(outcome)).toEqual([
      'none',
      { mode: 'default', sizeBytes: 32_768, guarded: 0, unguarded: 0, highWaterBytes: null },
    ]);
  });

  onNewOpenssl('are ours, and end in guard pages', async () => {
    const outcome = await inChild(
      async ({ library, device: { functions } }) => {
        await library.runJob(library.nativeJobFunction(functions.selfWake));
        return library.stats().stacks;
      },
      { node: node as string },
    );
    expect(resultOf(outcome)).toEqual({
      mode: 'guarded',
      sizeBytes: 65_536,
      guarded: 1,
      unguarded: 0,
      highWaterBytes: null,
    });
  });

  onNewOpenssl('have the size that was configured, and show how much of it was used', async () => {
    const outcome = await inChild(
      async ({ library, device: { functions }, int32Args: args, codeOf: code }) => {
        library.configure({ stackSizeBytes: 300_000, stackHighWater: true });
        const use = library.nativeJobFunction(functions.overflowStack);
        const first = await library.runJob(use, { args: args(100_000) });
        const low = library.stats().stacks.highWaterBytes;
        const second = await library.runJob(use, { args: args(200_000) });
        const { sizeBytes, highWaterBytes } = library.stats().stacks;
        const late = code(() => {
          library.configure({ stackSizeBytes: 300_000 });
        });
        return { values: [first.returnValue, second.returnValue], low, high: highWaterBytes, sizeBytes, late };
      },
      { node: node as string },
    );
    const { values, low, high, sizeBytes, late } = resultOf(outcome);
    expect(values).toEqual([1, 1]);
    expect(sizeBytes).toBe(303_104);
    expect(low).toBeGreaterThan(100_000);
    expect(low).toBeLessThan(200_000);
    expect(high).toBeGreaterThan(200_000);
    expect(high).toBeLessThan(303_104);
    expect(late).toBe('ERR_ASYNC_ALREADY_STARTED');
  });

  onNewOpenssl('are guarded up to the number that was configured', async () => {
    const outcome = await inChild(
      ({ library, device: { functions } }) => {
        library.configure({ maxGuardedStacks: 3 });
        const func = library.nativeJobFunction(functions.pauseOnce);
        const results = Array.from({ length: 8 }, () => library.startJob(null, new library.WaitContext(), func));
        const { guarded, unguarded } = library.stats().stacks;
        for (const result of results)
          if (result.status === 'pause') library.startJob(result.job, result.job.waitContext);
        return [guarded, unguarded];
      },
      { node: node as string },
    );
    expect(resultOf(outcome)).toEqual([3, 5]);
  });

  onNewOpenssl('that overflow end the process with a word on why', async () => {
    const outcome = await inChild(
      ({ library, device: { functions } }) => library.runJob(library.nativeJobFunction(functions.overflowStack)),
      { node: node as string },
    );
    expect(outcome.result).toBeUndefined();
    expect(outcome.signal).toBe('SIGSEGV');
    expect(outcome.stderr).toContain('stackSizeBytes');
  });
});
