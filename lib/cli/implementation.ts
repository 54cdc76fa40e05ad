// Whose implementation `speed` measures: loads what the options name.
import type { KeyObject } from 'node:crypto';
import * as library from '../index';

export interface ImplementationOptions {
  provider?: string;
  providerPath?: string;
  engine?: string;
  properties?: string;
}

export interface Implementation {
  /** Of operations that use it. */
  options: library.OperationOptions;
  /** What they take as a private key. */
  bindKey: (key: KeyObject) => KeyObject | library.AsyncKey;
}

/** What Node.js and OpenSSL choose. */
export const DEFAULT_IMPLEMENTATION: Implementation = { options: {}, bindKey: (key) => key };

/** Rejects when what is named cannot be loaded. */
export async function loadImplementation(options: ImplementationOptions): Promise<Implementation> {
  const { provider, providerPath, engine, properties } = options;
  if (provider !== undefined) await loadNamed(provider, providerPath);
  // What `--async-jobs` is about pauses.
  const loaded = engine === undefined ? undefined : await library.loadEngine(engine, { pauses: true });
  return {
    options: {
      // What `fallback: 'software'` gives is not what was asked for.
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
