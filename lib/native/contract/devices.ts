import type { WaitMode } from './tables';

/** Devices: how operations wait for them. */
export interface NativeDevices {
  /** How operations of `backend` are waited for. */
  setWaitMode(backend: string, mode: WaitMode): void;
  /** As soon as none of its operations is in flight. */
  stopPolling(backend: string): void;
  /**
   * Has an event told, with this id, when the operations that are in flight now are over. False when there are none:
   * nothing is told then.
   */
  awaitEnds(id: number): boolean;
}
