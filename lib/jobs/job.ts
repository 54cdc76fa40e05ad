// A job, as its function and its application see it.
import { brand } from '../base/brand';
import { Command } from './command';
import { asyncError, fromNative, invalidArgType } from '../base/errors';
import { CommandKind } from '../native/contract/tables';
import { environment } from '../native/environment';
import { validateFunction, validateInteger } from '../base/validators';
import { waitContextInternals, type WaitContext, type WaitFdCleanup } from './wait-context';

/**
 * The state of a job: `'running'` while its function has control, `'paused'` between a pause and the resume,
 * `'finished'` when the function has returned or thrown, or OpenSSL has reported an error.
 */
export type JobState = 'running' | 'paused' | 'finished';

/**
 * An `ASYNC_JOB`. Its methods make the commands of a {@link jobFunction}: each does nothing by itself, and is carried
 * out inside the job when it is yielded. A function that returns with a command that it did not yield fails with
 * `ERR_ASYNC_INVALID_COMMAND`.
 */
export class Job {
  /** The wait context that the job was started with: `ASYNC_get_wait_ctx(3)`. */
  readonly waitContext: WaitContext;
  /** @internal */
  currentState: JobState = 'running';
  /** @internal Commands that were made and not yielded. */
  unyieldedCommands = 0;
  /** @internal Driven by runJob(). */
  readonly scheduled: boolean;

  /** @internal */
  constructor(waitContext: WaitContext, scheduled: boolean) {
    this.waitContext = waitContext;
    this.scheduled = scheduled;
  }

  /** The state of the job. */
  get state(): JobState {
    return this.currentState;
  }

  /**
   * `ASYNC_pause_job()`: gives control back to the application until it resumes the job. It returns at once while
   * pausing is blocked. A resume is a hint: check for yourself whether the awaited event has come.
   */
  pause(): Command<void> {
    return new Command(this, { kind: CommandKind.pause }, (ok) => {
      if (!ok) throw asyncError('ERR_ASYNC_JOB_FAILED', 'OpenSSL could not pause the job');
    });
  }

  /**
   * `ASYNC_block_pause()`: until it is unblocked as often, the job does not pause. Blocks that are left at its end are
   * undone.
   */
  blockPause(): Command<void> {
    return new Command(this, { kind: CommandKind.blockPause }, () => undefined);
  }

  /** `ASYNC_unblock_pause()`; one more than was blocked has no effect. */
  unblockPause(): Command<void> {
    return new Command(this, { kind: CommandKind.unblockPause }, () => undefined);
  }

  /**
   * `ASYNC_WAIT_CTX_set_wait_fd()`: offers an fd that becomes readable when the job should be resumed.
   *
   * @param key - Anything that is unique to the one who sets it, within the wait context.
   * @param fd - An open fd that can be polled; on Windows, a waitable handle. It stays yours.
   * @param cleanup - Called when the wait context is closed and the fd was not cleared.
   *
   * @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`; where it is yielded: `ERR_ASYNC_INVALID_FD` for an fd that is
   * not open, `ERR_ASYNC_FD_NOT_POLLABLE` for a regular file.
   */
  setWaitFd(key: unknown, fd: number, cleanup?: WaitFdCleanup): Command<void> {
    validateKey(key);
    validateInteger(fd, 'fd', 0, 2 ** 31 - 1);
    if (cleanup !== undefined) validateFunction(cleanup, 'cleanup');
    const { waitContext } = this;
    const keyId = waitContextInternals.keyId(waitContext, key);
    return new Command(this, { kind: CommandKind.setWaitFd, keyId, fd, cleanup }, (ok) => {
      if (!ok) throw asyncError('ERR_ASYNC_JOB_FAILED', 'OpenSSL could not set the wait fd');
      waitContextInternals.noteFdSet(waitContext, key, fd, cleanup);
    });
  }

  /** `ASYNC_WAIT_CTX_get_fd()`: the fd that was set with this key last, or null. */
  getFd(key: unknown): Command<number | null> {
    validateKey(key);
    const keyId = waitContextInternals.keyId(this.waitContext, key);
    return new Command(this, { kind: CommandKind.getFd, keyId }, (ok, fd) => (ok ? fd : null));
  }

  /** `ASYNC_WAIT_CTX_clear_fd()`: withdraws the fd, without its clean-up. False when none was set with this key. */
  clearFd(key: unknown): Command<boolean> {
    validateKey(key);
    const { waitContext } = this;
    const keyId = waitContextInternals.keyId(waitContext, key);
    return new Command(this, { kind: CommandKind.clearFd, keyId }, (ok) => {
      if (ok) waitContextInternals.noteFdCleared(waitContext, keyId);
      return ok;
    });
  }
}

brand(Job, 'Job');

function validateKey(key: unknown): void {
  if (key === undefined || key === null) throw invalidArgType('key', 'a value that is unique to the caller', key);
}

/** Throws for mistakes that OpenSSL would not survive, or would not report, before the command is carried out. */
export function checkCommand(command: Command<unknown>): void {
  const { kind, fd } = command.parts;
  if (kind !== CommandKind.setWaitFd) return;
  const refused = environment().addon.waitContexts.checkFd(fd as number);
  if (refused !== undefined) throw fromNative(refused);
}
