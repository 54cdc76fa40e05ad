// A server without descriptors for more connections: clients wait, and none is lost. (A server of Node.js closes their
// connections.)
import { once } from 'node:events';
import * as net from 'node:net';
import * as nodeTls from 'node:tls';
import { read } from '../support/tls';
import { TalkingChild } from '../support/talking-child';

interface Message {
  port: number;
  busy: number;
  served: number;
}

// Windows has no such limit.
const onPosix = process.platform === 'win32' ? test.skip : test;

async function answerTo(socket: net.Socket, text: string): Promise<string> {
  const client = nodeTls.connect({ socket, rejectUnauthorized: false });
  client.write(text);
  return (await read(client)).toString();
}

async function connect(port: number): Promise<net.Socket> {
  const socket = net.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

const CLIENTS = 60;
const texts = Array.from({ length: CLIENTS }, (_, number) => `client ${number}`);

onPosix('clients wait until descriptors come free, and the server does not spin meanwhile', async () => {
  const server = new TalkingChild<Message>('tls-descriptors', ['none'], 100);
  const { port } = await server.next();
  // The system accepts them: they are connected before the server knows of them.
  const sockets = await Promise.all(texts.map(() => connect(port)));
  let closed = 0;
  for (const socket of sockets) socket.once('close', () => ++closed);
  const answers = Promise.all(sockets.map((socket, number) => answerTo(socket, texts[number] as string)));
  await new Promise((resolve) => setTimeout(resolve, 1000)); // nothing tells that nothing happens
  server.send('still');
  const waiting = await server.next();
  expect([waiting.served, closed]).toEqual([0, 0]);
  expect(waiting.busy).toBeLessThan(0.5);
  server.send('free');
  await server.next();
  expect(await answers).toEqual(texts);
  server.send('end');
  expect((await server.next()).served).toBe(CLIENTS);
  expect(await server.ended).toEqual({ code: 0, signal: null, stderr: '' });
});

onPosix('more clients than descriptors are served one after the other', async () => {
  const server = new TalkingChild<Message>('tls-descriptors', ['few'], 50);
  const { port } = await server.next();
  const many = Array.from({ length: 4 }, () => texts).flat();
  const answers = many.map(async (text) => answerTo(await connect(port), text));
  expect(await Promise.all(answers)).toEqual(many);
  server.send('end');
  expect((await server.next()).served).toBe(many.length);
  expect(await server.ended).toEqual({ code: 0, signal: null, stderr: '' });
});
