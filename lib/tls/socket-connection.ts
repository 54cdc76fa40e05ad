// Events of a connection that has a socket run in the connection's async context, whose name is Node's.
import { AsyncResource } from 'node:async_hooks';
import type { TlsEvent } from '../native/contract/tables';
import { NO_CONNECTION, type Connection } from './connections';
import { nothingBelow } from './connecting-transport';
import type { Transport } from './transport';

/** What a socket does with its events. All sockets share it: a function of each would take memory of each. */
export type SocketEvents<Socket> = {
  readonly [
    Name in 'receive' | 'receiveEnd' | 'drained' | 'completed' | 'failed' | 'renegotiated' | 'renegotiating' | 'told'
  ]: (socket: Socket, ...args: Parameters<Connection[Name]>) => void;
};

/** A connection that has a socket. */
export class SocketConnection<Socket> implements Connection {
  readonly #socket: Socket;
  readonly #events: SocketEvents<Socket>;
  readonly #resource = new AsyncResource('TLSWRAP');

  #id = NO_CONNECTION;
  #transport = nothingBelow;

  constructor(socket: Socket, events: SocketEvents<Socket>) {
    this.#socket = socket;
    this.#events = events;
  }

  get id(): number {
    return this.#id;
  }

  /** There is a native connection. */
  begin(id: number, transport: Transport): void {
    this.#id = id;
    this.#transport = transport;
  }

  receive(bytes: Buffer): void {
    this.#events.receive(this.#socket, bytes);
  }

  receiveEnd(truncated: boolean): void {
    this.#events.receiveEnd(this.#socket, truncated);
  }

  drained(): void {
    this.#events.drained(this.#socket);
  }

  completed(): void {
    this.#events.completed(this.#socket);
  }

  failed(reason: number): void {
    this.#events.failed(this.#socket, reason);
  }

  renegotiated(hasFailed: boolean): void {
    this.#events.renegotiated(this.#socket, hasFailed);
  }

  renegotiating(): void {
    this.#events.renegotiating(this.#socket);
  }

  told(kind: TlsEvent, line: Buffer | undefined): void {
    this.#events.told(this.#socket, kind, line);
  }

  output(): void {
    this.#transport.flush();
  }

  inputWanted(): void {
    this.#transport.feed();
  }

  inContext<A extends unknown[]>(body: (...args: A) => void, ...args: A): void {
    this.#resource.runInAsyncScope(body, undefined, ...args);
  }
}
