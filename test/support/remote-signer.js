'use strict';

// The other process of the tests of remote keys: it has the RSA key, which comes first, and answers requests.

const crypto = require('node:crypto');

// The beginning of DigestInfo (RFC 8017, section 9.2), up to the digest.
const DIGEST_INFO = { sha256: Buffer.from('3031300d060960864801650304020105000420', 'hex') };

let privateKey;
let holds = false;

const OPERATIONS = {
  sign: ({ digestAlgorithm, digest }) =>
    crypto.privateEncrypt(privateKey, Buffer.concat([DIGEST_INFO[digestAlgorithm], digest])),
  decrypt: ({ data, padding, oaepHash, oaepLabel }) =>
    crypto.privateDecrypt({ key: privateKey, padding, oaepHash, oaepLabel }, data),
};

function answer({ id, type, request }) {
  try {
    process.send({ id, bytes: OPERATIONS[type](request) });
  } catch (error) {
    process.send({ id, error: error.message });
  }
}

process.on('message', (message) => {
  if (message.privateKey !== undefined) {
    privateKey = crypto.createPrivateKey(message.privateKey);
    process.send('ready');
  } else if (message.hold) {
    holds = true;
  } else if (!holds) {
    answer(message);
  }
});
