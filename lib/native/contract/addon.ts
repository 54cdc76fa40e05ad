// The addon's exports, as src-native/binding/ defines them. Arguments are validated before they come here.
import type { NativeError } from './error';
import type { NativeDevices } from './devices';
import type { NativeEngines } from './engines';
import type { NativeJobs } from './jobs';
import type { NativeKeys } from './keys';
import type { NativeLibraries } from './libraries';
import type { NativeModules } from './modules';
import type { NativeOperations } from './operations';
import type { NativeProviders } from './providers';
import type { NativeRemote } from './remote-keys';
import type { NativeSignals } from './signals';
import type { NativeSpecs } from './specs';
import type { NativeStatistics } from './statistics';
import type { NativeThread } from './thread';
import type { NativeTls } from './tls';
import type { NativeWaitContexts } from './wait-contexts';

/** The exports of the addon's file. */
export interface NativeEntry {
  opensslVersion(): string;
  /** The symbols that the addon requires, and the ones that it calls where they exist. */
  symbolNames(): { required: string[]; optional: string[] };
  /** Whether the process offers a symbol to modules that are loaded into it. */
  hasSymbol(name: string): boolean;
  /** Paths of the addons of all copies of this package in the process, this copy's first. */
  copies(): string[];
  /** Empty when `open` and `withoutJobsReason` exist and work. */
  unsupportedReason(): string;
  /** Why no jobs run; empty when they do. Everything else works without them. */
  withoutJobsReason(): string;
  /** An addon for the calling copy of the library, which shares nothing with the addons of other copies. */
  open(): NativeAddon | NativeError;
}

/** The addon of one copy of the library on one thread, by subject. */
export interface NativeAddon {
  readonly thread: NativeThread;
  readonly waitContexts: NativeWaitContexts;
  readonly signals: NativeSignals;
  readonly jobs: NativeJobs;
  readonly keys: NativeKeys;
  readonly specs: NativeSpecs;
  readonly operations: NativeOperations;
  readonly devices: NativeDevices;
  readonly engines: NativeEngines;
  readonly providers: NativeProviders;
  readonly modules: NativeModules;
  readonly libraries: NativeLibraries;
  readonly remote: NativeRemote;
  /** Makes the functions, which most programs do not need. */
  tls(): NativeTls;
  readonly statistics: NativeStatistics;
}
