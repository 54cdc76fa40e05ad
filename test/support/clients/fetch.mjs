// A program that knows nothing of this package: fetch of Node.js and undici, to a server of node:https in the process.
import { once } from 'node:events';
import { createServer } from 'node:https';
import { Agent, fetch as undiciFetch, request } from 'undici';

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

const dispatcher = new Agent({ connect: { ca, cert, key } });
console.log(await (await fetch(url, { method: 'POST', body, dispatcher })).text());
console.log(await (await undiciFetch(url, { method: 'POST', body, dispatcher })).text());
console.log(await (await request(url, { dispatcher })).body.text());
await fetch(url).catch(({ cause }) => console.log(cause.code));
await dispatcher.close();
server.close();
