'use strict';

// The prebuilt addon for 64-bit ARM, made on this machine, runs under official builds of Node for that architecture:
// directly on such a machine, by qemu's user mode on others. Node has the C and C++ libraries of Debian 11 there, which
// are older than those that the compiler comes from. A machine that lacks a tool skips everything and says which.

const assert = require('node:assert');
const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { test } = require('node:test');
const { runNodeGyp } = require('../../scripts/node-gyp.js');
const { stage } = require('../../scripts/stage.js');
const { obtainSysroot, sysrootEnvironment } = require('../../scripts/sysroot.js');
const { obtainNode } = require('../nodes/obtain-node.js');
const { writeIdentity } = require('../support/identity-file.js');
const { MAN_PAGE_LINES } = require('../support/man-page.js');

const ROOT = path.join(__dirname, '..', '..');
const ADDON = path.join(ROOT, 'prebuilds', 'linux-arm64', 'openssl_async.glibc.node');
const TEST_FOLDER = path.join(ROOT, 'build-arm64');
const TEST_DEVICE = path.join(TEST_FOLDER, 'build', 'Release', 'test_device.node');
const EMULATOR = process.arch === 'arm64' ? [] : ['qemu-aarch64'];
const MAJORS = [20, 26];

// Far more than a program takes under the emulator on two busy cores: a program that runs into it hangs.
const HANG_MS = 240_000;
const BUILD_MS = 600_000;

/** Why nothing can run here; undefined when everything can. */
function missingTool() {
  if (process.platform !== 'linux') return 'the cross compiler is for Linux';
  for (const [command, name] of [
    ...EMULATOR.map((command) => [command, 'qemu-user']),
    ['aarch64-linux-gnu-g++', 'g++-aarch64-linux-gnu'],
    ['/usr/lib/apt/apt-helper', 'apt'],
    ['make', 'make'],
  ]) {
    const { error } = spawnSync(command, ['--version'], { stdio: 'ignore' });
    if (error !== undefined) return `${command} is missing (package ${name})`;
  }
  return undefined;
}

const skip = missingTool() ?? false;

/** Runs a command to its end and compares its exit status. */
function run(command, args, { env = {}, status = 0, timeout = HANG_MS } = {}) {
  const result = spawnSync(command, args, {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...process.env, ...env },
    maxBuffer: 2 ** 26,
    timeout,
  });
  const outcome = `${result.error?.message ?? ''}${result.signal ?? ''}\n${result.stdout}${result.stderr}`;
  assert.strictEqual(result.status, status, outcome);
  return result.stdout;
}

/** Runs a program with the Node `binary` to the end of its process. */
function runNode(binary, program, args, { status } = {}) {
  const started = performance.now();
  const [command, ...rest] = [...EMULATOR, binary, program, ...args];
  const env = {
    QEMU_LD_PREFIX: obtainSysroot('arm64').folder,
    OPENSSL_ASYNC_ADDON: ADDON,
    OPENSSL_ASYNC_TEST_DEVICE: TEST_DEVICE,
  };
  const stdout = run(command, rest, { env, status });
  return { stdout, seconds: Math.round((performance.now() - started) / 1000) };
}

test('the addon is compiled, and loads on old systems', { skip }, () => {
  const script = path.join(ROOT, 'scripts', 'prebuild.js');
  run(process.execPath, [script, '--platform=linux', '--arch=arm64', '--libc=glibc'], { timeout: BUILD_MS });
  run(process.execPath, [path.join(ROOT, 'scripts', 'check-exports.js'), ADDON]);
});

test('the test device is compiled', { skip }, () => {
  const build = path.join(stage('build-arm64'), 'build');
  const env = sysrootEnvironment('arm64', build);
  const options = ['configure', '--arch=arm64', '--async-tests=1', '--silent'];
  assert.strictEqual(runNodeGyp(options, { cwd: TEST_FOLDER, env }), 0);
  run('make', ['-C', build, 'BUILDTYPE=Release', 'test_device'], { env });
});

const SMOKE = path.join(ROOT, 'test', 'native', 'smoke', 'smoke.js');
const HTTPS = path.join(ROOT, 'test', 'support', 'https-program.js');
const SCENARIOS = path.join(ROOT, 'test', 'lifecycle', 'scenarios');

for (const major of MAJORS) {
  test(`Node ${major}`, { skip }, async (context) => {
    const { binary, reason } = obtainNode(major, { platform: 'linux', arch: 'arm64' });
    if (binary === undefined) {
      context.skip(reason);
      return;
    }

    await context.test('everything that crosses to OpenSSL, also in a worker', (each) => {
      const { stdout, seconds } = runNode(binary, SMOKE, ['--jobs=50']);
      const { node, openssl } = JSON.parse(stdout);
      assert.match(node, new RegExp(`^v${major}\\.`));
      each.diagnostic(`${node}, ${openssl}, ${seconds} s`);
    });

    await context.test("the man page's eight lines", () => {
      const { stdout } = runNode(binary, path.join(ROOT, 'dist', 'cli', 'main.js'), ['run-example']);
      assert.deepStrictEqual(stdout.trim().split('\n'), MAN_PAGE_LINES);
    });

    await context.test(
      'a thousand jobs at once, and signatures that pause for the accelerator; then the process ends',
      (each) => {
        const { stdout, seconds } = runNode(binary, path.join(__dirname, 'jobs.js'), ['1000', '1000']);
        const { arch, finished, right, paused } = JSON.parse(stdout);
        assert.strictEqual(arch, 'arm64');
        assert.deepStrictEqual(
          { finished, right, paused },
          { finished: 1000, right: { ecdsa: 1000, ed25519: 1000, rsa: 50 }, paused: 2050 },
        );
        each.diagnostic(`${seconds} s`);
      },
    );

    await context.test('HTTPS, with handshakes on a thread and on the event loop', (each) => {
      const { stdout, seconds } = runNode(binary, HTTPS, [writeIdentity(TEST_FOLDER), '1', '0']);
      const remote = 'loop 127.0.0.1';
      assert.deepStrictEqual(
        stdout
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line)),
        [
          { threads: 1, own: 'thread 127.0.0.1', remote, signed: 5 },
          { threads: 0, own: 'loop 127.0.0.1', remote, signed: 5 },
        ],
      );
      each.diagnostic(`${seconds} s`);
    });

    await context.test('the process ends while jobs of the test device are paused', () => {
      const [counts, exit] = runNode(binary, path.join(SCENARIOS, 'normal-exit.js'), []).stdout.trim().split('\n');
      assert.deepStrictEqual(JSON.parse(counts), { aborted: 360, abandoned: 360, kept: JSON.parse(exit).kept });
    });

    await context.test('process.exit() ends it too', () => {
      runNode(binary, path.join(SCENARIOS, 'process-exit.js'), ['plain'], { status: 3 });
    });
  });
}
