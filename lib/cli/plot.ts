// The results of `speed` as a page of charts that needs nothing else: neither a network nor a script.
import type { Figures } from './figures';
import { SIDES, type Side } from './sides';
import { figuresOf, titleOf, type SpeedReport, type SpeedResult } from './speed-report';
import { formatRate } from './speed-table';

interface Metric {
  title: string;
  value: (figures: Figures) => number | null;
  format: (value: number) => string;
}

const METRICS: Metric[] = [
  { title: 'Operations per second', value: (figures) => figures.operationsPerSecond, format: formatRate },
  { title: 'Event-loop delay, p99, ms', value: ({ delayMs }) => delayMs.p99, format: (value) => value.toFixed(2) },
  {
    title: 'CPU of the event loop, µs per operation',
    value: ({ cpu, operationsPerSecond }) => perOperation(cpu.mainThread, operationsPerSecond),
    format: (value) => value.toFixed(1),
  },
  {
    title: 'CPU of the process, µs per operation',
    value: ({ cpu, operationsPerSecond }) => perOperation(cpu.process, operationsPerSecond),
    format: (value) => value.toFixed(1),
  },
];

function perOperation(cores: number | null, operationsPerSecond: number): number | null {
  return cores === null || operationsPerSecond === 0 ? null : (1e6 * cores) / operationsPerSecond;
}

const CHART = { width: 320, label: 80, value: 70, bar: 18, gap: 6 };

const STYLE = `
  :root { color-scheme: light dark; --text: #1b1f24; --dim: #59636e; --line: #d1d9e0; --back: #fff; }
  @media (prefers-color-scheme: dark) { :root { --text: #e6edf3; --dim: #9198a1; --line: #3d444d; --back: #0d1117; } }
  body { margin: 2rem auto; max-width: 90rem; padding: 0 1rem; font: 15px/1.5 system-ui, sans-serif;
         color: var(--text); background: var(--back); }
  p, caption, figcaption { color: var(--dim); }
  h2 { margin: 2rem 0 0.5rem; border-bottom: 1px solid var(--line); }
  .charts { display: flex; flex-wrap: wrap; gap: 1rem 2rem; }
  figure { margin: 0; }
  svg text { font: 12px system-ui, sans-serif; fill: var(--text); }
  .sync { fill: #8b949e; } .threadpool { fill: #d4822a; } .async { fill: #2f81f7; }
  table { border-collapse: collapse; margin-top: 2rem; font-variant-numeric: tabular-nums; }
  th, td { padding: 0.2rem 0.8rem; border-bottom: 1px solid var(--line); text-align: right; }
  th:first-child, td:first-child, td:nth-child(2) { text-align: left; }
`;

export function formatPage(report: SpeedReport): string {
  const { runtime, openssl, cpu, cores, asyncJobs, seconds, threadpoolThreads, results } = report;
  const implementation = Object.entries(report.implementation).map(([name, value]) => `${name} ${String(value)}`);
  const facts = [
    runtime,
    openssl ?? 'no OpenSSL',
    `${cpu}, ${cores} cores`,
    `${asyncJobs} in flight`,
    `${seconds} s each`,
    `${threadpoolThreads} threads in Node.js's pool`,
    ...implementation,
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>openssl-async speed</title>
<style>${STYLE}</style>
</head>
<body>
<h1>openssl-async speed</h1>
<p>${facts.map(escape).join(' · ')}</p>
<p>sync: node:crypto on the event loop. threadpool: node:crypto or WebCrypto on Node.js's threads.
async: openssl-async. Delay: how late a timer of 1 ms was.</p>
${results.map(formatSection).join('\n')}
${formatTable(results)}
</body>
</html>
`;
}

function formatSection(result: SpeedResult): string {
  return `<section>
<h2>${escape(titleOf(result))}</h2>
<div class="charts">
${METRICS.map((metric) => formatChart(result, metric)).join('\n')}
</div>
</section>`;
}

function formatChart(result: SpeedResult, { title, value, format }: Metric): string {
  const bars = SIDES.map((side) => ({ side, value: valueOf(result, side, value) }));
  const most = Math.max(...bars.map((bar) => bar.value ?? 0));
  const { width, label, bar: thickness, gap } = CHART;
  const room = width - label - CHART.value;
  const rows = bars.map(({ side, value: amount }, index) => {
    const y = index * (thickness + gap);
    const length = amount === null || most === 0 ? 0 : (room * amount) / most;
    const text = amount === null ? 'none' : format(amount);
    const middle = y + thickness / 2;
    return (
      `<text x="${label - 8}" y="${middle}" text-anchor="end" dominant-baseline="central">${side}</text>` +
      `<rect class="${side}" x="${label}" y="${y}" width="${length.toFixed(1)}" height="${thickness}" rx="2"/>` +
      `<text x="${(label + length + 6).toFixed(1)}" y="${middle}" dominant-baseline="central">${escape(text)}</text>`
    );
  });
  const height = SIDES.length * (thickness + gap);
  return `<figure><figcaption>${escape(title)}</figcaption>
<svg width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escape(title)}">
${rows.join('\n')}
</svg></figure>`;
}

function formatTable(results: readonly SpeedResult[]): string {
  const rows = results.flatMap((result) =>
    SIDES.map((side) => {
      const figures = METRICS.map(({ value, format }) => {
        const amount = valueOf(result, side, value);
        return `<td>${amount === null ? '–' : escape(format(amount))}</td>`;
      });
      return `<tr><td>${escape(titleOf(result))}</td><td>${side}</td>${figures.join('')}</tr>`;
    }),
  );
  const head = ['', '', ...METRICS.map(({ title }) => title)];
  return `<table>
<caption>All figures</caption>
<tr>${head.map((title) => `<th>${escape(title)}</th>`).join('')}</tr>
${rows.join('\n')}
</table>`;
}

function valueOf(result: SpeedResult, side: Side, value: Metric['value']): number | null {
  const figures = figuresOf(result.sides[side]);
  return figures === undefined ? null : value(figures);
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
