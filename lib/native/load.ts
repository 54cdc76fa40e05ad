// The only place that loads the addon. A process that cannot have it still gets the rest of the library: what failed
// is a value here, and becomes an error where somebody needs the addon.
import { existsSync } from 'node:fs';
import * as path from 'node:path';
import bindings from 'bindings';
import type { NativeAddon } from './contract';

const ADDON = 'openssl_async';

// The same from lib/native (tests) and dist/native (the package).
const MODULE_ROOT = path.join(__dirname, '..', '..');

/** Where an addon was looked for, and what came of it. */
export interface LoadAttempt {
  path: string;
  /** Why it did not load; undefined when there is no such file. */
  failure: string | undefined;
}

/** What {@link loadAddon} found. */
export type LoadedAddon =
  | { loaded: true; addon: NativeAddon; path: string }
  | {
      loaded: false;
      code: 'ERR_ASYNC_ADDON_NOT_LOADED' | 'ERR_ASYNC_UNSUPPORTED';
      /** One sentence. */
      reason: string;
      /** What was tried, why it may have failed, what to do. */
      message: string;
      attempts: LoadAttempt[];
    };

/** Which places to look in: a package manager's install script asks whether a prebuild will do. */
export type LoadScope = 'anywhere' | 'prebuilds';

/** Loads the addon from the first place that has one which runs here. */
export function loadAddon(scope: LoadScope = 'anywhere'): LoadedAddon {
  const attempts: LoadAttempt[] = [];
  for (const candidate of candidates(scope)) {
    try {
      return { loaded: true, addon: loadFrom(candidate), path: path.join(...candidate) };
    } catch (error) {
      const file = path.join(...candidate);
      attempts.push({ path: file, failure: exists(file) ? messageOf(error) : undefined });
    }
  }
  return describeFailure(attempts);
}

// OPENSSL_ASYNC_ADDON names one file to use instead: a sanitizer build, or one under test.
function candidates(scope: LoadScope): [folder: string, ...rest: string[]][] {
  const override = process.env.OPENSSL_ASYNC_ADDON;
  if (override !== undefined && override !== '' && scope === 'anywhere') return [[override]];
  const prebuilds = path.join(MODULE_ROOT, 'prebuilds', `${process.platform}-${process.arch}`);
  const places: [string, ...string[]][] = prebuildNames().map((name) => [prebuilds, name]);
  // First: somebody who has compiled one, although the package holds another, wants that one.
  if (scope === 'anywhere') places.unshift([MODULE_ROOT, 'build', 'Release', `${ADDON}.node`]);
  return places;
}

// What the permission model hides counts as absent; asking for it throws.
function exists(file: string): boolean {
  try {
    return existsSync(file);
  } catch {
    return false;
  }
}

// The one that fits comes first; the other is tried too, because the test for the C library is a guess and a binary
// for the wrong one fails to load without harm.
function prebuildNames(): string[] {
  if (process.platform !== 'linux') return [`${ADDON}.node`];
  const libraries = exists('/etc/alpine-release') ? ['musl', 'glibc'] : ['glibc', 'musl'];
  return libraries.map((library) => `${ADDON}.${library}.node`);
}

// One `bindings` call per place: with the whole list, a file that exists but does not load would end the search.
function loadFrom(candidate: string[]): NativeAddon {
  return bindings({ bindings: `${ADDON}.node`, module_root: MODULE_ROOT, try: [candidate] }) as NativeAddon;
}

function describeFailure(attempts: LoadAttempt[]): LoadedAddon {
  const failures = attempts.flatMap(({ failure }) => failure ?? []);
  const missingSymbol = failures.map((failure) => /undefined symbol: (\w+)|symbol not found.*'_(\w+)'/i.exec(failure));
  const symbol = missingSymbol.flatMap((match) => match?.[1] ?? match?.[2] ?? [])[0];
  const runtime = `${process.platform}-${process.arch}, Node.js ${process.version}`;
  const unsupported = symbol !== undefined;
  const reason = unsupported
    ? `This runtime does not export ${symbol}, which the addon needs.`
    : failures.length > 0
      ? `The addon of openssl-async for ${process.platform}-${process.arch} was found but could not be loaded.`
      : `There is no addon of openssl-async for ${process.platform}-${process.arch}.`;
  const lines = [
    reason,
    `Runtime: ${runtime}`,
    'Tried:',
    ...attempts.map(({ path: file, failure }) => `  ${file}: ${failure ?? 'no such file'}`),
    ...advice(failures, unsupported),
  ];
  return {
    loaded: false,
    code: unsupported ? 'ERR_ASYNC_UNSUPPORTED' : 'ERR_ASYNC_ADDON_NOT_LOADED',
    reason,
    message: lines.join('\n'),
    attempts,
  };
}

function advice(failures: string[], unsupported: boolean): string[] {
  if (unsupported) {
    return [
      'Possible causes:',
      '  The runtime is built without OpenSSL or with BoringSSL (Electron, Bun).',
      'What to do:',
      '  Run under an official Node.js binary or one that links OpenSSL 3.0 or later.',
    ];
  }
  const causes =
    failures.length > 0
      ? [
          '  node_modules was installed for another platform, architecture or C library (a copied container layer).',
          '  The system C or C++ library is older than the one that the binary was built with.',
        ]
      : [
          '  The package manager did not run the install script (--ignore-scripts), and no prebuilt binary fits.',
          '  A bundler left out the .node file.',
          '  The compilation at installation failed.',
        ];
  return [
    'Possible causes:',
    ...causes,
    'What to do:',
    '  Reinstall on this machine: npm rebuild openssl-async',
    '  Or compile: npm rebuild openssl-async --build-from-source (needs Python 3, make and a C++17 compiler)',
    '  Bundlers: mark openssl-async as external.',
  ];
}

function messageOf(error: unknown): string {
  return error instanceof Error || (typeof error === 'object' && error !== null && 'message' in error)
    ? String(error.message)
    : String(error);
}
