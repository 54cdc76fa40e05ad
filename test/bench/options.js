'use strict';

// What the benchmarks share of their command lines.

const path = require('node:path');

/** A positive number among the options, or `standard`. */
function number(options, name, standard, { integer = false } = {}) {
  if (options[name] === undefined) return standard;
  const value = Number(options[name]);
  if (!(value > 0) || (integer && !Number.isInteger(value))) {
    throw new RangeError(`--${name} must be a positive ${integer ? 'integer' : 'number'}, not ${options[name]}`);
  }
  return value;
}

/** Those of `trials` whose id contains one of the texts of `--only`. */
function select(trials, only) {
  const wanted = only?.split(',').filter((text) => text !== '');
  const selected = trials.filter(({ id }) => wanted === undefined || wanted.some((text) => id.includes(text)));
  if (selected.length === 0) throw new RangeError(`--only ${only} matches no trial; see --list`);
  return selected;
}

/** The name of a file of results. */
function resultName(name, standard) {
  if (name !== undefined && path.basename(name) !== name) throw new RangeError('--name must be a plain file name');
  return name ?? standard;
}

module.exports = { number, resultName, select };
