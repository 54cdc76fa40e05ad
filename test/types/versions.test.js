'use strict';

// The declarations of the package, checked as strictly as TypeScript can, with each line of @types/node and with the
// oldest of both that the README promises. Versions come from npm.
//
//   node --test test/types/versions.test.js     after npm run build:ts

const assert = require('node:assert');
const { execFile, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, before, describe, test } = require('node:test');
const { promisify } = require('node:util');

const ROOT = path.join(__dirname, '..', '..');
const README = fs.readFileSync(path.join(ROOT, 'README.md'), 'utf8');

const [, OLDEST_COMPILER, OLDEST_TYPES] = /TypeScript (\d+\.\d+) or later, `@types\/node` (\d+\.\d+) or later/.exec(
  README,
);
const TYPES = [OLDEST_TYPES, '20', '22', '24', '25', '26'];
const OWN_COMPILER = path.dirname(require.resolve('typescript/package.json'));

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'openssl-async-types-'));
const fetched = (name, version) => path.join(folder, 'node_modules', `${name}-${version}`);

const KEYS = `
import * as crypto from 'node:crypto';
import { createPrivateKey, generateKeyPair, sign, type JsonWebKey } from 'openssl-async';
const { privateKey } = await generateKeyPair('ec', { namedCurve: 'P-256' });
const jwk: JsonWebKey = privateKey.export({ format: 'jwk' });
await sign('sha256', 'data', { key: jwk, format: 'jwk' });
await sign('sha256', 'data', { key: privateKey.export({ format: 'jwk' }), format: 'jwk' });
const key = await createPrivateKey({ key: jwk, format: 'jwk' });
crypto.createPrivateKey({ key: key.export({ format: 'jwk' }), format: 'jwk' });
export const pem: string = key.export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'secret' });
export const der: Buffer = key.export({ format: 'der', type: 'sec1' });
`;
const COMMONJS = `
import library = require('openssl-async');
export const digest: Promise<Buffer> = library.hash('sha256', 'data');
`;
const GUIDES = path.join(ROOT, 'docs', 'guide');
const PAGES = [README, ...fs.readdirSync(GUIDES).map((name) => fs.readFileSync(path.join(GUIDES, name), 'utf8'))];
// Those that need no other package.
const PROGRAMS = PAGES.flatMap((page) =>
  [...page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map((match) => match[1]),
).filter((text) => [...text.matchAll(/ from '([^']+)'/g)].every(([, name]) => /^(node:|openssl-async$)/.test(name)));
const MODULES = Object.fromEntries([KEYS, ...PROGRAMS].map((text, index) => [`${index}.mts`, `${text}\nexport {};\n`]));
const FILES = { ...MODULES, 'commonjs.cts': COMMONJS };

/** Compiles with these types, or with none that anything but the package names. */
async function compile(types, compiler, options = {}, files = FILES) {
  const project = fs.mkdtempSync(path.join(folder, 'project-'));
  const modules = path.join(project, 'node_modules');
  fs.mkdirSync(path.join(modules, '@types'), { recursive: true });
  fs.symlinkSync(fetched('types', types), path.join(modules, '@types', 'node'), 'junction');
  const installed = path.join(modules, 'openssl-async');
  for (const name of ['dist', 'package.json']) {
    fs.cpSync(path.join(ROOT, name), path.join(installed, name), { recursive: true });
  }
  for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(project, name), text);
  const compilerOptions = {
    ...{ target: 'es2022', module: 'node16', moduleResolution: 'node16', noEmit: true },
    ...{ strict: true, skipLibCheck: false, types: [] },
    ...{ exactOptionalPropertyTypes: true, noPropertyAccessFromIndexSignature: true, noUncheckedIndexedAccess: true },
    ...options,
  };
  fs.writeFileSync(path.join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: Object.keys(files) }));
  await promisify(execFile)(process.execPath, [path.join(compiler, 'bin', 'tsc'), '-p', project], {
    cwd: project,
  }).catch(({ stdout, message }) => assert.fail(stdout || message));
}

before(() => {
  fs.writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n');
  const packages = [
    `typescript-${OLDEST_COMPILER}@npm:typescript@~${OLDEST_COMPILER}.0`,
    `types-${OLDEST_TYPES}@npm:@types/node@${OLDEST_TYPES}.0`,
    ...TYPES.slice(1).map((version) => `types-${version}@npm:@types/node@^${version}`),
  ];
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-save'];
  const { status, stderr } = spawnSync('npm', ['install', ...flags, ...packages], {
    cwd: folder,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  assert.strictEqual(status, 0, stderr);
});

after(() => fs.rmSync(folder, { recursive: true }));

describe(
  'the declarations and the programs of README and guides compile',
  { concurrency: os.availableParallelism() },
  () => {
    for (const types of TYPES) {
      // The declarations of 20.19.0 themselves do not stand this option in newer compilers.
      const options = types === OLDEST_TYPES ? { exactOptionalPropertyTypes: false } : {};
      test(`with @types/node ${types}`, () => compile(types, OWN_COMPILER, options));
    }

    test(`with TypeScript ${OLDEST_COMPILER}`, () => compile(OLDEST_TYPES, fetched('typescript', OLDEST_COMPILER)));

    test('as bundlers resolve them, beside the declarations of browsers', () => {
      const lib = ['es2022', 'dom', 'dom.iterable'];
      return compile('24', OWN_COMPILER, { module: 'esnext', moduleResolution: 'bundler', lib }, MODULES);
    });
  },
);
