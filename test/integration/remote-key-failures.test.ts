// Keys of JavaScript functions that throw, answer wrongly, late, or never.
import * as crypto from 'node:crypto';
import {
  createRemoteKey,
  diffieHellman,
  privateDecrypt,
  sign,
  stats,
  type AsyncKey,
  type RemoteKeyOptions,
} from '../../lib';
import { HAS_JOBS } from '../support/jobs';
import { rejection, rejectionCode, turn, until } from '../support/library';
import type { Pair } from '../support/remote-keys';
import { MESSAGE, RSA, P256, P521, ED25519, X25519, LIMITED, recording, never } from '../support/remote-keys';

/** Operations that have not ended: jobs, or threads that wait. */
const live = (): number => (HAS_JOBS ? stats().jobs.live : stats().inFlight);

describe('what goes wrong', () => {
  const failing = (answer: () => unknown, options: Partial<RemoteKeyOptions> = {}): AsyncKey =>
    createRemoteKey({ publicKey: ED25519.publicKey, sign: answer as () => Buffer, ...LIMITED, ...options });
  const cause = new Error('the service is down');

  test.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw cause;
      },
    ],
    ['rejects', () => Promise.reject(cause)],
  ])('the function %s: its reason is the cause', async (_title, answer) => {
    const error = await rejection(sign(null, MESSAGE, failing(answer)));
    expect(error).toMatchObject({ code: 'ERR_ASYNC_REMOTE_KEY_FAILED' });
    expect((error as Error).cause).toBe(cause);
  });

  test('the causes of operations that fail together are not mixed up', async () => {
    const key = failing(() => undefined, {
      sign: async ({ data }) => {
        await turn();
        throw String(data);
      },
    });
    const messages = Array.from({ length: 100 }, (_, i) => `message ${String(i)}`);
    const errors = await Promise.all(messages.map((message) => rejection(sign(null, message, key))));
    expect(errors.map((error) => (error as Error).cause)).toEqual(messages);
  });

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['a string', 'x'.repeat(64)],
    ['a number', 64],
    ['an array', Array.from({ length: 64 }, () => 0)],
    ['no bytes', Buffer.alloc(0)],
    ['too few bytes', Buffer.alloc(63)],
    ['too many bytes', Buffer.alloc(65)],
  ])('the function gives %s', async (_title, answer) => {
    for (const given of [answer, Promise.resolve(answer)]) {
      expect(
        await rejectionCode(
          sign(
            null,
            MESSAGE,
            failing(() => given),
          ),
        ),
      ).toBe('ERR_ASYNC_REMOTE_KEY_INVALID_RESULT');
    }
  });

  const wrongLengths: [string, () => Promise<unknown>][] = [
    [
      'RSA signature',
      () => sign('sha256', MESSAGE, createRemoteKey({ publicKey: RSA.publicKey, sign: () => Buffer.alloc(255) })),
    ],
    [
      'ECDSA signature that is not DER',
      () => sign('sha256', MESSAGE, createRemoteKey({ publicKey: P256.publicKey, sign: () => Buffer.alloc(64, 1) })),
    ],
    [
      'ECDSA signature with bytes behind it',
      () =>
        sign(
          'sha256',
          MESSAGE,
          createRemoteKey({
            publicKey: P521.publicKey,
            sign: () => Buffer.concat([crypto.sign('sha256', MESSAGE, P256.privateKey), Buffer.alloc(1)]),
          }),
        ),
    ],
    [
      'ECDSA signature that is not IEEE P1363',
      () =>
        sign(
          'sha256',
          MESSAGE,
          createRemoteKey({ publicKey: P256.publicKey, dsaEncoding: 'ieee-p1363', sign: () => Buffer.alloc(63, 1) }),
        ),
    ],
    [
      'plaintext longer than the modulus',
      () =>
        privateDecrypt(
          createRemoteKey({ publicKey: RSA.publicKey, decrypt: () => Buffer.alloc(257) }),
          Buffer.alloc(256, 1),
        ),
    ],
    [
      'plaintext without padding',
      () =>
        privateDecrypt(
          {
            key: createRemoteKey({ publicKey: RSA.publicKey, decrypt: () => Buffer.alloc(255) }),
            padding: crypto.constants.RSA_NO_PADDING,
          },
          Buffer.alloc(256, 1),
        ),
    ],
    [
      'secret',
      () =>
        diffieHellman({
          privateKey: createRemoteKey({ publicKey: X25519.publicKey, derive: () => Buffer.alloc(31) }),
          publicKey: X25519.publicKey,
        }),
    ],
    [
      'EC secret',
      () =>
        diffieHellman({
          privateKey: createRemoteKey({ publicKey: P521.publicKey, derive: () => Buffer.alloc(65) }),
          publicKey: P521.publicKey,
        }),
    ],
  ];
  test.each(wrongLengths)('a wrong length: %s', async (_title, operation) => {
    expect(await rejectionCode(operation())).toBe('ERR_ASYNC_REMOTE_KEY_INVALID_RESULT');
  });

  test.each<[string, Pair, string | null]>([
    ['RSA', RSA, 'sha256'],
    ['ECDSA', P256, 'sha256'],
    ['Ed25519', ED25519, null],
  ])(
    'a signature of something else: with `verify` it is an error, without it is given out (%s)',
    async (_title, keys, digest) => {
      const wrong = crypto.sign(digest, Buffer.from('other data'), keys.privateKey);
      const key = (verifies: boolean): AsyncKey =>
        createRemoteKey({ publicKey: keys.publicKey, sign: () => wrong, verify: verifies });
      expect(await rejectionCode(sign(digest, MESSAGE, key(true)))).toBe('ERR_ASYNC_REMOTE_KEY_INVALID_RESULT');
      expect(await sign(digest, MESSAGE, key(false))).toEqual(wrong);
    },
  );

  test('PSS with another salt length or padding than asked for is caught by `verify`', async () => {
    const { RSA_PKCS1_PSS_PADDING: padding } = crypto.constants;
    const key = createRemoteKey({
      publicKey: RSA.publicKey,
      verify: true,
      sign: () => crypto.sign('sha256', MESSAGE, { key: RSA.privateKey, padding, saltLength: 20 }),
    });
    expect(
      crypto.verify(
        'sha256',
        MESSAGE,
        { key: RSA.publicKey, padding },
        await sign('sha256', MESSAGE, { key, padding, saltLength: 20 }),
      ),
    ).toBe(true);
    for (const signing of [{ padding, saltLength: 32 }, {}]) {
      expect(await rejectionCode(sign('sha256', MESSAGE, { key, ...signing }))).toBe(
        'ERR_ASYNC_REMOTE_KEY_INVALID_RESULT',
      );
    }
  });

  test('a function that never answers: the time limit ends the operation, and aborts the signal', async () => {
    let signal: AbortSignal | undefined;
    const key = failing(() => undefined, {
      sign: (request) => {
        ({ signal } = request);
        return never();
      },
      timeoutMs: 20,
    });
    expect(await rejectionCode(sign(null, MESSAGE, key))).toBe('ERR_ASYNC_REMOTE_KEY_TIMEOUT');
    expect(signal?.reason).toMatchObject({ code: 'ERR_ASYNC_REMOTE_KEY_TIMEOUT' });
    expect(live()).toBe(0);
  });

  test('an answer that comes too late is not heard, a late rejection neither', async () => {
    const late: (() => void)[] = [];
    const key = failing(
      () =>
        new Promise((resolve, reject) => {
          late.push(() => {
            resolve(Buffer.alloc(64));
          });
          late.push(() => {
            reject(cause);
          });
        }),
      { timeoutMs: 20 },
    );
    const codes = await Promise.all([1, 2].map(() => rejectionCode(sign(null, MESSAGE, key))));
    expect(codes).toEqual(['ERR_ASYNC_REMOTE_KEY_TIMEOUT', 'ERR_ASYNC_REMOTE_KEY_TIMEOUT']);
    late[0]?.();
    late[3]?.();
    await turn();
    expect(late).toHaveLength(4);
  });

  test('the caller gives up: the signal is aborted with the reason, and the job ends when its time is up', async () => {
    const signals: AbortSignal[] = [];
    const key = failing(() => undefined, {
      sign: (request) => {
        signals.push(request.signal);
        return never();
      },
      timeoutMs: 500,
    });
    const aborter = new AbortController();
    const promise = rejection(sign(null, MESSAGE, key, { signal: aborter.signal }));
    await until(() => signals.length === 1);
    aborter.abort(new Error('enough'));
    expect(await promise).toMatchObject({ name: 'AbortError' });
    expect(await rejectionCode(sign(null, MESSAGE, key, { timeoutMs: 10 }))).toBe('ERR_ASYNC_TIMEOUT');
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
    await until(() => live() === 0);
  });

  test('who waits in the line and is given up, is never asked for', async () => {
    const answers: ((signature: Buffer) => void)[] = [];
    const key = failing(() => new Promise<Buffer>((resolve) => answers.push(resolve)), { maxConcurrent: 1 });
    const signature = crypto.sign(null, MESSAGE, ED25519.privateKey);
    const aborter = new AbortController();
    const first = sign(null, MESSAGE, key);
    const second = rejection(sign(null, 'second', key, { signal: aborter.signal }));
    const third = sign(null, MESSAGE, key);
    await until(() => live() === 3 && answers.length === 1);
    aborter.abort();
    expect(await second).toMatchObject({ name: 'AbortError' });
    await until(() => live() === 2);
    answers[0]?.(signature);
    expect(await first).toEqual(signature);
    await until(() => answers.length === 2);
    answers[1]?.(signature);
    expect(await third).toEqual(signature);
    expect(answers).toHaveLength(2);
  });

  test('an operation for which there is no function', async () => {
    const key = createRemoteKey({ publicKey: RSA.publicKey, sign: () => Buffer.alloc(256) });
    expect(await rejectionCode(privateDecrypt(key, Buffer.alloc(256, 1)))).toBe('ERR_ASYNC_REMOTE_KEY_UNSUPPORTED');
  });

  test('outside a job nobody can wait', async () => {
    const { key, requests } = recording(ED25519);
    expect(await rejectionCode(sign(null, MESSAGE, key, { mode: 'inline' }))).toBe('ERR_ASYNC_REMOTE_KEY_CANNOT_WAIT');
    expect(requests).toEqual([]);
  });
});
