'use strict';

// The library where OpenSSL has no jobs, as on musl: the addon, built into build-nojobs/ to find none
// (test/native/without-jobs/), under the tests of all that works without them. Tests that need jobs, in files of others,
// ask for HAS_JOBS (test/support/jobs.ts).
//
//   node scripts/run-without-jobs.js [JEST OPTIONS...]

const { buildAddon, checkTests, main, runJest } = require('./other-addon.js');

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

/** The files that are left out. */
function leftOut() {
  const names = Object.values(LEFT_OUT).flat();
  checkTests([...names, ...LIFECYCLE.map((each) => `lifecycle/${each}`)]);
  for (const [reason, files] of Object.entries(LEFT_OUT)) console.log(`Left out, as ${reason}: ${files.join(', ')}`);
  return `/test/(${names.join('|')})[.]test[.]ts$`;
}

main(() => {
  const args = ['--selectProjects', 'integration', 'lifecycle', '--testTimeout=60000'];
  args.push('--testPathIgnorePatterns', leftOut());
  args.push('--testPathPatterns', `test/(integration/|lifecycle/(${LIFECYCLE.join('|')})[.]test)`);
  return runJest(buildAddon('build-nojobs', '--without-jobs=1'), args);
});
