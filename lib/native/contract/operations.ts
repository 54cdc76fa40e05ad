import type { NativeError } from './error';
import type { NativeSpec } from './handles';
import type { CallStatus, ThreadpoolOutcome } from './tables';

/** Calls of crypto operations. */
export interface NativeOperations {
  /**
   * `words` and `bytes` describe a call, `result` and `bytes` answer one that has run by then, `outputs` the others.
   */
  setCallBuffers(words: Float64Array, bytes: Uint8Array, result: Int32Array, outputs: Uint8Array): void;
  operate(spec: NativeSpec, ...inputs: (Uint8Array | undefined)[]): CallStatus;
  /** Gives, once, the error of a failed operation, or the outputs of a large one. */
  take(id: number): NativeError | readonly Buffer[];
  /** True when no event will come: the operation had not begun, or is not known. */
  abandon(id: number): boolean;
  /** For a call that was {@link CallStatus} `done`, and whose answer nobody will take. */
  forgetAnswer(id: number): void;
  /** `micros` from the call to its end; 0 for a call without an end. */
  recordThreadpool(algorithm: string, outcome: ThreadpoolOutcome, micros: number): void;
  configure(maxInlineMicros: number, maxInFlight: number): void;
  /** Waits for the calls that block threads of the pool. None is made afterwards. */
  endBlockingCalls(): void;
}
