// Specs, which calls of one kind share: made on first need, and kept.
import { unshared } from '../base/byte-views';
import { asyncError, fromNative, isNativeError } from '../base/errors';
import type { KeyEntry } from '../keys/key';
import type { NativeKey, NativeSpec } from '../native/contract/handles';
import { Family } from '../native/contract/tables';
import { environment } from '../native/environment';
import { noteImport, type KeyHolder } from '../keys/native-keys';
import { PROCESS_SCOPE, scopeName, type Scope } from '../keys/scope';
import type { Spec } from './call';
import { SOFTWARE_PROVIDERS } from './known-providers';
import type { OperationOptions } from './operation-options';
import { parseQuery } from './query';
import { choosesImplementation, scopeOf, scopesOfLoaded } from './scope';

export { choosesImplementation, scopeOf } from './scope';

/** The parameters that distinguish a spec from others; see the family's header in src-native/operations/. */
export interface SpecRequest {
  family: Family;
  /** The name in the statistics, for example `'sign RSA-2048 sha256'`. */
  algorithm: string;
  names: readonly string[];
  numbers?: readonly (number | undefined)[];
  keys?: readonly NativeKey[];
  /** A function for secret bytes: the request is kept, so that the spec can be made anew. */
  bytes?: readonly Uint8Array[] | (() => readonly Uint8Array[]);
  scope?: Scope | undefined;
  fallback?: Spec | undefined;
  /** The spec whose state the new one starts with. */
  source?: Spec | undefined;
}

/** Throws native code's error: an unknown digest, a key that does not fit. */
export function createSpec(request: SpecRequest): Spec {
  // Only own properties count: somebody may have put others on Object.prototype.
  const own = { __proto__: null, ...request } as SpecRequest;
  const { family, algorithm, names, numbers = [], keys = [], bytes = [], scope, fallback, source } = own;
  const secrets = typeof bytes === 'function' ? bytes() : undefined;
  const native = environment().addon.specs.create(
    family,
    algorithm,
    names,
    numbers.map((number) => number ?? NaN),
    keys,
    (secrets ?? (bytes as readonly Uint8Array[])).map(unshared),
    scope,
    fallback?.native,
    source?.native,
  );
  secrets?.forEach((secret) => secret.fill(0));
  if (isNativeError(native)) throw fromNative(native);
  const { mayPause, generation } = scope ?? PROCESS_SCOPE;
  // All specs have the same shape, so that reading them in each call is fast.
  const spec: Spec = {
    native,
    algorithm,
    generation,
    mayPause,
    passesOver: false,
    isSecret: SECRET_FAMILIES.has(family),
    held: undefined,
    inFipsMode: environment().addon.libraries.inFipsMode(),
    renew: undefined,
  };
  return scope !== undefined && prefers(scope) && isSoftwareInstead(native, scope) ? passOver(spec) : spec;
}

// Families whose outputs are keys, messages or random bytes.
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

/** Whether the scope names hardware, and takes others where that has no implementation. */
function prefers({ properties, mayPause }: Scope): boolean {
  return mayPause && properties.includes('?');
}

function isSoftwareInstead(native: NativeSpec, { backend }: Scope): boolean {
  const provider = environment().addon.specs.provider(native);
  if (provider === undefined || backend === `provider:${provider}`) return false;
  return provider === 'accelerator' || SOFTWARE_PROVIDERS.has(provider);
}

function passOver(spec: Spec): Spec {
  environment().addon.specs.passOver(spec.native);
  return { ...spec, passesOver: true };
}

/** The parts of a request that do not depend on the options of a call. */
export type SpecPlan = Omit<SpecRequest, 'keys' | 'scope' | 'fallback'>;

/** A spec in the scope that `options` ask for, with the keys in that scope, and with the fallback that they ask for. */
export function createSpecIn(
  plan: SpecPlan,
  entries: readonly KeyEntry[],
  options: OperationOptions | undefined,
): Spec {
  const inScope = (scope: Scope | undefined): SpecRequest => ({
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
  if (fallback !== undefined) environment().addon.specs.release(fallback.native); // the spec has it
  return spec;
}

// A spec in a scope, or of software where the scope's hardware lacks the operation.
function createPlaced(
  scope: Scope | undefined,
  inScope: (scope: Scope | undefined) => SpecRequest,
  fallback: Spec | undefined,
): Spec {
  if (scope === undefined) return createSpec(inScope(undefined));
  const { library, properties, generation, backend, passesOver } = scope;
  if (passesOver) return { ...createSpec(inScope(scope)), passesOver };
  if (backend === undefined && library === 'process' && properties !== '') return createByQuery(scope, inScope);
  let spec: Spec | undefined;
  try {
    spec = createSpec({ ...inScope(scope), fallback });
  } catch (error) {
    if (fallback === undefined) throw error;
  }
  if (spec !== undefined && !lacksOperation(spec, scope)) return spec;
  return passOver(createSpec({ ...inScope(undefined), scope: { ...PROCESS_SCOPE, generation, backend } }));
}

// A query that names no provider is tried in the process first, then with each loaded provider.
function createByQuery(scope: Scope, inScope: (scope: Scope | undefined) => SpecRequest): Spec {
  const query = parseQuery(scope.properties);
  const others = scopesOfLoaded(query);
  if (others.length > 0) {
    for (const place of [{ ...PROCESS_SCOPE, properties: query.strict }, ...others]) {
      const spec = tryToCreate(inScope, place);
      if (spec !== undefined) return { ...spec, generation: scope.generation };
    }
  }
  return createSpec(inScope(scope));
}

function tryToCreate(inScope: (scope: Scope) => SpecRequest, scope: Scope): Spec | undefined {
  try {
    const spec = createSpec(inScope(scope));
    return environment().addon.specs.provider(spec.native) === undefined ? undefined : spec;
  } catch {
    return undefined;
  }
}

/** A spec for the calls of a stream, one after the other, and with their state. */
export function createStreamSpec(
  request: Omit<SpecRequest, 'scope' | 'fallback'>,
  options: OperationOptions | undefined,
): Spec {
  return createPlaced(scopeOf(options), (scope) => ({ ...request, scope }), undefined);
}

// Hardware that has taken a key may lack this operation with it. OpenSSL does not look further by itself.
function lacksOperation({ native }: Spec, scope: Scope): boolean {
  return (
    prefers(scope) &&
    scope.backend !== 'provider:accelerator' &&
    environment().addon.specs.provider(native) === undefined
  );
}

function mayFallBack(scope: Scope | undefined, options: OperationOptions | undefined): boolean {
  return scope?.mayPause === true && (fallbackOf(options) ?? environment().options.fallback) === 'software';
}

function fallbackOf(options: OperationOptions | undefined): OperationOptions['fallback'] {
  return options?.requireOffload === true ? 'error' : options?.fallback;
}

/** The spec of a key's operations, which `name` and the options distinguish; made on first need, and kept. */
export function keySpec(
  entry: KeyEntry,
  name: string,
  options: OperationOptions | undefined,
  plan: () => SpecPlan,
): Spec {
  const known = entry.specs.get(placedName(name, options)) as Spec | undefined;
  if (known !== undefined && isCurrent(known, options)) return known;
  return createKeySpec(entry, name, placementOf(options), plan());
}

// As createShared().
function createKeySpec(entry: KeyEntry, name: string, placement: OperationOptions | undefined, plan: SpecPlan): Spec {
  const renew = (): Spec => createKeySpec(entry, name, placement, plan);
  const spec = { ...createSpecIn(plan, [entry], placement), renew };
  const fullName = placedName(name, placement);
  const old = entry.specs.get(fullName);
  if (old !== undefined) entry.forgetSpec(old);
  entry.specs.set(fullName, spec);
  return spec;
}

// The options that decide about a spec; the others are not kept.
function placementOf(options: OperationOptions | undefined): OperationOptions | undefined {
  if (options === undefined) return undefined;
  const { provider, properties, fallback, requireOffload } = options;
  return { provider, properties, fallback, requireOffload };
}

function isCurrent(spec: Spec, options: OperationOptions | undefined): boolean {
  return options === undefined || spec.generation === scopeOf(options)?.generation;
}

/** `name`, with the scope and the fallback that `options` ask for. */
export function placedName(name: string, options: OperationOptions | undefined): string {
  return options === undefined ? name : `${name}|${scopeName(scopeOf(options))}|${String(fallbackOf(options))}`;
}

/** Specs that do not depend on a key, by name. */
export class SpecTable implements KeyHolder {
  readonly #specs = new Map<string, Spec>();

  // Streams may be using the specs: these are released with the streams.
  forget(generation?: number): void {
    for (const [name, spec] of this.#specs) {
      if (spec.generation === generation) this.#specs.delete(name);
    }
  }

  /** Undefined when there is none, or one that was made while other providers were loaded. */
  find(name: string, generation?: number): Spec | undefined {
    const spec = this.#specs.get(name);
    return spec?.generation === generation ? spec : undefined;
  }

  keep(name: string, spec: Spec, renew: () => Spec): Spec {
    const kept = { ...spec, renew };
    this.#specs.set(name, kept);
    if (spec.generation !== undefined) noteImport(this, spec.generation);
    return kept;
  }
}

function inThisMode(spec: Spec): Spec {
  if (spec.inFipsMode === environment().addon.libraries.inFipsMode()) return spec;
  return spec.renew?.() ?? spec;
}

/**
 * The spec that `describe` makes, in the scope of `options`, with its fallback. It is kept in `table`; `name` tells it
 * from others there.
 */
export function specFor(
  table: SpecTable,
  name: string,
  options: OperationOptions | undefined,
  describe: () => Omit<SpecRequest, 'scope' | 'fallback'>,
): Spec {
  const scope = scopeOf(options);
  if (scope === undefined) return table.find(name) ?? createShared(table, name, undefined, describe());
  const known = table.find(sharedName(name, scope, options), scope.generation);
  return known ?? createShared(table, name, placementOf(options), describe());
}

function sharedName(name: string, scope: Scope, options: OperationOptions | undefined): string {
  return `${name}|${scopeName(scope)}|${String(mayFallBack(scope, options))}`;
}

// Only these parameters are kept: nothing else of the call that needed the spec first.
function createShared(
  table: SpecTable,
  name: string,
  placement: OperationOptions | undefined,
  request: Omit<SpecRequest, 'scope' | 'fallback'>,
): Spec {
  const renew = (): Spec => createShared(table, name, placement, request);
  const scope = scopeOf(placement);
  if (scope === undefined) return table.keep(name, createSpec(request), renew);
  const software = mayFallBack(scope, placement) ? specFor(table, name, undefined, () => request) : undefined;
  const fallback = software && inThisMode(software);
  const spec = createPlaced(scope, (place) => ({ ...request, scope: place }), fallback);
  return table.keep(sharedName(name, scope, placement), spec, renew);
}

/** The spec of a plan without keys; made on first need, and kept in `table`. `name` tells it from others there. */
export function plannedSpec(
  table: SpecTable,
  name: string,
  plan: SpecPlan,
  options: OperationOptions | undefined,
): Spec {
  const known = table.find(placedName(name, options), scopeOf(options)?.generation);
  return known ?? createPlanned(table, name, plan, placementOf(options));
}

// As createShared().
function createPlanned(table: SpecTable, name: string, plan: SpecPlan, placement: OperationOptions | undefined): Spec {
  const renew = (): Spec => createPlanned(table, name, plan, placement);
  return table.keep(placedName(name, placement), createSpecIn(plan, [], placement), renew);
}
