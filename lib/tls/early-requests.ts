// Requests in early data. An attacker may have sent them again, so only those go on at once that change nothing:
// RFC 8470. Others wait until the handshake is done.
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { asyncError } from '../base/errors';

const EVENTS: readonly unknown[] = ['request', 'checkContinue', 'checkExpectation', 'upgrade', 'connect'];
const SAFE_METHODS: readonly unknown[] = ['GET', 'HEAD', 'OPTIONS', 'TRACE'];
const MOST_HELD = 100;

const heldOf = new WeakMap<Socket, (() => void)[]>();

/** Whether an event of a server has to wait; `emit` runs when it need not any more. */
export function waitsForHandshake(event: string | symbol, args: readonly unknown[], emit: () => void): boolean {
  if (!EVENTS.includes(event)) return false;
  const request = args[0] as IncomingMessage | undefined;
  const socket = request?.socket;
  if (request === undefined || socket === undefined || !isEarly(socket)) return false;
  // Requests keep their order.
  if (event === 'request' && isSafe(request) && !heldOf.has(socket)) return false;
  hold(socket, emit);
  return true;
}

// No class is asked: the socket may be of another copy of this package.
function isEarly(socket: Socket & { isEarlyData?: unknown }): boolean {
  return socket.isEarlyData === true;
}

function isSafe({ method, headers }: IncomingMessage): boolean {
  const { 'content-length': size = '0', 'transfer-encoding': encoding } = headers;
  return SAFE_METHODS.includes(method) && size === '0' && encoding === undefined;
}

function hold(socket: Socket, emit: () => void): void {
  if (socket.destroyed) return;
  let held = heldOf.get(socket);
  if (held === undefined) {
    heldOf.set(socket, (held = []));
    socket.prependOnceListener('secure', () => {
      heldOf.delete(socket);
      emitAll(socket, held as (() => void)[]);
    });
  }
  if (held.length < MOST_HELD) held.push(emit);
  else socket.destroy(asyncError('ERR_ASYNC_QUEUE_FULL', 'Too many requests wait for the end of the handshake'));
}

// A listener that throws keeps no other request.
function emitAll(socket: Socket, held: readonly (() => void)[]): void {
  for (const emit of held) {
    if (socket.destroyed) return;
    try {
      emit();
    } catch (error) {
      process.nextTick(() => {
        throw error;
      });
    }
  }
}
