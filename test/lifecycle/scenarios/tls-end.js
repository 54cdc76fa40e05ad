'use strict';

// A process or a worker ends with a TLS server that listens, with connections in every state.
//
//   node tls-end.js [collected|streams|exit|exit-in-listener|throw|unref|close|worker-terminate|worker-exit|again]

const { createPublicKey } = require('node:crypto');
const net = require('node:net');
const nodeTls = require('node:tls');
const { isMainThread, parentPort, workerData } = require('node:worker_threads');
const { openFds, report } = require('../../support/scenario/library');
const { startWorker } = require('../../support/scenario/worker');
const identity = require('../../support/scenario/tls-identity.js');
const { pipedPair } = require('../../support/piped-pair.js');
const { createRemoteKey, isCapable } = require('../../../dist/index.js');
const { createServer } = require('../../../dist/tls.js');

const TURNS = 10;

// A key that nobody answers for.
function neverSigning() {
  let tellAsked;
  const asked = new Promise((resolve) => (tellAsked = resolve));
  const key = createRemoteKey({
    publicKey: createPublicKey(identity.cert),
    sign: () => {
      tellAsked();
      return new Promise(() => {});
    },
  });
  return { key, asked };
}

async function listening(onSocket = () => {}, options = identity) {
  const server = createServer(options, onSocket);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, port: server.address().port };
}

function connect(port) {
  const client = nodeTls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  client.on('error', () => {});
  return client;
}

// A client of a server over a stream that has no descriptor.
function connectOver(server) {
  const [near, far] = pipedPair();
  server.emit('connection', far);
  const client = nodeTls.connect({ socket: near, rejectUnauthorized: false });
  client.on('error', () => {});
  return client;
}

// As busy().
async function busyStreams() {
  const server = createServer(identity, (socket) => socket.write(Buffer.alloc(4 << 20)));
  await new Promise((resolve) => connectOver(server).once('secureConnect', resolve));
  for (const bytes of ['', Buffer.from([22, 3, 1, 0, 100, 1])]) {
    const [near, far] = pipedPair();
    server.emit('connection', far);
    near.write(bytes);
  }
  const { key, asked } = neverSigning();
  connectOver(createServer({ cert: identity.cert, key }));
  await asked;
}

// One connection that is open, one that is written to, one silent, one amid its hello, one that waits for its key.
async function busy() {
  if (isCapable()) await busyStreams();
  const { server, port } = await listening((socket) => socket.write(Buffer.alloc(4 << 20)));
  for (let i = 0; i < 2; ++i) {
    const client = connect(port);
    await new Promise((resolve) => client.once('secureConnect', resolve));
  }
  for (const bytes of ['', Buffer.from([22, 3, 1, 0, 100, 1])]) {
    const raw = net.connect(port, '127.0.0.1').on('error', () => {});
    raw.write(bytes);
    await new Promise((resolve) => raw.once('connect', resolve));
  }
  const { key, asked } = neverSigning();
  connect((await listening(() => {}, { cert: identity.cert, key })).port);
  await asked;
  return { server, port };
}

const collect = async () => {
  for (let turn = 0; turn < 10; ++turn) {
    globalThis.gc();
    await new Promise(setImmediate);
  }
};

const WAYS = {
  collected: async () => {
    const references = [];
    for (let i = 0; i < 20; ++i) {
      const { server, port } = await listening((socket) => socket.end('done'));
      references.push(new WeakRef(server));
      const client = connect(port).resume();
      await new Promise((resolve) => client.once('close', resolve));
      await new Promise((resolve) => server.close(resolve));
    }
    await collect();
    report({ left: references.filter((reference) => reference.deref() !== undefined).length <= 1 });
  },
  // Nothing else keeps the process.
  streams: () => {
    const server = createServer(identity, (socket) => socket.end('done'));
    const client = connectOver(server);
    client.on('data', (data) => report({ said: String(data) }));
  },
  exit: async () => {
    await busy();
    process.exit(3);
  },
  'exit-in-listener': async () => {
    const { port } = await listening(() => process.exit(3));
    connect(port);
  },
  throw: async () => {
    await busy();
    throw new Error('thrown on purpose');
  },
  unref: async () => {
    const { server } = await listening();
    server.unref();
    report({ listening: server.listening });
  },
  close: async () => {
    const { server, port } = await listening((socket) => socket.end('done'));
    const client = connect(port).resume();
    await new Promise((resolve) => client.once('close', resolve));
    server.close(() => report({ closed: true }));
  },
};

async function inWorker({ end }) {
  await busy();
  parentPort.postMessage('busy');
  if (end === 'worker-exit') process.exit(5);
}

async function endWorker(end) {
  const { worker, said, ended } = startWorker(__filename, { end });
  await said;
  if (end === 'worker-terminate') void worker.terminate();
  const { code, messages } = await ended;
  return { code, messages };
}

async function main(way) {
  if (WAYS[way] !== undefined) return WAYS[way]();
  if (way !== 'again') return report(await endWorker(way));
  await endWorker('worker-terminate');
  const before = openFds();
  for (let turn = 0; turn < TURNS; ++turn) await endWorker('worker-terminate');
  report({ fdGrowth: openFds() - before });
}

void (isMainThread ? main(process.argv[2] ?? 'exit') : inWorker(workerData));
