'use strict';

// The library where fds are watched by libuv, one handle each, as on macOS: the addon, built so into build-uvpoll/, under
// the tests of servers of TLS and of fds that tell of jobs.
//
//   node scripts/run-poll-with-uv.js [JEST OPTIONS...]

const { buildAddon, checkTests, main, runJest } = require('./other-addon.js');

const BESIDE_TLS = ['integration/wait-fds', 'integration/wake-modes', 'integration/foreign-signals', 'lifecycle/tls'];

main(() => {
  checkTests(BESIDE_TLS);
  const args = ['--selectProjects', 'integration', 'lifecycle', '--testTimeout=60000'];
  args.push('--testPathPatterns', `test/(integration/tls-[a-z0-9-]+|${BESIDE_TLS.join('|')})[.]test`);
  return runJest(buildAddon('build-uvpoll', '--poll-with-uv=1'), args);
});
