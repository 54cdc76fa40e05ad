// Where the implementation of an operation is looked for: what its options `provider` and `properties` mean.
import { asyncError, invalidArgValue } from '../base/errors';
import type { NativeScope } from '../native/contract/scope';
import { environment } from '../native/environment';
import { forgetImports } from '../keys/native-keys';
import type { OperationOptions } from './operation-options';
import { parseQuery, type Query } from './query';

const PROCESS_LIBRARY = 0;
const OWN_LIBRARY = 1;
const ACCELERATOR = 'accelerator';
/** They work on this machine, and never pause. */
export const SOFTWARE_PROVIDERS: ReadonlySet<string> = new Set(['default', 'base', 'legacy', 'fips']);

interface KnownProvider {
  /** As it was loaded. */
  name: string;
  library: typeof PROCESS_LIBRARY | typeof OWN_LIBRARY;
  /** Of one in the addon's own library: what was found while another was loaded is not used any more. */
  generation: number | undefined;
  pauses: boolean;
}

// Those in the addon's own library, by their names in lower case, as queries compare them.
const loaded = new Map<string, KnownProvider>();
// Those that the process's configuration has activated, as far as somebody has named them. They stay.
const inProcess = new Map<string, KnownProvider>();
const accelerator: KnownProvider = { name: ACCELERATOR, library: OWN_LIBRARY, generation: undefined, pauses: true };
let generations = 0;

/** From now on, this name stands for a provider in the addon's own library. One that does not pause blocks. */
export function setLoaded(provider: string, pauses: boolean): void {
  forgetMade(provider);
  const library = OWN_LIBRARY;
  loaded.set(provider.toLowerCase(), { name: provider, library, generation: ++generations, pauses });
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

/** Whether an operation with these options wants another implementation than OpenSSL's choice. */
export function choosesImplementation(options: OperationOptions | undefined): boolean {
  return options !== undefined && (options.provider !== undefined || options.properties !== undefined);
}

/**
 * Where an operation with these options looks for its implementation; undefined for OpenSSL's own choice. Throws
 * `ERR_ASYNC_PROVIDER_NOT_LOADED` for a provider that they require and nobody has loaded.
 */
export function scopeOf(options: OperationOptions | undefined): NativeScope | undefined {
  if (options === undefined) return undefined;
  const { provider, properties = '' } = options;
  if (provider === undefined) return properties === '' ? undefined : scopeOfQuery(properties, queryOf(properties));
  const known = required(provider);
  if (properties !== '' && queryOf(properties).namesProvider) {
    throw invalidArgValue('options.properties', properties, 'must not name a provider besides the option `provider`');
  }
  const rest = properties === '' ? '' : `,${properties}`;
  // What is not worth a pause (digests, ciphers) the accelerator passes through.
  return scopeIn(known, `${known === accelerator ? '?' : ''}provider=${known.name}${rest}`);
}

function queryOf(properties: string): Query {
  const query = parseQuery(properties);
  if (!query.weakensFips || !environment().addon.libraries.inFipsMode()) return query;
  throw asyncError('ERR_ASYNC_FIPS', `The process is in FIPS mode, which '${properties}' would weaken`);
}

function scopeOfQuery(properties: string, query: Query): NativeScope {
  if (query.required !== undefined) return scopeIn(required(query.required), properties);
  if (query.preferred !== undefined) {
    const known = find(query.preferred);
    if (known !== undefined) return scopeIn(known, properties);
    // To OpenSSL, a preference for what is not there is none. What was meant for hardware runs here all the same.
    const passesOver = !SOFTWARE_PROVIDERS.has(query.preferred);
    return [PROCESS_LIBRARY, properties, false, undefined, undefined, false, passesOver];
  }
  // Any provider may be meant: what was found before another was loaded is looked for again.
  return [PROCESS_LIBRARY, properties, false, query.namesProvider ? undefined : generations];
}

/** Whom a query may mean, besides the process's providers: those that were loaded, in this order. */
export function scopesOfLoaded({ namesProvider, strict }: Query): NativeScope[] {
  if (namesProvider) return [];
  for (const name of environment().addon.libraries.configuredProviders()) find(name);
  return [...loaded.values()].map((known) => scopeIn(known, `provider=${known.name},${strict}`));
}

function scopeIn({ name, library, generation, pauses }: KnownProvider, properties: string): NativeScope {
  const isSoftware = SOFTWARE_PROVIDERS.has(name);
  return [library, properties, pauses && !isSoftware, generation, `provider:${name}`, !pauses && !isSoftware];
}

function required(name: string): KnownProvider {
  const known = find(name);
  if (known !== undefined) return known;
  const how = `loadProvider('${name}') loads one for the thread that calls it`;
  throw asyncError('ERR_ASYNC_PROVIDER_NOT_LOADED', `The provider '${name}' is not loaded: ${how}`);
}

function find(name: string): KnownProvider | undefined {
  const key = name.toLowerCase();
  if (key === ACCELERATOR) return accelerator;
  return loaded.get(key) ?? inProcess.get(key) ?? locate(name, key);
}

function locate(name: string, key: string): KnownProvider | undefined {
  switch (environment().addon.providers.find(name)) {
    case 'process': {
      const known: KnownProvider = { name: key, library: PROCESS_LIBRARY, generation: undefined, pauses: true };
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
