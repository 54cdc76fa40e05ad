'use strict';

// OpenSSL's FIPS module, which no distribution's Node.js has: built once from the distribution's source of OpenSSL, and
// kept in the temporary folder.
//
//   node test/fips/obtain-fips.js     prints the path of the module

const { spawnSync } = require('node:child_process');
const crypto = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const CACHE = path.join(os.tmpdir(), `openssl-async-fips-${os.userInfo().username}`);
const MODULE = path.join(CACHE, 'fips.so');
// With which every FIPS module of OpenSSL is sealed: FIPS_KEY_STRING of its Configure.
const SEAL = Buffer.from('f4556650ac31d35461610bac4ed81b1a181b2d8a43ea2854cbae22ca74560813', 'hex');

/** The path of a FIPS module, or the reason why there is none. Builds it only when told to. */
function obtainFips({ build = false } = {}) {
  if (fs.existsSync(MODULE)) return { module: MODULE };
  if (!build) return { reason: 'no FIPS module was built: node test/fips/obtain-fips.js' };
  if (process.platform !== 'linux') return { reason: 'the FIPS module is built from a Linux distribution’s source' };
  const missing = ['apt-get', 'tar', 'make', 'perl', 'cc'].find((tool) => run('which', [tool]).failure !== undefined);
  if (missing !== undefined) return { reason: `a FIPS module cannot be built without ${missing}` };
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'openssl-async-fips-'));
  try {
    return buildIn(folder);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function buildIn(folder) {
  const apt = sourceLists(folder);
  if (apt === undefined) return { reason: 'apt-get has no lists of packages here' };
  const steps = [
    ['apt-get', [...apt, 'update', '-qq']],
    ['apt-get', [...apt, 'source', '-qq', '--download-only', '--tar-only', 'openssl']],
    ['sh', ['-c', 'mkdir source && tar xf openssl_*.orig.tar.* --strip-components=1 -C source']],
    ['perl', ['Configure', 'enable-fips', 'no-tests', 'no-legacy'], 'source'],
    ['make', ['-s', 'build_generated'], 'source'],
    ['make', ['-s', `-j${os.availableParallelism()}`, 'providers/fips.so'], 'source'],
  ];
  for (const [command, args, subfolder = '.'] of steps) {
    const { failure } = run(command, args, path.join(folder, subfolder));
    if (failure !== undefined) return { reason: `${command} ${args.at(-1)}: ${failure}` };
  }
  fs.mkdirSync(CACHE, { recursive: true });
  // At once: somebody else may be looking for it.
  const partial = `${MODULE}.${process.pid}`;
  fs.copyFileSync(path.join(folder, 'source', 'providers', 'fips.so'), partial);
  fs.renameSync(partial, MODULE);
  return { module: MODULE };
}

// The machine's own lists with sources in the place of binaries, and all that apt-get writes, in a folder of ours.
function sourceLists(folder) {
  const parts = path.join(folder, 'parts');
  for (const name of ['parts', 'lists/partial', 'cache/archives/partial']) {
    fs.mkdirSync(path.join(folder, name), { recursive: true });
  }
  const etc = '/etc/apt';
  const files = ['sources.list', ...readFolder(`${etc}/sources.list.d`).map((name) => `sources.list.d/${name}`)];
  let found = 0;
  for (const file of files.filter((name) => /\.(list|sources)$/.test(name))) {
    const text = readFile(path.join(etc, file));
    const sources = file.endsWith('.sources')
      ? text.replace(/^Types:.*$/gm, 'Types: deb-src')
      : text.replace(/^deb\s/gm, 'deb-src ');
    if (!sources.includes('deb-src')) continue;
    fs.writeFileSync(path.join(parts, path.basename(file)), sources);
    ++found;
  }
  if (found === 0) return undefined;
  return [
    `Dir::Etc::SourceList=/dev/null`,
    `Dir::Etc::SourceParts=${parts}`,
    `Dir::State::Lists=${folder}/lists`,
    `Dir::Cache=${folder}/cache`,
    'APT::Sandbox::User=',
  ].flatMap((option) => ['-o', option]);
}

function readFolder(folder) {
  try {
    return fs.readdirSync(folder);
  } catch {
    return [];
  }
}

function readFile(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function run(command, args, cwd) {
  const { status, error, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8', timeout: 900_000 });
  if (status === 0) return {};
  return { failure: error?.message ?? stderr.trim().split('\n').at(-1) ?? `exit status ${status}` };
}

/** What `openssl fipsinstall` writes about a module: the parameters that it does not work without. */
function fipsParameters(module) {
  const mac = crypto.createHmac('sha256', SEAL).update(fs.readFileSync(module)).digest('hex');
  return { 'conditional-errors': '1', 'security-checks': '1', 'module-mac': mac.toUpperCase().match(/../g).join(':') };
}

module.exports = { obtainFips, fipsParameters };

if (require.main === module) {
  const { module: found, reason } = obtainFips({ build: true });
  if (found === undefined) {
    console.error(reason);
    process.exitCode = 1;
  } else {
    console.log(found);
  }
}
