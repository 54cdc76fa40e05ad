// The channels `openssl-async:tls:handshake:…` of node:diagnostics_channel, which are a TracingChannel's.
import { channel } from 'node:diagnostics_channel';
import type { TLSSocket } from './socket';
import type { Handshake } from './socket-owner';

/** The message of the channels `openssl-async:tls:handshake:…`: the same object for all events of one handshake. */
export interface HandshakeMessage {
  /** The server. */
  server: unknown;
  /** The connection. */
  socket: TLSSocket;
  /** How it went; undefined before its end, and when it failed. */
  handshake?: Handshake;
  /** Why it failed. */
  error?: unknown;
}

const channels = {
  start: channel('openssl-async:tls:handshake:start'),
  end: channel('openssl-async:tls:handshake:end'),
  asyncStart: channel('openssl-async:tls:handshake:asyncStart'),
  asyncEnd: channel('openssl-async:tls:handshake:asyncEnd'),
  error: channel('openssl-async:tls:handshake:error'),
};

const messages = new WeakMap<TLSSocket, HandshakeMessage>();

/** Whether somebody wants to hear of handshakes that begin now. */
export function tracesHandshakes(): boolean {
  return Object.values(channels).some(({ hasSubscribers }) => hasSubscribers);
}

/** A client has connected. Call it in the context of the connection, as the next function. */
export function tellBegin(server: unknown, socket: TLSSocket): void {
  const message: HandshakeMessage = { server, socket };
  messages.set(socket, message);
  channels.start.publish(message);
  channels.end.publish(message);
}

/** The handshake is over. Without effect when its begin was not told. */
export function tellEnd(socket: TLSSocket, error?: Error): void {
  const message = messages.get(socket);
  if (message === undefined) return;
  messages.delete(socket);
  if (error === undefined) {
    if (socket.handshake !== undefined) message.handshake = socket.handshake;
  } else {
    message.error = error;
    channels.error.publish(message);
  }
  channels.asyncStart.publish(message);
  channels.asyncEnd.publish(message);
}
