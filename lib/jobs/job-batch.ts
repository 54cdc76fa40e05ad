// Jobs on their way to native code, described in memory that both sides share.
import { sizeOf } from '../base/byte-views';
import type { NativeJobFunction } from './job-function';
import { BATCH_HEAD_WORDS, BatchJobWord, BatchWord, WORDS_PER_BATCH_JOB } from '../native/contract/tables';
import type { Environment } from '../native/environment';

const BATCH_SIZE = 1024;
const BATCH_BYTES = 64 * 1024;
const MOST_BATCHED_BYTES = 1024;

/**
 * Jobs of native functions without wait contexts, and with short arguments, are handed to native code together, at the end
 * of the current microtask; all others by themselves, behind what was collected.
 */
export class JobBatch {
  readonly #words = new Int32Array(BATCH_HEAD_WORDS + BATCH_SIZE * WORDS_PER_BATCH_JOB);
  readonly #bytes = new Uint8Array(BATCH_BYTES);
  readonly #flush: (env: Environment) => void;
  #func: NativeJobFunction | undefined;
  #knownTo: Environment | undefined;

  /** `flush` has the jobs so far submitted. */
  constructor(flush: (env: Environment) => void) {
    this.#flush = flush;
  }

  /** Whether jobs with these arguments may be collected. */
  takes(args: Uint8Array | null): boolean {
    return args === null || sizeOf(args) <= MOST_BATCHED_BYTES;
  }

  add(env: Environment, id: number, func: NativeJobFunction, args: Uint8Array | null): void {
    const size = args === null ? -1 : sizeOf(args);
    if (!this.#hasRoomFor(size, func)) this.#flush(env);
    const words = this.#words;
    const count = words[BatchWord.count] as number;
    if (count === 0) {
      this.#attach(env);
      void Promise.resolve().then(() => {
        this.#flush(env);
      });
    }
    this.#func = func;
    const at = BATCH_HEAD_WORDS + count * WORDS_PER_BATCH_JOB;
    words[at + BatchJobWord.id] = id;
    words[at + BatchJobWord.argsSize] = size;
    if (size > 0) {
      const used = words[BatchWord.bytes] as number;
      this.#bytes.set(args as Uint8Array, used);
      words[BatchWord.bytes] = used + size;
    }
    words[BatchWord.count] = count + 1;
  }

  has(id: number): boolean {
    const words = this.#words;
    for (let i = 0; i < (words[BatchWord.count] as number); ++i) {
      if (words[BATCH_HEAD_WORDS + i * WORDS_PER_BATCH_JOB + BatchJobWord.id] === id) return true;
    }
    return false;
  }

  submit(env: Environment): void {
    if (this.#words[BatchWord.count] === 0) return;
    env.jobs.submitBatch((this.#func as NativeJobFunction).external);
  }

  #attach(env: Environment): void {
    if (this.#knownTo === env) return;
    env.jobs.setBatchBuffers(this.#words, this.#bytes);
    this.#knownTo = env;
  }

  #hasRoomFor(size: number, func: NativeJobFunction): boolean {
    const count = this.#words[BatchWord.count] as number;
    if (count === 0) return true;
    return count < BATCH_SIZE && this.#func === func && (this.#words[BatchWord.bytes] as number) + size <= BATCH_BYTES;
  }
}
