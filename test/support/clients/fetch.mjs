// A program that knows nothing of this package: fetch of Node.js and undici, to a server of node:https in the process.
import { Agent, fetch as undiciFetch, request } from 'undici';
import { body, ca, cert, key, server, url } from './counting-server.mjs';

const dispatcher = new Agent({ connect: { ca, cert, key } });
console.log(await (await fetch(url, { method: 'POST', body, dispatcher })).text());
console.log(await (await undiciFetch(url, { method: 'POST', body, dispatcher })).text());
console.log(await (await request(url, { dispatcher })).body.text());
await fetch(url).catch(({ cause }) => console.log(cause.code));
await dispatcher.close();
server.close();
