// `node --import openssl-async/register program.js`: servers and clients of node:tls, node:https and node:http2 are this
// package's, in the whole process.
import type * as nodeHttp2 from 'node:http2';
import type * as nodeHttps from 'node:https';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import type * as nodeTls from 'node:tls';
import { rememberingOptions } from './context';
import { becomeDropIn } from './drop-in';
import * as http2 from './http2'; // Node's makes servers of those that are there when it is loaded
import * as https from './https';
import * as tls from './tls';

let isRegistered = false;

// `new TLSSocket()` of a server makes a socket of ours. The class stays Node's, for `instanceof` and for subclasses. So do
// clients that it makes: whoever makes one has to ask `socket.ssl`, which is Node's, whether the server is welcome.
function makingOurs(NodesSocket: typeof nodeTls.TLSSocket): typeof nodeTls.TLSSocket {
  const made: typeof nodeTls.TLSSocket = new Proxy(NodesSocket, {
    construct(target, args: ConstructorParameters<typeof nodeTls.TLSSocket>, newTarget) {
      if (newTarget === made && args[1]?.isServer === true) return new tls.TLSSocket(...args);
      return Reflect.construct(target, args, newTarget) as object;
    },
  });
  return made;
}

/** Replaces the servers and clients of Node.js, once. Contexts of `node:tls` stay as they are. */
export function register(): void {
  if (isRegistered) return;
  isRegistered = true;
  becomeDropIn();
  // What an import gives cannot be changed.
  const load = createRequire(__filename);
  const ofTls = load('node:tls') as typeof nodeTls;
  Object.assign(ofTls, {
    connect: tls.connect, // node:https calls it, too
    createServer: tls.createServer,
    Server: tls.Server,
    TLSSocket: makingOurs(ofTls.TLSSocket),
    createSecureContext: rememberingOptions(ofTls.createSecureContext),
  });
  const ofHttps = load('node:https') as { -readonly [Name in keyof typeof nodeHttps]: (typeof nodeHttps)[Name] };
  // Node's request() and get() ask it, whoever has replaced it last.
  if (ofHttps.globalAgent.constructor === ofHttps.Agent) ofHttps.globalAgent = https.globalAgent;
  Object.assign(ofHttps, {
    Agent: https.Agent,
    createServer: https.createServer,
    Server: https.Server,
  });
  Object.assign(load('node:http2') as typeof nodeHttp2, {
    connect: http2.connect,
    createSecureServer: http2.createSecureServer,
  });
  syncBuiltinESMExports();
}
