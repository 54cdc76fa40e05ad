import type { NativeError } from './error';

/** The process's library context and the addon's own. */
export interface NativeLibraries {
  /**
   * Whether the process and the addon's own library, if there is one yet, are in FIPS mode, and which provider is
   * accelerated.
   */
  contexts(): { process: boolean; own?: boolean; accelerator?: 'default' | 'fips' };
  /** Whether the process is in FIPS mode now. */
  inFipsMode(): boolean;
  /** Names of the providers that configuration files have activated in the addon's own library, on any thread. */
  configuredProviders(): string[];
  /** Reads a configuration file into the addon's own library. */
  loadConfiguration(path: string): NativeError | undefined;
}
