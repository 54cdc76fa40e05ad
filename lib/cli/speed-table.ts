// The results of `speed` as text: a table, or a list where the terminal is too narrow for it.
import type { Figures, Spread } from './figures';
import { formatPauses, formatRate, formatRates, formatRatio, formatRatios } from './formats';
import { SIDES, type Side } from './sides';
import {
  failuresOf,
  figuresOf,
  titleOf,
  warningsOf,
  winnerOf,
  type Ratios,
  type SpeedReport,
  type SpeedResult,
} from './speed-report';
import { formatRows, textWidth, wrap, type Terminal } from './terminal';

interface Column {
  /** Up to two lines. */
  head: string;
  /** In a list. */
  name: string;
  cell: (figures: Figures, ratio: Spread | undefined) => string;
}

const NONE = '–';
const SAME: Spread = { median: 1, min: 1, max: 1 };
const RATIO_OF: Record<Side, keyof Ratios | undefined> = {
  sync: undefined,
  threadpool: 'threadpoolToSync',
  async: 'asyncToSync',
};

const COLUMNS: Column[] = [
  { head: '\nop/s', name: 'operations/s', cell: ({ spread }) => formatRate(spread.median) },
  { head: '\nmin–max', name: 'min–max', cell: ({ spread }) => formatRates(spread) },
  { head: '\n× sync', name: '× sync', cell: (_, ratio) => (ratio === undefined ? NONE : formatRatio(ratio.median)) },
  {
    head: '× sync\nmin–max',
    name: '× sync min–max',
    cell: (_, ratio) => (ratio === undefined || ratio === SAME ? NONE : formatRatios(ratio)),
  },
  { head: 'delay\np50 ms', name: 'delay p50 ms', cell: ({ delayMs }) => delayMs.p50.toFixed(2) },
  { head: 'delay\np99 ms', name: 'delay p99 ms', cell: ({ delayMs }) => delayMs.p99.toFixed(2) },
  {
    head: 'loop\nCPU',
    name: 'loop CPU',
    cell: ({ cpu }) => (cpu.mainThread === null ? NONE : cpu.mainThread.toFixed(2)),
  },
  { head: 'all\nCPU', name: 'all CPU', cell: ({ cpu }) => cpu.process.toFixed(2) },
  {
    head: '\npauses',
    name: 'pauses',
    cell: ({ placement }) => (placement === undefined ? NONE : formatPauses(placement.pausesPerOperation)),
  },
];

// Columns that tables leave out, each where the terminal is too narrow for the one before it.
const NARROWER = [[], ['delay p50 ms'], ['× sync min–max'], ['delay p50 ms', '× sync min–max']];

export function formatSpeed(report: SpeedReport, output: Terminal): string {
  const { results } = report;
  const part = (texts: readonly string[], style?: 'dim' | 'red' | 'yellow'): string[] =>
    texts
      .flatMap((text) => wrap(text, output.width))
      .map((line) => (style === undefined ? line : output.paint(style, line)));
  return [
    part(headOf(report)),
    results.length === 0
      ? ['Nothing was measured.']
      : [formatResults(results, output), '', ...part(legendOf(report), 'dim')],
    part(warningsOf(report), 'yellow'),
    part(failuresOf(report), 'red'),
  ]
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

function headOf({ runtime, openssl, cpu, cores, asyncJobs, seconds, rounds, implementation }: SpeedReport): string[] {
  const { provider, engine, properties } = implementation;
  const chosen = [
    ...(provider === undefined ? [] : [`provider ${provider}`]),
    ...(engine === undefined ? [] : [`engine ${engine}`]),
    ...(properties === undefined ? [] : [`properties ${properties}`]),
  ];
  return [
    `${runtime}, ${openssl ?? 'no OpenSSL'}`,
    `${cpu}, ${cores} ${cores === 1 ? 'core' : 'cores'}`,
    [`${asyncJobs} in flight`, `${seconds} s each`, `${rounds} rounds`, ...chosen].join(', '),
  ];
}

function legendOf({ threadpoolThreads, implementation }: SpeedReport): string[] {
  const how = implementation.provider === undefined ? '' : `, with the provider ${implementation.provider}`;
  return [
    'op/s: the median of the rounds, in which the sides take turns; min–max: slowest and fastest round.',
    '× sync: op/s divided by those of sync in the same round. Above 1 is faster than sync.',
    `sync: node:crypto on the event loop, which turns every millisecond. threadpool: node:crypto or WebCrypto on ` +
      `${threadpoolThreads} threads of Node.js. async: openssl-async${how}.`,
    'delay: how late a timer of 1 ms was. CPU: of the event loop, and of the whole process, in cores. ' +
      'pauses: of a job, for each operation.',
  ];
}

function formatResults(results: readonly SpeedResult[], output: Terminal): string {
  const tables = NARROWER.map((left) =>
    formatTable(
      results,
      COLUMNS.filter(({ name }) => !left.includes(name)),
      output,
    ),
  );
  const fitting = tables.find((table) => table.split('\n').every((line) => textWidth(line) <= output.width));
  return fitting ?? formatList(results, output);
}

// Titles have lines of their own, which figures do not make wider.
function formatTable(results: readonly SpeedResult[], columns: readonly Column[], output: Terminal): string {
  const rows = results.flatMap((result) => SIDES.map((side) => [`  ${side}`, ...cells(result, side, columns, output)]));
  const aligns = ['left' as const, ...columns.map(() => 'right' as const)];
  const lines = formatRows([['', ...columns.map(({ head }) => head)], ...rows], { aligns }).split('\n');
  const head = lines.splice(0, lines.length - rows.length);
  return [
    ...head,
    ...results.flatMap((result, index) => [
      output.paint('bold', titleOf(result)),
      ...lines.slice(index * SIDES.length, (index + 1) * SIDES.length),
    ]),
  ].join('\n');
}

// One line for each figure.
function formatList(results: readonly SpeedResult[], output: Terminal): string {
  const rows = (result: SpeedResult, side: Side): string =>
    formatRows(
      cells(result, side, COLUMNS, output).map((cell, index) => [`    ${COLUMNS[index]?.name ?? ''}`, cell]),
      { aligns: ['left', 'right'] },
    );
  return results
    .map((result) =>
      [output.paint('bold', titleOf(result)), ...SIDES.map((side) => `  ${side}\n${rows(result, side)}`)].join('\n'),
    )
    .join('\n');
}

function cells(result: SpeedResult, side: Side, columns: readonly Column[], output: Terminal): string[] {
  const figures = figuresOf(result.sides[side]);
  if (figures === undefined) {
    const first = 'failure' in result.sides[side] ? output.paint('red', 'failed') : NONE;
    return columns.map((_, index) => (index === 0 ? first : NONE));
  }
  const name = RATIO_OF[side];
  const ratio = name === undefined ? SAME : result.ratios[name];
  const isWinner = winnerOf(result) === side;
  return columns.map(({ cell }, index) => {
    const text = cell(figures, ratio);
    return index === 0 && isWinner ? output.paint('green', text) : text;
  });
}
