// Requests in early data. An attacker may have sent them again, so only those go on at once that change nothing:
// RFC 8470. Others wait until the handshake is done.
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from './socket';

const EVENTS: readonly unknown[] = ['request', 'checkContinue', 'checkExpectation', 'upgrade', 'connect'];
const SAFE_METHODS: readonly unknown[] = ['GET', 'HEAD', 'OPTIONS', 'TRACE'];

/** Whether an event of a server has to wait; `emit` runs when it need not any more. */
export function waitsForHandshake(event: string | symbol, args: readonly unknown[], emit: () => void): boolean {
  if (!EVENTS.includes(event)) return false;
  const request = args[0] as IncomingMessage | undefined;
  const socket: unknown = request?.socket;
  if (request === undefined || !(socket instanceof TLSSocket) || !socket.isEarlyData) return false;
  // Requests keep their order.
  if (event === 'request' && isSafe(request) && !TLSSocket.hasWaiting(socket)) return false;
  TLSSocket.whenComplete(socket, emit);
  return true;
}

function isSafe({ method, headers }: IncomingMessage): boolean {
  const { 'content-length': size = '0', 'transfer-encoding': encoding } = headers;
  return SAFE_METHODS.includes(method) && size === '0' && encoding === undefined;
}
