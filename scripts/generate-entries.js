'use strict';

// Writes what users import: for each of the entries NAME.js, NAME.mjs and NAME.d.mts in dist/, which re-export by name
// the values that the entry's file in lib/ exports. One module
// instance serves both module systems: a second one would be a second scheduler.
//
// The ES module finds that instance at run time, by the package's name rather than a path: a bundler that takes the entry
// in leaves the rest where it is installed. A bundler's CommonJS in an ES module cannot require Node's modules.

const fs = require('node:fs');
const path = require('node:path');
const { ENTRIES, PARTS } = require('./entries.js');
const { publicNames } = require('./public-names.js');

const root = path.join(__dirname, '..');

const head = (specifier) => `import { createRequire } from 'node:module';
import process from 'node:process';

// In a bundle of CommonJS there is no import.meta.url.
const here = import.meta.url ?? (typeof __filename === 'string' ? __filename : process.execPath);

function load() {
  try {
    return createRequire(here)('${specifier}');
  } catch (error) {
    const notFound = error?.code === 'MODULE_NOT_FOUND' && error.message.includes("'${specifier}'");
    if (!notFound && error?.code !== 'ERR_INVALID_ARG_VALUE') throw error; // or here is no file
    const reason = 'openssl-async was bundled, and is not installed beside the bundle.';
    const lines = [
      reason,
      'What to do:',
      '  Bundlers: mark openssl-async as external, and install it beside the bundle.',
      \`  Looked for from: \${here}\`,
    ];
    return withoutPackage(reason, lines.join('\\n'), error);
  }
}

// Stands for the package without its addon: support says so, and everything else fails when it is used.
function withoutPackage(reason, message, cause) {
  const fail = () => {
    throw Object.assign(new Error(message, { cause }), { code: 'ERR_ASYNC_ADDON_NOT_LOADED' });
  };
  const known = {
    isCapable: () => false,
    capability: () => 'none',
    unsupportedReason: () => reason,
    opensslVersion: () => undefined,
  };
  const absent = new Proxy(function () {}, { apply: fail, construct: fail, get: fail });
  return new Proxy(known, { get: (target, name) => target[name] ?? absent });
}

`;

function loadLibrary(name) {
  return require(path.join(root, 'dist', 'library', `${name}.js`));
}

// The names of an entry that each part of the library exports.
function namesByPart(names) {
  const found = Object.fromEntries(Object.keys(PARTS).map((part) => [part, []]));
  for (const name of names) {
    const having = Object.keys(PARTS).filter((part) => name in loadLibrary(part));
    if (having.length !== 1) throw new Error(`${name} is exported by ${having.length} parts of the library`);
    // A bundler renames what has the same name as something else.
    const value = loadLibrary(having[0])[name];
    if (typeof value === 'function' && value.name !== name) {
      throw new Error(`${name} has become ${value.name}: import what has the same name under another`);
    }
    found[having[0]].push(name);
  }
  return Object.entries(found);
}

// Loads the parts when a name of theirs is first read, but for the first part, which the others need. A name that was read,
// or that somebody has set, is a property as any other.
const LAZILY = `
function lazily(load, names) {
  for (const name of names) {
    const become = (value) =>
      Reflect.defineProperty(exports, name, { configurable: true, enumerable: true, writable: true, value });
    const get = () => {
      const value = load()[name];
      become(value);
      return value;
    };
    Object.defineProperty(exports, name, { configurable: true, enumerable: true, get, set: become });
  }
}
`;

function lazyAssignments(names) {
  const [[first, eager], ...lazy] = namesByPart(names);
  const list = (some) => some.map((name) => `'${name}'`).join(', ');
  return [
    `const ${first} = require('./library/${first}.js');\n`,
    ...eager.map((name) => `exports.${name} = ${first}.${name};\n`),
    LAZILY,
    ...lazy.map(([part, some]) => `lazily(() => require('./library/${part}.js'), [${list(some)}]);\n`),
  ].join('');
}

// A file that holds several entries has an object for each.
function assignments(names, { name, library }) {
  for (const exported of names)
    if (!(exported in loadLibrary(library)[name])) throw new Error(`${name} lacks ${exported}`);
  return [
    `const library = require('./library/${library}.js').${name};\n`,
    ...names.map((exported) => `exports.${exported} = library.${exported};\n`),
  ].join('');
}

function writeCallingEntry({ name: file, specifier, library, calls }) {
  const write = (extension, text) => fs.writeFileSync(path.join(root, 'dist', `${file}.${extension}`), text);
  write('js', `'use strict';\nrequire('./library/${library}.js').${calls}();\n`);
  write('mjs', `${head(specifier)}load();\n`);
  for (const extension of ['d.ts', 'd.mts']) write(extension, 'export {};\n');
}

function writeEntry(entry) {
  const { name: file, specifier, source, library, hasDefault = false } = entry;
  const names = publicNames(source);
  const commonjs = `'use strict';
Object.defineProperty(exports, '__esModule', { value: true });
${library === undefined ? lazyAssignments(names) : assignments(names, entry)}${hasDefault ? 'exports.default = exports;\n' : ''}`;
  fs.writeFileSync(path.join(root, 'dist', `${file}.js`), commonjs);

  const list = names.map((name) => `  ${name},\n`).join('');
  const all = hasDefault ? `export default { ${names.join(', ')} };\n` : '';
  fs.writeFileSync(
    path.join(root, 'dist', `${file}.mjs`),
    `${head(specifier)}export const {\n${list}} = load();\n${all}`,
  );
  const from = source === file ? `./${file}.js` : `./${source}.js`;
  const defaults = hasDefault ? `import * as all from '${from}';\nexport default all;\n` : '';
  fs.writeFileSync(path.join(root, 'dist', `${file}.d.mts`), `export * from '${from}';\n${defaults}`);
  if (source !== file) {
    fs.writeFileSync(path.join(root, 'dist', `${file}.d.ts`), `export * from '${from}';\n${defaults}`);
  }
}

for (const entry of ENTRIES) (entry.calls === undefined ? writeEntry : writeCallingEntry)(entry);
