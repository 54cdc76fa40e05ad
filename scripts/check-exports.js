'use strict';

// Checks the compiler's and linker's output, the addon and the accelerator's module: only the entry is exported, the
// addon stays loaded once loaded, and the hardening of src-native/defaults.gypi is there.
//
//   node scripts/check-exports.js [ADDON]     default: build/Release/openssl_async.node and accelerator.so

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const BUILD = path.join(__dirname, '..', 'build', 'Release');
const ADDON = { entry: 'napi_register_module_v1', optional: ['node_api_module_get_api_version_v1'] };
const PROVIDER = { entry: 'OSSL_provider_init', optional: [] };

const run = (command, ...args) =>
  execFileSync(command, args, { encoding: 'utf8', maxBuffer: 2 ** 26, stdio: ['ignore', 'pipe', 'ignore'] });

function exportedSymbols(file) {
  const output =
    process.platform === 'darwin' ? run('nm', '-gU', file) : run('nm', '--dynamic', '--defined-only', file);
  return output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(/\s+/).at(-1))
    .map((name) => (process.platform === 'darwin' ? name.replace(/^_/, '') : name));
}

function linkProblems(file) {
  const found = [];
  const dynamic = run('readelf', '--dynamic', '--wide', file);
  if (!/\bNODELETE\b/.test(dynamic)) found.push('is not linked with -z nodelete');
  if (/\bBIND_NOW\b|Flags:.*\bNOW\b/.test(dynamic))
    found.push('is linked with -z now: it must load where a symbol is missing');
  if (/NEEDED.*lib(crypto|ssl|uv|node)\b/.test(dynamic)) found.push('needs a library that the process brings itself');

  const segments = run('readelf', '--segments', '--wide', file);
  if (!/^\s*GNU_RELRO\b/m.test(segments)) found.push('is not linked with -z relro');
  const stack = /^\s*GNU_STACK\s+(?:0x\w+\s+){5}(\S+)/m.exec(segments)?.[1];
  if (stack !== 'RW') found.push('has an executable stack, or does not say that it has none');
  if (/^\s*LOAD\s.*\bRWE\b/m.test(segments)) found.push('has memory that is writable and executable');
  return found;
}

// The C library's own code has them in any case.
function beginsWithLandingPad(file, symbol) {
  const [address] = new RegExp(`^([0-9a-f]+) T ${symbol}$`, 'm').exec(run('nm', '--dynamic', file)).slice(1);
  const start = Number.parseInt(address, 16);
  const code = run('objdump', '--disassemble', `--start-address=${start}`, `--stop-address=${start + 4}`, file);
  return /\bendbr64\b/.test(code);
}

function compileProblems(file, entry) {
  const found = [];
  const imported = run('nm', '--dynamic', '--undefined-only', file);
  if (!/\b__stack_chk_(fail|guard)\b/.test(imported)) found.push('is not compiled with -fstack-protector-strong');
  // musl has no such functions.
  const isGlibc = process.report.getReport().header.glibcVersionRuntime !== undefined;
  if (isGlibc && !/\b__(?!stack_)\w+_chk\b/.test(imported)) found.push('is not compiled with _FORTIFY_SOURCE');
  if (process.arch === 'x64' && !beginsWithLandingPad(file, entry)) {
    found.push('is not compiled with -fcf-protection=branch');
  }
  return found;
}

function problems(file, { entry, optional }) {
  const symbols = exportedSymbols(file);
  const found = symbols.filter((name) => name !== entry && !optional.includes(name)).map((name) => `exports ${name}`);
  if (!symbols.includes(entry)) found.push(`does not export ${entry}`);
  else if (process.platform === 'linux') found.push(...linkProblems(file), ...compileProblems(file, entry));
  return found;
}

function filesToCheck() {
  if (process.argv[2] !== undefined) return [[process.argv[2], ADDON]];
  const module = path.join(BUILD, `accelerator.${process.platform === 'darwin' ? 'dylib' : 'so'}`);
  const addon = path.join(BUILD, 'openssl_async.node');
  return [[addon, ADDON], ...(fs.existsSync(module) ? [[module, PROVIDER]] : [])];
}

if (process.platform === 'win32') {
  console.log('check-exports: skipped, Windows exports only what is marked for export');
} else {
  const found = filesToCheck().flatMap(([file, kind]) => problems(file, kind).map((problem) => `${file} ${problem}`));
  for (const problem of found) console.error(problem);
  if (found.length === 0) console.log('check-exports: only the entries are exported, and the hardening is there');
  process.exitCode = found.length === 0 ? 0 : 1;
}
