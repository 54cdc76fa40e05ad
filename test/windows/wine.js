'use strict';

// Runs official Node.js binaries for Windows under wine.

const { execFileSync, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const PROGRAMS = ['/usr/lib/wine/wine64', 'wine64', 'wine'];

function findWine() {
  return PROGRAMS.find((program) => {
    try {
      execFileSync(program, ['--version'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  });
}

/** The path of a file as Windows programs name it. */
const windowsPath = (file) => `Z:${path.resolve(file).replaceAll('/', '\\')}`;

class Wine {
  #program;
  #folder = fs.mkdtempSync(path.join(os.tmpdir(), 'openssl-async-wine-'));
  #env;

  /** A Windows of its own, in a temporary folder. */
  constructor() {
    this.#program = findWine();
    this.#env = {
      PATH: process.env.PATH,
      HOME: this.#folder,
      // Without it, wine knows no file name beyond ASCII.
      LC_ALL: 'C.UTF-8',
      WINEDEBUG: '-all',
      WINEPREFIX: path.join(this.#folder, 'prefix'),
      // Node wants Windows 10, and wine says so only from version 9 on.
      NODE_SKIP_PLATFORM_CHECK: '1',
    };
    if (this.#program === undefined) return;
    this.run(['reg', 'add', 'HKCU\\Software\\Wine', '/v', 'Version', '/d', 'win10', '/f']);
  }

  /** Why there is none; undefined when there is. */
  get reason() {
    return this.#program === undefined ? 'there is no wine: install wine64' : undefined;
  }

  /** @returns {{ status: number | null, stdout: string, stderr: string }} */
  run(command, { env = {}, cwd, timeoutMs = 120_000 } = {}) {
    // libuv refuses the pipes of wine, so that output goes to files.
    const names = ['stdout', 'stderr'].map((name) => path.join(this.#folder, name));
    const files = names.map((name) => fs.openSync(name, 'w'));
    try {
      const { status, error } = spawnSync(this.#program, command, {
        cwd,
        env: { ...this.#env, ...env },
        stdio: ['ignore', ...files],
        timeout: timeoutMs,
        killSignal: 'SIGKILL',
      });
      const [stdout, stderr] = names.map((name) => fs.readFileSync(name, 'utf8').replaceAll('\r\n', '\n'));
      return { status, stdout, stderr: `${stderr}${error === undefined ? '' : error.message}` };
    } finally {
      files.forEach((file) => fs.closeSync(file));
    }
  }

  /** Ends the programs of this Windows, and removes it. */
  close() {
    if (this.#program !== undefined) this.run(['wineboot', '--end-session', '--kill']);
    fs.rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

module.exports = { Wine, windowsPath };
