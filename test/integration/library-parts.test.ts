// The library's files, which are loaded when a name of theirs is first read.
import { execFileSync } from 'node:child_process';
import * as path from 'node:path';
import { ROOT } from '../support/programs';

const HEAD = `
const path = require('node:path');
const library = require(${JSON.stringify(path.join(ROOT, 'dist', 'index.js'))});
const parts = () =>
  Object.keys(require.cache).map((file) => path.parse(file)).filter(({ dir }) => dir.endsWith('library'))
    .map(({ name }) => name).sort();`;

function run(program: string): unknown {
  const printed = execFileSync(process.execPath, ['-e', `${HEAD}\nconsole.log(JSON.stringify(${program}))`], {
    encoding: 'utf8',
  });
  return JSON.parse(printed);
}

test.each([
  ['isCapable', ['core']],
  ['stats', ['core']],
  ['runJob', ['core', 'jobs']],
  ['sign', ['core', 'operations']],
  ['createHash', ['core', 'operations', 'streams']],
  ['loadProvider', ['core', 'hardware', 'operations']],
])('%s needs %j', (name, needed) => {
  expect(run(`(typeof library.${name}, parts())`)).toEqual(needed);
});

test('names are listed before they are read', () => {
  expect(run(`[Object.keys(library).includes('runJob'), 'sign' in library, parts()]`)).toEqual([true, true, ['core']]);
});

test('a name stays what it was when it was first read', () => {
  expect(run('library.sign === library.sign')).toBe(true);
});

test('a name can be set, as those of other modules', () => {
  expect(
    run(`(library.sign = 1, Object.assign(library, { runJob: 2 }), [library.sign, library.runJob, parts()])`),
  ).toEqual([1, 2, ['core']]);
});

test('names can be read when the module is frozen', () => {
  expect(run(`(Object.freeze(library), [typeof library.sign, library.sign === library.sign])`)).toEqual([
    'function',
    true,
  ]);
});
