// The options of configure(), their ranges and defaults.
import { resolve } from 'node:path';
import { outOfRange } from './errors';
import { validateBoolean, validateFallback, validateInteger, readOptions, validatePath } from './validators';

/** How often a job that offers neither an fd nor a callback is tried. */
export interface PollOptions {
  /**
   * Milliseconds before the second try; the first follows at once. Each later one waits twice as long. 1 to 60 000.
   * @defaultValue 1
   */
  initialIntervalMs?: number;
  /** The longest wait between two tries, in milliseconds. `initialIntervalMs` to 60 000. @defaultValue 16 */
  maxIntervalMs?: number;
}

/** Options of {@link configure}. */
export interface ConfigureOptions {
  /** Jobs of this thread that may live (run or be paused) at a time; more wait. 1 to 1 000 000. @defaultValue 16384 */
  maxJobs?: number;
  /** Jobs that OpenSSL creates before the first one is needed. 0 to `maxJobs`. @defaultValue 0 */
  initialJobs?: number;
  /** Jobs of this thread that may wait to start; more are refused. 0 to 10 000 000. @defaultValue 65536 */
  maxQueued?: number;
  /**
   * Size of a job's stack in bytes, on OpenSSL 3.2 and later; earlier ones always use 32 KiB. It is rounded up to whole
   * pages. The first thread that sets it sets it for the process. On Windows, stacks have the size that the program's
   * file asks for, 8 MiB for `node.exe`: a smaller size changes nothing, and a larger one is refused with
   * `ERR_OUT_OF_RANGE`. 16 384 to 16 777 216. @defaultValue 65536
   */
  stackSizeBytes?: number;
  /**
   * Stacks that end in a guard page, process-wide, on OpenSSL 3.2 and later. Each costs two memory mappings, of which
   * Linux allows a process 65 530; beyond this number stacks are unguarded. 0 to 1 000 000. @defaultValue 8000
   */
  maxGuardedStacks?: number;
  /**
   * Whether {@link stats} looks for the deepest use of any guarded stack, which reads all of them. @defaultValue false
   */
  stackHighWater?: boolean;
  /**
   * Threads of the process's pool, on which software operations and the accelerator run. The first thread that sets it
   * sets it for the process. 1 to 1024. @defaultValue the machine's cores less one, at least 1
   */
  threads?: number;
  /**
   * Whether the pool has one more thread, of low priority, which works only while more operations wait than there are
   * threads: it takes what the event loop leaves of its core. For the process, as `threads`. @defaultValue true
   */
  spareThread?: boolean;
  /**
   * How long, in microseconds, operations of `mode: 'auto'` may hold the event loop before it gets its turn. Operations
   * that are expected to take longer always run elsewhere. 0 to 1 000 000. @defaultValue 50
   */
  maxInlineMicros?: number;
  /** Operations of this thread that may be in flight; more are refused. 1 to 10 000 000. @defaultValue 65536 */
  maxInFlight?: number;
  /** The reaction when the `provider` of an operation without this option fails. @defaultValue 'error' */
  fallback?: 'software' | 'error';
  /**
   * Path of a configuration file, see config(5), that is read into this package's own library context: operations can
   * name the providers that it activates. It is read at once, and cannot be unread. @defaultValue `''`, none
   */
  opensslConfig?: string;
  /** How jobs that offer no notification are tried. */
  poll?: PollOptions;
  /**
   * How long, in microseconds, ready jobs may run before timers and I/O get their turn. 50 to 1 000 000. @defaultValue
   * 2000
   */
  tickBudgetMicros?: number;
  /**
   * How long, in milliseconds, the end of an environment may wait for outstanding jobs; then they are abandoned with
   * their memory, and one line on stderr says so. 0 to 600 000. @defaultValue 1000
   */
  drainTimeoutMs?: number;
}

export type ResolvedOptions = Required<Omit<ConfigureOptions, 'poll' | 'threads'>> & {
  poll: Required<PollOptions>;
  /** 0 for the pool's own choice. */
  threads: number;
};

export const DEFAULT_OPTIONS: Readonly<ResolvedOptions> = {
  maxJobs: 16_384,
  initialJobs: 0,
  maxQueued: 65_536,
  stackSizeBytes: 65_536,
  maxGuardedStacks: 8000,
  stackHighWater: false,
  threads: 0,
  spareThread: true,
  maxInlineMicros: 50,
  maxInFlight: 65_536,
  fallback: 'error',
  opensslConfig: '',
  poll: { initialIntervalMs: 1, maxIntervalMs: 16 },
  tickBudgetMicros: 2000,
  drainTimeoutMs: 1000,
};

const POLL_OPTIONS = ['initialIntervalMs', 'maxIntervalMs'] as const;
const RANGES = {
  maxJobs: [1, 1_000_000],
  initialJobs: [0, 1_000_000],
  maxQueued: [0, 10_000_000],
  stackSizeBytes: [16_384, 16_777_216],
  maxGuardedStacks: [0, 1_000_000],
  threads: [1, 1024],
  maxInlineMicros: [0, 1_000_000],
  maxInFlight: [1, 10_000_000],
  tickBudgetMicros: [50, 1_000_000],
  drainTimeoutMs: [0, 600_000],
} as const;

export const CONFIGURE_OPTIONS = Object.keys(DEFAULT_OPTIONS) as (keyof ConfigureOptions)[];

/** `defaults`, overridden by `options`; throws for wrong options. */
export function resolveOptions(options: unknown, defaults: Readonly<ResolvedOptions>): ResolvedOptions {
  const given = readOptions(options, 'options', CONFIGURE_OPTIONS);
  const resolved: ResolvedOptions = { ...defaults, poll: { ...defaults.poll } };
  for (const [name, [min, max]] of Object.entries(RANGES) as [keyof typeof RANGES, [number, number]][]) {
    const value = given[name];
    if (value === undefined) continue;
    validateInteger(value, `options.${name}`, min, max);
    resolved[name] = value;
  }
  for (const name of ['stackHighWater', 'spareThread'] as const) {
    const value = given[name];
    if (value === undefined) continue;
    validateBoolean(value, `options.${name}`);
    resolved[name] = value;
  }
  if (given.fallback !== undefined) {
    validateFallback(given.fallback, 'options.fallback');
    resolved.fallback = given.fallback;
  }
  if (given.opensslConfig !== undefined) {
    validatePath(given.opensslConfig, 'options.opensslConfig');
    resolved.opensslConfig = resolve(given.opensslConfig);
  }
  if (given.poll !== undefined) {
    const poll = readOptions(given.poll, 'options.poll', POLL_OPTIONS);
    for (const name of POLL_OPTIONS) {
      const value = poll[name];
      if (value === undefined) continue;
      validateInteger(value, `options.poll.${name}`, 1, 60_000);
      resolved.poll[name] = value;
    }
  }
  if (resolved.initialJobs > resolved.maxJobs) {
    throw outOfRange('options.initialJobs', `<= maxJobs (${String(resolved.maxJobs)})`, resolved.initialJobs);
  }
  if (resolved.poll.maxIntervalMs < resolved.poll.initialIntervalMs) {
    throw outOfRange(
      'options.poll.maxIntervalMs',
      `>= initialIntervalMs (${String(resolved.poll.initialIntervalMs)})`,
      resolved.poll.maxIntervalMs,
    );
  }
  return resolved;
}
