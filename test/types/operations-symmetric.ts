// Checked by `npm run test:types`; never run.
import { createSecretKey } from 'node:crypto';
import { expectTypeOf } from 'expect-type';
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  decrypt,
  encrypt,
  hash,
  hkdf,
  hmac,
  pbkdf2,
  randomBytes,
  randomFill,
  scrypt,
  type AuthenticatedCiphertext,
} from '../../lib';

declare const bytes: Buffer;
declare const algorithm: string;

// What an encryption gives is told by its algorithm, where that is known.
expectTypeOf(encrypt('aes-256-gcm', bytes, bytes, bytes)).resolves.toEqualTypeOf<AuthenticatedCiphertext>();
expectTypeOf(encrypt('id-aes256-CCM', bytes, bytes, bytes)).resolves.toEqualTypeOf<AuthenticatedCiphertext>();
expectTypeOf(encrypt('ChaCha20-Poly1305', bytes, bytes, bytes)).resolves.toEqualTypeOf<AuthenticatedCiphertext>();
expectTypeOf(encrypt('aes-256-cbc', bytes, bytes, bytes)).resolves.toEqualTypeOf<Buffer>();
expectTypeOf(encrypt('aes-256-ecb', bytes, null, bytes)).resolves.toEqualTypeOf<Buffer>();
expectTypeOf(encrypt(algorithm, bytes, bytes, bytes)).resolves.toEqualTypeOf<Buffer | AuthenticatedCiphertext>();
expectTypeOf(decrypt(algorithm, bytes, null, bytes, { authTag: bytes })).resolves.toEqualTypeOf<Buffer>();
// @ts-expect-error -- an encryption has no tag to compare with
void encrypt('aes-256-gcm', bytes, bytes, bytes, { authTag: bytes });

// Encodings make strings.
expectTypeOf(hash('sha256', bytes)).resolves.toEqualTypeOf<Buffer>();
expectTypeOf(hash('sha256', bytes, 'hex')).resolves.toEqualTypeOf<string>();
expectTypeOf(hash('sha256', bytes, { outputEncoding: 'hex' })).resolves.toEqualTypeOf<string>();
expectTypeOf(hmac('sha256', bytes, bytes)).resolves.toEqualTypeOf<Buffer>();
expectTypeOf(hmac('sha256', createSecretKey(bytes), bytes, { outputEncoding: 'hex' })).resolves.toEqualTypeOf<string>();
expectTypeOf(createHash('sha256').update(bytes).digest()).resolves.toEqualTypeOf<Buffer>();
expectTypeOf(createHash('sha256').update('00', 'hex').digest('hex')).resolves.toEqualTypeOf<string>();
expectTypeOf(createCipheriv('aes-128-ecb', bytes, null).update(bytes)).resolves.toEqualTypeOf<Buffer>();
expectTypeOf(createCipheriv('aes-128-ecb', bytes, null).update('', 'utf8', 'hex')).resolves.toEqualTypeOf<string>();
expectTypeOf(createCipheriv('aes-128-ecb', bytes, null).final('hex')).resolves.toEqualTypeOf<string>();
expectTypeOf(createCipheriv('aes-128-gcm', bytes, bytes).getAuthTag()).toEqualTypeOf<Buffer>();
// Tags are made by encryption, and compared by decryption.
expectTypeOf(createDecipheriv('aes-128-gcm', bytes, bytes)).not.toHaveProperty('getAuthTag');
expectTypeOf(createCipheriv('aes-128-gcm', bytes, bytes)).not.toHaveProperty('setAuthTag');
// @ts-expect-error -- streams have no fallback
createHash('sha256', { fallback: 'software' });

// Results are node:crypto's.
expectTypeOf(hkdf('sha256', bytes, '', '', 1)).resolves.toEqualTypeOf<ArrayBuffer>();
expectTypeOf(pbkdf2('', '', 1, 1, 'sha256')).resolves.toEqualTypeOf<Buffer>();
expectTypeOf(scrypt('', '', 1, { N: 2 })).resolves.toEqualTypeOf<Buffer>();
expectTypeOf(randomBytes(1)).resolves.toEqualTypeOf<Buffer>();
expectTypeOf(randomFill(new Uint16Array(1))).resolves.toEqualTypeOf<Uint16Array<ArrayBuffer>>();
expectTypeOf(randomFill(new SharedArrayBuffer(1))).resolves.toEqualTypeOf<SharedArrayBuffer>();
// @ts-expect-error -- an array is no buffer
void randomFill([1]);
