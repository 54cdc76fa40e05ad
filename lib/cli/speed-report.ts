// The report of `speed`, which the table and the page of charts are made of.
import { ratioOf, type Figures, type Spread } from './figures';
import { withCode } from './finding';
import type { ImplementationOptions } from './implementation';
import type { Measurement } from './rounds';
import { SIDES, type Side } from './sides';

/** Operations per second of one side in relation to another's; left out where no round has both. */
export interface Ratios {
  threadpoolToSync?: Spread;
  asyncToSync?: Spread;
  asyncToThreadpool?: Spread;
}

export interface SpeedResult {
  algorithm: string;
  operation: string;
  /** The size of its messages. */
  bytes?: number;
  sides: Record<Side, Measurement>;
  ratios: Ratios;
}

export interface SpeedReport {
  runtime: string;
  openssl: string | null;
  cpu: string;
  cores: number;
  /** Of Node.js's pool. */
  threadpoolThreads: number;
  asyncJobs: number;
  /** Of each side, in all rounds. */
  seconds: number;
  rounds: number;
  implementation: ImplementationOptions;
  /** Why the figures may be wrong. */
  warnings: string[];
  /** The signal that ended the measurement early. */
  interrupted?: NodeJS.Signals;
  results: SpeedResult[];
}

export function titleOf({ algorithm, operation, bytes }: SpeedResult): string {
  if (bytes !== undefined) return `${algorithm} ${bytes} B`;
  return algorithm.endsWith(operation) ? algorithm : `${algorithm} ${operation}`;
}

export function figuresOf(measurement: Measurement): Figures | undefined {
  return 'figures' in measurement ? measurement.figures : undefined;
}

/** Why figures may be wrong or missing. */
export function warningsOf({ warnings, interrupted }: SpeedReport): string[] {
  return [...warnings, ...(interrupted === undefined ? [] : [`${interrupted} ended it before all was measured.`])];
}

/** Why sides could not be measured. */
export function failuresOf({ results }: SpeedReport): string[] {
  return results.flatMap((result) =>
    SIDES.flatMap((side) => {
      const measurement = result.sides[side];
      if (!('failure' in measurement)) return [];
      const { code, message } = measurement.failure;
      return [`${titleOf(result)}, ${side}: ${withCode(code, message)}`];
    }),
  );
}

export function ratiosOf({ sync, threadpool, async }: SpeedResult['sides']): Ratios {
  const ratio = (side: Measurement, base: Measurement): Spread | undefined => ratioOf(figuresOf(side), figuresOf(base));
  const threadpoolToSync = ratio(threadpool, sync);
  const asyncToSync = ratio(async, sync);
  const asyncToThreadpool = ratio(async, threadpool);
  return {
    ...(threadpoolToSync === undefined ? {} : { threadpoolToSync }),
    ...(asyncToSync === undefined ? {} : { asyncToSync }),
    ...(asyncToThreadpool === undefined ? {} : { asyncToThreadpool }),
  };
}

/** The side that was faster than every other in each round, if there is one. */
export function winnerOf({ sides }: SpeedResult): Side | undefined {
  const measured = SIDES.filter((side) => figuresOf(sides[side]) !== undefined);
  if (measured.length < 2) return undefined;
  return measured.find((side) =>
    measured.every((other) => {
      const ratio = other === side ? undefined : ratioOf(figuresOf(sides[side]), figuresOf(sides[other]));
      return other === side || (ratio !== undefined && ratio.min > 1);
    }),
  );
}

// The synchronous side never waits for anything, so it gets a whole core wherever one is free.
const LEAST_SYNC_CPU = 0.9;

/** A warning when other programs, or a limit, kept the synchronous side from a whole core. */
export function busyWarning(results: readonly SpeedResult[]): string | undefined {
  const shares = results.flatMap((result) => {
    const cpu = figuresOf(result.sides.sync)?.cpu;
    return cpu === undefined ? [] : [{ title: titleOf(result), share: cpu.mainThread ?? cpu.process }];
  });
  const low = shares.filter(({ share }) => share < LEAST_SYNC_CPU);
  if (low.length === 0) return undefined;
  const least = low.reduce((worst, each) => (each.share < worst.share ? each : worst));
  const where = low.length === 1 ? least.title : `${least.title}, and ${low.length - 1} more`;
  return (
    `The machine is too busy: sync got ${least.share.toFixed(2)} of the one core that it uses (${where}). ` +
    'End other programs, or raise the limit on CPU, and measure again.'
  );
}
