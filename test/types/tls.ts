// Checked by `npm run test:types`; never run. What our sockets have, and who takes early data.
import { expectTypeOf } from 'expect-type';
import type * as nodeTls from 'node:tls';
import { connect as connectHttp2 } from '../../lib/tls/http2';
import { Agent } from '../../lib/tls/https';
import { connect, createServer, undiciConnector, type OwnSocketMembers } from '../../lib/tls/tls';

const socket = connect({ earlyData: '' });
expectTypeOf(socket).toExtend<nodeTls.TLSSocket>();
expectTypeOf(socket.isEarlyData).toBeBoolean();
expectTypeOf(socket.earlyDataAccepted).toBeBoolean();
expectTypeOf(socket.handshakeComplete()).toEqualTypeOf<Promise<void>>();

createServer({}, (accepted) => {
  expectTypeOf(accepted).toExtend<nodeTls.TLSSocket & OwnSocketMembers>();
});
createServer((accepted: nodeTls.TLSSocket) => accepted.end());

// @ts-expect-error -- of connect() alone
undiciConnector({ earlyData: '' });
// @ts-expect-error -- of connect() alone
connectHttp2('https://localhost', { earlyData: '' });
// @ts-expect-error -- of connect() alone
new Agent({ earlyData: '' });
