// Searches the memory of another process.
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

const CHUNK_BYTES = 16 * 1024 * 1024;

/** How often each of `secrets` stands in the writable memory of the process `pid`; each has at least four bytes. */
export function occurrences(pid: number, secrets: readonly Buffer[]): number {
  const byStart = new Map<number, Buffer[]>();
  const starts = new Uint8Array(65_536);
  for (const secret of secrets) {
    const start = secret.readUInt32LE(0);
    byStart.set(start, [...(byStart.get(start) ?? []), secret]);
    starts[start & 0xffff] = 1;
  }
  const overlap = Math.max(...secrets.map((secret) => secret.length)) - 1;
  const memory = openSync(`/proc/${String(pid)}/mem`, 'r');
  const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  let found = 0;
  try {
    for (const [from, to] of writableRegions(pid)) {
      for (let at = from; at < to; at += CHUNK_BYTES - overlap) {
        const read = readAt(memory, chunk, at, Math.min(CHUNK_BYTES, to - at));
        // What begins in the overlap is found in the next part.
        const end = Math.min(read - 3, CHUNK_BYTES - overlap);
        for (let i = 0; i < end; ++i) {
          if (starts[(chunk[i] as number) | ((chunk[i + 1] as number) << 8)] === 0) continue;
          const candidates = byStart.get(chunk.readUInt32LE(i));
          if (candidates === undefined) continue;
          for (const secret of candidates) {
            if (i + secret.length <= read && secret.compare(chunk, i, i + secret.length) === 0) ++found;
          }
        }
      }
    }
  } finally {
    closeSync(memory);
  }
  return found;
}

function writableRegions(pid: number): [number, number][] {
  return readFileSync(`/proc/${String(pid)}/maps`, 'utf8')
    .split('\n')
    .flatMap((line): [number, number][] => {
      const [, from = '', to = '', rights = ''] = /^([0-9a-f]+)-([0-9a-f]+) (\S+)/.exec(line) ?? [];
      return rights.startsWith('rw') ? [[Number.parseInt(from, 16), Number.parseInt(to, 16)]] : [];
    });
}

// Of pages that cannot be read, such as guards, nothing.
function readAt(memory: number, into: Buffer, position: number, size: number): number {
  try {
    return readSync(memory, into, 0, size, position);
  } catch {
    return 0;
  }
}
