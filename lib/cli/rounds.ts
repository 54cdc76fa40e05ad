// The sides of one algorithm, measured in rounds: each once a round, one after another.
import { summarise, type Figures, type RoundFigures } from './figures';
import {
  MeasurementProcess,
  type Failure,
  type MeasurementAnswer,
  type MeasurementRequest,
  type Progress,
  type RoundRequest,
} from './measurement';
import { SIDES, type Side } from './sides';

/** `absent`: this Node.js has no such form. `unmeasured`: an interruption came first. */
export type Measurement = { figures: Figures } | { absent: true } | { unmeasured: true } | { failure: Failure };

export interface RoundsRequest extends Omit<MeasurementRequest, 'side' | 'live'> {
  rounds: number;
  /** Of all rounds of a side. */
  seconds: number;
  /** Whether the algorithm works on messages. */
  sized: boolean;
}

/** Is told of each round of each side, also of rounds that are left out. */
export interface RoundsObserver {
  /** Whether there is use for `show()`. */
  readonly isLive: boolean;
  begin(side: Side, round: number): void;
  show(progress: Progress): void;
}

const FIRST_WARM_UP_MS = 300;
// The other sides' data in the caches has to go.
const WARM_UP_MS = 50;

class MeasuredSide {
  readonly side: Side;
  readonly #bytes: number | undefined;
  readonly #process: MeasurementProcess;
  readonly #interrupt: AbortSignal;
  readonly #rounds: RoundFigures[] = [];
  #what = '';
  #ended: { absent: true } | { failure: Failure } | undefined;

  constructor(side: Side, request: MeasurementRequest, sized: boolean, interrupt: AbortSignal) {
    this.side = side;
    this.#bytes = sized ? request.bytes : undefined;
    this.#interrupt = interrupt;
    this.#process = new MeasurementProcess(request, interrupt);
  }

  async prepare(): Promise<void> {
    this.#take(await this.#process.prepare());
  }

  async measureRound(request: RoundRequest, onProgress: (progress: Progress) => void): Promise<void> {
    if (this.#ended === undefined) this.#take(await this.#process.measureRound(request, onProgress));
  }

  /** Resolves when nothing is left running. */
  async end(): Promise<Measurement> {
    await this.#process.end();
    if (this.#ended !== undefined) return this.#ended;
    return this.#rounds.length === 0
      ? { unmeasured: true }
      : { figures: summarise(this.#what, this.#rounds, this.#bytes) };
  }

  #take(answer: MeasurementAnswer): void {
    if ('ready' in answer) this.#what = answer.ready;
    else if ('round' in answer) this.#rounds.push(answer.round);
    // An interruption is no failure.
    else if (!this.#interrupt.aborted) this.#ended = answer;
  }
}

/** Ends early, with the rounds that are complete, when `interrupt` is aborted. */
export async function measureInRounds(
  { rounds, seconds, sized, ...request }: RoundsRequest,
  observer: RoundsObserver,
  interrupt: AbortSignal,
): Promise<Record<Side, Measurement>> {
  const sides = SIDES.map(
    (side) => new MeasuredSide(side, { ...request, side, live: observer.isLive }, sized, interrupt),
  );
  const slice = seconds / rounds;
  await Promise.all(sides.map((side) => side.prepare()));
  for (let round = 0; round < rounds; ++round) {
    const warmUpMs = Math.min(round === 0 ? FIRST_WARM_UP_MS : WARM_UP_MS, 500 * slice);
    // Every other round runs backwards, so that no side always comes after the same one.
    for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
      if (interrupt.aborted) break;
      observer.begin(side.side, round);
      await side.measureRound({ seconds: slice, warmUpMs }, (progress) => {
        observer.show(progress);
      });
    }
  }
  const measurements = await Promise.all(sides.map(async (side) => [side.side, await side.end()] as const));
  return Object.fromEntries(measurements) as Record<Side, Measurement>;
}
