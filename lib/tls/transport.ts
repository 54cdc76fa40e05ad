// Whatever is below a connection's socket: a descriptor, which native code reads and writes, or a stream.
import { connections, NO_CONNECTION } from './connections';
import type { NativeAddress } from '../native/contract/tls';

/** What a socket needs of whatever is below. */
export interface Transport {
  address(own: boolean): NativeAddress | undefined;
  setNoDelay(noDelay: boolean): void;
  setKeepAlive(keepAlive: boolean, initialDelayMs: number): void;
  setRef(ref: boolean): void;
  /** Whether the reader has enough for now. */
  setPaused(paused: boolean): void;
  /** Begins. `onLost`: there is nothing below any more; without an error, nobody has said why. */
  begin(onLost: (error?: Error) => void): void;
  /** The end of the plaintext was told. */
  ended(): void;
  /** Native code may have made ciphertext, or may take more. Users' code may run here. */
  flush(): void;
  feed(): void;
  /** Nothing follows what was written. */
  end(callback: () => void): void;
  /** The connection has failed; its last message may not have left. */
  sendLast(): void;
  /** After the native connection. */
  close(reset: boolean): void;
}

/** Native code does all the work. */
export class SocketTransport implements Transport {
  #id: number;

  constructor(id: number) {
    this.#id = id;
  }

  address(own: boolean): NativeAddress | undefined {
    return connections().native.address(this.#id, own);
  }
  setNoDelay(noDelay: boolean): void {
    connections().native.setNoDelay(this.#id, noDelay);
  }
  setKeepAlive(keepAlive: boolean, initialDelayMs: number): void {
    connections().native.setKeepAlive(this.#id, keepAlive, Math.floor(initialDelayMs / 1000));
  }
  setRef(ref: boolean): void {
    connections().native.setRef(this.#id, ref);
  }
  setPaused(paused: boolean): void {
    connections().native.setPaused(this.#id, paused);
  }
  end(callback: () => void): void {
    callback();
  }
  begin(onLost: (error?: Error) => void): void {
    void onLost; // it has begun, and tells by itself
  }
  ended(): void {
    // nothing follows
  }
  flush(): void {
    // done
  }
  feed(): void {
    // done
  }
  sendLast(): void {
    // done
  }
  close(reset: boolean): void {
    void reset; // done
    this.#id = NO_CONNECTION;
  }
}
