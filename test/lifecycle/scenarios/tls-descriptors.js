'use strict';

// A server of TLS has few descriptors, or none.
//
//   node tls-descriptors.js none|few    with a small `ulimit -n`
//
// Messages: { port }; with `none`, for each message that it gets, { busy, served }: how much of the time was CPU time,
// and how many were served. At the second one the descriptors come free.

const fs = require('node:fs');
const identity = require('../../support/scenario/tls-identity.js');
const { createServer } = require('../../../dist/tls.js');

function exhaust() {
  const taken = [];
  try {
    for (;;) taken.push(fs.openSync('/dev/null', 'r'));
  } catch (error) {
    if (error.code !== 'EMFILE') throw error;
  }
  return taken;
}

let served = 0;
const server = createServer(identity, (socket) => {
  ++served;
  socket.on('error', () => {});
  socket.on('data', (data) => socket.end(data));
});

server.listen(0, '127.0.0.1', () => {
  let taken = [];
  let at = performance.now();
  let cpu = process.cpuUsage();
  process.on('message', (message) => {
    const { user, system } = process.cpuUsage(cpu);
    process.send({ busy: (user + system) / 1000 / (performance.now() - at), served });
    if (message === 'free') for (const fd of taken.splice(0)) fs.closeSync(fd);
    if (message === 'end') server.close(() => process.disconnect());
  });
  if (process.argv[2] === 'none') taken = exhaust();
  at = performance.now();
  cpu = process.cpuUsage();
  process.send({ port: server.address().port });
});
