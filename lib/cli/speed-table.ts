// The results of `speed` as text: a table, or a list where the terminal is too narrow for it.
import { SIDES, type Side } from './algorithms';
import type { Figures, Measurement } from './measurement';
import { withCode } from './finding';
import type { SpeedReport, SpeedResult } from './speed-report';
import { formatRows, textWidth, wrap, type Terminal } from './terminal';

const HEAD = ['', '', 'op/s', 'delay p50', 'p99 ms', 'loop CPU', 'all CPU', 'pauses'];
const NONE = '–';

export function formatSpeed(report: SpeedReport, output: Terminal): string {
  const { results } = report;
  const table = formatTable(results, output);
  const fits = table.split('\n').every((line) => textWidth(line) <= output.width);
  const failures = results.flatMap((result) => SIDES.flatMap((side) => failureOf(result, side)));
  return [
    ...wrapAll(headOf(report), output.width),
    '',
    fits ? table : formatList(results, output),
    '',
    ...wrapAll(legendOf(report), output.width).map((line) => output.paint('dim', line)),
    ...(failures.length === 0 ? [] : ['', ...wrapAll(failures, output.width).map((line) => output.paint('red', line))]),
  ].join('\n');
}

function headOf({ runtime, openssl, cpu, cores, asyncJobs, seconds, implementation }: SpeedReport): string[] {
  const { provider, engine, properties } = implementation;
  const chosen = [
    ...(provider === undefined ? [] : [`provider ${provider}`]),
    ...(engine === undefined ? [] : [`engine ${engine}`]),
    ...(properties === undefined ? [] : [`properties ${properties}`]),
  ];
  return [
    `${runtime}, ${openssl ?? 'no OpenSSL'}`,
    `${cpu}, ${cores} ${cores === 1 ? 'core' : 'cores'}`,
    [`${asyncJobs} in flight`, `${seconds} s each`, ...chosen].join(', '),
  ];
}

function legendOf({ threadpoolThreads, implementation }: SpeedReport): string[] {
  const how = implementation.provider === undefined ? '' : `, with the provider ${implementation.provider}`;
  return [
    `sync: node:crypto on the event loop, which turns every millisecond. threadpool: node:crypto or WebCrypto on ` +
      `${threadpoolThreads} threads of Node.js. async: openssl-async${how}.`,
    'delay: how late a timer of 1 ms was. CPU: of the event loop, and of the whole process, in cores. ' +
      'pauses: of a job, for each operation.',
  ];
}

function formatTable(results: readonly SpeedResult[], output: Terminal): string {
  const rows = results.flatMap((result) =>
    SIDES.map((side, index) => [
      index === 0 ? output.paint('bold', titleOf(result)) : '',
      side,
      ...cells(result, side, output),
    ]),
  );
  const aligns = HEAD.map((_, index) => (index < 2 ? ('left' as const) : ('right' as const)));
  return formatRows([HEAD, ...rows], { aligns });
}

// One line for each figure.
function formatList(results: readonly SpeedResult[], output: Terminal): string {
  const names = ['operations/s', 'delay p50 ms', 'delay p99 ms', 'loop CPU', 'all CPU', 'pauses'];
  const rows = (result: SpeedResult, side: Side): string =>
    formatRows(
      cells(result, side, output).map((cell, index) => [`    ${names[index] ?? ''}`, cell]),
      { aligns: ['left', 'right'] },
    );
  return results
    .map((result) =>
      [output.paint('bold', titleOf(result)), ...SIDES.map((side) => `  ${side}\n${rows(result, side)}`)].join('\n'),
    )
    .join('\n');
}

export function titleOf({ algorithm, operation, bytes }: SpeedResult): string {
  if (bytes !== undefined) return `${algorithm} ${bytes} B`;
  return algorithm.endsWith(operation) ? algorithm : `${algorithm} ${operation}`;
}

function cells(result: SpeedResult, side: Side, output: Terminal): string[] {
  const figures = figuresOf(result.sides[side]);
  if (figures === undefined) {
    const failed = 'failure' in result.sides[side];
    return [failed ? output.paint('red', 'failed') : NONE, ...Array<string>(5).fill(NONE)];
  }
  const { operationsPerSecond, delayMs, cpu, placement } = figures;
  const rate = formatRate(operationsPerSecond);
  return [
    side === fastest(result) ? output.paint('green', rate) : rate,
    delayMs.p50.toFixed(2),
    delayMs.p99.toFixed(2),
    cpu.mainThread === null ? NONE : cpu.mainThread.toFixed(2),
    cpu.process.toFixed(2),
    placement === undefined ? NONE : formatPauses(placement.pausesPerOperation),
  ];
}

export function formatRate(rate: number): string {
  return rate.toFixed(rate < 100 ? 1 : 0);
}

function formatPauses(pauses: number): string {
  return pauses === 0 ? '0' : pauses.toFixed(2);
}

export function figuresOf(measurement: Measurement): Figures | undefined {
  return 'figures' in measurement ? measurement.figures : undefined;
}

function fastest({ sides }: SpeedResult): Side {
  const rate = (side: Side): number => figuresOf(sides[side])?.operationsPerSecond ?? 0;
  return SIDES.reduce((best, side) => (rate(side) > rate(best) ? side : best));
}

function failureOf(result: SpeedResult, side: Side): string[] {
  const measurement = result.sides[side];
  if (!('failure' in measurement)) return [];
  const { code, message } = measurement.failure;
  return [`${titleOf(result)}, ${side}: ${withCode(code, message)}`];
}

function wrapAll(texts: readonly string[], width: number): string[] {
  return texts.flatMap((text) => wrap(text, width));
}
