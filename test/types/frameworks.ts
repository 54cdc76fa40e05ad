// Checked by `npm run test:types`; never run. Servers take the applications of frameworks, and go where they take servers.
import { expectTypeOf } from 'expect-type';
import { getRequestListener, serve } from '@hono/node-server';
import express from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import Koa from 'koa';
import { WebSocketServer } from 'ws';
import type * as nodeHttp2 from 'node:http2';
import { createSecureServer } from '../../lib/tls/http2';
import { attach, createServer, Server } from '../../lib/tls/https';
import { createServer as createTlsServer } from '../../lib/tls/tls';

const options = { key: '', cert: '' };

expectTypeOf(createServer(options, express())).toEqualTypeOf<Server>();
expectTypeOf(createServer(express())).toEqualTypeOf<Server>();
expectTypeOf(new Server(options, express())).toEqualTypeOf<Server>();
/* eslint-disable @typescript-eslint/no-misused-promises -- node:http's listeners are the same */
expectTypeOf(createServer(options, new Koa().callback())).toEqualTypeOf<Server>();
expectTypeOf(createServer(options, getRequestListener(new Hono().fetch))).toEqualTypeOf<Server>();
/* eslint-enable @typescript-eslint/no-misused-promises */

serve({ fetch: new Hono().fetch, createServer, serverOptions: options });

const app = fastify({ serverFactory: (handler) => createServer(options, handler) });
expectTypeOf(app.server).toExtend<Server>();
attach(fastify().server, options);

expectTypeOf(createSecureServer(options)).toExtend<nodeHttp2.Http2SecureServer>();
createSecureServer(
  { ...options, allowHTTP1: true, threads: 2, settings: { enablePush: false } },
  (incoming, response) => {
    expectTypeOf(incoming).toEqualTypeOf<nodeHttp2.Http2ServerRequest>();
    response.stream.pushStream({}, () => undefined);
  },
);

new WebSocketServer({ server: createServer(options) });
createTlsServer(options, (socket) => {
  new WebSocketServer({ noServer: true }).handleUpgrade(null as never, socket, Buffer.alloc(0), () => undefined);
});
