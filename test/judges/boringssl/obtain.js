'use strict';

// Builds BoringSSL's runner: nothing of it is in the repository.
//
//   node test/judges/boringssl/obtain.js FOLDER [SOURCE]
//
// SOURCE is a clone of BoringSSL; without one it is fetched. Go 1.19 and golang.org/x/crypto are Debian's golang-go and
// golang-golang-x-crypto-dev. Then OPENSSL_ASYNC_BORINGSSL=FOLDER for run.js.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const UPSTREAM = 'https://boringssl.googlesource.com/boringssl';
// Later ones need a newer Go.
const REVISION = '028bae7ddc67b6061d80c17b0be4e2f60d94731b';
const PACKAGE = 'boringssl.googlesource.com/boringssl';
const PARTS = ['ssl/test/runner', 'util/testresult'];
const GO_SOURCES = '/usr/share/gocode';
const DAYS = '3650';

const run = (program, args, options = {}) =>
  execFileSync(program, args, { stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 2 ** 28, ...options });

// Test vectors of its own units are not needed.
function unpack(source, folder) {
  const git = (...args) => run('git', ['-C', source, ...args]);
  const names = git('ls-tree', '-r', '--name-only', REVISION, ...PARTS)
    .toString()
    .trim()
    .split('\n');
  for (const name of names.filter((each) => !each.includes('/testdata/'))) {
    const file = path.join(folder, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, git('show', `${REVISION}:${name}`));
  }
}

// The runner's certificates expired long ago, and servers that ask for a client's look at that.
function renewCertificates(folder) {
  const openssl = (...args) => run('openssl', args, { cwd: folder, stdio: 'pipe' });
  const names = fs.readdirSync(folder).filter((name) => /cert\.pem$/.test(name) && name !== 'rsa_chain_cert.pem');
  for (const name of names) {
    const key = name.replace('cert.pem', 'key.pem');
    openssl('x509', '-in', name, '-signkey', key, '-days', DAYS, '-out', name);
  }
  const [authority, authorityKey, request] = ['authority.crt', 'authority.key', 'leaf.csr'];
  const self = ['-newkey', 'rsa:2048', '-keyout', authorityKey, '-out', authority, '-days', DAYS];
  openssl('req', '-x509', '-nodes', '-subj', '/CN=B CA', ...self);
  openssl('req', '-new', '-key', 'rsa_chain_key.pem', '-subj', '/CN=Client Cert A', '-out', request);
  const issuer = ['-CA', authority, '-CAkey', authorityKey, '-CAcreateserial'];
  const leaf = openssl('x509', '-req', '-in', request, ...issuer, '-days', DAYS);
  fs.writeFileSync(
    path.join(folder, 'rsa_chain_cert.pem'),
    leaf + fs.readFileSync(path.join(folder, authority), 'utf8'),
  );
}

function main([target, given]) {
  if (target === undefined) throw new Error('usage: obtain.js FOLDER [SOURCE]');
  const folder = path.resolve(target);
  fs.mkdirSync(folder, { recursive: true });
  const source = given ?? path.join(folder, 'boringssl.git');
  if (given === undefined && !fs.existsSync(source)) run('git', ['clone', '--bare', '--quiet', UPSTREAM, source]);
  const root = path.join(folder, 'go', 'src', PACKAGE);
  unpack(source, root);
  const tests = path.join(root, PARTS[0]);
  const env = { ...process.env, GO111MODULE: 'off', GOPATH: `${path.join(folder, 'go')}:${GO_SOURCES}` };
  run('go', ['test', '-c', '-o', path.join(folder, 'runner'), '.'], { cwd: tests, env });
  for (const name of fs.readdirSync(tests).filter((each) => each.endsWith('.pem'))) {
    fs.copyFileSync(path.join(tests, name), path.join(folder, name));
  }
  renewCertificates(folder);
  console.log(`OPENSSL_ASYNC_BORINGSSL=${folder}`);
}

main(process.argv.slice(2));
