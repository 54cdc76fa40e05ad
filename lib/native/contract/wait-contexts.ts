import type { NativeError } from './error';
import type { NativeWaitContext } from './handles';

/** Wait contexts of callers. */
export interface NativeWaitContexts {
  create(): NativeWaitContext | NativeError;
  /** `[key, fd, key, fd, …]` whose clean-up is due; undefined while a job lives. */
  close(context: NativeWaitContext): number[] | undefined;
  fds(context: NativeWaitContext): number[];
  changedFds(context: NativeWaitContext): [added: number[], removed: number[]];
  status(context: NativeWaitContext): number;
  setStatus(context: NativeWaitContext, status: number): void;
  observe(context: NativeWaitContext, id: number): void;
  stopObserving(context: NativeWaitContext): void;
  takeCallbacks(): number[];
  await(context: NativeWaitContext, id: number): NativeError | undefined;
  cancelAwait(id: number): void;
  checkFd(fd: number): NativeError | undefined;
}
