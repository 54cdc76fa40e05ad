'use strict';

// Node binaries of other versions and for other machines, from npm.
//
//   node test/nodes/obtain-node.js MAJOR [ARCH]     prints the path of one

const path = require('node:path');
const { obtainPackage } = require('../support/obtain-package.js');

/** The path of a Node binary, by default for this machine, or the reason why there is none. */
function obtainNode(major, { platform = process.platform, arch = process.arch } = {}) {
  const name = `node-${platform === 'win32' ? 'win' : platform}-${arch}`;
  const file = path.join('bin', platform === 'win32' ? 'node.exe' : 'node');
  const isForeign = platform !== process.platform || arch !== process.arch;
  const { path: binary, reason } = obtainPackage(name, major, file, { isForeign });
  return binary === undefined ? { reason } : { binary };
}

module.exports = { obtainNode };

if (require.main === module) {
  const { binary, reason } = obtainNode(Number(process.argv[2]), { arch: process.argv[3] });
  if (binary === undefined) {
    console.error(reason);
    process.exitCode = 1;
  } else {
    console.log(binary);
  }
}
