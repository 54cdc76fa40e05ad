// Thousands of clients that connect and say nothing: others are served beside them, and their time runs out.
import { once } from 'node:events';
import { createServer, type Server } from 'openssl-async/tls';
import { close, connectTo, listen, read, selfSigned } from '../support/tls';
import { descriptorLimit, TalkingChild } from '../support/talking-child';

const PROGRAMS = 3;
const EACH = 1000;
const SILENT = PROGRAMS * EACH;
const HANDSHAKE_MS = 8000;

const identity = selfSigned('localhost');

const count = (server: Server): Promise<number> =>
  new Promise((resolve) => {
    server.getConnections((_, connections) => {
      resolve(connections);
    });
  });

test(`${SILENT} silent clients, and one that is served`, async () => {
  const limit = await descriptorLimit();
  if (limit < SILENT + 500) {
    console.log(`Skipped: ${SILENT} connections need more descriptors than ulimit -n allows, ${limit}`);
    return;
  }
  const server = createServer({ ...identity, handshakeTimeout: HANDSHAKE_MS }, (socket) => {
    socket.end('served');
  });
  const errors = new Map<string, number>();
  let failed = 0;
  server.on('tlsClientError', (error) => {
    const { code } = error as { code?: string };
    errors.set(String(code), (errors.get(String(code)) ?? 0) + 1);
    if (++failed === SILENT) server.emit('all failed');
  });
  const allFailed = once(server, 'all failed');
  const port = await listen(server);
  const programs = Array.from({ length: PROGRAMS }, () => {
    return new TalkingChild<object>('tls-silent-clients', [String(port), String(EACH)]);
  });
  for (const program of programs) expect(await program.next()).toEqual({ connected: EACH });
  // They are in the queue of the system at least.
  while ((await count(server)) < SILENT) await new Promise(setImmediate);
  expect([await count(server), failed]).toEqual([SILENT, 0]);

  const began = performance.now();
  const client = await connectTo(port);
  const tookMs = performance.now() - began;
  expect((await read(client)).toString()).toBe('served');
  console.log(`A handshake beside ${SILENT} silent clients took ${tookMs.toFixed(1)} ms`);
  expect(tookMs).toBeLessThan(5000);

  await allFailed;
  expect(Object.fromEntries(errors)).toEqual({ ERR_TLS_HANDSHAKE_TIMEOUT: SILENT });
  for (const program of programs) {
    expect(await program.next()).toEqual({ ended: EACH });
    expect((await program.ended).code).toBe(0);
  }
  expect(await count(server)).toBe(0);
  await close(server);
}, 60_000);
