export interface NativeBackendStats {
  operations: number;
  paused: number;
  pauses: number;
  fdWakeups: number;
  callbacks: number;
  retries: number;
  polls: number;
  emptyPolls: number;
  failed: number;
  fallbacks: number;
  notOffloaded: number;
  inFlight: number;
  latency: NativeHistogram;
}

export interface NativeOperationStats {
  backends: Record<string, NativeBackendStats>;
  inFlight: number;
  hopMicros: number;
  pool: {
    threads: number;
    spareThreads: number;
    queued: number;
    running: number;
    submitted: number;
    completed: number;
    refused: number;
  };
  algorithms: Record<
    string,
    {
      inline: number;
      offloaded: number;
      threadpool: number;
      jobs: number;
      paused: number;
      pauses: number;
      failed: number;
      abandoned: number;
      refused: number;
      fallbacks: number;
      latency: { queue: NativeHistogram; run: NativeHistogram; total: NativeHistogram };
    }
  >;
}

export interface NativeHistogram {
  count: number;
  min: number;
  max: number;
  mean: number;
  p50: number;
  p90: number;
  p99: number;
}

export interface NativeTlsHandshakeStats {
  connections: number;
  handshakes: { loop: number; thread: number };
  latency: { loop: NativeHistogram; thread: NativeHistogram };
  resumed: number;
  earlyData: { accepted: number; refused: number };
}

export interface NativeTlsStats extends NativeTlsHandshakeStats {
  clients: NativeTlsHandshakeStats;
  handshaking: number;
  failed: number;
  dropped: number;
  lent: number;
  moved: number;
  questions: number;
  pauses: number;
  abandoned: number;
  bytesRead: number;
  bytesWritten: number;
}

export interface NativeStats {
  jobs: {
    live: number;
    queued: number;
    ready: number;
    waiting: number;
    submitted: number;
    started: number;
    finished: number;
    failed: number;
    cancelled: number;
    abandoned: number;
    pauses: number;
    handOvers: number;
    noJobs: number;
    engineErrors: number;
  };
  wakeups: { fd: number; callback: number; poll: number };
  latency: { queue: NativeHistogram; run: NativeHistogram; total: NativeHistogram };
  stacks: {
    mode: 'none' | 'default' | 'guarded';
    sizeBytes: number;
    guarded: number;
    unguarded: number;
    highWaterBytes: number | null;
  };
  ticks: number;
  threadJobs: number;
}

/** Statistics, as native code counts. */
export interface NativeStatistics {
  jobs(withHighWater: boolean): NativeStats;
  operations(): NativeOperationStats;
  tls(): NativeTlsStats;
}
