// A server of node:https, which says of each request how large it is and whose; and who the clients of a program are.
import { once } from 'node:events';
import { createServer } from 'node:https';

export const { ca, cert, key, server: identity } = JSON.parse(process.env.SERVER);
export const body = 'x'.repeat(2_000_000);

export const server = createServer(
  { ...identity, ca, requestCert: true, rejectUnauthorized: false },
  (incoming, response) => {
    let size = 0;
    incoming.on('data', (chunk) => (size += chunk.length));
    incoming.on('end', () =>
      response.end(`${incoming.method} ${size} ${incoming.socket.getPeerCertificate().subject?.CN}`),
    );
  },
);
server.listen(0, 'localhost');
await once(server, 'listening');

export const url = `https://localhost:${server.address().port}/`;
