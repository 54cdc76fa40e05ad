// scripts/units.js joins C++ sources for the checks of the gate.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

interface Units {
  joinSources(sources: string[], folder: string, root: string): string[];
  nameSources(output: string, unit: string): string;
}

// eslint-disable-next-line @typescript-eslint/no-require-imports
const { joinSources, nameSources } = require('../../scripts/units.js') as Units;

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'openssl-async-units-'));
const folder = path.join(root, 'units');

afterAll(() => {
  fs.rmSync(root, { recursive: true });
});

/** A source whose anonymous namespace holds `own`. */
const source = (own: string, rest = '') => `namespace {\n${own}\n}  // namespace\n${rest}\n`;

/** Joins sources of the given names and contents. */
function join(contents: Record<string, string>): string[] {
  for (const [name, text] of Object.entries(contents)) {
    fs.mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    fs.writeFileSync(path.join(root, name), text);
  }
  return joinSources(Object.keys(contents), folder, root);
}

const read = (file: string) => fs.readFileSync(file, 'utf8');

test('a unit has the sources of a folder, each with its name and its lines', () => {
  const one = source('int One() {\n  return 1;\n}');
  const two = source('struct Two {\n  int one;\n};');
  const units = join({ 'a/one.cc': one, 'a/two.cc': two, 'b/three.cc': source('int Three();') });
  expect(units.map((unit) => path.relative(folder, unit)).sort()).toEqual(['a/unit_1.cc', 'b/unit_1.cc']);
  expect(read(path.join(folder, 'a/unit_1.cc'))).toBe(`#line 1 "a/one.cc"\n${one}#line 1 "a/two.cc"\n${two}`);
});

test.each([
  ['two functions', source('int F(int x) { return x; }'), source('void F() {}')],
  ['a function behind a longer one', source('int G() {\n  return 1;\n}\n\nint F() { return 2; }'), source('int F();')],
  ['two types', source('struct F {};'), source('class F {};')],
  ['two values', source('constexpr int F = 1;'), source('const char* const F[] = {nullptr};')],
  ['two templates', source('template <typename T>\nT F(T x) {'), source('template <typename T> T F(T x);')],
  ['two aliases', source('using F = int;'), source('using F = long;')],
  ['the use of a public name', source('int F(int x);'), source('int G();', 'int H() { return F("text"); }')],
])('sources with the same name are apart: %s', (_, one, two) => {
  expect(join({ 'a/one.cc': one, 'a/two.cc': two })).toHaveLength(2);
  expect(join({ 'a/one.cc': two, 'a/two.cc': one })).toHaveLength(2);
});

test.each([
  ['the same alias', source('using F = int;'), source('using F = int;')],
  ['members, text and comments', source('int F();'), source('int G();', '  // F\nx.F(); y->F(); Z::F(); "F";')],
])('sources are together in spite of %s', (_, one, two) => {
  expect(join({ 'a/one.cc': one, 'a/two.cc': two })).toHaveLength(1);
});

test('an unchanged unit keeps its time, and one that is left over goes', () => {
  const [unit] = join({ 'a/one.cc': source('int F();'), 'a/two.cc': source('int F();') });
  const old = new Date(2020, 0, 1);
  fs.utimesSync(unit as string, old, old);
  const [again, ...others] = join({ 'a/one.cc': source('int F();') });
  expect([again, others]).toEqual([unit, []]);
  expect(fs.statSync(again as string).mtime).toEqual(old);
  expect(fs.readdirSync(path.join(folder, 'a'))).toEqual(['unit_1.cc']);
  join({ 'a/one.cc': source('int G();') });
  expect(fs.statSync(again as string).mtime).not.toEqual(old);
});

test('places in a unit become places in its sources', () => {
  const [unit = ''] = join({ 'a/one.cc': 'int one;\nint two;\n', 'a/two.cc': 'int three;\n' });
  const output = `${unit}:3:5: error\nheader.h:3: note\n${unit}:5:1: error\n`;
  expect(nameSources(output, unit)).toBe('a/one.cc:2:5: error\nheader.h:3: note\na/two.cc:1:1: error\n');
});
