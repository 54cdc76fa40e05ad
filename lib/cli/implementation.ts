// The implementation that `speed` measures: loads the provider or engine that the options name.
import type { KeyObject } from 'node:crypto';
import * as library from '../index';

export interface ImplementationOptions {
  provider?: string;
  providerPath?: string;
  engine?: string;
  properties?: string;
}

export interface Implementation {
  /** Options of operations that use the implementation. */
  options: library.OperationOptions;
  /** Gives the private key for such operations. */
  bindKey: (key: KeyObject) => KeyObject | library.AsyncKey;
}

/** The choice of Node.js and OpenSSL. */
export const DEFAULT_IMPLEMENTATION: Implementation = { options: {}, bindKey: (key) => key };

/** Rejects when the named provider or engine cannot be loaded. */
export async function loadImplementation(options: ImplementationOptions): Promise<Implementation> {
  const { provider, providerPath, engine, properties } = options;
  if (provider !== undefined) await loadNamed(provider, providerPath);
  // Jobs pause, so that the calls of `--async-jobs` overlap.
  const loaded = engine === undefined ? undefined : await library.loadEngine(engine, { pauses: true });
  return {
    options: {
      // A fallback to software would be measured as the provider.
      ...(provider === undefined ? {} : { provider, fallback: 'error' as const }),
      ...(properties === undefined ? {} : { properties }),
    },
    bindKey: (key) => loaded?.bindKey(key) ?? key,
  };
}

async function loadNamed(name: string, path: string | undefined): Promise<void> {
  if (path === undefined && (name === 'accelerator' || library.listProviders().some((known) => known.name === name)))
    return;
  await library.loadProvider(name, path === undefined ? {} : { path });
}
