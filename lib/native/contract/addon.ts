// The addon's exports, as src-native/binding/ defines them. Arguments are validated before they come here.
import type { Family, Isolation, ThreadpoolOutcome } from './tables';

/** An error as data. `code` is one of lib/base/errors.ts, or empty when only `opensslErrors` counts. */
export interface NativeError {
  readonly code: string;
  readonly message: string;
  /** OpenSSL's lines, oldest first. */
  readonly opensslErrors: readonly string[];
}

declare const handle: unique symbol;
/** A native object. It never leaves lib/. */
export interface NativeHandle<Name extends string> {
  readonly [handle]: Name;
}
export type NativeWaitContext = NativeHandle<'wait-context'>;
export type NativeWaitSignal = NativeHandle<'wait-signal'>;
export type NativeJob = NativeHandle<'job'>;
export type NativeKey = NativeHandle<'key'>;
export type NativeSpec = NativeHandle<'spec'>;
export type NativeProvider = NativeHandle<'provider'>;
export type NativeEngine = NativeHandle<'engine'>;
/** What comes of something that an engine was asked for; complete once the operation has ended. */
export type NativeOutcome = NativeHandle<'outcome'>;
/** What `openssl_async_create_job_function()` makes; it comes from other addons. */
export type NativeJobFunctionExternal = NativeHandle<'job-function'>;

/** Where algorithms are looked for: library 0 is the process's, 1 the addon's own. */
export type NativeScope = readonly [
  library: number,
  properties: string,
  mayPause: boolean,
  /** Of the provider that is named: what was found while another was loaded under this name is not used any more. */
  generation?: number,
  /** Who does the work, for the statistics: `provider:NAME`, for example. */
  backend?: string,
  /** What holds the thread while somebody else does the work: it never runs on the event loop unless asked to. */
  blocks?: boolean,
  /** It prefers hardware that is not there: read by JavaScript only. */
  passesOver?: boolean,
];

export interface NativeProviderInfo {
  name: string;
  title: string;
  version: string;
  buildInfo: string;
  active: boolean;
  /** Where it was asked for. */
  selfTest?: boolean;
  algorithms: Record<string, string[]>;
}

export interface NativeEngineInfo {
  id: string;
  name: string;
  algorithms: string[];
  commands: {
    name: string;
    description: string;
    takesNumber: boolean;
    takesText: boolean;
    takesNothing: boolean;
  }[];
}

/** An operation that asks an engine for something, and what comes of it. */
export type NativeEngineTask = readonly [spec: NativeSpec, outcome: NativeOutcome];

/** By turns a command's name and its value: a number, the bytes of a text, or none. */
export type NativeCommands = readonly (string | number | Uint8Array | undefined)[];

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

/** What the addon's file exports. */
export interface NativeModule {
  opensslVersion(): string;
  /** What the addon calls in any case, and what it calls where it is there. */
  symbolNames(): { required: string[]; optional: string[] };
  /** Whether the process has a symbol for whoever is loaded into it. */
  hasSymbol(name: string): boolean;
  /** Paths of the addons of all copies of this package in the process, that of this one first. */
  copies(): string[];
  /** Empty when `open` exists and works. */
  unsupportedReason(): string;
  /** An addon for the copy of the library that calls it, which shares nothing with those of others. */
  open(): NativeAddon | NativeError;
}

/** The addon of one copy of the library on one thread. */
export interface NativeAddon {
  /** The functions and the arrays have to live as long as the addon. `state` has the words of {@link StateWord}. */
  setEventSink(
    buffer: Int32Array,
    onEvents: (count: number) => void,
    onCallbacks: (waitContextIds: number[]) => void,
    state: Int32Array,
  ): void;
  /** Calls the function, and counts it in {@link StateWord} meanwhile, however it ends. */
  inside(body: () => void): void;
  configure(
    maxJobs: number,
    tickBudgetMicros: number,
    pollInitialMs: number,
    pollMaxMs: number,
    drainTimeoutMs: number,
  ): void;
  /** False, without effect, once a job stack may exist in this process. */
  configureStacks(stackSizeBytes: number, maxGuardedStacks: number): boolean;
  initThread(maxSize: number, initSize: number): NativeError | undefined;
  cleanupThread(): NativeError | undefined;

  createWaitContext(): NativeWaitContext | NativeError;
  /** `[key, fd, key, fd, …]` whose clean-up is due; undefined while a job lives. */
  closeWaitContext(context: NativeWaitContext): number[] | undefined;
  waitContextFds(context: NativeWaitContext): number[];
  waitContextChangedFds(context: NativeWaitContext): [added: number[], removed: number[]];
  waitContextBusy(context: NativeWaitContext): boolean;
  waitContextStatus(context: NativeWaitContext): number;
  setWaitContextStatus(context: NativeWaitContext, status: number): void;
  observeCallbacks(context: NativeWaitContext, id: number): void;
  stopObservingCallbacks(context: NativeWaitContext): void;
  takeCallbacks(): number[];
  await(context: NativeWaitContext, id: number): NativeError | undefined;
  cancelAwait(id: number): void;
  checkFd(fd: number): NativeError | undefined;

  createSignal(): NativeWaitSignal | NativeError;
  signalFd(signal: NativeWaitSignal): number;
  wakeSignal(signal: NativeWaitSignal): void;
  clearSignal(signal: NativeWaitSignal): boolean;
  closeSignal(signal: NativeWaitSignal): void;

  isJobFunction(value: unknown): value is NativeJobFunctionExternal;

  createJob(func: NativeJobFunctionExternal | null, args: Uint8Array | null, context: NativeWaitContext): NativeJob;
  runJob(job: NativeJob): number | NativeError;
  /** The number names a job of {@link NativeAddon.submit}'s. */
  continueJob(
    job: NativeJob | number,
    kind: number,
    key: number,
    fd: number,
    wantsCleanup: boolean,
    returnValue: number,
  ): void;
  jobOutcome(job: NativeJob): [ok: number, fd: number];
  endJob(job: NativeJob): { returnValue: number; exception?: string; opensslErrors: string[] };
  /** True when it goes on under this id until its end is told. */
  releaseJob(job: NativeJob, id: number): boolean;

  submit(
    id: number,
    func: NativeJobFunctionExternal | null,
    args: Uint8Array | null,
    context: NativeWaitContext | null,
  ): void;
  /** `batch` has their number, which becomes 0, and their ids. */
  submitBatch(batch: Int32Array, func: NativeJobFunctionExternal | null): void;
  /** Whether an event of a job with this id may come. */
  knowsJob(id: number): boolean;
  interrupt(id: number): void;
  /** True when the job had not begun: no event will come. */
  abandon(id: number): boolean;
  takeFailure(id: number): NativeError;
  setTracing(tracing: boolean): void;
  stats(withHighWater: boolean): NativeStats;

  /** Into the addon's own library; `parameters` by turns their names and values. */
  loadProvider(name: string, path: string | undefined, parameters: readonly string[]): NativeProvider | NativeError;
  /**
   * Has the parameter read while operations of `backend` are in flight: its value says how many responses the device had.
   * Until {@link stopPolling}, or another takes its place.
   */
  pollProvider(
    backend: string,
    provider: NativeProvider,
    parameter: string,
    intervalMs: number,
    asymThreshold: number,
    symThreshold: number,
  ): NativeError | undefined;
  /** As soon as none of its operations is in flight. */
  stopPolling(backend: string): void;
  /**
   * Has an event told, with this id, when the operations that are in flight now are over. False when there are none:
   * nothing is told then.
   */
  awaitEnds(id: number): boolean;
  /** How operations of `backend` are waited for, as {@link WaitMode} has it. */
  setWaitMode(backend: string, mode: number): void;
  /** Nothing may be asked of it afterwards. */
  unloadProvider(provider: NativeProvider): void;
  describeProvider(provider: NativeProvider): NativeProviderInfo;
  testProvider(provider: NativeProvider): boolean;
  providerParameter(provider: NativeProvider, name: string): string | undefined;
  listProviders(ownLibrary: boolean, selfTest: boolean): readonly NativeProviderInfo[] | NativeError;
  /** Where operations find a provider that was not loaded here: `'configuration'` is in the addon's own library. */
  findProvider(name: string): 'process' | 'configuration' | undefined;
  /** Whether the process and the addon's own library, if there is one yet, are in FIPS mode, and what is accelerated. */
  libraryContexts(): { process: boolean; own?: boolean; accelerator?: 'default' | 'fips' };
  /** Whether the process is in FIPS mode now. */
  inFipsMode(): boolean;
  /** Names of those that configuration files have activated in the addon's own library, on whatever thread. */
  configuredProviders(): string[];
  /** Reads a configuration file into the addon's own library. */
  loadConfiguration(path: string): NativeError | undefined;
  /** Opens a module so that it keeps the libcrypto that it brings; see {@link Isolation}. */
  isolateModule(path: string, isolation: Isolation): NativeError | undefined;
  /** Which libcrypto besides the process's a module would bring, or an empty name. */
  secondLibcrypto(path: string): [name: string, canIsolate: boolean];
  /** Modules of PKCS#11 that a configuration file names. */
  configuredModules(path: string): string[];

  loadEngine(
    name: string,
    isPath: boolean,
    id: string,
    beforeInit: NativeCommands,
    afterInit: NativeCommands,
  ): NativeEngineTask;
  controlEngine(engine: NativeEngine, command: string, value: number | Uint8Array | undefined): NativeEngineTask;
  /** The input of its call is the PIN, if there is one. */
  loadEngineKey(engine: NativeEngine, id: string, isPrivate: boolean): NativeEngineTask;
  /** That of what was asked, if it came to nothing. */
  takeError(outcome: NativeOutcome): NativeError | undefined;
  takeEngine(outcome: NativeOutcome): NativeEngine;
  takeEngineKey(outcome: NativeOutcome, pauses: boolean): [key: NativeKey, spki: Buffer];
  describeEngine(engine: NativeEngine): NativeEngineInfo;
  /** As {@link pollProvider}, with a command. */
  pollEngine(
    backend: string,
    engine: NativeEngine,
    command: string,
    intervalMs: number,
    asymThreshold: number,
    symThreshold: number,
  ): NativeError | undefined;
  /** `methods`: those of {@link EngineMethod} that the key may use. */
  bindEngineKey(engine: NativeEngine, pkcs8: Uint8Array, methods: number, pauses: boolean): NativeKey | NativeError;
  setDefaultEngine(engine: NativeEngine, algorithms: string): NativeError | undefined;
  /** Nothing may be asked of it afterwards. */
  unloadEngine(engine: NativeEngine): void;
  /** Nothing may be taken from it afterwards. */
  releaseOutcome(outcome: NativeOutcome): void;
  listEngines(): { id: string; name: string; loaded: boolean }[];
  /** Waits for the calls that block threads of the pool. None is made afterwards. */
  endBlockingCalls(): void;
  /** Lets go of what it holds. It may not be used afterwards. */
  releaseKey(key: NativeKey): void;
  /** As {@link releaseKey}. */
  releaseSpec(spec: NativeSpec): void;

  /** Calls it, with OpenSSL's error queue of this thread empty, and afterwards as it was before. */
  isolateErrors<T>(call: () => T): T;
  /** SubjectPublicKeyInfo, or unencrypted PKCS#8; `type` as OpenSSL calls it. */
  createKey(
    der: Uint8Array,
    isPrivate: boolean,
    type: string | undefined,
    scope: NativeScope | undefined,
  ): NativeKey | NativeError;
  /** `number` is what requests name it by; `operations` has a bit for each that it can be asked. */
  createRemoteKey(
    der: Uint8Array,
    type: string,
    number: number,
    operations: number,
    flags: number,
  ): NativeKey | NativeError;
  /** `onRequests` gets all words of all new requests. */
  /** `onRequests` is called with the number of requests that have been written to `words` and `bytes`. */
  setRemoteSink(onRequests: (count: number) => void, words: Float64Array, bytes: Uint8Array): void;
  /** The bytes and the label of a request that are too long for a batch; undefined when it has ended. */
  remoteBytes(id: number): readonly [bytes: Buffer, label: Buffer | undefined] | undefined;
  /** The name of a digest, as OpenSSL has it. */
  remoteName(number: number): string;
  answerRemote(id: number, bytes: Uint8Array): void;
  refuseRemote(id: number, why: number, message: string): void;
  createSpec(
    family: Family,
    algorithm: string,
    names: readonly string[],
    numbers: readonly number[],
    keys: readonly NativeKey[],
    bytes: readonly Uint8Array[],
    scope: NativeScope | undefined,
    fallback: NativeSpec | undefined,
    /** Whose state the new one starts with. No call of it may be under way. */
    source: NativeSpec | undefined,
  ): NativeSpec | NativeError;
  /** The name of the provider whose implementation it has; undefined where that is not known before a call. */
  specProvider(spec: NativeSpec): string | undefined;
  /** The backend of its scope does not have what it is for: that others do the work is counted there. */
  passOver(spec: NativeSpec): void;
  /** `words` and `bytes` describe a call, `result` and `bytes` answer one that has run by then, `outputs` the others. */
  setCallBuffers(words: Float64Array, bytes: Uint8Array, result: Int32Array, outputs: Uint8Array): void;
  /** A {@link CallStatus}. */
  operate(spec: NativeSpec, ...inputs: (Uint8Array | undefined)[]): number;
  /** The error of a failed operation, or the outputs of a large one; once. */
  takeOperation(id: number): NativeError | readonly Buffer[];
  /** The key that the last call of a spec of {@link Family} `store` found; once. */
  takeKey(spec: NativeSpec): NativeKey;
  /** True when no event will come: it had not begun, or is not known. */
  abandonOperation(id: number): boolean;
  /** Of a call that was {@link CallStatus} `done`, and whose answer nobody will take. */
  forgetAnswer(id: number): void;
  /** `micros` from the call to its end; 0 for those that had none. */
  recordThreadpool(algorithm: string, outcome: ThreadpoolOutcome, micros: number): void;
  configureOperations(maxInlineMicros: number, maxInFlight: number): void;
  /** 0 threads for as many as the machine suggests. False, without effect, once the pool has started. */
  configurePool(threads: number, spareThread: boolean): boolean;
  operationStats(): NativeOperationStats;
}
