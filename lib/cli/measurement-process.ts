// The process of one measurement: keeps so many calls in flight, where the end of each begins the next, and tells what
// it saw.
import { readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { stats, type OperationCounts } from '../index';
import { ALGORITHMS, type Operation, type Way } from './algorithms';
import { DEFAULT_IMPLEMENTATION, loadImplementation } from './implementation';
import type { Failure, Figures, MeasurementMessage, MeasurementRequest } from './measurement';

const TIMER_MS = 1;
const MOST_WARM_UP_MS = 300;
// The synchronous form lets the event loop turn after so long.
const SYNC_TURN_MS = 1;
const PROGRESS_EVERY_MS = 100;

class Meter {
  readonly #request: MeasurementRequest;
  readonly #what: string;
  readonly #end: (figures: Figures) => void;
  readonly #durationMs: number;
  readonly #warmUntil: number;
  readonly #delay = monitorEventLoopDelay({ resolution: TIMER_MS });
  #began: number | undefined;
  #shown = 0;
  #operations = 0;
  #mainNs: number | undefined;
  #processCpu = process.cpuUsage();
  #counts: OperationCounts | undefined;
  over = false;

  constructor(request: MeasurementRequest, what: string, end: (figures: Figures) => void) {
    this.#request = request;
    this.#what = what;
    this.#end = end;
    this.#durationMs = 1000 * request.seconds;
    this.#warmUntil = performance.now() + Math.min(MOST_WARM_UP_MS, this.#durationMs / 4);
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
    else if (this.#request.live && now - this.#shown >= PROGRESS_EVERY_MS) {
      this.#shown = now;
      send({ progress: { operations: this.#operations, seconds: elapsed / 1000 } });
    }
  }

  #begin(): void {
    if (this.#request.side === 'async') this.#counts = stats().operations;
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
    const figures = (): Figures => {
      this.#delay.disable();
      return {
        what: this.#what,
        operations,
        seconds,
        operationsPerSecond: operations / seconds,
        ...(this.#isSized() ? { bytesPerSecond: (operations * this.#request.bytes) / seconds } : {}),
        delayMs: {
          p50: lateness(this.#delay.percentile(50)),
          p99: lateness(this.#delay.percentile(99)),
          max: lateness(this.#delay.max),
        },
        cpu: { mainThread: mainMicros === undefined ? null : share(mainMicros), process: share(user + system) },
        ...(placement === undefined ? {} : { placement }),
      };
    };
    // The turn in which this happens counts, too.
    setImmediate(() => {
      setTimeout(() => {
        this.#end(figures());
      }, TIMER_MS);
    });
  }

  #isSized(): boolean {
    return ALGORITHMS.get(this.#request.algorithm)?.sized === true;
  }

  #placement(): Figures['placement'] {
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

function drive(way: Way, meter: Meter, inFlight: number): void {
  if (way.kind === 'sync') {
    driveSync(way.run, meter);
    return;
  }
  const start = way.kind === 'promise' ? startPromise(way.run, next) : startCallback(way.run, next);
  function next(): void {
    meter.count();
    if (!meter.over) start();
  }
  for (let i = 0; i < inFlight; ++i) start();
}

function startPromise(run: () => Promise<unknown>, next: () => void): () => void {
  return () => {
    run().then(next, fail);
  };
}

function startCallback(run: (done: (error: Error | null) => void) => void, next: () => void): () => void {
  const done = (error: Error | null): void => {
    if (error) fail(error);
    else next();
  };
  return () => {
    run(done);
  };
}

function driveSync(run: () => unknown, meter: Meter): void {
  const turn = (): void => {
    const until = performance.now() + SYNC_TURN_MS;
    do {
      run();
      meter.count();
    } while (!meter.over && performance.now() < until);
    if (!meter.over) setImmediate(turn);
  };
  turn();
}

function once(way: Way): Promise<unknown> {
  if (way.kind !== 'callback') return Promise.resolve(way.run());
  return new Promise((resolve, reject) => {
    way.run((error, result) => {
      if (error) reject(error);
      else resolve(result);
    });
  });
}

function send(message: MeasurementMessage, then?: () => void): void {
  process.send?.(message, undefined, undefined, () => then?.());
}

let failed = false;
function fail(error: unknown): void {
  if (failed) return;
  failed = true;
  const { code, message } = error as { code?: unknown; message?: unknown };
  const failure: Failure = { message: typeof message === 'string' ? message : String(error) };
  if (typeof code === 'string') failure.code = code;
  send({ failure }, () => {
    process.exit(1);
  });
}

async function main(request: MeasurementRequest): Promise<void> {
  const algorithm = ALGORITHMS.get(request.algorithm);
  if (algorithm === undefined) throw new Error(`There is no algorithm ${request.algorithm}`);
  const isOurs = request.side === 'async';
  const implementation = isOurs ? await loadImplementation(request.implementation) : DEFAULT_IMPLEMENTATION;
  const operation: Operation = await algorithm.prepare(request.bytes, implementation);
  const way = operation[request.side];
  if (way === undefined) {
    send({ absent: true }, () => {
      process.disconnect();
    });
    return;
  }
  if (!operation.isRight(await once(way))) throw new Error(`${way.what} gave a wrong result`);
  const meter = new Meter(request, way.what, (figures) => {
    send({ figures }, () => {
      process.disconnect();
    });
  });
  drive(way, meter, request.inFlight);
}

main(JSON.parse(process.argv[2] ?? '{}') as MeasurementRequest).catch(fail);
