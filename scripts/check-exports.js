'use strict';

// Checks the compiler's and linker's output, the addon, the accelerator's module and prebuilt addons: only the entry is
// exported, the addon stays loaded once loaded, the hardening of src-native/defaults.gypi is there, the addon looks for
// each function of OpenSSL that it calls, and prebuilt addons load on every Linux that official builds of Node run on.
//
//   node scripts/check-exports.js [ADDON]     default: those in build/Release and prebuilds/
//
// The file says what it is for: a Linux machine checks addons for every architecture of Linux.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { staleSymbols } = require('./generate-symbols.js');

const ROOT = path.join(__dirname, '..');
const BUILD = path.join(ROOT, 'build', 'Release');
const PREBUILDS = path.join(ROOT, 'prebuilds');
const ADDON = { entry: 'napi_register_module_v1', optional: ['node_api_module_get_api_version_v1'] };
const PROVIDER = { entry: 'OSSL_provider_init', optional: [] };

// The newest versions that official builds of Node 20 to 26 need.
const FLOOR = { GLIBC: '2.28', GLIBCXX: '3.4.21', CXXABI: '1.3.9' };

const run = (command, ...args) =>
  execFileSync(command, args, { encoding: 'utf8', maxBuffer: 2 ** 26, stdio: ['ignore', 'pipe', 'ignore'] });

/** By the file's first bytes: the kind of file, and the architecture if that is looked at. */
function identify(file) {
  const header = Buffer.alloc(20);
  const fd = fs.openSync(file, 'r');
  fs.readSync(fd, header);
  fs.closeSync(fd);
  if (header.toString('latin1', 0, 4) === '\x7fELF') {
    const machine = header.readUInt16LE(18);
    return { format: 'ELF', arch: { 62: 'x64', 183: 'arm64' }[machine] ?? `machine ${machine}` };
  }
  if (header.toString('latin1', 0, 2) === 'MZ') return { format: 'PE' };
  return { format: [0xfeedfacf, 0xbebafeca].includes(header.readUInt32LE(0)) ? 'Mach-O' : 'unknown' };
}

/** The symbols of an ELF file, as { name, isDefined, address }. */
function dynamicSymbols(file) {
  return run('readelf', '--dyn-syms', '--wide', file)
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([number, , , , bind]) => /^\d+:$/.test(number) && bind !== 'LOCAL')
    .map(([, address, , , , , section, name]) => ({
      name: name.replace(/@.*/, ''),
      isDefined: section !== 'UND',
      address: Number.parseInt(address, 16),
    }));
}

const machOExports = (file) =>
  run('nm', '-gU', file)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(/\s+/).at(-1).replace(/^_/, ''));

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

// The C library's own code has them in any case. It is the instruction endbr64.
function beginsWithLandingPad(file, address) {
  const sections = run('readelf', '--sections', '--wide', file);
  const [start, offset] = /\s\.text\s+PROGBITS\s+([0-9a-f]+)\s+([0-9a-f]+)/.exec(sections).slice(1);
  const position = address - Number.parseInt(start, 16) + Number.parseInt(offset, 16);
  return fs.readFileSync(file).toString('hex', position, position + 4) === 'f30f1efa';
}

function compileProblems(file, { arch, isGlibc, symbols, entry }) {
  const found = [];
  const imports = symbols.filter(({ isDefined }) => !isDefined).map(({ name }) => name);
  if (!imports.some((name) => /^__stack_chk_(fail|guard)$/.test(name))) {
    found.push('is not compiled with -fstack-protector-strong');
  }
  // musl has no such functions.
  if (isGlibc && !imports.some((name) => /^__(?!stack_)\w+_chk$/.test(name))) {
    found.push('is not compiled with _FORTIFY_SOURCE');
  }
  const { address } = symbols.find(({ name }) => name === entry);
  if (arch === 'x64' && !beginsWithLandingPad(file, address)) {
    found.push('is not compiled with -fcf-protection=branch');
  }
  return found;
}

const isNewer = (version, floor) => version.localeCompare(floor, 'en', { numeric: true }) > 0;

function floorProblems(file) {
  const versions = run('readelf', '--version-info', '--wide', file).matchAll(/Name: (GLIBC|GLIBCXX|CXXABI)_([\d.]+)/g);
  const needed = new Set(
    [...versions]
      .filter(([, library, version]) => isNewer(version, FLOOR[library]))
      .map(([, ...name]) => name.join('_')),
  );
  return [...needed].map((name) => `needs ${name}, and official builds of Node only ${FLOOR[name.split('_')[0]]}`);
}

function elfProblems(file, { arch, symbols, entry }) {
  const isGlibc = /NEEDED.*\[libc\.so\.6\]/.test(run('readelf', '--dynamic', '--wide', file));
  const found = [...linkProblems(file), ...compileProblems(file, { arch, isGlibc, symbols, entry })];
  const isPrebuilt = path.resolve(file).split(path.sep).includes('prebuilds');
  if (isPrebuilt && isGlibc) found.push(...floorProblems(file));
  // The module calls some of the addon's functions. Without versions of symbols, nobody can tell the host's; and nm reads
  // the machine's own files.
  if (isGlibc && arch === process.arch && entry === ADDON.entry) found.push(...staleSymbols(file));
  return found;
}

/** Why this machine cannot check a file of `format`; undefined when it can. */
function skipReason(format) {
  if (format === 'PE') return 'Windows exports only what is marked for export';
  if (format === 'Mach-O' && process.platform !== 'darwin') return 'a Mac checks it';
  if (format === 'ELF' && process.platform !== 'linux') return 'Linux checks it';
  return undefined;
}

function problems(file, { entry, optional }) {
  const { format, arch } = identify(file);
  if (format === 'unknown') return ['is neither ELF nor Mach-O nor PE'];
  const reason = skipReason(format);
  if (reason !== undefined) {
    console.log(`check-exports: ${file} skipped, ${reason}`);
    return [];
  }
  const symbols = format === 'ELF' ? dynamicSymbols(file) : [];
  const exported =
    format === 'ELF' ? symbols.filter(({ isDefined }) => isDefined).map(({ name }) => name) : machOExports(file);
  const found = exported.filter((name) => name !== entry && !optional.includes(name)).map((name) => `exports ${name}`);
  if (!exported.includes(entry)) found.push(`does not export ${entry}`);
  else if (format === 'ELF') found.push(...elfProblems(file, { arch, symbols, entry }));
  return found;
}

function prebuiltAddons() {
  if (!fs.existsSync(PREBUILDS)) return [];
  const names = fs.readdirSync(PREBUILDS, { recursive: true }).filter((name) => name.endsWith('.node'));
  return names.sort().map((name) => [path.join(PREBUILDS, name), ADDON]);
}

function filesToCheck() {
  if (process.argv[2] !== undefined) return [[process.argv[2], ADDON]];
  const module = path.join(BUILD, `accelerator.${process.platform === 'darwin' ? 'dylib' : 'so'}`);
  const addon = path.join(BUILD, 'openssl_async.node');
  return [[addon, ADDON], ...(fs.existsSync(module) ? [[module, PROVIDER]] : []), ...prebuiltAddons()];
}

const files = filesToCheck();
const found = files.flatMap(([file, kind]) => problems(file, kind).map((problem) => `${file} ${problem}`));
for (const problem of found) console.error(problem);
if (found.length === 0) console.log('check-exports: only the entries are exported, and the hardening is there');
process.exitCode = found.length === 0 ? 0 : 1;
