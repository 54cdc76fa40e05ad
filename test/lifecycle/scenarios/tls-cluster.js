'use strict';

// Two workers of node:cluster serve HTTPS on one port.
//
//   node tls-cluster.js rr|none
//
// The primary's messages: { port } when both listen. At the first message it ends the workers, and reports { codes }.
// Workers answer each request with their number, whether the socket is the package's, the way that its session went, and
// whether the request came in early data.

const cluster = require('node:cluster');
const { TLSSocket } = require('../../../dist/tls.js');
const { createServer } = require('../../../dist/https.js');
const identity = require('../../support/scenario/tls-identity.js');

const WORKERS = 2;

async function primary(policy) {
  cluster.schedulingPolicy = policy === 'rr' ? cluster.SCHED_RR : cluster.SCHED_NONE;
  let port = 0;
  for (let i = 0; i < WORKERS; ++i) {
    const worker = cluster.fork();
    [{ port }] = await new Promise((resolve) => worker.once('listening', (...address) => resolve(address)));
  }
  process.send({ port });
  process.once('message', async () => {
    const ends = Object.values(cluster.workers).map((worker) => {
      worker.disconnect();
      return new Promise((resolve) => worker.once('exit', resolve));
    });
    process.send({ codes: await Promise.all(ends) }, () => process.disconnect());
  });
}

function worker() {
  const options = { ...identity, ticketKeys: Buffer.alloc(48, 1), maxEarlyData: 1000 };
  const server = createServer(options, (incoming, outgoing) => {
    const { socket } = incoming;
    const ours = socket instanceof TLSSocket;
    const answer = { worker: cluster.worker.id, ours, reused: socket.isSessionReused(), early: socket.isEarlyData };
    let size = 0;
    incoming.on('data', (bytes) => (size += bytes.length));
    incoming.on('end', () => outgoing.end(JSON.stringify({ ...answer, size })));
  });
  server.listen(0, '127.0.0.1');
}

if (cluster.isPrimary) void primary(process.argv[2]);
else worker();
