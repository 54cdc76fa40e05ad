// `openssl-async speed`: operations per second on the event loop, on Node.js's thread pool, and with this library, like
// `openssl speed -async_jobs` for OpenSSL alone.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { constants, availableParallelism, cpus } from 'node:os';
import * as path from 'node:path';
import { opensslVersion } from '../index';
import { ALGORITHMS, DEFAULT_ALGORITHMS } from './algorithms';
import { messageOf } from './finding';
import type { ImplementationOptions } from './implementation';
import { LiveProgress } from './live-progress';
import { measureInRounds } from './rounds';
import { SIDES } from './sides';
import { busyWarning, figuresOf, ratiosOf, type SpeedReport, type SpeedResult } from './speed-report';
import { formatSpeed } from './speed-table';
import { terminal } from './terminal';

export interface SpeedOptions extends ImplementationOptions {
  asyncJobs: number;
  seconds: number;
  rounds: number;
  bytes: number;
  json?: boolean;
  /** A file; true for the default. */
  plot?: string | true;
}

export const DEFAULT_PLOT = 'openssl-async-speed.html';
const DEFAULT_THREADS = 4;
const PAGE_PROGRAM = path.join(__dirname, 'page-process.js');

/**
 * The exit status: 1 when something could not be measured, 128 and its number after a signal, which ends the
 * measurement but not the report. `algorithms` are names of the table, or none.
 */
export async function speed(algorithms: readonly string[], options: SpeedOptions): Promise<number> {
  const { json = false, plot } = options;
  const report = describe(options);
  const { results } = report;
  const names = [...new Set(algorithms.length > 0 ? algorithms : DEFAULT_ALGORITHMS)];
  report.interrupted = await interruptible((interrupt) => measureAll(names, options, report, interrupt));
  const warning = busyWarning(results);
  if (warning !== undefined) report.warnings.push(warning);
  if (plot !== undefined && results.length > 0) writePage(plot === true ? DEFAULT_PLOT : plot, report);
  console.log(json ? JSON.stringify(report, undefined, 2) : formatSpeed(report, terminal()));
  if (report.interrupted !== undefined) return 128 + constants.signals[report.interrupted];
  return results.some(({ sides }) => SIDES.some((side) => 'failure' in sides[side])) ? 1 : 0;
}

/** Runs `action`; resolves with the signal that came meanwhile and aborted it. */
async function interruptible(action: (interrupt: AbortSignal) => Promise<void>): Promise<NodeJS.Signals | undefined> {
  const controller = new AbortController();
  let received: NodeJS.Signals | undefined;
  const receive = (signal: NodeJS.Signals): void => {
    received ??= signal;
    controller.abort();
  };
  process.on('SIGINT', receive).on('SIGTERM', receive);
  try {
    await action(controller.signal);
  } finally {
    process.off('SIGINT', receive).off('SIGTERM', receive);
  }
  return received;
}

async function measureAll(
  names: readonly string[],
  options: SpeedOptions,
  report: SpeedReport,
  interrupt: AbortSignal,
): Promise<void> {
  const progress = new LiveProgress(options.rounds, options.seconds);
  progress.start(names.length);
  try {
    for (const name of names) {
      progress.name(name);
      const result = await measureAlgorithm(name, options, report.implementation, progress, interrupt);
      const isMeasured = SIDES.some((side) => figuresOf(result.sides[side]) !== undefined);
      if (isMeasured || !interrupt.aborted) report.results.push(result);
      if (interrupt.aborted) break;
    }
  } finally {
    progress.stop();
  }
}

function describe(options: SpeedOptions): SpeedReport {
  const { asyncJobs, seconds, rounds, provider, providerPath, engine, properties } = options;
  const implementation = {
    ...(provider === undefined ? {} : { provider }),
    ...(providerPath === undefined ? {} : { providerPath }),
    ...(engine === undefined ? {} : { engine }),
    ...(properties === undefined ? {} : { properties }),
  };
  const threads = Number(process.env.UV_THREADPOOL_SIZE);
  return {
    runtime: `${process.release.name} ${process.version} on ${process.platform}-${process.arch}`,
    openssl: opensslVersion() ?? null,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    threadpoolThreads: threads > 0 ? threads : DEFAULT_THREADS,
    asyncJobs,
    seconds,
    rounds,
    implementation,
    warnings: [],
    results: [],
  };
}

async function measureAlgorithm(
  name: string,
  { asyncJobs, seconds, rounds, bytes }: SpeedOptions,
  implementation: ImplementationOptions,
  progress: LiveProgress,
  interrupt: AbortSignal,
): Promise<SpeedResult> {
  const { operation = name, sized = false } = ALGORITHMS.get(name) ?? {};
  const sides = await measureInRounds(
    { algorithm: name, inFlight: asyncJobs, seconds, rounds, bytes, sized, implementation },
    progress,
    interrupt,
  );
  return { algorithm: name, operation, ...(sized ? { bytes } : {}), sides, ratios: ratiosOf(sides) };
}

function writePage(file: string, report: SpeedReport): void {
  try {
    writeFileSync(file, drawPage(report));
  } catch (error) {
    throw new Error(`The page was not written: ${messageOf(error)}`, { cause: error });
  }
  process.stderr.write(`The charts are in ${file}\n`);
}

function drawPage(report: SpeedReport): string {
  const { error, status, stdout, stderr } = spawnSync(process.execPath, [PAGE_PROGRAM], {
    input: JSON.stringify(report),
    encoding: 'utf8',
    maxBuffer: Infinity,
  });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(stderr.trim());
  return stdout;
}
