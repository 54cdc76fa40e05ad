// OpenSSL's error queue of this thread, which node:crypto uses too.
import { environment, reasonForNone } from './environment';

/**
 * What `call` returns. Functions of `node:crypto` may leave errors in the queue, and report what others have left there;
 * with this they do neither.
 */
export function isolateErrors<T>(call: () => T): T {
  return reasonForNone() === undefined ? environment().addon.thread.isolateErrors(call) : call();
}
