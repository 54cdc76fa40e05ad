// What the tests of asymmetric operations have in common: keys, and node:crypto as the measure.
import * as crypto from 'node:crypto';
import { CERTIFICATES, PRIVATE_KEYS } from '../../support/keys';

export type KeyName = keyof typeof PRIVATE_KEYS;

export interface Pair {
  privateKey: crypto.KeyObject;
  publicKey: crypto.KeyObject;
}

export const KEYS = Object.fromEntries(
  Object.entries(PRIVATE_KEYS).map(([name, pem]) => {
    const privateKey = crypto.createPrivateKey(pem);
    return [name, { privateKey, publicKey: crypto.createPublicKey(privateKey) }];
  }),
) as Record<KeyName, Pair>;

export const SECRET_KEY = crypto.createSecretKey(Buffer.from('0123456789abcdef'));
export const DATA = Buffer.from('some data');
export const MODES = ['inline', 'offload', 'auto'] as const;

const [major = 0, minor = 0] = process.versions.openssl.split('.').map(Number);
/** Whether the OpenSSL of this process is at least 3.`required`. */
export const hasOpenSSL = (required: number): boolean => major > 3 || (major === 3 && minor >= required);

interface Outcome {
  value?: unknown;
  error?: { name: string; code: string | undefined };
}

async function outcomeOf(action: () => unknown): Promise<Outcome> {
  try {
    return { value: await action() };
  } catch (thrown) {
    const { name, code } = thrown as { name: string; code?: string };
    return { error: { name, code } };
  }
}

/** Both fail, with errors of the same code and class; where node:crypto gives no code, ours is `code`. */
export async function expectSameError(
  ours: () => Promise<unknown>,
  theirs: () => unknown,
  code: unknown = expect.any(String),
): Promise<void> {
  const [actual, expected] = [await outcomeOf(ours), await outcomeOf(theirs)];
  expect(expected.error).toBeDefined();
  if (expected.error?.code === undefined) expect(actual.error?.code).toEqual(code);
  else expect(actual).toEqual(expected);
}

const TRADITIONAL: Readonly<Record<string, 'pkcs1' | 'sec1'>> = { rsa: 'pkcs1', ec: 'sec1' };

/** Every way in which node:crypto takes a private key. */
export function privateForms(name: KeyName): [form: string, key: crypto.PrivateKeyInput | string | crypto.KeyObject][] {
  const key = KEYS[name].privateKey;
  const der = (type: 'pkcs1' | 'pkcs8' | 'sec1') => key.export({ format: 'der', type: type as 'pkcs8' });
  const encrypted = { cipher: 'aes-128-cbc', passphrase: 'secret' } as const;
  const pkcs8 = der('pkcs8');
  const forms: [string, unknown][] = [
    ['KeyObject', key],
    ['object with a KeyObject', { key }],
    ['PEM', PRIVATE_KEYS[name]],
    ['PEM as bytes', Buffer.from(PRIVATE_KEYS[name])],
    ['PEM as ArrayBuffer', new Uint8Array(Buffer.from(PRIVATE_KEYS[name])).buffer],
    ['object with PEM', { key: PRIVATE_KEYS[name] }],
    ['PKCS#8', { key: pkcs8, format: 'der', type: 'pkcs8' }],
    ['PKCS#8 as DataView', { key: new DataView(new Uint8Array(pkcs8).buffer), format: 'der', type: 'pkcs8' }],
    ['PKCS#8 in base64', { key: pkcs8.toString('base64'), format: 'der', type: 'pkcs8', encoding: 'base64' }],
    ['encrypted PEM', { key: key.export({ format: 'pem', type: 'pkcs8', ...encrypted }), passphrase: 'secret' }],
    [
      'encrypted PKCS#8',
      {
        key: key.export({ format: 'der', type: 'pkcs8', ...encrypted }),
        format: 'der',
        type: 'pkcs8',
        passphrase: Buffer.from('secret'),
      },
    ],
  ];
  const traditional = TRADITIONAL[key.asymmetricKeyType ?? ''];
  if (traditional !== undefined) {
    forms.push([traditional, { key: der(traditional), format: 'der', type: traditional }]);
    const pem = key.export({ format: 'pem', type: traditional, ...encrypted });
    forms.push([`encrypted ${traditional} PEM`, { key: pem, passphrase: 'secret' }]);
  }
  const jwk = jwkOf(key);
  if (jwk !== undefined) forms.push(['JWK', { key: jwk, format: 'jwk' }]);
  return forms as [string, crypto.KeyObject][];
}

/** Every way in which node:crypto takes a public key. */
export function publicForms(name: KeyName): [form: string, key: crypto.PublicKeyInput | string | crypto.KeyObject][] {
  const key = KEYS[name].publicKey;
  const pem = key.export({ format: 'pem', type: 'spki' }) as string;
  const spki = key.export({ format: 'der', type: 'spki' });
  const forms: [string, unknown][] = [
    ['KeyObject', key],
    ['object with a KeyObject', { key }],
    ['PEM', pem],
    ['PEM as bytes', Buffer.from(pem)],
    ['object with PEM', { key: pem }],
    ['SPKI', { key: spki, format: 'der', type: 'spki' }],
    ['SPKI in hexadecimal', { key: spki.toString('hex'), format: 'der', type: 'spki', encoding: 'hex' }],
    ['private KeyObject', KEYS[name].privateKey],
    ['private PEM', PRIVATE_KEYS[name]],
  ];
  if (key.asymmetricKeyType === 'rsa') {
    forms.push(['PKCS#1', { key: key.export({ format: 'der', type: 'pkcs1' }), format: 'der', type: 'pkcs1' }]);
    forms.push(['PKCS#1 PEM', key.export({ format: 'pem', type: 'pkcs1' })]);
  }
  const jwk = jwkOf(key);
  if (jwk !== undefined) forms.push(['JWK', { key: jwk, format: 'jwk' }]);
  if (name in CERTIFICATES) forms.push(['certificate', CERTIFICATES[name as keyof typeof CERTIFICATES]]);
  return forms as [string, crypto.KeyObject][];
}

function jwkOf(key: crypto.KeyObject): crypto.JsonWebKey | undefined {
  try {
    return key.export({ format: 'jwk' });
  } catch {
    return undefined; // a type or curve that JSON Web Keys do not have
  }
}

/** What is no private key for anybody. */
export const BAD_PRIVATE_KEYS: readonly [what: string, key: unknown][] = [
  ['undefined', undefined],
  ['a number', 5],
  ['true', true],
  ['an empty object', {}],
  ['an object without a usable key', { key: 5 }],
  ['an array', []],
  ['a public KeyObject', KEYS.rsa1024.publicKey],
  ['an object with a public KeyObject', { key: KEYS.rsa1024.publicKey }],
  ['a secret KeyObject', SECRET_KEY],
  ['an empty string', ''],
  ['text that is no PEM', 'no key'],
  ['empty bytes', Buffer.alloc(0)],
  ['PEM that ends early', PRIVATE_KEYS.rsa1024.slice(0, 200)],
  ['PEM of damaged content', PRIVATE_KEYS.rsa1024.replace(/MII/, 'AAA')],
  ['DER that ends early', { key: pkcs8Of('rsa1024').subarray(0, 100), format: 'der', type: 'pkcs8' }],
  ['empty DER', { key: Buffer.alloc(0), format: 'der', type: 'pkcs8' }],
  ['DER of another structure', { key: spkiOf('rsa1024'), format: 'der', type: 'pkcs8' }],
  ['DER without a type', { key: pkcs8Of('rsa1024'), format: 'der' }],
  ['DER of a type for public keys', { key: pkcs8Of('rsa1024'), format: 'der', type: 'spki' }],
  ['an unknown format', { key: PRIVATE_KEYS.rsa1024, format: 'nonsense' }],
  ['an unknown type', { key: pkcs8Of('rsa1024'), format: 'der', type: 'nonsense' }],
  ['encrypted PEM without a passphrase', { key: encryptedPem() }],
  ['encrypted PEM with a wrong passphrase', { key: encryptedPem(), passphrase: 'wrong' }],
  ['encrypted PEM with an empty passphrase', { key: encryptedPem(), passphrase: '' }],
  ['encrypted PEM with a passphrase of the wrong type', { key: encryptedPem(), passphrase: 5 }],
  ['a passphrase of 1025 bytes', { key: encryptedPem(), passphrase: 'a'.repeat(1025) }],
  ['JWK that is no object', { key: 'text', format: 'jwk' }],
  ['JWK of an unknown kind', { key: { kty: 'nonsense' }, format: 'jwk' }],
  ['JWK without its parts', { key: { kty: 'RSA', n: 'AQAB' }, format: 'jwk' }],
  ['JWK of an unknown curve', { key: { kty: 'EC', crv: 'P-1', x: 'AA', y: 'AA', d: 'AA' }, format: 'jwk' }],
  ['JWK off its curve', { key: { kty: 'EC', crv: 'P-256', x: 'AQ', y: 'AQ', d: 'AQ' }, format: 'jwk' }],
  ['JWK of the wrong length', { key: { kty: 'OKP', crv: 'Ed25519', x: 'AA', d: 'AA' }, format: 'jwk' }],
];

/** What is no public key for anybody. */
export const BAD_PUBLIC_KEYS: readonly [what: string, key: unknown][] = [
  ['undefined', undefined],
  ['a number', 5],
  ['an empty object', {}],
  ['a secret KeyObject', SECRET_KEY],
  ['an object with a secret KeyObject', { key: SECRET_KEY }],
  ['text that is no PEM', 'no key'],
  ['empty bytes', Buffer.alloc(0)],
  ['a certificate that ends early', CERTIFICATES.rsa1024.slice(0, 300)],
  ['DER that ends early', { key: spkiOf('rsa1024').subarray(0, 50), format: 'der', type: 'spki' }],
  ['DER of another structure', { key: spkiOf('p256'), format: 'der', type: 'pkcs1' }],
  ['DER without a type', { key: spkiOf('rsa1024'), format: 'der' }],
  ['a point off its curve', { key: Buffer.from(spkiOf('p256')).fill(1, 40), format: 'der', type: 'spki' }],
  ['JWK that is no object', { key: 5, format: 'jwk' }],
  ['JWK without its parts', { key: { kty: 'EC', crv: 'P-256' }, format: 'jwk' }],
];

function pkcs8Of(name: KeyName): Buffer {
  return KEYS[name].privateKey.export({ format: 'der', type: 'pkcs8' });
}

function spkiOf(name: KeyName): Buffer {
  return KEYS[name].publicKey.export({ format: 'der', type: 'spki' });
}

function encryptedPem(): string {
  return KEYS.rsa1024.privateKey.export({
    format: 'pem',
    type: 'pkcs8',
    cipher: 'aes-128-cbc',
    passphrase: 'secret',
  }) as string;
}
