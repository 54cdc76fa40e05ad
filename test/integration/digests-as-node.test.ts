// Names of digests, and what goes with them, as node:crypto has them.
import * as crypto from 'node:crypto';
import { createHash, hkdf, hmac, pbkdf2, scrypt, sign, verify } from 'openssl-async';

type Outcome = { result: string } | { code: unknown; name: string };

async function outcome(run: () => unknown): Promise<Outcome> {
  try {
    const result = await run();
    return {
      result: typeof result === 'boolean' ? String(result) : Buffer.from(result as ArrayBuffer).toString('hex'),
    };
  } catch (error) {
    const { code, name } = error as { code?: string; name: string };
    return { code, name };
  }
}

const NAMES = [
  'DSS1',
  'dss1',
  'SHA-256',
  'sha2-256',
  'RSA-SHA256',
  'rsa-sha256',
  'sha256WithRSAEncryption',
  'ecdsa-with-SHA256',
  'ssl3-md5',
  'RSA-SHA1-2',
  'SHA2-512/256',
  'md5-sha1',
  '2.16.840.1.101.3.4.2.1',
  'shake-256',
  'null',
  'NULL',
  'undef',
  ' sha256',
  'DSA',
  '',
];

describe.each(NAMES)('the digest %p', (name) => {
  test.each<[string, () => unknown, () => unknown]>([
    [
      'createHash',
      () => createHash(name).update('data').digest(),
      () => crypto.createHash(name).update('data').digest(),
    ],
    ['hmac', () => hmac(name, 'key', 'data'), () => crypto.createHmac(name, 'key').update('data').digest()],
    ['hkdf', () => hkdf(name, 'key', 'salt', 'info', 8), () => crypto.hkdfSync(name, 'key', 'salt', 'info', 8)],
    ['pbkdf2', () => pbkdf2('key', 'salt', 1, 8, name), () => crypto.pbkdf2Sync('key', 'salt', 1, 8, name)],
  ])('of %s', async (operation, ours, nodes) => {
    // Of digests that give as much as they are asked for, node:crypto has errors without codes there.
    if (name === 'shake-256' && operation !== 'createHash') return;
    expect(await outcome(ours)).toEqual(await outcome(nodes));
  });
});

test('options may be null where node:crypto has none then', async () => {
  const expected = crypto.createHash('shake128').update('data').digest();
  expect(await createHash('shake128', null).update('data').digest()).toEqual(expected);
  expect(await createHash('shake128').update('data').copy(null).digest()).toEqual(expected);
  expect(await scrypt('password', 'salt', 8, null)).toEqual(crypto.scryptSync('password', 'salt', 8));
});

describe.each(['shake128', 'shake256'])('signatures with %s', (digest) => {
  const keys = [
    ['EC', crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }), 64],
    ['DSA', crypto.generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 }), 40],
  ] as const;
  describe.each(keys)('of %s keys', (_type, { publicKey, privateKey }, size) => {
    test.each(['der', 'ieee-p1363'] as const)(
      'in %s are refused where node:crypto refuses them',
      async (dsaEncoding) => {
        const data = Buffer.from('data');
        const key = { key: publicKey, dsaEncoding };
        for (const length of [size, 10]) {
          const signature = Buffer.alloc(length, 1);
          const expected = await outcome(() => crypto.verify(digest, data, key, signature));
          expect(await outcome(() => verify(digest, data, key, signature))).toEqual(expected);
        }
        const signing = { key: privateKey, dsaEncoding };
        const expected = await outcome(() => crypto.sign(digest, data, signing).length > 0);
        expect(await outcome(async () => (await sign(digest, data, signing)).length > 0)).toEqual(expected);
      },
    );
  });
});
