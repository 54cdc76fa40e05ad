// The only module that loads the addon. A process that cannot have it still gets the rest of the library: a failure is
// a value here, and becomes an error where somebody needs the addon.
import { existsSync } from 'node:fs';
import * as path from 'node:path';
import bindings from 'bindings';
import { IS_BUNDLED, KNOWS_ITS_PLACE, PACKAGE_ROOT } from '../base/package';
import type { NativeEntry } from './contract/addon';

const ADDON = 'openssl_async';

/** A file where the addon was looked for, and the outcome. */
export interface LoadAttempt {
  path: string;
  /** Why it did not load; undefined when there is no such file. */
  failure: string | undefined;
}

/** The result of {@link loadAddon}. */
export type LoadedAddon =
  | { loaded: true; addon: NativeEntry; path: string }
  | {
      loaded: false;
      code: 'ERR_ASYNC_ADDON_NOT_LOADED' | 'ERR_ASYNC_UNSUPPORTED';
      /** One sentence. */
      reason: string;
      /** What was tried, why it may have failed, what to do. */
      message: string;
      attempts: LoadAttempt[];
    };

/** The folders to look in: a package manager's install script asks whether a prebuild will do. */
export type LoadScope = 'anywhere' | 'prebuilds';

/** Loads the addon from the first file that runs here. */
export function loadAddon(scope: LoadScope = 'anywhere'): LoadedAddon {
  const attempts: (LoadAttempt & { code: string })[] = [];
  for (const candidate of candidates(scope)) {
    try {
      return { loaded: true, addon: loadFrom(candidate), path: candidate };
    } catch (error) {
      const code = String((error as { code?: unknown } | null)?.code);
      attempts.push({ path: candidate, failure: exists(candidate) ? messageOf(error) : undefined, code });
    }
  }
  return describeFailure(attempts);
}

// OPENSSL_ASYNC_ADDON names one file to use instead: a sanitizer build, or one under test.
function candidates(scope: LoadScope): string[] {
  const override = process.env.OPENSSL_ASYNC_ADDON;
  if (override !== undefined && override !== '' && scope === 'anywhere') return [override];
  if (!KNOWS_ITS_PLACE) return [];
  const files = prebuilds();
  // First: somebody who has compiled an addon, although the package holds another, wants to use it.
  if (scope === 'anywhere') files.unshift(path.join(PACKAGE_ROOT, 'build', 'Release', `${ADDON}.node`));
  return files;
}

// A file that the permission model hides counts as absent; asking for it throws.
function exists(file: string): boolean {
  try {
    return existsSync(file);
  } catch {
    return false;
  }
}

// The binaries that the package may hold for this platform. The paths are literal: tools that trace or copy a program's
// files follow them.
function prebuilds(): string[] {
  const all: Partial<Record<string, string[]>> = {
    'darwin-arm64': [`${__dirname}/../../prebuilds/darwin-arm64/openssl_async.node`],
    'darwin-x64': [`${__dirname}/../../prebuilds/darwin-x64/openssl_async.node`],
    'linux-arm64': [
      `${__dirname}/../../prebuilds/linux-arm64/openssl_async.glibc.node`,
      `${__dirname}/../../prebuilds/linux-arm64/openssl_async.musl.node`,
    ],
    'linux-x64': [
      `${__dirname}/../../prebuilds/linux-x64/openssl_async.glibc.node`,
      `${__dirname}/../../prebuilds/linux-x64/openssl_async.musl.node`,
    ],
    'win32-x64': [`${__dirname}/../../prebuilds/win32-x64/openssl_async.node`],
  };
  const files = all[`${process.platform}-${process.arch}`] ?? [];
  // The binary that fits comes first. The other is tried too: the test for the C library is a guess, and a binary for
  // the wrong one fails to load without harm.
  if (exists('/etc/alpine-release')) files.reverse();
  return files.map((file) => path.join(PACKAGE_ROOT, file.slice(file.lastIndexOf('/prebuilds/'))));
}

// One `bindings` call per candidate: with the whole list, a file that exists but does not load would end the search.
function loadFrom(candidate: string): NativeEntry {
  return bindings({ bindings: `${ADDON}.node`, module_root: PACKAGE_ROOT, try: [[candidate]] }) as NativeEntry;
}

/** The setting that keeps native modules from being loaded in this process; undefined without one. */
export function addonsDisabledBy(): '--no-addons' | 'permission' | undefined {
  const options = [...process.execArgv, ...(process.env.NODE_OPTIONS ?? '').split(/\s+/)];
  if (options.findLast((option) => /^--(no-)?addons$/.test(option)) === '--no-addons') return '--no-addons';
  const { permission } = process as Restricted;
  // Node 20 has no such scope.
  if (permission === undefined || permission.has('addon') || options.includes('--allow-addons')) return undefined;
  return 'permission';
}

function mayRead(file: string): boolean {
  const { permission } = process as Restricted;
  return permission === undefined || permission.has('fs.read', file);
}

interface Restricted {
  permission?: { has: (scope: string, reference?: string) => boolean };
}

function describeFailure(attempts: (LoadAttempt & { code: string })[]): LoadedAddon {
  const diagnosis = diagnose(attempts);
  const lines = [
    diagnosis.reason,
    `Runtime: ${process.platform}-${process.arch}, Node.js ${process.version}`,
    'Tried:',
    ...attempts.map(({ path: file, failure }) => `  ${file}: ${failure ?? 'no such file'}`),
    ...['Possible causes:', ...diagnosis.causes.map((line) => `  ${line}`)],
    ...['What to do:', ...diagnosis.remedies.map((line) => `  ${line}`)],
  ];
  return {
    loaded: false,
    code: diagnosis.code ?? 'ERR_ASYNC_ADDON_NOT_LOADED',
    reason: diagnosis.reason,
    message: lines.join('\n'),
    attempts: attempts.map(({ path: file, failure }) => ({ path: file, failure })),
  };
}

/** Why this runtime can never load the addon, in one sentence; undefined when it may. */
export function reasonOfRuntime(): string | undefined {
  const name = boringRuntime();
  return name === undefined
    ? undefined
    : `${name} has BoringSSL in place of OpenSSL: it has neither async jobs nor other functions that the addon calls.`;
}

/** The name of this runtime if it has BoringSSL. */
export function boringRuntime(): string | undefined {
  const { bun, deno, electron } = process.versions as Partial<Record<string, string>>;
  if (bun !== undefined) return `Bun ${bun}`;
  if (deno !== undefined) return `Deno ${deno}`;
  if (electron !== undefined) return `Electron ${electron}`;
  const { openssl_is_boringssl: isBoring } = process.features as { openssl_is_boringssl?: boolean };
  return isBoring === true || 'boringssl' in process.versions ? 'This runtime' : undefined;
}

interface Diagnosis {
  code?: 'ERR_ASYNC_UNSUPPORTED';
  reason: string;
  causes: string[];
  remedies: string[];
}

const USE_NODE = 'Run under an official Node.js binary or one that links OpenSSL 3.0 or later.';

function diagnose(attempts: (LoadAttempt & { code: string })[]): Diagnosis {
  const failures = attempts.flatMap(({ failure }) => failure ?? []);
  if (attempts.some(({ code }) => code === 'ERR_DLOPEN_DISABLED')) return disabled();
  const boring = reasonOfRuntime();
  if (boring !== undefined) {
    return {
      code: 'ERR_ASYNC_UNSUPPORTED',
      reason: boring,
      causes: ['The functions that the addon calls are OpenSSL 3 of the process that loads it.'],
      remedies: [USE_NODE],
    };
  }
  const missingSymbol = failures.map((failure) => /undefined symbol: (\w+)|symbol not found.*'_(\w+)'/i.exec(failure));
  const symbol = missingSymbol.flatMap((match) => match?.[1] ?? match?.[2] ?? [])[0];
  if (symbol !== undefined) {
    return {
      code: 'ERR_ASYNC_UNSUPPORTED',
      reason: `This runtime has no OpenSSL 3: it does not export ${symbol} (BoringSSL, or a build without OpenSSL).`,
      causes: ['The runtime is built without OpenSSL or with BoringSSL (Bun, Deno, Electron).'],
      remedies: [USE_NODE],
    };
  }
  const platform = `${process.platform}-${process.arch}`;
  const external = 'Bundlers: mark openssl-async as external, and install it beside the bundle.';
  const reinstall = [
    'Reinstall on this machine: npm rebuild openssl-async',
    'Or compile: npx openssl-async build (needs Python 3, make and a C++17 compiler)',
  ];
  const remedies = IS_BUNDLED ? [external, ...reinstall] : [...reinstall, external];
  if (failures.length > 0) {
    return {
      reason: `The addon of openssl-async for ${platform} was found but could not be loaded.`,
      causes: [
        'node_modules was installed for another platform, architecture or C library (a copied container layer).',
        'The system C or C++ library is older than the one that the binary was built with.',
      ],
      remedies,
    };
  }
  const causes = [
    'The package holds no binary for this platform, and no addon was compiled.',
    'The compilation at installation failed.',
  ];
  const bundled = 'A bundler left out the .node file.';
  const hidden = attempts.find(({ path: file }) => !mayRead(file));
  return {
    reason: `There is no addon of openssl-async for ${platform}.`,
    causes: [
      ...(IS_BUNDLED ? [bundled] : []),
      ...(hidden !== undefined ? ['The permission model keeps this process from seeing it.'] : []),
      ...causes,
      ...(IS_BUNDLED ? [] : [bundled]),
    ],
    remedies: hidden === undefined ? remedies : [`Let it be read: --allow-fs-read=${hidden.path}`, ...remedies],
  };
}

function disabled(): Diagnosis {
  if (addonsDisabledBy() === 'permission') {
    return {
      reason: 'The permission model keeps native modules from being loaded in this process.',
      causes: ['The process was started with --permission and without --allow-addons.'],
      remedies: ['Add --allow-addons.'],
    };
  }
  return {
    reason: 'Native modules are turned off in this process, by --no-addons.',
    causes: ['--no-addons is on the command line, in NODE_OPTIONS, or in the execArgv of a worker.'],
    remedies: ['Run without --no-addons.'],
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error || (typeof error === 'object' && error !== null && 'message' in error)
    ? String(error.message)
    : String(error);
}
