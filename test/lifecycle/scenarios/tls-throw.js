'use strict';

// Listeners throw: other connections, told of in the same turn, hear everything all the same.

const nodeTls = require('node:tls');
const identity = require('../../support/scenario/tls-identity.js');
const { report } = require('../../support/scenario/library');
const { createServer } = require('../../../dist/tls.js');

const CONNECTIONS = 20;
const caught = [];
process.on('uncaughtException', (error) => caught.push(error.message));

const heard = new Set();
const server = createServer(identity, (socket) => {
  socket.on('data', (data) => {
    heard.add(String(data));
    socket.end();
    throw new Error('thrown on purpose');
  });
});

server.listen(0, '127.0.0.1', async () => {
  const clients = Array.from({ length: CONNECTIONS }, () =>
    nodeTls.connect({ port: server.address().port, host: '127.0.0.1', rejectUnauthorized: false }).resume(),
  );
  await Promise.all(clients.map((client) => new Promise((resolve) => client.once('secureConnect', resolve))));
  // All in one turn of the server's loop, which is this one.
  clients.forEach((client, number) => client.write(`from ${number}`));
  await Promise.all(clients.map((client) => new Promise((resolve) => client.once('close', resolve))));
  server.close(() => report({ heard: heard.size, caught: caught.length, messages: [...new Set(caught)] }));
});
