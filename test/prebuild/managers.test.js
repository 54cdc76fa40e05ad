'use strict';

// The package as it is released, without an installation script, installed by each package manager and in the places
// that people install into.

const assert = require('node:assert');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { after, before, describe, test } = require('node:test');
const { obtainManager } = require('../support/package-managers.js');
const { brokenEnvironment, Project } = require('../support/prebuild.js');

const PROGRAM = `
const { createHash, generateKeyPairSync, verify } = require('node:crypto');
const { hash, jobFunction, runJob, sign } = require('openssl-async');

async function main() {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const data = Buffer.from('some data');
  if (!(await hash('sha256', data)).equals(createHash('sha256').update(data).digest())) throw new Error('hash');
  if (!verify(null, data, publicKey, await sign(null, data, privateKey))) throw new Error('sign');
  const { returnValue, pauses } = await runJob(jobFunction(function* (job) { yield job.pause(); return 42; }));
  console.log(returnValue, pauses);
}
main();
`;

// Some package managers do not read npm's settings.
const authorities = execFileSync('npm', ['config', 'get', 'cafile'], {
  encoding: 'utf8',
  shell: process.platform === 'win32',
}).trim();
const ENVIRONMENT = {
  ...brokenEnvironment(),
  npm_config_fund: 'false',
  npm_config_audit: 'false',
  ...(authorities === 'null' || authorities === '' ? {} : { NODE_EXTRA_CA_CERTS: authorities }),
};

const release = new Project(ENVIRONMENT);
let tarball;

before(() => {
  tarball = release.packRelease();
});

after(() => release.remove());

/** A project in a folder of the given name, and what runs in it. */
function withProject(t, name = 'project') {
  const project = new Project(ENVIRONMENT, name);
  t.after(() => project.remove());
  project.write('program.cjs', PROGRAM);
  return project;
}

function assertRuns(project, command = [process.execPath], options = {}) {
  const [program, ...args] = command;
  assert.strictEqual(project.succeed(program, [...args, 'program.cjs'], options), '42 1\n');
}

const IS_POSIX = { skip: process.platform === 'win32' ? 'file permissions of POSIX' : false };

describe('each package manager, without a word about scripts', () => {
  const cases = [
    { name: 'npm', manager: 'npm', args: () => ['install', tarball] },
    { name: 'npm --ignore-scripts', manager: 'npm', args: () => ['install', '--ignore-scripts', tarball] },
    { name: 'pnpm', manager: 'pnpm', args: () => ['add', tarball] },
    { name: 'yarn 1', manager: 'yarn1', args: () => ['add', `file:${tarball}`] },
    {
      name: 'yarn, node-modules linker',
      manager: 'yarn',
      files: { '.yarnrc.yml': 'nodeLinker: node-modules\nenableGlobalCache: false\n', 'yarn.lock': '' },
      args: () => ['add', `openssl-async@file:${tarball}`],
    },
    {
      name: 'yarn, Plug and Play',
      manager: 'yarn',
      files: { '.yarnrc.yml': 'nodeLinker: pnp\nenableGlobalCache: false\n', 'yarn.lock': '' },
      args: () => ['add', `openssl-async@file:${tarball}`],
      run: [process.execPath, '-r', './.pnp.cjs'],
    },
    { name: 'bun', manager: 'bun', args: () => ['add', tarball] },
  ];
  for (const { name, manager, args, files = {}, run } of cases) {
    test(name, (t) => {
      const { command, reason } = obtainManager(manager);
      if (command === undefined) return t.skip(reason);
      const project = withProject(t);
      for (const [file, text] of Object.entries(files)) project.write(file, text);
      const [program, ...first] = command;
      const { status, stdout, stderr } = project.run(program, [...first, ...args()]);
      const output = stdout + stderr;
      assert.strictEqual(status, 0, output);
      assert.doesNotMatch(output, /\b(install|build|postinstall|lifecycle)[ -]?scripts?\b|untrusted/i);
      assertRuns(project, run);
    });
  }
});

describe('places', () => {
  test('a folder whose name has spaces and letters of other alphabets', (t) => {
    const project = withProject(t, 'my проект (1)');
    project.install(tarball);
    assertRuns(project);
  });

  test('node_modules that nobody may write to', IS_POSIX, (t) => {
    const project = withProject(t);
    project.install(tarball);
    execFileSync('chmod', ['-R', 'a-w', project.path]);
    execFileSync('chmod', ['-R', 'a+rX', project.folder]);
    try {
      assertRuns(project, undefined, asNobody());
    } finally {
      execFileSync('chmod', ['-R', 'u+w', project.path]);
    }
  });

  test('a global prefix', (t) => {
    const project = withProject(t);
    const prefix = path.join(project.folder, 'prefix');
    project.install(tarball, '--global', `--prefix=${prefix}`);
    const isWindows = process.platform === 'win32';
    const tool = path.join(prefix, ...(isWindows ? ['openssl-async.cmd'] : ['bin', 'openssl-async']));
    const output = project.succeed(tool, ['run-example'], { shell: isWindows });
    assert.match(output, /^Starting\.\.\.\n.*Job finished with return value 1\nFinishing\n$/s);
  });

  test('installed by a user who is not root, as in a container', IS_POSIX, (t) => {
    const project = withProject(t);
    const home = path.join(project.folder, 'home');
    fs.mkdirSync(home);
    fs.chmodSync(release.folder, 0o755);
    if (process.getuid() === 0) execFileSync('chown', ['-R', '65534:65534', project.folder]);
    const registry = release.succeed('npm', ['config', 'get', 'registry']).trim();
    const env = {
      ...project.env,
      HOME: home,
      npm_config_registry: registry,
      npm_config_cache: path.join(home, 'cache'),
    };
    project.succeed('npm', ['install', tarball], { ...asNobody(), env });
    assertRuns(project, undefined, { ...asNobody(), env });
  });
});

/** Options that run a command as a user who may do little, where root runs the tests. */
function asNobody() {
  return process.getuid() === 0 ? { uid: 65534, gid: 65534 } : {};
}

test('a tool that traces the files of a program finds the binary', async (t) => {
  const project = withProject(t);
  project.install(tarball);
  project.install('@vercel/nft@1', '--no-save');
  const trace = `import { nodeFileTrace } from '@vercel/nft';
    const { fileList } = await nodeFileTrace(['program.cjs']);
    console.log([...fileList].filter((file) => file.endsWith('.node')).join());`;
  project.write('trace.mjs', trace);
  const found = project.succeed(process.execPath, ['trace.mjs']);
  assert.match(found, new RegExp(`^node_modules.openssl-async.prebuilds.${process.platform}-${process.arch}.\\S+\\n$`));
});
