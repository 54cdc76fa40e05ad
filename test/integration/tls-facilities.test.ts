// What Node.js does around servers and clients, compared with its own: channels of diagnostics, async contexts, rejected
// promises of listeners, addresses to choose from.
import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { EventEmitter, once } from 'node:events';
import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http';
import * as nodeHttps from 'node:https';
import type { Server as NetServer } from 'node:net';
import * as nodeTls from 'node:tls';
import * as https from '../../lib/tls/https';
import * as tls from '../../lib/tls/tls';
import { close, listen, selfSigned } from '../support/tls';

const identity = selfSigned('localhost');
const trusting = { ca: identity.cert, servername: 'localhost', host: '127.0.0.1' };

interface Kind {
  https: typeof nodeHttps;
  tls: typeof nodeTls;
}
const NODES: Kind = { https: nodeHttps, tls: nodeTls };
const OURS = { https, tls } as unknown as Kind;

/** Both kinds do the same. */
async function expectSame<T>(body: (kind: Kind) => Promise<T>): Promise<T> {
  const nodes = await body(NODES);
  const ours = await body(OURS);
  expect(ours).toEqual(nodes);
  return ours;
}

async function ask(kind: Kind, port: number, options: nodeHttps.RequestOptions = {}): Promise<[number, string]> {
  const request = kind.https.get({ ...trusting, agent: false, ...options, port });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  let body = '';
  for await (const chunk of response.setEncoding('utf8')) body += String(chunk);
  return [response.statusCode as number, body];
}

test('channels of http and net', async () => {
  const names = ['http.client.request.start', 'http.client.response.finish'].concat(
    'http.server.request.start',
    'http.server.response.finish',
  );
  const told = await expectSame(async (kind) => {
    const heard: string[] = [];
    const hear = (message: unknown, name: string | symbol): void => {
      const { request, socket } = message as { request?: { method?: string }; socket?: { encrypted?: boolean } };
      heard.push([name, request?.method, socket?.encrypted].join(' '));
    };
    for (const name of names) subscribe(name, hear);
    const server = kind.https.createServer(identity, (_, response) => response.end('x'));
    expect(await ask(kind, await listen(server))).toEqual([200, 'x']);
    await close(server);
    for (const name of names) unsubscribe(name, hear);
    return heard.sort();
  });
  expect(told).toHaveLength(names.length);
});

test('async contexts of requests, responses and sockets', async () => {
  const storage = new AsyncLocalStorage<string>();
  const told = await expectSame(async (kind) => {
    const heard: Record<string, unknown> = {};
    const note = (event: string): void => {
      heard[event] = storage.getStore();
    };
    const server = storage.run('listener', () =>
      kind.https.createServer(identity, (request: IncomingMessage, response: ServerResponse) => {
        note('request');
        storage.run('request', () => {
          response.on('finish', () => {
            note('finish');
          });
          request.resume();
          setImmediate(() => response.end('x'));
        });
      }),
    );
    const port = await storage.run('listen', () => listen(server));
    await storage.run('client', async () => {
      const request = kind.https.request({ ...trusting, agent: false, method: 'POST', port });
      request.on('socket', (socket) => {
        socket.on('secureConnect', () => {
          note('secureConnect');
        });
        socket.on('close', () => {
          note('socket close');
        });
      });
      request.end('body');
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      const closed = once(response.socket, 'close');
      response.on('end', () => {
        note('response end');
      });
      response.resume();
      await closed;
    });
    await close(server);
    return heard;
  });
  expect(told).toMatchObject({ finish: 'request', 'response end': 'client' });
});

describe('a rejected promise of a listener', () => {
  beforeAll(() => {
    EventEmitter.captureRejections = true;
  });
  afterAll(() => {
    EventEmitter.captureRejections = false;
  });

  test('destroys the connection', async () => {
    const events = await expectSame(async (kind) => {
      const heard: string[] = [];
      const server = kind.tls.createServer(identity);
      const rejecting = async (socket: nodeTls.TLSSocket): Promise<void> => {
        socket.on('error', (error: Error) => heard.push(error.message)).on('close', () => heard.push('close'));
        await Promise.reject(new Error('thrown by a listener'));
      };
      server.on('secureConnection', rejecting as (socket: nodeTls.TLSSocket) => void);
      const port = await listen(server);
      const client = kind.tls.connect({ ...trusting, port }).on('error', () => undefined);
      client.resume();
      await new Promise((resolve) => client.once('close', resolve));
      await close(server);
      return heard;
    });
    expect(events).toEqual(['thrown by a listener', 'close']);
  });
});

test('of several addresses, one that answers is taken', async () => {
  const answer = await expectSame(async (kind) => {
    const server = kind.https.createServer(identity, (_, response) => response.end('x'));
    const port = await listen(server);
    const answered = await ask(kind, port, {
      host: 'localhost',
      autoSelectFamily: true,
      lookup: (_name, _options, done) => {
        const addresses = [
          { address: '::1', family: 6 },
          { address: '127.0.0.1', family: 4 },
        ];
        (done as (error: null, addresses: object[]) => void)(null, addresses);
      },
    } as nodeHttps.RequestOptions);
    await close(server);
    return answered;
  });
  expect(answer).toEqual([200, 'x']);
});

test('a server is disposed of by its symbol', async () => {
  const results = await expectSame(async (kind) => {
    const servers: (NetServer | HttpServer)[] = [kind.tls.createServer(identity), kind.https.createServer(identity)];
    const states: boolean[] = [];
    for (const server of servers) {
      await listen(server);
      const dispose = (server as unknown as Record<symbol, (() => Promise<void>) | undefined>)[
        (Symbol as unknown as { asyncDispose: symbol }).asyncDispose
      ];
      await dispose?.call(server);
      states.push(server.listening);
      if (server.listening) await close(server);
    }
    return states;
  });
  expect(results).toEqual([false, false]);
});
