'use strict';

// A request over HTTP/2 between a server and a client of this package:
//
//   node http2.js IDENTITY
//
// IDENTITY: a file with { cert, key } as JSON. Prints what both ends tell of the connection, the client's at 'connect',
// whether the body came back whole, and what a client hears that does not know the server.

const crypto = require('node:crypto');
const { once } = require('node:events');
const fs = require('node:fs');
const http2 = require('../../../dist/http2.js');

const { cert, key } = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const BODY = crypto.randomBytes(2 ** 20);

const told = (session, socket) => ({
  session: [session.encrypted, session.alpnProtocol],
  socket: [socket.encrypted, socket.alpnProtocol, socket.servername, socket.authorized],
  agreed: [socket.getProtocol(), socket.getCipher().name],
});

async function main() {
  let server;
  const listening = http2.createSecureServer({ cert, key }, (request, response) => {
    server = told(request.stream.session, request.socket);
    request.pipe(response);
  });
  listening.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  const { port } = listening.address();
  const session = http2.connect(`https://127.0.0.1:${port}`, { ca: cert, servername: 'localhost' });
  await once(session, 'connect');
  const client = told(session, session.socket);
  const stream = session.request({ ':method': 'POST' });
  stream.end(BODY);
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  const isWhole = Buffer.concat(chunks).equals(BODY);
  const stranger = [];
  const refusing = http2.connect(`https://127.0.0.1:${port}`, { servername: 'localhost' });
  refusing.on('connect', () => stranger.push('connect')).on('error', ({ code }) => stranger.push(code));
  await new Promise((resolve) => refusing.once('close', resolve));
  session.close();
  listening.close();
  await Promise.all([once(session, 'close'), once(listening, 'close')]);
  console.log(JSON.stringify({ server, client, isWhole, stranger }));
}

void main();
