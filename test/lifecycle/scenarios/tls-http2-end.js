'use strict';

// A process or a worker ends with a server of HTTP/2 whose sessions have pairs of sockets, in every state.
//
//   node tls-http2-end.js [exit|throw|destroyed|answered|worker-terminate|worker-exit|again]

const http2 = require('node:http2');
const net = require('node:net');
const { isMainThread, parentPort, workerData } = require('node:worker_threads');
const { openFds, report } = require('../../support/scenario/library');
const { startWorker } = require('../../support/scenario/worker');
const identity = require('../../support/scenario/tls-identity.js');
const { createSecureServer } = require('../../../dist/http2.js');

const TURNS = 10;
const BYTES = 6 << 20;
const CHUNK = 16 << 10;
// So much that a server can write its answers without waiting for their readers.
const WINDOW = 64 << 20;

async function listening(onStream, options = {}) {
  const server = createSecureServer({ ...identity, ...options });
  server.on('stream', onStream).on('sessionError', () => {});
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, port: server.address().port };
}

async function connect(port) {
  const options = { rejectUnauthorized: false, settings: { initialWindowSize: WINDOW } };
  const session = http2.connect(`https://127.0.0.1:${port}`, options).on('error', () => {});
  await new Promise((resolve) => session.once('connect', resolve));
  session.setLocalWindowSize(WINDOW);
  return session;
}

// Takes a server's bytes as a slow network does.
async function slowProxy(to) {
  const listener = net.createServer();
  await new Promise((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const server = net.connect(to, '127.0.0.1').on('error', () => {});
  const proxy = { port: listener.address().port, server, taken: 0 };
  let most = Infinity;
  listener.once('connection', (client) => {
    client.on('error', () => {}).on('data', (bytes) => server.write(bytes));
    server.on('data', (bytes) => {
      client.write(bytes);
      proxy.taken += bytes.length;
      if (proxy.taken >= most) server.pause();
    });
    listener.close();
  });
  proxy.closed = new Promise((resolve) => server.once('close', resolve));
  proxy.take = (bytes) => {
    most = proxy.taken + bytes;
    server.resume();
  };
  return proxy;
}

const turns = async () => {
  for (let turn = 0; turn < 2000; ++turn) await new Promise(setImmediate);
};

const request = (session, headers) => session.request(headers).on('error', () => {});
const PATHS = ['/idle', '/large', '/large', '/upload', '/destroyed', '/closed'];

// A session that is idle, two that are written to, one that reads, one that was destroyed, one that was closed.
async function busy() {
  let left = PATHS.length;
  const { server, port } = await new Promise((resolve) => {
    const all = listening((stream, { ':path': path }) => {
      stream.on('error', () => {});
      if (path === '/idle') stream.respond();
      if (path === '/large' || path === '/closed') stream.end(Buffer.alloc(BYTES));
      if (path === '/destroyed') stream.session.destroy();
      if (path === '/closed') stream.session.close();
      if (--left === 0) resolve(all);
    });
    void all.then(async (found) => {
      for (const path of PATHS) {
        const upload = path === '/upload';
        const stream = request(await connect(found.port), { ':path': path, ':method': upload ? 'POST' : 'GET' });
        if (upload) stream.write(Buffer.alloc(BYTES));
      }
    });
  });
  return { server, port };
}

const WAYS = {
  exit: async () => {
    await busy();
    process.exit(3);
  },
  throw: async () => {
    await busy();
    throw new Error('thrown on purpose');
  },
  // The client's sockets have gone, and nothing else keeps the process.
  destroyed: async () => {
    const { server, port } = await listening((stream) => stream.session.destroy());
    const session = await connect(port);
    request(session).on('close', () => server.close(() => report({ closed: true })));
  },
  // A worker ends a session when its socket has taken all, of which the network takes no more, and has nothing else to do.
  answered: async () => {
    const { worker, said, ended } = startWorker(__filename, { end: 'answered' });
    const proxy = await slowProxy(await said);
    const session = await connect(proxy.port);
    proxy.server.pause();
    request(session);
    let written = 0;
    let isClosed = false;
    worker.on('message', (message) => {
      if (message === 'closed') isClosed = true;
      else written = message;
    });
    for (let before = -1; before < written; await turns()) before = written;
    worker.postMessage('end');
    for (; !isClosed; await turns()) proxy.take(CHUNK);
    await turns();
    proxy.take(Infinity);
    await proxy.closed;
    session.destroy();
    const { code } = await ended;
    report({ code, isWhole: written > 0 && proxy.taken > written });
  },
};

const IN_WORKER = {
  answered: async () => {
    let written = 0;
    let isLast = false;
    parentPort.once('message', () => (isLast = true));
    const { server, port } = await listening((stream) => {
      stream.session.once('close', () => parentPort.postMessage('closed'));
      server.close();
      const write = () => {
        if (isLast) return stream.session.destroy();
        stream.write(Buffer.alloc(CHUNK), () => {
          parentPort.postMessage((written += CHUNK));
          write();
        });
      };
      write();
    });
    parentPort.postMessage(port);
  },
  'worker-terminate': async () => {
    await busy();
    parentPort.postMessage('busy');
  },
  'worker-exit': async () => {
    await busy();
    parentPort.postMessage('busy');
    process.exit(5);
  },
};

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

void (isMainThread ? main(process.argv[2] ?? 'exit') : IN_WORKER[workerData.end]());
