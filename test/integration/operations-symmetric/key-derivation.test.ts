// hkdf(), pbkdf2() and scrypt() give what node:crypto gives.
import { createSecretKey, hkdfSync, pbkdf2Sync, scryptSync, webcrypto } from 'node:crypto';
import { hkdf, pbkdf2, scrypt, operations } from '../../../lib';
import { rejectionCode, until } from '../../support/library';
import { formsOf, PLACES } from './support';

// What was given up goes on, and the test files of a process share the addon that tells its end.
afterAll(() => until(() => operations.inFlight === 0));

const DIGESTS = ['sha1', 'sha256', 'sha384', 'sha512', 'sha3-256', 'RSA-SHA256', 'blake2b512', 'ripemd160'];
const SIZES = [1, 20, 32, 100, 5000];

describe.each(PLACES)('in place %s', (_place, options) => {
  test.each(DIGESTS)('HKDF with %s', async (digest) => {
    for (const size of SIZES) {
      const derived = await hkdf(digest, 'key', 'salt', 'info', size, options);
      expect(derived).toEqual(hkdfSync(digest, 'key', 'salt', 'info', size));
    }
    expect(await hkdf(digest, '', '', '', 10, options)).toEqual(hkdfSync(digest, '', '', '', 10));
  });

  test.each(DIGESTS)('PBKDF2 with %s', async (digest) => {
    for (const size of SIZES) {
      const derived = await pbkdf2('password', 'salt', 3, size, digest, options);
      expect(derived).toEqual(pbkdf2Sync('password', 'salt', 3, size, digest));
    }
    expect(await pbkdf2('', '', 1, 10, digest, options)).toEqual(pbkdf2Sync('', '', 1, 10, digest));
  });

  test('scrypt with every parameter', async () => {
    const parameters = [{}, { N: 2 }, { cost: 64, r: 3 }, { blockSize: 2, N: 16 }, { N: 4, p: 5 }, { N: 8, r: 1 }];
    for (const each of [...parameters, { N: 0, r: 0, p: 0, maxmem: 0 }, { N: 2 ** 15, maxmem: 2 ** 26 }]) {
      const derived = await scrypt('password', 'salt', 100, { ...each, ...options });
      expect(derived).toEqual(scryptSync('password', 'salt', 100, each));
    }
    expect(await scrypt('', '', 10, { N: 4, ...options })).toEqual(scryptSync('', '', 10, { N: 4 }));
  });

  test('nothing can be derived', async () => {
    expect((await hkdf('sha256', 'key', 'salt', 'info', 0, options)).byteLength).toBe(0);
    expect(await pbkdf2('password', 'salt', 1, 0, 'sha256', options)).toHaveLength(0);
    expect(await scrypt('password', 'salt', 0, { N: 2, ...options })).toHaveLength(0);
  });
});

test('HKDF takes keys of every kind', async () => {
  const key = Buffer.from('sixteen byte key');
  const expected = hkdfSync('sha256', key, 'salt', 'info', 32);
  const secret = createSecretKey(key);
  const cryptoKey = await webcrypto.subtle.importKey('raw', key, 'HKDF', false, ['deriveBits']);
  for (const each of [secret, cryptoKey]) expect(await hkdf('sha256', each, 'salt', 'info', 32)).toEqual(expected);
  expect(secret.export()).toEqual(key);
});

test.each(formsOf(Buffer.from('some 16-byte key')))('inputs as %s', async (_form, data) => {
  const key = Buffer.from('some 16-byte key');
  expect(await hkdf('sha256', data, data, data, 32)).toEqual(hkdfSync('sha256', key, key, key, 32));
  expect(await pbkdf2(data, data, 2, 32, 'sha256')).toEqual(pbkdf2Sync(key, key, 2, 32, 'sha256'));
  expect(await scrypt(data, data, 32, { N: 2 })).toEqual(scryptSync(key, key, 32, { N: 2 }));
});

test('keys are in memory of their own', async () => {
  for (const size of [16, 100_000]) {
    const key = await pbkdf2('password', 'salt', 1, size, 'sha256');
    expect([key.byteOffset, key.buffer.byteLength]).toEqual([0, size]);
    expect((await scrypt('password', 'salt', size, { N: 2 })).buffer.byteLength).toBe(size);
  }
});

test('a long derivation leaves the loop alone and can be given up', async () => {
  const controller = new AbortController();
  let turns = 0;
  const counting = setInterval(() => {
    if (++turns === 5) controller.abort();
  }, 1);
  const code = await rejectionCode(pbkdf2('p', 's', 300_000, 32, 'sha512', { signal: controller.signal }));
  clearInterval(counting);
  expect([code, turns]).toEqual(['ABORT_ERR', 5]);
});
