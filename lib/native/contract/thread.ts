import type { NativeError } from './error';

/** A thread's settings, its pool of jobs and its error queue. */
export interface NativeThread {
  configure(
    maxJobs: number,
    tickBudgetMicros: number,
    pollInitialMs: number,
    pollMaxMs: number,
    drainTimeoutMs: number,
  ): void;
  /** The largest stack that {@link NativeThread.configureStacks} can promise. */
  largestStackBytes(): number;
  /** False, without effect, once a job stack may exist in this process. */
  configureStacks(stackSizeBytes: number, maxGuardedStacks: number): boolean;
  /** 0 threads for as many as the machine suggests. False, without effect, once the pool has started. */
  configurePool(threads: number, spareThread: boolean): boolean;
  init(maxSize: number, initSize: number): NativeError | undefined;
  cleanup(): NativeError | undefined;
  /** The functions and the arrays have to live as long as the addon. `state` has the words of `StateWord`. */
  setEventSink(
    buffer: Int32Array,
    onEvents: (count: number) => void,
    onCallbacks: (waitContextIds: number[]) => void,
    state: Int32Array,
  ): void;
  /** Calls the function, and counts it in `StateWord` meanwhile, however it ends. */
  inside(body: () => void): void;
  /** Calls the function with this thread's OpenSSL error queue empty, and then restores the queue. */
  isolateErrors<T>(call: () => T): T;
}
