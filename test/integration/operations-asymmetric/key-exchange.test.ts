// Diffie-Hellman, checked against node:crypto and RFC 7748.
import * as crypto from 'node:crypto';
import {
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPair,
  type DiffieHellmanKeys,
  type KeyLike,
} from '../../../lib';
import { KEY_EXCHANGE } from '../../support/vectors';
import { rejectionCode } from '../../support/library';
import { BAD_PRIVATE_KEYS, BAD_PUBLIC_KEYS, expectSameError, KEYS, MODES, privateForms, publicForms } from './support';

const PAIRS = [
  ['x25519', 'x25519Other'],
  ['x448', 'x448Other'],
  ['p256', 'p256Other'],
  ['p384', 'p384'],
  ['p521', 'p521'],
  ['secp256k1', 'secp256k1'],
  ['brainpool', 'brainpool'],
  ['p256Explicit', 'p256'],
  ['p256', 'p256Explicit'],
  ['dh', 'dhOther'],
] as const;

describe.each(PAIRS)('%s with %s', (own, peer) => {
  const keys = { privateKey: KEYS[own].privateKey, publicKey: KEYS[peer].publicKey };

  test.each(MODES)('gives the secret that node:crypto gives: %s', async (mode) => {
    for (let i = 0; i < 3; ++i) expect(await diffieHellman(keys, { mode })).toEqual(crypto.diffieHellman(keys));
  });

  test('gives both the same', async () => {
    const theirs = { privateKey: KEYS[peer].privateKey, publicKey: KEYS[own].publicKey };
    expect(await diffieHellman(keys)).toEqual(await diffieHellman(theirs));
  });
});

test.each(KEY_EXCHANGE)('RFC 7748, $source', async ({ type, privateKey, publicKey, secret, ...peer }) => {
  const [own, other] = [keyOf(type, privateKey, publicKey), keyOf(type, peer.peerPrivateKey, peer.peerPublicKey)];
  const keys = { privateKey: own, publicKey: crypto.createPublicKey(other) };
  expect((await diffieHellman(keys)).toString('hex')).toBe(secret);
  expect((await diffieHellman({ privateKey: other, publicKey: own })).toString('hex')).toBe(secret);
});

function keyOf(type: 'x25519' | 'x448', d: string, x: string): crypto.KeyObject {
  const part = (hex: string) => Buffer.from(hex, 'hex').toString('base64url');
  const key = { kty: 'OKP', crv: type.toUpperCase(), d: part(d), x: part(x) };
  return crypto.createPrivateKey({ key, format: 'jwk' });
}

test('secrets of DH keep their leading zeros', async () => {
  const { privateKey } = KEYS.dh;
  // About one peer in 256 has such a secret.
  let publicKey: crypto.KeyObject;
  do ({ publicKey } = await generateKeyPair('dh', { group: 'modp1' }));
  while (crypto.diffieHellman({ privateKey, publicKey })[0] !== 0);
  const secret = await diffieHellman({ privateKey, publicKey });
  expect(secret).toEqual(crypto.diffieHellman({ privateKey, publicKey }));
});

test.each(privateForms('p256'))('own keys may have every form: %s', async (_form, privateKey) => {
  const { publicKey } = KEYS.p256Other;
  const secret = crypto.diffieHellman({ privateKey: KEYS.p256.privateKey, publicKey });
  expect(await diffieHellman({ privateKey: privateKey as KeyLike, publicKey })).toEqual(secret);
});

test.each(publicForms('p256'))("peers' keys may have every form: %s", async (_form, publicKey) => {
  const { privateKey } = KEYS.p256Other;
  const secret = crypto.diffieHellman({ privateKey, publicKey: KEYS.p256.publicKey });
  expect(await diffieHellman({ privateKey, publicKey: publicKey as KeyLike })).toEqual(secret);
});

test("keys may be this library's", async () => {
  const { privateKey, publicKey } = { privateKey: KEYS.x25519.privateKey, publicKey: KEYS.x25519Other.publicKey };
  const keys = { privateKey: createPrivateKey(privateKey), publicKey: createPublicKey(publicKey) };
  expect(await diffieHellman(keys)).toEqual(crypto.diffieHellman({ privateKey, publicKey }));
});

describe('keys that do not fit fail as in node:crypto', () => {
  test.each([
    ['p256', 'x25519'],
    ['x25519', 'p256'],
    ['p256', 'p384'],
    ['x25519', 'x448'],
    ['dh', 'dhLarger'],
    ['dh', 'p256'],
    ['rsa1024', 'rsa1024'],
    ['ed25519', 'ed25519'],
    ['ed25519', 'x25519'],
  ] as const)('%s with %s', async (own, peer) => {
    const keys = { privateKey: KEYS[own].privateKey, publicKey: KEYS[peer].publicKey };
    for (const mode of MODES) {
      await expectSameError(
        () => diffieHellman(keys, { mode }),
        () => crypto.diffieHellman(keys),
      );
    }
  });

  test('a peer that gives no secret', async () => {
    const spki = Buffer.from(KEYS.x25519.publicKey.export({ format: 'der', type: 'spki' })).fill(0, 12);
    const keys = {
      privateKey: KEYS.x25519.privateKey,
      publicKey: crypto.createPublicKey({ key: spki, format: 'der', type: 'spki' }),
    };
    await expectSameError(
      () => diffieHellman(keys),
      () => crypto.diffieHellman(keys),
    );
  });

  test.each([
    ['a public key for a private one', { privateKey: KEYS.p256.publicKey, publicKey: KEYS.p256.publicKey }],
    ['no options', undefined],
    ['null', null],
    ['an array', []],
    ['no keys', {}],
    ['no public key', { privateKey: KEYS.p256.privateKey }],
    ['no private key', { publicKey: KEYS.p256.publicKey }],
  ])('%s', async (_what, keys) => {
    await expectSameError(
      () => diffieHellman(keys as DiffieHellmanKeys),
      () => crypto.diffieHellman(keys as { privateKey: crypto.KeyObject; publicKey: crypto.KeyObject }),
    );
  });

  // Node.js 20 takes no other keys than KeyObjects here; signing has the same ways to read them.
  test.each(BAD_PRIVATE_KEYS.filter(([, key]) => key !== undefined))('no private key: %s', async (_what, key) => {
    await expectSameError(
      () => diffieHellman({ privateKey: key as KeyLike, publicKey: KEYS.p256.publicKey }),
      () => crypto.sign('sha256', Buffer.alloc(1), (key === '' ? ' ' : key) as crypto.KeyObject),
    );
  });

  test.each(BAD_PUBLIC_KEYS.filter(([, key]) => key !== undefined))('no public key: %s', async (_what, key) => {
    await expectSameError(
      () => diffieHellman({ privateKey: KEYS.p256.privateKey, publicKey: key as KeyLike }),
      () => crypto.verify('sha256', Buffer.alloc(1), key as crypto.KeyObject, Buffer.alloc(1)),
    );
  });

  test('text of other types', async () => {
    const [own, peer] = [pemOf(KEYS.p256.privateKey), pemOf(KEYS.x25519.publicKey)];
    expect(await rejectionCode(diffieHellman({ privateKey: own, publicKey: peer }))).toMatch(/^ERR_OSSL_/);
  });
});

function pemOf(key: crypto.KeyObject): string {
  return key.export({ format: 'pem', type: key.type === 'private' ? 'pkcs8' : 'spki' }) as string;
}

test('a call that failed does not spoil the next one', async () => {
  const { privateKey } = KEYS.p256;
  const keys = { privateKey, publicKey: KEYS.p256Other.publicKey };
  for (let i = 0; i < 3; ++i) {
    expect(await rejectionCode(diffieHellman({ privateKey, publicKey: KEYS.p384.publicKey }))).toMatch(/^ERR_OSSL_/);
    expect(await diffieHellman(keys)).toEqual(crypto.diffieHellman(keys));
  }
});

test('many peers at a time get their own secrets', async () => {
  const { privateKey } = KEYS.x25519;
  const peers = Array.from({ length: 40 }, () => crypto.generateKeyPairSync('x25519').publicKey);
  const secrets = await Promise.all(
    peers.map((publicKey) => diffieHellman({ privateKey, publicKey }, { mode: 'offload' })),
  );
  expect(secrets).toEqual(peers.map((publicKey) => crypto.diffieHellman({ privateKey, publicKey })));
});
