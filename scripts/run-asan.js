'use strict';

// AddressSanitizer, UndefinedBehaviorSanitizer and LeakSanitizer: the native unit tests with Clang, then the addon and
// the test device, built into build-asan/ with GCC, under the integration tests.
//
//   node scripts/run-asan.js [JEST OPTIONS...]

const { execFileSync, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { FIXED_LAYOUT, runTests } = require('./native-run.js');
const { runNodeGyp } = require('./node-gyp.js');
const { root, stage } = require('./stage.js');

const SUPPRESSIONS = path.join(__dirname, 'suppressions');

// vptr: the addon is compiled without run-time type information, as all of Node is.
// _FORTIFY_SOURCE: the sanitizer does not check its functions.
// g1: reports show lines only, and more debug data would take a third of the compiler's time.
const FLAGS = '-fsanitize=address,undefined -fno-sanitize=vptr -fno-omit-frame-pointer -U_FORTIFY_SOURCE -g1 -O1';

const ASAN_OPTIONS = [
  'detect_leaks=1',
  // Jobs switch stacks: the sanitizer cannot tell a job's locals from a returned function's.
  'detect_stack_use_after_return=0',
  // Or the search for leaks may crash while threads end ("Tracer caught signal 11", a fault of GCC 12's library). It
  // finds variables of threads without this, too.
  'intercept_tls_get_addr=0',
  // Node maps memory that a sanitizer's allocator cannot give.
  'allocator_may_return_null=1',
].join(':');

const SANITIZER_ENVIRONMENT = {
  ASAN_OPTIONS,
  LSAN_OPTIONS: `suppressions=${path.join(SUPPRESSIONS, 'lsan.txt')}:print_suppressions=0`,
  UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1',
};

// Left out: tests of programs that are not instrumented, of the command line, of bundles and of documents, whose native
// parts other tests cover; and of modules opened with RTLD_DEEPBIND, which the sanitizer does not stand.
const UNINSTRUMENTED =
  'integration/(accelerator-module|reference-engine-cli|cli|examples|documentation|bundles|isolation)[.]test';

const library = (name) => execFileSync('gcc', [`-print-file-name=${name}`], { encoding: 'utf8' }).trim();

// Joined: the instrumented code of headers is made once for many sources.
function buildAddon() {
  const folder = stage('build-asan', { joined: true });
  const status = runNodeGyp(['configure', 'build', '--async-tests=1', '--silent'], {
    cwd: folder,
    env: { CC: 'gcc', CXX: 'g++', CFLAGS: FLAGS, CXXFLAGS: FLAGS, LDFLAGS: '-fsanitize=address,undefined' },
  });
  if (status !== 0) throw new Error('the instrumented addon did not build');
  return path.join(folder, 'build', 'Release');
}

// Jobs make the sanitizer warn that it ignores a jump between stacks. Its output goes to a file, because tests read
// their processes' output.
function printReports(reports) {
  const texts = fs.readdirSync(reports).map((name) => fs.readFileSync(path.join(reports, name), 'utf8'));
  const errors = texts.filter((text) => /ERROR: |runtime error: /.test(text));
  for (const text of errors) console.error(text);
  return errors.length;
}

function runIntegrationTests(folder) {
  const reports = path.join(folder, 'reports');
  fs.rmSync(reports, { recursive: true, force: true });
  fs.mkdirSync(reports);
  const jest = path.join(root, 'node_modules', 'jest', 'bin', 'jest.js');
  const [command, ...args] = [...FIXED_LAYOUT, process.execPath, jest, '--selectProjects', 'integration'];
  args.push('--testTimeout=120000', '--testPathIgnorePatterns', UNINSTRUMENTED, ...process.argv.slice(2));
  const { status } = spawnSync(command, args, {
    cwd: root,
    env: {
      ...process.env,
      ...SANITIZER_ENVIRONMENT,
      ASAN_OPTIONS: `${ASAN_OPTIONS}:log_path=${path.join(reports, 'asan')}`,
      // Node itself is not instrumented, so the sanitizer's runtime has to come before everything else. The C++ library
      // comes with it, or the sanitizer finds no __cxa_throw to intercept.
      LD_PRELOAD: [library('libasan.so'), library('libubsan.so'), library('libstdc++.so.6')].join(' '),
      OPENSSL_ASYNC_ADDON: path.join(folder, 'openssl_async.node'),
      OPENSSL_ASYNC_TEST_DEVICE: path.join(folder, 'test_device.node'),
    },
    stdio: 'inherit',
  });
  return printReports(reports) === 0 && status === 0;
}

async function main() {
  const unitTests = await runTests({ sanitizer: 'address', wrapper: FIXED_LAYOUT, env: SANITIZER_ENVIRONMENT });
  if (!runIntegrationTests(buildAddon()) || !unitTests) process.exitCode = 1;
}

main().catch((error) => {
  console.error(`run-asan: ${error.message}`);
  process.exitCode = 1;
});
