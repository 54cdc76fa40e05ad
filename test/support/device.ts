// The simulated accelerator of the tests (test/native/device), typed. One device serves all threads of the process.
import { createRequire } from 'node:module';
import * as path from 'node:path';
import type { NativeJobFunctionExternal } from '../../lib/native/contract/handles';

/** How the device tells a job's owner that the job can go on. The numbers are those of test/native/device/request.h. */
export const WAKE_MODES = {
  /** One fd, made once per wait context and kept; the context's clean-up routine closes it. */
  'fd-cached': 0,
  /** A new fd for each pause, cleared and closed after it. */
  'fd-fresh': 1,
  /** `fdCount` fds. A random one is signalled, and replaced by a new one before the next pause. */
  'fds-many': 2,
  /** The callback, on the same thread and before the pause; sets no status. Does not wait: holdAll() has no effect. */
  'callback-same-thread': 3,
  /** The callback, from a thread of the device; status 'ok'. Without a callback: as 'none'. */
  'callback-thread': 4,
  /** No notification: the job looks at each resume. */
  none: 5,
  /** Status 'again' `againCount` times (for as long as the device is held, too), then 'ok' and success. */
  again: 6,
  /** Status 'error', one pause, then failure (0, with an OpenSSL error). */
  'status-error': 7,
  /** The callback as in 'callback-thread' where one is set, else an fd as in 'fd-cached'. */
  'callback-or-fd': 8,
  /** No pause at all. */
  sync: 9,
} as const;

export type WakeMode = keyof typeof WAKE_MODES;

export interface DeviceRequestOptions {
  mode: WakeMode;
  /** How many operations, one after the other; the job pauses for each, more than once only if resumed early. Default 1. */
  pauses?: number;
  /** Of each operation. Default 0: as soon as a device thread gets to it. */
  latencyMicros?: number;
  /** Added to or subtracted from each latency, uniformly distributed. Default 0. */
  latencySpreadMicros?: number;
  /** For 'fds-many', 1 to 64. Default 3. */
  fdCount?: number;
  /** For 'again'. Default 1. */
  againCount?: number;
  /** Of all requests of the process that have one, every `failEvery`-th returns 0 with an OpenSSL error. Default 0: none. */
  failEvery?: number;
  /** What a request that succeeds returns. Default 1. */
  returnValue?: number;
  /** Makes latencies and choices repeatable. Default 0: each request has others. */
  seed?: number;
}

/** The C job functions. Integers are passed as `int32Args()` has them; functions.h says what each one does. */
export type DeviceFunctionName =
  | 'device'
  | 'empty'
  | 'returnArg'
  | 'countBytes'
  | 'hasArgument'
  | 'pauseOnce'
  | 'selfWake'
  | 'nestedStart'
  | 'leaveBlocked'
  | 'wasBlocked'
  | 'raiseErrors'
  | 'overflowStack'
  | 'closedFd'
  | 'regularFileFd'
  | 'lateCallback'
  | 'throwException';

/** Counts since the process began; `inFlight` and `threads` are of now. An operation is what a job pauses for. */
export interface DeviceStats {
  submitted: number;
  completed: number;
  inFlight: number;
  sameThreadCallbacks: number;
  /** From threads of the device, late ones included. */
  foreignCallbacks: number;
  fdsOpened: number;
  fdsClosed: number;
  wakesWritten: number;
  /** A job that was to be notified was resumed before it was. */
  spuriousResumes: number;
  /** A job that gives no notification was resumed before its operation was complete. */
  emptyPolls: number;
  threads: number;
}

/** The addon. */
export interface Device {
  /** For `nativeJobFunction()`. */
  readonly functions: Readonly<Record<DeviceFunctionName, NativeJobFunctionExternal>>;
  stats(): DeviceStats;
  /** While held, the device completes nothing and makes no late callback; what has waited comes when it is let go. */
  holdAll(held: boolean): void;
  /** Completes what is in flight now and makes the late callbacks that are due later, held or not. */
  completeAll(): void;
  /** Completes what is in flight, unless held, and joins the threads. The next operation starts them anew. */
  shutdown(): void;
  /** Puts an error with this reason, 1 to 4095, into this thread's OpenSSL queue. */
  leaveError(reason: number): void;
  /** Empties this thread's OpenSSL queue: one line for each error, the oldest first. */
  takeErrors(): string[];
  /** Of the native request. */
  readonly requestSize: number;
}

// A sanitizer build sets its own.
const ADDON =
  process.env.OPENSSL_ASYNC_TEST_DEVICE ?? path.join(__dirname, '..', '..', 'build', 'Release', 'test_device.node');

export const device = createRequire(__filename)(ADDON) as Device;

const REQUEST_FIELDS = 9;

if (device.requestSize !== REQUEST_FIELDS * 4) {
  throw new Error(`${ADDON} is of another version: its requests have ${device.requestSize} bytes`);
}

/** The arguments of the job function `device`. */
export function deviceRequest(options: DeviceRequestOptions): Buffer {
  return int32Args(
    WAKE_MODES[options.mode],
    options.pauses ?? 1,
    options.latencyMicros ?? 0,
    options.latencySpreadMicros ?? 0,
    options.fdCount ?? 3,
    options.againCount ?? 1,
    options.failEvery ?? 0,
    options.returnValue ?? 1,
    options.seed ?? 0,
  );
}

/** The arguments of the job functions that take integers. */
export function int32Args(...values: number[]): Buffer {
  const args = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => args.writeInt32LE(value, index * 4));
  return args;
}

/** The arguments of the job function `countBytes`. */
export function countBytesArgs(bytes: Uint8Array): Buffer {
  const args = Buffer.alloc(8 + bytes.length);
  args.writeBigUInt64LE(BigInt(bytes.length));
  args.set(bytes, 8);
  return args;
}

/** What `countBytes` returns for these bytes. */
export function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (const byte of bytes) sum = (Math.imul(sum, 31) + byte) | 0;
  return sum & 0x7fffffff;
}
