// The calls of a random sequence. Each makes one, and compares what it comes to with the model.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  cleanupThread,
  getCurrentJob,
  initThread,
  jobFunction,
  nativeJobFunction,
  runJob,
  startJob,
  stats,
  WaitContext,
  type Job,
} from '../../../lib';
import { device } from '../../support/device';
import {
  attempt,
  codeOf,
  checkRun,
  CONTEXTS,
  errorOf,
  expectCode,
  modelPauses,
  planned,
  SLOTS,
  type Model,
  type ModelContext,
  type ModelJob,
  type Plan,
  type Real,
} from './model';

const native = {
  returnsNothing: nativeJobFunction(device.functions.empty),
  pauseOnce: nativeJobFunction(device.functions.pauseOnce),
};

export type Command = fc.AsyncCommand<Model, Real>;

abstract class Step implements Command {
  check(): boolean {
    return true;
  }
  async run(model: Model, real: Real): Promise<void> {
    ++model.steps;
    this.act(model, real);
    assert.equal(stats().jobs.liveInThread, model.live);
    await Promise.resolve();
  }
  abstract act(model: Model, real: Real): void;
  abstract toString(): string;
}

class Start extends Step {
  constructor(
    readonly slot: number,
    readonly context: number,
    readonly plan: Plan,
  ) {
    super();
  }
  act(model: Model, real: Real): void {
    const context = model.contexts[this.context] as ModelContext;
    const start = () =>
      startJob(null, real.contexts[this.context] as WaitContext, planned, {
        plan: this.plan,
        fd: real.quiet.fd,
      });
    if (context.state === 'closed') {
      expectCode(start, 'ERR_ASYNC_WAIT_CONTEXT_CLOSED');
      return;
    }
    if (context.state === 'busy') {
      expectCode(start, 'ERR_ASYNC_WAIT_CONTEXT_BUSY');
      return;
    }
    const old = model.jobs[this.slot];
    if (old !== undefined && !old.finished) return; // a paused job must not be forgotten
    const outcome = attempt(start);
    if (!('value' in outcome)) throw new Error(`startJob() threw ${outcome.code}`);
    if (model.live === model.poolLimit) {
      expect(outcome.value).toEqual({ status: 'no-jobs' });
      return;
    }
    context.state = 'busy';
    ++model.live;
    model.jobs[this.slot] = {
      context: this.context,
      plan: this.plan,
      pausesLeft: modelPauses(this.plan),
      finished: false,
    };
    real.jobs[this.slot] = undefined;
    checkRun(model, real, this.slot, outcome.value);
    if ((model.jobs[this.slot] as ModelJob).finished) model.jobs[this.slot] = undefined;
  }
  toString(): string {
    return `start(slot ${this.slot}, context ${this.context}, ${JSON.stringify(this.plan)})`;
  }
}

class Resume extends Step {
  constructor(
    readonly slot: number,
    readonly context: number,
  ) {
    super();
  }
  act(model: Model, real: Real): void {
    const job = model.jobs[this.slot];
    if (job === undefined) return;
    const resume = () => startJob(real.jobs[this.slot] as Job, real.contexts[this.context] as WaitContext);
    if (job.finished) expectCode(resume, 'ERR_ASYNC_JOB_FINISHED');
    else if ((model.contexts[this.context] as ModelContext).state === 'closed') {
      expectCode(resume, 'ERR_ASYNC_WAIT_CONTEXT_CLOSED');
    } else if (job.context !== this.context) expectCode(resume, 'ERR_ASYNC_WAIT_CONTEXT_MISMATCH');
    else checkRun(model, real, this.slot, resume());
  }
  toString(): string {
    return `resume(slot ${this.slot}, context ${this.context})`;
  }
}

/** With its own context: what a random context hardly ever is. */
class Advance extends Step {
  constructor(readonly slot: number) {
    super();
  }
  act(model: Model, real: Real): void {
    const job = model.jobs[this.slot];
    if (job === undefined) return;
    const resume = () => startJob(real.jobs[this.slot] as Job, real.contexts[job.context] as WaitContext);
    if (job.finished) expectCode(resume, 'ERR_ASYNC_JOB_FINISHED');
    else checkRun(model, real, this.slot, resume());
  }
  toString(): string {
    return `advance(slot ${this.slot})`;
  }
}

class Close extends Step {
  constructor(
    readonly context: number,
    readonly renew: boolean,
  ) {
    super();
  }
  act(model: Model, real: Real): void {
    const context = model.contexts[this.context] as ModelContext;
    const realContext = real.contexts[this.context] as WaitContext;
    if (context.state === 'busy') {
      expectCode(() => {
        realContext.close();
      }, 'ERR_ASYNC_WAIT_CONTEXT_BUSY');
      return;
    }
    realContext.close();
    realContext.close();
    expect(realContext.closed).toBe(true);
    if (this.renew) {
      real.contexts[this.context] = new WaitContext();
      model.contexts[this.context] = { state: 'free', callback: false };
    } else {
      context.state = 'closed';
      context.callback = false;
    }
  }
  toString(): string {
    return `close(context ${this.context}${this.renew ? ', renewed' : ''})`;
  }
}

class SetCallback extends Step {
  constructor(
    readonly context: number,
    readonly value: 'function' | 'null' | 'junk',
  ) {
    super();
  }
  act(model: Model, real: Real): void {
    const context = model.contexts[this.context] as ModelContext;
    const realContext = real.contexts[this.context] as WaitContext;
    const callback = real.callbacks[this.context] as () => void;
    const set = () => {
      realContext.setCallback(this.value === 'function' ? callback : this.value === 'null' ? null : (5 as never));
    };
    if (context.state === 'closed') expectCode(set, 'ERR_ASYNC_WAIT_CONTEXT_CLOSED');
    else if (this.value === 'junk') expectCode(set, 'ERR_INVALID_ARG_TYPE');
    else {
      set();
      context.callback = this.value === 'function';
    }
    expect(realContext.callback).toBe(context.callback ? callback : null);
  }
  toString(): string {
    return `setCallback(context ${this.context}, ${this.value})`;
  }
}

class Look extends Step {
  constructor(readonly context: number) {
    super();
  }
  act(model: Model, real: Real): void {
    const context = model.contexts[this.context] as ModelContext;
    const realContext = real.contexts[this.context] as WaitContext;
    if (context.state === 'closed') {
      expectCode(() => realContext.fds(), 'ERR_ASYNC_WAIT_CONTEXT_CLOSED');
      expectCode(() => realContext.changedFds(), 'ERR_ASYNC_WAIT_CONTEXT_CLOSED');
      expectCode(() => realContext.status, 'ERR_ASYNC_WAIT_CONTEXT_CLOSED');
      return;
    }
    const user = model.jobs.find((job) => job !== undefined && !job.finished && job.context === this.context);
    if (user !== undefined) expect(realContext.fds()).toEqual(user.plan.sets ? [real.quiet.fd] : []);
    expect(realContext.status).toBe('unsupported');
    expect(getCurrentJob()).toBeNull();
  }
  toString(): string {
    return `look(context ${this.context})`;
  }
}

/** Misuse that no state makes right. */
class Misuse extends Step {
  constructor(readonly which: number) {
    super();
  }
  act(model: Model, real: Real): void {
    const context = real.contexts[0] as WaitContext;
    const calls: [() => unknown, string][] = [
      [() => startJob(null, {} as never, planned), 'ERR_INVALID_ARG_TYPE'],
      [() => startJob({} as never, context, planned), 'ERR_INVALID_ARG_TYPE'],
      [() => startJob(null, context, (() => 1) as never), 'ERR_INVALID_ARG_TYPE'],
      [() => startJob(null, context, native.pauseOnce, 5), 'ERR_INVALID_ARG_TYPE'],
      [
        () => {
          initThread();
        },
        'ERR_ASYNC_THREAD_INITIALIZED',
      ],
      [() => runJob({} as never), 'ERR_INVALID_ARG_TYPE'],
      [() => runJob(planned, { timeoutMs: 0 }), 'ERR_OUT_OF_RANGE'],
      [() => runJob(planned, { unknown: 1 } as never), 'ERR_INVALID_ARG_VALUE'],
      [() => jobFunction(7 as never), 'ERR_INVALID_ARG_TYPE'],
      [() => nativeJobFunction({}), 'ERR_INVALID_ARG_TYPE'],
    ];
    const [call, code] = calls[this.which % calls.length] as [() => unknown, string];
    expectCode(call, code);
    if (model.live > 0) expectCode(cleanupThread, 'ERR_ASYNC_JOBS_OUTSTANDING');
  }
  toString(): string {
    return `misuse(${this.which})`;
  }
}

/** Jobs that the loop drives meanwhile: begun, and aborted or not; their promises are looked at when the loop has turned. */
class Scheduled implements Command {
  constructor(
    readonly plan: Plan,
    readonly abort: 'no' | 'before' | 'after' | 'later',
    readonly context: number | undefined,
  ) {}
  check(): boolean {
    return true;
  }
  async run(model: Model, real: Real): Promise<void> {
    ++model.steps;
    const controller = new AbortController();
    if (this.abort === 'before') controller.abort();
    const context = this.context === undefined ? undefined : (model.contexts[this.context] as ModelContext);
    const run = () =>
      runJob(planned, {
        args: { plan: { ...this.plan, sets: false }, fd: real.quiet.fd },
        signal: controller.signal,
        ...(this.context === undefined ? {} : { waitContext: real.contexts[this.context] as WaitContext }),
      });
    if (this.abort !== 'before') {
      if (context?.state === 'closed') {
        expectCode(run, 'ERR_ASYNC_WAIT_CONTEXT_CLOSED');
        return;
      }
      if (context?.state === 'busy') {
        expectCode(run, 'ERR_ASYNC_WAIT_CONTEXT_BUSY');
        return;
      }
    }
    if (model.live >= model.poolLimit && this.abort !== 'before') return; // it would wait for a job of ours
    const promise = run();
    if (this.abort === 'after') controller.abort();
    if (this.abort === 'later')
      setImmediate(() => {
        controller.abort();
      });
    const outcome = await promise.then(
      (result) => result.returnValue,
      (error: unknown) => codeOf(error),
    );
    const unaborted = errorOf(this.plan) ?? 100 + this.plan.pauses;
    if (this.abort === 'before' || this.abort === 'after') expect(outcome).toBe('ABORT_ERR');
    else if (this.abort === 'no') expect(outcome).toBe(unaborted);
    else expect(['ABORT_ERR', unaborted]).toContain(outcome);
    // What was given up ends in the background; its place and its context are free then.
    while (stats().jobs.liveInThread > model.live) await new Promise((resolve) => setImmediate(resolve));
    if (this.context !== undefined && context?.state === 'free') {
      while ((real.contexts[this.context] as WaitContext).busy) await new Promise((resolve) => setImmediate(resolve));
    }
  }
  toString(): string {
    return `runJob(${JSON.stringify(this.plan)}, abort ${this.abort}, context ${String(this.context)})`;
  }
}

class Wait implements Command {
  constructor(
    readonly context: number,
    readonly abort: boolean,
  ) {}
  check(): boolean {
    return true;
  }
  async run(model: Model, real: Real): Promise<void> {
    ++model.steps;
    const context = model.contexts[this.context] as ModelContext;
    const realContext = real.contexts[this.context] as WaitContext;
    const controller = new AbortController();
    const wait = () => realContext.wait({ signal: controller.signal, timeoutMs: 60_000 });
    if (context.state === 'closed') {
      expectCode(wait, 'ERR_ASYNC_WAIT_CONTEXT_CLOSED');
      return;
    }
    const user = model.jobs.find((job) => job !== undefined && !job.finished && job.context === this.context);
    const promise = wait();
    expectCode(wait, 'ERR_ASYNC_WAIT_CONTEXT_BUSY');
    expectCode(() => {
      realContext.close();
    }, 'ERR_ASYNC_WAIT_CONTEXT_BUSY');
    // With an fd that says nothing it would take for ever; without one, it is worth a try after a short while.
    const abort = this.abort || user?.plan.sets === true;
    if (abort) controller.abort();
    const outcome = await promise.then(() => 'woken', codeOf);
    expect(outcome).toBe(abort ? 'ABORT_ERR' : 'woken');
  }
  toString(): string {
    return `wait(context ${this.context}${this.abort ? ', aborted' : ''})`;
  }
}

const plans: fc.Arbitrary<Plan> = fc.record({
  pauses: fc.nat({ max: 4 }),
  blocked: fc.boolean(),
  sets: fc.boolean(),
  ending: fc.constantFrom('return', 'return', 'return', 'throw', 'junk', 'bad-value', 'starts-another'),
});
const slots = fc.nat({ max: SLOTS - 1 });
const contexts = fc.nat({ max: CONTEXTS - 1 });

/** Calls that return at once. */
export const sync: fc.Arbitrary<Command>[] = [
  fc.tuple(slots, contexts, plans).map(([slot, context, plan]) => new Start(slot, context, plan)),
  fc
    .tuple(slots, contexts, plans)
    .map(([slot, context, plan]) => new Start(slot, context, { ...plan, blocked: false })),
  fc.tuple(slots, contexts).map(([slot, context]) => new Resume(slot, context)),
  slots.map((slot) => new Advance(slot)),
  slots.map((slot) => new Advance(slot)),
  fc.tuple(contexts, fc.boolean()).map(([context, renew]) => new Close(context, renew)),
  contexts.map((context) => new Close(context, true)),
  fc
    .tuple(contexts, fc.constantFrom('function' as const, 'null' as const, 'junk' as const))
    .map(([context, value]) => new SetCallback(context, value)),
  contexts.map((context) => new Look(context)),
  fc.nat({ max: 99 }).map((which) => new Misuse(which)),
];
/** Waits and scheduled jobs. */
export const async: fc.Arbitrary<Command>[] = [
  fc
    .tuple(
      plans,
      fc.constantFrom('no' as const, 'before' as const, 'after' as const, 'later' as const),
      fc.option(contexts, { nil: undefined }),
    )
    .map(([plan, abort, context]) => new Scheduled(plan, abort, context)),
  fc.tuple(contexts, fc.boolean()).map(([context, abort]) => new Wait(context, abort)),
];

/** Drives what is left to its end, and shows that nothing is amiss. */
export async function tearDown(model: Model, real: Real): Promise<void> {
  model.jobs.forEach((job, slot) => {
    while (job !== undefined && !job.finished) new Advance(slot).act(model, real);
  });
  expect(model.live).toBe(0);
  expect(stats().jobs).toMatchObject({ liveInThread: 0, live: 0, queued: 0, ready: 0, waiting: 0 });
  for (const context of real.contexts) context.close();
  const context = new WaitContext();
  expect(startJob(null, context, native.returnsNothing)).toEqual({ status: 'finish', returnValue: 1 });
  const paused = startJob(null, context, native.pauseOnce);
  expect(paused.status).toBe('pause');
  if (paused.status === 'pause') {
    expect(startJob(paused.job, context)).toEqual({ status: 'finish', returnValue: 1 });
  }
  context.close();
  await Promise.resolve();
}
