// The same mistake gets the same code from us as from node:crypto, whichever Node runs the test.
import * as crypto from 'node:crypto';
import * as library from '../../../lib';
import { codeOf, rejectionCode } from '../../support/library';

const JUNK: readonly unknown[] = [
  undefined,
  null,
  5,
  -1,
  1.5,
  NaN,
  2 ** 53,
  '5',
  {},
  [],
  true,
  () => 1,
  Symbol('junk'),
  10n,
];
const KEY = Buffer.alloc(16, 'key');
const IV = Buffer.alloc(16, 'iv');
const NONCE = Buffer.alloc(12, 'iv');
const { privateKey } = crypto.generateKeyPairSync('ed25519');

type Call = (junk: never) => unknown;
const node = crypto as unknown as Record<string, (...args: unknown[]) => unknown>;
const nodeCipher = (...args: unknown[]) => node.createCipheriv?.(...args) as crypto.CipherGCM;
const nodeDecipher = (...args: unknown[]) => node.createDecipheriv?.(...args) as crypto.DecipherGCM;

const bytes = (size: number): Buffer => Buffer.alloc(size, 'bytes of which halves differ');
const cipherRow = (
  what: string,
  algorithm: string,
  keySize: number,
  ivSize: number | null,
  options?: { authTagLength: number },
): [what: string, theirs: () => unknown, ours: () => unknown][] => {
  const iv = ivSize === null ? null : bytes(ivSize);
  return [
    [
      `encrypt(): ${what}`,
      () => nodeCipher(algorithm, bytes(keySize), iv, options),
      () => library.encrypt(algorithm, bytes(keySize), iv, bytes(16), options),
    ],
    [
      `createDecipheriv(): ${what}`,
      () => nodeDecipher(algorithm, bytes(keySize), iv, options),
      () => library.createDecipheriv(algorithm, bytes(keySize), iv, options),
    ],
  ];
};

const finish = (cipher: crypto.Cipher | crypto.Decipher, data: Buffer, pads = true): Buffer => {
  cipher.setAutoPadding(pads);
  return Buffer.concat([cipher.update(data), cipher.final()]);
};

async function expectSameForJunk(_parameter: string, theirs: Call, ours: Call): Promise<void> {
  for (const junk of JUNK) {
    const expected = codeOf(() => theirs(junk as never));
    // eslint-disable-next-line @typescript-eslint/require-await -- what is thrown rejects
    const actual = await rejectionCode((async () => ours(junk as never))());
    expect([junk, actual]).toEqual([junk, expected]);
  }
}

async function expectSame(_what: string, theirs: () => unknown, ours: () => unknown): Promise<void> {
  // Whether an error is thrown counts, as some of Node's have no code.
  const expected = errorOf(theirs);
  // eslint-disable-next-line @typescript-eslint/require-await -- what is thrown rejects
  const actual = await (async () => ours())().then(
    () => undefined,
    (error: unknown) => error,
  );
  expect([expected !== undefined, actual !== undefined]).toEqual([true, true]);
  const { code, name } = expected as { code?: string; name: string };
  expect(actual).toMatchObject({ name });
  expect((actual as { code?: string }).code).toBe(code);
}

// What node:crypto's scrypt() refuses stays on OpenSSL's error queue, where its next key to be read takes it for its own.
afterAll(() => {
  expect(() => crypto.createPrivateKey('')).toThrow();
});

describe('the same code for', () => {
  test.each<[what: string, theirs: () => unknown, ours: () => unknown]>([
    ['an unknown digest of hash()', () => crypto.createHash('none'), () => library.hash('none', '')],
    ['an unknown digest of createHash()', () => crypto.createHash('none'), () => library.createHash('none')],
    ['an unknown digest of hmac()', () => crypto.createHmac('none', ''), () => library.hmac('none', '', '')],
    [
      'an unknown digest of hkdf()',
      () => crypto.hkdfSync('none', '', '', '', 1),
      () => library.hkdf('none', '', '', '', 1),
    ],
    [
      'an unknown digest of pbkdf2()',
      () => crypto.pbkdf2Sync('', '', 1, 1, 'none'),
      () => library.pbkdf2('', '', 1, 1, 'none'),
    ],
    ['a digest that is not loaded', () => crypto.createHash('md4'), () => library.hash('md4', '')],
    ['a digest that is not loaded, in parts', () => crypto.createHash('md4'), () => library.createHash('md4')],
    ['a digest that is not loaded, of hmac()', () => crypto.createHmac('md4', ''), () => library.hmac('md4', '', '')],
    [
      'hex of half a byte',
      () => crypto.createHash('sha1').update('abc', 'hex'),
      () => library.createHash('sha1').update('abc', 'hex'),
    ],
    [
      'a private key of hmac()',
      () => crypto.createHmac('sha1', privateKey),
      () => library.hmac('sha1', privateKey, ''),
    ],
    [
      'a private key of encrypt()',
      () => nodeCipher('aes-128-cbc', privateKey, IV),
      () => library.encrypt('aes-128-cbc', privateKey, IV, ''),
    ],
    [
      'HKDF that is too long',
      () => crypto.hkdfSync('sha1', '', '', '', 255 * 20 + 1),
      () => library.hkdf('sha1', '', '', '', 255 * 20 + 1),
    ],
    [
      'an HKDF info that is too long',
      () => crypto.hkdfSync('sha1', '', '', bytes(1025), 1),
      () => library.hkdf('sha1', '', '', bytes(1025), 1),
    ],
    ['too many random bytes', () => crypto.randomBytes(2 ** 31), () => library.randomBytes(2 ** 31)],
    ['an offset behind the end', () => crypto.randomFillSync(bytes(10), 11), () => library.randomFill(bytes(10), 11)],
    ['a size behind the end', () => crypto.randomFillSync(bytes(10), 5, 6), () => library.randomFill(bytes(10), 5, 6)],
    ...cipherRow('an unknown cipher', 'aes-128-none', 16, 16),
    // Node.js 26 takes it, without its tag.
    ...(crypto.getCipherInfo('aes-128-siv') === undefined
      ? cipherRow('a cipher that is not for messages', 'aes-128-siv', 32, null)
      : []),
    ...cipherRow('a cipher that is not loaded', 'rc4', 16, null),
    ...cipherRow('an IV for a cipher that is not loaded', 'bf-cbc', 16, 4),
    ...cipherRow('a short key', 'aes-128-cbc', 15, 16),
    ...cipherRow('a long key', 'aes-256-gcm', 33, 12),
    ...cipherRow('a short IV', 'aes-128-cbc', 16, 15),
    ...cipherRow('a long IV', 'aes-128-ctr', 16, 17),
    ...cipherRow('no IV', 'aes-128-cbc', 16, null),
    ...cipherRow('an empty IV', 'aes-128-gcm', 16, 0),
    ...cipherRow('an IV where there is none', 'aes-128-ecb', 16, 16),
    ...cipherRow('a very long nonce', 'aes-128-gcm', 16, 200),
    ...cipherRow('a short CCM nonce', 'aes-128-ccm', 16, 6, { authTagLength: 16 }),
    ...cipherRow('a long CCM nonce', 'aes-128-ccm', 16, 14, { authTagLength: 16 }),
    ...cipherRow('a long OCB nonce', 'aes-128-ocb', 16, 16, { authTagLength: 16 }),
    ...cipherRow('a long ChaCha20 nonce', 'chacha20-poly1305', 32, 13),
    ...cipherRow('a short ChaCha20 nonce', 'chacha20-poly1305', 32, 8),
    ...cipherRow('CCM without a tag length', 'aes-128-ccm', 16, 12),
    ...cipherRow('OCB without a tag length', 'aes-128-ocb', 16, 12),
    ...cipherRow('a GCM tag of 3 bytes', 'aes-128-gcm', 16, 12, { authTagLength: 3 }),
    ...cipherRow('a CCM tag of 3 bytes', 'aes-128-ccm', 16, 12, { authTagLength: 3 }),
    ...cipherRow('an OCB tag of 17 bytes', 'aes-128-ocb', 16, 12, { authTagLength: 17 }),
    ...cipherRow('a ChaCha20 tag of 17 bytes', 'chacha20-poly1305', 32, 12, { authTagLength: 17 }),
    ...cipherRow('a short IV of a key wrap', 'id-aes128-wrap', 16, 4),
    [
      'XTS keys that are the same',
      () => nodeCipher('aes-128-xts', Buffer.alloc(32), IV),
      () => library.encrypt('aes-128-xts', Buffer.alloc(32), IV, bytes(16)),
    ],
    [
      'XTS of less than a block',
      () => nodeCipher('aes-128-xts', bytes(32), IV).update(bytes(15)),
      () => library.encrypt('aes-128-xts', bytes(32), IV, bytes(15)),
    ],
    [
      'a key wrap of half a block',
      () => nodeCipher('id-aes128-wrap', KEY, bytes(8)).update(bytes(15)),
      () => library.encrypt('id-aes128-wrap', KEY, bytes(8), bytes(15)),
    ],
    [
      'a key that was not wrapped',
      () => nodeDecipher('id-aes128-wrap', KEY, bytes(8)).update(bytes(24)),
      () => library.decrypt('id-aes128-wrap', KEY, bytes(8), bytes(24)),
    ],
    [
      'bad padding',
      () => finish(nodeDecipher('aes-128-cbc', KEY, IV), bytes(16)),
      () => library.decrypt('aes-128-cbc', KEY, IV, bytes(16)),
    ],
    [
      'a ciphertext that ends within a block',
      () => finish(nodeDecipher('aes-128-cbc', KEY, IV), bytes(15)),
      () => library.decrypt('aes-128-cbc', KEY, IV, bytes(15)),
    ],
    [
      'an empty ciphertext',
      () => finish(nodeDecipher('aes-128-cbc', KEY, IV), bytes(0)),
      () => library.decrypt('aes-128-cbc', KEY, IV, bytes(0)),
    ],
    [
      'half a block without padding',
      () => finish(nodeCipher('aes-128-cbc', KEY, IV), bytes(15), false),
      () => library.encrypt('aes-128-cbc', KEY, IV, bytes(15), { autoPadding: false }),
    ],
    [
      'a wrong tag',
      () => finish(nodeDecipher('aes-128-gcm', KEY, NONCE).setAuthTag(bytes(16)), bytes(15)),
      () => library.decrypt('aes-128-gcm', KEY, NONCE, bytes(15), { authTag: bytes(16) }),
    ],
    [
      'no tag',
      () => finish(nodeDecipher('aes-128-gcm', KEY, NONCE), bytes(15)),
      () => library.decrypt('aes-128-gcm', KEY, NONCE, bytes(15)),
    ],
    [
      'a tag that is too short',
      () => nodeDecipher('aes-128-gcm', KEY, NONCE).setAuthTag(bytes(3)),
      () => library.decrypt('aes-128-gcm', KEY, NONCE, bytes(15), { authTag: bytes(3) }),
    ],
    [
      'a tag shorter than said',
      () => nodeDecipher('aes-128-gcm', KEY, NONCE, { authTagLength: 16 }).setAuthTag(bytes(15)),
      () => library.decrypt('aes-128-gcm', KEY, NONCE, bytes(15), { authTag: bytes(15), authTagLength: 16 }),
    ],
    [
      'a tag for a cipher that does not authenticate',
      () => nodeDecipher('aes-128-cbc', KEY, IV).setAuthTag(bytes(16)),
      () => library.decrypt('aes-128-cbc', KEY, IV, bytes(16), { authTag: bytes(16) }),
    ],
    [
      'authenticated data for a cipher that does not authenticate',
      () => nodeCipher('aes-128-cbc', KEY, IV).setAAD(bytes(16)),
      () => library.encrypt('aes-128-cbc', KEY, IV, bytes(16), { aad: bytes(16) }),
    ],
    [
      'more than CCM can count',
      () => nodeCipher('aes-128-ccm', KEY, bytes(13), { authTagLength: 16 }).update(bytes(65_536)),
      () => library.encrypt('aes-128-ccm', KEY, bytes(13), bytes(65_536), { authTagLength: 16 }),
    ],
  ])('%s', expectSame);
});

function errorOf(action: () => unknown): unknown {
  try {
    action();
    return undefined;
  } catch (error) {
    return error;
  }
}

test('a length that a digest does not have', async () => {
  const outputLength = 5;
  const code = 'ERR_OSSL_EVP_NOT_XOF_OR_INVALID_LENGTH';
  expect(codeOf(() => library.createHash('sha256', { outputLength }))).toBe(code);
  expect(await rejectionCode(library.hash('sha256', '', { outputLength }))).toBeUndefined();
  await expect(library.hash('sha256', '', { outputLength })).rejects.toThrow(/Output length 5 is invalid/);
});

test('an option that does not exist is named', async () => {
  const options = { authTaglength: 16 } as object;
  await expect(library.encrypt('aes-128-gcm', KEY, NONCE, '', options)).rejects.toThrow(/authTaglength/);
  expect(await rejectionCode(library.scrypt('', '', 1, { n: 16 } as object))).toBe('ERR_INVALID_ARG_VALUE');
  expect(codeOf(() => library.createHash('sha1', { outputlength: 1 } as object))).toBe('ERR_INVALID_ARG_VALUE');
});

describe('junk gets the same code, or is taken as well', () => {
  test.each<[parameter: string, theirs: Call, ours: Call]>([
    ['algorithm of createHash()', (junk) => crypto.createHash(junk), (junk) => library.createHash(junk)],
    [
      'data of createHash()',
      (junk) => crypto.createHash('sha1').update(junk),
      (junk) => library.createHash('sha1').update(junk),
    ],
    [
      'outputLength of createHash()',
      (junk) => crypto.createHash('shake128', { outputLength: junk }),
      (junk) => library.createHash('shake128', { outputLength: junk }),
    ],
    ['algorithm of hmac()', (junk) => crypto.createHmac(junk, 'key'), (junk) => library.hmac(junk, 'key', '')],
    ['key of hmac()', (junk) => crypto.createHmac('sha1', junk), (junk) => library.hmac('sha1', junk, '')],
    [
      'data of hmac()',
      (junk) => crypto.createHmac('sha1', 'key').update(junk),
      (junk) => library.hmac('sha1', 'key', junk),
    ],
    ['digest of hkdf()', (junk) => crypto.hkdfSync(junk, '', '', '', 1), (junk) => library.hkdf(junk, '', '', '', 1)],
    [
      'key of hkdf()',
      (junk) => crypto.hkdfSync('sha1', junk, '', '', 1),
      (junk) => library.hkdf('sha1', junk, '', '', 1),
    ],
    [
      'salt of hkdf()',
      (junk) => crypto.hkdfSync('sha1', '', junk, '', 1),
      (junk) => library.hkdf('sha1', '', junk, '', 1),
    ],
    [
      'info of hkdf()',
      (junk) => crypto.hkdfSync('sha1', '', '', junk, 1),
      (junk) => library.hkdf('sha1', '', '', junk, 1),
    ],
    [
      'keylen of hkdf()',
      (junk) => crypto.hkdfSync('sha1', '', '', '', junk),
      (junk) => library.hkdf('sha1', '', '', '', junk),
    ],
    [
      'password of pbkdf2()',
      (junk) => crypto.pbkdf2Sync(junk, '', 1, 1, 'sha1'),
      (junk) => library.pbkdf2(junk, '', 1, 1, 'sha1'),
    ],
    [
      'salt of pbkdf2()',
      (junk) => crypto.pbkdf2Sync('', junk, 1, 1, 'sha1'),
      (junk) => library.pbkdf2('', junk, 1, 1, 'sha1'),
    ],
    [
      'iterations of pbkdf2()',
      (junk) => crypto.pbkdf2Sync('', '', junk, 1, 'sha1'),
      (junk) => library.pbkdf2('', '', junk, 1, 'sha1'),
    ],
    [
      'keylen of pbkdf2()',
      (junk) => crypto.pbkdf2Sync('', '', 1, junk, 'sha1'),
      (junk) => library.pbkdf2('', '', 1, junk, 'sha1'),
    ],
    [
      'digest of pbkdf2()',
      (junk) => crypto.pbkdf2Sync('', '', 1, 1, junk),
      (junk) => library.pbkdf2('', '', 1, 1, junk),
    ],
    ['password of scrypt()', (junk) => crypto.scryptSync(junk, '', 1), (junk) => library.scrypt(junk, '', 1)],
    ['salt of scrypt()', (junk) => crypto.scryptSync('', junk, 1), (junk) => library.scrypt('', junk, 1)],
    ['keylen of scrypt()', (junk) => crypto.scryptSync('', '', junk), (junk) => library.scrypt('', '', junk)],
    ['size of randomBytes()', (junk) => crypto.randomBytes(junk), (junk) => library.randomBytes(junk)],
    ['buffer of randomFill()', (junk) => crypto.randomFillSync(junk), (junk) => library.randomFill(junk)],
    [
      'offset of randomFill()',
      (junk) => void crypto.randomFillSync(Buffer.alloc(10), junk),
      (junk) => library.randomFill(Buffer.alloc(10), junk),
    ],
    [
      'size of randomFill()',
      (junk) => crypto.randomFillSync(new Uint16Array(10), 1, junk),
      (junk) => library.randomFill(new Uint16Array(10), 1, junk),
    ],
    [
      'cipher of createCipheriv()',
      (junk) => nodeCipher(junk, KEY, IV),
      (junk) => library.createCipheriv(junk, KEY, IV),
    ],
    [
      'key of createCipheriv()',
      (junk) => nodeCipher('aes-128-cbc', junk, IV),
      (junk) => library.createCipheriv('aes-128-cbc', junk, IV),
    ],
    [
      'IV of createCipheriv()',
      (junk) => nodeCipher('aes-128-cbc', KEY, junk),
      (junk) => library.createCipheriv('aes-128-cbc', KEY, junk),
    ],
    ['cipher of encrypt()', (junk) => nodeCipher(junk, KEY, IV), (junk) => library.encrypt(junk, KEY, IV, '')],
    [
      'key of encrypt()',
      (junk) => nodeCipher('aes-128-cbc', junk, IV),
      (junk) => library.encrypt('aes-128-cbc', junk, IV, ''),
    ],
    [
      'IV of encrypt()',
      (junk) => nodeCipher('aes-128-cbc', KEY, junk),
      (junk) => library.encrypt('aes-128-cbc', KEY, junk, ''),
    ],
    [
      'data of encrypt()',
      (junk) => nodeCipher('aes-128-cbc', KEY, IV).update(junk),
      (junk) => library.encrypt('aes-128-cbc', KEY, IV, junk),
    ],
  ])('%s', expectSameForJunk);

  test('authTagLength of ciphers', async () => {
    for (const cipher of ['aes-128-gcm', 'aes-128-ccm', 'aes-128-cbc']) {
      const iv = cipher === 'aes-128-cbc' ? IV : NONCE;
      // A symbol gets an error without a code from Node.
      for (const authTagLength of JUNK.filter(
        (junk) => typeof junk !== 'symbol' && typeof junk !== 'bigint',
      ) as never[]) {
        const expected = codeOf(() => nodeCipher(cipher, KEY, iv, { authTagLength }));
        expect(codeOf(() => library.createCipheriv(cipher, KEY, iv, { authTagLength }))).toBe(expected);
        expect(await rejectionCode(library.encrypt(cipher, KEY, iv, '', { authTagLength }))).toBe(expected);
      }
    }
  });
});

// Last, as Node leaves these errors of OpenSSL's behind, and takes them for those of later failures.
describe('parameters of scrypt()', () => {
  test.each<[parameter: string, theirs: Call, ours: Call]>([
    ...['N', 'cost', 'r', 'blockSize', 'p', 'parallelization', 'maxmem'].map((name): [string, Call, Call] => [
      `${name} of scrypt()`,
      (junk) => crypto.scryptSync('', '', 1, { [name]: junk }),
      (junk) => library.scrypt('', '', 1, { [name]: junk }),
    ]),
  ])('%s', expectSameForJunk);

  test.each<[what: string, theirs: () => unknown, ours: () => unknown]>([
    ...[
      { N: 15 },
      { N: 1 },
      { N: 2 ** 20 },
      { N: 2 ** 16, r: 1 },
      { p: 2 ** 30 },
      { maxmem: 1 },
      { N: 16, cost: 16 },
      { r: 1, blockSize: 1 },
      { p: 1, parallelization: 1 },
      { N: -1, cost: 16 },
    ].map((options): [string, () => unknown, () => unknown] => [
      `scrypt() with ${JSON.stringify(options)}`,
      () => crypto.scryptSync('', '', 1, options),
      () => library.scrypt('', '', 1, options),
    ]),
  ])('%s', expectSame);
});
