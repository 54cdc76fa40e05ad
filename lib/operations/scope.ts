// The scope in which an operation looks for its implementation, as its options `provider` and `properties` choose it.
import { asyncError, invalidArgValue } from '../base/errors';
import { PROCESS_SCOPE, type Scope } from '../keys/scope';
import { environment } from '../native/environment';
import {
  currentGeneration,
  findProvider,
  isAccelerator,
  loadedProviders,
  requireProvider,
  SOFTWARE_PROVIDERS,
  type KnownProvider,
} from './known-providers';
import type { OperationOptions } from './operation-options';
import { parseQuery, type Query } from './query';

/** Whether an operation with these options wants another implementation than OpenSSL's choice. */
export function choosesImplementation(options: OperationOptions | undefined): boolean {
  return options !== undefined && (options.provider !== undefined || options.properties !== undefined);
}

/**
 * Where an operation with these options looks for its implementation; undefined for OpenSSL's own choice. Throws
 * `ERR_ASYNC_PROVIDER_NOT_LOADED` for a provider that they require and nobody has loaded.
 */
export function scopeOf(options: OperationOptions | undefined): Scope | undefined {
  if (options === undefined) return undefined;
  const { provider, properties = '' } = options;
  if (provider === undefined) return properties === '' ? undefined : scopeOfQuery(properties, queryOf(properties));
  const known = requireProvider(provider);
  if (properties !== '' && queryOf(properties).namesProvider) {
    throw invalidArgValue('options.properties', properties, 'must not name a provider besides the option `provider`');
  }
  const rest = properties === '' ? '' : `,${properties}`;
  // The accelerator passes operations through that are not worth a pause (digests, ciphers).
  return scopeIn(known, `${isAccelerator(known) ? '?' : ''}provider=${known.name}${rest}`);
}

function queryOf(properties: string): Query {
  const query = parseQuery(properties);
  if (!query.weakensFips || !environment().addon.libraries.inFipsMode()) return query;
  throw asyncError('ERR_ASYNC_FIPS', `The process is in FIPS mode, which '${properties}' would weaken`);
}

function scopeOfQuery(properties: string, query: Query): Scope {
  if (query.required !== undefined) return scopeIn(requireProvider(query.required), properties);
  if (query.preferred !== undefined) {
    const known = findProvider(query.preferred);
    if (known !== undefined) return scopeIn(known, properties);
    // OpenSSL ignores a preference for an absent provider. An operation that was meant for hardware then runs here.
    const passesOver = !SOFTWARE_PROVIDERS.has(query.preferred);
    return { ...PROCESS_SCOPE, properties, passesOver };
  }
  // Any provider may be meant, so the implementation is looked up again after each load.
  return { ...PROCESS_SCOPE, properties, generation: query.namesProvider ? undefined : currentGeneration() };
}

/** The scopes that a query may mean besides the process's: the loaded providers', in the order of loading. */
export function scopesOfLoaded({ namesProvider, strict }: Query): Scope[] {
  if (namesProvider) return [];
  return Array.from(loadedProviders(), (known) => scopeIn(known, `provider=${known.name},${strict}`));
}

function scopeIn({ name, library, generation, pauses }: KnownProvider, properties: string): Scope {
  const isHardware = !SOFTWARE_PROVIDERS.has(name);
  return {
    library,
    properties,
    mayPause: isHardware && pauses,
    blocks: isHardware && !pauses,
    backend: `provider:${name}`,
    generation,
    passesOver: false,
  };
}
