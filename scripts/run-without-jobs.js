'use strict';

// The library where OpenSSL has no jobs, as on musl: the addon, built into build-nojobs/ to find none
// (test/native/without-jobs/), under the tests of all that works without them. Tests that need jobs, in files of others,
// ask for HAS_JOBS (test/support/jobs.ts).
//
//   node scripts/run-without-jobs.js [JEST OPTIONS...]

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { runNodeGyp } = require('./node-gyp.js');
const { root, stage } = require('./stage.js');

// Test files that are left out, by the reason.
const LEFT_OUT = {
  'they are about jobs': [
    'integration/forgotten-yield',
    'integration/guards',
    'integration/job-stacks',
    'integration/man-page',
    'integration/run-job',
    'integration/run-job-observed',
    'integration/start-job',
    'integration/start-job-misuse',
    'integration/thread-pool',
    'integration/wait-context',
    'integration/wait-fds',
    'integration/waiting-rules',
    'integration/wake-modes',
  ],
  'their programs start jobs among other things': [
    'integration/cli',
    'integration/configure',
    'integration/documentation',
    'integration/examples',
    'integration/foreign-signals',
    'integration/reentrancy',
    'integration/reference-engine-cli',
  ],
  'they test files, not the addon': ['integration/bundles', 'integration/elf-readers', 'integration/isolation'],
};
const LIFECYCLE = ['operations', 'remote-keys', 'key-pairs', 'tls'];

function buildAddon() {
  const folder = stage('build-nojobs');
  const args = ['configure', 'build', '--without-jobs=1', '--accelerator-module=0', '--silent'];
  if (runNodeGyp(args, { cwd: folder }) !== 0) throw new Error('the addon without jobs did not build');
  return path.join(folder, 'build', 'Release', 'openssl_async.node');
}

/** The files that are left out. A name of no file is an error: nobody would miss it. */
function leftOut() {
  const names = Object.values(LEFT_OUT).flat();
  for (const name of [...names, ...LIFECYCLE.map((each) => `lifecycle/${each}`)]) {
    if (!fs.existsSync(path.join(root, 'test', `${name}.test.ts`))) throw new Error(`there is no test/${name}.test.ts`);
  }
  for (const [reason, files] of Object.entries(LEFT_OUT)) console.log(`Left out, as ${reason}: ${files.join(', ')}`);
  return `/test/(${names.join('|')})[.]test[.]ts$`;
}

function runTests(addon) {
  const jest = path.join(root, 'node_modules', 'jest', 'bin', 'jest.js');
  const args = ['--selectProjects', 'integration', 'lifecycle', '--testTimeout=60000'];
  args.push('--testPathIgnorePatterns', leftOut());
  args.push('--testPathPatterns', `test/(integration/|lifecycle/(${LIFECYCLE.join('|')})[.]test)`);
  const { status } = spawnSync(process.execPath, [jest, ...args, ...process.argv.slice(2)], {
    cwd: root,
    env: { ...process.env, OPENSSL_ASYNC_ADDON: addon },
    stdio: 'inherit',
  });
  return status === 0;
}

try {
  if (!runTests(buildAddon())) process.exitCode = 1;
} catch (error) {
  console.error(`run-without-jobs: ${error.message}`);
  process.exitCode = 1;
}
