'use strict';

// Formats (clang-format) and analyses (clang-tidy) the C and C++ sources.
//
//   node scripts/lint-cpp.js          checks both
//   node scripts/lint-cpp.js --fix    rewrites the formatting only

const { execFile, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { promisify } = require('node:util');
const { listSources } = require('./list-sources.js');
const { joinSources, nameSources } = require('./units.js');

const root = path.join(__dirname, '..');
const FORMATTED = ['deps', 'include', 'src-native', 'test/native', 'test/bench', 'examples'];

function formattedFiles() {
  return FORMATTED.filter((folder) => fs.existsSync(path.join(root, folder))).flatMap((folder) =>
    fs
      .readdirSync(path.join(root, folder), { recursive: true })
      .filter((name) => /\.(c|cc|h)$/.test(name))
      .map((name) => path.join(folder, name)),
  );
}

function nodeHeaders() {
  const candidates = [
    process.env.npm_config_nodedir,
    path.resolve(fs.realpathSync(process.execPath), '..', '..'),
    path.join(os.homedir(), '.cache', 'node-gyp', process.versions.node),
  ];
  const prefix = candidates.find(
    (candidate) => candidate !== undefined && fs.existsSync(path.join(candidate, 'include', 'node', 'node_api.h')),
  );
  if (prefix === undefined) throw new Error('no Node headers found; run `npm run build:native` once');
  return path.join(prefix, 'include', 'node');
}

function format(fix) {
  const mode = fix ? ['-i'] : ['--dry-run', '--Werror'];
  const files = formattedFiles();
  if (files.length === 0) return true;
  const result = spawnSync('clang-format', [...mode, ...files], { cwd: root, stdio: 'inherit' });
  if (result.error !== undefined) throw new Error('clang-format is not installed (apt-get install clang-format)');
  return result.status === 0;
}

async function tidy() {
  const flags = [
    '-std=c++17',
    '-Isrc-native',
    '-Iinclude',
    '-isystem',
    path.join(root, 'node_modules', 'node-addon-api'),
    '-isystem',
    nodeHeaders(),
    '-DNAPI_VERSION=8',
    '-DNAPI_CPP_EXCEPTIONS',
    '-DNODE_ADDON_API_DISABLE_DEPRECATED',
    // Limits how far the analyzer follows a function: half the time of its own 225 000, and no finding less.
    ...['-Xclang', '-analyzer-config', '-Xclang', 'max-nodes=40000'],
  ];
  process.chdir(root);
  // Headers cost most of the time: with each source alone, three times of it.
  const units = joinSources(listSources('src-native'), path.join('build-native', 'lint'), root);
  let clean = true;
  const run = promisify(execFile);
  async function worker() {
    for (let unit = units.shift(); unit !== undefined; unit = units.shift()) {
      try {
        await run('clang-tidy', ['--quiet', '--warnings-as-errors=*', unit, '--', ...flags], { cwd: root });
      } catch (error) {
        if (error.code === 'ENOENT') {
          throw new Error('clang-tidy is not installed (apt-get install clang-tidy)', { cause: error });
        }
        clean = false;
        console.error(nameSources(`${error.stdout}${error.stderr}`.trim(), unit));
      }
    }
  }
  await Promise.all(Array.from({ length: os.availableParallelism() }, worker));
  return clean;
}

async function main() {
  const fix = process.argv.includes('--fix');
  const formatted = format(fix);
  const analysed = fix || (await tidy());
  return formatted && analysed ? 0 : 1;
}

main().then(
  (status) => (process.exitCode = status),
  (error) => {
    console.error(`lint-cpp: ${error.message}`);
    process.exitCode = 1;
  },
);
