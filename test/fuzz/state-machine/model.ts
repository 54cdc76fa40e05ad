// The model of the state machine: what each call of ASYNC_start_job(3) must come to, and the jobs that are started.
import assert from 'node:assert/strict';
import { getCurrentJob, jobFunction, startJob, WaitContext, type Job, type WaitSignal } from '../../../lib';

export const CONTEXTS = 4;
export const SLOTS = 4;
export const POOL_LIMIT = 3;

/** What a job of ours does, in advance: the model knows it all. */
export interface Plan {
  pauses: number;
  /** While this is in force, pauses return at once. */
  blocked: boolean;
  /** Offers an fd. */
  sets: boolean;
  ending: 'return' | 'throw' | 'junk' | 'bad-value' | 'starts-another';
}

interface PlannedArgs {
  plan: Plan;
  fd: number;
}

const THROWN = new Error('thrown by the job function');

/** Follows its plan. The fd is never readable. */
export const planned = jobFunction(function* (job, { plan, fd }: PlannedArgs) {
  expect(getCurrentJob()).toBe(job);
  if (plan.blocked) yield job.blockPause();
  if (plan.sets) yield job.setWaitFd(plan.pauses, fd);
  for (let i = 0; i < plan.pauses; i++) {
    yield job.pause();
    expect(getCurrentJob()).toBe(job);
  }
  if (plan.sets) expect(yield* job.clearFd(plan.pauses)).toBe(true);
  if (plan.ending === 'throw') throw THROWN;
  if (plan.ending === 'junk') yield 'junk' as never;
  if (plan.ending === 'bad-value') return 0.5;
  if (plan.ending === 'starts-another') startJob(null, job.waitContext, planned, { plan, fd });
  return 100 + plan.pauses;
});

export function errorOf(plan: Plan): string | undefined {
  switch (plan.ending) {
    case 'throw':
      return 'thrown';
    case 'junk':
      return 'ERR_ASYNC_INVALID_COMMAND';
    case 'bad-value':
      return 'ERR_INVALID_RETURN_VALUE';
    case 'starts-another':
      return 'ERR_ASYNC_NESTED_START';
    case 'return':
      return undefined;
  }
}

export interface ModelContext {
  state: 'free' | 'busy' | 'closed';
  callback: boolean;
}

export interface ModelJob {
  context: number;
  plan: Plan;
  pausesLeft: number;
  finished: boolean;
}

export interface Model {
  contexts: ModelContext[];
  jobs: (ModelJob | undefined)[];
  poolLimit: number;
  live: number;
  /** How many calls were made. */
  steps: number;
}

export interface Real {
  contexts: WaitContext[];
  callbacks: (() => void)[];
  jobs: (Job | undefined)[];
  /** Never signalled. */
  quiet: WaitSignal;
}

export function codeOf(error: unknown): string {
  if (error === THROWN) return 'thrown';
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : `no code: ${String(error)}`;
}

/** What a synchronous call comes to: the code of what it threw, or what it returned. */
export function attempt<T>(call: () => T): { code: string } | { value: T } {
  try {
    return { value: call() };
  } catch (error) {
    return { code: codeOf(error) };
  }
}

export function expectCode(call: () => unknown, code: string): void {
  assert.deepEqual(attempt(call), { code });
}

export function modelPauses(plan: Plan): number {
  return plan.blocked ? 0 : plan.pauses;
}

/** Compares the result of starting or resuming, and moves the model on. */
export function checkRun(model: Model, real: Real, slot: number, result: ReturnType<typeof startJob>): void {
  const job = model.jobs[slot] as ModelJob;
  const context = model.contexts[job.context] as ModelContext;
  const realContext = real.contexts[job.context] as WaitContext;
  if (job.pausesLeft > 0) {
    --job.pausesLeft;
    expect(result).toMatchObject({ status: 'pause', waitFds: job.plan.sets ? [real.quiet.fd] : [] });
    if (result.status === 'pause') real.jobs[slot] = result.job;
    expect(real.jobs[slot]?.state).toBe('paused');
    expect(realContext.busy).toBe(true);
    return;
  }
  const error = errorOf(job.plan);
  if (error === undefined) {
    expect(result).toEqual({ status: 'finish', returnValue: 100 + job.plan.pauses });
  } else {
    expect(result.status).toBe('error');
    if (result.status === 'error') expect(codeOf(result.error)).toBe(error);
  }
  job.finished = true;
  context.state = 'free';
  --model.live;
  expect(realContext.busy).toBe(false);
}

export function setUp(quiet: WaitSignal): { model: Model; real: Real } {
  return {
    model: {
      contexts: Array.from({ length: CONTEXTS }, () => ({ state: 'free' as const, callback: false })),
      jobs: new Array<undefined>(SLOTS).fill(undefined),
      poolLimit: POOL_LIMIT,
      live: 0,
      steps: 0,
    },
    real: {
      contexts: Array.from({ length: CONTEXTS }, () => new WaitContext()),
      callbacks: Array.from({ length: CONTEXTS }, () => () => undefined),
      jobs: new Array<undefined>(SLOTS).fill(undefined),
      quiet,
    },
  };
}
