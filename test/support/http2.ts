// Clients of HTTP/2 for tests: those of node:http2.
import { once } from 'node:events';
import * as nodeHttp2 from 'node:http2';
import { read } from './tls';

export interface Answer {
  headers: nodeHttp2.IncomingHttpHeaders;
  trailers: nodeHttp2.IncomingHttpHeaders | undefined;
  body: Buffer;
}

/** A session of a client, which is connected. */
export async function sessionTo(
  port: number,
  options: nodeHttp2.SecureClientSessionOptions = {},
): Promise<nodeHttp2.ClientHttp2Session> {
  const session = nodeHttp2.connect(`https://localhost:${String(port)}`, {
    host: '127.0.0.1',
    rejectUnauthorized: false,
    ...options,
  } as nodeHttp2.SecureClientSessionOptions);
  await once(session, 'connect');
  return session;
}

/** A request, and everything of its answer. */
export async function ask(
  session: nodeHttp2.ClientHttp2Session,
  headers: nodeHttp2.OutgoingHttpHeaders = {},
  body?: Buffer,
): Promise<Answer> {
  const stream = session.request({ ':path': '/', ':method': body === undefined ? 'GET' : 'POST', ...headers });
  let trailers: nodeHttp2.IncomingHttpHeaders | undefined;
  stream.on('trailers', (told: nodeHttp2.IncomingHttpHeaders) => (trailers = told));
  const responded = once(stream, 'response') as Promise<[nodeHttp2.IncomingHttpHeaders]>;
  stream.end(body);
  const [[told], all] = await Promise.all([responded, read(stream)]);
  return { headers: told, trailers, body: all };
}

/** Closes a session; resolves when its socket is closed. */
export async function closeSession(session: nodeHttp2.Http2Session): Promise<void> {
  if (session.destroyed) return;
  session.close();
  await once(session, 'close');
}
