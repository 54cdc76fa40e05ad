// Private keys that are damaged, where their public part is wanted: as node:crypto of the same version.
import * as crypto from 'node:crypto';
import { publicEncrypt, sign, verify, type KeyLike } from '../../../lib';
import { codeOf, rejectionCode } from '../../support/library';

const MESSAGE = Buffer.from('the message');

/** DER of a sequence of these parts, or of an integer. */
function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size = length < 0x80 ? Buffer.of(length) : Buffer.of(0x82, length >> 8, length & 0xff);
  return Buffer.concat([Buffer.of(tag), size, content]);
}

const FIELDS = ['n', 'e', 'd', 'p', 'q', 'dp', 'dq', 'qi'] as const;
type Field = (typeof FIELDS)[number];

/** PKCS#1, RFC 8017, with one number longer than it can be. */
function lengthened(jwk: crypto.JsonWebKey, field: Field): crypto.KeyObject {
  const integer = (name: Field): Buffer => {
    const bytes = Buffer.from(jwk[name] ?? '', 'base64url');
    return der(2, Buffer.concat([Buffer.of(0, ...(name === field ? [1] : [])), bytes]));
  };
  const key = der(0x30, Buffer.concat([der(2, Buffer.of(0)), ...FIELDS.map(integer)]));
  return crypto.createPrivateKey({ key, format: 'der', type: 'pkcs1' });
}

const rsa = crypto.generateKeyPairSync('rsa', { modulusLength: 1024 });
const jwk = rsa.privateKey.export({ format: 'jwk' });
const signature = crypto.sign('sha256', MESSAGE, rsa.privateKey);

// Which of them can be read, each version says otherwise.
const readable = FIELDS.flatMap((field): [Field, crypto.KeyObject][] => {
  try {
    return [[field, lengthened(jwk, field)]];
  } catch {
    return [];
  }
});

test.each(readable)('an RSA key whose number %s is too long', async (_field, key) => {
  const forms: KeyLike[] = [key, crypto.createPublicKey(key)];
  for (const form of forms) {
    const expected = codeOf(() => crypto.verify('sha256', MESSAGE, form as crypto.KeyObject, signature));
    for (let turn = 0; turn < 2; ++turn) {
      expect(await rejectionCode(verify('sha256', MESSAGE, form, signature))).toBe(expected);
    }
    if (expected === undefined) {
      const valid = crypto.verify('sha256', MESSAGE, form as crypto.KeyObject, signature);
      expect(await verify('sha256', MESSAGE, form, signature)).toBe(valid);
    }
  }
  const refused = codeOf(() => crypto.publicEncrypt(key, MESSAGE)) !== undefined;
  expect((await rejectionCode(publicEncrypt(key, MESSAGE))) !== undefined).toBe(refused);
  if (refused)
    expect(await rejectionCode(sign('sha256', MESSAGE, key))).toBe(codeOf(() => crypto.sign('sha256', MESSAGE, key)));
});

test('a key that is whole works', async () => {
  expect(await verify('sha256', MESSAGE, rsa.privateKey, signature)).toBe(true);
  const pem = rsa.privateKey.export({ format: 'pem', type: 'pkcs1' });
  expect(await verify('sha256', MESSAGE, pem, signature)).toBe(true);
});

test('there are keys to try', () => {
  expect(readable.length).toBeGreaterThan(0);
});
