// The encodings of new keys: described and checked as in node:crypto.
import { copyOf } from '../base/byte-views';
import { invalidArgValue, nodeError } from '../base/errors';
import { readOptions } from '../base/validators';
import { toInput } from '../base/bytes';

/** The encoding of a new public key. */
export interface PublicKeyEncoding {
  /** A string, a Buffer, or a JSON Web Key (RFC 7517). */
  format: 'pem' | 'der' | 'jwk';
  /** `'spki'`, or for RSA also `'pkcs1'` (RFC 8017). Not for `'jwk'`. */
  type?: 'pkcs1' | 'spki';
}

/** The encoding of a new private key. */
export interface PrivateKeyEncoding {
  /** A string, a Buffer, or a JSON Web Key (RFC 7517). */
  format: 'pem' | 'der' | 'jwk';
  /** `'pkcs8'` (RFC 5208), or for RSA also `'pkcs1'` (RFC 8017), for EC also `'sec1'` (RFC 5915). Not for `'jwk'`. */
  type?: 'pkcs1' | 'pkcs8' | 'sec1';
  /** The cipher that encrypts the key, for example `'aes-256-cbc'`. @defaultValue no encryption */
  cipher?: string;
  /** The passphrase, from which the cipher's key is derived; required with `cipher`. */
  passphrase?: string | ArrayBuffer | NodeJS.ArrayBufferView;
}

/** An encoding that was checked. */
export interface ParsedEncoding {
  readonly format: string;
  readonly type: string | undefined;
  readonly cipher: string | undefined;
  readonly passphrase: Uint8Array | undefined;
}

/** The encoding of a public key; undefined for a `KeyObject`. */
export function parsePublicKeyEncoding(encoding: unknown, keyType: string, name: string): ParsedEncoding | undefined {
  const options = objectOrNothing(encoding, name);
  if (options === undefined) return undefined;
  const { format, type } = parseFormatAndType(options, PUBLIC_TYPES, keyType, name);
  return { format, type, ...NOT_ENCRYPTED };
}

/** The encoding of a private key; undefined for a `KeyObject`. */
export function parsePrivateKeyEncoding(encoding: unknown, keyType: string, name: string): ParsedEncoding | undefined {
  const options = objectOrNothing(encoding, name);
  if (options === undefined) return undefined;
  const { format, type } = parseFormatAndType(options, PRIVATE_TYPES, keyType, name);
  return { format, type, ...parseEncryption(options, format, type, name) };
}

const NOT_ENCRYPTED = { cipher: undefined, passphrase: undefined } as const;
const PUBLIC_TYPES: readonly unknown[] = ['pkcs1', 'spki'];
const PRIVATE_TYPES: readonly unknown[] = ['pkcs1', 'pkcs8', 'sec1'];
const ONLY_KEY_TYPE: Readonly<Record<string, string>> = { pkcs1: 'rsa', sec1: 'ec' };

function objectOrNothing(encoding: unknown, name: string): Record<string, unknown> | undefined {
  if (encoding === undefined || encoding === null) return undefined;
  if (typeof encoding !== 'object') throw invalidArgValue(name, encoding, 'is invalid');
  return readOptions(encoding, name, ['format', 'type', 'cipher', 'passphrase', 'encoding']);
}

function parseFormatAndType(
  { format, type }: Record<string, unknown>,
  types: readonly unknown[],
  keyType: string,
  name: string,
): Pick<ParsedEncoding, 'format' | 'type'> {
  if (typeof format !== 'string' || !FORMATS.test(format))
    throw invalidArgValue(`${name}.format`, format, 'is invalid');
  // Formats that only newer versions of Node.js know, and check.
  if (format.startsWith('raw-')) return { format, type: type as string | undefined };
  if (type === undefined && format === 'jwk') return { format, type };
  if (typeof type !== 'string' || !types.includes(type)) throw invalidArgValue(`${name}.type`, type, 'is invalid');
  const only = ONLY_KEY_TYPE[type];
  if (only !== undefined && keyType !== only) {
    throw incompatible(type, `can only be used for ${only.toUpperCase()} keys.`);
  }
  return { format, type };
}

const FORMATS = /^(?:pem|der|jwk|raw-public|raw-private|raw-seed)$/;

function parseEncryption(
  { cipher, passphrase, encoding }: Record<string, unknown>,
  format: string,
  type: string | undefined,
  name: string,
): Pick<ParsedEncoding, 'cipher' | 'passphrase'> {
  if (cipher === undefined || cipher === null) {
    if (passphrase === undefined) return NOT_ENCRYPTED;
    throw invalidArgValue(`${name}.cipher`, cipher, 'is required when a passphrase is specified');
  }
  if (typeof cipher !== 'string') throw invalidArgValue(`${name}.cipher`, cipher, 'is invalid');
  // Native code takes an empty name for none.
  if (cipher === '') throw nodeError('ERR_CRYPTO_UNKNOWN_CIPHER', 'Unknown cipher');
  if (format === 'der' && type !== 'pkcs8') throw incompatible(String(type), 'does not support encryption.');
  try {
    const bytes = toInput(passphrase, `${name}.passphrase`, encoding as BufferEncoding | undefined);
    return { cipher, passphrase: copyOf(bytes) };
  } catch {
    throw nodeError('ERR_INVALID_ARG_VALUE', `The property '${name}.passphrase' is invalid`, TypeError);
  }
}

function incompatible(encoding: string, reason: string): Error {
  return nodeError('ERR_CRYPTO_INCOMPATIBLE_KEY_OPTIONS', `The selected key encoding ${encoding} ${reason}`);
}
