// The channels `openssl-async:operation:…` of node:diagnostics_channel. Subscribers are called in the async context of
// the call that they hear of.
import { channel } from 'node:diagnostics_channel';
import { captureContext } from '../base/async-context';

/** Where an operation ran: within the call, on a thread of the pool or of Node.js's own, or in an OpenSSL job. */
export type OperationPlace = 'inline' | 'pool' | 'threadpool' | 'job';

/**
 * The message of the channels `openssl-async:operation:…`. All channels get the same object for one operation. Its
 * fields are set as they become known: on `:start`, only `algorithm` is.
 */
export interface OperationMessage {
  /** For example `'sign RSA-2048 sha256'`. */
  algorithm: string;
  /** Where it ran. */
  place: OperationPlace;
  /** How often its job paused. */
  pauses: number;
  /** Microseconds from the call to the start; 0 on Node.js's own pool, which does not tell. */
  queueMicros: number;
  /** Microseconds from the start to the end. */
  runMicros: number;
  /** The error, if the operation failed. */
  error?: unknown;
}

// The channels of a TracingChannel, in its order, and two of our own.
const operations = {
  start: channel('openssl-async:operation:start'),
  end: channel('openssl-async:operation:end'),
  asyncStart: channel('openssl-async:operation:asyncStart'),
  asyncEnd: channel('openssl-async:operation:asyncEnd'),
  error: channel('openssl-async:operation:error'),
  finish: channel('openssl-async:operation:finish'),
  notOffloaded: channel('openssl-async:operation:not-offloaded'),
};

/** An operation that somebody may hear of. */
export class OperationTrace {
  /** Runs a function in the context of the call. */
  readonly inContext = captureContext();
  // Messages of events within the call, published when it has returned.
  #withheld: (() => void)[] | undefined = [];

  constructor(readonly message: OperationMessage) {}

  /** The operation's promise is about to be settled. `tell` publishes further messages, in the call's context. */
  settled(error: unknown, tell?: () => void): void {
    const tellAll = (): void => {
      this.inContext(() => {
        this.#publish(error, tell);
      });
    };
    if (this.#withheld === undefined) tellAll();
    else this.#withheld.push(tellAll);
  }

  /** The call has returned. */
  returned(): void {
    operations.end.publish(this.message);
    const withheld = this.#withheld ?? [];
    this.#withheld = undefined;
    for (const tell of withheld) tell();
  }

  #publish(error: unknown, tell: (() => void) | undefined): void {
    const { message } = this;
    tell?.();
    if (error !== undefined) {
      message.error = error;
      operations.error.publish(message);
    }
    operations.asyncStart.publish(message);
    operations.asyncEnd.publish(message);
  }
}

/** Whether somebody wants to hear of operations that begin now. */
export function tracesOperations(): boolean {
  const { start, end, asyncStart, asyncEnd, error, finish, notOffloaded } = operations;
  return (
    finish.hasSubscribers ||
    start.hasSubscribers ||
    asyncEnd.hasSubscribers ||
    end.hasSubscribers ||
    asyncStart.hasSubscribers ||
    error.hasSubscribers ||
    notOffloaded.hasSubscribers
  );
}

/** Begins an operation as a TracingChannel does: in the stores that are bound to `:start`. */
export function traceOperation<T>(algorithm: string, begin: (trace: OperationTrace) => Promise<T>): Promise<T> {
  const message = { algorithm } as OperationMessage;
  return operations.start.runStores(message, () => {
    const trace = new OperationTrace(message);
    const promise = begin(trace);
    trace.returned();
    return promise;
  });
}

export function wantsOperations(): boolean {
  return operations.finish.hasSubscribers;
}

export function publishOperation(message: OperationMessage): void {
  operations.finish.publish(message);
}

export function wantsNotOffloaded(): boolean {
  return operations.notOffloaded.hasSubscribers;
}

/** Tells of an operation that was meant for hardware and ran here. */
export function publishNotOffloaded(message: OperationMessage): void {
  operations.notOffloaded.publish(message);
}
