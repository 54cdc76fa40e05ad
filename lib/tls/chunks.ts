// Native code uses the memory of all connections' plaintext again: whoever keeps bytes needs a copy.

/** Bytes with an ArrayBuffer of their own, as node:tls gives them. */
export function copyOf(bytes: Uint8Array): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}

/** Copies what http's parser leaves over for a listener: it may be a view of that memory. */
export function copyLeftovers(event: string | symbol, args: unknown[]): void {
  if ((event === 'upgrade' || event === 'connect') && args[2] instanceof Uint8Array) args[2] = copyOf(args[2]);
  if (event !== 'clientError') return;
  const error = args[0] as { rawPacket?: unknown } | undefined;
  if (error?.rawPacket instanceof Uint8Array) error.rawPacket = copyOf(error.rawPacket);
}

const copiers = new WeakSet();

/** This server of HTTP copies what its parser leaves over. */
export function addCopier(server: object): void {
  copiers.add(server);
}

/** `server` as http sets it on the sockets that it reads. */
export function isCopier(server: unknown): boolean {
  return copiers.has(server as object);
}
