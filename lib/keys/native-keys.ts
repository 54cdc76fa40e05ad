// Holders of native keys that have to go before their finalizers run: with the provider that they were imported into,
// or with the engine that was the process's default at the import.
import { environment, type Listener } from '../native/environment';

/** A holder of native keys. */
export interface KeyHolder {
  /** Lets go of the native keys of a provider's generation; without one, of all. */
  forget(generation?: number): void;
}

const DEFAULT_ENGINES = 0;

// Holders by generation.
const holders = new Map<number, Set<WeakRef<KeyHolder>>>();
const collected = new FinalizationRegistry<{ among: Set<WeakRef<KeyHolder>>; reference: WeakRef<KeyHolder> }>(
  ({ among, reference }) => among.delete(reference),
);
const defaultEngines = new Set<object>();

/** `holder` has imported a key, into the provider of this generation if there is one. */
export function noteImport(holder: KeyHolder, generation: number | undefined): void {
  if (generation !== undefined) note(holder, generation);
  if (defaultEngines.size > 0) note(holder, DEFAULT_ENGINES);
}

/** From now on, whatever key is imported may keep `engine`. */
export function noteDefaultEngine(engine: object): void {
  defaultEngines.add(engine);
}

/** Forgets the keys that may keep `engine`, if it was a default. */
export function forgetDefaultEngine(engine: object): void {
  if (defaultEngines.delete(engine)) forget(DEFAULT_ENGINES, undefined);
}

/** Forgets the keys that were imported into the provider of this generation. */
export function forgetImports(generation: number): void {
  forget(generation, generation);
}

/** Resolves when the operations that are in flight now are over, and have let go of all that they used. */
export function inFlightEnded(): Promise<void> {
  const env = environment();
  env.enter();
  return new Promise((resolve) => {
    const wait: Listener = {
      id: -1,
      receive: () => {
        env.unlisten(wait.id);
        return true;
      },
      conclude: resolve,
      // Native code's wait ends by itself.
      recall: () => undefined,
    };
    env.submitting = wait;
    const isAwaited = env.addon.devices.awaitEnds(env.listen(wait));
    if (!isAwaited) env.unlisten(wait.id);
    env.submitting = undefined;
    if (!isAwaited) resolve();
  });
}

function note(holder: KeyHolder, generation: number): void {
  const among = holders.get(generation) ?? new Set();
  holders.set(generation, among);
  const reference = new WeakRef(holder);
  among.add(reference);
  collected.register(holder, { among, reference });
}

function forget(name: number, generation: number | undefined): void {
  const among = holders.get(name) ?? [];
  holders.delete(name);
  for (const reference of among) reference.deref()?.forget(generation);
}
