'use strict';

// Makes the files that run, of what is in lib/; tsc makes the declarations, generate-entries.js what users import.
//
//   dist/library/*.js      the library in a few parts, which are loaded when they are used: many small files are slow to
//                          find, and one large file is slow to compile
//   dist/cli/*.js          the command-line tool and the programs that it starts, each with all that it needs, so that
//                          who installs the library does not get the tool's packages
//   dist/cli/THIRD-PARTY-LICENSES.txt

const fs = require('node:fs');
const path = require('node:path');
const esbuild = require('esbuild');
const { PARTS } = require('./entries.js');
const { licensesOf } = require('./licenses.js');

const root = path.join(__dirname, '..');
const LIB = path.join(root, 'lib');
const DIST = path.join(root, 'dist');
const PROGRAMS = fs
  .readdirSync(path.join(LIB, 'cli'))
  .filter((name) => name === 'main.ts' || name.endsWith('-process.ts'))
  .map((name) => path.join(LIB, 'cli', name));

const OPTIONS = {
  absWorkingDir: root,
  bundle: true,
  // Only the addon's loader needs one.
  external: Object.keys(require('../package.json').dependencies),
  format: 'cjs',
  logLevel: 'warning',
  // Two files of a part that export the same name: neither would be there.
  logOverride: { 'ambiguous-reexport': 'error' },
  metafile: true,
  platform: 'node',
  target: 'node20',
  tsconfig: path.join(root, 'tsconfig.json'),
  write: false,
};

// A part exports all that its folders export: users' names come from it, and what other parts import.
function contentsOf(folders) {
  const files = folders.flatMap((folder) =>
    fs.readdirSync(path.join(LIB, folder)).map((name) => `./${folder}/${name}`),
  );
  const modules = files.filter((file) => file.endsWith('.ts')).map((file) => file.slice(0, -'.ts'.length));
  return modules.map((module) => `export * from '${module}';`).join('\n');
}

const TLS = `
  export * as tls from './tls/tls';
  export * as https from './tls/https';
  export * as http2 from './tls/http2';
  export { register } from './tls/register';`;

// Leaves imports of other parts to require(): a second copy would open a second addon. Of the contract, which is but
// numbers and types, each part has its own.
function fromOtherParts(own) {
  const partOf = (folder) => Object.keys(PARTS).find((part) => PARTS[part].includes(folder));
  return {
    name: 'from-other-parts',
    setup(context) {
      context.onResolve({ filter: /^\.\.?\// }, ({ path: imported, resolveDir }) => {
        const [folder, below] = path.relative(LIB, path.resolve(resolveDir, imported)).split(path.sep);
        const part = below === 'contract' ? undefined : partOf(folder);
        return part === undefined || part === own ? undefined : { path: `./${part}.js`, external: true };
      });
    },
  };
}

// esbuild calls a class that mentions itself _Name inside, which users would see in stacks and where it is printed.
function withNamesOfClasses(text) {
  const names = [...text.matchAll(/^var (\w+) = class _\1\b/gm)].map(([, name]) => name);
  return names.length === 0 ? text : text.replace(new RegExp(`\\b_(?=(?:${names.join('|')})\\b)`, 'g'), '');
}

// Modules of Node.js that are slow to load, or that call users' code: they are loaded on first use. That may be while
// memory is shared with native code: no code of users may run then, so they do not come through require(), which users can
// hook. Where Node.js has no other way, they are loaded with the library.
const LATE = ['crypto', 'worker_threads'];

function lateModule(module, text) {
  const variable = `import_node_${module}\\d*`;
  const used = [...text.matchAll(new RegExp(`\\b${variable}\\.(\\w+)`, 'g'))].map(([, name]) => name);
  if (used.length === 0) return text;
  const getters = [...new Set(used)].map((name) => `get ${name}() { return load().${name}; }`);
  const late = `
var late_${module} = ((builtinModule, loaded) => {
  const load = () => (loaded ??= builtinModule("${module}"));
  return { ${getters.join(', ')} };
})(process.getBuiltinModule, process.getBuiltinModule === undefined ? require("node:${module}") : undefined);
`;
  const required = `require("node:${module}")`;
  const changed = text.replaceAll(
    new RegExp(`(?<=^var ${variable} = )require\\("node:${module}"\\)`, 'gm'),
    `late_${module}`,
  );
  if (changed.includes(required)) throw new Error('esbuild imports in another way now');
  return changed.replace('"use strict";', (directive) => directive + late);
}

const withLateModules = (text) => LATE.reduce((changed, module) => lateModule(module, changed), text);

// esbuild exports accessors, because a module may go on changing what it exports. None here does.
function withPlainExports(text) {
  const declared = /^__export\((\w+), (\{\n.*?\n\})\);\nmodule\.exports = __toCommonJS\(\1\);\n/ms.exec(text);
  if (declared === null) throw new Error('esbuild exports in another way now');
  const [all, , object] = declared;
  const [rest] = text.replace(all, '').split('// Annotate the CommonJS export names');
  return `${rest}module.exports = ${object.replaceAll(': () => ', ': ')};\n`;
}

async function build(options, transform = (text) => text) {
  const { outputFiles, metafile } = await esbuild.build({ ...OPTIONS, ...options });
  for (const { path: file, text } of outputFiles) {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, transform(withNamesOfClasses(text)));
  }
  return Object.keys(metafile.inputs);
}

async function main() {
  for (const [part, folders] of Object.entries(PARTS)) {
    await build(
      {
        stdin: { contents: contentsOf(folders), resolveDir: LIB, loader: 'ts' },
        outfile: path.join(DIST, 'library', `${part}.js`),
        plugins: [fromOtherParts(part)],
      },
      (text) => withPlainExports(withLateModules(text)),
    );
  }
  await build({
    stdin: { contents: TLS, resolveDir: LIB, loader: 'ts' },
    outfile: path.join(DIST, 'library', 'tls.js'),
    plugins: [fromOtherParts('tls')],
  });
  const cli = path.join(DIST, 'cli');
  fs.rmSync(cli, { recursive: true, force: true }); // declarations, which nobody imports
  const inputs = await build({ entryPoints: PROGRAMS, outdir: cli, minifySyntax: true, minifyWhitespace: true });
  fs.writeFileSync(path.join(cli, 'THIRD-PARTY-LICENSES.txt'), licensesOf(inputs));
  fs.chmodSync(path.join(cli, 'main.js'), 0o755);
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
