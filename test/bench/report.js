'use strict';

// From the rounds' results to medians, ratios and the printed table.

const Table = require('cli-table3');

function summarize(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const median = sorted.length % 2 === 1 ? sorted[Math.floor(middle)] : (sorted[middle - 1] + sorted[middle]) / 2;
  return { median, min: sorted[0], max: sorted.at(-1), values };
}

/**
 * One row's summary. The ratio is that of each round's pair, which ran one after the other: a machine that slows down
 * between rounds moves both.
 *
 * @param row - of trials.js
 * @param rounds - `{ reference, ours }` of the rounds that have both, in the row's unit
 * @param failure - why there are none or no more of them
 */
function summarizeRow({ id, title, inFlight, unit, target }, rounds, failure) {
  const row = { id, title, inFlight, unit, target, rounds: rounds.length, failure };
  if (rounds.length === 0) return row;
  const ratio = summarize(rounds.map(({ reference, ours }) => ours / reference));
  return {
    ...row,
    reference: summarize(rounds.map(({ reference }) => reference)),
    ours: summarize(rounds.map(({ ours }) => ours)),
    ratio,
    pass: target === undefined ? undefined : failure === undefined && ratio.median <= target,
  };
}

const integer = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

function spread({ median, min, max }, format) {
  return `${format(median)} (${format(min)}–${format(max)})`;
}

function verdict({ failure, pass }) {
  if (failure !== undefined) return 'FAILED';
  if (pass === undefined) return '';
  return pass ? '✓ pass' : '✗ MISS';
}

function formatTable(rows) {
  const table = new Table({
    head: ['trial', 'in flight', 'C', 'ours', 'ours per s', 'ours / C', 'target', ''],
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right', 'right', 'left'],
    style: { head: [], border: [], compact: true },
  });
  for (const row of rows) {
    const amount = (value) => integer.format(value);
    const target = row.target === undefined ? '' : `≤ ${row.target}`;
    const cells =
      row.ratio === undefined
        ? ['', '', '', '']
        : [
            `${spread(row.reference, amount)} ${row.unit}`,
            `${spread(row.ours, amount)} ${row.unit}`,
            row.unit === 'ns' ? integer.format(1e9 / row.ours.median) : '',
            spread(row.ratio, (value) => value.toFixed(2)),
          ];
    table.push([row.title, integer.format(row.inFlight), ...cells, target, verdict(row)]);
  }
  return table.toString();
}

module.exports = { formatTable, integer, spread, summarize, summarizeRow };
