'use strict';

// `npm publish` and `npm pack` of a package without binaries.

const assert = require('node:assert');
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { after, before, test } = require('node:test');
const { writeHash } = require('../../scripts/prebuilt-files.js');
const { cleanEnvironment, NPM, Project, ROOT } = require('../support/prebuild.js');

const project = new Project(cleanEnvironment());

/** npm's output, of a command that only pretends. */
const npm = (...args) => project.run('npm', [...args, '--dry-run'], NPM);

before(() => {
  const manifest = JSON.parse(fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
  manifest.scripts['build:ts'] = 'node -e 0';
  project.write('package.json', JSON.stringify(manifest));
  fs.mkdirSync(path.join(project.path, 'scripts'));
  for (const name of ['check-prebuilds.js', 'check-exports.js', 'prebuilt-files.js']) {
    fs.copyFileSync(path.join(ROOT, 'scripts', name), path.join(project.path, 'scripts', name));
  }
  project.write('binding.gyp', '{}');
});

after(() => project.remove());

/** What is wrong with the package, by the check that runs before it is published. */
function faults() {
  const { status, stderr } = project.run('npm', ['run', 'prepublishOnly'], NPM);
  assert.notStrictEqual(status, 0);
  return stderr;
}

const folder = (platform) => path.join(project.path, 'prebuilds', platform);

test('publishing is refused', () => {
  const { status, stderr } = npm('publish');
  assert.notStrictEqual(status, 0);
  assert.match(stderr, /prebuilds\/linux-x64\/openssl_async\.glibc\.node is missing/);
  assert.match(stderr, /something that runs at its installation/);
});

test('packing warns', () => {
  const { status, stderr } = npm('pack');
  assert.strictEqual(status, 0, stderr);
  assert.match(stderr, /without darwin-arm64.*such an installation compiles/);
});

const own = 'openssl_async.glibc.node';
const built = path.join(ROOT, 'prebuilds', 'linux-x64', own);
const needsBinary = { skip: fs.existsSync(built) ? false : 'there is no binary for Linux x64' };

test('a binary is refused that has no hash, another hash, or is for another platform', needsBinary, () => {
  for (const platform of ['linux-x64', 'linux-arm64', 'win32-x64']) fs.mkdirSync(folder(platform), { recursive: true });
  fs.copyFileSync(built, path.join(folder('linux-x64'), own));
  fs.copyFileSync(built, path.join(folder('linux-arm64'), own));
  fs.copyFileSync(built, path.join(folder('win32-x64'), 'openssl_async.node'));
  const before = faults();
  assert.match(before, /linux-x64\/openssl_async\.glibc\.node has no hash beside it/);
  assert.match(before, /linux-arm64\/openssl_async\.glibc\.node is no binary for its platform/);
  assert.match(before, /win32-x64\/openssl_async\.node is no binary for its platform/);
  assert.match(before, /darwin-arm64\/openssl_async\.node is missing/);

  for (const platform of ['linux-x64', 'linux-arm64']) writeHash(path.join(folder(platform), own));
  assert.doesNotMatch(faults(), /linux-x64\/openssl_async\.glibc/);

  fs.appendFileSync(path.join(folder('linux-x64'), own), ' ');
  assert.match(faults(), /linux-x64\/openssl_async\.glibc\.node has another hash than when it was built/);
});

test('a release has a tarball, the list of its parts, and their checksums', needsBinary, () => {
  const out = path.join(project.folder, 'release');
  const script = path.join(ROOT, 'scripts', 'release.js');
  const refused = project.run(process.execPath, [script, '--out', out]);
  assert.notStrictEqual(refused.status, 0);
  assert.match(refused.stderr, /darwin-arm64\/openssl_async\.node is missing/);

  project.succeed(process.execPath, [script, '--out', out, '--allow-missing']);
  const sums = fs.readFileSync(path.join(out, 'SHA256SUMS'), 'utf8').trim().split('\n');
  const names = sums.map((line) => {
    const [sum, name] = line.split('  ');
    assert.strictEqual(
      sum,
      createHash('sha256')
        .update(fs.readFileSync(path.join(out, name)))
        .digest('hex'),
    );
    return name;
  });
  const list = names.find((name) => name.endsWith('.cdx.json'));
  assert.deepStrictEqual(fs.readdirSync(out).sort(), [...names, 'SHA256SUMS'].sort());
  const { bomFormat, components } = JSON.parse(fs.readFileSync(path.join(out, list), 'utf8'));
  assert.strictEqual(bomFormat, 'CycloneDX');
  const { dependencies } = JSON.parse(fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
  for (const name of Object.keys(dependencies))
    assert.ok(
      components.some((part) => part.name === name),
      name,
    );
  assert.ok(components.length <= 4, 'development dependencies are listed');
});

test('without a tag, publishing is only tried; the tag has to be that of the version', needsBinary, () => {
  project.succeed(process.execPath, [path.join(ROOT, 'scripts', 'release.js'), '--allow-missing']);
  const publish = (env) =>
    project.run(process.execPath, [path.join(ROOT, 'scripts', 'publish.js')], { env: { ...project.env, ...env } });
  const tried = publish({ GITHUB_REF_TYPE: 'branch', GITHUB_REF_NAME: 'main' });
  assert.strictEqual(tried.status, 0, tried.stderr);
  assert.match(tried.stdout, /^\$ npm publish .*--dry-run/);
  const refused = publish({ GITHUB_REF_TYPE: 'tag', GITHUB_REF_NAME: 'v999.0.0' });
  assert.notStrictEqual(refused.status, 0);
  assert.match(refused.stderr, /the tag is v999\.0\.0, but package\.json has version/);
});
