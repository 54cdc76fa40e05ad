// `node --import openssl-async/register program.js`: servers of node:tls and node:https are this package's, in the whole
// process.
import 'node:http2'; // it makes servers of those that are there when it is loaded
import { syncBuiltinESMExports } from 'node:module';
import nodeHttps = require('node:https');
import nodeTls = require('node:tls');
import { rememberingOptions } from './context';
import * as https from './https';
import * as tls from './tls';

let isRegistered = false;

/** Replaces the servers of Node.js, once. Clients, and contexts of `node:tls`, stay as they are. */
export function register(): void {
  if (isRegistered) return;
  isRegistered = true;
  Object.assign(nodeTls, {
    createServer: tls.createServer,
    Server: tls.Server,
    createSecureContext: rememberingOptions(nodeTls.createSecureContext),
  });
  Object.assign(nodeHttps, { createServer: https.createServer, Server: https.Server });
  syncBuiltinESMExports();
}
