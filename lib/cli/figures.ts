// Figures of `speed`, for one round and for all rounds of a side. Every round has all sides, so a machine that slows
// down slows all sides, and ratios compare figures of the same round.

/** Shares of all operations, and how often their jobs paused. */
export interface Placement {
  inline: number;
  pool: number;
  threadpool: number;
  jobs: number;
  pausesPerOperation: number;
}

export interface RoundFigures {
  operations: number;
  seconds: number;
  operationsPerSecond: number;
  /** How late a timer of one millisecond was, in milliseconds. */
  delayMs: { p50: number; p99: number; max: number };
  /** Shares of one core. `mainThread` is null where it is not known. */
  cpu: { mainThread: number | null; process: number };
  /** Where operations of this library ran. */
  placement?: Placement;
}

export interface Spread {
  median: number;
  min: number;
  max: number;
}

/** Medians of the rounds; sums of `operations` and `seconds`, and the highest `delayMs.max`. */
export interface Figures extends RoundFigures {
  /** The function that was called. */
  what: string;
  bytesPerSecond?: number;
  /** Of `operationsPerSecond`. */
  spread: Spread;
  rounds: RoundFigures[];
}

/** `rounds`: at least one. `bytes`: of a message, where there are any. */
export function summarise(what: string, rounds: RoundFigures[], bytes?: number): Figures {
  const spread = spreadOf(rounds.map((round) => round.operationsPerSecond));
  const median = (value: (round: RoundFigures) => number): number => spreadOf(rounds.map(value)).median;
  const mainThread = rounds.flatMap(({ cpu }) => cpu.mainThread ?? []);
  const placement = meanPlacement(rounds);
  return {
    what,
    operations: sum(rounds, ({ operations }) => operations),
    seconds: sum(rounds, ({ seconds }) => seconds),
    operationsPerSecond: spread.median,
    spread,
    ...(bytes === undefined ? {} : { bytesPerSecond: bytes * spread.median }),
    delayMs: {
      p50: median(({ delayMs }) => delayMs.p50),
      p99: median(({ delayMs }) => delayMs.p99),
      max: Math.max(...rounds.map(({ delayMs }) => delayMs.max)),
    },
    cpu: {
      mainThread: mainThread.length === 0 ? null : spreadOf(mainThread).median,
      process: median(({ cpu }) => cpu.process),
    },
    ...(placement === undefined ? {} : { placement }),
    rounds,
  };
}

/** How much faster the first is, round by round; undefined when no round has both. */
export function ratioOf(figures: Figures | undefined, base: Figures | undefined): Spread | undefined {
  const ratios = (figures?.rounds ?? []).flatMap(({ operationsPerSecond }, round) => {
    const rate = base?.rounds[round]?.operationsPerSecond ?? 0;
    return rate === 0 ? [] : [operationsPerSecond / rate];
  });
  return ratios.length === 0 ? undefined : spreadOf(ratios);
}

/** `values`: at least one. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? NaN;
  const middle = (sorted.length - 1) / 2;
  return { median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2, min: at(0), max: at(sorted.length - 1) };
}

// Every operation counts the same, however many its round had, so that the shares add up to one.
function meanPlacement(rounds: readonly RoundFigures[]): Placement | undefined {
  const placed = rounds.flatMap(({ placement, operations }) =>
    placement === undefined ? [] : { placement, operations },
  );
  if (placed.length === 0) return undefined;
  const all = sum(placed, ({ operations }) => operations);
  const mean = (name: keyof Placement): number =>
    all === 0 ? 0 : sum(placed, ({ placement, operations }) => placement[name] * operations) / all;
  return {
    inline: mean('inline'),
    pool: mean('pool'),
    threadpool: mean('threadpool'),
    jobs: mean('jobs'),
    pausesPerOperation: mean('pausesPerOperation'),
  };
}

function sum<T>(values: readonly T[], value: (of: T) => number): number {
  return values.reduce((total, each) => total + value(each), 0);
}
