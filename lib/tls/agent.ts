// Agents of node:https whose connections are this package's.
import { ClientRequest } from 'node:http';
import * as nodeHttps from 'node:https';
import type { Duplex } from 'node:stream';
import { checkServerIdentity } from 'node:tls';
import { URL, urlToHttpOptions } from 'node:url';
import { callable, nodesClass } from './callable';
import { Client } from './client';
import { debugHttps } from './debug';
import { refuseEarlyData, type OwnConnectOptions } from './connect-options';

/** Options of an agent. */
export type AgentOptions = Omit<nodeHttps.AgentOptions, keyof OwnConnectOptions> & OwnConnectOptions;

const NodesAgent = nodesClass(nodeHttps.Agent);

// Parts of agents that subclasses may use; they are the same from Node.js 20 to 26.
interface Sessions {
  _getSession(key: string): Buffer | undefined;
  _cacheSession(key: string, session: Buffer): void;
  _evictSession(key: string): void;
}
interface Options {
  _agentKey?: string;
  proxyEnv?: unknown;
  [name: string]: unknown;
}

/** An agent of HTTPS: `https.Agent` of Node.js, whose connections are this package's. Experimental. */
class HttpsAgent extends NodesAgent {
  /**
   * @param options - as those of `https.Agent` of Node.js, and {@link OwnConnectOptions}. With `proxyEnv`, connections are
   * Node.js's own.
   */
  constructor(options?: AgentOptions) {
    super(options as nodeHttps.AgentOptions | undefined);
  }

  /**
   * The name under which connections and sessions are kept: Node.js's, and the objects of which it knows no text.
   *
   * @param options - of a request
   */
  override getName(options?: nodeHttps.RequestOptions): string {
    const given = (options ?? {}) as Options;
    const check = this.#checkOf(given);
    const checked = check === undefined ? '' : `:check#${String(numberOf(check))}`;
    return super.getName(options) + namesOfObjects(given) + checked;
  }

  // Whoever checks servers in a way of its own gets no connection and no session that somebody else has checked.
  #checkOf({ checkServerIdentity: check }: Options): object | undefined {
    const usual = this.options.checkServerIdentity ?? checkServerIdentity;
    return typeof check === 'function' && check !== usual ? check : undefined;
  }

  /** @internal */
  override createConnection(...args: unknown[]): Duplex {
    if ((this.options as Options).proxyEnv !== undefined) return nodesConnection(this, args);
    const options = readArguments(args);
    refuseEarlyData(options);
    debugHttps('createConnection to %s:%s', options.host, options.port);
    const sessions = this as unknown as Sessions;
    const key = this.#checkOf(options) === undefined ? options._agentKey : undefined;
    const session = key === undefined ? undefined : sessions._getSession(key);
    if (session !== undefined) debugHttps('reuse session for %s:%s', options.host, options.port);
    const socket = Client.connect([session === undefined ? options : { session, ...options }]);
    if (key === undefined) return socket;
    socket.on('session', (made: Buffer) => {
      sessions._cacheSession(key, made);
    });
    socket.once('close', (hadError: boolean) => {
      if (!hadError) return;
      debugHttps('evicting session for %s:%s', options.host, options.port);
      sessions._evictSession(key);
    });
    return socket;
  }
}

Object.defineProperty(HttpsAgent, 'name', { value: 'Agent' });

// `(options)`, `(host, options)` or `(port, host, options)`, as Node.js takes them.
function readArguments([port, host, given]: unknown[]): Options {
  const options = {
    ...([port, host, given].find((each) => typeof each === 'object' && each !== null) ?? {}),
  } as Options;
  if (typeof port === 'number') options.port = port;
  if (typeof host === 'string') options.host = host;
  return options;
}

function nodesConnection(agent: HttpsAgent, args: unknown[]): Duplex {
  const nodes = NodesAgent.prototype as unknown as { createConnection(...args: unknown[]): Duplex };
  return nodes.createConnection.apply(agent, args);
}

let lastNumber = 0;
const numbers = new WeakMap<object, number>();

function numberOf(value: object): number {
  let number = numbers.get(value);
  if (number === undefined) numbers.set(value, (number = ++lastNumber));
  return number;
}

// Keys that are held elsewhere all have the same text: two of them would share connections.
function namesOfObjects({ key, provider, secureContext }: Options): string {
  const objects = [...(Array.isArray(key) ? (key as unknown[]) : [key]), secureContext].filter(
    (each): each is object => typeof each === 'object' && each !== null && !ArrayBuffer.isView(each),
  );
  const names = objects.map((each) => `#${String(numberOf(each))}`);
  if (typeof provider === 'string') names.push(`@${provider}`);
  return names.length === 0 ? '' : `:${names.join('')}`;
}

/** See {@link Agent} of this module; it can be called without `new`. Experimental. */
export const Agent = callable(HttpsAgent, NodesAgent, (self, args) => {
  (NodesAgent as unknown as (...given: unknown[]) => void).call(self, ...args);
});
/** An instance of {@link Agent}. */
export type Agent = HttpsAgent;

/** The agent of requests that name none: as Node.js's own, it keeps connections for five seconds. */
export const globalAgent: Agent = new Agent({ ...nodeHttps.globalAgent.options });

const isUrl = (value: unknown): value is URL => {
  const { href, protocol, auth, path } = (value ?? {}) as Record<string, unknown>;
  return Boolean(href) && Boolean(protocol) && auth === undefined && path === undefined;
};

/** `([url,] [options,] [listener])`, as `https.request()` takes them. */
export function startRequest(args: unknown[]): ClientRequest {
  const rest = [...args];
  const options: Record<string, unknown> = {};
  if (typeof rest[0] === 'string') Object.assign(options, urlToHttpOptions(new URL(rest.shift() as string)));
  else if (isUrl(rest[0])) Object.assign(options, urlToHttpOptions(rest.shift() as URL));
  if (Boolean(rest[0]) && typeof rest[0] !== 'function') Object.assign(options, rest.shift());
  options._defaultAgent = globalAgent;
  const Request = ClientRequest as unknown as new (...given: unknown[]) => ClientRequest;
  return new Request(options, ...rest);
}
