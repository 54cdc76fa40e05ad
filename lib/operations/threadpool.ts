// Operations on Node.js's own thread pool: those whose result only Node.js can make off the event loop.
import { letGo, type Limits } from '../cancellation';
import { publishOperation, wantsOperations } from '../diagnostics';
import { abortError } from '../errors';
import { ThreadpoolOutcome } from '../native/contract';
import type { Environment } from '../native/environment';
import { callEnvironment, limit, nothingPauses, refusal, type LimitedCall, type OperationOptions } from './call';
import { load } from './load';

class ThreadpoolCall<T> implements LimitedCall {
  limits: Limits | undefined = undefined;
  private readonly calledAt = performance.now();

  constructor(
    private readonly env: Environment,
    private readonly algorithm: string,
    private readonly resolve: (value: T) => void,
    // Undefined once the promise is settled.
    private reject: ((error: Error) => void) | undefined,
  ) {}

  end(error: Error | null, value: () => T): void {
    const { reject } = this;
    if (reject !== undefined) {
      this.settle();
      this.record(error);
      if (error === null) this.resolve(value());
      else reject(error);
    }
    load.ended();
  }

  cancel(error: Error): void {
    const { reject } = this;
    if (reject === undefined) return;
    this.settle();
    this.env.addon.recordThreadpool(this.algorithm, ThreadpoolOutcome.abandoned, 0);
    reject(error);
  }

  private settle(): void {
    this.reject = undefined;
    if (this.limits !== undefined) letGo(this.limits, this);
  }

  private record(error: Error | null): void {
    const { algorithm, calledAt } = this;
    const micros = 1000 * (performance.now() - calledAt);
    const outcome = error === null ? ThreadpoolOutcome.done : ThreadpoolOutcome.failed;
    this.env.addon.recordThreadpool(algorithm, outcome, micros);
    if (!wantsOperations()) return;
    const message = {
      algorithm,
      place: 'threadpool',
      pauses: 0,
      queueMicros: 0,
      runMicros: Math.round(micros),
    } as const;
    publishOperation(error === null ? message : { ...message, error });
  }
}

/**
 * Runs what `begin` begins, with the limits that all operations have. `algorithm` is its name in the figures; `done` is
 * to be called at its end, with what makes the result.
 */
export function callOnThreadpool<T>(
  algorithm: string,
  options: OperationOptions | undefined,
  begin: (done: (error: Error | null, value: () => T) => void) => void,
): Promise<T> {
  const env = callEnvironment();
  const signal = options?.signal;
  if (signal?.aborted === true) return Promise.reject(abortError(signal.reason));
  if (options?.requireOffload === true) return Promise.reject(nothingPauses(algorithm));
  if (load.inFlight >= env.options.maxInFlight) {
    env.addon.recordThreadpool(algorithm, ThreadpoolOutcome.refused, 0);
    return Promise.reject(refusal());
  }
  return new Promise((resolve, reject) => {
    const pending = new ThreadpoolCall<T>(env, algorithm, resolve, reject);
    begin((error, value) => {
      pending.end(error, value);
    });
    load.began();
    if (options !== undefined) limit(pending, options);
  });
}
