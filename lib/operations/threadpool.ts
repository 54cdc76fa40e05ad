// Operations on Node.js's own thread pool: only Node.js can make their results off the event loop.
import { rejectWith } from '../base/errors';
import { abortedBefore, limit, promiseOf, settle, type Limits, type Pending, type Resolve } from '../base/pending';
import { ThreadpoolOutcome } from '../native/contract/tables';
import type { Environment } from '../native/environment';
import { attempt, callEnvironment } from './call';
import { LIMIT_ERRORS, nothingPauses, refusal } from './call-errors';
import type { OperationOptions } from './operation-options';
import { inFlight } from './in-flight';
import {
  publishOperation,
  traceOperation,
  tracesOperations,
  wantsOperations,
  type OperationTrace,
} from './operation-channels';

class ThreadpoolCall<T> implements Pending<T> {
  resolve: Resolve<T> | undefined = undefined;
  limits: Limits | undefined = undefined;
  private readonly calledAt = performance.now();

  constructor(
    private readonly env: Environment,
    private readonly algorithm: string,
    private readonly trace: OperationTrace | undefined,
  ) {}

  end(error: Error | null, value: () => T): void {
    const resolve = settle(this);
    if (resolve !== undefined) {
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

  giveUp(makeError: () => Error): () => Error {
    this.env.operations.recordThreadpool(this.algorithm, ThreadpoolOutcome.abandoned, 0);
    return () => {
      const error = makeError();
      this.trace?.settled(error);
      return error;
    };
  }

  private record(error: Error | null): number {
    const micros = 1000 * (performance.now() - this.calledAt);
    const outcome = error === null ? ThreadpoolOutcome.done : ThreadpoolOutcome.failed;
    this.env.operations.recordThreadpool(this.algorithm, outcome, micros);
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
 * Runs the work that `begin` begins, with the limits that all operations have. `algorithm` names it in the statistics;
 * `done` is to be called at its end, with the function that makes the result.
 */
export function callOnThreadpool<T>(
  algorithm: string,
  options: OperationOptions | undefined,
  begin: (done: (error: Error | null, value: () => T) => void) => void,
): Promise<T> {
  const env = callEnvironment();
  const aborted = options && abortedBefore(options, LIMIT_ERRORS);
  if (aborted !== undefined) return aborted;
  if (options?.requireOffload === true) return Promise.reject(nothingPauses(algorithm));
  if (inFlight.count >= env.options.maxInFlight) {
    env.operations.recordThreadpool(algorithm, ThreadpoolOutcome.refused, 0);
    return Promise.reject(refusal());
  }
  const submit = (trace?: OperationTrace): Promise<T> =>
    attempt(() => {
      const pending = new ThreadpoolCall<T>(env, algorithm, trace);
      begin((error, value) => {
        pending.end(error, value);
      });
      const promise = promiseOf(pending);
      ++inFlight.count;
      if (options !== undefined) limit(pending, options, LIMIT_ERRORS);
      return promise;
    });
  return tracesOperations() ? traceOperation(algorithm, submit) : submit();
}
