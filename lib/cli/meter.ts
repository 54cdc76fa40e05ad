// Measures one round: counts the operations that end after the warm-up, until the round's time is over.
import { readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { stats, type OperationCounts } from '../index';
import type { Placement, RoundFigures } from './figures';
import type { Progress, RoundRequest } from './measurement';

const TIMER_MS = 1;
const PROGRESS_EVERY_MS = 100;

export interface MeterOptions extends RoundRequest {
  /** Whether operations are this library's, whose statistics say where they ran. */
  isOurs: boolean;
  onProgress?: ((progress: Progress) => void) | undefined;
}

export class Meter {
  /** Settled after `over`, since the turn that ends the round counts, too. */
  readonly figures: Promise<RoundFigures>;
  readonly #options: MeterOptions;
  readonly #durationMs: number;
  readonly #warmUntil: number;
  readonly #delay = monitorEventLoopDelay({ resolution: TIMER_MS });
  #resolve: ((figures: RoundFigures) => void) | undefined;
  #began: number | undefined;
  #shown = 0;
  #operations = 0;
  #mainNs: number | undefined;
  #processCpu = process.cpuUsage();
  #counts: OperationCounts | undefined;
  over = false;

  constructor(options: MeterOptions) {
    this.#options = options;
    this.#durationMs = 1000 * options.seconds;
    this.#warmUntil = performance.now() + options.warmUpMs;
    this.figures = new Promise((resolve) => (this.#resolve = resolve));
  }

  /** To be called at the end of each call. */
  count(): void {
    if (this.over) return;
    const now = performance.now();
    if (this.#began === undefined) {
      if (now >= this.#warmUntil) this.#begin();
      return;
    }
    ++this.#operations;
    const elapsed = now - this.#began;
    if (elapsed >= this.#durationMs) this.#finish(elapsed / 1000);
    else if (this.#options.onProgress !== undefined && now - this.#shown >= PROGRESS_EVERY_MS) {
      this.#shown = now;
      this.#options.onProgress({ operations: this.#operations, seconds: elapsed / 1000 });
    }
  }

  #begin(): void {
    if (this.#options.isOurs) this.#counts = stats().operations;
    this.#delay.enable();
    this.#processCpu = process.cpuUsage();
    this.#mainNs = mainThreadNs();
    this.#began = this.#shown = performance.now();
  }

  #finish(seconds: number): void {
    this.over = true;
    const mainNs = mainThreadNs();
    const { user, system } = process.cpuUsage(this.#processCpu);
    const operations = this.#operations;
    const placement = this.#placement();
    const share = (micros: number): number => micros / 1e6 / seconds;
    const mainMicros = mainNs === undefined || this.#mainNs === undefined ? undefined : (mainNs - this.#mainNs) / 1000;
    const figures = (): RoundFigures => {
      this.#delay.disable();
      return {
        operations,
        seconds,
        operationsPerSecond: operations / seconds,
        delayMs: {
          p50: lateness(this.#delay.percentile(50)),
          p99: lateness(this.#delay.percentile(99)),
          max: lateness(this.#delay.max),
        },
        cpu: { mainThread: mainMicros === undefined ? null : share(mainMicros), process: share(user + system) },
        ...(placement === undefined ? {} : { placement }),
      };
    };
    setImmediate(() => {
      setTimeout(() => {
        this.#resolve?.(figures());
      }, TIMER_MS);
    });
  }

  #placement(): Placement | undefined {
    const before = this.#counts;
    if (before === undefined) return undefined;
    const { operations } = stats();
    const since = (name: keyof OperationCounts): number => operations[name] - before[name];
    const all = since('inline') + since('offloaded') + since('threadpool') + since('jobs');
    const share = (count: number): number => (all === 0 ? 0 : count / all);
    return {
      inline: share(since('inline')),
      pool: share(since('offloaded')),
      threadpool: share(since('threadpool')),
      jobs: share(since('jobs')),
      pausesPerOperation: share(since('pauses')),
    };
  }
}

/** CPU time of this thread so far. */
function mainThreadNs(): number | undefined {
  const { threadCpuUsage } = process as { threadCpuUsage?: () => NodeJS.CpuUsage };
  try {
    if (process.platform === 'linux') {
      return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'latin1').split(' ', 1)[0]);
    }
    const usage = threadCpuUsage?.call(process);
    return usage === undefined ? undefined : 1000 * (usage.user + usage.system);
  } catch {
    return undefined;
  }
}

function lateness(nanoseconds: number): number {
  return Math.max(0, nanoseconds / 1e6 - TIMER_MS);
}
