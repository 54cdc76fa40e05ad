// A program that knows nothing of this package: axios and got, to a server of node:https in the process. AGENT is the module
// whose agent they use, where they are given one.
import { once } from 'node:events';
import { createServer } from 'node:https';
import axios from 'axios';
import got from 'got';

const { ca, cert, key, server: identity } = JSON.parse(process.env.SERVER);
const body = 'x'.repeat(2_000_000);

const server = createServer({ ...identity, ca, requestCert: true, rejectUnauthorized: false }, (incoming, response) => {
  let size = 0;
  incoming.on('data', (chunk) => (size += chunk.length));
  incoming.on('end', () =>
    response.end(`${incoming.method} ${size} ${incoming.socket.getPeerCertificate().subject?.CN}`),
  );
});
server.listen(0, 'localhost');
await once(server, 'listening');
const url = `https://localhost:${server.address().port}/`;

const { Agent } = await import(process.env.AGENT ?? 'node:https');
const agent = new Agent({ ca, cert, key, keepAlive: true });
console.log((await axios.post(url, body, { httpsAgent: agent })).data);
console.log((await axios.get(url, { httpsAgent: agent })).data);
console.log(await got.post(url, { body, agent: { https: agent } }).text());
const https = { certificateAuthority: ca, certificate: cert, key };
console.log(await got(url, { https }).text());
const isRefused = ({ code }) => console.log(code);
await axios.get(url).catch(isRefused);
await got(url, { retry: { limit: 0 } }).catch(isRefused);
agent.destroy();
server.close();
server.closeAllConnections();
