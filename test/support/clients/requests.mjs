// A program that knows nothing of this package: axios and got, to a server of node:https in the process. AGENT is the module
// whose agent they use, where they are given one.
import axios from 'axios';
import got from 'got';
import { body, ca, cert, key, server, url } from './counting-server.mjs';

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
