'use strict';

// Proves the layers: a file includes or imports only from its own layer and the layers listed before it, and no
// file of the library imports itself, through whatever others.
//
//   node scripts/check-layers.js [ROOT]

const fs = require('node:fs');
const path = require('node:path');

const NATIVE_LAYERS = [
  'base',
  'openssl',
  'job',
  'wakeup',
  'scheduler',
  'keys',
  'operations',
  'pool',
  'wrapping',
  'accelerator',
  'libraries',
  'remote',
  'placement',
  'modules',
  'tls',
  'binding',
];

// System headers that only some layers may see.
const RESTRICTED_HEADERS = [
  { header: /^uv(\.h|\/)/, layers: ['wakeup', 'scheduler', 'placement', 'tls', 'binding'] },
  { header: /^(napi(-inl)?|node_api|js_native_api|node)\.h$/, layers: ['binding'] },
  { header: /^openssl_async\.h$/, layers: ['binding'] },
];

const LIBRARY_LAYERS = [
  'native/contract/',
  'base/',
  'native/',
  'jobs/',
  'keys/',
  'operations/',
  'streams/',
  'hardware/',
  'thread/',
  'index',
  'tls/',
  'cli/',
];

// Modules that only one file may import.
const RESTRICTED_MODULES = [{ module: 'bindings', file: 'native/load' }];

const root = path.resolve(process.argv[2] ?? path.join(__dirname, '..'));
const problems = [];

function filesBelow(folder, extension) {
  const top = path.join(root, folder);
  if (!fs.existsSync(top)) return [];
  return fs
    .readdirSync(top, { recursive: true })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => extension.test(name))
    .sort();
}

function report(file, line, message) {
  problems.push(`${line === undefined ? file : `${file}:${line}`}: ${message}`);
}

function* matchLines(source, pattern) {
  for (const [index, text] of source.split('\n').entries()) {
    const match = pattern.exec(text);
    if (match !== null) yield { line: index + 1, target: match[1] };
  }
}

function checkNative() {
  const files = filesBelow('src-native', /\.(c|cc|h)$/);
  const known = new Set(files);
  for (const name of files) {
    const file = `src-native/${name}`;
    const layer = name.split('/')[0];
    const rank = NATIVE_LAYERS.indexOf(layer);
    if (rank === -1) {
      report(file, undefined, `is in no layer; the layers are ${NATIVE_LAYERS.join(', ')}`);
      continue;
    }
    const source = fs.readFileSync(path.join(root, file), 'utf8');
    for (const { line, target } of matchLines(source, /^\s*#\s*include\s*[<"]([^">]+)[">]/)) {
      for (const { header, layers } of RESTRICTED_HEADERS) {
        if (header.test(target) && !layers.includes(layer)) {
          report(file, line, `only ${layers.join(', ')} may include ${target}`);
        }
      }
      if (known.has(`${path.posix.dirname(name)}/${target}`) && !known.has(target)) {
        report(file, line, `write the path of ${target} from src-native/`);
        continue;
      }
      if (!known.has(target)) continue;
      const targetLayer = target.split('/')[0];
      if (NATIVE_LAYERS.indexOf(targetLayer) > rank) {
        report(file, line, `${layer} may not include ${target}: ${targetLayer} is listed after it`);
      }
    }
  }
  return files.length;
}

const libraryRank = (name) =>
  LIBRARY_LAYERS.findIndex((entry) => (entry.endsWith('/') ? name.startsWith(entry) : name === entry));

// The first way back to where it began, of a depth-first search through `imports`.
function findCircle(imports) {
  const finished = new Set();
  const visit = (name, trail) => {
    if (trail.includes(name)) return [...trail.slice(trail.indexOf(name)), name];
    if (finished.has(name)) return undefined;
    for (const imported of imports.get(name) ?? []) {
      const circle = visit(imported, [...trail, name]);
      if (circle !== undefined) return circle;
    }
    finished.add(name);
    return undefined;
  };
  for (const name of imports.keys()) {
    const circle = visit(name, []);
    if (circle !== undefined) return circle;
  }
  return undefined;
}

function checkLibrary() {
  const imports = new Map();
  const files = filesBelow('lib', /\.ts$/);
  for (const fileName of files) {
    const file = `lib/${fileName}`;
    const name = fileName.replace(/\.ts$/, '');
    const rank = libraryRank(name);
    if (rank === -1) {
      report(file, undefined, 'is in no layer; give it a place in scripts/check-layers.js');
      continue;
    }
    const source = fs.readFileSync(path.join(root, file), 'utf8');
    const pattern = /(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\s*\(\s*)['"]([^'"]+)['"]/;
    for (const { line, target } of matchLines(source, pattern)) {
      for (const restriction of RESTRICTED_MODULES) {
        if (target === restriction.module && name !== restriction.file) {
          report(file, line, `only lib/${restriction.file}.ts may import ${target}`);
        }
      }
      if (!target.startsWith('.')) continue;
      const imported = path.posix.join(path.posix.dirname(name), target).replace(/\.js$/, '');
      imports.set(name, [...(imports.get(name) ?? []), imported]);
      const importedRank = libraryRank(imported);
      if (importedRank === -1) report(file, line, `${target} is in no layer`);
      else if (importedRank > rank) report(file, line, `may not import ${target}: its layer is listed after this one`);
    }
    if (name === 'index' && /^(?!export\b|import type\b|\s|\/\/|\/?\*|\}|$)/m.test(source)) {
      report(file, undefined, 'may hold nothing but exports');
    }
  }
  const circle = findCircle(imports);
  if (circle !== undefined) report(`lib/${circle[0]}.ts`, undefined, `imports itself: ${circle.join(' → ')}`);
  return files.length;
}

const native = checkNative();
const library = checkLibrary();
for (const problem of problems) console.error(problem);
if (problems.length === 0) console.log(`check-layers: ${native} native and ${library} library files keep their layers`);
process.exitCode = problems.length === 0 ? 0 : 1;
