// What a stream has been given to write: it encodes no text by itself. And how much of what it was given was read.

import type { Readable } from 'node:stream';

export type Encoding = BufferEncoding | 'buffer';

export interface Piece {
  readonly chunk: string | Uint8Array;
  readonly encoding: Encoding;
}

/** Whether native code encodes it. */
export function isText(piece: Piece): piece is Piece & { readonly chunk: string } {
  const { chunk, encoding } = piece;
  return typeof chunk === 'string' && (encoding === 'latin1' || encoding === 'utf8' || encoding === 'utf-8');
}

export function toBytes({ chunk, encoding }: Piece): Uint8Array {
  return typeof chunk === 'string' ? Buffer.from(chunk, encoding as BufferEncoding) : chunk;
}

/** In bytes. */
export function sizeOf(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, { chunk, encoding }) => sum + Buffer.byteLength(chunk, encoding as BufferEncoding), 0);
}

/** What follows so many bytes. Nothing but text is copied. */
export function after(pieces: readonly Piece[], count: number): Piece[] {
  const rest: Piece[] = [];
  let left = count;
  for (const piece of pieces) {
    const bytes = toBytes(piece);
    if (left < bytes.length) rest.push({ chunk: bytes.subarray(left), encoding: 'buffer' });
    left -= Math.min(left, bytes.length);
  }
  return rest;
}

// Streams of Node.js say by these how they are doing.
interface ReadableState {
  readonly ended: boolean;
  readonly flowing: boolean | null;
  readonly length: number;
  readonly reading: boolean;
  readonly sync: boolean;
  readonly dataEmitted: boolean;
}

export function readableState(stream: Readable): ReadableState {
  return (stream as unknown as { _readableState: ReadableState })._readableState;
}
