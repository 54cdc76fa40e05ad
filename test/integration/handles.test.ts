// Native functions take no handle of another type, nor one that was let go: an error comes, and no memory is touched.
import { generateKeyPairSync } from 'node:crypto';
import { environment } from '../../lib/native/environment';
import { isNativeError } from '../../lib/base/errors';
import type { NativeError } from '../../lib/native/contract/error';
import { Family } from '../../lib/native/contract/tables';
import { callEnvironment } from '../../lib/operations/call';

const { addon } = environment();
const publicKey = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'der' });

function made<T extends object>(result: T | NativeError): T {
  if (isNativeError(result)) throw new Error(result.message);
  return result;
}

const newContext = () => made(addon.waitContexts.create());
const newSignal = () => made(addon.signals.create());
const newJob = () => addon.jobs.create(null, null, newContext());
const newKey = () => made(addon.keys.create(publicKey, false, undefined, undefined));
const newSpec = () =>
  made(addon.specs.create(Family.digest, 'digest sha256', ['sha256'], [], [], [], undefined, undefined, undefined));
const newProvider = () => made(addon.providers.load('default', undefined, []));
const newTask = () => addon.engines.load('no-such-engine', false, '', [], []);

interface Kind {
  make: () => unknown;
  /** Lets go of the native object. */
  release: (handle: never) => unknown;
  /** What a handle can be passed to. */
  uses: Record<string, (handle: never) => unknown>;
  /** Those that take one that was let go. */
  afterRelease?: readonly string[];
}

const kinds: Record<string, Kind> = {
  'wait context': {
    make: newContext,
    release: (handle) => addon.waitContexts.close(handle),
    uses: {
      close: (handle) => addon.waitContexts.close(handle),
      fds: (handle) => addon.waitContexts.fds(handle),
      changedFds: (handle) => addon.waitContexts.changedFds(handle),
      status: (handle) => addon.waitContexts.status(handle),
      setStatus: (handle) => {
        addon.waitContexts.setStatus(handle, 0);
      },
      observe: (handle) => {
        addon.waitContexts.observe(handle, 1);
      },
      stopObserving: (handle) => {
        addon.waitContexts.stopObserving(handle);
      },
      await: (handle) => addon.waitContexts.await(handle, 1),
      createJob: (handle) => addon.jobs.create(null, null, handle),
      submit: (handle) => {
        addon.jobs.submit(1, null, null, handle);
      },
    },
    afterRelease: ['close', 'createJob', 'submit'],
  },
  signal: {
    make: newSignal,
    release: (handle) => {
      addon.signals.close(handle);
    },
    uses: {
      fd: (handle) => addon.signals.fd(handle),
      wake: (handle) => {
        addon.signals.wake(handle);
      },
      clear: (handle) => addon.signals.clear(handle),
      close: (handle) => {
        addon.signals.close(handle);
      },
    },
    afterRelease: ['close'],
  },
  job: {
    make: newJob,
    release: (handle) => addon.jobs.release(handle, 0),
    uses: {
      run: (handle) => addon.jobs.run(handle),
      continue: (handle) => {
        addon.jobs.continue(handle, 0, 0, 0, false, 0);
      },
      outcome: (handle) => addon.jobs.outcome(handle),
      end: (handle) => addon.jobs.end(handle),
      release: (handle) => addon.jobs.release(handle, 0),
    },
    afterRelease: ['run', 'release'], // run() has an error of its own
  },
  key: {
    make: newKey,
    release: (handle) => {
      addon.keys.release(handle);
    },
    uses: {
      release: (handle) => {
        addon.keys.release(handle);
      },
      createSpec: (handle) =>
        addon.specs.create(Family.verify, 'verify', [], [], [handle], [], undefined, undefined, undefined),
    },
    afterRelease: ['release'],
  },
  spec: {
    make: newSpec,
    release: (handle) => {
      addon.specs.release(handle);
    },
    uses: {
      operate: (handle) => callEnvironment().operations.operate(handle),
      provider: (handle) => addon.specs.provider(handle),
      passOver: (handle) => {
        addon.specs.passOver(handle);
      },
      takeKey: (handle) => addon.specs.takeKey(handle),
      release: (handle) => {
        addon.specs.release(handle);
      },
    },
    afterRelease: ['passOver', 'release'],
  },
  provider: {
    make: newProvider,
    release: (handle) => {
      addon.providers.unload(handle);
    },
    uses: {
      describe: (handle) => addon.providers.describe(handle),
      test: (handle) => addon.providers.test(handle),
      parameter: (handle) => addon.providers.parameter(handle, 'name'),
      poll: (handle) => addon.providers.poll('provider:default', handle, 'name', 1, 1, 1),
      unload: (handle) => {
        addon.providers.unload(handle);
      },
    },
    afterRelease: ['unload'],
  },
  engine: {
    // No engine is loaded: the tests of engines have some.
    make: () => undefined,
    release: () => undefined,
    uses: {
      describe: (handle) => addon.engines.describe(handle),
      control: (handle) => addon.engines.control(handle, 'NAME', undefined),
      loadKey: (handle) => addon.engines.loadKey(handle, 'id', true),
      poll: (handle) => addon.engines.poll('engine:none', handle, 'POLL', 1, 1, 1),
      bindKey: (handle) => addon.engines.bindKey(handle, publicKey, 1, false),
      setDefault: (handle) => addon.engines.setDefault(handle, 'RSA'),
      unload: (handle) => {
        addon.engines.unload(handle);
      },
    },
  },
  outcome: {
    make: () => newTask()[1],
    release: (handle) => {
      addon.engines.releaseOutcome(handle);
    },
    uses: {
      takeError: (handle) => addon.engines.takeError(handle),
      takeEngine: (handle) => addon.engines.takeEngine(handle),
      takeKey: (handle) => addon.engines.takeKey(handle, false),
      releaseOutcome: (handle) => {
        addon.engines.releaseOutcome(handle);
      },
    },
    afterRelease: ['releaseOutcome'],
  },
};

const wrong = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };

describe.each(Object.entries(kinds))('a handle of type %s', (name, { make, release, uses, afterRelease = [] }) => {
  const others = Object.entries(kinds).filter(([other]) => other !== name && other !== 'engine');

  test.each(Object.entries(uses))('is asked for by %s, and no other is taken', (_, use) => {
    for (const [, other] of others) expect(() => use(other.make() as never)).toThrow(expect.objectContaining(wrong));
    for (const value of ['handle', {}, Symbol('handle'), Buffer.alloc(64), () => undefined]) {
      expect(() => use(value as never)).toThrow(expect.objectContaining(wrong));
    }
  });

  if (name === 'engine') return;
  test.each(Object.entries(uses).filter(([use]) => !afterRelease.includes(use)))(
    'is not taken by %s after it was let go',
    (_, use) => {
      const handle = make() as never;
      release(handle);
      expect(() => use(handle)).toThrow(expect.objectContaining(wrong));
    },
  );
});

test('anything but a job function is not taken for one', () => {
  for (const other of [newContext(), newSpec(), {}, 1]) {
    expect(() => addon.jobs.create(other as never, null, newContext())).toThrow(expect.objectContaining(wrong));
    expect(() => {
      addon.jobs.submitBatch(other as never);
    }).toThrow(expect.objectContaining(wrong));
  }
});
