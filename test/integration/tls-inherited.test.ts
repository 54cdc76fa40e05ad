// A socket inherits from those of node:tls and node:net, whose methods look for a handle. It has none.
import { once } from 'node:events';
import { createServer, type TLSSocket } from 'openssl-async/tls';
import * as tls from 'openssl-async/tls';
import { close, connectTo, listen, read, selfSigned } from '../support/tls';
import { codeOf } from '../support/unit';

const { unreviewedMembers } = jest.requireActual<{ unreviewedMembers(module: unknown): string[] }>(
  '../support/inherited-members.js',
);

// What only JavaScript sees.
interface Inherited {
  connect(port: number): void;
  setServername(name: string): void;
  setSession(session: Buffer): void;
  setKeyCert(context: unknown): void;
  readonly readyState: string;
  readonly _bytesDispatched: number;
  readonly _connecting: boolean;
  readonly _handle: unknown;
  _getpeername(): object;
  _getsockname(): object;
  _destroySSL(): void;
  _onTimeout(): void;
}

test('every inherited member is overridden or was read', () => {
  expect(unreviewedMembers(tls)).toEqual([]);
});

test('inherited members behave without a handle, and methods of clients leave the connection as it is', async () => {
  const server = createServer(selfSigned('localhost'));
  const port = await listen(server);
  const secure = once(server, 'secureConnection') as Promise<[TLSSocket]>;
  const client = await connectTo(port);
  const [socket] = await secure;
  const inherited = socket as unknown as Inherited;
  expect(codeOf(() => inherited.connect(port))).toBe('ERR_ASYNC_UNSUPPORTED');
  expect(codeOf(() => inherited.setServername('localhost'))).toBe('ERR_TLS_SNI_FROM_SERVER');
  expect(codeOf(() => inherited.setSession(Buffer.alloc(1)))).toBe('ERR_ASYNC_UNSUPPORTED');
  inherited.setKeyCert({}); // without effect, the handshake being done
  expect([inherited.readyState, inherited._connecting, inherited._handle]).toEqual(['open', false, undefined]);
  expect([inherited._getpeername(), inherited._getsockname()]).toEqual([{}, {}]);
  let timeouts = 0;
  socket.on('timeout', () => ++timeouts);
  inherited._onTimeout();
  expect(timeouts).toBe(1);
  inherited._destroySSL();
  socket.end('still there');
  expect(inherited._bytesDispatched).toBe(11);
  expect(inherited.readyState).toBe('readOnly');
  expect((await read(client)).toString()).toBe('still there');
  await close(server);
  expect(inherited.readyState).toBe('closed');
});
