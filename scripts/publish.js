'use strict';

// Publishes what scripts/release.js has made, when the workflow runs for the tag of this version; else only tries to.
// npm takes the workflow's identity in place of a token, and attaches the provenance.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..');
const folder = path.join(root, 'build-release');
const { version } = require('../package.json');
const { GITHUB_REF_TYPE: type, GITHUB_REF_NAME: tag } = process.env;

const run = (command, ...args) => {
  console.log(`$ ${command} ${args.join(' ')}`);
  execFileSync(command, args, { cwd: folder, stdio: 'inherit' });
};

function main() {
  const isTag = type === 'tag';
  if (isTag && tag !== `v${version}`) {
    console.error(`publish: the tag is ${tag}, but package.json has version ${version}`);
    return 1;
  }
  const tarball = `./openssl-async-${version}.tgz`;
  if (!isTag) {
    run('npm', 'publish', tarball, '--dry-run', '--ignore-scripts');
    return 0;
  }
  run('npm', 'publish', tarball, '--ignore-scripts', ...(version.includes('-') ? ['--tag', 'next'] : []));
  run('gh', 'release', 'create', tag, '--verify-tag', '--generate-notes', ...fs.readdirSync(folder));
  return 0;
}

process.exitCode = main();
