// The work of this thread's scheduler so far.
import { environment } from '../native/environment';
import type { WakeupCounts } from '../jobs/run-job';

/** Durations in microseconds. Percentiles are at most 12.5 % too high. */
export interface LatencyHistogram {
  /** How many were recorded. */
  count: number;
  /** The shortest. */
  min: number;
  /** The longest. */
  max: number;
  /** The arithmetic mean. */
  mean: number;
  /** Half of them took at most so long. */
  p50: number;
  /** Nine in ten took at most so long. */
  p90: number;
  /** Ninety-nine in a hundred took at most so long. */
  p99: number;
}

/** Counters since the start, and gauges of now, for the jobs of {@link runJob} on this thread unless said otherwise. */
export interface JobCounts {
  /** Now: begun and not finished, {@link startJob}'s included. */
  live: number;
  /** Now: waiting to start. */
  queued: number;
  /** Now: waiting for their turn to be resumed. */
  ready: number;
  /** Now: paused, waiting to be woken. */
  waiting: number;
  /** Now: live jobs of this thread, whoever runs them. */
  liveInThread: number;
  /** Calls that were accepted. */
  submitted: number;
  /** Jobs that have begun. */
  started: number;
  /** Ran to their end, whatever they returned. */
  finished: number;
  /** Ended by an error of OpenSSL's or an exception of a native function's. */
  failed: number;
  /** Given up while they waited to start. */
  cancelled: number;
  /** Given up while they were live, and driven to their end in the background. */
  abandoned: number;
  /** Calls whose signal was aborted. */
  aborted: number;
  /** Calls whose time limit passed. */
  timedOut: number;
  /** Calls that were refused with `ERR_ASYNC_QUEUE_FULL`. */
  refused: number;
  /** Pauses of jobs, hand-overs not counted. */
  pauses: number;
  /** Commands of generators. */
  handOvers: number;
  /** Times that OpenSSL's pool had no job to give. */
  noJobs: number;
  /** Pauses at which an engine said that it has a fatal problem. */
  engineErrors: number;
}

/** Counters of operations since the start. */
export interface OperationCounts {
  /** Ran on the event loop's thread, because that was cheaper than a hop or asked for. */
  inline: number;
  /** Ran on the pool, without a job. */
  offloaded: number;
  /** Ran on Node.js's own thread pool, by `node:crypto`: only it can do these off the event loop. */
  threadpool: number;
  /** Ran in OpenSSL jobs. */
  jobs: number;
  /** The ones of `jobs` that paused: the proof that somebody else did the work. */
  paused: number;
  /** Pauses in all. */
  pauses: number;
  /** Rejected with an error of the operation's. */
  failed: number;
  /** Aborted or timed out. */
  abandoned: number;
  /** Refused with `ERR_ASYNC_QUEUE_FULL`. */
  refused: number;
  /** Failed with the provider asked for, and were done again in software. */
  fallbacks: number;
}

/** Counters and durations of one algorithm. */
export interface AlgorithmStats extends OperationCounts {
  /** How long its operations took. */
  latency: Latency;
}

/** Statistics of operations. */
export interface OperationStats extends OperationCounts {
  /** Now: what a hop to the pool and back costs when nothing else is in flight, in microseconds. */
  hopMicros: number;
  /** By algorithm, for example `'sign RSA-2048 sha256'`. */
  algorithms: Record<string, AlgorithmStats>;
}

/** The process's pool of threads. */
export interface PoolStats {
  /** Now: its threads; 0 before the first use. */
  threads: number;
  /** Now: its threads of low priority. */
  spareThreads: number;
  /** Now: tasks that wait for a thread. */
  queued: number;
  /** Now: tasks that are being run. */
  running: number;
  /** Tasks that were accepted. */
  submitted: number;
  /** Tasks that have ended. */
  completed: number;
  /** Tasks for which the queue had no room. */
  refused: number;
}

/** Durations of three spans. */
export interface Latency {
  /** From the call to the start. */
  queue: LatencyHistogram;
  /** From the start to the end. */
  run: LatencyHistogram;
  /** From the call to the end. */
  total: LatencyHistogram;
}

/** The work of one provider or engine: the proof that it is used. */
export interface ProviderStats {
  /** Operations that have ended there. */
  operations: number;
  /** Operations whose job paused: somebody else did the work meanwhile. */
  paused: number;
  /** Pauses in all. */
  pauses: number;
  /** Pauses that ended with an fd. */
  fdWakeups: number;
  /** Pauses that ended with a callback. */
  callbacks: number;
  /** Pauses that ended because it was time to try again: the device was full, or offers nothing to wait for. */
  retries: number;
  /**
   * How often it was made to look for responses; see the option `poll` of {@link loadProvider} and {@link loadEngine}.
   */
  polls: number;
  /** Looks that found none. */
  emptyPolls: number;
  /** Failed there. */
  failed: number;
  /** Failed there, and were done again in software. */
  fallbacks: number;
  /**
   * Operations that ran here: they might have paused and did not, fell back, or were not what it has. See the option
   * `requireOffload`.
   */
  notOffloaded: number;
  /** Now: in flight. */
  inFlight: number;
  /** From the call to the end. */
  latency: LatencyHistogram;
}

/** Handshakes of servers, or of clients. Experimental. */
export interface TlsHandshakeStats {
  /** Now: connections. */
  connections: number;
  /** Handshakes that are done, by where they ran. */
  handshakes: {
    /** On the event loop. */
    loop: number;
    /** On a thread. */
    thread: number;
  };
  /** How long these took, from the client's first message, as this side sees it, to the last one. */
  latency: {
    /** On the event loop. */
    loop: LatencyHistogram;
    /** On a thread. */
    thread: LatencyHistogram;
  };
  /** Handshakes that resumed a session. */
  resumed: number;
  /** Connections whose client sent early data, with its first message. */
  earlyData: {
    /** The server took it. */
    accepted: number;
    /** The server did not. */
    refused: number;
  };
}

/** Connections of this thread's servers of `openssl-async/tls` and `/https`; what is not said of clients is of both. Experimental. */
export interface TlsStats extends TlsHandshakeStats {
  /** Connections of clients. */
  clients: TlsHandshakeStats;
  /** Now: connections of servers whose handshakes are not done. */
  handshaking: number;
  /** Now: connections whose records threads read and write. */
  lent: number;
  /** Connections that ended with an error, handshaking ones included. */
  failed: number;
  /** Connections that were closed because of `maxConnections`. */
  dropped: number;
  /** Connections that a thread gave to the event loop. */
  moved: number;
  /** Handshakes that asked `onClientHello`, `SNICallback` or `ALPNCallback`. */
  questions: number;
  /** Pauses of handshakes for their keys. */
  pauses: number;
  /** Connections that were given up while their key was waited for. */
  abandoned: number;
  /** Plaintext that was received. */
  bytesRead: number;
  /** Plaintext that was sent. */
  bytesWritten: number;
}

/** The result of {@link stats}. */
export interface Stats {
  /** Jobs. */
  jobs: JobCounts;
  /** How often jobs were resumed, by reason. */
  wakeups: WakeupCounts;
  /** How long jobs took. */
  latency: Latency;
  /** Now: operations in flight. */
  inFlight: number;
  /** Operations. */
  operations: OperationStats;
  /** By the name of the `provider` that operations asked for, by option or query. */
  providers: Record<string, ProviderStats>;
  /** By the id of the engine whose keys operations used. */
  engines: Record<string, ProviderStats>;
  /** TLS. */
  tls: TlsStats;
  /** The pool on which software operations and the accelerator run, process-wide. */
  pool: PoolStats;
  /** The process's job stacks. */
  stacks: {
    /** `'guarded'`: this library's, with guard pages; `'default'`: OpenSSL's; `'none'`: no job was run yet. */
    mode: 'none' | 'default' | 'guarded';
    /** Of one stack, of its address space on Windows; 0 before the first job. */
    sizeBytes: number;
    /** Now: stacks with a guard page. */
    guarded: number;
    /** Now: this library's stacks without a guard page. */
    unguarded: number;
    /** The deepest use seen, with `configure({ stackHighWater: true })` and guarded stacks; else null. */
    highWaterBytes: number | null;
  };
  /** Turns of the event loop in which jobs ran. */
  ticks: number;
}

/**
 * Statistics of this thread's scheduler, as of now.
 *
 * @throws `ERR_ASYNC_UNSUPPORTED`
 */
export function stats(): Stats {
  const env = environment();
  const { jobs, threadJobs, ...rest } = env.addon.statistics.jobs(env.options.stackHighWater);
  const { inFlight, hopMicros, pool, algorithms, backends } = env.addon.statistics.operations();
  return {
    ...rest,
    jobs: { ...jobs, liveInThread: threadJobs, ...env.cancellations },
    inFlight,
    operations: { ...sum(Object.values(algorithms)), hopMicros, algorithms },
    providers: ofKind(backends, 'provider:'),
    engines: ofKind(backends, 'engine:'),
    tls: env.addon.statistics.tls(),
    pool,
  };
}

function ofKind<T>(backends: Readonly<Record<string, T>>, prefix: string): Record<string, T> {
  const found = Object.entries(backends).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(found.map(([name, stats]) => [name.slice(prefix.length), stats]));
}

function sum(all: readonly OperationCounts[]): OperationCounts {
  const total: OperationCounts = {
    inline: 0,
    offloaded: 0,
    threadpool: 0,
    jobs: 0,
    paused: 0,
    pauses: 0,
    failed: 0,
    abandoned: 0,
    refused: 0,
    fallbacks: 0,
  };
  for (const counts of all) {
    for (const name of Object.keys(total) as (keyof OperationCounts)[]) total[name] += counts[name];
  }
  return total;
}
