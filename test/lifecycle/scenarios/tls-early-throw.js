'use strict';

// Requests in early data wait for the end of the handshake, and the listener of the first one throws: the others are
// heard all the same, and so is the end of the handshake.

const { once } = require('node:events');
const identity = require('../../support/scenario/tls-identity.js');
const { report, until } = require('../../support/scenario/library');
const https = require('../../../dist/https.js');
const tls = require('../../../dist/tls.js');

const caught = [];
process.on('uncaughtException', (error) => caught.push(error.message));

const heard = [];
const server = https.createServer({ ...identity, maxEarlyData: 16_384 }, ({ url, socket }) => {
  heard.push(`${url} ${socket.isEarlyData}`);
  if (url === '/first') throw new Error('thrown on purpose');
});
let completed = 0;
server.on('secureConnection', (socket) => socket.on('secure', () => ++completed));

const post = (path) => `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n`;
const dial = (options) =>
  tls.connect({ port: server.address().port, host: '127.0.0.1', rejectUnauthorized: false, ...options });

async function main() {
  server.listen(0);
  await once(server, 'listening');
  const first = dial();
  const [session] = await once(first, 'session');
  const client = dial({ session, earlyData: post('/first') + post('/second') });
  await once(client, 'secureConnect');
  await until(() => completed === 2 && heard.length === 2 && caught.length === 1);
  report({ accepted: client.earlyDataAccepted, heard, caught });
  first.destroy();
  client.destroy();
  server.close();
}

void main();
