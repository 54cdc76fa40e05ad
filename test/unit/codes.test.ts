// Every code that native code gives is in the registry, and the registry is documented.
import { readdirSync, readFileSync } from 'node:fs';
import * as path from 'node:path';

const root = path.join(__dirname, '..', '..');
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');

function codesIn(text: string, pattern: RegExp): string[] {
  return [...new Set([...text.matchAll(pattern)].map(([, code = '']) => code))].sort();
}

function nativeSources(): string {
  const folder = path.join(root, 'src-native');
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(?:cc|h)$/.test(name))
    .map((name) => readFileSync(path.join(folder, name), 'utf8'))
    .join('\n');
}

const registered = codesIn(read('lib/base/errors.ts'), /^ {2}(ERR_ASYNC_\w+): CodedError;$/gm);

test('the registry has every code of native code', () => {
  expect(registered.length).toBeGreaterThan(30);
  const native = codesIn(nativeSources(), /"(ERR_ASYNC_\w+)"/g);
  expect(native.length).toBeGreaterThan(10);
  expect(native.filter((code) => !registered.includes(code))).toEqual([]);
});

test('the guide to errors lists the registry', () => {
  const lines = read('docs/guide/errors.md').split('\n## What to do')[0] ?? '';
  expect(codesIn(lines, /^\| `(ERR_ASYNC_\w+)` +\|/gm)).toEqual(registered);
});

test('codes of Node.js that native code gives are documented', () => {
  const files = readdirSync(path.join(root, 'lib'), { recursive: true, encoding: 'utf8' });
  const sources = files.filter((name) => name.endsWith('.ts')).map((name) => read(path.join('lib', name)));
  const documentation = [read('docs/guide/errors.md'), ...sources].join('\n');
  const native = codesIn(nativeSources(), /"(ERR_(?!ASYNC_)[A-Z0-9_]+)"/g);
  expect(native.length).toBeGreaterThan(5);
  expect(native.filter((code) => !documentation.includes(`\`${code}\``))).toEqual([]);
});
