// hmac() gives what node:crypto's Hmac gives.
import { createHmac, createSecretKey, getHashes, webcrypto } from 'node:crypto';
import { hmac } from '../../../lib';
import { formsOf, PLACES, sampled } from './support';

const nodeHmac = (algorithm: string, key: string | Buffer, data: string | Buffer): Buffer =>
  createHmac(algorithm, key).update(data).digest();

const algorithms = getHashes().filter((name) => {
  try {
    return nodeHmac(name, 'key', 'data').length > 0;
  } catch {
    return false;
  }
});
const large = Buffer.alloc(100_000, 'some data that goes on and on');

describe.each(PLACES)('in place %s', (place, options) => {
  test.each(sampled(place, algorithms))('with %s', async (algorithm) => {
    for (const key of ['', 'key', 'k'.repeat(1000)]) {
      expect(await hmac(algorithm, key, large, options)).toEqual(nodeHmac(algorithm, key, large));
    }
  });

  test('with keys of every kind', async () => {
    const key = Buffer.from('sixteen byte key');
    const expected = nodeHmac('sha256', key, 'data');
    const secret = createSecretKey(key);
    const algorithm = { name: 'HMAC', hash: 'SHA-256' };
    const cryptoKey = await webcrypto.subtle.importKey('raw', key, algorithm, false, ['sign']);
    for (const each of [key, key.toString(), secret, secret, cryptoKey, cryptoKey]) {
      expect(await hmac('sha256', each, 'data', options)).toEqual(expected);
    }
    for (const [, form] of formsOf(key)) expect(await hmac('sha256', form, 'data', options)).toEqual(expected);
  });

  test('calls at the same time do not meet', async () => {
    const keys = Array.from({ length: 200 }, (_, i) => `key ${String(i)}`);
    const codes = await Promise.all(keys.map((key) => hmac('sha256', key, `data of ${key}`, options)));
    expect(codes).toEqual(keys.map((key) => nodeHmac('sha256', key, `data of ${key}`)));
  });
});

test.each(formsOf(large))('data as %s', async (_form, data) => {
  expect(await hmac('sha256', 'key', data)).toEqual(nodeHmac('sha256', 'key', large));
});

test('is given in the encoding asked for', async () => {
  const expected = nodeHmac('sha256', 'key', 'data');
  expect(await hmac('sha256', 'key', 'data', { outputEncoding: 'hex' })).toBe(expected.toString('hex'));
  expect(await hmac('sha256', 'key', 'data', { outputEncoding: 'buffer' })).toEqual(expected);
});
