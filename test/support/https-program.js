'use strict';

// A server of HTTPS and Node.js's client of it, in a process where there may be no test runner:
//
//   node https-program.js IDENTITY [THREADS…]
//
// IDENTITY: a file with { cert, key } as JSON, a key of RSA. Prints an object for each number of threads.

const assert = require('node:assert');
const crypto = require('node:crypto');
const { once } = require('node:events');
const fs = require('node:fs');
const nodeHttps = require('node:https');
const { createRemoteKey } = require('../../dist/index.js');
const https = require('../../dist/https.js');

const [file, ...counts] = process.argv.slice(2);
const identity = JSON.parse(fs.readFileSync(file, 'utf8'));
const BODY = crypto.randomBytes(2 ** 20);

// A service that signs a digest, with what node:crypto has: raw RSA.
function signDigest({ digest, digestAlgorithm, padding, saltLength }) {
  assert.deepStrictEqual(
    [digestAlgorithm, padding, saltLength],
    ['sha256', crypto.constants.RSA_PKCS1_PSS_PADDING, 32],
  );
  const bits = crypto.createPublicKey(identity.cert).asymmetricKeyDetails.modulusLength;
  const encoded = encodePss(digest, bits - 1);
  return crypto.privateDecrypt({ key: identity.key, padding: crypto.constants.RSA_NO_PADDING }, encoded);
}

// RFC 8017, 9.1.1.
function encodePss(digest, bits) {
  const hash = (...parts) => crypto.createHash('sha256').update(Buffer.concat(parts)).digest();
  const salt = crypto.randomBytes(32);
  const check = hash(Buffer.alloc(8), digest, salt);
  const data = Buffer.concat([Buffer.alloc(Math.ceil(bits / 8) - 32 - 32 - 2), Buffer.of(1), salt]);
  for (let at = 0, counter = 0; at < data.length; at += 32, ++counter) {
    const mask = hash(check, Buffer.of(0, 0, 0, counter));
    for (let i = 0; i < 32 && at + i < data.length; ++i) data[at + i] ^= mask[i];
  }
  data[0] &= 0xff >> (8 * Math.ceil(bits / 8) - bits);
  return Buffer.concat([data, check, Buffer.of(0xbc)]);
}

async function request(port) {
  const sent = nodeHttps.request({
    port,
    method: 'POST',
    host: '127.0.0.1',
    ca: identity.cert,
    servername: 'localhost',
    agent: false,
  });
  sent.end(BODY);
  const [response] = await once(sent, 'response');
  const chunks = [];
  for await (const chunk of response) chunks.push(chunk);
  return { body: Buffer.concat(chunks), place: response.headers.place, peer: response.headers.peer };
}

async function serve(options) {
  const server = https.createServer({ ...identity, ...options }, async (incoming, outgoing) => {
    const chunks = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const { handshake, remoteAddress } = incoming.socket;
    outgoing.setHeader('place', handshake.place);
    outgoing.setHeader('peer', String(remoteAddress));
    outgoing.end(Buffer.concat(chunks));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const answers = await Promise.all(Array.from({ length: 5 }, () => request(server.address().port)));
  server.close();
  await once(server, 'close');
  assert.ok(answers.every(({ body }) => body.equals(BODY)));
  return [...new Set(answers.map(({ place, peer }) => `${place} ${peer}`))].join();
}

async function main() {
  const publicKey = crypto.createPublicKey(identity.cert);
  for (const count of counts) {
    const threads = Number(count);
    let signed = 0;
    const sign = (question) => (++signed, signDigest(question));
    const key = createRemoteKey({ publicKey, sign, timeoutMs: 60_000 });
    const own = await serve({ threads });
    const remote = await serve({ threads, key, minVersion: 'TLSv1.3' });
    console.log(JSON.stringify({ threads, own, remote, signed }));
  }
}

main();
