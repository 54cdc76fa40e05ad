'use strict';

// Whom clients trust without `ca`: node:tls's and ours, in turn, before and after tls.setDefaultCACertificates().
//
//   node default-authorities.js CERT KEY     prints, as JSON, a pair of outcomes for each time; null where Node.js has no
//                                            such function

const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const nodeTls = require('node:tls');
const ours = require(path.join(__dirname, '..', '..', 'dist', 'tls.js'));

const [cert, key] = process.argv.slice(2).map((file) => fs.readFileSync(file, 'utf8'));

/** Of node:tls's client, and ours. */
async function outcomes(port) {
  const all = [];
  for (const { connect } of [nodeTls, ours]) {
    const socket = connect({ port, host: '127.0.0.1', servername: 'localhost' });
    const outcome = await new Promise((resolve) => {
      socket.once('secureConnect', () => resolve('welcome'));
      socket.once('error', (error) => resolve(error.code));
    });
    socket.destroy();
    all.push(outcome);
  }
  return all;
}

async function main() {
  const server = nodeTls.createServer({ cert, key }, (socket) => socket.on('error', () => undefined).end());
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  const { setDefaultCACertificates: set } = ours;
  const seen = [await outcomes(port)];
  for (const authorities of [[cert], [], [cert]]) {
    if (set !== undefined) set(authorities);
    seen.push(set === undefined ? null : await outcomes(port));
  }
  server.close();
  const { getCACertificates: get } = ours;
  console.log(
    JSON.stringify({ seen, isNodes: get === nodeTls.getCACertificates && set === nodeTls.setDefaultCACertificates }),
  );
}

void main();
