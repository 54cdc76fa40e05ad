'use strict';

// Cross-compiles the addon for 64-bit Windows with mingw-w64: C and C++ runtimes are linked into it, so that it needs
// nothing but its host, KERNEL32 and msvcrt. Two builds give the same bytes.
//
//   node scripts/build-windows.js               build-windows/openssl_async.node
//   node scripts/build-windows.js --tests       the modules of tests as well
//   node scripts/build-windows.js --prebuild    puts the addon at prebuilds/win32-x64/openssl_async.node
//
// The compiler: x86_64-w64-mingw32-g++-posix and -gcc-posix of Debian's g++-mingw-w64-x86-64-posix. MINGW_CXX and
// MINGW_CC name others.

const { execFile, execFileSync, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { promisify } = require('node:util');
const { listSources } = require('./list-sources.js');
const { isFresh } = require('./native-build.js');
const { headersPrefix } = require('./node-gyp.js');
const { isHosts } = require('./generate-symbols.js');

const root = path.join(__dirname, '..');
const run = promisify(execFile);

const OUTPUT = 'build-windows';
const TOOLS = 'x86_64-w64-mingw32-';
const COMPILERS = {
  '.cc': (process.env.MINGW_CXX ?? `${TOOLS}g++-posix`).split(' '),
  '.c': (process.env.MINGW_CC ?? `${TOOLS}gcc-posix`).split(' '),
};

// The name by which files know their host. deps/mingw/delay_load_hook.cc finds it under any other.
const HOST = 'node.exe';
// Every Windows has them.
const IMPORTS = ['KERNEL32.dll', 'msvcrt.dll'];
const ADDON = 'openssl_async.node';
const ADDON_EXPORTS = ['napi_register_module_v1', 'node_api_module_get_api_version_v1'];

/** The targets of binding.gyp and test/native/tests.gyp; run it in the root. */
function describeTargets() {
  const list = (folder, except) => listSources(folder, { platform: 'win32', except });
  const hook = list('deps/mingw');
  const core = [...list('src-native', ['binding', 'accelerator/module']), ...hook];
  // Files that use nothing else of the addon find the host's functions by these.
  const host = [...hook, 'src-native/openssl/host_symbols_win.cc'];
  const hardware = {
    sources: [
      ...list('test/native/reference/hardware'),
      'test/native/device/deadline_queue.c',
      'test/native/device/wake_ends_win.c',
      ...host,
    ],
    folders: ['test/native/reference/hardware', 'test/native/device'],
  };
  const addon = {
    file: ADDON,
    sources: [...core, ...list('src-native/binding')],
    exports: ADDON_EXPORTS,
  };
  const tests = [
    {
      file: 'accelerator.dll',
      sources: [...core, ...list('src-native/accelerator/module')],
      exports: ['OSSL_provider_init'],
    },
    {
      file: 'test_device.node',
      sources: [...list('test/native/device'), ...host],
      folders: ['test/native/device'],
      exports: ADDON_EXPORTS,
    },
    {
      file: 'example_signer.node',
      sources: [...list('examples/native'), ...host],
      exports: ADDON_EXPORTS,
    },
    {
      file: 'reference_engine.dll',
      sources: [...list('test/native/reference/engine'), ...hardware.sources],
      folders: ['test/native/reference/engine', ...hardware.folders],
      defines: ['OPENSSL_SUPPRESS_DEPRECATED'],
      exports: ['bind_engine', 'v_check'],
    },
    {
      file: 'reference_provider.dll',
      sources: [...list('test/native/reference/provider'), ...hardware.sources],
      folders: ['test/native/reference/provider', ...hardware.folders],
      exports: ['OSSL_provider_init'],
    },
  ];
  return { addon, tests };
}

/** Why this machine cannot build for Windows; undefined when it can. */
function whyNot() {
  for (const compiler of Object.values(COMPILERS)) {
    try {
      execFileSync(compiler[0], [...compiler.slice(1), '--version'], { stdio: 'ignore' });
    } catch {
      return `there is no ${compiler.join(' ')}: install g++-mingw-w64-x86-64-posix`;
    }
  }
  if (headersPrefix() === undefined) return 'the headers of the running Node are not installed beside it';
  return undefined;
}

/** The definitions that defaults.gypi gives to every target. */
function definesOfEveryTarget() {
  const text = fs.readFileSync(path.join(root, 'src-native', 'defaults.gypi'), 'utf8');
  const [, list] = /'defines': \[([^\]]*)\]/.exec(text);
  return list.match(/[\w=]+/g);
}

function flagsFor(source, { folders = [], defines = [] }) {
  const includes = [
    // Node's headers hold OpenSSL's, which choose the configuration by the compiler's own definitions.
    path.join(headersPrefix(), 'include', 'node'),
    path.dirname(require.resolve('node-addon-api')),
    'include',
    'src-native',
    ...folders,
  ];
  const definitions = ['NDEBUG', '_WIN32_WINNT=0x0A00', 'WIN32_LEAN_AND_MEAN', 'NOMINMAX', 'NAPI_CPP_EXCEPTIONS'];
  definitions.push('BUILDING_NODE_EXTENSION', ...definesOfEveryTarget(), ...defines);
  return [
    ...(source.endsWith('.cc') ? ['-std=c++17', '-fvisibility-inlines-hidden'] : ['-std=gnu11']),
    '-O2',
    '-fvisibility=hidden',
    '-Wall',
    '-Wextra',
    '-Werror',
    // OpenSSL's async.h takes HANDLE for an fd only after it.
    ...(source.endsWith('.c') ? ['-include', 'windows.h'] : []),
    // No path of this machine in the output.
    `-ffile-prefix-map=${root}=.`,
    ...definitions.map((definition) => `-D${definition}`),
    ...includes.map((folder) => `-I${folder}`),
  ];
}

async function compile(targets) {
  const jobs = new Map();
  for (const target of targets) {
    target.objects = target.sources.map((source) => {
      // What is compiled with definitions or folders of its own is not shared.
      const own = target.folders === undefined && target.defines === undefined ? 'common' : target.file;
      const object = path.join(OUTPUT, 'objects', own, `${source}.o`);
      jobs.set(object, { source, object, target });
      return object;
    });
  }
  const stale = [...jobs.values()].filter(({ object }) => !isFresh(object));
  async function worker() {
    for (let next = stale.shift(); next !== undefined; next = stale.shift()) {
      const { source, object, target } = next;
      fs.mkdirSync(path.dirname(object), { recursive: true });
      const [command, ...first] = COMPILERS[path.extname(source)];
      const args = [...first, ...flagsFor(source, target), '-MMD', '-c', source, '-o', object];
      const { stderr } = await run(command, args, { cwd: root });
      process.stderr.write(stderr);
    }
  }
  await Promise.all(Array.from({ length: os.availableParallelism() }, worker));
}

const stemOf = (target) => path.join(OUTPUT, 'objects', target.file);

const definition = (name, symbols) => `LIBRARY "${name}"\nEXPORTS\n${symbols.map((each) => `  ${each}\n`).join('')}`;

function linkCommand(target, output, ...options) {
  const exported = `${stemOf(target)}.exports.def`;
  fs.writeFileSync(exported, definition(target.file, target.exports));
  const [command, ...first] = COMPILERS['.cc'];
  const statics = ['-static', '-static-libgcc', '-static-libstdc++'];
  const args = ['-shared', '-o', output, ...target.objects, exported, ...options, ...statics];
  return [command, [...first, ...args, '-Wl,--exclude-all-symbols', '-Wl,--no-insert-timestamp']];
}

/** The names that no library of the compiler defines, by the linker's own account. */
function hostSymbols(target) {
  const output = `${stemOf(target)}.trial`;
  const [command, args] = linkCommand(target, output, '-Wl,--warn-unresolved-symbols');
  const { stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    maxBuffer: 2 ** 27,
    env: { ...process.env, LC_ALL: 'C' },
  });
  fs.rmSync(output, { force: true });
  const names = [...stderr.matchAll(/undefined reference to `(\w+)'/g)].map((match) => match[1]);
  return [...new Set(names.map((name) => name.replace(/^__imp_/, '')))].sort();
}

/** Writes a library through which the linker leaves the host's functions to be found at their first call. */
function hostLibrary(target) {
  const symbols = hostSymbols(target);
  const stray = target.file === ADDON ? symbols.filter((name) => !isHosts(name)) : [];
  if (stray.length > 0) throw new Error(`${target.file} needs ${stray.join(', ')}, which the host does not export`);
  const stem = stemOf(target);
  fs.writeFileSync(`${stem}.host.def`, definition(HOST, symbols));
  const args = ['-m', 'i386:x86-64', '-d', `${stem}.host.def`, '--output-delaylib', `${stem}.host.a`];
  execFileSync(`${TOOLS}dlltool`, [...args, '--temp-prefix', 'host', '--deterministic-libraries']);
  return `${stem}.host.a`;
}

/** @returns {string[]} what is wrong with a finished file; empty when nothing is. */
function problems(target, file) {
  const output = execFileSync(`${TOOLS}objdump`, ['-p', file], { encoding: 'utf8', maxBuffer: 2 ** 27 });
  const imports = [...output.matchAll(/DLL Name: (.+)/g)].map((match) => match[1]);
  const table = output.slice(output.indexOf('[Ordinal/Name Pointer] Table'));
  const exported = [...table.matchAll(/^\s*\[ *\d+\] (\w+)$/gm)].map((match) => match[1]);
  const found = imports.filter((name) => !IMPORTS.includes(name)).map((name) => `imports ${name}`);
  if (exported.sort().join() !== [...target.exports].sort().join()) found.push(`exports ${exported.join(', ')}`);
  if (fs.readFileSync(file).includes(root)) found.push(`has the path ${root} in it`);
  return found;
}

function linkTarget(target) {
  const output = path.join(OUTPUT, target.file);
  const [command, args] = linkCommand(target, output, hostLibrary(target), '-s');
  execFileSync(command, args, { stdio: 'inherit' });
  const found = problems(target, output);
  if (found.length > 0) throw new Error(`${output} ${found.join(', ')}`);
  return path.join(root, output);
}

async function buildForWindows({ tests = false } = {}) {
  const reason = whyNot();
  if (reason !== undefined) throw new Error(reason);
  process.chdir(root);
  const described = describeTargets();
  const targets = [described.addon, ...(tests ? described.tests : [])];
  await compile(targets);
  return Object.fromEntries(targets.map((target) => [target.file, linkTarget(target)]));
}

/** Builds the addon, and puts it where the package holds it. @returns {Promise<string>} the path. */
async function prebuildForWindows() {
  const { [ADDON]: built } = await buildForWindows();
  const prebuilt = path.join(root, 'prebuilds', 'win32-x64', ADDON);
  fs.mkdirSync(path.dirname(prebuilt), { recursive: true });
  fs.copyFileSync(built, prebuilt);
  return prebuilt;
}

module.exports = { buildForWindows, prebuildForWindows, whyNot };

async function main() {
  if (process.argv.includes('--prebuild')) return [await prebuildForWindows()];
  return Object.values(await buildForWindows({ tests: process.argv.includes('--tests') }));
}

if (require.main === module) {
  main().then(
    (files) => console.log(files.join('\n')),
    (error) => {
      console.error(`build-windows: ${error.stderr ?? error.message}`);
      process.exitCode = 1;
    },
  );
}
