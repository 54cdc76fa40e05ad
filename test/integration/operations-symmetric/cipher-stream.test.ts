// createCipheriv() and createDecipheriv() give what node:crypto's give, part by part.
import { createCipheriv as nodeCreateCipheriv, randomBytes as nodeRandomBytes, type CipherGCMTypes } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { operations, createCipheriv, createDecipheriv, decrypt, type CipherTransform } from '../../../lib';
import { rejection, rejectionCode, until } from '../../support/library';
import { ivOf, nodeEncrypt, PLACES, sampled, tagOptions, usableCiphers, type CipherCase } from './support';

// What was given up goes on, and the test files of a process share the addon that tells its end.
afterAll(() => until(() => operations.inFlight === 0));

const AAD = Buffer.from('a header');
const CUTS = [0, 1, 16, 17, 1000, 20_000, 99_999, 100_000];

// Modes that take a message in one part only.
const takesOnePart = ({ algorithm }: CipherCase): boolean => /ccm|wrap|xts|cbc-hmac/i.test(algorithm);

function partsOf(cipher: CipherCase, message: Buffer): Buffer[] {
  return takesOnePart(cipher) ? [message] : CUTS.map((cut, i) => message.subarray(cut, CUTS[i + 1]));
}

async function all(stream: CipherTransform, parts: readonly Buffer[]): Promise<Buffer> {
  return Buffer.concat(await Promise.all([...parts.map((part) => stream.update(part)), stream.final()]));
}

async function piped(stream: CipherTransform, parts: readonly Buffer[]): Promise<Buffer> {
  const chunks: Buffer[] = [];
  await pipeline(Readable.from(parts), stream, async (source: AsyncIterable<Buffer>) => {
    for await (const chunk of source) chunks.push(chunk);
  });
  return Buffer.concat(chunks);
}

describe.each(PLACES)('in place %s', (name, place) => {
  test.each(sampled(name, usableCiphers()))('$algorithm', async (cipher) => {
    const key = nodeRandomBytes(cipher.keyLength);
    const iv = cipher.ivLength === 0 ? null : ivOf(cipher);
    const message = nodeRandomBytes(Math.min(cipher.most, 100_000));
    const expected = nodeEncrypt(cipher, key, ivOf(cipher), message, AAD);
    const options = { ...tagOptions(cipher), ...place };
    for (const run of [all, piped]) {
      const encrypting = createCipheriv(cipher.algorithm, key, iv, options);
      if (cipher.authenticates) encrypting.setAAD(AAD, { plaintextLength: message.length });
      expect((await run(encrypting, partsOf(cipher, message))).equals(expected.data)).toBe(true);
      if (cipher.authenticates) expect(encrypting.getAuthTag()).toEqual(expected.authTag);

      const decrypting = createDecipheriv(cipher.algorithm, key, iv, options);
      if (expected.authTag !== undefined) {
        decrypting.setAuthTag(expected.authTag).setAAD(AAD, { plaintextLength: message.length });
      }
      expect((await run(decrypting, partsOf(cipher, expected.data))).equals(message)).toBe(true);
    }
  });

  test('parts may be overwritten as soon as they were passed', async () => {
    const [key, iv] = [nodeRandomBytes(16), nodeRandomBytes(16)];
    const cipher = createCipheriv('aes-128-ctr', key, iv, place);
    const reused = Buffer.alloc(100_000);
    const updates = Array.from({ length: 5 }, (_, i) => cipher.update(reused.fill(i)));
    reused.fill('z');
    const data = Buffer.concat([...(await Promise.all(updates)), await cipher.final()]);
    const message = Buffer.concat(Array.from({ length: 5 }, (_, i) => Buffer.alloc(100_000, i)));
    expect((await decrypt('aes-128-ctr', key, iv, data)).equals(message)).toBe(true);
  });

  test('a stream of what is not authentic ends with an error', async () => {
    const [key, iv] = [nodeRandomBytes(16), nodeRandomBytes(12)];
    const decipher = createDecipheriv('aes-128-gcm', key, iv, place).setAuthTag(Buffer.alloc(16));
    const error = await rejection(piped(decipher, [Buffer.alloc(1000)]));
    expect(error).toMatchObject({ message: 'Unsupported state or unable to authenticate data' });
  });
});

const KEY = Buffer.alloc(16, 'key');
const IV = Buffer.alloc(12, 'iv');
const codeOf = (action: () => unknown): unknown => {
  try {
    action();
    return 'nothing was thrown';
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
};

test('authenticated data may come in parts', async () => {
  const cipher = createCipheriv('aes-128-gcm', KEY, IV)
    .setAAD('a ')
    .setAAD('6865616465', { encoding: 'hex' })
    .setAAD('r');
  const data = Buffer.concat([await cipher.update('message'), await cipher.final()]);
  const authTag = cipher.getAuthTag();
  expect((await decrypt('aes-128-gcm', KEY, IV, data, { aad: AAD, authTag })).toString()).toBe('message');
});

test('results are given in the encoding asked for', async () => {
  const iv = Buffer.alloc(16);
  for (const encoding of ['hex', 'base64', 'latin1'] as const) {
    const node = nodeCreateCipheriv('aes-128-cbc', KEY, iv);
    const cipher = createCipheriv('aes-128-cbc', KEY, iv);
    let [theirs, ours] = ['', ''];
    for (const part of ['Ünïcödé', 'and more of it, more than a block', '']) {
      theirs += node.update(part, 'utf8', encoding);
      ours += await cipher.update(part, 'utf8', encoding);
    }
    expect(ours + (await cipher.final(encoding))).toBe(theirs + node.final(encoding));
  }
  const cipher = createCipheriv('aes-128-ctr', KEY, iv);
  const data = [await cipher.update('€'), await cipher.final()];
  const decipher = createDecipheriv('aes-128-ctr', KEY, iv);
  let text = '';
  for (const byte of Buffer.concat(data)) text += await decipher.update(Buffer.of(byte), undefined, 'utf8');
  expect(text + (await decipher.final('utf8'))).toBe('€');
});

test('an encoding stays, and is one', async () => {
  const cipher = createCipheriv('aes-128-ctr', KEY, Buffer.alloc(16));
  await cipher.update('a', 'utf8', 'hex');
  expect(await rejectionCode(cipher.update('a', 'utf8', 'base64'))).toBe('ERR_INVALID_ARG_VALUE');
  expect(await rejectionCode(cipher.update('a', 'utf8', 'none' as 'hex'))).toBe('ERR_UNKNOWN_ENCODING');
  expect(await rejectionCode(cipher.update('abc', 'hex'))).toBe('ERR_INVALID_ARG_VALUE');
});

test('padding can be left out', async () => {
  const node = nodeCreateCipheriv('aes-128-ecb', KEY, null).setAutoPadding(false);
  const cipher = createCipheriv('aes-128-ecb', KEY, null).setAutoPadding(false);
  expect([await cipher.update(KEY), await cipher.final()]).toEqual([node.update(KEY), node.final()]);
});

test('what comes too early or too late is refused, as by node:crypto', async () => {
  const cipher = createCipheriv('aes-128-gcm', KEY, IV);
  expect(codeOf(() => cipher.getAuthTag())).toBe('ERR_CRYPTO_INVALID_STATE');
  await cipher.update('a');
  expect(codeOf(() => cipher.setAAD('a'))).toBe('ERR_CRYPTO_INVALID_STATE');
  await cipher.final();
  expect(codeOf(() => cipher.setAutoPadding())).toBe('ERR_CRYPTO_INVALID_STATE');
  expect(await rejectionCode(cipher.final())).toBe('ERR_CRYPTO_INVALID_STATE');
  expect(await rejection(cipher.update('a'))).toMatchObject({ message: 'Trying to add data in unsupported state' });
  const decipher = createDecipheriv('aes-128-gcm', KEY, IV).setAuthTag(Buffer.alloc(16));
  expect(codeOf(() => decipher.setAuthTag(Buffer.alloc(16)))).toBe('ERR_CRYPTO_INVALID_STATE');
});

test('a state is refused to ciphers that do not have it', async () => {
  const cipher = createCipheriv('aes-128-ecb', KEY, null);
  expect(codeOf(() => cipher.setAAD('a'))).toBe('ERR_CRYPTO_INVALID_STATE');
  expect(codeOf(() => createDecipheriv('aes-128-ecb', KEY, null).setAuthTag('a'))).toBe('ERR_CRYPTO_INVALID_STATE');
  await cipher.final();
  expect(codeOf(() => cipher.getAuthTag())).toBe('ERR_CRYPTO_INVALID_STATE');
});

test.each([
  ['aes-128-gcm', 3, undefined, 'ERR_CRYPTO_INVALID_AUTH_TAG'],
  ['aes-128-gcm', 4, undefined, 'nothing was thrown'],
  ['aes-128-gcm', 15, 16, 'ERR_CRYPTO_INVALID_AUTH_TAG'],
  ['aes-128-gcm', 17, undefined, 'ERR_CRYPTO_INVALID_AUTH_TAG'],
  ['aes-128-ccm', 16, 8, 'ERR_CRYPTO_INVALID_AUTH_TAG'],
  ['aes-128-ocb', 8, 8, 'nothing was thrown'],
] as const)('%s has no tag of %d bytes where %s are expected', (algorithm, length, authTagLength, code) => {
  const options = authTagLength === undefined ? {} : { authTagLength };
  const decipher = createDecipheriv(algorithm, KEY, IV, options);
  expect(codeOf(() => decipher.setAuthTag(Buffer.alloc(length)))).toBe(code);
});

test('CCM has to know the length of its message', async () => {
  const begin = () => createCipheriv('aes-128-ccm', KEY, Buffer.alloc(13), { authTagLength: 16 });
  expect(codeOf(() => begin().setAAD('a'))).toBe('ERR_MISSING_ARGS');
  expect(codeOf(() => begin().setAAD('a', { plaintextLength: 65_536 }))).toBe('ERR_CRYPTO_INVALID_MESSAGELEN');
  expect(codeOf(() => begin().setAAD('a', { plaintextLength: 1.5 }))).toBe('ERR_INVALID_ARG_VALUE');
  expect(await rejectionCode(begin().update(Buffer.alloc(65_536)))).toBe('ERR_CRYPTO_INVALID_MESSAGELEN');
  const cipher = begin().setAAD('a', { plaintextLength: 2 });
  expect(await rejection(cipher.update('abc'))).toMatchObject({ message: 'Trying to add data in unsupported state' });
});

test.each(['aes-128-ccm', 'aes-128-gcm', 'chacha20-poly1305'])(
  '%s without a tag authenticates nothing',
  async (name) => {
    const key = Buffer.alloc(name.startsWith('chacha') ? 32 : 16);
    for (const message of ['', 'forged']) {
      const decipher = createDecipheriv(name, key, IV, { authTagLength: 16 });
      const parts = message === '' ? [] : [await decipher.update(message)];
      if (name === 'aes-128-ccm') expect(Buffer.concat(parts)).toHaveLength(0);
      expect(await rejection(decipher.final())).toMatchObject({ message: /unable to authenticate data/ });
    }
  },
);

test('an object that was aborted cannot be used any more', async () => {
  const controller = new AbortController();
  const cipher = createCipheriv('aes-128-ctr', KEY, Buffer.alloc(16), { signal: controller.signal, mode: 'offload' });
  const updates = [cipher.update(Buffer.alloc(1_000_000)), cipher.update('a')];
  controller.abort('enough');
  for (const update of updates) expect(await rejection(update)).toMatchObject({ name: 'AbortError', cause: 'enough' });
  expect(await rejectionCode(cipher.final())).toBe('ABORT_ERR');
});

test('there is no fallback for streams', () => {
  const options = { fallback: 'software' } as object;
  expect(codeOf(() => createCipheriv('aes-128-ecb', KEY, null, options))).toBe('ERR_INVALID_ARG_VALUE');
});

test('node:crypto undoes what comes out', async () => {
  const cipher = createCipheriv('aes-128-gcm', KEY, IV);
  const data = Buffer.concat([await cipher.update('message'), await cipher.final()]);
  const node = nodeCreateCipheriv('aes-128-gcm' as CipherGCMTypes, KEY, IV);
  expect(data).toEqual(Buffer.concat([node.update('message'), node.final()]));
  expect(cipher.getAuthTag()).toEqual(node.getAuthTag());
});
