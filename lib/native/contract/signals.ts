import type { NativeError } from './error';
import type { NativeWaitSignal } from './handles';

/** Signals: fds that somebody makes readable. */
export interface NativeSignals {
  create(): NativeWaitSignal | NativeError;
  fd(signal: NativeWaitSignal): number;
  wake(signal: NativeWaitSignal): void;
  clear(signal: NativeWaitSignal): boolean;
  close(signal: NativeWaitSignal): void;
}
