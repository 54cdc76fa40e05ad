// What happens to jobs, for those who subscribe through node:diagnostics_channel.
import { channel } from 'node:diagnostics_channel';
import type { JobFunction } from './job-function';

/** What made a job worth resuming: an fd was readable, the callback was called, or it was time to try again. */
export type WakeupKind = 'fd' | 'callback' | 'poll';

/** The message of the channels `openssl-async:job:start`, `:pause`, `:resume` and `:finish`, about {@link runJob}'s jobs. */
export interface JobMessage {
  /** Tells jobs that live at the same time apart; the number comes back afterwards. */
  id: number;
  /** The function that the job runs. */
  func: JobFunction;
  /** How often the job has paused so far. */
  pauses: number;
  /** On `:resume`: why. */
  wakeup?: WakeupKind;
  /** On `:finish` of a job that ran to its end. */
  returnValue?: number;
  /** On `:finish` of a job that failed. */
  error?: unknown;
}

export const channels = {
  start: channel('openssl-async:job:start'),
  pause: channel('openssl-async:job:pause'),
  resume: channel('openssl-async:job:resume'),
  finish: channel('openssl-async:job:finish'),
};

/** True when somebody wants to hear of what happens between submission and completion. */
export function wantsTrace(): boolean {
  return channels.start.hasSubscribers || channels.pause.hasSubscribers || channels.resume.hasSubscribers;
}

export function publish(name: keyof typeof channels, message: JobMessage): void {
  if (channels[name].hasSubscribers) channels[name].publish(message);
}

/** Where an operation ran: within the call, on a thread of the pool or of Node.js's own, or in an OpenSSL job. */
export type OperationPlace = 'inline' | 'pool' | 'threadpool' | 'job';

/** The message of the channels `openssl-async:operation:finish` and `openssl-async:operation:not-offloaded`. */
export interface OperationMessage {
  /** For example `'sign RSA-2048 sha256'`. */
  algorithm: string;
  /** Where it ran. */
  place: OperationPlace;
  /** How often its job paused. */
  pauses: number;
  /** Microseconds from the call to the start; 0 on Node.js's own pool, which does not tell. */
  queueMicros: number;
  /** Microseconds from the start to the end. */
  runMicros: number;
  /** What it failed with, if it did. */
  error?: unknown;
}

const operations = channel('openssl-async:operation:finish');
const notOffloaded = channel('openssl-async:operation:not-offloaded');

export function wantsOperations(): boolean {
  return operations.hasSubscribers;
}

export function publishOperation(message: OperationMessage): void {
  operations.publish(message);
}

export function wantsNotOffloaded(): boolean {
  return notOffloaded.hasSubscribers;
}

/** Tells of an operation that was meant for hardware and ran here. */
export function publishNotOffloaded(message: OperationMessage): void {
  notOffloaded.publish(message);
}
