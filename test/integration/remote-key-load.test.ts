// Keys of JavaScript functions that are asked many times at once, and in another process.
import { fork, type ChildProcess } from 'node:child_process';
import * as crypto from 'node:crypto';
import { once } from 'node:events';
import * as path from 'node:path';
import {
  createRemoteKey,
  privateDecrypt,
  sign,
  stats,
  type AsyncKey,
  type RemoteDecryptRequest,
  type RemoteSignRequest,
} from '../../lib';
import { PRIVATE_KEYS } from '../support/keys';
import { HAS_JOBS, testWithJobs } from '../support/jobs';
import { freshLibrary, rejection, rejectionCode, turn, until } from '../support/library';
import { MESSAGE, RSA, ED25519, never } from '../support/remote-keys';

const byNumber = (one: string, other: string): number => Number(one.slice(8)) - Number(other.slice(8));

describe('many at once', () => {
  test('no more than `maxConcurrent` calls are under way, in the order of the operations', async () => {
    const order: string[] = [];
    let active = 0;
    let most = 0;
    const key = createRemoteKey({
      publicKey: ED25519.publicKey,
      maxConcurrent: 3,
      sign: async ({ data }) => {
        order.push(String(data));
        most = Math.max(most, ++active);
        await turn();
        --active;
        return crypto.sign(null, data as Buffer, ED25519.privateKey);
      },
    });
    const messages = Array.from({ length: 50 }, (_, i) => `message ${String(i)}`);
    const signatures = await Promise.all(messages.map((message) => sign(null, message, key)));
    // Threads may overtake each other.
    expect(HAS_JOBS ? order : [...order].sort(byNumber)).toEqual(messages);
    expect(most).toBe(3);
    expect(
      signatures.every((signature, i) =>
        crypto.verify(null, Buffer.from(messages[i] as string), ED25519.publicKey, signature),
      ),
    ).toBe(true);
  });

  test('those that did not answer in time make room', async () => {
    let calls = 0;
    const signature = crypto.sign(null, MESSAGE, ED25519.privateKey);
    const key = createRemoteKey({
      publicKey: ED25519.publicKey,
      maxConcurrent: 1,
      timeoutMs: 300,
      sign: () => (++calls === 1 ? never() : signature),
    });
    expect(await rejectionCode(sign(null, MESSAGE, key))).toBe('ERR_ASYNC_REMOTE_KEY_TIMEOUT');
    expect(await sign(null, MESSAGE, key)).toEqual(signature);
  });

  testWithJobs('ten thousand in flight, each answered 5 ms after the last was asked', async () => {
    const COUNT = 10_000;
    const signature = crypto.sign(null, MESSAGE, ED25519.privateKey);
    const waiting: ((signature: Buffer) => void)[] = [];
    const key = createRemoteKey({
      publicKey: ED25519.publicKey,
      maxConcurrent: 65_536,
      timeoutMs: 25_000,
      sign: () =>
        new Promise<Buffer>((resolve) => {
          waiting.push(resolve);
          if (waiting.length < COUNT) return;
          for (const answer of waiting) setTimeout(answer, 5, signature);
        }),
    });
    const before = stats();
    const signatures = await Promise.all(Array.from({ length: COUNT }, () => sign(null, MESSAGE, key)));
    expect(signatures.every((each) => each.equals(signature))).toBe(true);
    const { jobs, providers } = stats();
    expect(jobs.pauses - before.jobs.pauses).toBe(COUNT);
    expect((providers.remote?.pauses ?? 0) - (before.providers.remote?.pauses ?? 0)).toBe(COUNT);
    expect(jobs.live).toBe(0);
  });

  testWithJobs('the figures tell of the pauses', async () => {
    const library = freshLibrary();
    const signature = crypto.sign(null, MESSAGE, ED25519.privateKey);
    let calls = 0;
    const key = library.createRemoteKey({
      publicKey: ED25519.publicKey,
      sign: () => (++calls === 3 ? Promise.reject(new Error('down')) : signature),
    });
    for (let i = 0; i < 3; ++i) await library.sign(null, MESSAGE, key, { requireOffload: true }).catch(() => undefined);
    expect(library.stats().providers.remote).toMatchObject({
      operations: 3,
      paused: 3,
      pauses: 3,
      callbacks: 3,
      failed: 1,
      notOffloaded: 0,
      inFlight: 0,
    });
  });
});

describe('a function that asks another process', () => {
  let child: ChildProcess;
  let nextId = 0;
  const answers = new Map<number, { resolve: (bytes: Uint8Array) => void; reject: (error: Error) => void }>();
  const ask = (type: string, request: RemoteSignRequest | RemoteDecryptRequest): Promise<Uint8Array> =>
    new Promise((resolve, reject) => {
      const id = nextId++;
      answers.set(id, { resolve, reject });
      // The signal stays here.
      child.send({ id, type, request: { ...request } });
    });

  beforeEach(async () => {
    answers.clear();
    child = fork(path.join(__dirname, '..', 'support', 'remote-signer.js'), [], {
      serialization: 'advanced',
      execArgv: [],
    });
    child.on('message', ({ id, bytes, error }: { id: number; bytes?: Uint8Array; error?: string }) => {
      const answer = answers.get(id);
      if (bytes === undefined) answer?.reject(new Error(error));
      else answer?.resolve(bytes);
    });
    child.on('exit', () => {
      for (const { reject } of answers.values()) reject(new Error('the process has ended'));
    });
    child.send({ privateKey: PRIVATE_KEYS.rsa2048 });
    await once(child, 'message');
  });
  afterEach(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  });

  const remote = (): AsyncKey =>
    createRemoteKey({
      publicKey: RSA.publicKey,
      sign: (request) => ask('sign', request),
      decrypt: (request) => ask('decrypt', request),
      verify: true,
    });

  test('signs and decrypts there', async () => {
    const key = remote();
    const messages = Array.from({ length: 50 }, (_, i) => Buffer.from(`message ${String(i)}`));
    const signatures = await Promise.all(messages.map((message) => sign('sha256', message, key)));
    messages.forEach((message, i) => {
      expect(crypto.verify('sha256', message, RSA.publicKey, signatures[i] as Buffer)).toBe(true);
    });
    expect(await privateDecrypt(key, crypto.publicEncrypt(RSA.publicKey, MESSAGE))).toEqual(MESSAGE);
  });

  test('says what went wrong there', async () => {
    const error = await rejection(privateDecrypt(remote(), Buffer.alloc(256)));
    expect(error).toMatchObject({ code: 'ERR_ASYNC_REMOTE_KEY_FAILED' });
    expect((error as Error).cause).toMatchObject({ message: expect.stringMatching(/oaep|decod/i) as string });
  });

  test('which may die meanwhile', async () => {
    const key = remote();
    child.send({ hold: true });
    const promises = Array.from({ length: 20 }, () => rejectionCode(sign('sha256', MESSAGE, key)));
    await until(() => answers.size === 20);
    child.kill('SIGKILL');
    expect(new Set(await Promise.all(promises))).toEqual(new Set(['ERR_ASYNC_REMOTE_KEY_FAILED']));
  });
});
