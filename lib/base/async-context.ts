// The async context of a call, for code of users that runs later on its behalf.
import { AsyncLocalStorage } from 'node:async_hooks';

/** Runs a function in an async context that was captured. */
export type InContext = <R>(body: () => R) => R;

/** Captures the async context that is current. Node.js loads what this needs when it is first asked for it: now. */
export const captureContext: () => InContext = AsyncLocalStorage.snapshot.bind(AsyncLocalStorage);
