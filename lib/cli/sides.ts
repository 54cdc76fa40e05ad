// The sides that `speed` compares: `node:crypto` on the event loop, Node.js on its thread pool, and this library.

export const SIDES = ['sync', 'threadpool', 'async'] as const;
export type Side = (typeof SIDES)[number];
