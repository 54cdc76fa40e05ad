'use strict';

// Takes one measurement: a server in a process of its own, and the load in another.

const { execFile, execFileSync, fork, spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { promisify } = require('node:util');
const { root } = require('../process.js');
const { startH2load } = require('./h2load.js');
const { startNginx } = require('./nginx.js');

const run = promisify(execFile);
const folder = path.join(root, 'build-native', 'bench', 'tls');
const client = path.join(folder, 'client');
const WARM_UP_SECONDS = 0.5;

/** Compiles the client and makes the certificates, both in `build-native/`. */
function prepare() {
  fs.mkdirSync(folder, { recursive: true });
  const source = path.join(__dirname, 'client.c');
  execFileSync(process.env.CC ?? 'cc', ['-O2', '-Wall', '-Wextra', source, '-o', client, '-lssl', '-lcrypto'], {
    stdio: 'inherit',
  });
  for (const [name, ...algorithm] of [
    ['rsa', 'rsa:2048'],
    ['p256', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  ]) {
    const { key, certificate } = filesOf(name);
    execFileSync(
      'openssl',
      ['req', '-x509', '-nodes', '-newkey', ...algorithm, '-keyout', key, '-out', certificate].concat([
        '-subj',
        '/CN=localhost',
        '-addext',
        'subjectAltName=DNS:localhost',
        '-days',
        '30',
      ]),
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
  }
}

const filesOf = (name) => ({
  key: path.join(folder, `${name}.key.pem`),
  certificate: path.join(folder, `${name}.pem`),
});

/** A server of `server.js`, and nginx in front of it where that is the side. */
class Server {
  static async start({ workload, certificate }, side, node) {
    const files = filesOf(certificate);
    const isBehindNginx = side === 'nginx';
    const child = fork(
      path.join(__dirname, 'server.js'),
      [isBehindNginx ? 'http' : side, workload, files.key, files.certificate],
      { execPath: node, execArgv: ['--expose-gc'], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
    );
    const server = new Server(child);
    const { port } = await server.#answer();
    server.port = port;
    if (isBehindNginx) {
      server.nginx = await startNginx({ ...files, upstreamPort: port, folder });
      server.port = server.nginx.port;
    }
    return server;
  }

  constructor(child) {
    this.child = child;
    this.nginx = undefined;
  }

  async mark() {
    this.child.send('mark');
    const used = await this.#answer();
    if (this.nginx !== undefined) used.processMicros += this.nginx.cpuMicros();
    return used;
  }

  async rssBytes() {
    this.child.send('idle');
    return (await this.#answer()).rssBytes;
  }

  async stop() {
    await this.nginx?.stop();
    if (this.child.connected) this.child.disconnect();
    if (this.child.exitCode === null) await once(this.child, 'exit');
  }

  #answer() {
    return new Promise((resolve, reject) => {
      const onMessage = (message) => {
        this.child.off('exit', onExit);
        resolve(message);
      };
      const onExit = (code, signal) => {
        this.child.off('message', onMessage);
        reject(new Error(`the server ended with ${signal ?? code}`));
      };
      this.child.once('message', onMessage);
      this.child.once('exit', onExit);
    });
  }
}

async function runClient(...args) {
  const result = JSON.parse((await run(client, args.map(String), { timeout: 120_000 })).stdout);
  if (result.failures > 0)
    throw new Error(`${result.failures} of ${result.count + result.failures} connections failed`);
  return result;
}

async function runWrk({ connections, bytes }, { port, scheme }, seconds) {
  const url = `${scheme}://127.0.0.1:${port}/${bytes}`;
  const { stdout } = await run('wrk', ['-t1', `-c${connections}`, `-d${seconds}s`, url]);
  if (/Socket errors|Non-2xx/.test(stdout)) throw new Error(stdout.match(/Socket errors.*|Non-2xx.*/)[0]);
  return {
    perSecond: Number(stdout.match(/Requests\/sec:\s*([\d.]+)/)[1]),
    count: Number(stdout.match(/(\d+) requests in/)[1]),
  };
}

// Divides what the server used between two marks by what it did.
const withCosts = (result, before, after) => ({
  ...result,
  mainMicros: (after.mainMicros - before.mainMicros) / result.count,
  threadMicros: (after.threadMicros - before.threadMicros) / result.count,
  processMicros: (after.processMicros - before.processMicros) / result.count,
  delayMaxMs: after.delayMaxMs,
});

async function underLoad(server, load) {
  const before = await server.mark();
  const result = await load();
  return withCosts(result, before, await server.mark());
}

const targetOf = ({ side, port }) => ({ port, scheme: side === 'http' ? 'http' : 'https' });
// wrk and h2load take whole seconds.
const wholeSeconds = (seconds) => Math.max(1, Math.round(seconds));

// Handshakes that cost less than they are said to are none.
function expectMost(by, { count, resumed, shared }) {
  const done = { resume: resumed, psk: shared }[by];
  if (done < count * 0.9) throw new Error(`${done} of ${count} handshakes by ${by}`);
}

const LOADS = {
  async handshakes(server, { inFlight, version, by = 'full' }, seconds) {
    const args = (duration) => ['handshakes', server.port, inFlight, duration, version, by];
    await runClient(...args(WARM_UP_SECONDS));
    const result = await underLoad(server, () => runClient(...args(seconds)));
    expectMost(by, result);
    return result;
  },
  async wrk(server, load, seconds) {
    const target = targetOf(server);
    await runWrk(load, target, 1);
    return underLoad(server, () => runWrk(load, target, wholeSeconds(seconds)));
  },
  async h2load(server, load, seconds) {
    const { warm, over, result } = startH2load(load, targetOf(server), wholeSeconds(seconds));
    await warm;
    const before = await server.mark();
    await over;
    const after = await server.mark();
    await server.stop(); // h2load waits for connections to end, and some servers keep them
    return withCosts(await result, before, after);
  },
  async echo(server, { connections, bytes }, seconds) {
    await runClient('echo', server.port, connections, bytes, WARM_UP_SECONDS);
    return underLoad(server, () => runClient('echo', server.port, connections, bytes, seconds));
  },
  // The side is that of the clients: the server is ours for both, as it costs less.
  async clients({ port, node, side }, { does, inFlight, bytes = 0 }, seconds) {
    const args = [path.join(__dirname, 'requester.js'), side, does, port, seconds, inFlight, bytes];
    const result = JSON.parse((await run(node, args.map(String), { timeout: 120_000 })).stdout);
    expectMost(does, result);
    return result;
  },
  async burst(server, { count, bursts, version }) {
    await runClient('handshakes', server.port, 32, WARM_UP_SECONDS, version, 'full');
    const delays = [];
    for (let i = 0; i < bursts; ++i) {
      delays.push((await underLoad(server, () => runClient('burst', server.port, count, version))).delayMaxMs);
    }
    return { delayMaxMs: delays.toSorted((a, b) => a - b)[bursts >> 1] };
  },
  async idle(server, { count }) {
    await runClient('handshakes', server.port, 32, 2 * WARM_UP_SECONDS, '1.3', 'full');
    const before = await server.rssBytes();
    const holder = spawn(client, ['idle', server.port, count].map(String), { stdio: ['pipe', 'pipe', 'inherit'] });
    const [line] = await once(holder.stdout, 'data');
    const { failures } = JSON.parse(line);
    if (failures > 0) throw new Error(`${failures} of ${count} connections failed`);
    const after = await server.rssBytes();
    holder.stdin.end();
    await once(holder, 'exit');
    return { rssBytes: (after - before) / count };
  },
};

/** Every figure of `trial` for one side. */
async function measure({ trial, side, node }, { seconds }) {
  const server = await Server.start(trial, trial.load.mode === 'clients' ? 'ours' : side, node);
  Object.assign(server, { side, node });
  try {
    const { mode, ...load } = trial.load;
    return await LOADS[mode](server, load, seconds);
  } finally {
    await server.stop();
  }
}

module.exports = { measure, prepare };
