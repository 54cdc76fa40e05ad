import type { NativeError } from './error';
import type { NativeProvider } from './handles';

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

/** Providers in the addon's own library, and those that others have loaded. */
export interface NativeProviders {
  /** Into the addon's own library; `parameters` by turns their names and values. */
  load(name: string, path: string | undefined, parameters: readonly string[]): NativeProvider | NativeError;
  /**
   * Has the parameter read while operations of `backend` are in flight: its value says how many responses the device had.
   * Until `NativeDevices.stopPolling`, or another takes its place.
   */
  poll(
    backend: string,
    provider: NativeProvider,
    parameter: string,
    intervalMs: number,
    asymThreshold: number,
    symThreshold: number,
  ): NativeError | undefined;
  /** Nothing may be asked of it afterwards. */
  unload(provider: NativeProvider): void;
  describe(provider: NativeProvider): NativeProviderInfo;
  test(provider: NativeProvider): boolean;
  parameter(provider: NativeProvider, name: string): string | undefined;
  list(ownLibrary: boolean, selfTest: boolean): readonly NativeProviderInfo[] | NativeError;
  /** Where operations find a provider that was not loaded here: `'configuration'` is in the addon's own library. */
  find(name: string): 'process' | 'configuration' | undefined;
}
