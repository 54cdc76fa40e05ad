// The errors of calls: refused, failed, or ended by a limit.
import { abortError, asyncError, fromNative, nodeError } from '../base/errors';
import type { LimitErrors } from '../base/pending';
import { remoteKeyError } from '../keys/remote-failures';
import type { NativeError } from '../native/contract/error';
import { CallStatus } from '../native/contract/tables';
import { inFlight } from './in-flight';

/** The errors of calls that their limits end. */
export const LIMIT_ERRORS: LimitErrors = {
  aborted: abortError,
  timedOut: (timeoutMs) => asyncError('ERR_ASYNC_TIMEOUT', `The operation did not end within ${String(timeoutMs)} ms`),
};

/** OpenSSL's error as `node:crypto` reports it; without one, an error with the code that native code gives. */
export function operationError(native: NativeError, blamed: ErrorOptions | undefined): Error {
  const error = remoteKeyError(native, () => blamed);
  if (error !== undefined) return error;
  return native.opensslErrors.length > 0 ? fromNative({ ...native, code: '' }) : fromNative(native);
}

/** The error of a call that requires an offload, and asks for no provider that may pause and has the algorithm. */
export function nothingPauses(algorithm: string): Error {
  return asyncError('ERR_ASYNC_NOT_OFFLOADED', `No provider that may pause, and has ${algorithm}, is asked for`);
}

/** The error of a call that requires an offload where there are no jobs. */
export function cannotPause(algorithm: string, withoutJobs: string): Error {
  return asyncError(
    'ERR_ASYNC_UNSUPPORTED',
    `${algorithm} cannot pause, which requireOffload asks for: ${withoutJobs}`,
  );
}

/** The error of a call that native code has not taken. */
export function refusalOf(status: number): Error {
  if (status === CallStatus.full) return refusal();
  if (status === CallStatus.noThreads) return noThreads();
  if (status === CallStatus.stale) {
    return asyncError('ERR_ASYNC_FIPS', 'The process has changed its FIPS mode meanwhile');
  }
  return nodeError('ERR_MEMORY_ALLOCATION_FAILED', 'There is not enough memory');
}

/** The error of a call for which there is no room. */
export function refusal(): Error {
  inFlight.refused();
  return asyncError('ERR_ASYNC_QUEUE_FULL', 'Too many operations are in flight');
}

function noThreads(): Error {
  return asyncError('ERR_ASYNC_NO_THREADS', 'The system gives the pool no thread: a limit on processes is reached');
}
