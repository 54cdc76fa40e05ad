// Methods that servers of tls, https and http2 have of Node.js, and that are the core's of ours.
import type * as nodeTls from 'node:tls';
import type { Listen2 } from './handle';
import { coreOf, type ServerCore } from './server-core';

const METHODS = {
  // Node's constructor calls it too, before there is a core.
  setSecureContext(options: nodeTls.SecureContextOptions): void {
    coreOf(this)?.setSecureContext(options);
  },
  addContext(hostname: string, context: nodeTls.SecureContextOptions): void {
    (coreOf(this) as ServerCore).addContext(hostname, context);
  },
  getTicketKeys(): ReturnType<nodeTls.Server['getTicketKeys']> {
    return (coreOf(this) as ServerCore).getTicketKeys();
  },
  setTicketKeys(keys: Buffer): void {
    (coreOf(this) as ServerCore).setTicketKeys(keys);
  },
  _listen2(...args: Parameters<Listen2>): void {
    (coreOf(this) as ServerCore).listen2(...args);
  },
};

/** Gives a class that extends one of Node's servers the methods of our core, as methods of its own. */
export function defineServerMethods(Class: { readonly prototype: object }): void {
  for (const [name, value] of Object.entries(METHODS)) {
    Object.defineProperty(Class.prototype, name, { value, writable: true, configurable: true });
  }
}
