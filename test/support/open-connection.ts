// Both ends of a connection of TLS that is open, for tests of later handshakes.
import { once } from 'node:events';
import type * as nodeTls from 'node:tls';
import { connect, createServer, type ConnectionOptions, type TlsOptions } from '../../lib/tls/tls';
import { close, listen } from './tls';

export interface OpenConnection {
  server: nodeTls.Server;
  /** The client's end. */
  near: nodeTls.TLSSocket;
  /** The server's end. */
  far: nodeTls.TLSSocket;
}

/** A connection that is open. The client's last message of the handshake has come. */
export async function openConnection(
  options: TlsOptions,
  client: ConnectionOptions,
  make: (options: ConnectionOptions) => nodeTls.TLSSocket = connect,
  makeServer: (options: TlsOptions) => nodeTls.Server = createServer,
): Promise<OpenConnection> {
  const server = makeServer(options);
  const secure = once(server, 'secureConnection') as Promise<[nodeTls.TLSSocket]>;
  const near = make({ ...client, port: await listen(server) });
  near.on('error', () => undefined);
  await once(near, 'secureConnect');
  const [far] = await secure;
  far.on('error', () => undefined);
  return { server, near, far };
}

export interface Asked {
  readonly result: boolean | undefined;
  readonly error: (Error & { code?: string }) | null;
}

/** What comes of `renegotiate()`. */
export const ask = (socket: nodeTls.TLSSocket, options: object = { requestCert: true }): Promise<Asked> =>
  new Promise((resolve) => {
    const result = socket.renegotiate(options, (error) => {
      resolve({ result, error });
    });
  });

export const closing = (socket: nodeTls.TLSSocket): Promise<void> =>
  new Promise((resolve) => {
    socket.once('close', () => {
      resolve();
    });
  });

export async function exchange(from: nodeTls.TLSSocket, to: nodeTls.TLSSocket, text: string): Promise<void> {
  const data = once(to, 'data') as Promise<[Buffer]>;
  from.write(text);
  expect(String((await data)[0])).toBe(text);
}

export async function endBoth({ server, near, far }: OpenConnection): Promise<void> {
  near.destroy();
  far.destroy();
  await close(server);
}
