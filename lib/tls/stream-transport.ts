// The ciphertext of a connection without a descriptor, between native code and the caller's stream.
//
// The stream is the caller's: each of its functions may throw and may do anything. It is called when nothing of ours is
// half done, and its errors end the connection.
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { nodeError } from '../base/errors';
import { bytesOf, sizeOf, unshared } from '../base/byte-views';
import type { NativeAddress } from '../native/contract/tls';
import { connections, NO_CONNECTION } from './connections';
import type { Transport } from './transport';

// What a net.Socket has, and other streams may have.
type Stream = Duplex &
  Partial<
    Pick<
      Socket,
      | 'localAddress'
      | 'localFamily'
      | 'localPort'
      | 'remoteAddress'
      | 'remoteFamily'
      | 'remotePort'
      | 'ref'
      | 'resetAndDestroy'
      | 'setKeepAlive'
      | 'setNoDelay'
      | 'unref'
    >
  >;
interface Piece {
  readonly bytes: Uint8Array;
  from: number;
}

export class StreamTransport implements Transport {
  #id: number;
  readonly #stream: Stream;
  #onLost: ((error?: Error) => void) | undefined = undefined; // while somebody listens
  readonly #pieces: Piece[] = []; // that native code has no room for
  #hasEnded = false;
  #isClosed = false;
  #toldEnd = false;
  #carried: Buffer | undefined = undefined; // that the stream has not written yet

  constructor(id: number, stream: Duplex) {
    this.#id = id;
    this.#stream = stream;
  }

  begin(onLost: (error?: Error) => void): void {
    this.#onLost = onLost;
    this.#try((stream) => {
      // We answer a client that has ended.
      if (stream instanceof Socket) stream.allowHalfOpen = true;
      // Where its descriptor is taken over, such a socket sends small writes at once, too. Other streams stay their owners'.
      if (stream instanceof Socket && !(stream instanceof TLSSocket)) stream.setNoDelay(true);
      stream.on('error', (error: Error) => {
        this.#lose(error);
      });
      stream.on('close', this.#onClose);
      stream.on('end', this.#onEnd);
      stream.on('data', this.#onData);
      if (stream.readableEnded) process.nextTick(this.#onEnd);
      if (stream.destroyed) process.nextTick(this.#onClose);
      else stream.resume();
    });
  }

  readonly #onEnd = (): void => {
    this.#hasEnded = true;
    this.feed();
  };

  // Plaintext that has come is told first.
  readonly #onClose = (): void => {
    this.#isClosed = true;
    if (this.#toldEnd) this.#lose();
    if (this.#onLost === undefined) return;
    connections().native.setPaused(this.#id, false);
    this.#onEnd();
  };

  ended(): void {
    this.#toldEnd = true;
    if (this.#isClosed) this.#lose();
  }

  #lose(error?: Error): void {
    const onLost = this.#onLost;
    this.#onLost = undefined;
    onLost?.(error);
  }

  // False when the connection has ended.
  #try(body: (stream: Stream) => void): boolean {
    try {
      body(this.#stream);
    } catch (error) {
      this.#lose(error as Error);
    }
    return this.#onLost !== undefined;
  }

  // --- From the stream

  readonly #onData = (chunk: unknown): void => {
    if (this.#onLost === undefined) return;
    const bytes = typeof chunk === 'string' ? undefined : bytesOf(chunk);
    if (bytes === undefined) {
      this.#lose(nodeError('ERR_STREAM_WRAP', 'Stream has StringDecoder set or is in objectMode'));
      return;
    }
    if (sizeOf(bytes) === 0) return;
    this.#pieces.push({ bytes: unshared(bytes), from: 0 });
    if (this.#pieces.length > 1 || this.#feedPieces()) return;
    this.#try((stream) => stream.pause());
  };

  feed(): void {
    const waited = this.#pieces.length > 0;
    if (this.#onLost === undefined || !this.#feedPieces()) return;
    if (this.#hasEnded) connections().native.feedEnd(this.#id);
    else if (waited) this.#try((stream) => stream.resume());
  }

  // Whether native code has taken everything. Otherwise it wants the rest later.
  #feedPieces(): boolean {
    const { native } = connections();
    for (let piece = this.#pieces[0]; piece !== undefined; piece = this.#pieces[0]) {
      const taken = native.feed(this.#id, piece.bytes, piece.from);
      if (taken < 0) {
        piece.from += ~taken;
        return false;
      }
      this.#pieces.shift();
    }
    return true;
  }

  // --- To the stream

  // One piece at a time is under way.
  flush(): void {
    if (this.#onLost === undefined || this.#carried !== undefined) return;
    const bytes = connections().native.takeOutput(this.#id);
    if (bytes === undefined) return;
    this.#carried = bytes;
    this.#try((stream) => {
      stream.write(bytes, (error) => {
        if (this.#carried === bytes) this.#written(error);
      });
    });
  }

  #written(error?: Error | null): void {
    this.#try((stream) => {
      if (error !== null && error !== undefined) {
        // A stream that is destroyed tells of its end, and of its own error, by events.
        if (!stream.destroyed) this.#lose(error);
      } else if (stream.writableNeedDrain) stream.once('drain', this.#onDrain);
      else this.#onDrain();
    });
  }

  readonly #onDrain = (): void => {
    this.#carried = undefined;
    if (this.#onLost !== undefined) connections().native.setCarried(this.#id);
  };

  end(callback: () => void): void {
    let isDone = false;
    const done = (): void => {
      if (isDone) return;
      isDone = true;
      callback();
    };
    if (!this.#try((stream) => stream.end(done))) done();
  }

  sendLast(): void {
    if (this.#onLost === undefined) return;
    const bytes = connections().native.takeOutput(this.#id);
    if (bytes !== undefined) this.#try((stream) => stream.write(bytes));
  }

  // The listener for errors stays: nobody else may listen.
  close(reset: boolean): void {
    this.#id = NO_CONNECTION;
    this.#onLost = undefined;
    this.#pieces.length = 0;
    this.#try((stream) => {
      stream.removeListener('data', this.#onData);
      if (reset && typeof stream.resetAndDestroy === 'function') stream.resetAndDestroy();
      else stream.destroy();
    });
  }

  // --- What streams may have

  address(own: boolean): NativeAddress | undefined {
    let found: [unknown, unknown, unknown] | undefined;
    try {
      const stream = this.#stream;
      found = own
        ? [stream.localAddress, stream.localFamily, stream.localPort]
        : [stream.remoteAddress, stream.remoteFamily, stream.remotePort];
    } catch {
      return undefined;
    }
    const [address, family, port] = found;
    if (typeof address !== 'string' || typeof port !== 'number') return undefined;
    return [address, typeof family === 'string' ? family : '', port];
  }
  setNoDelay(noDelay: boolean): void {
    this.#try((stream) => stream.setNoDelay?.(noDelay));
  }
  setKeepAlive(keepAlive: boolean, initialDelayMs: number): void {
    this.#try((stream) => stream.setKeepAlive?.(keepAlive, initialDelayMs));
  }
  setPaused(paused: boolean): void {
    connections().native.setPaused(this.#id, paused && !this.#isClosed);
  }
  setRef(ref: boolean): void {
    this.#try((stream) => {
      if (ref) stream.ref?.();
      else stream.unref?.();
    });
  }
}
