// A step of a generator's job, carried out inside the job when it is yielded.
import { brand } from '../base/brand';
import type { CommandKind } from '../native/contract/tables';
import type { WaitFdCleanup } from './wait-context';

/** The job that a command belongs to. */
export interface CommandOwner {
  /** Commands that were made and not yielded. */
  unyieldedCommands: number;
}

/** The parts of a command that native code needs to carry it out. */
export interface CommandParts {
  kind: (typeof CommandKind)[keyof typeof CommandKind];
  keyId?: number;
  fd?: number;
  cleanup?: WaitFdCleanup | undefined;
}

/**
 * A command of a job function: yield it to have it carried out inside the job. A command that is never yielded is the
 * job's error. `yield` gives back its result; `yield*` does the same with the right type.
 */
export class Command<Result> {
  readonly #job: CommandOwner;
  readonly #parts: CommandParts;
  readonly #result: (ok: boolean, fd: number) => Result;
  #isYielded = false;

  /** @internal */
  constructor(job: CommandOwner, parts: CommandParts, result: (ok: boolean, fd: number) => Result) {
    this.#job = job;
    const { kind, keyId, fd, cleanup } = parts;
    this.#parts = Object.freeze({ kind, keyId, fd, cleanup });
    this.#result = result;
    ++job.unyieldedCommands;
  }

  /** @internal Whether `value` is a command, whatever its prototype says. */
  static is(value: unknown): value is Command<unknown> {
    return typeof value === 'object' && value !== null && #parts in value;
  }

  /** @internal */
  get job(): CommandOwner {
    return this.#job;
  }

  /** @internal */
  get parts(): CommandParts {
    return this.#parts;
  }

  /** @internal The result of OpenSSL's answer; throws for a failure. */
  resultOf(ok: boolean, fd: number): Result {
    return this.#result(ok, fd);
  }

  /** @internal The job has received the command. */
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
