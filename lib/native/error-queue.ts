// OpenSSL's error queue of this thread, which node:crypto uses too.
import { environment, reasonForNone } from './environment';

/**
 * Runs `call` and returns its result. Functions of `node:crypto` may leave errors in the queue, and report errors that
 * others have left there; inside `call` they do neither.
 */
export function isolateErrors<T>(call: () => T): T {
  return reasonForNone() === undefined ? environment().addon.thread.isolateErrors(call) : call();
}
