/**
 * `openssl-async/https`: servers and clients of `node:https` whose connections are this package's. Experimental: options, events
 * and names may change before a release says otherwise.
 *
 * @module
 */
import type { ClientRequest, IncomingMessage, RequestListener } from 'node:http';
import * as nodeHttps from 'node:https';
import { startRequest } from './agent';
import { callable, nodesClass } from './callable';
import { addCopier, copyLeftovers } from './chunks';
import { waitsForHandshake } from './early-requests';
import type { NodeServer } from './handle';
import { readHttpsOptions, type HttpsOptions } from './options';
import { ServerCore } from './server-core';
import { defineServerMethods } from './server-methods';

export { Agent, globalAgent, type AgentOptions } from './agent';
export { attach } from './attach';
export { type OwnConnectOptions } from './connect-options';
export { type HttpsOptions } from './options';

const NodesServer = nodesClass(nodeHttps.Server);

// The constructor's work on an object that is there.
function initialise(self: HttpsServer, [options, listener]: unknown[]): void {
  const given = readHttpsOptions(options);
  (NodesServer as unknown as (...args: unknown[]) => void).call(self, given, listener);
  new ServerCore(self as unknown as NodeServer, given);
  addCopier(self);
}

/** A server of HTTPS: `https.Server` of Node.js, whose connections are this package's. Experimental. */
class HttpsServer extends NodesServer {
  /**
   * @param options - as those of `https.createServer()` of Node.js, and {@link OwnServerOptions}
   * @param listener - hears 'request'
   */
  constructor(options?: HttpsOptions, listener?: RequestListener) {
    const given = readHttpsOptions(options);
    super(given as nodeHttps.ServerOptions, listener);
    new ServerCore(this as unknown as NodeServer, given);
    addCopier(this);
  }

  /** @internal */
  override emit(event: string | symbol, ...args: unknown[]): boolean {
    copyLeftovers(event, args);
    const emit = (): boolean => super.emit(event as 'request', ...(args as [never, never]));
    return waitsForHandshake(event, args, emit) || emit();
  }
}

defineServerMethods(HttpsServer);
Object.defineProperty(HttpsServer, 'name', { value: 'Server' });

/** See {@link Server} of this module; it can be called without `new`. Experimental. */
export const Server = callable(HttpsServer, NodesServer, initialise);
/** An instance of {@link Server}. */
export type Server = HttpsServer;

/**
 * Makes a server of HTTPS. Experimental.
 *
 * @param options - see {@link Server}; or the listener
 * @param listener - hears 'request'
 * @returns the server, which does not listen yet
 * @throws with the codes of Node.js for wrong options; `ERR_ASYNC_UNSUPPORTED` where there is no TLS.
 */
export function createServer(options?: HttpsOptions | RequestListener, listener?: RequestListener): Server {
  return typeof options === 'function' ? new Server({}, options) : new Server(options, listener);
}

/**
 * Makes a request of HTTPS, by an agent of this module unless the options name one. Experimental.
 *
 * @param options - as those of `https.request()` of Node.js; or the address
 * @param listener - hears 'response'
 * @returns the request, which `end()` sends
 * @throws with the codes of Node.js for wrong options
 */
export function request(
  options: nodeHttps.RequestOptions | string | URL,
  listener?: (response: IncomingMessage) => void,
): ClientRequest;
/** As above, with an address. */
export function request(
  url: string | URL,
  options: nodeHttps.RequestOptions,
  listener?: (response: IncomingMessage) => void,
): ClientRequest;
export function request(...args: unknown[]): ClientRequest {
  return startRequest(args);
}

/**
 * As {@link request}, for a request without a body, which is sent at once. Experimental.
 *
 * @param options - as those of `https.get()` of Node.js; or the address
 * @param listener - hears 'response'
 * @returns the request
 * @throws with the codes of Node.js for wrong options
 */
export function get(
  options: nodeHttps.RequestOptions | string | URL,
  listener?: (response: IncomingMessage) => void,
): ClientRequest;
/** As above, with an address. */
export function get(
  url: string | URL,
  options: nodeHttps.RequestOptions,
  listener?: (response: IncomingMessage) => void,
): ClientRequest;
export function get(...args: unknown[]): ClientRequest {
  const sent = startRequest(args);
  sent.end();
  return sent;
}
