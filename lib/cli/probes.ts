// The probes of `doctor`. No probe relies on another's success.
import { constants, generateKeyPairSync, verify } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import {
  capability,
  jobFunction,
  listEngines,
  listProviders,
  opensslVersion,
  runJob,
  sign,
  stats,
  unsupportedReason,
  WaitSignal,
} from '../index';
import { environment, symbols } from '../native/environment';
import { addonsDisabledBy, boringRuntime, loadAddon } from '../native/load';
import { DEFAULT_OPTIONS } from '../base/options';
import { messageOf, problem, unknown, type Finding } from './finding';
import { describeCopies } from './copies';
import { describeModule } from './module-binding';

export interface Probe {
  name: string;
  run: () => Finding | Promise<Finding>;
}

/** In the order in which they are reported. `modules` are paths. */
export function probes(modules: readonly string[]): Probe[] {
  return [
    { name: 'runtime', run: describeRuntime },
    { name: 'openssl', run: describeOpenSSL },
    { name: 'permissions', run: describePermissions },
    { name: 'addon', run: describeAddon },
    { name: 'copies', run: describeCopies },
    { name: 'capability', run: describeCapability },
    { name: 'symbols', run: describeSymbols },
    { name: 'job', run: runPausingJob },
    { name: 'accelerator', run: runAccelerator },
    { name: 'stacks', run: describeStacks },
    { name: 'limits', run: describeLimits },
    { name: 'fips', run: describeFips },
    { name: 'providers', run: describeProviders },
    { name: 'engines', run: describeEngines },
    ...modules.map((file) => ({ name: `module ${file}`, run: () => describeModule(file) })),
  ];
}

/** The finding of a probe, also of one that threw. */
export async function runProbe({ run }: Probe): Promise<Finding> {
  try {
    return await run();
  } catch (error) {
    const missing = MISSING_OF_CODE[String((error as { code?: unknown } | null)?.code)];
    if (missing !== undefined) return unknown(`this cannot be looked at without ${missing}`);
    return problem(`this could not be looked at: ${messageOf(error)}`, [REPORT_IT]);
  }
}

const USE_OFFICIAL_NODE = 'Run under an official Node.js binary, or one that links OpenSSL 3.0 or later.';
const USE_CAPABLE_NODE = 'For jobs, run under a Node.js for glibc, macOS or Windows.';
const REINSTALL = 'Reinstall on this machine: npm rebuild openssl-async';
// Each of these has a probe of its own, which says more.
const MISSING_OF_CODE: Record<string, string> = {
  ERR_ASYNC_UNSUPPORTED: 'async jobs',
  ERR_ASYNC_ADDON_NOT_LOADED: 'the addon',
};
const REPORT_IT = 'Please report it, with the output of: openssl-async doctor --json';

// --- The process

function describeRuntime(): Finding {
  const { bun, deno, electron } = process.versions as Partial<Record<string, string>>;
  const other = bun ?? deno ?? electron;
  const name = other === undefined ? 'Node.js' : bun ? `Bun ${bun}` : deno ? `Deno ${deno}` : `Electron ${other}`;
  const summary = `${name}${bun || deno ? '' : ` ${process.version}`} on ${process.platform}-${process.arch}`;
  const details = { versions: process.versions, platform: process.platform, arch: process.arch };
  return { status: 'ok', summary, details: { ...details, execPath: process.execPath } };
}

function describeOpenSSL(): Finding {
  const version = opensslVersion() ?? (process.versions.openssl ? `OpenSSL ${process.versions.openssl}` : undefined);
  const libraries = sharedObjects().filter((file) => /(crypto|ssl)[^/\\]*\.(so|dylib|dll)/i.test(file));
  const linkage = linkageOf(version);
  const details = { version, linkage, libraries };
  if (linkage === 'boringssl') {
    return problem('BoringSSL, which has no async jobs', [USE_OFFICIAL_NODE], { details });
  }
  if (linkage === 'none') return problem('this runtime has no OpenSSL', [USE_OFFICIAL_NODE], { details });
  const where = linkage === 'shared' ? 'a shared library of the system' : "embedded in the runtime's binary";
  return { status: 'ok', summary: `${version ?? 'of unknown version'}, ${where}`, notes: libraries, details };
}

function linkageOf(version: string | undefined): 'boringssl' | 'none' | 'shared' | 'embedded' {
  if (boringRuntime() !== undefined) return 'boringssl';
  if (version === undefined) return 'none';
  const { variables } = process.config as unknown as { variables: Record<string, unknown> };
  return String(variables.node_shared_openssl) === 'true' ? 'shared' : 'embedded';
}

interface Report {
  sharedObjects?: string[];
  userLimits?: Record<string, { soft: number | string; hard: number | string }>;
}

let report: Report | undefined;

function diagnosticReport(): Report {
  if (report !== undefined) return report;
  // Otherwise the report looks up the names of the sockets' addresses.
  const { report: reporter } = process as { report?: NodeJS.ProcessReport & { excludeNetwork?: boolean } };
  if (reporter === undefined) return {};
  reporter.excludeNetwork = true;
  report = reporter.getReport();
  return report;
}

function sharedObjects(): string[] {
  return diagnosticReport().sharedObjects ?? [];
}

const PERMISSION_FLAG = /^--(experimental-permission|permission|no-addons|allow-[\w-]+)(=|$)/;

function describePermissions(): Finding {
  const options = [...process.execArgv, ...(process.env.NODE_OPTIONS ?? '').split(/\s+/)];
  const flags = options.filter((option) => PERMISSION_FLAG.test(option));
  const restricted = (process as { permission?: unknown }).permission !== undefined;
  const details = { restricted, flags };
  const notes = flags.length > 0 ? [flags.join(' ')] : [];
  switch (addonsDisabledBy()) {
    case '--no-addons':
      return problem('--no-addons keeps native modules from being loaded', ['Run without --no-addons.'], { details });
    case 'permission': {
      const summary = 'the permission model is on and keeps native modules from being loaded';
      return problem(summary, ['Add --allow-addons.'], { notes, details });
    }
    case undefined:
      if (!restricted) return { status: 'ok', summary: 'the permission model is off', details };
      notes.push('OpenSSL reads modules, URIs and configuration files itself: the model does not see that');
      return { status: 'ok', summary: 'the permission model is on and allows native modules', notes, details };
  }
}

// --- The addon

function describeAddon(): Finding {
  const found = loadAddon();
  if (found.loaded) return { status: 'ok', summary: found.path, details: { path: found.path } };
  const { attempts, code, message, reason } = found;
  const advice = message.split('\n');
  const remedies = advice.slice(advice.indexOf('What to do:') + 1).map((line) => line.trim());
  const notes = attempts.map(({ path, failure }) => `${path}: ${failure ?? 'no such file'}`);
  return problem(reason, remedies, { notes, details: { code, attempts } });
}

function describeCapability(): Finding {
  const mode = capability();
  const reason = unsupportedReason();
  const details = { capable: mode === 'jobs', capability: mode, ...(reason === undefined ? {} : { reason }) };
  switch (mode) {
    case 'jobs':
      return { status: 'ok', summary: 'OpenSSL async jobs run here', details };
    case 'operations': {
      const notes = ['operations, keys, streams, stores and remote keys work all the same: they wait on threads'];
      const summary = `without jobs: ${String(reason)}`;
      return { status: 'warning', summary, notes, remedies: [USE_CAPABLE_NODE], details };
    }
    case 'none': {
      const remedies = symbols() === undefined && boringRuntime() === undefined ? [REINSTALL] : [USE_OFFICIAL_NODE];
      return problem(String(reason), remedies, { details });
    }
  }
}

function describeSymbols(): Finding {
  const addon = symbols();
  if (addon === undefined) return unknown('without the addon nobody can tell which functions this process has');
  const { required, optional } = addon.symbolNames();
  const lacks = (name: string): boolean => !addon.hasSymbol(name);
  const missing = required.filter(lacks);
  const missingOptional = optional.filter(lacks);
  const details = { required, optional, missing, missingOptional };
  const notes =
    missingOptional.length === 0 ? [] : [`of newer versions, and done without: ${missingOptional.join(', ')}`];
  if (missing.length > 0) {
    return problem(`missing: ${missing.join(', ')}`, [USE_OFFICIAL_NODE], { notes, details });
  }
  return {
    status: 'ok',
    summary: `all ${required.length} functions of OpenSSL that the addon calls are there`,
    notes,
    details,
  };
}

// --- Jobs

const JOB_RETURNS = 42;
const JOB_TIME_LIMIT_MS = 5000;

async function runPausingJob(): Promise<Finding> {
  const signal = new WaitSignal();
  const job = jobFunction(function* (self) {
    yield self.setWaitFd('doctor', signal.fd);
    setImmediate(() => {
      signal.wake();
    });
    while (!signal.clear()) yield self.pause();
    yield self.clearFd('doctor');
    return JOB_RETURNS;
  });
  const began = performance.now();
  try {
    const { returnValue, pauses, wakeups } = await runJob(job, { timeoutMs: JOB_TIME_LIMIT_MS });
    const micros = Math.round(1000 * (performance.now() - began));
    const details = { returnValue, pauses, wakeups, micros };
    if (returnValue !== JOB_RETURNS || pauses === 0 || wakeups.fd === 0) {
      return problem(`a job ran, but did not pause as it should: ${JSON.stringify(details)}`, [REPORT_IT], { details });
    }
    return { status: 'ok', summary: `a job paused, was woken by its fd, and returned, in ${micros} µs`, details };
  } finally {
    signal.close();
  }
}

async function runAccelerator(): Promise<Finding> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const before = stats().operations.pauses;
  const options = { provider: 'accelerator', timeoutMs: JOB_TIME_LIMIT_MS } as const;
  const signature = await sign('sha256', 'doctor', privateKey, options);
  const pauses = stats().operations.pauses - before;
  const valid = verify('sha256', Buffer.from('doctor'), publicKey, signature);
  const details = { pauses, valid };
  if (!valid) return problem('the accelerator gave a signature that is not valid', [REPORT_IT], { details });
  if (capability() === 'operations') {
    return { status: 'ok', summary: 'a P-256 signature was made on a thread of the pool, and is valid', details };
  }
  if (pauses === 0) return problem('the accelerator signed without a pause', [REPORT_IT], { details });
  return { status: 'ok', summary: 'a P-256 signature paused its job, and is valid', details };
}

function describeStacks(): Finding {
  const { stacks } = stats();
  const details = { ...stacks };
  const kib = `${Math.round(stacks.sizeBytes / 1024)} KiB`;
  switch (stacks.mode) {
    case 'none':
      return unknown('no job has run in this process', { details });
    case 'guarded':
      return { status: 'ok', summary: `${kib} each, with guard pages`, details };
    case 'default': {
      if (process.platform === 'win32') {
        return { status: 'ok', summary: `fibers, ${kib} of address space each, with guard pages`, details };
      }
      const notes = ['guard pages need OpenSSL 3.2 or later: there, an overflow is found where it happens'];
      return { status: 'ok', summary: `OpenSSL's own, ${kib} each, without guard pages`, notes, details };
    }
  }
}

// --- Limits

const MAPPINGS_PER_STACK = 2;

function describeLimits(): Finding {
  const fds = { limit: limitOf('open_files'), used: countOf(() => readdirSync('/proc/self/fd').length) };
  const mappings = {
    limit: countOf(() => Number(readFileSync('/proc/sys/vm/max_map_count', 'latin1'))),
    used: countOf(() => readFileSync('/proc/self/maps', 'latin1').split('\n').length - 1),
  };
  const { maxJobs, maxGuardedStacks } = DEFAULT_OPTIONS;
  const remedies: string[] = [];
  if (fds.limit !== undefined && fds.limit < maxJobs) {
    remedies.push(
      `${fds.limit} fds are fewer than the ${maxJobs} jobs that may live at a time, each of which may need one: ` +
        'raise it (ulimit -n), or lower configure({ maxJobs }).',
    );
  }
  const wanted = MAPPINGS_PER_STACK * maxGuardedStacks + (mappings.used ?? 0);
  if (mappings.limit !== undefined && mappings.limit < wanted) {
    remedies.push(
      `${mappings.limit} memory mappings are fewer than ${maxGuardedStacks} guarded stacks need: ` +
        'raise it (sysctl vm.max_map_count), or lower configure({ maxGuardedStacks }).',
    );
  }
  const summary = [
    `${fds.limit ?? 'no known limit of'} fds${inUse(fds.used)}`,
    `${mappings.limit ?? 'no known limit of'} memory mappings${inUse(mappings.used)}`,
  ].join(', ');
  return { status: remedies.length > 0 ? 'warning' : 'ok', summary, remedies, details: { fds, mappings } };
}

function limitOf(name: string): number | undefined {
  const soft = diagnosticReport().userLimits?.[name]?.soft;
  return typeof soft === 'number' ? soft : undefined;
}

// Only Linux has these files.
function countOf(read: () => number): number | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function inUse(used: number | undefined): string {
  return used === undefined ? '' : ` (${used} in use)`;
}

// --- Implementations

function describeFips(): Finding {
  const providers = listProviders(); // creates the library context of openssl-async
  const details = environment().addon.libraries.contexts();
  const { process: isOn, own, accelerator } = details;
  const namesOf = (library: 'process' | 'own'): string =>
    providers.flatMap((each) => (each.library === library ? [each.name] : [])).join(', ');
  const notes = [
    `the process: ${namesOf('process')}${isOn ? ', by default what is validated' : ''}`,
    `openssl-async: ${namesOf('own')}${own === true ? ', by default what is validated' : ''}`,
    accelerator === undefined ? 'the accelerator cannot work' : `the accelerator hands work to ${accelerator}`,
  ];
  if (!isOn) return { status: 'ok', summary: 'the process is not in FIPS mode', notes, details };
  const summary = 'the process is in FIPS mode';
  if (own === true && accelerator === 'fips') return { status: 'ok', summary, notes, details };
  const remedy =
    'Activate the FIPS provider in the configuration of the process, and begin in FIPS mode: --force-fips.';
  return {
    status: 'warning',
    summary: `${summary}, without a validated accelerator`,
    remedies: [remedy],
    notes,
    details,
  };
}

function describeProviders(): Finding {
  const providers = listProviders({ selfTest: true });
  const failed = providers.filter(({ active, selfTest }) => !active || selfTest !== true);
  const notes = providers.map(({ name, title, version, active, selfTest, library }) => {
    const where = library === 'own' ? ', in the library context of openssl-async' : '';
    const what = [`${name}:`, title, version].filter((part) => part !== '').join(' ');
    return `${what}${where}${active ? '' : ', not active'}${selfTest === true ? '' : ', fails its own tests'}`;
  });
  const details = { providers };
  const summary = `${providers.length} loaded`;
  if (failed.length === 0) return { status: 'ok', summary, notes, details };
  const names = failed.map(({ name }) => name).join(', ');
  return problem(`${summary}, of which ${names} cannot be used`, ['Look into its configuration.'], {
    notes,
    details,
  });
}

function describeEngines(): Finding {
  const addon = symbols();
  const supported = addon === undefined ? 'ENGINE_METHOD_ALL' in constants : addon.hasSymbol('ENGINE_by_id');
  const engines = supported && capability() !== 'none' ? listEngines() : [];
  const details = { supported, engines };
  if (!supported)
    return { status: 'ok', summary: 'this OpenSSL has none any more; providers took their place', details };
  const notes = engines.map(({ id, name }) => `${id}: ${name}`);
  return { status: 'ok', summary: `this OpenSSL has them, ${engines.length} of its own`, notes, details };
}
