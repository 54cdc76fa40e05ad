'use strict';

// The results of the TLS benchmark as a page of charts, as `speed --plot` makes one: it needs neither a network nor a
// script, and is drawn without a browser.

const { parseHTML } = require('linkedom');

const WIDTH = 580;
const LABELS = 300;
const ROW = 24;
// Ratios that may be drawn, with their names.
const TICKS = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10];

const SIDES = {
  ours: 'openssl-async',
  threads: "openssl-async, records: 'threads'",
  http: 'node:http, without TLS',
  nginx: 'nginx in front of node:http',
};

const SECTIONS = [
  {
    title: 'How much',
    note: 'Per second. Further right is better.',
    names: ['perSecond', 'leastPerSecond'],
  },
  {
    title: 'Time of the event loop',
    note: 'CPU of the main thread for each request or handshake. Further left is better.',
    names: ['mainMicros'],
  },
  {
    title: 'Time of the process',
    note: 'CPU of all threads for each request or handshake. Further left is better.',
    names: ['processMicros'],
  },
  {
    title: 'Delays and memory',
    note: 'Further left is better.',
    names: ['p99Micros', 'meanMs', 'maxMs', 'delayMaxMs', 'rssBytes'],
  },
];

const STYLE = `
  :root { color-scheme: light dark; --text: #1b1f24; --dim: #59636e; --line: #d1d9e0; --back: #fff; --panel: #f6f8fa;
          --ours: #2f81f7; --threads: #8250df; --http: #8b949e; --nginx: #d4822a; }
  @media (prefers-color-scheme: dark) {
    :root { --text: #e6edf3; --dim: #9198a1; --line: #3d444d; --back: #0d1117; --panel: #151b23; --threads: #ab7df8; }
  }
  * { box-sizing: border-box; }
  body { margin: 0 auto; max-width: 76rem; padding: 1rem; font: 15px/1.5 system-ui, sans-serif; color: var(--text);
         background: var(--back); }
  h1 { font-size: 1.6rem; margin: 0.5rem 0 0; }
  h2 { font-size: 1.1rem; margin: 2rem 0 0; }
  p { color: var(--dim); margin: 0.2rem 0 0.8rem; max-width: 48rem; }
  .charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 35rem), 1fr)); gap: 0.8rem; align-items: start; }
  figure { margin: 0; padding: 0.6rem 0.4rem; background: var(--panel); border: 1px solid var(--line); border-radius: 6px; }
  figure svg { font-size: 12px; max-width: 100%; height: auto; }
  ul { list-style: none; padding: 0; margin: 1rem 0 0; display: grid; gap: 0.3rem; }
  .swatch { display: inline-block; width: 0.8em; height: 0.8em; border-radius: 2px; margin-right: 0.5em; }
  pre { color: var(--dim); white-space: pre-wrap; }
`;

const escape = (text) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

// A dot a side, with a line from the lowest round to the highest one, on a logarithmic scale around node's 1.
function drawRatios(Plot, rows, label) {
  const marks = rows.map(({ trial, figure, side, ratio }) => ({
    ...ratio,
    side,
    title: rows.some((row) => row.trial === trial && row.figure !== figure)
      ? `${trial.title}, ${figure.title}`
      : trial.title,
  }));
  const low = Math.min(0.5, ...marks.map(({ min }) => min)) / 1.1;
  const high = Math.max(2, ...marks.map(({ max }) => max)) * 1.1;
  const titles = [...new Set(marks.map(({ title }) => title))];
  const colour = ({ side }) => `var(--${side})`;
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  return Plot.plot({
    document,
    ariaLabel: label,
    width: WIDTH,
    height: titles.length * ROW + 30,
    marginTop: 2,
    marginBottom: 24,
    marginLeft: LABELS,
    marginRight: 16,
    x: {
      type: 'log',
      domain: [low, high],
      ticks: TICKS.filter((tick) => tick >= low && tick <= high),
      tickFormat: String,
      label: null,
      grid: true,
    },
    y: { domain: titles, label: null, tickSize: 0 },
    marks: [
      Plot.ruleX([1], { strokeWidth: 1.5 }),
      Plot.ruleY(marks, { x1: 'min', x2: 'max', y: 'title', stroke: colour, strokeWidth: 2 }),
      Plot.dot(marks, { x: 'median', y: 'title', fill: colour, r: 4 }),
    ],
  }).outerHTML;
}

function formatSection(Plot, { title, note, names }, rows) {
  const shown = rows.filter(
    ({ figure, ratio, side }) => names.includes(figure.name) && ratio !== undefined && side in SIDES,
  );
  if (shown.length === 0) return '';
  const charts = [
    shown.filter(({ trial }) => trial.load.mode !== 'clients'),
    shown.filter(({ trial }) => trial.load.mode === 'clients'),
  ].filter((some) => some.length > 0);
  return `<section>
<h2>${escape(title)}</h2>
<p>${escape(note)}</p>
<div class="charts">
${charts.map((some) => `<figure>${drawRatios(Plot, some, title)}</figure>`).join('\n')}
</div>
</section>`;
}

/**
 * @param {object[]} rows as run.js makes them of all results
 * @param {{ head: string, foot: string }} texts what was measured where, and what follows the charts
 */
async function formatPage(rows, { head, foot }) {
  const Plot = await import('@observablehq/plot');
  const present = Object.entries(SIDES).filter(([side]) => rows.some((row) => row.side === side && row.ratio));
  const sides = present.map(
    ([side, name]) => `<li><span class="swatch" style="background: var(--${side})"></span>${escape(name)}</li>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>openssl-async: TLS</title>
<style>${STYLE}</style>
</head>
<body>
<h1>TLS, next to node:https and node:tls</h1>
${head
  .split('\n')
  .map((line) => `<p>${escape(line)}</p>`)
  .join('\n')}
<p>Each dot is a ratio to Node.js's own in the same round: the median of the rounds. A line goes from the lowest to the
highest. At 1 both are the same.</p>
<ul>
${sides.join('\n')}
</ul>
${SECTIONS.map((section) => formatSection(Plot, section, rows)).join('\n')}
${foot === '' ? '' : `<pre>${escape(foot)}</pre>`}
</body>
</html>
`;
}

module.exports = { formatPage };
