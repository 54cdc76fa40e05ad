'use strict';

// From the rounds' results to medians, ratios, targets and the printed tables.

const Table = require('cli-table3');
const { integer, spread, summarize } = require('../report.js');
const { TARGETS } = require('./trials.js');

const METRICS = [
  'opsPerSecond',
  'mainMicrosPerOp',
  'processMicrosPerOp',
  'delayP50Micros',
  'delayP99Micros',
  'latencyMicros',
  'inlined',
];

function summarizeSide(results) {
  const taken = results.filter((result) => result !== undefined);
  const values = (metric) => taken.map((result) => result[metric]).filter((value) => value !== undefined);
  return Object.fromEntries(
    METRICS.filter((metric) => values(metric).length > 0).map((metric) => [metric, summarize(values(metric))]),
  );
}

// Of each round's pair, which ran one soon after the other.
function ratio(ours, theirs, metric) {
  const values = ours.flatMap((result, round) => {
    const value = result?.[metric] / theirs[round]?.[metric];
    return Number.isFinite(value) ? [value] : [];
  });
  return values.length === 0 ? undefined : summarize(values);
}

function judge(target, row) {
  const { id, metric, against, atLeast, atMost, limit } = target;
  if (limit !== undefined) {
    const value = row.sides.ours[metric];
    return value === undefined ? [] : [{ id, value, bound: `≤ ${limit}`, pass: value.median <= limit }];
  }
  return against.flatMap((side) => {
    const value = row.ratios[side]?.[metric];
    if (value === undefined) return [];
    const pass = atLeast === undefined ? value.median <= atMost : value.median >= atLeast;
    return [{ id, side, value, bound: atLeast === undefined ? `≤ ${atMost}` : `≥ ${atLeast}`, pass }];
  });
}

/**
 * @param trial - of trials.js
 * @param results - by side, `ceiling` and `ideal` among them: one for each round, or undefined
 */
function summarizeTrial({ id, title, operation, subject, size, inFlight }, results, failure) {
  const { ours = [], ...others } = results;
  const row = {
    id,
    title,
    operation,
    subject,
    size,
    inFlight,
    failure,
    sides: Object.fromEntries(Object.entries(results).map(([side, taken]) => [side, summarizeSide(taken)])),
    ratios: Object.fromEntries(
      Object.entries(others).map(([side, theirs]) => [
        side,
        Object.fromEntries(METRICS.map((metric) => [metric, ratio(ours, theirs, metric)])),
      ]),
    ),
  };
  const inlined = row.sides.ours?.inlined?.median ?? 0;
  return { ...row, targets: TARGETS.flatMap((target) => (target.applies(row, { inlined }) ? judge(target, row) : [])) };
}

const times = (value) => (value === undefined ? '' : value.median.toFixed(2));
const micros = (value) => (value === undefined ? '' : value.median.toFixed(value.median < 100 ? 1 : 0));

function formatTable(rows) {
  const table = new Table({
    head: [
      'operation',
      'in flight',
      'per s',
      '× node',
      '× 2 threads',
      '× ceiling',
      'main µs/op',
      '× node',
      'p99 delay µs',
      '× node',
      'latency µs',
      '× node',
      '× sync',
      'inline',
      'missed',
    ],
    colAligns: ['left', ...Array.from({ length: 13 }, () => 'right'), 'left'],
    style: { head: [], border: [], compact: true },
  });
  for (const { title, inFlight, sides, ratios, targets, failure } of rows) {
    const { ours = {} } = sides;
    const of = (side, metric) => times(ratios[side]?.[metric]);
    const missed = [...new Set(targets.filter(({ pass }) => !pass).map(({ id }) => id))];
    table.push([
      title,
      integer.format(inFlight),
      ours.opsPerSecond === undefined ? '' : spread(ours.opsPerSecond, integer.format),
      of('node', 'opsPerSecond'),
      of('node-2', 'opsPerSecond'),
      of('ceiling', 'opsPerSecond'),
      micros(ours.mainMicrosPerOp),
      of('node', 'mainMicrosPerOp'),
      micros(ours.delayP99Micros),
      of('node', 'delayP99Micros'),
      micros(ours.latencyMicros),
      of('node', 'latencyMicros'),
      of('sync', 'latencyMicros'),
      ours.inlined === undefined ? '' : `${Math.round(100 * ours.inlined.median)} %`,
      failure === undefined ? missed.join(', ') : `FAILED: ${failure}`,
    ]);
  }
  return table.toString();
}

/** Each target, how often it was reached, and where not. */
function formatTargets(rows) {
  return TARGETS.flatMap((target) => {
    const judged = rows.flatMap((row) =>
      row.targets
        .filter(
          ({ id, bound }) => id === target.id && bound.endsWith(` ${target.limit ?? target.atLeast ?? target.atMost}`),
        )
        .map((result) => ({ ...result, row })),
    );
    if (judged.length === 0) return [`  (not measured) ${target.title}`];
    const missed = judged.filter(({ pass }) => !pass);
    const where = missed.map(
      ({ row, side, value, bound }) =>
        `      ${row.title}, ${row.inFlight} in flight${side === undefined ? '' : `, against ${side}`}: ` +
        `${spread(value, (number) => number.toFixed(2))}, not ${bound}`,
    );
    return [
      `${missed.length === 0 ? '✓' : '✗'} ${judged.length - missed.length} of ${judged.length}  ${target.title}`,
      ...where,
    ];
  }).join('\n');
}

module.exports = { formatTable, formatTargets, summarizeTrial };
