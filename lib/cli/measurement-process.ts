// The process of one side. A round keeps so many calls in flight, where the end of each begins the next, and reports
// its figures. Between rounds nothing is in flight.
import { ALGORITHMS, type Operation, type Way } from './algorithms';
import { DEFAULT_IMPLEMENTATION, loadImplementation } from './implementation';
import type { Failure, MeasurementCommand, MeasurementMessage, MeasurementRequest, RoundRequest } from './measurement';
import { Meter } from './meter';

// The synchronous form lets the event loop turn after so long.
const SYNC_TURN_MS = 1;

/** Resolves when the meter is over, and all calls have ended. */
function drive(way: Way, meter: Meter, inFlight: number): Promise<void> {
  return way.kind === 'sync' ? driveSync(way.run, meter) : driveAsync(way, meter, inFlight);
}

function driveAsync(way: Exclude<Way, { kind: 'sync' }>, meter: Meter, inFlight: number): Promise<void> {
  return new Promise((resolve) => {
    let running = inFlight;
    const start = way.kind === 'promise' ? startPromise(way.run, next) : startCallback(way.run, next);
    function next(): void {
      meter.count();
      if (!meter.over) start();
      else if (--running === 0) resolve();
    }
    for (let i = 0; i < inFlight; ++i) start();
  });
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

function driveSync(run: () => unknown, meter: Meter): Promise<void> {
  return new Promise((resolve) => {
    const turn = (): void => {
      const until = performance.now() + SYNC_TURN_MS;
      do {
        run();
        meter.count();
      } while (!meter.over && performance.now() < until);
      if (meter.over) resolve();
      else setImmediate(turn);
    };
    turn();
  });
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

async function prepare(request: MeasurementRequest): Promise<Way | undefined> {
  const algorithm = ALGORITHMS.get(request.algorithm);
  if (algorithm === undefined) throw new Error(`There is no algorithm ${request.algorithm}`);
  const isOurs = request.side === 'async';
  const implementation = isOurs ? await loadImplementation(request.implementation) : DEFAULT_IMPLEMENTATION;
  const operation: Operation = await algorithm.prepare(request.bytes, implementation);
  const way = operation[request.side];
  if (way !== undefined && !operation.isRight(await once(way))) throw new Error(`${way.what} gave a wrong result`);
  return way;
}

async function measureRound(
  way: Way,
  round: RoundRequest,
  { side, inFlight, live }: MeasurementRequest,
): Promise<void> {
  const meter = new Meter({
    ...round,
    isOurs: side === 'async',
    onProgress: live
      ? (progress) => {
          send({ progress });
        }
      : undefined,
  });
  await drive(way, meter, inFlight);
  send({ round: await meter.figures });
}

async function main(request: MeasurementRequest): Promise<void> {
  const way = await prepare(request);
  process.on('message', (command: MeasurementCommand) => {
    if (command === 'end') process.disconnect();
    else if (way !== undefined) measureRound(way, command, request).catch(fail);
  });
  send(way === undefined ? { absent: true } : { ready: way.what });
}

// The tool gets these signals, too, and decides what to end.
process.on('SIGINT', () => undefined).on('SIGTERM', () => undefined);
// However the tool ends, this process does not outlive it.
process.on('disconnect', () => {
  process.exit();
});

main(JSON.parse(process.argv[2] ?? '{}') as MeasurementRequest).catch(fail);
