'use strict';

// Makes the files that run, of what is in lib/; tsc makes the declarations, generate-entries.js what users import.
//
//   dist/library/core.js   the library in one file, as many small ones are slow to find and to compile
//   dist/library/tls.js    servers of TLS, a file of its own for the few programs that have them; it uses core.js
//   dist/cli/*.js          the command-line tool and the programs that it starts, each with all that it needs, so that
//                          who installs the library does not get the tool's packages
//   dist/cli/THIRD-PARTY-LICENSES.txt

const fs = require('node:fs');
const path = require('node:path');
const esbuild = require('esbuild');
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
  metafile: true,
  platform: 'node',
  target: 'node20',
  tsconfig: path.join(root, 'tsconfig.json'),
  write: false,
};

// Besides the public interface: scripts/install.js loads the addon, tests ask it which copies there are, and servers of
// TLS are made of the rest.
const CORE = `
  export * from './index';
  export { symbols } from './native/environment';
  export { loadAddon } from './native/load';
  export { environment } from './native/environment';
  export { bytesOf, sizeOf, unshared } from './base/byte-views';
  export * from './base/errors';
  export * from './base/validators';
  export { objectEntry, privateKeyEntry } from './keys/key';
  export { scopeOf } from './operations/scope';`;

const TLS = `
  export * as tls from './tls/tls';
  export * as https from './tls/https';
  export { register } from './tls/register';`;

// What other parts of the library export comes from core.js: a second copy would open a second addon.
const FROM_CORE = {
  name: 'from-core',
  setup(context) {
    context.onResolve({ filter: /^\.\.\/(base|keys|native|operations)\// }, ({ path: imported }) =>
      imported.startsWith('../native/contract/') ? undefined : { path: './core.js', external: true },
    );
  },
};

// esbuild calls a class that mentions itself _Name inside, which users would see in stacks and where it is printed.
function withNamesOfClasses(text) {
  const names = [...text.matchAll(/^var (\w+) = class _\1\b/gm)].map(([, name]) => name);
  return names.length === 0 ? text : text.replace(new RegExp(`\\b_(?=(?:${names.join('|')})\\b)`, 'g'), '');
}

// Loads node:crypto on first use, which may be while memory is shared with native code: no code of users may run then, so
// it does not come through require(), which they can hook. Where Node.js has no other way, it is loaded with the library.
const LATE_CRYPTO = `
var builtinModule = process.getBuiltinModule;
var nodeCrypto = builtinModule === undefined ? require("node:crypto") : undefined;
var lateCrypto = {
  GETTERS
};
`;

function withLateCrypto(text) {
  const names = new Set([...text.matchAll(/\bimport_node_crypto\d*\.(\w+)/g)].map(([, name]) => name));
  const getters = [...names].map(
    (name) => `get ${name}() { return (nodeCrypto ??= builtinModule("crypto")).${name}; }`,
  );
  const late = text.replaceAll(/(?<=^var import_node_crypto\d* = )require\("node:crypto"\)/gm, 'lateCrypto');
  if (names.size === 0 || late.includes('require("node:crypto")'))
    throw new Error('esbuild imports in another way now');
  return late.replace(
    '"use strict";',
    (directive) => directive + LATE_CRYPTO.replace('GETTERS', getters.join(',\n  ')),
  );
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
  await build(
    {
      stdin: { contents: CORE, resolveDir: LIB, loader: 'ts' },
      outfile: path.join(DIST, 'library', 'core.js'),
    },
    withLateCrypto,
  );
  await build({
    stdin: { contents: TLS, resolveDir: LIB, loader: 'ts' },
    outfile: path.join(DIST, 'library', 'tls.js'),
    plugins: [FROM_CORE],
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
