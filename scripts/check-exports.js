'use strict';

// Checks what the linker made of the addon: nothing but the module entry is exported, and it stays loaded once loaded.
//
//   node scripts/check-exports.js [ADDON]     default: build/Release/openssl_async.node

const { execFileSync } = require('node:child_process');
const path = require('node:path');

const ENTRY = new Set(['napi_register_module_v1', 'node_api_module_get_api_version_v1']);
const addon = process.argv[2] ?? path.join(__dirname, '..', 'build', 'Release', 'openssl_async.node');

const run = (command, ...args) => execFileSync(command, args, { encoding: 'utf8' });

function exportedSymbols() {
  const output =
    process.platform === 'darwin' ? run('nm', '-gU', addon) : run('nm', '--dynamic', '--defined-only', addon);
  return output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(/\s+/).at(-1))
    .map((name) => (process.platform === 'darwin' ? name.replace(/^_/, '') : name));
}

function problems() {
  const symbols = exportedSymbols();
  const found = symbols.filter((name) => !ENTRY.has(name)).map((name) => `exports ${name}`);
  if (!symbols.includes('napi_register_module_v1')) found.push('does not export napi_register_module_v1');
  if (process.platform === 'linux') {
    const dynamic = run('readelf', '--dynamic', '--wide', addon);
    if (!/\bNODELETE\b/.test(dynamic)) found.push('is not linked with -z nodelete');
    if (/NEEDED.*lib(crypto|ssl|uv|node)\b/.test(dynamic)) found.push('needs a library that the process brings itself');
  }
  return found;
}

if (process.platform === 'win32') {
  console.log('check-exports: skipped, Windows exports only what is marked for export');
} else {
  const found = problems();
  for (const problem of found) console.error(`${addon} ${problem}`);
  if (found.length === 0) console.log('check-exports: only the module entry is exported');
  process.exitCode = found.length === 0 ? 0 : 1;
}
