'use strict';

// Further installations of the package in this process, as dependencies that want different versions have them: another
// folder, another addon, other static state, over the one OpenSSL.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { root } = require('./library');

/** Copies the built package to a folder of its own, which is gone when the process ends. */
function install() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'openssl-async-installed-'));
  process.on('exit', () => {
    fs.rmSync(folder, { recursive: true, force: true });
  });
  fs.cpSync(path.join(root, 'dist'), path.join(folder, 'dist'), { recursive: true });
  fs.copyFileSync(path.join(root, 'package.json'), path.join(folder, 'package.json'));
  fs.symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
  fs.copyFileSync(process.env.OPENSSL_ASYNC_ADDON, addonOf(folder));
  return folder;
}

const addonOf = (folder) => path.join(folder, 'openssl_async.node');

/** The library of an installation, with its addon loaded. */
function load(folder) {
  const ours = process.env.OPENSSL_ASYNC_ADDON;
  process.env.OPENSSL_ASYNC_ADDON = addonOf(folder);
  const library = require(path.join(folder, 'dist', 'index.js'));
  library.isCapable();
  process.env.OPENSSL_ASYNC_ADDON = ours;
  return library;
}

/** Paths of the addons of all copies in the process, as the library of an installation knows them. */
function copies(folder) {
  return require(path.join(folder, 'dist', 'library', 'core.js'))
    .symbols()
    .copies();
}

/** Makes a copy's addon one that the others cannot ask, as an older version is: it has a registry by another name. */
function estrange(folder) {
  const bytes = fs.readFileSync(addonOf(folder));
  const name = Buffer.from('openssl-async registry\0');
  for (let at = bytes.indexOf(name); at >= 0; at = bytes.indexOf(name, at + 1)) bytes.write('strange', at, 'latin1');
  fs.rmSync(addonOf(folder));
  fs.writeFileSync(addonOf(folder), bytes);
}

module.exports = { addonOf, copies, estrange, install, load };
