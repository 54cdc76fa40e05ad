// Events of a connection that has a socket run in the connection's async context, whose name is Node's.
import { AsyncResource } from 'node:async_hooks';
import type { Connection } from './connections';
import type { Transport } from './transport';

/** What a socket does with its events. All sockets share it: a function of each would take memory of each. */
export type SocketEvents<Socket> = {
  readonly [Name in 'receive' | 'receiveEnd' | 'drained' | 'failed']: (
    socket: Socket,
    ...args: Parameters<Connection[Name]>
  ) => void;
};

/** A connection that has a socket. */
export class SocketConnection<Socket> implements Connection {
  readonly #socket: Socket;
  readonly #events: SocketEvents<Socket>;
  readonly #resource = new AsyncResource('TLSWRAP');

  constructor(
    readonly id: number,
    readonly transport: Transport,
    socket: Socket,
    events: SocketEvents<Socket>,
  ) {
    this.#socket = socket;
    this.#events = events;
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

  failed(reason: number): void {
    this.#events.failed(this.#socket, reason);
  }

  output(): void {
    this.transport.flush();
  }

  inputWanted(): void {
    this.transport.feed();
  }

  inContext<A extends unknown[]>(body: (...args: A) => void, ...args: A): void {
    this.#resource.runInAsyncScope(body, undefined, ...args);
  }
}
