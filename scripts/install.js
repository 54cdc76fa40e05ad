'use strict';

// Compiles the addon: for `openssl-async build`, and at the installation of a package without a binary that loads here. A
// release has one for each platform and does not run this at installation.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { runNodeGyp } = require('./node-gyp.js');

const root = path.join(__dirname, '..');

function wantsCompilation() {
  const fromSource = process.env.npm_config_build_from_source;
  const flavour = process.env.npm_config_openssl;
  return fromSource === 'true' || fromSource === 'openssl-async' || (flavour !== undefined && flavour !== 'runtime');
}

// In a process of its own: a binary that cannot run here may take the process down. A clone has no dist/ yet and
// always compiles.
function prebuildLoads() {
  const loader = path.join(root, 'dist', 'library', 'core.js');
  if (!fs.existsSync(loader) || !fs.existsSync(path.join(root, 'prebuilds'))) return false;
  const program = `process.exitCode = require(${JSON.stringify(loader)}).loadAddon('prebuilds').loaded ? 0 : 1`;
  return spawnSync(process.execPath, ['-e', program], { stdio: 'ignore' }).status === 0;
}

function compile() {
  // In a release it stands where package managers do not see it.
  const gyp = path.join(root, 'binding.gyp');
  if (!fs.existsSync(gyp)) fs.copyFileSync(path.join(root, 'deps', 'binding.gyp'), gyp);
  const flavour = process.env.npm_config_openssl;
  const status = runNodeGyp(['rebuild', ...(flavour === undefined ? [] : [`--openssl=${flavour}`])], { cwd: root });
  if (status === 0) return 0;
  console.error(
    [
      '',
      `openssl-async: there is no ready binary for ${process.platform}-${process.arch}, and compiling one failed.`,
      'Compiling needs Python 3, make and a C++17 compiler, and the headers of the running Node.',
      'On Debian or Ubuntu: apt-get install python3 make g++. On Alpine: apk add python3 make g++.',
      'On macOS: xcode-select --install. On Windows: the C++ workload of the Visual Studio Build Tools.',
    ].join('\n'),
  );
  return status;
}

process.exitCode = !wantsCompilation() && prebuildLoads() ? 0 : compile();
