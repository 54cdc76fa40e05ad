import type { WaitMode } from './tables';

/** Devices: how operations wait for them. */
export interface NativeDevices {
  /** Sets how operations of `backend` are waited for. */
  setWaitMode(backend: string, mode: WaitMode): void;
  /** Takes effect as soon as none of the backend's operations is in flight. */
  stopPolling(backend: string): void;
  /**
   * Has an event told, with this id, when the operations that are in flight now are over. False, and no event, when
   * there are none.
   */
  awaitEnds(id: number): boolean;
}
