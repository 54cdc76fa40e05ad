// Modules of PKCS#11 that bring a libcrypto of their own, which the dynamic linker of ELF would mix with the process's.
import { resolve } from 'node:path';
import { fromNative, invalidArgType } from '../base/errors';
import type { NativeError } from './contract/error';
import { Isolation } from './contract/tables';
import { environment } from './environment';
import { validatePath } from '../base/validators';

/** The option of functions that load providers and engines. */
export interface IsolationOptions {
  /**
   * Paths of modules that bring a libcrypto of their own, such as those of PKCS#11. They are opened before anything
   * else, and for good, with that libcrypto and not with this process's. A module that `pkcs11-module-path` or
   * `MODULE_PATH` names need not be listed. Linux with glibc; macOS and Windows keep them apart anyway.
   */
  isolate?: readonly string[];
}

/** Names of parameters and commands whose value is the path of a module. */
const MODULE_NAMES: ReadonlySet<string> = new Set(['pkcs11-module-path', 'MODULE_PATH']);

// The variables that name a module of PKCS#11 when nothing else does: pkcs11-provider's, and libp11's.
const VARIABLES = { provider: 'PKCS11_PROVIDER_MODULE', engine: 'PKCS11_MODULE_PATH' } as const;

type User = keyof typeof VARIABLES;

/**
 * The modules that a provider or an engine will open.
 *
 * @param settings - by turns names and values, as native code gets them
 */
export function modulesOf(user: User, name: string, settings: readonly unknown[]): string[] {
  const found: string[] = [];
  for (let i = 0; i + 1 < settings.length; i += 2) {
    const value = settings[i + 1];
    if (!MODULE_NAMES.has(settings[i] as string)) continue;
    if (typeof value === 'string' || Buffer.isBuffer(value)) found.push(value.toString());
  }
  const variable = process.env[VARIABLES[user]];
  if (found.length === 0 && variable !== undefined && /pkcs11/i.test(name)) found.push(variable);
  return found.filter((path) => path !== '');
}

/** The paths of the option. */
export function validateIsolate(isolate: unknown): string[] {
  if (isolate === undefined) return [];
  if (!Array.isArray(isolate)) throw invalidArgType('options.isolate', 'an instance of Array', isolate);
  return isolate.map((path: unknown, index) => {
    validatePath(path, `options.isolate[${String(index)}]`);
    return resolve(path);
  });
}

/**
 * To be called before the module that uses them is loaded.
 *
 * @param wanted - the result of {@link validateIsolate}
 * @param found - modules that the loaded provider or engine will open
 */
export function isolateModules(wanted: readonly string[], found: readonly string[], user: User): void {
  const { addon } = environment();
  for (const path of wanted) throwIf(addon.modules.isolate(path, Isolation.wanted));
  for (const path of found) throwIf(addon.modules.isolate(path, Isolation[user]));
}

function throwIf(failed: NativeError | undefined): void {
  if (failed !== undefined) throw fromNative(failed);
}
