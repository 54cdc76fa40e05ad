'use strict';

// The clients of one measurement, in a process of their own:
//
//   node requester.js SIDE WORKLOAD PORT SECONDS IN_FLIGHT BYTES
//
// SIDE: `node` (node:https, node:tls), `ours`. WORKLOAD: `requests` (GET /BYTES by an agent that keeps connections),
// `handshakes`, `resume`, `psk` (by a key that both sides have). Prints one line of JSON: what they did, and what each of it cost this process.

const { once } = require('node:events');
const path = require('node:path');
const { mainThreadMicros } = require('./threads.js');

const root = path.join(__dirname, '..', '..', '..');
const [side, workload, ...numbers] = process.argv.slice(2);
const [port, seconds, inFlight, bytes] = numbers.map(Number);
const load = (name) => require(side === 'ours' ? path.join(root, 'dist', `${name}.js`) : `node:${name}`);
const TARGET = { port, host: '127.0.0.1', rejectUnauthorized: false };
// A key of TLS 1.3 looks like a session.
const SHARED_KEY = {
  pskCallback: () => ({ identity: 'bench', psk: Buffer.from('0123456789abcdef') }),
  ciphers: 'TLS_AES_128_GCM_SHA256',
  checkServerIdentity: () => undefined,
};
const WARM_UP_SECONDS = 0.5;

function requester() {
  const https = load('https');
  const agent = new https.Agent({ keepAlive: true, maxSockets: inFlight });
  return () =>
    new Promise((resolve, reject) => {
      const request = https.get({ ...TARGET, agent, path: `/${bytes}` }, (response) => {
        response.on('end', resolve).on('error', reject).resume();
      });
      request.on('error', reject);
    });
}

function shaker(by) {
  const tls = load('tls');
  const resumes = by === 'resume';
  let session;
  let resumed = 0;
  const shake = async () => {
    const socket = tls.connect({
      ...TARGET,
      ...(by === 'psk' ? SHARED_KEY : {}),
      session: resumes ? session : undefined,
    });
    await once(socket, 'secureConnect');
    if (socket.isSessionReused()) ++resumed;
    if (resumes && session === undefined) [session] = await once(socket.resume(), 'session');
    socket.destroy();
  };
  return Object.assign(shake, { resumed: () => resumed });
}

const mark = () => {
  const { user, system } = process.cpuUsage();
  return { mainMicros: mainThreadMicros(), processMicros: user + system };
};

async function keepBusy(act, duration) {
  const until = performance.now() + 1000 * duration;
  let count = 0;
  const one = async () => {
    while (performance.now() < until) {
      await act();
      ++count;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, one));
  return count;
}

async function main() {
  const act = workload === 'requests' ? requester() : shaker(workload);
  if (workload === 'resume') await act();
  await keepBusy(act, WARM_UP_SECONDS);
  const resumedBefore = act.resumed?.() ?? 0;
  const [before, began] = [mark(), performance.now()];
  const count = await keepBusy(act, seconds);
  const [after, ended] = [mark(), performance.now()];
  const resumed = (act.resumed?.() ?? 0) - resumedBefore;
  console.log(
    JSON.stringify({
      count,
      resumed,
      shared: resumed,
      perSecond: count / ((ended - began) / 1000),
      mainMicros: (after.mainMicros - before.mainMicros) / count,
      processMicros: (after.processMicros - before.processMicros) / count,
    }),
  );
  process.exit();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
