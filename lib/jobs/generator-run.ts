// Leads a generator through its job: outcome in, next command out.
import { describeForeign } from '../base/brand';
import { Command, type CommandParts } from './command';
import { asyncError, invalidReturnValue } from '../base/errors';
import { checkCommand, type Job } from './job';
import type { GeneratorJobFunction, JobGenerator } from './job-function';
import { CommandKind } from '../native/contract/tables';
import type { Environment } from '../native/environment';

// A generator that goes on like this would never give the loop its turn.
const COMMAND_LIMIT = 1_000_000;
const RETURN: CommandParts = { kind: CommandKind.return };

/** The job whose generator ran last; a generator that runs now is this one's. */
let current: { environment: Environment; job: Job } | undefined;

/** See {@link getCurrentJob}. */
export function currentJob(): Job | null {
  return current?.environment.insideJob === true ? current.job : null;
}

/** How a generator ended. */
export type RunEnd = { failed: false; returnValue: number } | { failed: true; error: unknown };

export class GeneratorRun {
  /** How the generator ended; undefined until then. */
  end: RunEnd | undefined;

  readonly #environment: Environment;
  readonly #job: Job;
  readonly #func: GeneratorJobFunction;
  #args: unknown;
  #generator: JobGenerator | undefined;
  #command: Command<unknown> | undefined;
  #commandsInARow = 0;
  #interruption: (() => Error) | undefined;

  /** Runs nothing yet: the function is called at the first {@link GeneratorRun.step}. */
  constructor(environment: Environment, job: Job, func: GeneratorJobFunction, args: unknown) {
    this.#environment = environment;
    this.#job = job;
    this.#func = func;
    this.#args = args;
  }

  /** Has an error thrown at the yield where the generator stands, at the next step. */
  interrupt(makeError: () => Error): void {
    this.#interruption = makeError;
  }

  /** Nobody will continue the generator. */
  abandon(): void {
    if (current?.job === this.#job) current = undefined;
  }

  /** Continues with the outcome of the last command. The result is the next command: `return` when there is none. */
  step(ok: boolean, fd: number): CommandParts {
    const outer = current;
    current = { environment: this.#environment, job: this.#job };
    let next: CommandParts = RETURN;
    this.#environment.inside(() => {
      try {
        next = this.#advance(ok, fd);
      } catch (error) {
        this.end = { failed: true, error };
      }
    });
    current = outer;
    return next;
  }

  #advance(ok: boolean, fd: number): CommandParts {
    const generator = (this.#generator ??= this.#begin());
    const command = this.#command;
    this.#command = undefined;
    let turn: () => IteratorResult<unknown, number>;
    if (this.#interruption !== undefined) {
      const interruption = this.#interruption;
      this.#interruption = undefined;
      turn = () => generator.throw(interruption());
    } else {
      turn = () => {
        let input: unknown;
        try {
          input = command?.resultOf(ok, fd);
        } catch (error) {
          return generator.throw(error);
        }
        return generator.next(input);
      };
    }
    for (;;) {
      const { done, value } = turn();
      if (done === true) return this.#finish(value);
      const refusal = this.#refusal(value);
      if (refusal === undefined) return (value as Command<unknown>).parts;
      turn = () => generator.throw(refusal);
    }
  }

  // An exception from the function's parameters is the job's error, as one from its body is.
  #begin(): JobGenerator {
    const generator: unknown = this.#func.body(this.#job, this.#args);
    this.#args = undefined;
    if (Object.prototype.toString.call(generator) === '[object Generator]') return generator as JobGenerator;
    throw invalidReturnValue('the job function', 'a generator', generator);
  }

  // The reason why a yielded value is not carried out. Once over the limit, the generator is not asked again.
  #refusal(yielded: unknown): unknown {
    if (++this.#commandsInARow > COMMAND_LIMIT) {
      const limit = String(COMMAND_LIMIT);
      const error = asyncError('ERR_ASYNC_COMMAND_LIMIT', `The job function yielded ${limit} commands without a pause`);
      if (this.#commandsInARow > COMMAND_LIMIT + 1) throw error;
      return error;
    }
    if (!Command.is(yielded) || yielded.job !== this.#job) {
      const why = describeForeign(yielded) ?? 'A job function may yield only the commands of its own job';
      return asyncError('ERR_ASYNC_INVALID_COMMAND', why);
    }
    Command.noteYielded(yielded);
    try {
      checkCommand(yielded);
    } catch (error) {
      return error;
    }
    this.#command = yielded;
    if (yielded.parts.kind === CommandKind.pause) this.#commandsInARow = 0;
    return undefined;
  }

  #finish(returnValue: unknown): CommandParts {
    if (!Number.isInteger(returnValue) || (returnValue as number) !== ((returnValue as number) | 0)) {
      throw invalidReturnValue('the job function', 'a 32-bit integer', returnValue);
    }
    if (this.#job.unyieldedCommands > 0) {
      throw asyncError('ERR_ASYNC_INVALID_COMMAND', 'The job function made a command and did not yield it');
    }
    this.end = { failed: false, returnValue: returnValue as number };
    return RETURN;
  }
}
