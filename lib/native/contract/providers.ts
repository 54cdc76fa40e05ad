import type { NativeError } from './error';
import type { NativeProvider } from './handles';

export interface NativeProviderInfo {
  name: string;
  title: string;
  version: string;
  buildInfo: string;
  active: boolean;
  /** Present where it was asked for. */
  selfTest?: boolean;
  algorithms: Record<string, string[]>;
}

/** Providers in the addon's own library, and providers that others have loaded. */
export interface NativeProviders {
  /** Loads into the addon's own library; `parameters` has names and values by turns. */
  load(name: string, path: string | undefined, parameters: readonly string[]): NativeProvider | NativeError;
  /**
   * Has the parameter read while operations of `backend` are in flight, until `NativeDevices.stopPolling` or the next
   * call. The parameter's value says how many responses the device had.
   */
  poll(
    backend: string,
    provider: NativeProvider,
    parameter: string,
    intervalMs: number,
    asymThreshold: number,
    symThreshold: number,
  ): NativeError | undefined;
  /** The provider may not be asked for anything afterwards. */
  unload(provider: NativeProvider): void;
  describe(provider: NativeProvider): NativeProviderInfo;
  test(provider: NativeProvider): boolean;
  parameter(provider: NativeProvider, name: string): string | undefined;
  list(ownLibrary: boolean, selfTest: boolean): readonly NativeProviderInfo[] | NativeError;
  /** Where operations find a provider that was not loaded here: `'configuration'` is in the addon's own library. */
  find(name: string): 'process' | 'configuration' | undefined;
}
