'use strict';

// Many connections to a server of openssl-async/https, most of which make a request, and some of which are broken off at
// a random point: nothing may grow, and no connection may be left. Clients are those of Node.js, in another process.
//
//   npm run soak:tls -- [--connections N] [--in-flight N]

const { execFileSync, fork } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const https = require('node:https');
const net = require('node:net');
const path = require('node:path');
const tls = require('node:tls');
const { parseArgs } = require('node:util');
const { slope } = require('../support/slope.js');
const { number } = require('./options.js');

const DIST = path.join(__dirname, '..', '..', 'dist');
const BROKEN = 0.1;
// A handshake and a request take less: connections break off at every point.
const MOST_BROKEN_MS = 20;
const SAMPLES = 50;
const WARM_UP = 0.3;
// From the end of the warm-up to the end: allocators keep some of what they were given.
const MOST_GROWTH_BYTES = 16 * 2 ** 20;
const MOST_FD_GROWTH = 2;
const LONGEST_END_MS = 30_000;

const { values } = parseArgs({ options: { connections: { type: 'string' }, 'in-flight': { type: 'string' } } });
const total = number(values, 'connections', 100_000, { integer: true });
const inFlight = number(values, 'in-flight', 32, { integer: true });

// --- The clients

function ask(port) {
  return new Promise((resolve, reject) => {
    const sent = https.get({ port, host: '127.0.0.1', rejectUnauthorized: false, agent: false }, (answer) => {
      answer.resume().on('end', resolve);
    });
    sent.on('error', reject);
  });
}

function breakOff(port) {
  return new Promise((resolve) => {
    const raw = net.connect(port, '127.0.0.1').on('error', () => undefined);
    const client = tls.connect({ socket: raw, rejectUnauthorized: false }).on('error', () => undefined);
    client.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    raw.on('close', resolve);
    const end = Math.random() < 0.5 ? () => raw.resetAndDestroy() : () => raw.destroy();
    setTimeout(end, Math.random() * MOST_BROKEN_MS);
  });
}

async function runClients(port) {
  const counts = { answered: 0, broken: 0, failed: 0 };
  let begun = 0;
  let settled = 0;
  const work = async () => {
    while (begun < total) {
      ++begun;
      if (Math.random() < BROKEN) {
        await breakOff(port);
        ++counts.broken;
      } else {
        await ask(port).then(
          () => ++counts.answered,
          () => ++counts.failed,
        );
      }
      if (++settled % Math.ceil(total / SAMPLES) === 0) process.send({ settled });
    }
  };
  await Promise.all(Array.from({ length: inFlight }, work));
  process.send({ counts });
  process.disconnect();
}

// --- The server

function identity() {
  const name = ['-subj', '/CN=localhost', '-keyout', '-', '-days', '30'];
  const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', ...name];
  const pem = execFileSync('openssl', made, { stdio: ['ignore', 'pipe', 'ignore'] });
  return { key: pem, cert: pem };
}

const openFds = () => (process.platform === 'linux' ? fs.readdirSync('/proc/self/fd').length : 0);

// Descriptors that are no connections': the median of a few milliseconds, for threads open some before they count them.
function otherFds(stats) {
  const never = new Int32Array(new SharedArrayBuffer(4));
  const samples = Array.from({ length: 9 }, () => {
    Atomics.wait(never, 0, 0, 1);
    return openFds() - stats().tls.connections;
  });
  return samples.sort((one, two) => one - two)[4];
}

async function runServer() {
  require('node:v8').setFlagsFromString('--expose-gc');
  const collect = require('node:vm').runInNewContext('gc');
  const { createServer } = require(path.join(DIST, 'https.js'));
  const { stats } = require(path.join(DIST, 'index.js'));
  const server = createServer(identity(), (_, outgoing) => outgoing.end('answer'));
  let open = 0;
  server.on('connection', (socket) => {
    ++open;
    socket.on('close', () => --open);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  const began = performance.now();
  const rss = [];
  const fds = [];
  const clients = fork(__filename, process.argv.slice(2), {
    env: { ...process.env, SOAK_PORT: server.address().port },
  });
  let counts;
  clients.on('message', (message) => {
    counts = message.counts;
    if (message.settled === undefined || message.settled < WARM_UP * total) return;
    collect();
    rss.push(process.memoryUsage.rss());
    fds.push(otherFds(stats));
  });
  await once(clients, 'close');
  const seconds = (performance.now() - began) / 1000;
  // Threads may still be at the handshakes of clients that are gone.
  const giveUp = performance.now() + LONGEST_END_MS;
  while (stats().tls.connections > 0 && performance.now() < giveUp)
    await new Promise((resolve) => setImmediate(resolve));

  const report = {
    connections: total,
    seconds: Math.round(seconds),
    ...counts,
    left: stats().tls.connections,
    openSockets: open,
    rssMiB: [rss[0], rss.at(-1)].map((bytes) => Math.round(bytes / 2 ** 20)),
    rssSamplesMiB: rss.map((bytes) => Math.round(bytes / 2 ** 20)),
    rssGrowthBytes: Math.round(slope(rss) * (rss.length - 1)),
    fdGrowth: fds.at(-1) - fds[0],
  };
  console.log(JSON.stringify(report));
  server.close();
  const grew = report.rssGrowthBytes > MOST_GROWTH_BYTES || report.fdGrowth > MOST_FD_GROWTH;
  if (grew || report.left > 0 || open > 0 || counts?.failed !== 0) process.exitCode = 1;
}

void (process.env.SOAK_PORT === undefined ? runServer() : runClients(Number(process.env.SOAK_PORT)));
