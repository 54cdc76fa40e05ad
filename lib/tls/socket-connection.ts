// Events of a connection that has a socket run in the connection's async context, whose name is Node's.
import { AsyncResource } from 'node:async_hooks';
import type { Connection } from './connections';
import type { Transport } from './transport';

/** A connection that has a socket. */
export class SocketConnection implements Connection {
  readonly receive: Connection['receive'];
  readonly receiveEnd: Connection['receiveEnd'];
  readonly drained: Connection['drained'];
  readonly failed: Connection['failed'];
  readonly #resource = new AsyncResource('TLSWRAP');

  constructor(
    readonly id: number,
    readonly transport: Transport,
    events: Pick<Connection, 'receive' | 'receiveEnd' | 'drained' | 'failed'>,
  ) {
    this.receive = events.receive;
    this.receiveEnd = events.receiveEnd;
    this.drained = events.drained;
    this.failed = events.failed;
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
