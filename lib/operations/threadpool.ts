// Operations on Node.js's own thread pool: those whose result only Node.js can make off the event loop.
import { Limits, type Cancellable } from '../base/cancellation';
import {
  publishOperation,
  traceOperation,
  tracesOperations,
  wantsOperations,
  type OperationTrace,
} from '../jobs/diagnostics';
import { abortError, rejectWith } from '../base/errors';
import { ThreadpoolOutcome } from '../native/contract/tables';
import type { Environment } from '../native/environment';
import { callEnvironment, LIMIT_ERRORS, nothingPauses, refusal } from './call';
import type { OperationOptions } from './operation-options';
import { inFlight } from './in-flight';

class ThreadpoolCall<T> implements Cancellable {
  private limits: Limits | undefined = undefined;
  private readonly calledAt = performance.now();

  constructor(
    private readonly env: Environment,
    private readonly algorithm: string,
    private readonly trace: OperationTrace | undefined,
    // Undefined once the promise is settled.
    private resolve: ((value: T) => void) | undefined,
  ) {}

  limit(options: OperationOptions): void {
    if (options.signal === undefined && options.timeoutMs === undefined) return;
    this.limits = new Limits(this, LIMIT_ERRORS);
    this.limits.begin(options);
  }

  end(error: Error | null, value: () => T): void {
    const { resolve } = this;
    if (resolve !== undefined) {
      this.settle();
      const micros = this.record(error);
      if (error === null) {
        this.publish(micros, undefined);
        resolve(value());
      } else {
        rejectWith(resolve, () => {
          this.publish(micros, error);
          return error;
        });
      }
    }
    --inFlight.count;
    inFlight.ended();
  }

  cancel(makeError: () => Error): void {
    const { resolve } = this;
    if (resolve === undefined) return;
    this.settle();
    this.env.addon.recordThreadpool(this.algorithm, ThreadpoolOutcome.abandoned, 0);
    rejectWith(resolve, () => {
      const error = makeError();
      this.trace?.settled(error);
      return error;
    });
  }

  private settle(): void {
    this.resolve = undefined;
    this.limits?.letGo();
  }

  private record(error: Error | null): number {
    const micros = 1000 * (performance.now() - this.calledAt);
    const outcome = error === null ? ThreadpoolOutcome.done : ThreadpoolOutcome.failed;
    this.env.addon.recordThreadpool(this.algorithm, outcome, micros);
    return Math.round(micros);
  }

  private publish(runMicros: number, error: Error | undefined): void {
    const { algorithm, trace } = this;
    if (trace === undefined && !wantsOperations()) return;
    const ran = { algorithm, place: 'threadpool', pauses: 0, queueMicros: 0, runMicros } as const;
    const message = Object.assign(trace?.message ?? {}, error === undefined ? ran : { ...ran, error });
    const tell = (): void => {
      if (wantsOperations()) publishOperation(message);
    };
    if (trace === undefined) tell();
    else trace.settled(error, tell);
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
  if (inFlight.count >= env.options.maxInFlight) {
    env.addon.recordThreadpool(algorithm, ThreadpoolOutcome.refused, 0);
    return Promise.reject(refusal());
  }
  const submit = (trace?: OperationTrace): Promise<T> =>
    new Promise((resolve) => {
      const pending = new ThreadpoolCall<T>(env, algorithm, trace, resolve);
      begin((error, value) => {
        pending.end(error, value);
      });
      ++inFlight.count;
      if (options !== undefined) pending.limit(options);
    });
  return tracesOperations() ? traceOperation(algorithm, submit) : submit();
}
