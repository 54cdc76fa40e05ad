// Whose socket it is: a server's, or a client's.
import { TlsPlace, type TlsEvent } from '../native/contract/tables';
import type { NativeTlsSummary } from '../native/contract/tls';
import type { ReadBuffer } from './read-buffer';

/** What a socket wants of its server, or of the client whose socket it is. */
export interface SocketOwner<Socket> {
  readonly allowHalfOpen: boolean;
  /** As streams have it. */
  readonly highWaterMark?: number | undefined;
  /** The caller's memory for plaintext; undefined where it is read as from other streams. */
  readonly readBuffer?: ReadBuffer | undefined;
  /** Undefined for a server. */
  readonly client?: ClientSide;
  /** Of a server: whether clients are asked for their certificate, and have to be welcome. */
  readonly verification?: Verification;
  /** Of a server: the handshake is done, behind early data. */
  completed?(socket: Socket): void;
  /** The connection is closed. */
  left(socket: Socket): void;
  /** An error before the handshake was done. The socket is to be destroyed. */
  handshakeFailed(error: Error, socket: Socket): void;
  /** A later handshake is done, or could not begin. */
  renegotiated(hasFailed: boolean, socket: Socket): void;
  /** Of a server: the client has begun a later handshake, which goes on unless the socket is destroyed. */
  renegotiating?(socket: Socket): void;
  /** The error of a handshake whose peer has left without a reason. */
  hungUp(): Error;
}

/** What becomes of clients' certificates. */
export interface Verification {
  readonly requests: boolean;
  readonly rejects: boolean;
}

/** What a socket wants of its client. */
export interface ClientSide {
  /** The server was not welcome. */
  readonly isRefused: boolean;
  /** Native code tells: the kinds `secure`, `keyLog` with its line, `newSessions` and `status`. */
  told(kind: TlsEvent, line: Buffer | undefined): void;
  connect(args: readonly unknown[]): void;
  enableTrace(): void;
  setServername(name: string): void;
  setSession(session: string | NodeJS.ArrayBufferView): void;
  /** As callers have it, of OpenSSL's encoding. */
  namedSession(session: Buffer): Buffer;
  setKeyCert(context: unknown): void;
}

/** How the handshake of a connection went. Experimental. */
export interface Handshake {
  /** Where it ran: on the event loop, or on a thread of its own. */
  readonly place: 'loop' | 'thread';
  /** How often it was paused for its key. */
  readonly pauses: number;
  /** From its begin to the last message, in microseconds. */
  readonly micros: number;
  /** Whether an earlier session was resumed. */
  readonly resumed: boolean;
}

export function toHandshake([, , , resumed, place, nanoseconds, pauses]: NativeTlsSummary): Handshake {
  return { place: place === TlsPlace.thread ? 'thread' : 'loop', pauses, micros: nanoseconds / 1000, resumed };
}
