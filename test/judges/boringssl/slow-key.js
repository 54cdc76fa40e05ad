'use strict';

// A remote key whose holder is another process, openssl(1): node:crypto would hash a digest once more.

const { execFile } = require('node:child_process');
const crypto = require('node:crypto');
const fs = require('node:fs');
const { createRemoteKey } = require('openssl-async');

const { RSA_NO_PADDING, RSA_PKCS1_PSS_PADDING } = crypto.constants;

function signDigest(keyFile, { digest, digestAlgorithm, padding, saltLength }) {
  const options = [`digest:${digestAlgorithm}`];
  if (padding === RSA_PKCS1_PSS_PADDING) options.push('rsa_padding_mode:pss', `rsa_pss_saltlen:${saltLength}`);
  const args = ['pkeyutl', '-sign', '-inkey', keyFile, ...options.flatMap((option) => ['-pkeyopt', option])];
  return new Promise((resolve, reject) => {
    const child = execFile('openssl', args, { encoding: 'buffer' }, (error, stdout) => {
      if (error === null) resolve(stdout);
      else reject(error);
    });
    child.stdin.end(digest);
  });
}

// Wrong padding gives random bytes: see docs/guide/remote-keys.md.
function withoutPadding(padded) {
  const end = padded.indexOf(0, 2);
  return padded[0] === 0 && padded[1] === 2 && end >= 10 ? padded.subarray(end + 1) : crypto.randomBytes(48);
}

/** The key of a file, for the certificate of another one. */
function slowKey(keyFile, certFile) {
  const key = crypto.createPrivateKey(fs.readFileSync(keyFile));
  const isRsa = key.asymmetricKeyType === 'rsa';
  const signData = ({ data }) => (isRsa ? crypto.privateEncrypt(key, data) : crypto.sign(null, data, key));
  const decrypt = ({ data, padding }) => {
    const padded = crypto.privateDecrypt({ key, padding: RSA_NO_PADDING }, data);
    return Promise.resolve(padding === RSA_NO_PADDING ? padded : withoutPadding(padded));
  };
  return createRemoteKey({
    publicKey: crypto.createPublicKey(fs.readFileSync(certFile)),
    sign: async (request) => (request.data === undefined ? signDigest(keyFile, request) : signData(request)),
    ...(isRsa ? { decrypt } : {}),
  });
}

module.exports = { slowKey };
