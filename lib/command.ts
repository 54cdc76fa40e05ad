// A step of a generator's job, carried out inside the job when it is yielded.
import { brand } from './brand';
import type { Job } from './job';
import type { CommandKind } from './native/contract';
import type { WaitFdCleanup } from './wait-context';

/** What native code needs to carry a command out. */
export interface CommandParts {
  kind: (typeof CommandKind)[keyof typeof CommandKind];
  keyId?: number;
  fd?: number;
  cleanup?: WaitFdCleanup | undefined;
}

/**
 * A command of a job function: yield it to have it carried out inside the job. One that is never yielded is the job's error. `yield` gives back its result; `yield*`
 * does the same with the right type.
 */
export class Command<Result> {
  /** @internal */
  readonly job: Job;
  /** @internal */
  readonly parts: CommandParts;
  /** @internal Makes the result of OpenSSL's answer; throws for a failure. */
  readonly result: (ok: boolean, fd: number) => Result;
  #isYielded = false;

  /** @internal */
  constructor(job: Job, parts: CommandParts, result: (ok: boolean, fd: number) => Result) {
    this.job = job;
    this.parts = parts;
    this.result = result;
    ++job.unyieldedCommands;
  }

  /** @internal Its job has got it. */
  static noteYielded(command: Command<unknown>): void {
    if (command.#isYielded) return;
    command.#isYielded = true;
    --command.job.unyieldedCommands;
  }

  /** For `yield*`. */
  *[Symbol.iterator](): Generator<Command<Result>, Result, Result> {
    return yield this;
  }
}

brand(Command, 'command');
