// encrypt() and decrypt() give what node:crypto gives, in both directions, with every cipher there is.
import { createSecretKey, randomBytes as nodeRandomBytes } from 'node:crypto';
import { decrypt, encrypt, type AuthenticatedCiphertext, type OperationOptions } from '../../../lib';
import { rejection, rejectionCode } from '../../support/library';
import {
  caseOf,
  expectBytes,
  formsOf,
  ivOf,
  nodeDecrypt,
  nodeEncrypt,
  PLACES,
  sampled,
  tagOptions,
  usableCiphers,
  type CipherCase,
} from './support';

const AAD = Buffer.from('a header');
const SIZES = [1, 15, 16, 17, 32, 1000, 20_000, 100_000];

const messagesFor = ({ unit, least, most }: CipherCase): Buffer[] =>
  SIZES.filter((size) => size >= least && size <= most).map((size) => nodeRandomBytes(Math.ceil(size / unit) * unit));

async function ours(
  cipher: CipherCase,
  key: Buffer,
  message: Buffer,
  options: OperationOptions,
): Promise<{ data: Buffer; authTag: Buffer | undefined }> {
  const aad = cipher.authenticates ? { aad: AAD } : {};
  const iv = cipher.ivLength === 0 ? null : ivOf(cipher);
  const encrypted = await encrypt<string>(cipher.algorithm, key, iv, message, {
    ...tagOptions(cipher),
    ...aad,
    ...options,
  });
  return Buffer.isBuffer(encrypted) ? { data: encrypted, authTag: undefined } : encrypted;
}

describe.each(PLACES)('in place %s', (place, options) => {
  const ciphers = usableCiphers();

  test('there are ciphers of every mode', () => {
    const names = ciphers.map(({ algorithm }) => algorithm);
    for (const mode of ['cbc', 'ctr', 'ecb', 'gcm', 'ccm', 'ocb', 'xts']) expect(names).toContain(`aes-256-${mode}`);
    expect(names).toEqual(expect.arrayContaining(['id-aes128-wrap', 'id-aes256-wrap-pad', 'chacha20-poly1305']));
  });

  test.each(sampled(place, ciphers))('$algorithm', async (cipher) => {
    const key = nodeRandomBytes(cipher.keyLength);
    const iv = ivOf(cipher);
    const decryptOptions = { ...tagOptions(cipher), ...(cipher.authenticates ? { aad: AAD } : {}), ...options };
    for (const message of place === 'auto' ? messagesFor(cipher) : messagesFor(cipher).slice(-2)) {
      const expected = nodeEncrypt(cipher, key, iv, message, AAD);
      const encrypted = await ours(cipher, key, message, options);
      expectBytes(encrypted.data, expected.data);
      expect(encrypted.authTag).toEqual(expected.authTag);
      expectBytes(nodeDecrypt(cipher, key, iv, encrypted.data, AAD, encrypted.authTag), message);
      const authTag = expected.authTag === undefined ? {} : { authTag: expected.authTag };
      const nonce = cipher.ivLength === 0 ? null : iv;
      const decrypted = await decrypt(cipher.algorithm, key, nonce, expected.data, { ...decryptOptions, ...authTag });
      expectBytes(decrypted, message);
    }
  });

  test('calls at the same time do not meet', async () => {
    const iv = Buffer.alloc(12);
    const keys = Array.from({ length: 200 }, () => nodeRandomBytes(16));
    const cipher = caseOf('aes-128-gcm');
    const encrypted = await Promise.all(keys.map((key) => encrypt('aes-128-gcm', key, iv, key, options)));
    expect(encrypted).toEqual(keys.map((key) => nodeEncrypt(cipher, key, iv, key, Buffer.alloc(0))));
  });
});

test('3DES key wrap, whose result is a matter of chance, is undone by node:crypto', async () => {
  const cipher = caseOf('des3-wrap');
  const key = nodeRandomBytes(24);
  const wrapped = await encrypt<string>('des3-wrap', key, null, 'a key of 16 byte');
  expect(nodeDecrypt(cipher, key, Buffer.alloc(0), wrapped as Buffer, AAD, undefined).toString()).toBe(
    'a key of 16 byte',
  );
  expect((await decrypt('des3-wrap', key, null, wrapped as Buffer)).toString()).toBe('a key of 16 byte');
});

test.each(['aes-128-gcm', 'aes-128-ccm', 'aes-128-ocb', 'chacha20-poly1305'])(
  'an empty message is authenticated: %s',
  async (algorithm) => {
    const cipher = caseOf(algorithm);
    const key = nodeRandomBytes(cipher.keyLength);
    const iv = ivOf(cipher);
    const encrypted = (await encrypt<string>(algorithm, key, iv, '', {
      aad: 'header',
      authTagLength: 16,
    })) as AuthenticatedCiphertext;
    expect([encrypted.data.length, encrypted.authTag.length]).toEqual([0, 16]);
    const { authTag } = encrypted;
    expect(await decrypt(algorithm, key, iv, '', { aad: 'header', authTagLength: 16, authTag })).toHaveLength(0);
    const wrong = decrypt(algorithm, key, iv, '', { aad: 'another', authTagLength: 16, authTag });
    expect(await rejection(wrong)).toMatchObject({ message: 'Unsupported state or unable to authenticate data' });
  },
);

test.each([4, 8, 12, 13, 14, 15, 16])('tags of %d bytes', async (authTagLength) => {
  const key = Buffer.alloc(16, 'key');
  const iv = Buffer.alloc(12, 'iv');
  const long = await encrypt('aes-128-gcm', key, iv, 'message');
  const { data, authTag } = await encrypt('aes-128-gcm', key, iv, 'message', { authTagLength });
  expect(authTag).toEqual(long.authTag.subarray(0, authTagLength));
  expect((await decrypt('aes-128-gcm', key, iv, data, { authTag })).toString()).toBe('message');
  expect((await decrypt('aes-128-gcm', key, iv, data, { authTag, authTagLength })).toString()).toBe('message');
});

test('without padding, whole blocks stay as they are', async () => {
  const key = Buffer.alloc(16, 'key');
  const data = await encrypt('aes-128-ecb', key, null, Buffer.alloc(32), { autoPadding: false });
  expect(data).toHaveLength(32);
  expect(await decrypt('aes-128-ecb', key, null, data, { autoPadding: false })).toEqual(Buffer.alloc(32));
  expect(await encrypt('aes-128-ecb', key, null, Buffer.alloc(32))).toHaveLength(48);
});

test.each(formsOf(Buffer.from('some 16-byte key')))('inputs as %s', async (_form, data) => {
  const key = Buffer.from('some 16-byte key');
  const cipher = caseOf('aes-128-gcm');
  const expected = nodeEncrypt(cipher, key, key, key, key);
  const encrypted = await encrypt('aes-128-gcm', data, data, data, { aad: data });
  expect(encrypted).toEqual(expected);
  for (const [, authTag] of formsOf(encrypted.authTag)) {
    expect(await decrypt('aes-128-gcm', data, data, expected.data, { aad: data, authTag })).toEqual(key);
  }
});

test('keys may be objects', async () => {
  const key = createSecretKey('some 16-byte key', 'utf8');
  const iv = Buffer.alloc(16);
  const data = await encrypt('aes-128-cbc', key, iv, 'message');
  expect(data).toEqual(await encrypt('aes-128-cbc', 'some 16-byte key', iv, 'message'));
  for (let i = 0; i < 3; ++i) expect((await decrypt('aes-128-cbc', key, iv, data)).toString()).toBe('message');
});

test('plaintext is in memory of its own', async () => {
  const key = Buffer.alloc(16, 'key');
  const data = await encrypt('aes-128-ecb', key, null, 'message');
  expect((await decrypt('aes-128-ecb', key, null, data)).buffer.byteLength).toBe(7);
});

describe.each(PLACES)('what is not authentic gives nothing, in place %s', (_place, options) => {
  const AUTHENTICATING = usableCiphers().filter(({ authenticates }) => authenticates);

  test.each(AUTHENTICATING)('$algorithm', async (cipher) => {
    const key = nodeRandomBytes(cipher.keyLength);
    const iv = ivOf(cipher);
    const { data, authTag } = (await ours(cipher, key, Buffer.alloc(1000, 'message'), options)) as {
      data: Buffer;
      authTag: Buffer;
    };
    const flipped = (bytes: Buffer, bit = 1): Buffer => {
      const copy = Buffer.from(bytes);
      copy.writeUInt8(copy.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      return copy;
    };
    const all = { authTagLength: 16, authTag, aad: AAD, ...options };
    const forgeries = [
      () => decrypt(cipher.algorithm, key, iv, flipped(data), all),
      () => decrypt(cipher.algorithm, key, iv, data.subarray(1), all),
      () => decrypt(cipher.algorithm, key, iv, data, { ...all, authTag: flipped(authTag, 127) }),
      () => decrypt(cipher.algorithm, key, iv, data, { ...all, aad: flipped(AAD) }),
      () => decrypt(cipher.algorithm, key, flipped(iv), data, all),
      () => decrypt(cipher.algorithm, flipped(key), iv, data, all),
      () => decrypt(cipher.algorithm, key, iv, data, { ...all, authTag: undefined }),
      () => decrypt(cipher.algorithm, key, iv, data, { ...all, aad: undefined }),
    ];
    for (const forgery of forgeries) {
      const error = await rejection(forgery());
      expect(error).toMatchObject({ message: 'Unsupported state or unable to authenticate data' });
      expect((error as { code?: unknown }).code).toBeUndefined();
    }
    await expect(decrypt(cipher.algorithm, key, iv, data, all)).resolves.toHaveLength(1000);
  });
});

test('a call that is aborted rejects at once', async () => {
  const signal = AbortSignal.abort();
  expect(await rejectionCode(encrypt('aes-128-ecb', Buffer.alloc(16), null, 'a', { signal }))).toBe('ABORT_ERR');
});
