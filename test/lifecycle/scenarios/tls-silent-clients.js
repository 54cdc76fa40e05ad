'use strict';

// Clients that connect and say nothing.
//
//   node tls-silent-clients.js PORT COUNT
//
// Messages: { connected } when all are, { ended } when the server has ended all of them.

const net = require('node:net');

const [port, count] = process.argv.slice(2).map(Number);
let connected = 0;
let ended = 0;

// A few at a time: a listening socket has a queue of so many.
function connect(left) {
  if (left === 0) return;
  const socket = net.connect(port, '127.0.0.1', () => {
    if (++connected === count) process.send({ connected });
    connect(left - 1);
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    if (++ended === count) process.send({ ended }, () => process.disconnect());
  });
  socket.resume();
}

const LANES = 100;
for (let lane = 0; lane < LANES; ++lane) connect(count / LANES);
