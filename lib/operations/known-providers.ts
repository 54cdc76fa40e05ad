// The providers that operations may use: loaded ones, the process's own, and the accelerator.
import { asyncError } from '../base/errors';
import { forgetImports } from '../keys/native-keys';
import type { NativeScope } from '../native/contract/scope';
import { environment } from '../native/environment';

const ACCELERATOR = 'accelerator';
/** Providers that work on this machine, and never pause. */
export const SOFTWARE_PROVIDERS: ReadonlySet<string> = new Set(['default', 'base', 'legacy', 'fips']);

export interface KnownProvider {
  /** The name that the provider was loaded by. */
  name: string;
  library: NativeScope['library'];
  /** In the addon's own library: keys and specs of an earlier generation are not used any more. */
  generation: number | undefined;
  pauses: boolean;
}

// The providers in the addon's own library, by their names in lower case, as queries compare them.
const loaded = new Map<string, KnownProvider>();
// The providers that the process's configuration has activated, as far as operations have named them. They stay.
const inProcess = new Map<string, KnownProvider>();
const accelerator: KnownProvider = { name: ACCELERATOR, library: 'own', generation: undefined, pauses: true };
let generations = 0;

/** From now on, this name stands for a provider in the addon's own library. A provider that does not pause blocks. */
export function setLoaded(provider: string, pauses: boolean): void {
  forgetMade(provider);
  loaded.set(provider.toLowerCase(), { name: provider, library: 'own', generation: ++generations, pauses });
  guardExit(provider, pauses);
}

/** From now on, this name does not stand for a provider in the addon's own library. */
export function setUnloaded(provider: string): void {
  forgetMade(provider);
  loaded.delete(provider.toLowerCase());
  ++generations;
}

// Threads of the pool wait for hardware that does not pause, and without jobs for all hardware.
function guardExit(provider: string, pauses: boolean): void {
  const env = environment();
  if ((!pauses || env.withoutJobs !== undefined) && !SOFTWARE_PROVIDERS.has(provider)) env.guardExit();
}

// Forgets the keys and specs of the provider's previous load.
function forgetMade(provider: string): void {
  const generation = loaded.get(provider.toLowerCase())?.generation;
  if (generation !== undefined) forgetImports(generation);
}

/** The generation of a query that may mean any provider: its implementation is looked up again after each load. */
export function currentGeneration(): number {
  return generations;
}

/** The providers in the addon's own library, including those of configuration files, in the order of loading. */
export function loadedProviders(): Iterable<KnownProvider> {
  for (const name of environment().addon.libraries.configuredProviders()) findProvider(name);
  return loaded.values();
}

export function isAccelerator(provider: KnownProvider): boolean {
  return provider === accelerator;
}

/** Throws `ERR_ASYNC_PROVIDER_NOT_LOADED` for a provider that nobody has loaded. */
export function requireProvider(name: string): KnownProvider {
  const known = findProvider(name);
  if (known !== undefined) return known;
  const how = `loadProvider('${name}') loads one for the thread that calls it`;
  throw asyncError('ERR_ASYNC_PROVIDER_NOT_LOADED', `The provider '${name}' is not loaded: ${how}`);
}

export function findProvider(name: string): KnownProvider | undefined {
  const key = name.toLowerCase();
  if (key === ACCELERATOR) return accelerator;
  return loaded.get(key) ?? inProcess.get(key) ?? locate(name, key);
}

function locate(name: string, key: string): KnownProvider | undefined {
  switch (environment().addon.providers.find(name)) {
    case 'process': {
      const known: KnownProvider = { name: key, library: 'process', generation: undefined, pauses: true };
      inProcess.set(key, known);
      guardExit(key, known.pauses);
      return known;
    }
    // A configuration file has activated the provider, perhaps on another thread.
    case 'configuration':
      setLoaded(name, true);
      return loaded.get(key);
    case undefined:
      return undefined;
  }
}
