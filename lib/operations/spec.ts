// What calls of one kind share: made on first need, and kept.
import { unshared } from '../byte-views';
import { asyncError, fromNative, isNativeError } from '../errors';
import { scopeName, type KeyEntry } from '../keys';
import { Family, type NativeKey, type NativeScope, type NativeSpec } from '../native/contract';
import { environment } from '../native/environment';
import { forgetImports } from '../native-keys';
import type { OperationOptions, Spec } from './call';

/** What distinguishes a spec from others; see the family's header in src-native/operations/. */
export interface SpecRequest {
  family: Family;
  /** In the figures, for example `'sign RSA-2048 sha256'`. */
  algorithm: string;
  names: readonly string[];
  numbers?: readonly (number | undefined)[];
  keys?: readonly NativeKey[];
  bytes?: readonly Uint8Array[];
  scope?: NativeScope | undefined;
  fallback?: Spec | undefined;
  /** Whose state the new one starts with. */
  source?: Spec | undefined;
}

/** Throws what native code says: an unknown digest, a key that does not fit. */
export function createSpec(request: SpecRequest): Spec {
  // Of its own properties alone: somebody may have put others on Object.prototype.
  const own = { __proto__: null, ...request } as SpecRequest;
  const { family, algorithm, names, numbers = [], keys = [], bytes = [], scope, fallback, source } = own;
  const native = environment().addon.createSpec(
    family,
    algorithm,
    names,
    numbers.map((number) => number ?? NaN),
    keys,
    bytes.map(unshared),
    scope,
    fallback?.native,
    source?.native,
  );
  if (isNativeError(native)) throw fromNative(native);
  const [, , mayPause = false, generation] = scope ?? NO_SCOPE;
  const spec: Spec = {
    native,
    algorithm,
    generation,
    mayPause,
    passesOver: false,
    isSecret: SECRET_FAMILIES.has(family),
    held: undefined,
  };
  return scope !== undefined && prefers(scope) && isSoftwareInstead(native, scope) ? passOver(spec) : spec;
}

const NO_SCOPE: readonly [undefined, undefined, undefined, undefined] = [undefined, undefined, undefined, undefined];

// Those whose outputs are keys, messages or random bytes.
const SECRET_FAMILIES: ReadonlySet<Family> = new Set([
  Family.privateDecrypt,
  Family.keyExchange,
  Family.encapsulate,
  Family.decapsulate,
  Family.keyGeneration,
  Family.decrypt,
  Family.decryptStream,
  Family.keyDerivation,
  Family.random,
  Family.store,
]);

/** Whether it names hardware, and takes others where that has no implementation. */
function prefers([, properties, mayPause]: NativeScope): boolean {
  return mayPause && properties.includes('?');
}

function isSoftwareInstead(native: NativeSpec, [, , , , holder]: NativeScope): boolean {
  const provider = environment().addon.specProvider(native);
  if (provider === undefined || holder === `provider:${provider}`) return false;
  return provider === 'accelerator' || SOFTWARE_PROVIDERS.has(provider);
}

function passOver(spec: Spec): Spec {
  environment().addon.passOver(spec.native);
  return { ...spec, passesOver: true };
}

/** A spec without what the options of a call decide. */
export type SpecPlan = Omit<SpecRequest, 'keys' | 'scope' | 'fallback'>;

/** A spec in the scope that `options` ask for, with the keys in that scope, and with the fallback that they ask for. */
export function createSpecIn(
  plan: SpecPlan,
  entries: readonly KeyEntry[],
  options: OperationOptions | undefined,
): Spec {
  const inScope = (scope: NativeScope | undefined): SpecRequest => ({
    ...plan,
    keys: entries.map((entry) => entry.native(scope)),
    scope,
  });
  const held = entries.find((entry) => entry.held !== undefined)?.held;
  if (held !== undefined) {
    held.check?.();
    if (choosesImplementation(options)) {
      throw asyncError('ERR_ASYNC_INVALID_KEY', `The key works where it is held only: by ${held.holder}`);
    }
    return { ...createSpec(inScope(held.scope)), held };
  }
  const scope = scopeOf(options);
  const fallback = mayFallBack(scope, options) ? createSpec(inScope(undefined)) : undefined;
  const spec = createPlaced(scope, inScope, fallback);
  if (fallback !== undefined) environment().addon.releaseSpec(fallback.native); // the spec has it
  return spec;
}

// A spec in a scope, or of software in the place of hardware that does not have what it is for.
function createPlaced(
  scope: NativeScope | undefined,
  inScope: (scope: NativeScope | undefined) => SpecRequest,
  fallback: Spec | undefined,
): Spec {
  if (scope === undefined) return createSpec(inScope(undefined));
  let spec: Spec | undefined;
  try {
    spec = createSpec({ ...inScope(scope), fallback });
  } catch (error) {
    if (fallback === undefined) throw error;
  }
  if (spec !== undefined && !lacksOperation(spec, scope)) return spec;
  const [, , , generation, holder] = scope;
  return passOver(createSpec({ ...inScope(undefined), scope: [0, '', false, generation, holder] }));
}

// Hardware that has taken a key, and can do something else with it. OpenSSL does not look further by itself.
function lacksOperation({ native }: Spec, scope: NativeScope): boolean {
  return (
    prefers(scope) && scope[4] !== 'provider:accelerator' && environment().addon.specProvider(native) === undefined
  );
}

function mayFallBack(scope: NativeScope | undefined, options: OperationOptions | undefined): boolean {
  return scope?.[2] === true && (fallbackOf(options) ?? environment().options.fallback) === 'software';
}

function fallbackOf(options: OperationOptions | undefined): OperationOptions['fallback'] {
  return options?.requireOffload === true ? 'error' : options?.fallback;
}

/** The spec of operations with a key that `name` distinguishes, and their options; made on first need, and kept. */
export function keySpec(
  entry: KeyEntry,
  name: string,
  options: OperationOptions | undefined,
  plan: () => SpecPlan,
): Spec {
  const fullName = placedName(name, options);
  let spec = entry.specs.get(fullName) as Spec | undefined;
  if (spec === undefined || !isCurrent(spec, options)) {
    spec = createSpecIn(plan(), [entry], options);
    entry.specs.set(fullName, spec);
  }
  return spec;
}

function isCurrent(spec: Spec, options: OperationOptions | undefined): boolean {
  return options === undefined || spec.generation === scopeOf(options)?.[3];
}

/** `name`, with what `options` say about where the implementation is looked for. */
export function placedName(name: string, options: OperationOptions | undefined): string {
  return options === undefined ? name : `${name}|${scopeName(scopeOf(options))}|${String(fallbackOf(options))}`;
}

const OWN_LIBRARY = 1;
const SOFTWARE_PROVIDERS: ReadonlySet<string> = new Set(['default', 'base', 'legacy', 'fips']);

interface LoadedProvider {
  generation: number;
  pauses: boolean;
}

// Those that were loaded into the addon's own library.
const loaded = new Map<string, LoadedProvider>();
let generations = 0;

/** From now on, this name stands for a provider in the addon's own library. One that does not pause blocks. */
export function setLoaded(provider: string, pauses: boolean): void {
  forgetMade(provider);
  loaded.set(provider, { generation: ++generations, pauses });
  if (!pauses && !SOFTWARE_PROVIDERS.has(provider)) environment().guardExit();
}

/** From now on, this name does not stand for a provider in the addon's own library. */
export function setUnloaded(provider: string): void {
  forgetMade(provider);
  loaded.delete(provider);
}

// What was made for the provider as it was loaded before. Specs of no key may be in use, by streams: they go with those.
function forgetMade(provider: string): void {
  const generation = loaded.get(provider)?.generation;
  if (generation === undefined) return;
  for (const table of tables) table.forget(generation);
  forgetImports(generation);
}

/** Whether an operation with these options wants another implementation than OpenSSL's choice. */
export function choosesImplementation(options: OperationOptions | undefined): boolean {
  return options !== undefined && (options.provider !== undefined || options.properties !== undefined);
}

/** Where an operation with these options looks for its implementation; undefined for OpenSSL's own choice. */
export function scopeOf(options: OperationOptions | undefined): NativeScope | undefined {
  if (options === undefined) return undefined;
  const { provider, properties = '' } = options;
  if (provider === undefined) {
    if (properties === '') return undefined;
    const named = PROVIDER_IN_QUERY.exec(properties)?.[1];
    return named === undefined ? [0, properties, false] : scopeIn(named, properties);
  }
  const rest = properties === '' ? '' : `,${properties}`;
  // What is not worth a pause (digests, ciphers) the accelerator passes through.
  return scopeIn(provider, `${provider === 'accelerator' ? '?' : ''}provider=${provider}${rest}`);
}

function scopeIn(provider: string, properties: string): NativeScope {
  const { generation, pauses = true } = loaded.get(provider) ?? {};
  const library = generation === undefined && provider !== 'accelerator' ? 0 : OWN_LIBRARY;
  const isSoftware = SOFTWARE_PROVIDERS.has(provider);
  return [library, properties, pauses && !isSoftware, generation, `provider:${provider}`, !pauses && !isSoftware];
}

const PROVIDER_IN_QUERY = /(?:^|,)\s*\??\s*provider\s*=\s*([^,\s]+)/i;

const tables: SpecTable[] = [];

/** Specs that do not depend on a key, by what distinguishes them. */
export class SpecTable {
  readonly #specs = new Map<string, Spec>();

  /** @param isShared - by keys: it stays for ever, and forgets what was made for a provider that is unloaded */
  constructor(isShared = true) {
    if (isShared) tables.push(this);
  }

  forget(generation: number): void {
    for (const [name, spec] of this.#specs) {
      if (spec.generation === generation) this.#specs.delete(name);
    }
  }

  get(name: string, create: () => Spec, generation?: number): Spec {
    let spec = this.#specs.get(name);
    if (spec === undefined || spec.generation !== generation) {
      spec = create();
      this.#specs.set(name, spec);
    }
    return spec;
  }
}

/**
 * The spec that `describe` makes, in the scope of `options`, together with what is tried when it fails. It is kept in
 * `table`; `name` tells it from others there.
 */
export function specFor(
  table: SpecTable,
  name: string,
  options: OperationOptions | undefined,
  describe: () => Omit<SpecRequest, 'scope' | 'fallback'>,
): Spec {
  const scope = scopeOf(options);
  if (scope === undefined) return table.get(name, () => createSpec(describe()));
  const fallsBack = mayFallBack(scope, options);
  const create = (): Spec =>
    createPlaced(
      scope,
      (place) => ({ ...describe(), scope: place }),
      fallsBack ? specFor(table, name, undefined, describe) : undefined,
    );
  return table.get(`${name}|${scopeName(scope)}|${String(fallsBack)}`, create, scope[3]);
}
