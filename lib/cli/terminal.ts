// The terminal that the tool prints on: its width, and whether it shows colours.
import { stripVTControlCharacters, styleText } from 'node:util';
import { Command } from 'commander';
import Table from 'cli-table3';

const DEFAULT_WIDTH = 80;
const LEAST_WIDTH = 20;

/** A style of `util.styleText()`. */
export type Style = Parameters<typeof styleText>[0];

export interface Terminal {
  /** In columns. */
  readonly width: number;
  /** The text in a style, or as it is where colours are not wanted. */
  paint(style: Style, text: string): string;
}

/** Standard output: COLUMNS, NO_COLOR and FORCE_COLOR count. */
export function terminal(): Terminal {
  const colours = new Command().configureOutput().getOutHasColors?.() === true;
  return {
    width: outputWidth(),
    // The decision is made, and Node.js 20.11 and earlier have no styles.
    paint: (style, text) => (colours && typeof styleText === 'function' ? styled(style, text) : text),
  };
}

function styled(style: Style, text: string): string {
  // Newer versions look at a stream by themselves unless told not to.
  const paint = styleText as (style: Style, text: string, options: { validateStream: boolean }) => string;
  return paint(style, text, { validateStream: false });
}

/** Of standard output, in columns. */
export function outputWidth(): number {
  const { columns } = process.stdout as { columns?: number };
  const wanted = Number(process.env.COLUMNS);
  const width = Number.isInteger(wanted) && wanted > 0 ? wanted : (columns ?? DEFAULT_WIDTH);
  return Math.max(LEAST_WIDTH, width);
}

// Only space divides columns.
const NO_LINES = Object.fromEntries(
  [
    ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'],
    ...['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'],
  ].map((name) => [name, '']),
);

export interface Layout {
  /** Widths of columns; those that have none are as wide as they need. */
  widths?: number[];
  aligns?: ('left' | 'right')[];
}

/** Rows as lines, without rules. Cells are wrapped at words when they have a width. */
export function formatRows(rows: readonly (readonly string[])[], { widths = [], aligns = [] }: Layout = {}): string {
  const table = new Table({
    chars: { ...NO_LINES, middle: '  ' },
    colWidths: widths,
    colAligns: aligns,
    wordWrap: widths.length > 0,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
  });
  table.push(...rows.map((row) => [...row]));
  return table.toString().replaceAll(/ +$/gm, '');
}

/** The columns that a text takes, without its styles; the tool prints only characters of one column. */
export function textWidth(text: string): number {
  return stripVTControlCharacters(text).length;
}

/** The text in lines of at most so many columns; a word that is longer has a line of its own. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1);
    if (last !== undefined && textWidth(last) + 1 + textWidth(word) <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
