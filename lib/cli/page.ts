// The results of `speed` as a page of charts that needs nothing else: neither a network nor a script.
import { drawBars, drawRatios, type Bar, type Ratio } from './charts';
import { spreadOf, type RoundFigures, type Spread } from './figures';
import { formatPauses, formatRate, formatRates } from './formats';
import { STYLE } from './page-style';
import { SIDES, type Side } from './sides';
import {
  failuresOf,
  figuresOf,
  titleOf,
  warningsOf,
  type Ratios,
  type SpeedReport,
  type SpeedResult,
} from './speed-report';

interface Metric {
  title: string;
  /** Whether higher or lower is better, and the unit. */
  note: string;
  value: (round: RoundFigures) => number | null;
  format: (value: number) => string;
}

const METRICS: Metric[] = [
  {
    title: 'Operations per second',
    note: 'Higher is better.',
    value: ({ operationsPerSecond }) => operationsPerSecond,
    format: formatRate,
  },
  {
    title: 'Delay of the event loop',
    note: 'Lower is better. Milliseconds by which a timer of 1 ms was late, 99th percentile.',
    value: ({ delayMs }) => delayMs.p99,
    format: (value) => value.toFixed(2),
  },
  {
    title: 'CPU time of the event loop',
    note: 'Lower is better. Microseconds an operation: the less, the more is left for everything else.',
    value: ({ cpu, operationsPerSecond }) => perOperation(cpu.mainThread, operationsPerSecond),
    format: (value) => value.toFixed(1),
  },
  {
    title: 'CPU time of the process',
    note: 'Lower is better. Microseconds an operation, of all threads.',
    value: ({ cpu, operationsPerSecond }) => perOperation(cpu.process, operationsPerSecond),
    format: (value) => value.toFixed(1),
  },
];

function perOperation(cores: number | null, operationsPerSecond: number): number | null {
  return cores === null || operationsPerSecond === 0 ? null : (1e6 * cores) / operationsPerSecond;
}

const SIDE_NAMES: Record<Side, string> = {
  sync: 'node:crypto on the event loop, which turns every millisecond',
  threadpool: 'node:crypto or WebCrypto on the threads of Node.js',
  async: 'openssl-async',
};

export function formatPage(report: SpeedReport): string {
  const { results } = report;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>openssl-async speed</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>openssl-async speed</h1>
<p>${escape(`${report.runtime} · ${report.cpu}`)}</p>
${[...warningsOf(report), ...failuresOf(report)].map((notice) => `<p class="notice">${escape(notice)}</p>`).join('\n')}
</header>
<main>
${formatSummary(results)}
${formatSides(report)}
${METRICS.map((metric) => formatMetric(results, metric)).join('\n')}
${formatTable(results)}
${formatFacts(report)}
</main>
</body>
</html>
`;
}

function formatSummary(results: readonly SpeedResult[]): string {
  const charts: [name: keyof Ratios, title: string][] = [
    ['asyncToThreadpool', 'openssl-async ÷ thread pool'],
    ['asyncToSync', 'openssl-async ÷ sync'],
  ];
  const figures = charts.flatMap(([name, title]) => {
    const ratios = results.flatMap((result): Ratio[] => {
      const ratio = result.ratios[name];
      return ratio === undefined ? [] : [{ ...ratio, title: titleOf(result) }];
    });
    return ratios.length === 0 ? [] : [formatFigure(title, drawRatios(ratios, title))];
  });
  if (figures.length === 0) return '';
  return formatSection(
    'Ratios of operations per second',
    'Further right is better: above 1, openssl-async is faster. A dot is the median of the rounds, a line goes from the ' +
      'lowest to the highest. Blue: faster in each round; red: slower in each; grey: neither.',
    figures,
  );
}

function formatSides({ threadpoolThreads, implementation }: SpeedReport): string {
  const more: Record<Side, string> = {
    sync: '',
    threadpool: `, of which there are ${threadpoolThreads}`,
    async: implementation.provider === undefined ? '' : `, with the provider ${implementation.provider}`,
  };
  const items = SIDES.map(
    (side) => `<li><span class="swatch ${side}"></span><b>${side}</b> ${escape(SIDE_NAMES[side] + more[side])}</li>`,
  );
  return `<ul class="sides">
${items.join('\n')}
</ul>
<p class="note">Bars are medians of the rounds, and lines go from the lowest to the highest. Each panel has its own scale.</p>`;
}

function formatMetric(results: readonly SpeedResult[], { title, note, value, format }: Metric): string {
  const figures = results.map((result) => {
    const bars = SIDES.flatMap((side): Bar[] => {
      const spread = spreadAmong(result, side, value);
      return spread === undefined ? [] : [{ ...spread, side }];
    });
    return formatFigure(titleOf(result), drawBars(bars, format, `${title}, ${titleOf(result)}`));
  });
  return formatSection(title, note, figures);
}

function spreadAmong(result: SpeedResult, side: Side, value: Metric['value']): Spread | undefined {
  const values = figuresOf(result.sides[side])?.rounds.flatMap((round) => value(round) ?? []) ?? [];
  return values.length === 0 ? undefined : spreadOf(values);
}

function formatSection(title: string, note: string, figures: readonly string[]): string {
  return `<section>
<h2>${escape(title)}</h2>
<p class="note">${escape(note)}</p>
<div class="charts">
${figures.join('\n')}
</div>
</section>`;
}

function formatFigure(caption: string, chart: string): string {
  return `<figure><figcaption>${escape(caption)}</figcaption>
${chart}
</figure>`;
}

function formatTable(results: readonly SpeedResult[]): string {
  const heads = ['', 'op/s', 'min–max', ...['delay p99, ms', 'loop, µs/op', 'process, µs/op'], 'pauses/op', 'ran'];
  const bodies = results.map((result) => {
    const rows = SIDES.map((side) => {
      const cells = cellsOf(result, side).map((cell) => `<td>${escape(cell)}</td>`);
      return `<tr><th scope="row">${side}</th>${cells.join('')}</tr>`;
    });
    const title = `<tr><th colspan="${heads.length}" scope="rowgroup">${escape(titleOf(result))}</th></tr>`;
    return `<tbody>\n${[title, ...rows].join('\n')}\n</tbody>`;
  });
  return `<section>
<h2>All figures</h2>
<p class="note">Medians of the rounds. Pauses of jobs, and where operations of openssl-async ran.</p>
<div class="scroll" tabindex="0" role="region" aria-label="All figures">
<table>
<thead><tr>${heads.map((head) => `<th scope="col">${escape(head)}</th>`).join('')}</tr></thead>
${bodies.join('\n')}
</table>
</div>
</section>`;
}

function cellsOf(result: SpeedResult, side: Side): string[] {
  const figures = figuresOf(result.sides[side]);
  const medians = METRICS.map(({ value, format }) => {
    const spread = spreadAmong(result, side, value);
    return spread === undefined ? '–' : format(spread.median);
  });
  const [rate = '–', ...rest] = medians;
  if (figures === undefined) return [rate, '–', ...rest, '–', '–'];
  const { placement, spread } = figures;
  if (placement === undefined) return [rate, formatRates(spread), ...rest, '–', '–'];
  const shares = (
    [
      ['inline', 'on the loop'],
      ['pool', 'own pool'],
      ['threadpool', 'thread pool'],
      ['jobs', 'jobs'],
    ] as const
  )
    .filter(([name]) => placement[name] > 0)
    .map(([name, text]) => `${text} ${Math.round(100 * placement[name])} %`);
  return [rate, formatRates(spread), ...rest, formatPauses(placement.pausesPerOperation), shares.join(', ')];
}

function formatFacts(report: SpeedReport): string {
  const { asyncJobs, seconds, rounds, threadpoolThreads, implementation, runtime, openssl, cpu, cores } = report;
  const bytes = report.results.find((result) => result.bytes !== undefined)?.bytes;
  const pauses = report.results.flatMap(({ sides }) => figuresOf(sides.async)?.placement?.pausesPerOperation ?? []);
  const settings = {
    'Calls in flight': asyncJobs,
    'Each side': `${seconds} s in ${rounds} ${rounds === 1 ? 'round' : 'rounds'}`,
    ...(bytes === undefined ? {} : { 'Messages of digests and ciphers': `${bytes} bytes` }),
    "Threads of Node.js's pool": threadpoolThreads,
    'Pauses of jobs':
      pauses.length === 0 ? 'not measured' : `${formatRange(spreadOf(pauses), formatPauses)} an operation`,
    Provider: implementation.provider ?? "OpenSSL's choice",
    ...(implementation.providerPath === undefined ? {} : { 'Its module': implementation.providerPath }),
    ...(implementation.engine === undefined ? {} : { Engine: implementation.engine }),
    ...(implementation.properties === undefined ? {} : { Properties: implementation.properties }),
  };
  const machine = { Runtime: runtime, OpenSSL: openssl ?? 'none', CPU: cpu, Cores: cores };
  return `<section class="facts">
${formatList('Settings', settings)}
${formatList('Machine', machine)}
</section>`;
}

function formatRange({ min, max }: Spread, format: (value: number) => string): string {
  return min === max ? format(min) : `${format(min)} to ${format(max)}`;
}

function formatList(title: string, facts: Record<string, string | number>): string {
  const items = Object.entries(facts).map(
    ([name, value]) => `<dt>${escape(name)}</dt><dd>${escape(String(value))}</dd>`,
  );
  return `<div><h2>${escape(title)}</h2>
<dl>
${items.join('\n')}
</dl></div>`;
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
