/**
 * `openssl-async/http2`: servers and clients of `node:http2` whose connections this package serves. Experimental: options, events
 * and names may change before a release says otherwise.
 *
 * @module
 */
import * as nodeHttp2 from 'node:http2';
import { markBase, nodesClass } from './callable';
import { addCopier, copyLeftovers } from './chunks';
import type { NodeServer } from './handle';
import { readHttp2Options, type Http2Options } from './options';
import { ServerCore } from './server-core';
import { defineServerMethods } from './server-methods';
import { describeSessions } from './session-members';
import { SessionSocket } from './session-socket';

export { type Http2Options, type OwnServerOptions } from './options';
export { type OwnConnectOptions } from './connect-options';
export { connect, type Http2ConnectOptions, type Http2SessionListener } from './http2-client';
export {
  constants,
  createServer,
  getDefaultSettings,
  getPackedSettings,
  getUnpackedSettings,
  Http2ServerRequest,
  Http2ServerResponse,
  performServerHandshake,
  sensitiveHeaders,
} from 'node:http2';

type Listener = (request: nodeHttp2.Http2ServerRequest, response: nodeHttp2.Http2ServerResponse) => void;
type ServerClass = new (options: object, listener?: Listener) => nodeHttp2.Http2SecureServer;

// Of Node.js, whatever is put in its place later.
const { createSecureServer: createNodesServer } = nodeHttp2;

let ServerOfOurs: ServerClass | undefined;

// Node.js exports no class: one of its servers has it, which takes a few milliseconds.
function serverClass(): ServerClass {
  const NodesServer = nodesClass(createNodesServer({}).constructor as ServerClass);

  class Http2SecureServer extends NodesServer {
    constructor(options: object, listener?: Listener) {
      super(options, listener);
      new ServerCore(this as unknown as NodeServer, options, (socket) => SessionSocket.of(socket));
      describeSessions(this);
      addCopier(this);
    }
    override emit(event: string | symbol, ...args: unknown[]): boolean {
      copyLeftovers(event, args);
      return super.emit(event as 'request', ...(args as [never, never]));
    }
  }
  defineServerMethods(Http2SecureServer);
  markBase(Http2SecureServer, NodesServer);
  return Http2SecureServer;
}

/**
 * Makes a server of HTTP/2 over TLS: `Http2SecureServer` of Node.js, whose connections are this package's. A thread
 * encrypts and decrypts what the sessions of HTTP/2 send and receive. Experimental.
 *
 * @param options - as those of `http2.createSecureServer()` of Node.js, and {@link OwnServerOptions}. With `threads: 0` sessions get their plaintext on the event loop.
 * @param listener - hears 'request'
 * @returns the server, which does not listen yet
 * @throws with the codes of Node.js for wrong options; `ERR_ASYNC_UNSUPPORTED` where there is no TLS.
 */
export function createSecureServer(
  options?: Http2Options,
  listener?: (request: nodeHttp2.Http2ServerRequest, response: nodeHttp2.Http2ServerResponse) => void,
): nodeHttp2.Http2SecureServer {
  ServerOfOurs ??= serverClass();
  return new ServerOfOurs(readHttp2Options(options), listener);
}
