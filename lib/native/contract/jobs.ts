import type { NativeError } from './error';
import type { NativeJob, NativeJobFunctionExternal, NativeWaitContext } from './handles';
import type { CommandKind } from './tables';

/** Jobs: JavaScript starts and resumes some, and the loop runs the others. */
export interface NativeJobs {
  isFunction(value: unknown): value is NativeJobFunctionExternal;
  create(func: NativeJobFunctionExternal | null, args: Uint8Array | null, context: NativeWaitContext): NativeJob;
  run(job: NativeJob): number | NativeError;
  /** A number names a job of {@link NativeJobs.submit}. */
  continue(
    job: NativeJob | number,
    kind: CommandKind,
    key: number,
    fd: number,
    wantsCleanup: boolean,
    returnValue: number,
  ): void;
  outcome(job: NativeJob): [ok: number, fd: number];
  end(job: NativeJob): { returnValue: number; exception?: string; opensslErrors: string[] };
  /** True when the job goes on under this id until its end is told. */
  release(job: NativeJob, id: number): boolean;
  submit(
    id: number,
    func: NativeJobFunctionExternal | null,
    args: Uint8Array | null,
    context: NativeWaitContext | null,
  ): void;
  /**
   * The arrays of {@link NativeJobs.submitBatch}, which have to live as long as the addon. `words`: {@link BatchWord}, and
   * {@link BatchJobWord} for each job. `args` has the arguments, one after the other.
   */
  setBatchBuffers(words: Int32Array, args: Uint8Array): void;
  submitBatch(func: NativeJobFunctionExternal): void;
  /** Whether an event of a job with this id may come. */
  knows(id: number): boolean;
  interrupt(id: number): void;
  /** True when the job had not begun: no event will come. */
  abandon(id: number): boolean;
  takeFailure(id: number): NativeError;
  setTracing(tracing: boolean): void;
}
