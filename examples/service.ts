// A service with express, ws, undici and ioredis. The next line makes all of its connections of TLS this package's; without
// it they are Node.js's, and the program prints the same.
import 'openssl-async/register';
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { Redis } from 'ioredis';
import { Agent, request } from 'undici';
import { WebSocket, WebSocketServer } from 'ws';

interface Settings {
  /** Where a Redis with TLS listens. */
  redisPort: number;
  /** PEM: the servers' authority, and this service's certificate and key. */
  ca: string;
  cert: string;
  key: string;
}

async function main({ redisPort, ca, cert, key }: Settings): Promise<void> {
  const redis = new Redis({ host: 'localhost', port: redisPort, tls: { ca, cert, key } });
  const events = redis.duplicate();
  await events.subscribe('notes');

  const app = express();
  app.use(express.json());
  app.post('/notes', async (incoming, outgoing) => {
    const { text } = incoming.body as { text: string };
    const count = await redis.rpush('notes', text);
    await redis.publish('notes', text);
    outgoing.status(201).json({ count });
  });
  app.get('/notes', async (_, outgoing) => {
    outgoing.json(await redis.lrange('notes', 0, -1));
  });

  const server = createServer({ cert, key }, app);
  const sockets = new WebSocketServer({ server });
  events.on('message', (_, text: string) => {
    for (const socket of sockets.clients) socket.send(text);
  });
  server.listen(0, 'localhost');
  await once(server, 'listening');
  const address = `localhost:${(server.address() as AddressInfo).port}`;

  // Its clients.
  const socket = new WebSocket(`wss://${address}/`, { ca });
  await once(socket, 'open');
  const dispatcher = new Agent({ connect: { ca } });
  for (const text of ['first', 'second']) {
    const heard = once(socket, 'message') as Promise<[Buffer]>;
    const { statusCode, body } = await request(`https://${address}/notes`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ text }),
      dispatcher,
    });
    console.log(statusCode, await body.json(), String((await heard)[0]));
  }
  const { body } = await request(`https://${address}/notes`, { dispatcher });
  console.log(await body.json());

  socket.close();
  await once(socket, 'close');
  await dispatcher.close();
  await redis.del('notes');
  await Promise.all([redis.quit(), events.quit()]);
  sockets.close();
  server.close();
}

void main(JSON.parse(process.env.SERVICE ?? '{}') as Settings);
