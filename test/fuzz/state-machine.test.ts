// Random sequences of legal and illegal calls, against a model of the state machine of ASYNC_start_job(3).
//
// Two runs: one with a seed that never changes, one with a new one each time. Both print theirs; FUZZ_SEED repeats one.
import fc from 'fast-check';
import { cleanupThread, initThread, stats, WaitSignal } from '../../lib';
import { device } from '../support/device';
import { async, sync, tearDown, type Command } from './state-machine/commands';
import { POOL_LIMIT, setUp } from './state-machine/model';

const FIXED_SEED = 20_260_101;
const RANDOM_SEED = process.env.FUZZ_SEED === undefined ? Date.now() % 2 ** 31 : Number(process.env.FUZZ_SEED);
const WANTED_STEPS = 52_000; // for each of the two

let quiet: WaitSignal;

async function play(seed: number, arbitraries: fc.Arbitrary<Command>[], wantedSteps: number): Promise<number> {
  process.stdout.write(`state-machine: seed ${String(seed)}\n`);
  let steps = 0;
  for (let batch = 0; steps < wantedSteps; batch++) {
    await fc.assert(
      fc.asyncProperty(fc.commands(arbitraries, { size: '+2', maxCommands: 400 }), async (commands) => {
        const { model, real } = setUp(quiet);
        try {
          await fc.asyncModelRun(() => ({ model, real }), commands);
        } finally {
          steps += model.steps;
          await tearDown(model, real);
        }
      }),
      { seed: seed + batch, numRuns: 50, endOnFailure: false },
    );
  }
  process.stdout.write(`state-machine: ${String(steps)} steps\n`);
  return steps;
}

describe('the state machine of ASYNC_start_job(3), under random calls', () => {
  const { stackTraceLimit } = Error;

  beforeAll(() => {
    Error.stackTraceLimit = 0; // a hundred thousand errors, whose stacks nobody reads
    cleanupThread(); // another test file of this process may have left a pool
    initThread({ maxSize: POOL_LIMIT });
    quiet = new WaitSignal();
  });

  afterAll(() => {
    Error.stackTraceLimit = stackTraceLimit;
    quiet.close();
    cleanupThread();
    expect(stats().jobs.liveInThread).toBe(0);
    device.shutdown();
  });

  test('calls that return at once, with a seed that never changes', async () => {
    expect(await play(FIXED_SEED, sync, WANTED_STEPS)).toBeGreaterThanOrEqual(WANTED_STEPS);
  }, 120_000);

  test('calls that return at once, with a new seed', async () => {
    expect(await play(RANDOM_SEED, sync, WANTED_STEPS)).toBeGreaterThanOrEqual(WANTED_STEPS);
  }, 120_000);

  test('with waits and scheduled jobs among them', async () => {
    await play(RANDOM_SEED, [...sync, ...async], 4000);
  }, 120_000);
});
