// A socket of node:net that its owner has handed over. Native code reads and writes a copy of its descriptor. The socket
// itself stays below the connection, as with node:tls: neither outlives the other, and traffic keeps its time limit away.
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connections } from './connections';
import { descriptorOf } from './handed-over';
import { StreamTransport } from './stream-transport';
import { TimedStream } from './timed-stream';
import { SocketTransport, type Transport } from './transport';

interface Handle {
  reading: boolean;
  readStart: () => number;
  readStop: () => void;
  ref: () => void;
  unref: () => void;
  hasRef: () => boolean;
}

/** What native code gets of a stream. */
export interface Given {
  /** -1 where JavaScript carries the bytes: of other streams, and of sockets on which something is under way. */
  readonly fd: number;
  /** That were read from the descriptor before. */
  readonly bytes: Buffer | undefined;
}

export const NOTHING: Given = { fd: -1, bytes: undefined };

/** Right before native code gets it: the descriptor is another one's as soon as users' code has closed the socket. */
export function giveOf(stream: Duplex): Given {
  if (!(stream instanceof Socket) || descriptorOf(stream) < 0 || !canHand(stream)) return NOTHING;
  if (!connections().native.hasSockets()) return NOTHING;
  // Listeners hear of what is read, too.
  const bytes: unknown = stream.readableLength > 0 ? stream.read() : undefined;
  return { fd: descriptorOf(stream), bytes: Buffer.isBuffer(bytes) ? bytes : undefined };
}

function canHand(socket: Socket): boolean {
  if (socket.connecting || socket.destroyed || socket.readableEnded || !socket.writable) return false;
  return socket.writableLength === 0 && (socket.readableLength === 0 || socket.readableEncoding === null);
}

/** A connection over a stream: its id, its socket, and what that does when the socket below is closed. */
export interface Above {
  readonly id: number;
  readonly socket: TimedStream;
  readonly onClosed: () => void;
}

/** What carries the bytes of a connection over a stream, of which native code has got what `given` has. */
export function transportOver(stream: Duplex, given: Given, above: Above): Transport {
  const isBelow = given.fd >= 0 && stream instanceof Socket;
  return isBelow ? new SocketBelow(stream, above) : new StreamTransport(above.id, stream);
}

class SocketBelow extends SocketTransport {
  readonly #socket: Socket;
  readonly #onClosed: () => void;

  constructor(socket: Socket, { id, socket: above, onClosed }: Above) {
    super(id);
    this.#socket = socket;
    this.#onClosed = onClosed;
    const handle = (socket as unknown as { _handle: Handle })._handle;
    handle.reading = false;
    handle.readStop();
    handle.readStart = () => 0; // whoever resumes the socket must not read the connection's bytes
    if (!handle.hasRef()) this.setRef(false);
    handle.ref = () => {
      this.setRef(true);
    };
    handle.unref = () => {
      this.setRef(false);
    };
    TimedStream.putAbove(above, socket);
  }

  override begin(onLost: (error?: Error) => void): void {
    this.#socket.on('error', onLost);
    this.#socket.on('close', this.#onClosed);
  }

  // The listener for errors stays: nobody else may listen.
  override close(reset: boolean): void {
    super.close(reset);
    if (reset) this.#socket.resetAndDestroy();
    else this.#socket.destroy();
  }
}
