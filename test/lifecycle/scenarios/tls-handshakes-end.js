'use strict';

// A server with hundreds of handshakes under way ends with its process, or with its worker.
//
//   node tls-handshakes-end.js main|first|worker COUNT
//
// Messages: { port }; { handshakes } once COUNT of them are under way. Then, at any message, `main` exits with 0, and
// `worker` reports { code, port }: how the worker has ended, and a server of another one. `first` exits with 0 in the
// first listener of 'secureConnection'.

const { isMainThread, parentPort, Worker, workerData } = require('node:worker_threads');
const identity = require('../../support/scenario/tls-identity.js');
const { createServer } = require('../../../dist/tls.js');

// `pending.test` is never answered.
const options = {
  ...identity,
  SNICallback: (servername, done) => {
    if (servername !== 'pending.test') done(null);
  },
};

function serve(say, count, onSocket = (socket) => socket.end('served')) {
  const server = createServer(options, onSocket);
  server.listen(0, '127.0.0.1', () => say({ port: server.address().port }));
  const look = () => {
    server.getConnections((_, handshakes) => {
      if (handshakes < count) setImmediate(look);
      else say({ handshakes });
    });
  };
  if (count > 0) look();
}

function startWorker(count) {
  const worker = new Worker(__filename, { workerData: { count } });
  worker.on('message', (message) => {
    if (count > 0) process.send(message);
  });
  return worker;
}

function main(way, count) {
  const say = (message) => process.send(message);
  if (way === 'main') {
    process.on('message', () => process.exit(0));
    serve(say, count);
  } else if (way === 'first') {
    serve(say, 0, () => process.exit(0));
  } else {
    const worker = startWorker(count);
    process.once('message', async () => {
      const code = await worker.terminate();
      const next = startWorker(0);
      next.once('message', ({ port }) => say({ code, port }));
      process.once('message', () => {
        void next.terminate();
        process.disconnect();
      });
    });
  }
}

if (isMainThread) main(process.argv[2], Number(process.argv[3]));
else serve((message) => parentPort.postMessage(message), workerData.count);
