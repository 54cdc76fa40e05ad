'use strict';

// The packed tarball, and an empty project to install it into.

const assert = require('node:assert');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const ROOT = path.join(__dirname, '..', '..');
const NPM = { shell: process.platform === 'win32' };

/** Nothing of the repository's npm run, and no addon of the developer's. */
function cleanEnvironment() {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^npm_(?!config_(registry|cache|userconfig))|^OPENSSL_ASYNC_|^NODE_/i.test(name),
    ),
  );
}

/** Also without compiler and Python. */
function brokenEnvironment() {
  const broken = process.platform === 'win32' ? 'exit 1' : '/bin/false';
  return { ...cleanEnvironment(), CC: broken, CXX: broken, LD: broken, PYTHON: broken, npm_config_python: broken };
}

/** A project called `name` in a temporary folder, in which commands run in the environment `env`. */
class Project {
  constructor(env, name = 'project') {
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'openssl-async-prebuild-'));
    this.path = path.join(this.folder, name);
    this.installed = path.join(this.path, 'node_modules', 'openssl-async');
    this.env = env;
    fs.mkdirSync(this.path);
    this.write('package.json', '{ "name": "project", "private": true }\n');
  }

  run(command, args, options = {}) {
    const result = spawnSync(command, args, { encoding: 'utf8', cwd: this.path, env: this.env, ...options });
    assert.strictEqual(result.error, undefined);
    return result;
  }

  succeed(...call) {
    const result = this.run(...call);
    assert.strictEqual(result.status, 0, `${result.stdout}${result.stderr}`);
    return result.stdout;
  }

  /** What npm says of the tarball that it makes of the repository, whose path is the result's `file`. */
  pack() {
    const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', this.folder];
    const listing = JSON.parse(this.succeed('npm', args, { ...NPM, cwd: ROOT }));
    // An array, or since npm 12 an object by package name.
    const [packed] = Object.values(listing);
    return { ...packed, file: path.join(this.folder, packed.filename) };
  }

  /** The path of the tarball as it is released, with the binaries that there are. */
  packRelease() {
    const out = path.join(this.folder, 'release');
    this.succeed(process.execPath, [path.join(ROOT, 'scripts', 'release.js'), '--out', out, '--allow-missing']);
    const name = fs.readdirSync(out).find((file) => file.endsWith('.tgz'));
    return path.join(out, name);
  }

  install(file, ...options) {
    return this.succeed('npm', ['install', '--no-audit', '--no-fund', ...options, file], NPM);
  }

  write(name, text) {
    fs.writeFileSync(path.join(this.path, name), text);
  }

  remove() {
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

module.exports = { brokenEnvironment, cleanEnvironment, NPM, Project, ROOT };
