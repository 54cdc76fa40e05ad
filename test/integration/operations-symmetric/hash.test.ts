// hash() and createHash() give what node:crypto gives.
import { createHash as nodeCreateHash, getHashes } from 'node:crypto';
import { Readable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { createHash, hash, operations } from '../../../lib';
import { rejection, rejectionCode, until } from '../../support/library';
import { formsOf, PLACES, sampled } from './support';

// What was given up goes on, and the test files of a process share the addon that tells its end.
afterAll(() => until(() => operations.inFlight === 0));

const nodeDigest = (algorithm: string, data: Buffer, outputLength?: number): Buffer =>
  nodeCreateHash(algorithm, outputLength === undefined ? {} : { outputLength })
    .update(data)
    .digest();

const algorithms = getHashes().filter((name) => {
  try {
    return nodeCreateHash(name).digest().length > 0;
  } catch {
    return false;
  }
});
const KIBI = 1024;
const large = Buffer.alloc(300 * KIBI, 'some data that goes on and on');

describe.each(PLACES)('in place %s', (place, options) => {
  test.each(sampled(place, algorithms))('hash() and createHash() with %s', async (algorithm) => {
    const expected = nodeDigest(algorithm, large);
    expect(await hash(algorithm, large, options)).toEqual(expected);
    expect(await createHash(algorithm, options).update(large).digest()).toEqual(expected);
    expect(await createHash(algorithm, options).digest('base64')).toBe(nodeCreateHash(algorithm).digest('base64'));
  });

  test('createHash() keeps the order of parts of every size', async () => {
    const hasher = createHash('sha256', options);
    for (let size = 0, at = 0; at < large.length; at += size, size = 3 * size + 1) {
      hasher.update(large.subarray(at, at + size));
    }
    expect(await hasher.digest()).toEqual(nodeDigest('sha256', large));
  });

  test('createHash() may be given parts that are overwritten at once', async () => {
    const hasher = createHash('sha256', options);
    const reused = Buffer.alloc(50 * KIBI);
    for (let i = 0; i < 10; ++i) hasher.update(reused.fill(i));
    reused.fill('z');
    const parts = Buffer.concat(Array.from({ length: 10 }, (_, i) => Buffer.alloc(50 * KIBI, i)));
    expect(await hasher.digest()).toEqual(nodeDigest('sha256', parts));
  });

  test('copy() goes on from what was added so far', async () => {
    const hasher = createHash('sha256', options).update(large);
    const copy = hasher.copy(options);
    const ofCopy = copy.copy();
    hasher.update('a');
    copy.update(large).update('b');
    expect(await hasher.digest()).toEqual(nodeDigest('sha256', Buffer.concat([large, Buffer.from('a')])));
    expect(await copy.digest()).toEqual(nodeDigest('sha256', Buffer.concat([large, large, Buffer.from('b')])));
    expect(await ofCopy.digest()).toEqual(nodeDigest('sha256', large));
  });

  test('a stream is written to and gives its digest', async () => {
    const hasher = createHash('sha256', options);
    await pipeline(Readable.from([large.subarray(0, 7), large.subarray(7)]), hasher);
    expect(hasher.read()).toEqual(nodeDigest('sha256', large));
  });
});

test.each([0, 1, 16, 100, 20_000])('extendable digests of %d bytes', async (outputLength) => {
  for (const algorithm of ['shake128', 'shake256']) {
    const expected = nodeDigest(algorithm, large, outputLength);
    expect(await hash(algorithm, large, { outputLength })).toEqual(expected);
    expect(await createHash(algorithm, { outputLength }).update(large).digest()).toEqual(expected);
  }
  expect(await hash('sha256', 'a', { outputLength: 32 })).toHaveLength(32);
});

test('copies have an output length of their own', async () => {
  const hasher = createHash('shake256', { outputLength: 10 }).update('a');
  expect(await hasher.copy({ outputLength: 5 }).digest()).toEqual(nodeDigest('shake256', Buffer.from('a'), 5));
  expect(await hasher.copy().digest()).toHaveLength(32);
  expect(await hasher.digest()).toHaveLength(10);
});

test.each(formsOf(large))('data as %s', async (_form, data) => {
  expect(await hash('sha256', data)).toEqual(nodeDigest('sha256', large));
  expect(await createHash('sha256').update(data).digest()).toEqual(nodeDigest('sha256', large));
});

test('strings have an encoding', async () => {
  expect(await createHash('sha256').update('6162', 'hex').update('é', 'latin1').digest('hex')).toBe(
    nodeCreateHash('sha256').update('6162', 'hex').update('é', 'latin1').digest('hex'),
  );
  const hasher = createHash('sha256', { encoding: 'hex', defaultEncoding: 'latin1' });
  hasher.end('é');
  expect(await hasher.toArray()).toEqual([nodeCreateHash('sha256').update('é', 'latin1').digest('hex')]);
});

test('an encoding may stand for the options of hash()', async () => {
  expect(await hash('sha256', 'a', 'base64url')).toBe(nodeCreateHash('sha256').update('a').digest('base64url'));
  expect(await hash('sha256', 'a', 'buffer')).toEqual(nodeDigest('sha256', Buffer.from('a')));
});

test('nothing can be added after digest()', async () => {
  const hasher = createHash('sha256');
  await hasher.digest();
  expect(() => hasher.update('a')).toThrow(expect.objectContaining({ code: 'ERR_CRYPTO_HASH_FINALIZED' }));
  expect(() => hasher.copy()).toThrow(expect.objectContaining({ code: 'ERR_CRYPTO_HASH_FINALIZED' }));
  expect(await rejectionCode(hasher.digest())).toBe('ERR_CRYPTO_HASH_FINALIZED');
  hasher.end('a');
  expect(await rejectionCode(finished(hasher))).toBe('ERR_CRYPTO_HASH_FINALIZED');
});

test('a stream that is aborted rejects its digest', async () => {
  const controller = new AbortController();
  const hasher = createHash('sha256', { signal: controller.signal, mode: 'offload' }).update(large).update(large);
  const copy = hasher.copy();
  controller.abort('enough');
  expect(await rejection(hasher.digest())).toMatchObject({ name: 'AbortError', cause: 'enough' });
  expect(await rejectionCode(copy.digest())).toBe('ABORT_ERR');
});
