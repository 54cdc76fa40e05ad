// What a socket has below before its native connection begins: a stream that connects, or that the caller has made; or
// nothing. What is asked of it meanwhile holds later, too.
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { NativeAddress } from '../native/contract/tls';
import type { Transport } from './transport';

type Stream = Duplex & Partial<Socket>;

export class ConnectingTransport implements Transport {
  readonly #stream: Stream | undefined;
  #ref = true;
  #noDelay = true;

  constructor(stream: Duplex | undefined) {
    this.#stream = stream as Stream | undefined;
  }

  /** Tells the next transport. */
  passOn(next: Transport): void {
    if (!this.#ref) next.setRef(false);
    if (!this.#noDelay) next.setNoDelay(false);
  }

  address(own: boolean): NativeAddress | undefined {
    const { localAddress, localFamily, localPort, remoteAddress, remoteFamily, remotePort } = this.#stream ?? {};
    const [address, family = '', port] = own
      ? [localAddress, localFamily, localPort]
      : [remoteAddress, remoteFamily, remotePort];
    return address === undefined || port === undefined ? undefined : [address, family, port];
  }
  setRef(ref: boolean): void {
    this.#ref = ref;
    if (ref) this.#stream?.ref?.();
    else this.#stream?.unref?.();
  }
  setNoDelay(noDelay: boolean): void {
    this.#noDelay = noDelay;
    this.#stream?.setNoDelay?.(noDelay);
  }
  setKeepAlive(keepAlive: boolean, initialDelayMs: number): void {
    this.#stream?.setKeepAlive?.(keepAlive, initialDelayMs);
  }
  close(reset: boolean): void {
    if (reset && this.#stream?.resetAndDestroy !== undefined) this.#stream.resetAndDestroy();
    else this.#stream?.destroy();
  }
  end(callback: () => void): void {
    callback();
  }

  // There is no connection that any of these could be about.
  setPaused(): void {
    // nothing is read
  }
  begin(): void {
    // the next transport begins
  }
  ended(): void {
    // nothing has begun
  }
  flush(): void {
    // nothing was written
  }
  feed(): void {
    // nothing was refused
  }
  sendLast(): void {
    // nothing was written
  }
}

export const nothingBelow: Transport = new ConnectingTransport(undefined);
