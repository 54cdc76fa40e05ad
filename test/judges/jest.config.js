'use strict';

const path = require('node:path');
const {
  projects: [project],
  ...options
} = require('../../jest.config.js');

// Scanners judge for a minute or more: they are no part of `npm test`.
/** @type {import('jest').Config} */
module.exports = {
  ...options,
  rootDir: path.join(__dirname, '..', '..'),
  projects: [{ ...project, displayName: 'judges', testMatch: ['<rootDir>/test/judges/**/*.test.ts'] }],
};
