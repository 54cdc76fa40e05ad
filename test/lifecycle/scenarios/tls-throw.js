'use strict';

// Listeners of every second connection throw: the other connections, told of in the same turn, hear everything all the
// same.
//
//   node tls-throw.js [secureConnection|data|end|close|SNICallback|tlsClientError|request] [loop|threads]

const nodeTls = require('node:tls');
const net = require('node:net');
const identity = require('../../support/scenario/tls-identity.js');
const { report, until } = require('../../support/scenario/library');
const tls = require('../../../dist/tls.js');
const https = require('../../../dist/https.js');

const event = process.argv[2] ?? 'data';
const CONNECTIONS = 40;
const THROWN = CONNECTIONS / 2;
const nameOf = (number) => `n${number}.test`;
const isThrower = (name) => Number(/\d+/.exec(name)) % 2 === 0;

const caught = [];
process.on('uncaughtException', (error) => caught.push(error.message));
function maybeThrow(where, name) {
  if (where === event && isThrower(name)) throw new Error('thrown on purpose');
}

const sockets = new Set();
function onSocket(socket) {
  const { servername } = socket;
  sockets.add(socket);
  maybeThrow('secureConnection', servername);
  socket.on('data', (data) => {
    socket.write(data);
    maybeThrow('data', servername);
  });
  socket.on('end', () => maybeThrow('end', servername));
  socket.on('close', () => {
    sockets.delete(socket);
    maybeThrow('close', servername);
  });
}

const options = {
  ...identity,
  records: process.argv[3] ?? 'loop',
  SNICallback: (servername, done) => {
    maybeThrow('SNICallback', servername);
    setImmediate(done, null);
  },
};

function makeServer() {
  if (event !== 'request') return tls.createServer(options, onSocket);
  const server = https.createServer(options, (incoming, outgoing) => {
    maybeThrow('request', incoming.headers.host);
    outgoing.end(incoming.headers.host);
  });
  server.on('secureConnection', (socket) => sockets.add(socket));
  return server;
}

/** A client of TLS; or of none, which is a thrower. */
function connect(port, number) {
  if (event === 'tlsClientError' && number % 2 === 0) {
    const client = net.connect(port, '127.0.0.1');
    client.write('no TLS at all');
    return client;
  }
  return nodeTls.connect({ port, host: '127.0.0.1', servername: nameOf(number), rejectUnauthorized: false });
}

/** Whether a client that is no thrower gets its answer; throwers are given up once everybody else is served. */
function talk(client, number) {
  const name = nameOf(number);
  client.end(event === 'request' ? `GET / HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n\r\n` : name);
  let text = '';
  client.on('data', (data) => (text += data));
  if (number % 2 === 0) return undefined;
  return new Promise((resolve) => client.on('close', () => resolve(text.includes(name))));
}

const server = makeServer();
server.on('tlsClientError', (error) => {
  if (event === 'SNICallback') caught.push(error.message); // it is the client's error
  maybeThrow('tlsClientError', nameOf(0));
});
server.listen(0, '127.0.0.1', async () => {
  const { port } = server.address();
  const clients = Array.from({ length: CONNECTIONS }, (_, number) => connect(port, number).on('error', () => {}));
  const secure = clients
    .filter((_, number) => number % 2 === 1)
    .map((client) => new Promise((resolve) => client.once('secureConnect', resolve)));
  await Promise.all(secure);
  // All in one turn of the server's loop, which is this one.
  const answers = await Promise.all(clients.map(talk));
  const served = answers.filter((each) => each === true).length;
  await until(() => caught.length >= THROWN);
  for (const socket of sockets) socket.destroy();
  server.close(() => report({ served, caught: caught.length, messages: [...new Set(caught)] }));
});
