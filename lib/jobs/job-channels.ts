// The channels `openssl-async:job:…` of node:diagnostics_channel. Subscribers are called in the async context of the
// call that they hear of.
import { channel } from 'node:diagnostics_channel';
import type { JobFunction } from './job-function';

/** The reason to resume a job: an fd was readable, the callback was called, or it was time to try again. */
export type WakeupKind = 'fd' | 'callback' | 'poll';

/**
 * The message of the channels `openssl-async:job:start`, `:pause`, `:resume` and `:finish`, about {@link runJob}'s
 * jobs.
 */
export interface JobMessage {
  /** Tells jobs that live at the same time apart; the number is reused afterwards. */
  id: number;
  /** The function that the job runs. */
  func: JobFunction;
  /** How often the job has paused so far. */
  pauses: number;
  /** On `:resume`: the reason. */
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

/** True when somebody wants to hear of jobs at all. */
export function wantsJobs(): boolean {
  return channels.finish.hasSubscribers || wantsTrace();
}

export function publish(name: keyof typeof channels, message: JobMessage): void {
  if (channels[name].hasSubscribers) channels[name].publish(message);
}
