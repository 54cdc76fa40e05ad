'use strict';

// Runtimes that are not Node.js: they come from npm by package name and are kept in the temporary folder.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const CACHE = path.join(os.tmpdir(), `openssl-async-nodes-${os.userInfo().username}`);
const ARCH = { x64: { bun: 'x64', deno: 'x64' }, arm64: { bun: 'aarch64', deno: 'arm64' } };

const PACKAGES = {
  bun: (arch) => ({ name: `@oven/bun-linux-${arch.bun}`, file: 'bin/bun' }),
  deno: (arch) => ({ name: `@deno/linux-${arch.deno}-glibc`, file: 'deno' }),
};

/** The path of the binary of `runtime`, or the reason why there is none. */
function obtainRuntime(runtime) {
  const arch = ARCH[process.arch];
  if (process.platform !== 'linux' || arch === undefined) {
    return { reason: `${runtime} is looked for on Linux x64 and arm64 only` };
  }
  const { name, file } = PACKAGES[runtime](arch);
  const folder = path.join(CACHE, runtime);
  const binary = path.join(folder, 'node_modules', ...name.split('/'), file);
  if (fs.existsSync(binary)) return { binary };
  fs.mkdirSync(folder, { recursive: true });
  const install = ['install', '--prefix', folder, '--no-save', '--no-package-lock', '--ignore-scripts', name];
  const npm = spawnSync('npm', install, { cwd: folder, encoding: 'utf8', timeout: 300_000 });
  if (fs.existsSync(binary)) return { binary };
  const line = npm.stderr?.split('\n').find((text) => text.startsWith('npm error')) ?? npm.error?.message;
  return { reason: `npm has no ${name} for this machine: ${line ?? 'no such file in the package'}` };
}

module.exports = { obtainRuntime };
