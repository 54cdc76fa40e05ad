// Requests of openssl-async/https and of undici by our connections, beside node:https in the same test.
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import * as nodeHttps from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { Agent as UndiciAgent, fetch, request as undiciRequest } from 'undici';
import * as https from '../../lib/tls/https';
import { createSecureContext, TLSSocket as OurSocket, undiciConnector } from '../../lib/tls/tls';
import { close, listen, read, selfSigned } from '../support/tls';

const identity = selfSigned('localhost');

/** What a server has seen of a request. */
interface Seen {
  port: number;
  resumed: boolean;
  servername: string | false;
  protocol: string | false;
  size: number;
}

let server: nodeHttps.Server;
let port: number;
beforeAll(async () => {
  server = nodeHttps.createServer(identity, (asked, answer) => {
    let size = 0;
    asked.on('data', (chunk: Buffer) => (size += chunk.length));
    asked.on('end', () => {
      const socket = asked.socket as TLSSocket & { servername: string | false };
      const { remotePort, servername, alpnProtocol } = socket;
      answer.end(
        JSON.stringify({
          port: remotePort,
          resumed: socket.isSessionReused(),
          servername,
          protocol: alpnProtocol,
          size,
        }),
      );
    });
  });
  port = await listen(server);
});
afterAll(() => close(server));

const base = { host: '127.0.0.1', servername: 'localhost', ca: identity.cert };

interface Answer extends Seen {
  /** Whether the connection is one of ours. */
  isOurs: boolean;
  wasReused: boolean;
}

type Request = typeof nodeHttps.request;

async function ask(request: Request, options: nodeHttps.RequestOptions, body?: Buffer): Promise<Answer> {
  const sent = request({ ...base, port, ...options });
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const isOurs = response.socket instanceof OurSocket;
  const seen = JSON.parse((await read(response)).toString()) as Seen;
  await new Promise(setImmediate); // the connection is free, or closed
  return { ...seen, isOurs, wasReused: sent.reusedSocket };
}

const agentOf = (options: https.AgentOptions): nodeHttps.Agent => new https.Agent(options);
const ours = https.request;

test('requests by an agent that keeps connections use one, and node:https takes the agent, too', async () => {
  const agent = agentOf({ keepAlive: true });
  const first = await ask(ours, { agent });
  const second = await ask(nodeHttps.request, { agent, method: 'POST' }, Buffer.alloc(200_000));
  expect([first.isOurs, first.wasReused, second.isOurs, second.wasReused]).toEqual([true, false, true, true]);
  expect([second.port, second.size]).toEqual([first.port, 200_000]);
  agent.destroy();
});

test('an agent gives later connections the session of the first, and forgets the oldest', async () => {
  for (const make of [agentOf, (options: nodeHttps.AgentOptions) => new nodeHttps.Agent(options)]) {
    const checkServerIdentity = () => undefined;
    const agent = make({ maxCachedSessions: 1, checkServerIdentity });
    const resumed: boolean[] = [];
    for (const servername of ['localhost', 'localhost', 'other.test', 'localhost']) {
      resumed.push((await ask(ours, { agent, servername })).resumed);
    }
    expect(resumed).toEqual([false, true, false, false]);
  }
});

test('whoever checks servers in a way of its own gets no connection and no session that others have checked', async () => {
  for (const keepAlive of [true, false]) {
    const agent = agentOf({ keepAlive });
    const accepting = () => undefined;
    const first = await ask(ours, { agent, checkServerIdentity: accepting });
    const again = await ask(ours, { agent, checkServerIdentity: accepting });
    expect([first.wasReused, again.wasReused, again.resumed]).toEqual([false, keepAlive, false]);
    const rejecting = () => new Error('not this one');
    await expect(ask(ours, { agent, checkServerIdentity: rejecting })).rejects.toThrow('not this one');
    expect((await ask(ours, { agent })).wasReused).toBe(false);
    agent.destroy();
  }
});

test('whoever has awaited the end of a response can ask its socket', async () => {
  for (const request of [https.get, nodeHttps.get]) {
    const sent = request({ ...base, port, agent: agentOf({}) });
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    await read(response);
    const socket = response.socket as TLSSocket;
    expect([socket.destroyed, socket.getPeerCertificate().subject.CN]).toEqual([false, 'localhost']);
    await once(socket, 'close');
  }
});

test('names that servers are asked for are those of node:https', async () => {
  const rows: nodeHttps.RequestOptions[] = [
    { servername: undefined, host: 'localhost', family: 4 },
    { servername: undefined, headers: { host: 'localhost:1' } },
    { servername: undefined, headers: { host: '[::1]:1' }, checkServerIdentity: () => undefined },
    { servername: undefined, checkServerIdentity: () => undefined },
    { servername: '', checkServerIdentity: () => undefined },
  ];
  for (const row of rows) {
    const { servername } = await ask(ours, { ...row, agent: agentOf({}) });
    expect(servername).toBe((await ask(nodeHttps.request, { ...row, agent: new nodeHttps.Agent() })).servername);
  }
});

test('names of connections are those of node:https, and tell contexts apart', () => {
  const agent = agentOf({});
  const options = { host: 'a.test', port: 443, ca: 'ca', cert: 'cert', key: 'key', servername: 'b.test', family: 6 };
  expect(agent.getName(options)).toBe(new nodeHttps.Agent().getName(options));
  expect(agent.getName()).toBe(new nodeHttps.Agent().getName());
  const [one, two] = [createSecureContext(), createSecureContext()].map((secureContext) =>
    agent.getName({ ...options, secureContext } as nodeHttps.RequestOptions),
  );
  expect(one).not.toBe(two);
});

test('requests come in the forms of node:https', async () => {
  const url = `https://localhost:${String(port)}/`;
  const options = { ca: identity.cert, family: 4 };
  for (const start of [
    () => https.get(url, options),
    () => https.get(new URL(url), options),
    () => https.get({ ...base, port }),
    () => https.request(url, { ...options, agent: false }).end(),
  ]) {
    const sent = start();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    expect(response.socket).toBeInstanceOf(OurSocket);
    await read(response);
  }
  expect(() => https.request('no address')).toThrow(expect.objectContaining({ code: 'ERR_INVALID_URL' }) as Error);
  expect(() => https.request({ protocol: 'http:' })).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_PROTOCOL' }) as Error,
  );
  https.globalAgent.destroy();
});

test('an agent can be made without `new`, and subclassed', async () => {
  const made = (https.Agent as unknown as () => nodeHttps.Agent)();
  expect(made).toBeInstanceOf(https.Agent);
  expect(made).toBeInstanceOf(nodeHttps.Agent);
  class Own extends https.Agent {}
  expect((await ask(ours, { agent: new Own() })).isOurs).toBe(true);
});

test('a certificate that is not welcome fails the request, as with node:https', async () => {
  const outcomes = [];
  for (const [request, agent] of [
    [ours, agentOf({})],
    [nodeHttps.request, new nodeHttps.Agent()],
  ] as const) {
    const sent = request({ ...base, port, agent, ca: undefined });
    const [error] = (await once(sent.end(), 'error')) as [NodeJS.ErrnoException];
    outcomes.push([error.code, error.message]);
  }
  expect(outcomes[0]).toEqual(outcomes[1]);
});

describe('undici', () => {
  const url = (): string => `https://localhost:${String((server.address() as AddressInfo).port)}/`;

  test('requests and fetch go by our connections, which resume sessions', async () => {
    const dispatcher = new UndiciAgent({ connect: undiciConnector({ ca: identity.cert }), pipelining: 0 });
    const seen: Seen[] = [];
    for (let i = 0; i < 2; ++i) {
      const { body } = await undiciRequest(url(), { dispatcher, method: 'POST', body: 'x', reset: true });
      seen.push((await body.json()) as Seen);
    }
    expect(seen.map(({ resumed, servername, protocol, size }) => [resumed, servername, protocol, size])).toEqual([
      [false, 'localhost', 'http/1.1', 1],
      [true, 'localhost', 'http/1.1', 1],
    ]);
    expect(((await (await fetch(url(), { dispatcher })).json()) as Seen).protocol).toBe('http/1.1');
    await dispatcher.close();
  });

  test('hears why there is no connection', async () => {
    for (const [options, code] of [
      [{}, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
      [{ ca: identity.cert, servername: 'other.test' }, 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ] as const) {
      const dispatcher = new UndiciAgent({ connect: undiciConnector(options) });
      await expect(undiciRequest(url(), { dispatcher })).rejects.toMatchObject({ code });
      await dispatcher.close();
    }
  });

  test('wrong options are refused', () => {
    expect(() => undiciConnector({ timeout: -1 })).toThrow(
      expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }) as Error,
    );
    expect(() => undiciConnector({ maxCachedSessions: 'x' as never })).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }) as Error,
    );
  });
});
