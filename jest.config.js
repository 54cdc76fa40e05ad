'use strict';

const os = require('node:os');
const path = require('node:path');

// Tests run what was just compiled, also in a clone that has prebuilds, and so do the processes that they start. A
// sanitizer run or another build sets its own.
process.env.OPENSSL_ASYNC_ADDON ??= path.join(__dirname, 'build', 'Release', 'openssl_async.node');

const project = (name) => ({
  displayName: name,
  rootDir: __dirname,
  testEnvironment: 'node',
  testMatch: [`<rootDir>/test/${name}/**/*.test.ts`],
  // What the package's users import; one instance with the tests' own imports of lib/.
  moduleNameMapper: {
    '^openssl-async$': '<rootDir>/lib/index.ts',
    '^openssl-async/(tls|https|http2)$': '<rootDir>/lib/tls/$1.ts',
  },
  modulePathIgnorePatterns: ['<rootDir>/build-[a-z0-9]+/', '<rootDir>/prebuilds/'],
  transform: { '\\.ts$': ['ts-jest', { tsconfig: path.join(__dirname, 'tsconfig.json') }] },
});

/** @type {import('jest').Config} */
module.exports = {
  projects: ['unit', 'integration', 'lifecycle', 'fuzz'].map(project),
  reporters: ['default', '<rootDir>/.ci/jest-reporter.js'],
  testSequencer: '<rootDir>/.ci/jest-sequencer.js',
  // A process for each file: tests count what the addon has done in theirs. Never less than two at a time, which is
  // what makes Jest start any.
  maxWorkers: Math.max(2, os.availableParallelism() - 1),
  workerIdleMemoryLimit: '1KB',
  testTimeout: 30_000,
};
