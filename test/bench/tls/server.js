'use strict';

// The server of one measurement, in a process of its own:
//
//   node --expose-gc server.js SIDE WORKLOAD KEY CERTIFICATE
//
// SIDE: `node` (node:https, node:tls), `http` (plain node:http), `ours`, `loop` (ours without threads),
// `threads` (ours with the records on a thread).
// WORKLOAD: `requests` (GET /BYTES), `http2` (the same), `handshakes`, `psk` (by a key that both sides have), `echo`.
//
// Sends its port. Then each message `mark` is answered with what the process has used so far, and `idle` with its
// memory.

const fs = require('node:fs');
const path = require('node:path');
const { monitorEventLoopDelay } = require('node:perf_hooks');
const { mainThreadMicros, tlsThreadsMicros } = require('./threads.js');

const root = path.join(__dirname, '..', '..', '..');
const [side, workload, key, certificate] = process.argv.slice(2);

const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();

function mark() {
  const { user, system } = process.cpuUsage();
  const { max } = delay;
  delay.reset();
  return {
    mainMicros: mainThreadMicros(),
    threadMicros: tlsThreadsMicros(),
    processMicros: user + system,
    delayMaxMs: max / 1e6,
  };
}

const bodies = new Map();
function respond(request, response) {
  const size = Number(request.url.slice(1));
  let body = bodies.get(size);
  if (body === undefined) bodies.set(size, (body = Buffer.alloc(size, 'x')));
  response.setHeader('content-type', 'text/plain');
  response.end(body);
}

function serve(socket) {
  socket.on('error', () => {}); // a client that goes away
  if (workload === 'echo') socket.pipe(socket);
  else socket.resume();
}

const psk = Buffer.from('0123456789abcdef');
const SHARED_KEY = {
  pskCallback: (_socket, identity) => (identity === 'bench' ? psk : null),
  ciphers: 'ECDHE-PSK-CHACHA20-POLY1305:TLS_AES_128_GCM_SHA256',
};

function createServer() {
  if (side === 'http') return require('node:http').createServer(respond);
  const isOurs = side !== 'node';
  const options = { key: fs.readFileSync(key), cert: fs.readFileSync(certificate) };
  if (workload === 'psk') Object.assign(options, SHARED_KEY);
  if (side === 'loop') options.threads = 0;
  if (side === 'threads') options.records = 'threads';
  if (workload === 'http2') {
    return require(isOurs ? path.join(root, 'dist', 'http2.js') : 'node:http2').createSecureServer(options, respond);
  }
  if (workload === 'requests') {
    return require(isOurs ? path.join(root, 'dist', 'https.js') : 'node:https').createServer(options, respond);
  }
  return require(isOurs ? path.join(root, 'dist', 'tls.js') : 'node:tls').createServer(options, serve);
}

const server = createServer();
server.on('tlsClientError', () => {});
server.listen(0, '127.0.0.1', 4096, () => process.send({ port: server.address().port }));
process.on('message', (message) => {
  if (message === 'mark') process.send(mark());
  if (message === 'idle') {
    globalThis.gc();
    process.send({ rssBytes: process.memoryUsage.rss() });
  }
});
process.on('disconnect', () => process.exit());
