// Published vectors come out, wherever an operation runs, and node:crypto agrees with them.
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  hkdfSync,
  pbkdf2Sync,
  scryptSync,
  type CipherGCM,
  type CipherGCMTypes,
  type DecipherGCM,
} from 'node:crypto';
import { decrypt, encrypt, hash, hkdf, hmac, pbkdf2, scrypt, type AuthenticatedCiphertext } from '../../../lib';
import {
  AUTHENTICATED_CIPHERS,
  CAVP_DIGESTS,
  CIPHERS,
  DIGESTS,
  HKDFS,
  HMACS,
  PBKDF2S,
  SCRYPTS,
} from '../../support/symmetric-vectors';
import { PLACES } from './support';

const bytes = (text: string): Buffer => Buffer.from(text, 'hex');
const hex = (value: Buffer | ArrayBuffer): string => Buffer.from(value as ArrayBuffer).toString('hex');

describe.each(PLACES)('in place %s', (_place, options) => {
  test.each(DIGESTS)('$algorithm of "$message"', async ({ algorithm, message, digest }) => {
    expect(hex(await hash(algorithm, message, options))).toBe(digest);
    expect(createHash(algorithm).update(message).digest('hex')).toBe(digest);
  });

  test.each(CAVP_DIGESTS)('$algorithm of the bytes $message', async ({ algorithm, message, digest }) => {
    expect(hex(await hash(algorithm, bytes(message), options))).toBe(digest);
    expect(createHash(algorithm).update(bytes(message)).digest('hex')).toBe(digest);
  });

  test.each(HMACS)('HMAC $algorithm of "$message"', async ({ algorithm, key, message, mac }) => {
    expect(hex(await hmac(algorithm, bytes(key), message, options))).toBe(mac);
    expect(createHmac(algorithm, bytes(key)).update(message).digest('hex')).toBe(mac);
  });

  test.each(HKDFS)('HKDF $derived', async ({ digest, key, salt, info, derived }) => {
    const size = derived.length / 2;
    expect(hex(await hkdf(digest, bytes(key), bytes(salt), bytes(info), size, options))).toBe(derived);
    expect(hex(hkdfSync(digest, bytes(key), bytes(salt), bytes(info), size))).toBe(derived);
  });

  test.each(PBKDF2S)('PBKDF2 of "$password"', async ({ password, salt, iterations, derived }) => {
    expect(hex(await pbkdf2(password, salt, iterations, 64, 'sha256', options))).toBe(derived);
    expect(pbkdf2Sync(password, salt, iterations, 64, 'sha256').toString('hex')).toBe(derived);
  });

  test.each(SCRYPTS)('scrypt of "$password"', async ({ password, salt, options: cost, derived }) => {
    expect(hex(await scrypt(password, salt, 64, { ...cost, ...options }))).toBe(derived);
    expect(scryptSync(password, salt, 64, cost).toString('hex')).toBe(derived);
  });

  test.each(CIPHERS)('$algorithm of $source', async ({ algorithm, key, iv, message, ciphertext }) => {
    const nonce = iv === null ? null : bytes(iv);
    const cipherOptions = { autoPadding: false, ...options };
    const encrypted = await encrypt(algorithm, bytes(key), nonce, bytes(message), cipherOptions);
    expect(hex(encrypted)).toBe(ciphertext);
    expect(hex(await decrypt(algorithm, bytes(key), nonce, bytes(ciphertext), cipherOptions))).toBe(message);
    const cipher = createCipheriv(algorithm, bytes(key), nonce).setAutoPadding(false);
    expect(hex(Buffer.concat([cipher.update(bytes(message)), cipher.final()]))).toBe(ciphertext);
  });

  test.each(AUTHENTICATED_CIPHERS)('$algorithm of $source', async (vector) => {
    const [key, iv, aad, message, ciphertext, authTag] = [
      bytes(vector.key),
      bytes(vector.iv),
      bytes(vector.aad),
      bytes(vector.message),
      bytes(vector.ciphertext),
      bytes(vector.authTag),
    ] as const;
    const cipherOptions = { aad, authTagLength: authTag.length, ...options };
    const encrypted = await encrypt<string>(vector.algorithm, key, iv, message, cipherOptions);
    expect(encrypted as AuthenticatedCiphertext).toEqual({ data: ciphertext, authTag });
    expect(await decrypt(vector.algorithm, key, iv, ciphertext, { authTag, ...cipherOptions })).toEqual(message);

    const algorithm = vector.algorithm as CipherGCMTypes;
    const nodeOptions = { authTagLength: authTag.length };
    const cipher: CipherGCM = createCipheriv(algorithm, key, iv, nodeOptions);
    cipher.setAAD(aad, { plaintextLength: message.length });
    expect(Buffer.concat([cipher.update(message), cipher.final()])).toEqual(ciphertext);
    expect(cipher.getAuthTag()).toEqual(authTag);
    const decipher: DecipherGCM = createDecipheriv(algorithm, key, iv, nodeOptions);
    decipher.setAuthTag(authTag).setAAD(aad, { plaintextLength: message.length });
    expect(Buffer.concat([decipher.update(ciphertext), decipher.final()])).toEqual(message);
  });
});
