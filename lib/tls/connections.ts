// The native connections of this thread, and the one call for each turn of the loop in which they tell what happened.
//
// Native code fills the words and the slab, then calls, and touches neither until the call has returned. An event is
// read, whole, before users' code runs for it; the words of later events are nobody else's. When a listener throws,
// native code reports the exception and calls again, and `cursor` says where to go on.
import { markAsUntransferable } from 'node:worker_threads';
import { fromNative } from '../base/errors';
import { environment } from '../native/environment';
import { TlsEvent, TlsEventWord, WORDS_PER_TLS_EVENT } from '../native/contract/tables';
import type { NativeAddress, NativeTls } from '../native/contract/tls';
import { unsupportedError } from './failures';

const EVENTS_PER_CALL = 2048;
const SLAB_BYTES = 512 * 1024;
// An id is a slot and the number of times that the slot was used.
const SLOT_MASK = 0xf_ffff;

/** No connection has this id. An id whose connection is gone may be another one's later. */
export const NO_CONNECTION = 0;

// Clients' connections have no listener.
const NO_LISTENER = 0;

/** A connection that JavaScript knows. */
export interface Connection {
  readonly id: number;
  /** Users' code may run in each of these. `bytes` are valid during the call only. */
  receive(bytes: Buffer): void;
  receiveEnd(truncated: boolean): void;
  drained(): void;
  /** The handshake is done, behind early data. */
  completed(): void;
  failed(reason: number): void;
  /** A later handshake is done, or could not begin. */
  renegotiated(hasFailed: boolean): void;
  /** Of a server: the client has begun a later handshake. */
  renegotiating(): void;
  /** Of a client: the kinds `secure`, `keyLog` with its line, `newSessions` and `status`. */
  told(kind: TlsEvent, line: Buffer | undefined): void;
  /** Ciphertext is there for the stream below. */
  output(): void;
  /** There is room for the ciphertext of the stream below. */
  inputWanted(): void;
  /** Runs a function in the async context of the connection. */
  inContext<A extends unknown[]>(body: (...args: A) => void, ...args: A): void;
}

/** A server, to which connections are told that JavaScript does not know. */
export interface Listener {
  accepted(id: number): void;
  asking(id: number): void;
  askingKey(id: number): void;
  newSessions(id: number): void;
  /** `isEarly`: the handshake goes on behind early data, and `completed()` of the connection follows. */
  secure(id: number, isEarly: boolean): void;
  failed(id: number, reason: number): void;
  keyLog(id: number, line: Buffer): void;
  dropped(peer: NativeAddress | undefined, own: NativeAddress | undefined): void;
  idle(): void;
}

export class Connections {
  readonly native: NativeTls;
  readonly #words = new Int32Array(EVENTS_PER_CALL * WORDS_PER_TLS_EVENT);
  readonly #slab = Buffer.from(new ArrayBuffer(SLAB_BYTES));
  readonly #cursor = new Int32Array(1);
  // Native code holds it only while there are connections or listeners.
  readonly #onEvents = (count: number): void => {
    this.#tell(count);
  };
  readonly #connections: (Connection | undefined)[] = [];
  readonly #listeners = new Map<number, Listener>();

  constructor(native: NativeTls) {
    this.native = native;
    markAsUntransferable(this.#slab.buffer);
    const error = native.open(this.#words, this.#slab, this.#cursor, this.#onEvents);
    if (error !== undefined) throw fromNative(error);
  }

  addListener(listener: Listener): number {
    const id = this.native.addListener();
    this.#listeners.set(id, listener);
    return id;
  }

  removeListener(id: number): void {
    this.#listeners.delete(id);
    this.native.removeListener(id);
  }

  add(connection: Connection): void {
    this.#connections[connection.id & SLOT_MASK] = connection;
  }

  /** Destroys the native connection: nothing is told of it any more. */
  remove(connection: Connection, reset: boolean): void {
    if (this.find(connection.id) === connection) this.#connections[connection.id & SLOT_MASK] = undefined;
    this.native.destroy(connection.id, reset);
  }

  find(id: number): Connection | undefined {
    const found = this.#connections[id & SLOT_MASK];
    return found?.id === id ? found : undefined;
  }

  #tell(count: number): void {
    const cursor = this.#cursor;
    for (let next = cursor[0] as number; next < count; ++next) {
      cursor[0] = next + 1;
      this.#tellOne(next * WORDS_PER_TLS_EVENT);
    }
  }

  #tellOne(at: number): void {
    const words = this.#words;
    const kind = words[at + TlsEventWord.kind] as number;
    const id = words[at + TlsEventWord.id] as number;
    const value = words[at + TlsEventWord.value] as number;
    const connection = this.find(id);
    if (kind === TlsEvent.data) {
      connection?.inContext(receive, connection, this.#bytes(at));
    } else if (connection !== undefined && kind === TlsEvent.end) {
      connection.inContext(receiveEnd, connection, value === 1);
    } else if (connection !== undefined && kind === TlsEvent.drained) {
      connection.inContext(drained, connection);
    } else if (kind === TlsEvent.completed) {
      connection?.inContext(completed, connection);
    } else if (connection !== undefined && kind === TlsEvent.failed) {
      connection.inContext(failed, connection, value);
    } else if (connection !== undefined && kind === TlsEvent.renegotiated) {
      connection.inContext(renegotiated, connection, value === 1);
    } else if (kind === TlsEvent.renegotiating) {
      connection?.inContext(renegotiating, connection);
    } else if (connection !== undefined && kind === TlsEvent.output) {
      connection.inContext(output, connection);
    } else if (connection !== undefined && kind === TlsEvent.inputWanted) {
      connection.inContext(inputWanted, connection);
    } else if ((words[at + TlsEventWord.listener] as number) !== NO_LISTENER) {
      this.#tellListener(at, kind, id, value);
    } else {
      const line = kind === TlsEvent.keyLog ? Buffer.from(this.#bytes(at)) : undefined;
      connection?.inContext(told, connection, kind as TlsEvent, line);
    }
  }

  #tellListener(at: number, kind: number, id: number, value: number): void {
    const listener = this.#listeners.get(this.#words[at + TlsEventWord.listener] as number);
    if (listener === undefined) return;
    if (kind === TlsEvent.secure) listener.secure(id, value === 1);
    else if (kind === TlsEvent.asking) listener.asking(id);
    else if (kind === TlsEvent.accepted) listener.accepted(id);
    else if (kind === TlsEvent.askingKey) listener.askingKey(id);
    else if (kind === TlsEvent.newSessions) listener.newSessions(id);
    else if (kind === TlsEvent.failed) listener.failed(id, value);
    else if (kind === TlsEvent.keyLog) listener.keyLog(id, Buffer.from(this.#bytes(at)));
    else if (kind === TlsEvent.dropped) listener.dropped(...this.native.droppedAddresses(value));
    else if (kind === TlsEvent.listenerIdle) listener.idle();
  }

  #bytes(at: number): Buffer {
    const offset = this.#words[at + TlsEventWord.offset] as number;
    return this.#slab.subarray(offset, offset + (this.#words[at + TlsEventWord.size] as number));
  }
}

const receive = (connection: Connection, bytes: Buffer): void => {
  connection.receive(bytes);
};
const receiveEnd = (connection: Connection, truncated: boolean): void => {
  connection.receiveEnd(truncated);
};
const drained = (connection: Connection): void => {
  connection.drained();
};
const completed = (connection: Connection): void => {
  connection.completed();
};
const failed = (connection: Connection, reason: number): void => {
  connection.failed(reason);
};
const renegotiated = (connection: Connection, hasFailed: boolean): void => {
  connection.renegotiated(hasFailed);
};
const renegotiating = (connection: Connection): void => {
  connection.renegotiating();
};
const told = (connection: Connection, kind: TlsEvent, line: Buffer | undefined): void => {
  connection.told(kind, line);
};
const output = (connection: Connection): void => {
  connection.output();
};
const inputWanted = (connection: Connection): void => {
  connection.inputWanted();
};

let native: NativeTls | undefined;
let present: Connections | undefined;

/** Throws `ERR_ASYNC_UNSUPPORTED` where there is no TLS. */
export function nativeTls(): NativeTls {
  if (native !== undefined) return native;
  const found = environment().addon.tls();
  const reason = found.withoutReason();
  if (reason !== '') throw unsupportedError(reason);
  return (native = found);
}

export function connections(): Connections {
  return (present ??= new Connections(nativeTls()));
}
