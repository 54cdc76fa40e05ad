// The providers that operations may be in: those that were loaded, those of the process, and the accelerator.
import { asyncError } from '../base/errors';
import { forgetImports } from '../keys/native-keys';
import type { NativeScope } from '../native/contract/scope';
import { environment } from '../native/environment';

const ACCELERATOR = 'accelerator';
/** They work on this machine, and never pause. */
export const SOFTWARE_PROVIDERS: ReadonlySet<string> = new Set(['default', 'base', 'legacy', 'fips']);

export interface KnownProvider {
  /** As it was loaded. */
  name: string;
  library: NativeScope['library'];
  /** Of one in the addon's own library: what was found while another was loaded is not used any more. */
  generation: number | undefined;
  pauses: boolean;
}

// Those in the addon's own library, by their names in lower case, as queries compare them.
const loaded = new Map<string, KnownProvider>();
// Those that the process's configuration has activated, as far as somebody has named them. They stay.
const inProcess = new Map<string, KnownProvider>();
const accelerator: KnownProvider = { name: ACCELERATOR, library: 'own', generation: undefined, pauses: true };
let generations = 0;

/** From now on, this name stands for a provider in the addon's own library. One that does not pause blocks. */
export function setLoaded(provider: string, pauses: boolean): void {
  forgetMade(provider);
  loaded.set(provider.toLowerCase(), { name: provider, library: 'own', generation: ++generations, pauses });
  if (!pauses && !SOFTWARE_PROVIDERS.has(provider)) environment().guardExit();
}

/** From now on, this name does not stand for a provider in the addon's own library. */
export function setUnloaded(provider: string): void {
  forgetMade(provider);
  loaded.delete(provider.toLowerCase());
  ++generations;
}

// What was made for the provider as it was loaded before.
function forgetMade(provider: string): void {
  const generation = loaded.get(provider.toLowerCase())?.generation;
  if (generation !== undefined) forgetImports(generation);
}

/** Of a query that may mean any provider: what was found before another was loaded is looked for again. */
export function currentGeneration(): number {
  return generations;
}

/** Those in the addon's own library, the process's configuration included, in the order of loading. */
export function loadedProviders(): Iterable<KnownProvider> {
  for (const name of environment().addon.libraries.configuredProviders()) findProvider(name);
  return loaded.values();
}

export function isAccelerator(provider: KnownProvider): boolean {
  return provider === accelerator;
}

/** Throws `ERR_ASYNC_PROVIDER_NOT_LOADED` for one that nobody has loaded. */
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
      return known;
    }
    // On another thread, perhaps.
    case 'configuration':
      setLoaded(name, true);
      return loaded.get(key);
    case undefined:
      return undefined;
  }
}
