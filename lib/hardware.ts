// What engines and providers of hardware have in common: how their operations are waited for.
import { fromNative, invalidArgValue } from './errors';
import { WaitMode, type NativeError } from './native/contract';
import { environment } from './native/environment';
import { validateInteger, validateOptions, validateString } from './validators';

/** How a device is made to look for responses that it does not announce. */
export interface DevicePollOptions {
  /** What does it: a command of the engine, or a parameter of the provider that is read. @defaultValue `'POLL'`, `'poll'` */
  command?: string;
  /**
   * Milliseconds between two looks while operations are in flight and nothing else has had a look taken. 1 to 60 000.
   * @defaultValue 1
   */
  intervalMs?: number;
  /**
   * So many operations in flight are worth a look at the end of a turn of the event loop in which more of them begin.
   * When all of them wait, a look is taken anyway. 1 to 1 000 000. @defaultValue 48
   */
  asymThreshold?: number;
  /** The same, where none of those in flight works with a key pair. @defaultValue 24 */
  symThreshold?: number;
}

/** Options of hardware, for {@link loadProvider} and {@link loadEngine}. */
export interface HardwareOptions {
  /**
   * What wakes a paused operation: `'callback'` ignores wait fds, `'fd'` gives the wait context no callback, so that fds are
   * used, `'poll'` does neither and tries again and again, as `configure({ poll })` says. `'auto'` takes what is offered.
   * @defaultValue `'auto'`
   */
  wait?: 'auto' | 'callback' | 'fd' | 'poll';
  /** For a device that has to be polled. @defaultValue it is not */
  poll?: DevicePollOptions;
}

export const HARDWARE_OPTIONS = ['wait', 'poll'] as const;

type StartPolling = (
  command: string,
  intervalMs: number,
  asymThreshold: number,
  symThreshold: number,
) => NativeError | undefined;

/** Throws for what is wrong with `options`. */
export function validateHardwareOptions(options: HardwareOptions): void {
  const { wait, poll }: Record<string, unknown> = { ...options };
  if (wait !== undefined && !(typeof wait === 'string' && Object.hasOwn(WaitMode, wait))) {
    throw invalidArgValue('options.wait', wait, "must be 'auto', 'callback', 'fd' or 'poll'");
  }
  if (poll === undefined) return;
  validateOptions(poll, 'options.poll', ['command', 'intervalMs', 'asymThreshold', 'symThreshold']);
  const { command, intervalMs, asymThreshold, symThreshold } = poll;
  if (command !== undefined) validateString(command, 'options.poll.command');
  if (intervalMs !== undefined) validateInteger(intervalMs, 'options.poll.intervalMs', 1, 60_000);
  if (asymThreshold !== undefined) validateInteger(asymThreshold, 'options.poll.asymThreshold', 1, 1_000_000);
  if (symThreshold !== undefined) validateInteger(symThreshold, 'options.poll.symThreshold', 1, 1_000_000);
}

/** Has `holder`'s operations waited for as `options` say. Throws what `start` reports. */
export function waitFor(holder: string, options: HardwareOptions, command: string, start: StartPolling): void {
  const { wait = 'auto', poll } = options;
  if (poll !== undefined) {
    const { intervalMs = 1, asymThreshold = 48, symThreshold = 24 } = poll;
    const failed = start(poll.command ?? command, intervalMs, asymThreshold, symThreshold);
    if (failed !== undefined) throw fromNative(failed);
  }
  environment().addon.setWaitMode(holder, WaitMode[wait]);
}
