// Answers that a handshake waits for: which context, which protocol. Callbacks may return promises.
import * as nodeTls from 'node:tls';
import { invalidArgType, nodeError } from '../base/errors';
import type { NativeTlsContext } from '../native/contract/handles';
import { connections } from './connections';
import { toNativeContext } from './context';
import type { ClientHello, ServerOptions } from './options';
import { TLSSocket } from './socket';

type SniCallback = (servername: string, done: (error?: Error | null, context?: unknown) => void) => unknown;
type AlpnCallback = (hello: { servername: string; protocols: string[] }) => unknown;
type HelloCallback = (hello: ClientHello) => unknown;

/** Whom a server asks. */
export class Questions {
  readonly #hello: HelloCallback | undefined;
  readonly #sni: SniCallback | undefined;
  readonly #alpn: AlpnCallback | undefined;

  constructor(options: ServerOptions) {
    this.#hello = optionalFunction(options.onClientHello, 'options.onClientHello') as HelloCallback | undefined;
    this.#sni = optionalFunction(options.SNICallback, 'options.SNICallback') as SniCallback | undefined;
    this.#alpn = optionalFunction(options.ALPNCallback, 'options.ALPNCallback') as AlpnCallback | undefined;
  }

  get any(): boolean {
    return this.#hello !== undefined || this.#sni !== undefined || this.#alpn !== undefined;
  }

  /** Asks one after the other, in the context of the connection, and lets the handshake go on. */
  ask(id: number, socket: TLSSocket): void {
    const hello = connections().native.hello(id);
    if (hello === undefined) return;
    const [servername, offered] = hello;
    const protocols = splitProtocols(offered);
    socket.servername = servername === '' ? false : servername;
    // A callback's own error is uncaught, as in Node.js.
    TLSSocket.inContext(socket, () => {
      try {
        this.#askHello(socket, servername, protocols, (context) => {
          this.#askName(socket, context, servername, (chosen) => {
            this.#askProtocol(id, socket, chosen, servername, protocols);
          });
        });
      } catch (error) {
        socket.destroy();
        throw error;
      }
    });
  }

  #askHello(socket: TLSSocket, servername: string, protocols: string[], then: Chosen): void {
    if (this.#hello === undefined) {
      then(undefined);
      return;
    }
    const hello = { servername: servername === '' ? undefined : servername, protocols };
    whenAnswered(socket, this.#hello.call(socket as never, hello), (context) => {
      then(toChosenContext(context));
    });
  }

  #askName(socket: TLSSocket, context: NativeTlsContext | undefined, servername: string, then: Chosen): void {
    if (context !== undefined || this.#sni === undefined || servername === '') {
      then(context);
      return;
    }
    let isAnswered = false;
    const done = (error?: Error | null, chosen?: unknown): void => {
      if (isAnswered) throw nodeError('ERR_MULTIPLE_CALLBACK', 'Callback called multiple times');
      isAnswered = true;
      failing(socket, () => {
        if (error !== null && error !== undefined) throw error;
        then(toChosenContext(chosen));
      });
    };
    const returned = this.#sni.call(socket as never, servername, done);
    if (!isThenable(returned)) return;
    void Promise.resolve(returned).then(
      (chosen) => {
        if (!isAnswered) done(null, chosen);
      },
      (error: unknown) => {
        if (!isAnswered) done(error as Error);
      },
    );
  }

  #askProtocol(
    id: number,
    socket: TLSSocket,
    context: NativeTlsContext | undefined,
    servername: string,
    protocols: string[],
  ): void {
    if (this.#alpn === undefined || protocols.length === 0) {
      connections().native.answer(id, context, false, '');
      return;
    }
    whenAnswered(socket, this.#alpn.call(socket as never, { servername, protocols }), (chosen) => {
      if (chosen !== undefined && !protocols.includes(chosen as string)) {
        const message = `ALPN callback returned a value (${chosen as string}) that did not match any of the client's offered protocols (${protocols.join(', ')})`;
        throw nodeError('ERR_TLS_ALPN_CALLBACK_INVALID_RESULT', message, TypeError);
      }
      connections().native.answer(id, context, true, (chosen as string | undefined) ?? '');
    });
  }
}

type Chosen = (context: NativeTlsContext | undefined) => void;

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}

/** An error ends the handshake. */
function failing(socket: TLSSocket, body: () => void): void {
  if (socket.destroyed) return;
  try {
    body();
  } catch (error) {
    TLSSocket.fail(socket, error as Error);
  }
}

// A value that is there goes on at once: its errors are the callback's own.
function whenAnswered(socket: TLSSocket, answer: unknown, then: (value: unknown) => void): void {
  if (!isThenable(answer)) {
    then(answer);
    return;
  }
  void Promise.resolve(answer).then(
    (value) => {
      failing(socket, () => {
        then(value);
      });
    },
    (error: unknown) => {
      failing(socket, () => {
        throw error;
      });
    },
  );
}

function toChosenContext(context: unknown): NativeTlsContext | undefined {
  if (context === null || context === undefined) return undefined;
  const native = toNativeContext(context);
  if (native !== undefined) return native;
  throw nodeError('ERR_TLS_INVALID_CONTEXT', 'Invalid SNI context', TypeError);
}

function optionalFunction(value: unknown, name: string): unknown {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'function') throw invalidArgType(name, 'of type function', value);
  return value;
}

/** The protocols of ALPN, each behind its length; undefined for none. */
export function toProtocols(value: unknown): Uint8Array | undefined {
  if (value === undefined || value === null) return undefined;
  const out: { ALPNProtocols?: unknown } = {};
  nodeTls.convertALPNProtocols(value as string[], out);
  return out.ALPNProtocols === undefined ? undefined : Uint8Array.from(out.ALPNProtocols as Uint8Array);
}

function splitProtocols(list: Buffer): string[] {
  const names: string[] = [];
  for (let at = 0; at < list.length; at += 1 + (list[at] as number)) {
    names.push(list.toString('latin1', at + 1, at + 1 + (list[at] as number)));
  }
  return names;
}

declare module 'node:tls' {
  function convertALPNProtocols(protocols: string[], out: object): void;
}
