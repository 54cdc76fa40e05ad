// Figures of `speed` as its table and its page print them.
import type { Spread } from './figures';

export function formatRate(rate: number): string {
  return rate.toFixed(digitsOf(rate));
}

/** From the slowest to the fastest, both as precisely as the fastest. */
export function formatRates({ min, max }: Spread): string {
  return `${min.toFixed(digitsOf(max))}–${max.toFixed(digitsOf(max))}`;
}

function digitsOf(rate: number): number {
  return rate < 100 ? 1 : 0;
}

export function formatRatio(ratio: number): string {
  return ratio.toFixed(2);
}

export function formatRatios({ min, max }: Spread): string {
  return `${formatRatio(min)}–${formatRatio(max)}`;
}

export function formatPauses(pauses: number): string {
  return pauses === 0 ? '0' : pauses.toFixed(2);
}
