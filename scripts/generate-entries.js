'use strict';

// Writes dist/index.js, dist/index.mjs and dist/index.d.mts, which re-export by name the values that lib/index.ts exports. One module
// instance serves both module systems: a second one would be a second scheduler.
//
// The ES module finds that instance at run time, by the package's name rather than a path: a bundler that takes the entry
// in leaves the rest where it is installed. A bundler's CommonJS in an ES module cannot require Node's modules.

const fs = require('node:fs');
const path = require('node:path');
const { publicNames } = require('./public-names.js');

const root = path.join(__dirname, '..');

const HEAD = `import { createRequire } from 'node:module';
import process from 'node:process';

// In a bundle of CommonJS there is no import.meta.url.
const here = import.meta.url ?? (typeof __filename === 'string' ? __filename : process.execPath);

function load() {
  try {
    return createRequire(here)('openssl-async');
  } catch (error) {
    const notFound = error?.code === 'MODULE_NOT_FOUND' && error.message.includes("'openssl-async'");
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

const names = publicNames();
// A bundler renames what has the same name as something else.
const core = require(path.join(root, 'dist', 'library', 'core.js'));
for (const name of names) {
  if (typeof core[name] === 'function' && core[name].name !== name) {
    throw new Error(`${name} has become ${core[name].name}: import what has the same name under another`);
  }
}

const assignments = names.map((name) => `exports.${name} = core.${name};\n`).join('');
const COMMONJS = `'use strict';
Object.defineProperty(exports, '__esModule', { value: true });
const core = require('./library/core.js');
${assignments}`;
fs.writeFileSync(path.join(root, 'dist', 'index.js'), COMMONJS);

const list = names.map((name) => `  ${name},\n`).join('');
fs.writeFileSync(path.join(root, 'dist', 'index.mjs'), `${HEAD}export const {\n${list}} = load();\n`);
fs.writeFileSync(path.join(root, 'dist', 'index.d.mts'), "export * from './index.js';\n");
