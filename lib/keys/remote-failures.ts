// Why remote keys fail. Whoever has asked a key hears of it through an error of OpenSSL, which has words only: the reason
// that its function gave becomes the cause.
import { types } from 'node:util';
import { fromNative } from '../base/errors';
import type { NativeError } from '../native/contract/error';
import { Deadline, Deadlines } from './deadlines';

// The error of a job's handshake follows the reason at once; or nobody waits for it any more.
const KEPT_MS = 10_000;

class Failure extends Deadline {
  constructor(
    readonly job: number,
    readonly cause: unknown,
  ) {
    super();
  }

  override expire(): void {
    forget(this);
  }
}

const failures = new Map<number, Failure>(); // by job
const deadlines = new Deadlines(KEPT_MS);

function forget(failure: Failure): void {
  failures.delete(failure.job);
  deadlines.remove(failure);
}

/** Keeps the reason why a request of a job of native code's failed. */
export function noteCause(job: number, cause: unknown): void {
  const known = failures.get(job);
  if (known !== undefined) forget(known);
  const failure = new Failure(job, cause);
  failures.set(job, failure);
  deadlines.add(failure, performance.now());
}

/** The reason that a job's error has, once. */
export function takeCause(job: number): ErrorOptions | undefined {
  const failure = failures.get(job);
  if (failure === undefined) return undefined;
  forget(failure);
  return { cause: failure.cause };
}

/** The error of a request to a remote key, of which `blamed` has the reason; undefined for other errors. */
export function remoteKeyError(native: NativeError, blamed: () => ErrorOptions | undefined): Error | undefined {
  if (!native.code.startsWith('ERR_ASYNC_REMOTE_KEY_')) return undefined;
  if (native.code !== 'ERR_ASYNC_REMOTE_KEY_FAILED') return fromNative(native);
  // The message of the function's error is part of the message, if there is one.
  const options = blamed();
  const reason = options?.cause;
  if (!types.isNativeError(reason) || typeof reason.message !== 'string' || reason.message === '') {
    return fromNative(native, options);
  }
  return fromNative({ ...native, message: `${native.message}: ${reason.message}` }, options);
}
