// `openssl-async speed`: operations per second on the event loop, on Node.js's thread pool, and with this library, as
// `openssl speed -async_jobs` has it for OpenSSL by itself.
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { SingleBar } from 'cli-progress';
import { opensslVersion } from '../index';
import { ALGORITHMS, DEFAULT_ALGORITHMS, SIDES, type Side } from './algorithms';
import { messageOf } from './finding';
import type { ImplementationOptions } from './implementation';
import { measure, type Measurement } from './measurement';
import { formatPage } from './plot';
import type { SpeedReport, SpeedResult } from './speed-report';
import { formatSpeed } from './speed-table';
import { outputWidth, terminal } from './terminal';

export interface SpeedOptions extends ImplementationOptions {
  asyncJobs: number;
  seconds: number;
  bytes: number;
  json?: boolean;
  /** A file; true for the default. */
  plot?: string | true;
}

export const DEFAULT_PLOT = 'openssl-async-speed.html';
const DEFAULT_THREADS = 4;

/** The exit status: 1 when something could not be measured. `algorithms` are names of the table, or none. */
export async function speed(algorithms: readonly string[], options: SpeedOptions): Promise<number> {
  const { json = false, plot } = options;
  const report = describe(options);
  const progress = new LiveProgress(options.seconds);
  const names = [...new Set(algorithms.length > 0 ? algorithms : DEFAULT_ALGORITHMS)];
  progress.start(names.length * SIDES.length);
  try {
    for (const name of names)
      report.results.push(await measureAlgorithm(name, options, report.implementation, progress));
  } finally {
    progress.stop();
  }
  if (plot !== undefined) writePage(plot === true ? DEFAULT_PLOT : plot, report);
  console.log(json ? JSON.stringify(report, undefined, 2) : formatSpeed(report, terminal()));
  return report.results.some(({ sides }) => SIDES.some((side) => 'failure' in sides[side])) ? 1 : 0;
}

function describe({ asyncJobs, seconds, provider, providerPath, engine, properties }: SpeedOptions): SpeedReport {
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
    implementation,
    results: [],
  };
}

async function measureAlgorithm(
  name: string,
  { asyncJobs, seconds, bytes }: SpeedOptions,
  implementation: ImplementationOptions,
  progress: LiveProgress,
): Promise<SpeedResult> {
  const algorithm = ALGORITHMS.get(name);
  const side = async (which: Side): Promise<Measurement> => {
    progress.next(name, which);
    const request = { algorithm: name, side: which, inFlight: asyncJobs, seconds, bytes, implementation };
    return measure({ ...request, live: progress.isShown }, (now) => {
      progress.show(now.operations, now.seconds);
    });
  };
  return {
    algorithm: name,
    operation: algorithm?.operation ?? name,
    ...(algorithm?.sized === true ? { bytes } : {}),
    sides: { sync: await side('sync'), threadpool: await side('threadpool'), async: await side('async') },
  };
}

function writePage(file: string, report: SpeedReport): void {
  try {
    writeFileSync(file, formatPage(report));
  } catch (error) {
    throw new Error(`The page was not written: ${messageOf(error)}`, { cause: error });
  }
  process.stderr.write(`The charts are in ${file}\n`);
}

/** A bar on standard error, where that is a terminal. */
class LiveProgress {
  readonly #seconds: number;
  readonly #bar: SingleBar | undefined;
  #ended = -1;

  constructor(seconds: number) {
    this.#seconds = seconds;
    if (!process.stderr.isTTY) return;
    this.#bar = new SingleBar({
      stream: process.stderr,
      format: '{bar} {percentage}% {label} {rate}',
      barsize: Math.min(30, Math.max(5, outputWidth() - 50)),
      clearOnComplete: true,
      hideCursor: true,
      gracefulExit: false,
      linewrap: false,
    });
    process.once('exit', () => {
      this.#bar?.stop();
    });
  }

  get isShown(): boolean {
    return this.#bar !== undefined;
  }

  start(measurements: number): void {
    this.#bar?.start(measurements * this.#seconds, 0, { label: '', rate: '' });
  }

  next(algorithm: string, side: Side): void {
    this.#bar?.update(++this.#ended * this.#seconds, { label: `${algorithm} ${side}`, rate: '' });
  }

  show(operations: number, seconds: number): void {
    const rate = `${Math.round(operations / seconds)} per second`;
    this.#bar?.update(this.#ended * this.#seconds + Math.min(seconds, this.#seconds), { rate });
  }

  stop(): void {
    this.#bar?.stop();
  }
}
