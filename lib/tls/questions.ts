// What a handshake waits for before it begins: which context, which session, which status of the certificate, which
// protocol. Callbacks may return promises.
import type { EventEmitter } from 'node:events';
import * as nodeTls from 'node:tls';
import { invalidArgType, nodeError } from '../base/errors';
import type { NativeTlsContext } from '../native/contract/handles';
import { connections } from './connections';
import { toBytes, toNativeContext } from './context';
import type { ClientHello, ServerOptions } from './options';
import { TLSSocket } from './socket';

type Done<T> = (error?: Error | null, value?: T) => void;
type SniCallback = (servername: string, done: Done<unknown>) => unknown;
type AlpnCallback = (hello: { servername: string; protocols: string[] }) => unknown;
type KeyCallback = (socket: TLSSocket, identity: string) => unknown;
type HelloCallback = (hello: ClientHello) => unknown;

// A client's hello, and the answers so far.
interface Asked {
  readonly id: number;
  readonly socket: TLSSocket;
  readonly servername: string;
  readonly protocols: string[];
  readonly sessionId: Buffer;
  readonly wantsStatus: boolean;
  readonly keyIdentities: Buffer[];
  context?: NativeTlsContext | undefined;
  session?: Uint8Array | undefined;
  status?: Uint8Array | undefined;
  keyIdentity?: Buffer | undefined;
  key?: Uint8Array | undefined;
}

/** Whom a server asks. */
export class Questions {
  readonly #server: EventEmitter;
  readonly #hello: HelloCallback | undefined;
  readonly #sni: SniCallback | undefined;
  readonly #alpn: AlpnCallback | undefined;
  readonly #key: KeyCallback | undefined;

  constructor(server: EventEmitter, options: ServerOptions) {
    this.#server = server;
    this.#hello = optionalFunction(options.onClientHello, 'options.onClientHello') as HelloCallback | undefined;
    this.#sni = optionalFunction(options.SNICallback, 'options.SNICallback') as SniCallback | undefined;
    this.#alpn = optionalFunction(options.ALPNCallback, 'options.ALPNCallback') as AlpnCallback | undefined;
    this.#key = optionalFunction(options.pskCallback, 'options.pskCallback') as KeyCallback | undefined;
  }

  /** Whether clients may have keys that the server knows. */
  get sharesKeys(): boolean {
    return this.#key !== undefined;
  }

  /** Whether every client is asked about. */
  get any(): boolean {
    return this.#hello !== undefined || this.#sni !== undefined || this.#alpn !== undefined;
  }

  /** Asks one after the other, in the context of the connection, and lets the handshake go on. */
  ask(id: number, socket: TLSSocket): void {
    const hello = connections().native.hello(id);
    if (hello === undefined) return;
    const [servername, offered, sessionId, wantsStatus, keyIdentities] = hello;
    const protocols = splitProtocols(offered);
    const asked: Asked = { id, socket, servername, protocols, sessionId, wantsStatus, keyIdentities };
    socket.servername = servername === '' ? false : servername;
    const askProtocol = (): void => {
      this.#askProtocol(asked);
    };
    const askStatus = (): void => {
      this.#askStatus(asked, askProtocol);
    };
    const askName = (): void => {
      this.#askName(asked, askStatus);
    };
    const askHello = (): void => {
      this.#askHello(asked, askName);
    };
    const askKey = (): void => {
      this.#askKeyOf(asked, askHello);
    };
    this.#try(socket, () => {
      this.#askSession(asked, askKey);
    });
  }

  /** As ask(), before TLS 1.3, where the client names its key in the middle of the handshake. */
  askKey(id: number, socket: TLSSocket): void {
    const { native } = connections();
    const identity = native.keyIdentity(id);
    if (identity === undefined) return;
    this.#try(socket, () => {
      this.#askForKey(socket, identity, (key) => {
        native.giveKey(id, key);
        key?.fill(0);
      });
    });
  }

  // What a callback or a listener throws is its client's error, and nobody else's: as in the latest versions of Node.js.
  #try(socket: TLSSocket, body: () => void): void {
    TLSSocket.inContext(socket, () => {
      failing(socket, body);
    });
  }

  // The first one of the hello's that there is a key for.
  #askKeyOf(asked: Asked, then: () => void): void {
    const askFrom = (index: number): void => {
      const identity = this.#key === undefined ? undefined : asked.keyIdentities[index];
      if (identity === undefined) {
        then();
        return;
      }
      this.#askForKey(asked.socket, identity, (key) => {
        if (key === undefined) {
          askFrom(index + 1);
        } else {
          Object.assign(asked, { keyIdentity: identity, key });
          then();
        }
      });
    };
    askFrom(0);
  }

  // Identities are text. Other ones are somebody else's: tickets.
  #askForKey(socket: TLSSocket, identity: Buffer, then: (key: Uint8Array | undefined) => void): void {
    const text = identity.toString('utf8');
    if (this.#key === undefined || !Buffer.from(text, 'utf8').equals(identity)) {
      then(undefined);
      return;
    }
    whenAnswered(socket, this.#key.call(socket, socket, text), (answered) => {
      then(toSharedKey(answered));
    });
  }

  #askSession(asked: Asked, then: () => void): void {
    const done = answering<unknown>(asked.socket, (session) => {
      // As in Node.js, anything but bytes is no session.
      if (ArrayBuffer.isView(session)) asked.session = toBytes(session, 'session');
      then();
    });
    if (asked.sessionId.length === 0 || !this.#server.emit('resumeSession', asked.sessionId, done)) then();
  }

  #askHello(asked: Asked, then: () => void): void {
    if (this.#hello === undefined) {
      then();
      return;
    }
    const { socket, servername, protocols } = asked;
    const hello = { servername: servername === '' ? undefined : servername, protocols };
    choosing.add(socket);
    whenAnswered(socket, this.#hello.call(socket as never, hello), (context) => {
      asked.context = toChosenContext(context);
      choosing.delete(socket);
      then();
    });
  }

  #askName(asked: Asked, then: () => void): void {
    const { socket, servername } = asked;
    if (asked.context !== undefined || this.#sni === undefined || servername === '') {
      then();
      return;
    }
    let isAnswered = false;
    const done = answering<unknown>(socket, (chosen) => {
      asked.context = toChosenContext(chosen);
      then();
    });
    const callback: Done<unknown> = (error, chosen) => {
      isAnswered = true;
      done(error, chosen);
    };
    const returned = this.#sni.call(socket as never, servername, callback);
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

  #askStatus(asked: Asked, then: () => void): void {
    if (!asked.wantsStatus || this.#server.listenerCount('OCSPRequest') === 0) {
      then();
      return;
    }
    const context = TLSSocket.identityOf(asked.socket) ?? asked.context;
    const [certificate, issuer] = connections().native.certificates(asked.id, context);
    const done = answering<unknown>(asked.socket, (status) => {
      if (status !== null && status !== undefined) asked.status = toStatus(status);
      then();
    });
    this.#server.emit('OCSPRequest', certificate ?? null, issuer ?? null, done);
  }

  #askProtocol(asked: Asked): void {
    const { socket, servername, protocols } = asked;
    if (this.#alpn === undefined || protocols.length === 0) {
      answer(asked, false, '');
      return;
    }
    whenAnswered(socket, this.#alpn.call(socket as never, { servername, protocols }), (chosen) => {
      if (chosen !== undefined && !protocols.includes(chosen as string)) {
        const message = `ALPN callback returned a value (${chosen as string}) that did not match any of the client's offered protocols (${protocols.join(', ')})`;
        throw nodeError('ERR_TLS_ALPN_CALLBACK_INVALID_RESULT', message, TypeError);
      }
      answer(asked, true, (chosen as string | undefined) ?? '');
    });
  }
}

function answer(asked: Asked, choosesProtocol: boolean, protocol: string): void {
  const { id, context, session, status, keyIdentity, key } = asked;
  connections().native.answer(id, context, choosesProtocol, protocol, session, status, keyIdentity, key);
  session?.fill(0);
  key?.fill(0);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}

/** An error ends the handshake. */
function failing(socket: TLSSocket, body: () => void): void {
  if (socket.destroyed) return;
  try {
    body();
  } catch (error) {
    // A second answer may come after the handshake.
    if (socket.handshake === undefined) refuse(socket, error as Error);
    else socket.destroy(error as Error);
  }
}

// Whose `onClientHello` is under way.
const choosing = new WeakSet<TLSSocket>();

// A client hears of an error of `onClientHello`. On others a server hangs up, as that of Node.js.
function refuse(socket: TLSSocket, error: Error): void {
  if (choosing.has(socket)) {
    connections().native.refuse(TLSSocket.idOf(socket));
    TLSSocket.flush(socket);
  }
  if (!socket.destroyed) TLSSocket.fail(socket, error);
}

/** The last argument of a callback or an event. A second call ends the connection, as in Node.js. */
function answering<T>(socket: TLSSocket, then: (value?: T) => void): Done<T> {
  let isAnswered = false;
  return (error, value) => {
    failing(socket, () => {
      if (isAnswered) throw nodeError('ERR_MULTIPLE_CALLBACK', 'Callback called multiple times');
      isAnswered = true;
      if (error !== null && error !== undefined) throw error;
      then(value);
    });
  };
}

// A value that is there goes on at once.
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

// As large as OpenSSL takes them.
const MAX_KEY_BYTES = 256;

// A key, or an object that has one, as with node:tls. A key of no bytes is none.
function toSharedKey(value: unknown): Uint8Array | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'object') {
    throw invalidArgType('ret', 'an instance of Object, Buffer, TypedArray, or DataView', value);
  }
  const key: unknown = ArrayBuffer.isView(value) ? value : (value as { psk?: unknown }).psk;
  if (!ArrayBuffer.isView(key)) throw invalidArgType('psk', 'an instance of Buffer, TypedArray, or DataView', key);
  if (key.byteLength > MAX_KEY_BYTES) {
    throw nodeError('ERR_INVALID_ARG_VALUE', `Pre-shared key exceeds ${String(MAX_KEY_BYTES)} bytes`, TypeError);
  }
  return key.byteLength === 0 ? undefined : toBytes(key, 'psk');
}

function toStatus(value: unknown): Uint8Array {
  if (ArrayBuffer.isView(value)) return toBytes(value, 'response');
  throw invalidArgType('response', 'an instance of Buffer, TypedArray, or DataView', value);
}

export function optionalFunction(value: unknown, name: string): unknown {
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
