import type { Duplex } from 'node:stream';

/** Two ends of a pair in memory: what is written to one, the other one reads. */
export function pipedPair(): [Duplex, Duplex];
