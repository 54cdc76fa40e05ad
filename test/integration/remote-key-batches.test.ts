// Requests reach JavaScript in batches of a limited size, and the long ones one by one.
import * as crypto from 'node:crypto';
import { createRemoteKey, privateDecrypt, publicEncrypt, sign, type RemoteSignRequest } from '../../lib';
import { HAS_JOBS } from '../support/jobs';
import { PRIVATE_KEYS } from '../support/keys';

const { publicKey, privateKey } = crypto.generateKeyPairSync('ed25519');

function keyThatNotes(noted: RemoteSignRequest[]) {
  return createRemoteKey({
    publicKey,
    maxConcurrent: 65_536,
    sign: (request) => {
      noted.push(request);
      return crypto.sign(null, request.data as Buffer, privateKey);
    },
  });
}

/** Messages in the order in which they were asked for. Threads, which wait where there are no jobs, overtake each other. */
function comparable(messages: readonly (Buffer | undefined)[]): (string | undefined)[] {
  const texts = messages.map((message) => message?.toString('hex'));
  return HAS_JOBS ? texts : texts.sort();
}

async function signsAll(messages: readonly Buffer[]): Promise<void> {
  const noted: RemoteSignRequest[] = [];
  const key = keyThatNotes(noted);
  const signatures = await Promise.all(messages.map((message) => sign(null, message, key)));
  expect(comparable(noted.map(({ data }) => data))).toEqual(comparable(messages));
  const isRight = signatures.map((signature, i) => crypto.verify(null, messages[i] as Buffer, publicKey, signature));
  expect(isRight).toEqual(messages.map(() => true));
}

test('a message that no batch has room for', async () => {
  await signsAll([crypto.randomBytes(1), crypto.randomBytes(1024 * 1024), crypto.randomBytes(8 * 1024 + 1)]);
});

test('an empty message', async () => {
  await signsAll([Buffer.alloc(0), Buffer.alloc(0), Buffer.of(1)]);
});

test('more bytes, and more requests, than a batch has room for', async () => {
  await signsAll(Array.from({ length: 1000 }, (_, i) => crypto.randomBytes(i % 2 === 0 ? 2000 : 3)));
});

test('a request keeps its bytes while later batches are read', async () => {
  const noted: RemoteSignRequest[] = [];
  const messages = Array.from({ length: 600 }, () => crypto.randomBytes(500));
  const key = keyThatNotes(noted);
  await Promise.all(messages.map((message) => sign(null, message, key)));
  await Promise.all(messages.map((message) => sign(null, Buffer.from(message).fill(0), key)));
  expect(comparable(noted.slice(0, messages.length).map(({ data }) => data))).toEqual(comparable(messages));
});

test('a label that no batch has room for', async () => {
  const rsa = crypto.createPrivateKey(PRIVATE_KEYS.rsa2048);
  const labels: (Buffer | undefined)[] = [];
  const key = createRemoteKey({
    publicKey: rsa,
    decrypt: ({ data, oaepHash, oaepLabel }) => {
      labels.push(oaepLabel);
      return crypto.privateDecrypt({ key: rsa, oaepHash, oaepLabel }, data);
    },
  });
  for (const oaepLabel of [crypto.randomBytes(100_000), Buffer.of(1, 2), undefined]) {
    const options = oaepLabel === undefined ? { oaepHash: 'sha256' } : { oaepHash: 'sha256', oaepLabel };
    const ciphertext = await publicEncrypt({ key: rsa, ...options }, Buffer.from('secret'));
    const plaintext = await privateDecrypt({ key, ...options }, ciphertext);
    expect([plaintext.toString(), labels.pop()]).toEqual(['secret', oaepLabel]);
  }
});

test('a request that cannot be read fails, and no other of its batch', async () => {
  const { allocUnsafe } = Buffer;
  const spy = jest.spyOn(Buffer, 'allocUnsafe').mockImplementation((size) => {
    if (size === 501) throw new RangeError('Array buffer allocation failed');
    return allocUnsafe(size);
  });
  try {
    const key = keyThatNotes([]);
    const signed = [500, 501, 502].map((size) => sign(null, Buffer.alloc(size), key, { timeoutMs: 20_000 }));
    const outcomes = await Promise.allSettled(signed);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(outcomes[1]).toMatchObject({ reason: { code: 'ERR_ASYNC_REMOTE_KEY_FAILED' } });
  } finally {
    spy.mockRestore();
  }
});

test('a function that ends requests of later batches while it is asked', async () => {
  const controller = new AbortController();
  let asked = 0;
  const key = createRemoteKey({
    publicKey,
    maxConcurrent: 65_536,
    sign: () => {
      if (++asked === 50) controller.abort();
      return new Promise(() => undefined);
    },
  });
  const signatures = Array.from({ length: 1000 }, () =>
    sign(null, Buffer.alloc(2000), key, { signal: controller.signal }),
  );
  const outcomes = await Promise.allSettled(signatures);
  const isAbort = (outcome: PromiseSettledResult<Buffer>): boolean =>
    outcome.status === 'rejected' && (outcome.reason as { code?: unknown }).code === 'ABORT_ERR';
  expect(outcomes.every(isAbort)).toBe(true);
  expect(asked).toBeLessThan(1000);
});
