'use strict';

// Makes dist/cli/page-process.js one file with the packages that draw its charts, which users need not install then,
// and puts their licenses at its beginning.

const fs = require('node:fs');
const path = require('node:path');
const esbuild = require('esbuild');

const root = path.join(__dirname, '..');
const PROGRAM = path.join(root, 'lib', 'cli', 'page-process.ts');
const OUTPUT = path.join(root, 'dist', 'cli', 'page-process.js');

/** The folders of packages that these files are in. */
function packagesOf(files) {
  const folders = files.map((file) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1]);
  return [...new Set(folders)].filter((folder) => folder !== undefined).sort();
}

function licenseOf(folder) {
  const { name, version } = JSON.parse(fs.readFileSync(path.join(root, folder, 'package.json'), 'utf8'));
  const file = fs.readdirSync(path.join(root, folder)).find((each) => /^licen[cs]e/i.test(each));
  if (file === undefined) throw new Error(`${name} has no license that could be shipped`);
  const text = fs.readFileSync(path.join(root, folder, file), 'utf8').trim();
  return `${name} ${version}\n\n${text}`;
}

async function main() {
  const { outputFiles, metafile } = await esbuild.build({
    entryPoints: [PROGRAM],
    outfile: OUTPUT,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    metafile: true,
    write: false,
    absWorkingDir: root,
    logLevel: 'warning',
  });
  const licenses = packagesOf(Object.keys(metafile.inputs)).map(licenseOf);
  const comment = licenses.join(`\n\n${'-'.repeat(80)}\n\n`).replaceAll('*/', '* /');
  fs.writeFileSync(OUTPUT, `/*\n${comment}\n*/\n${outputFiles[0].text}`);
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
