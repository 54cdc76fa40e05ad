'use strict';

// A certificate for localhost and its key of RSA, in a file for https-program.js.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

/** Writes it into a folder, and returns the file's path. */
function writeIdentity(folder) {
  const [key, cert, file] = ['key.pem', 'cert.pem', 'identity.json'].map((name) => path.join(folder, name));
  const request = `req -x509 -nodes -newkey rsa:2048 -keyout ${key} -out ${cert} -subj /CN=localhost`;
  execFileSync('openssl', [...request.split(' '), '-addext', 'subjectAltName=DNS:localhost'], { stdio: 'ignore' });
  const identity = { cert: fs.readFileSync(cert, 'utf8'), key: fs.readFileSync(key, 'utf8') };
  fs.writeFileSync(file, JSON.stringify(identity));
  return file;
}

module.exports = { writeIdentity };
