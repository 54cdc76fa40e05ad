// The charts of `speed`'s page, drawn by Observable Plot without a browser. Colours come from the page's variables, so
// that one drawing serves light and dark.
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import type { Spread } from './figures';
import { SIDES, type Side } from './sides';

/** A chart's width in pixels: a narrow telephone shows it without making it smaller. */
const WIDTH = 340;
const SIDE_LABELS = 76;
const TITLE_LABELS = 168;
const ROW = 26;

export interface Bar extends Spread {
  side: Side;
}

export interface Ratio extends Spread {
  title: string;
}

/** One bar a side, from zero, with a line from the lowest to the highest round. Sides without a bar have a dash. */
export function drawBars(bars: readonly Bar[], format: (value: number) => string, label: string): string {
  const most = Math.max(0, ...bars.map(({ max }) => max));
  const missing = SIDES.filter((side) => bars.every((bar) => bar.side !== side));
  return draw({
    ariaLabel: label,
    width: WIDTH,
    height: SIDES.length * ROW + 4,
    margin: 0,
    marginTop: 2,
    marginBottom: 2,
    marginLeft: SIDE_LABELS,
    marginRight: 70,
    x: { axis: null, domain: [0, most === 0 ? 1 : most] },
    y: { domain: SIDES, label: null, tickSize: 0, padding: 0.25 },
    marks: [
      Plot.barX(bars, { x: 'median', y: 'side', fill: ({ side }: Bar) => `var(--${side})`, rx: 2 }),
      Plot.ruleY(bars, { x1: 'min', x2: 'max', y: 'side', marker: 'tick', strokeWidth: 1.25 }),
      // The text stands beside the line, so as not to cross it.
      Plot.text(bars, {
        x: 'max',
        y: 'side',
        text: ({ median }: Bar) => format(median),
        textAnchor: 'start',
        dx: 6,
      }),
      Plot.text(missing, { x: 0, y: (side: Side) => side, text: () => '–', textAnchor: 'start', dx: 2 }),
    ],
  });
}

const FACTORS = [1 / 16, 1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8, 16, 32, 64];
const NAMES = new Map([
  [1 / 16, '1⁄16'],
  [1 / 8, '⅛'],
  [1 / 4, '¼'],
  [1 / 2, '½'],
]);

/** One dot a title, with a line from the lowest to the highest round, on a logarithmic scale. */
export function drawRatios(ratios: readonly Ratio[], label: string): string {
  const low = Math.min(0.5, ...ratios.map(({ min }) => min));
  const high = Math.max(2, ...ratios.map(({ max }) => max));
  const colour = ({ min, max }: Ratio): string => `var(--${min > 1 ? 'better' : max < 1 ? 'worse' : 'even'})`;
  return draw({
    ariaLabel: label,
    width: WIDTH,
    height: ratios.length * ROW + 26,
    marginTop: 2,
    marginBottom: 24,
    marginLeft: TITLE_LABELS,
    marginRight: 40,
    x: {
      type: 'log',
      domain: [low / 1.1, high * 1.1],
      ticks: FACTORS.filter((factor) => factor >= low / 1.1 && factor <= high * 1.1),
      tickFormat: (factor: number) => NAMES.get(factor) ?? String(factor),
      label: null,
      grid: true,
    },
    y: { domain: ratios.map(({ title }) => title), label: null, tickSize: 0 },
    marks: [
      Plot.ruleX([1], { strokeWidth: 1.5 }),
      Plot.ruleY(ratios, { x1: 'min', x2: 'max', y: 'title', stroke: colour, strokeWidth: 2 }),
      Plot.dot(ratios, { x: 'median', y: 'title', fill: colour, r: 4 }),
      Plot.text(ratios, {
        frameAnchor: 'right',
        y: 'title',
        text: ({ median }: Ratio) => median.toFixed(2),
        textAnchor: 'end',
        dx: 38,
        fontWeight: 600,
      }),
    ],
  });
}

function draw(options: Plot.PlotOptions): string {
  const { document } = parseHTML('<!doctype html><html><body></body></html>') as unknown as { document: never };
  // This program has no types of a browser.
  const chart = Plot.plot({ ...options, document }) as unknown as { outerHTML: string };
  return chart.outerHTML;
}
