// Native code uses the memory of all connections' plaintext again: whoever keeps bytes needs a copy.

/** Bytes with an ArrayBuffer of their own, as node:tls gives them. */
export function copyOf(bytes: Uint8Array): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
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
