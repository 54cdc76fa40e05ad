'use strict';

// The prebuilt addon is a function of the sources, the compiler and the headers of Node: made again in another folder it
// is the same file, byte for byte.

const assert = require('node:assert');
const { execFileSync } = require('node:child_process');
const crypto = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, test } = require('node:test');
const { ROOT } = require('../support/prebuild.js');
const { INPUTS } = require('../../scripts/stage.js');

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'openssl-async-in-a-folder-whose-path-has-another-length-'));
const platform = `${process.platform}-${process.arch}`;

after(() => fs.rmSync(folder, { recursive: true, force: true }));

function hashes(root) {
  const prebuilds = path.join(root, 'prebuilds', platform);
  return Object.fromEntries(
    fs
      .readdirSync(prebuilds)
      .filter((name) => name.endsWith('.node'))
      .map((name) => {
        const content = fs.readFileSync(path.join(prebuilds, name));
        return [name, crypto.createHash('sha256').update(content).digest('hex')];
      }),
  );
}

// Other systems' linkers write the time into what they link.
const skip = process.platform !== 'linux' && 'for Linux alone';

test('made again in another folder, the addon has the same hash', { skip }, (context) => {
  for (const input of INPUTS) fs.cpSync(path.join(ROOT, input), path.join(folder, input), { recursive: true });
  fs.symlinkSync(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'), 'junction');
  // A cache would hand out the objects of the first build.
  const env = { ...process.env, CCACHE_DISABLE: '1' };
  execFileSync(process.execPath, [path.join(folder, 'scripts', 'prebuild.js')], {
    env,
    stdio: 'pipe',
    maxBuffer: 2 ** 26,
  });
  const made = hashes(folder);
  assert.strictEqual(Object.keys(made).length, 1);
  for (const [name, hash] of Object.entries(made)) {
    assert.strictEqual(hash, hashes(ROOT)[name]);
    context.diagnostic(`${name} ${hash}`);
  }
});
