// The library as the tests use it. All test files of a Jest process share the native addon and the thread's pool of
// jobs; a library of one's own has a scheduler, limits and figures of its own.
export type Library = typeof import('../../../lib');

/** A copy of the library that nothing has used yet: one that can still be configured, and whose figures begin at 0. */
export function freshLibrary(): Library {
  let library: Library | undefined;
  jest.isolateModules(() => {
    library = jest.requireActual<Library>('../../../lib');
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
