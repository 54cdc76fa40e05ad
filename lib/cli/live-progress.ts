// The bar of `speed`, on standard error where that is a terminal.
import { SingleBar } from 'cli-progress';
import type { Progress } from './measurement';
import type { RoundsObserver } from './rounds';
import { SIDES, type Side } from './sides';
import { outputWidth } from './terminal';

export class LiveProgress implements RoundsObserver {
  readonly #bar: SingleBar | undefined;
  readonly #rounds: number;
  readonly #slice: number;
  #algorithm = '';
  #measured = -1;

  /** `seconds`: of each side, in all rounds. */
  constructor(rounds: number, seconds: number) {
    this.#rounds = rounds;
    this.#slice = seconds / rounds;
    if (!process.stderr.isTTY) return;
    this.#bar = new SingleBar({
      stream: process.stderr,
      format: '{bar} {percentage}% {label} {rate}',
      barsize: Math.min(30, Math.max(5, outputWidth() - 60)),
      clearOnComplete: true,
      hideCursor: true,
      gracefulExit: false,
      linewrap: false,
    });
    process.once('exit', () => {
      this.stop();
    });
  }

  get isLive(): boolean {
    return this.#bar !== undefined;
  }

  start(algorithms: number): void {
    this.#bar?.start(algorithms * SIDES.length * this.#rounds * this.#slice, 0, { label: '', rate: '' });
  }

  /** The algorithm of the next rounds. */
  name(algorithm: string): void {
    this.#algorithm = algorithm;
  }

  begin(side: Side, round: number): void {
    const label = `${this.#algorithm} ${side} ${round + 1}/${this.#rounds}`;
    this.#bar?.update(++this.#measured * this.#slice, { label, rate: '' });
  }

  show({ operations, seconds }: Progress): void {
    const rate = `${Math.round(operations / seconds)}/s`;
    this.#bar?.update(this.#measured * this.#slice + Math.min(seconds, this.#slice), { rate });
  }

  stop(): void {
    this.#bar?.stop();
  }
}
