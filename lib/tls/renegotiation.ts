// Later handshakes of a connection: renegotiation before TLS 1.3, and with it a server's request for the client's
// certificate.
import * as nodeTls from 'node:tls';
import { invalidArgType, nodeError, opensslError } from '../base/errors';
import { validateFunction } from '../base/validators';
import { connections } from './connections';
import { isDropIn } from './drop-in';
import { hungUp, opensslFailure, verifyError } from './failures';
import type { Verification } from './socket-owner';
import { SocketStream } from './socket-stream';

/** What `socket.renegotiate()` takes. */
export interface RenegotiationOptions {
  /** Whether a server asks the client for its certificate. Default: as before. */
  requestCert?: boolean;
  /** Whether the connection ends when that certificate is missing, or not welcome. Default: as before. */
  rejectUnauthorized?: boolean;
}
export type RenegotiationCallback = (error: Error | null) => void;

const NOTHING: Verification = { requests: false, rejects: false };
// Of sockets whose callers have asked for something else than their server.
const verifications = new WeakMap<SocketStream, Verification>();
// What held before, where a thread may still refuse what was asked for; how often somebody has asked since.
const undecided = new WeakMap<SocketStream, { before: Verification | undefined; times: number }>();
const waiting = new WeakMap<SocketStream, Set<RenegotiationCallback>>();
// Of clients that have begun one: how many within Node's window, and when the last one.
const begun = new WeakMap<SocketStream, { times: number; lastMs: number }>();
const disabled = new WeakSet<SocketStream>();

/** As `socket.renegotiate()`. */
export function renegotiate(
  socket: SocketStream,
  options: unknown,
  callback: RenegotiationCallback | undefined,
): boolean | undefined {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw invalidArgType('options', 'of type object', options);
  if (callback !== undefined) validateFunction(callback, 'callback');
  const { requestCert, rejectUnauthorized } = options as { requestCert?: unknown; rejectUnauthorized?: unknown };
  if (socket.destroyed) return undefined;
  const error = begin(socket, requestCert, rejectUnauthorized);
  if (callback === undefined) return error === undefined;
  if (error === undefined) wait(socket, callback);
  else process.nextTick(callback, error);
  return error === undefined;
}

// The error where no handshake begins.
function begin(socket: SocketStream, requestCert: unknown, rejectUnauthorized: unknown): Error | undefined {
  if (!SocketStream.isEstablished(socket) || socket.secureConnecting)
    return nodeError('ERR_TLS_INVALID_STATE', 'TLS socket connection must be securely established');
  const before = verifications.get(socket) ?? SocketStream.ownerOf(socket).verification ?? NOTHING;
  const verification = {
    requests: requestCert === undefined ? before.requests : Boolean(requestCert),
    rejects: rejectUnauthorized === undefined ? before.rejects : Boolean(rejectUnauthorized),
  };
  const { requests, rejects } = verification;
  const lines = connections().native.renegotiate(SocketStream.idOf(socket), requests, requests && rejects);
  if (lines.length > 0) return opensslError(lines, 'ERR_SSL_');
  const asked = undecided.get(socket) ?? { before: verifications.get(socket), times: 0 };
  undecided.set(socket, { ...asked, times: asked.times + 1 });
  verifications.set(socket, verification);
  SocketStream.flush(socket);
  return undefined;
}

// Until the handshake is done, or the connection ends. Node.js does not tell of that.
function wait(socket: SocketStream, callback: RenegotiationCallback): void {
  const callbacks = waiting.get(socket) ?? new Set();
  waiting.set(socket, callbacks);
  const done = (error: Error | null): void => {
    callbacks.delete(done);
    socket.removeListener('close', onClose);
    callback(error);
  };
  const onClose = (): void => {
    if (!isDropIn()) done(socket.errored ?? hungUp());
  };
  callbacks.add(done);
  socket.once('close', onClose);
}

// Of several requests at a time, nobody knows which one was refused: the last one counts.
function decide(socket: SocketStream, hasFailed: boolean): void {
  const { before, times } = undecided.get(socket) ?? { before: undefined, times: 0 };
  undecided.delete(socket);
  if (!hasFailed || times !== 1) return;
  if (before === undefined) verifications.delete(socket);
  else verifications.set(socket, before);
}

/** Native code tells that the handshake is done, or that none has begun. `verify` gives the error of an unwelcome peer. */
export function tellRenegotiated(socket: SocketStream, hasFailed: boolean, verify: () => Error | null): void {
  decide(socket, hasFailed);
  const error = hasFailed ? opensslFailure(connections().native.failure(SocketStream.idOf(socket))) : verify();
  if (error === null && !socket.destroyed) socket.emit('secure');
  // Those who ask again wait for the next one.
  if (!socket.destroyed || error !== null) for (const done of [...(waiting.get(socket) ?? [])]) done(error);
}

/** The error of a client who is not welcome any more. */
export function verifyClient(socket: SocketStream): Error | null {
  const { requests, rejects } = verifications.get(socket) ?? SocketStream.ownerOf(socket).verification ?? NOTHING;
  if (!requests) return null;
  const { native } = connections();
  const [, , result = -1] = native.summary(SocketStream.idOf(socket)) ?? [];
  const error = verifyError(result, (number) => native.verifyReason(number));
  socket.authorized = error === undefined;
  socket.authorizationError = error?.code ?? null;
  if (error === undefined || !rejects) return null;
  socket.destroy();
  return error;
}

// --- Begun by clients

/** As `socket.disableRenegotiation()`. */
export function disableRenegotiation(socket: SocketStream): void {
  if (SocketStream.ownerOf(socket).client === undefined) disabled.add(socket);
  else connections().native.forbidRenegotiation(SocketStream.idOf(socket));
}

// Node's rule: each attempt begins the window again.
function faultOfClient(socket: SocketStream): Error | undefined {
  const now = performance.now();
  const { times, lastMs } = begun.get(socket) ?? { times: 0, lastMs: now };
  const isInWindow = now - lastMs < nodeTls.CLIENT_RENEG_WINDOW * 1000;
  const count = isInWindow ? times + 1 : 1;
  begun.set(socket, { times: count, lastMs: now });
  if (count > nodeTls.CLIENT_RENEG_LIMIT)
    return nodeError('ERR_TLS_SESSION_ATTACK', 'TLS session renegotiation attack detected');
  if (disabled.has(socket))
    return nodeError('ERR_TLS_RENEGOTIATION_DISABLED', 'TLS session renegotiation disabled for this socket');
  return undefined;
}

/** A client has begun a handshake. One that may not is sent nothing more; its socket has the error and closes without, as Node's. */
export function limitRenegotiation(socket: SocketStream): void {
  const fault = faultOfClient(socket);
  if (fault === undefined) return;
  try {
    socket.emit('error', fault);
  } finally {
    socket.destroy();
  }
}
