import { AsyncLocalStorage } from 'node:async_hooks';
import { generateKeyPairSync } from 'node:crypto';
import { channel, subscribe, tracingChannel, unsubscribe } from 'node:diagnostics_channel';
import {
  createRemoteKey,
  hash,
  nativeJobFunction,
  privateDecrypt,
  runJob,
  sign,
  type OperationMessage,
} from '../../lib';
import { testWithJobs } from '../support/jobs';
import { device, deviceRequest } from '../support/device';

const store = new AsyncLocalStorage<string>();

const NAMES = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const;
const operationChannels = Object.fromEntries(NAMES.map((name) => [name, channel(`openssl-async:operation:${name}`)]));

function subscribed<T>(names: readonly string[], onMessage: (message: unknown, name: string) => void, body: () => T): T;
function subscribed(
  names: readonly string[],
  onMessage: (message: unknown, name: string) => void,
  body: () => Promise<void>,
): Promise<void> {
  const heard = (message: unknown, name: string | symbol): void => {
    onMessage(message, String(name));
  };
  for (const name of names) subscribe(name, heard);
  return body().finally(() => {
    for (const name of names) unsubscribe(name, heard);
  });
}

describe('the async context of a call', () => {
  test.each(['inline', 'offload'] as const)('subscribers of operations are called in it (%s)', async (mode) => {
    const seen: unknown[] = [];
    const names = ['start', 'end', 'asyncStart', 'asyncEnd', 'finish'].map((name) => `openssl-async:operation:${name}`);
    await subscribed(
      names,
      () => seen.push(store.getStore()),
      async () => {
        await Promise.all(['a', 'b'].map((name) => store.run(name, () => hash('sha256', name, { mode }))));
      },
    );
    expect(seen.filter((name) => name === 'a')).toHaveLength(5);
    expect(seen.filter((name) => name === 'b')).toHaveLength(5);
    expect(seen).toHaveLength(10);
  });

  testWithJobs('subscribers of jobs are called in it', async () => {
    const seen: unknown[] = [];
    const names = ['start', 'pause', 'resume', 'finish'].map((name) => `openssl-async:job:${name}`);
    await subscribed(
      names,
      (_, name) => seen.push([name.slice(18), store.getStore()]),
      async () => {
        const args = deviceRequest({ mode: 'callback-thread', pauses: 1 });
        await store.run('job', () => runJob(nativeJobFunction(device.functions.device), { args }));
      },
    );
    expect(seen).toEqual(['start', 'pause', 'resume', 'finish'].map((name) => [name, 'job']));
  });

  test('functions of a remote key are called in that of the operation that needs it', async () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const seen: unknown[] = [];
    const key = createRemoteKey({
      publicKey,
      sign: () => {
        seen.push(store.getStore());
        return Buffer.alloc(128, 1);
      },
    });
    await Promise.all([1, 2].map((n) => store.run(`request ${String(n)}`, () => sign('sha256', 'x', key))));
    expect(seen).toEqual(['request 1', 'request 2']);
  });
});

describe('openssl-async:operation as a tracing channel', () => {
  const events: [string, OperationMessage][] = [];
  const subscribers = Object.fromEntries(
    NAMES.map((name) => [name, (message: unknown) => events.push([name, message as OperationMessage])]),
  ) as unknown as Parameters<ReturnType<typeof tracingChannel>['subscribe']>[0];
  const tracing = tracingChannel(operationChannels as unknown as Parameters<typeof tracingChannel>[0]);

  beforeEach(() => {
    events.length = 0;
    tracing.subscribe(subscribers);
  });
  afterEach(() => {
    tracing.unsubscribe(subscribers);
  });

  test.each([
    ['inline', { mode: 'inline' }],
    ['pool', { mode: 'offload' }],
  ] as const)('one message goes through all channels (%s)', async (place, options) => {
    await hash('sha256', 'x', options);
    expect(events.map(([name]) => name)).toEqual(['start', 'end', 'asyncStart', 'asyncEnd']);
    expect(new Set(events.map(([, message]) => message)).size).toBe(1);
    expect(events[0]?.[1]).toMatchObject({ algorithm: 'hash sha256', place });
  });

  test('an error is told before the end', async () => {
    const signal = AbortSignal.timeout(5);
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const key = createRemoteKey({ publicKey, sign: () => new Promise<Buffer>(() => undefined) });
    await expect(sign('sha256', 'x', key, { signal })).rejects.toMatchObject({ code: 'ABORT_ERR' });
    expect(events.map(([name]) => name)).toEqual(['start', 'end', 'error', 'asyncStart', 'asyncEnd']);
    expect(events[2]?.[1].error).toMatchObject({ code: 'ABORT_ERR' });
  });

  test('stores that are bound to the start are those of what happens later', async () => {
    const spans = new AsyncLocalStorage<unknown>();
    const start = channel('openssl-async:operation:start');
    start.bindStore(spans, (message) => message);
    const seen: unknown[] = [];
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const key = createRemoteKey({
      publicKey,
      sign: () => {
        seen.push(spans.getStore());
        return Buffer.alloc(128, 1);
      },
    });
    await sign('sha256', 'x', key);
    start.unbindStore(spans);
    expect(seen).toEqual([events[0]?.[1]]);
  });
});

describe('the stack of a rejection', () => {
  async function callerOf(call: () => Promise<unknown>): Promise<string | undefined> {
    async function theCaller(): Promise<void> {
      await call();
    }
    try {
      await theCaller();
      return undefined;
    } catch (error) {
      return (error as Error).stack;
    }
  }
  const keys = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const { publicKey } = keys;

  test.each<[string, () => Promise<unknown>]>([
    ['an operation on the pool', () => privateDecrypt(keys.privateKey, Buffer.alloc(128, 1), { mode: 'offload' })],
    ['an operation in a job', () => sign('sha256', 'x', createRemoteKey({ publicKey, sign: () => Buffer.alloc(1) }))],
    [
      'an aborted operation',
      () =>
        sign('sha256', 'x', createRemoteKey({ publicKey, sign: () => new Promise<Buffer>(() => undefined) }), {
          signal: AbortSignal.timeout(2),
        }),
    ],
    [
      'a job',
      () =>
        runJob(nativeJobFunction(device.functions.device), {
          args: deviceRequest({ mode: 'none', pauses: 1e6 }),
          timeoutMs: 2,
        }),
    ],
  ])('names the functions that await it: %s', async (_, call) => {
    expect(await callerOf(call)).toMatch(/at (async )?theCaller /);
  });

  test("has the message of a remote key's error", async () => {
    const key = createRemoteKey({ publicKey, sign: () => Promise.reject(new Error('the service is down')) });
    const error = await sign('sha256', 'x', key).catch((reason: unknown) => reason as NodeJS.ErrnoException);
    expect(error).toMatchObject({ code: 'ERR_ASYNC_REMOTE_KEY_FAILED' });
    expect((error as Error).message).toContain('the service is down');
  });
});
