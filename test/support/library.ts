// The library as the tests use it. Jest loads an addon once per process, so that the test files of a process share a
// scheduler, its limits and its figures; a fresh library has its own. OpenSSL's pool is the thread's either way.
import { constants } from 'node:os';
import * as path from 'node:path';

export type Library = typeof import('../../lib');

const ADDON =
  process.env.OPENSSL_ASYNC_ADDON ?? path.join(__dirname, '..', '..', 'build', 'Release', 'openssl_async.node');

// The real addon, once more: each time that it is loaded it makes another environment.
function loadAddonAnew(): unknown {
  const module = { exports: {} };
  process.dlopen(module, ADDON, constants.dlopen.RTLD_LAZY);
  return module.exports;
}

/** A copy of the library that nothing has used yet: one that can still be configured, and whose figures begin at 0. */
export function freshLibrary(): Library {
  let library: Library | undefined;
  jest.isolateModules(() => {
    jest.doMock('bindings', () => loadAddonAnew);
    library = jest.requireActual<Library>('../../lib');
    jest.dontMock('bindings');
  });
  return library as Library;
}

/** The code of what `action` throws; undefined when it throws nothing. */
export function codeOf(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
  return undefined;
}

/** What `promise` rejects with; undefined when it does not. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  return undefined;
}

/** The code of what `promise` rejects with; undefined when it does not. */
export async function rejectionCode(promise: Promise<unknown>): Promise<unknown> {
  return ((await rejection(promise)) as { code?: unknown } | undefined)?.code;
}

/** One turn of the event loop: what was ready before has had its turn after it. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Turns of the event loop until `condition` holds; the test's time limit is the only one. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}
