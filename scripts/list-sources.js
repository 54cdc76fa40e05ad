'use strict';

// Prints the C and C++ sources below the given folders, one per line, for binding.gyp and the native test runner.
// Sources that end in _win belong to Windows, those that end in _posix to everything else.
//
//   node scripts/list-sources.js DIRECTORY... [--except=SUBDIRECTORY]...

const fs = require('node:fs');

const foreignOn = (platform) => (platform === 'win32' ? /_posix\.(c|cc)$/ : /_win\.(c|cc)$/);

function listSources(directory, { except = [], platform = process.platform } = {}) {
  const foreign = foreignOn(platform);
  if (!fs.existsSync(directory)) return [];
  return fs
    .readdirSync(directory, { recursive: true })
    .filter((name) => /\.(c|cc)$/.test(name) && !foreign.test(name))
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => !except.some((folder) => name.startsWith(`${folder}/`)))
    .sort()
    .map((name) => `${directory}/${name}`);
}

module.exports = { listSources };

if (require.main === module) {
  const option = '--except=';
  const except = process.argv
    .filter((argument) => argument.startsWith(option))
    .map((argument) => argument.slice(option.length));
  const directories = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
  for (const directory of directories) {
    for (const source of listSources(directory, { except })) console.log(source);
  }
}
