// New key pairs: what node:crypto makes of the same options, and what it refuses.
import * as crypto from 'node:crypto';
import * as diagnostics from 'node:diagnostics_channel';
import { generateKeyPair, operations, sign, stats, type KeyPairOptions, type KeyPairType } from '../../../lib';
import { rejection, rejectionCode, until } from '../../support/library';
import { DATA, expectSameError, hasOpenSSL, MODES } from './support';

type Generate = (type: string, options?: object) => { publicKey: unknown; privateKey: unknown };
const nodeGenerate = crypto.generateKeyPairSync as unknown as Generate;

const PAIRS: readonly [type: KeyPairType, options?: KeyPairOptions][] = [
  ['rsa', { modulusLength: 512 }],
  ['rsa', { modulusLength: 1024, publicExponent: 3 }],
  ['rsa-pss', { modulusLength: 512 }],
  ['rsa-pss', { modulusLength: 1024, hashAlgorithm: 'sha256' }],
  ['rsa-pss', { modulusLength: 1024, hashAlgorithm: 'sha512', mgf1HashAlgorithm: 'sha256', saltLength: 10 }],
  ['rsa-pss', { modulusLength: 512, mgf1HashAlgorithm: 'sha256' }],
  ['rsa-pss', { modulusLength: 512, saltLength: 5 }],
  ['dsa', { modulusLength: 1024, divisorLength: 160 }],
  ['ec', { namedCurve: 'P-256' }],
  ['ec', { namedCurve: 'prime256v1', paramEncoding: 'named' }],
  ['ec', { namedCurve: 'P-384', paramEncoding: 'explicit' }],
  ['ec', { namedCurve: 'secp256k1' }],
  ['ec', { namedCurve: 'brainpoolP512r1' }],
  ['ec', { namedCurve: 'ED25519' }],
  ['ec', { namedCurve: 'X448' }],
  ['ed25519'],
  ['ed25519', {}],
  ['ed448'],
  ['x25519'],
  ['x448'],
  ['dh', { group: 'modp1' }],
  ['dh', { group: 'MODP2' }],
  ['dh', { prime: crypto.getDiffieHellman('modp1').getPrime() }],
  ['dh', { prime: crypto.getDiffieHellman('modp1').getPrime(), generator: 5 }],
  ['dh', { primeLength: 512 }],
  ['dh', { primeLength: 512, generator: 5 }],
];

test.each(PAIRS)('%s %o: KeyObjects as node:crypto makes them', async (...[type, options]) => {
  const { publicKey, privateKey } = await generateKeyPair(type, options);
  const expected = nodeGenerate(type, options) as { publicKey: crypto.KeyObject; privateKey: crypto.KeyObject };
  expect([publicKey.type, privateKey.type]).toEqual(['public', 'private']);
  for (const [key, other] of [
    [publicKey, expected.publicKey],
    [privateKey, expected.privateKey],
  ] as const) {
    expect(key).toBeInstanceOf(crypto.KeyObject);
    expect(key.asymmetricKeyType).toBe(other.asymmetricKeyType);
    expect(key.asymmetricKeyDetails).toEqual(other.asymmetricKeyDetails);
  }
  expect(crypto.createPublicKey(privateKey).equals(publicKey)).toBe(true);
  expect(publicKey.equals((await generateKeyPair(type, options)).publicKey)).toBe(false);
});

const postQuantum = hasOpenSSL(5) && 'encapsulate' in crypto ? test : test.skip;
postQuantum.each(['ml-dsa-44', 'ml-dsa-87', 'ml-kem-768', 'slh-dsa-sha2-128f', 'slh-dsa-shake-128f'] as const)(
  '%s',
  async (type) => {
    const { publicKey, privateKey } = await generateKeyPair(type);
    expect([publicKey.asymmetricKeyType, privateKey.asymmetricKeyType]).toEqual([type, type]);
    expect(crypto.createPublicKey(privateKey).equals(publicKey)).toBe(true);
  },
);

(hasOpenSSL(5) ? test.skip : test).each(['ml-dsa-44', 'ml-kem-768', 'slh-dsa-sha2-128f'] as const)(
  '%s is refused where OpenSSL lacks it',
  async (type) => {
    await expectSameError(
      () => generateKeyPair(type),
      () => nodeGenerate(type),
    );
    expect(await rejection(generateKeyPair(type))).toMatchObject({ name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' });
  },
);

describe('encodings', () => {
  const PUBLIC = [
    { format: 'pem', type: 'spki' },
    { format: 'der', type: 'spki' },
    { format: 'pem', type: 'pkcs1' },
    { format: 'der', type: 'pkcs1' },
    { format: 'jwk' },
  ] as const;
  const cipher = 'aes-256-cbc';
  const passphrase = 'pass\u00e9';
  const PRIVATE = [
    { format: 'pem', type: 'pkcs8' },
    { format: 'der', type: 'pkcs8' },
    { format: 'jwk' },
    { format: 'jwk', type: 'pkcs8', cipher, passphrase },
    { format: 'pem', type: 'pkcs8', cipher, passphrase },
    { format: 'der', type: 'pkcs8', cipher, passphrase: Buffer.from(passphrase) },
    {
      format: 'der',
      type: 'pkcs8',
      cipher: 'des-ede3-cbc',
      passphrase: new Uint8Array(Buffer.from(passphrase)).buffer,
    },
  ] as const;
  const TRADITIONAL = [{ format: 'pem' }, { format: 'der' }, { format: 'pem', cipher, passphrase }] as const;
  const bare = (encoding: object) => ({ ...encoding, passphrase: undefined });

  test.each(PUBLIC)('public: %o', async (publicKeyEncoding) => {
    const { publicKey, privateKey } = await generateKeyPair('rsa', { modulusLength: 512, publicKeyEncoding });
    const key = publicKey;
    expect(crypto.createPublicKey(privateKey).export(publicKeyEncoding as { format: 'jwk' })).toEqual(key);
  });

  test.each(PRIVATE)('private: %o', async (privateKeyEncoding) => {
    const { publicKey, privateKey } = await generateKeyPair('ed25519', { privateKeyEncoding });
    const read = crypto.createPrivateKey({
      key: privateKey as string,
      ...bare(privateKeyEncoding),
      ...('cipher' in privateKeyEncoding ? { passphrase } : {}),
    });
    expect(crypto.createPublicKey(read).equals(publicKey)).toBe(true);
    const theirs = nodeGenerate('ed25519', { privateKeyEncoding }).privateKey;
    expect(typeof privateKey).toBe(typeof theirs);
    if (typeof theirs === 'string') {
      const frame = (pem: string) => pem.replace(/^[^-\n]*$/gm, (line) => '.'.repeat(line.length));
      expect(frame(privateKey as unknown as string)).toBe(frame(theirs));
    } else if (Buffer.isBuffer(theirs)) {
      expect(privateKey).toHaveLength(theirs.length);
    } else {
      expect(Object.keys(privateKey).sort()).toEqual(Object.keys(theirs as object).sort());
    }
  });

  test.each(['pem', 'der'] as const)('of both keys: %s', async (format) => {
    for (const [type, options] of [
      ['rsa', { modulusLength: 512 }],
      ['ec', { namedCurve: 'P-384' }],
      ['x448', {}],
    ] as const) {
      const encodings = { publicKeyEncoding: { format, type: 'spki' }, privateKeyEncoding: { format, type: 'pkcs8' } };
      const { publicKey, privateKey } = await generateKeyPair(type, { ...options, ...encodings } as KeyPairOptions);
      const read = crypto.createPrivateKey({ key: privateKey as unknown as string, format, type: 'pkcs8' });
      expect(read.export({ format, type: 'pkcs8' } as { format: 'pem'; type: 'pkcs8' })).toEqual(privateKey);
      const spki = crypto.createPublicKey(read).export({ format, type: 'spki' } as { format: 'pem'; type: 'spki' });
      expect(spki).toEqual(publicKey);
    }
  });

  test.each(TRADITIONAL)('of PKCS#1 and SEC 1: %o', async (encoding) => {
    for (const [type, options, structure] of [
      ['rsa', { modulusLength: 512 }, 'pkcs1'],
      ['ec', { namedCurve: 'P-256' }, 'sec1'],
    ] as const) {
      const privateKeyEncoding = { ...encoding, type: structure };
      const { publicKey, privateKey } = await generateKeyPair(type, { ...options, privateKeyEncoding });
      const key = { key: privateKey as string, format: encoding.format, type: structure, passphrase };
      expect(crypto.createPublicKey(crypto.createPrivateKey(key as crypto.PrivateKeyInput)).equals(publicKey)).toBe(
        true,
      );
    }
  });

  test('what is made can be used at once', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ec', {
      namedCurve: 'P-256',
      publicKeyEncoding: { format: 'pem', type: 'spki' },
      privateKeyEncoding: { format: 'pem', type: 'pkcs8', cipher, passphrase },
    });
    const signature = await sign('sha256', DATA, { key: privateKey, passphrase });
    expect(crypto.verify('sha256', DATA, publicKey, signature)).toBe(true);
  });

  test('a passphrase may change once the call was made', async () => {
    for (const type of ['pkcs8', 'pkcs1'] as const) {
      const mutable = Buffer.from('secret');
      const privateKeyEncoding = { format: 'pem', type, cipher, passphrase: mutable } as const;
      const pair = generateKeyPair('rsa', { modulusLength: 512, privateKeyEncoding }, { mode: 'offload' });
      mutable.fill(0);
      const { privateKey } = await pair;
      expect(crypto.createPrivateKey({ key: privateKey, passphrase: 'secret' }).type).toBe('private');
    }
  });
});

const encode = (privateKeyEncoding: unknown, publicKeyEncoding?: unknown) =>
  ['ed25519', { privateKeyEncoding, publicKeyEncoding }] as const;
const BAD_CALLS: readonly (readonly [type: unknown, options?: unknown])[] = [
  [5],
  ['nonsense'],
  ['toString'],
  ['rsa'],
  ['rsa', {}],
  ['rsa', 5],
  ['rsa', []],
  ['rsa', { modulusLength: 'a' }],
  ['rsa', { modulusLength: -1 }],
  ['rsa', { modulusLength: 1.5 }],
  ['rsa', { modulusLength: 2 ** 32 }],
  ['rsa', { modulusLength: 0 }],
  ['rsa', { modulusLength: 511 }],
  ['rsa', { modulusLength: 512, publicExponent: 'x' }],
  ['rsa', { modulusLength: 512, publicExponent: 0 }],
  ['rsa', { modulusLength: 512, publicExponent: 1 }],
  ['rsa', { modulusLength: 512, publicExponent: 2 }],
  ['rsa', { modulusLength: 512, publicExponent: 2 ** 32 }],
  ['rsa-pss', { modulusLength: 512, hashAlgorithm: 'nonsense' }],
  ['rsa-pss', { modulusLength: 512, hashAlgorithm: 5 }],
  ['rsa-pss', { modulusLength: 512, mgf1HashAlgorithm: 'nonsense' }],
  ['rsa-pss', { modulusLength: 512, mgf1HashAlgorithm: 5 }],
  ['rsa-pss', { modulusLength: 512, saltLength: -1 }],
  ['rsa-pss', { modulusLength: 512, saltLength: 2 ** 31 }],
  ['rsa-pss', { modulusLength: 512, saltLength: 'a' }],
  ['dsa', {}],
  ['dsa', { modulusLength: 10 }],
  ['dsa', { modulusLength: 1024, divisorLength: -2 }],
  ['dsa', { modulusLength: 1024, divisorLength: 3 }],
  ['ec', {}],
  ['ec', { namedCurve: 5 }],
  ['ec', { namedCurve: '' }],
  ['ec', { namedCurve: 'nonsense' }],
  ['ec', { namedCurve: 'sha256' }],
  ['ec', { namedCurve: 'p-256' }],
  ['ec', { namedCurve: 'P-256', paramEncoding: 'nonsense' }],
  ['dh', {}],
  ['dh', { group: 'nonsense' }],
  ['dh', { group: 5 }],
  ['dh', { group: '' }],
  ['dh', { group: 'modp1', generator: 2 }],
  ['dh', { group: 'modp1', prime: Buffer.of(5) }],
  ['dh', { group: 'modp1', primeLength: 512 }],
  ['dh', { prime: Buffer.of(5), primeLength: 512 }],
  ['dh', { prime: 5 }],
  ['dh', { prime: Buffer.alloc(0) }],
  ['dh', { prime: Buffer.alloc(10, 1) }],
  ['dh', { primeLength: 'a' }],
  ['dh', { primeLength: -1 }],
  ['dh', { primeLength: 2 }],
  ['dh', { primeLength: 512, generator: 'a' }],
  ['dh', { primeLength: 512, generator: 0 }],
  ['dh', { primeLength: 512, generator: 1 }],
  ['ed25519', 5],
  encode(5),
  encode('pem'),
  encode({}),
  encode({ format: 'pem' }),
  encode({ format: 'nonsense', type: 'pkcs8' }),
  encode({ format: 'pem', type: 'nonsense' }),
  encode({ format: 'pem', type: 'spki' }),
  encode({ format: 'pem', type: 'pkcs1' }),
  encode({ format: 'pem', type: 'sec1' }),
  encode({ format: 'pem', type: 'pkcs8', cipher: 'nonsense', passphrase: 'a' }),
  encode({ format: 'pem', type: 'pkcs8', cipher: '', passphrase: 'a' }),
  encode({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc' }),
  encode({ format: 'pem', type: 'pkcs8', passphrase: 'a' }),
  encode({ format: 'pem', type: 'pkcs8', cipher: 5, passphrase: 'a' }),
  encode({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 5 }),
  encode({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-gcm', passphrase: 'a' }),
  encode({ format: 'der', type: 'pkcs8', cipher: 'chacha20', passphrase: 'a' }),
  encode({ format: 'der', type: 'pkcs8', cipher: 'aes-256-xts', passphrase: 'a' }),
  encode(undefined, 5),
  encode(undefined, {}),
  encode(undefined, { format: 'pem' }),
  encode(undefined, { format: 'pem', type: 'pkcs8' }),
  encode(undefined, { format: 'pem', type: 'pkcs1' }),
  encode({ format: 'raw-seed' }),
  [
    'rsa',
    {
      modulusLength: 512,
      privateKeyEncoding: { format: 'der', type: 'pkcs1', cipher: 'aes-256-cbc', passphrase: 'a' },
    },
  ],
  [
    'rsa',
    { modulusLength: 512, privateKeyEncoding: { format: 'pem', type: 'pkcs1', cipher: 'nonsense', passphrase: 'a' } },
  ],
  ['rsa', { modulusLength: 512, privateKeyEncoding: { format: 'pem', type: 'sec1' } }],
  ['rsa-pss', { modulusLength: 512, publicKeyEncoding: { format: 'jwk' } }],
  ['rsa-pss', { modulusLength: 512, publicKeyEncoding: { format: 'pem', type: 'pkcs1' } }],
  ['dsa', { modulusLength: 1024, divisorLength: 160, privateKeyEncoding: { format: 'jwk' } }],
  ['ec', { namedCurve: 'brainpoolP256r1', publicKeyEncoding: { format: 'jwk' } }],
];

test.each(BAD_CALLS)('fails as in node:crypto: %p %o', async (...[type, options]) => {
  await expectSameError(
    () => generateKeyPair(type as KeyPairType, options as KeyPairOptions),
    () => nodeGenerate(type as string, options as object),
  );
});

test('names an option that it does not know', async () => {
  const error = await rejection(generateKeyPair('rsa', { modulusLenght: 512 } as KeyPairOptions));
  expect(error).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
  expect((error as Error).message).toContain('modulusLenght');
});

test.each(MODES)('many at a time are all different: %s', async (mode) => {
  const pairs = await Promise.all(Array.from({ length: 20 }, () => generateKeyPair('x25519', {}, { mode })));
  const keys = new Set(pairs.map(({ publicKey }) => publicKey.export({ format: 'jwk' }).x));
  expect(keys.size).toBe(pairs.length);
});

test('a time limit holds, though the search for primes goes on', async () => {
  const search = generateKeyPair('rsa', { modulusLength: 2048 }, { timeoutMs: 1, mode: 'offload' });
  expect(await rejectionCode(search)).toBe('ERR_ASYNC_TIMEOUT');
  await until(() => operations.inFlight === 0);
});

describe("on Node.js's own thread pool", () => {
  const NAME = 'generateKeyPair X25519';
  const ENCODED = {
    publicKeyEncoding: { format: 'pem', type: 'spki' },
    privateKeyEncoding: { format: 'pem', type: 'pkcs8' },
  } as const;
  const figures = () => stats().operations.algorithms[NAME];
  const counted = async (make: () => Promise<unknown>) => {
    const before = figures()?.threadpool ?? 0;
    await make();
    return (figures()?.threadpool ?? 0) - before;
  };

  test('are made, when they are quick, those that native code cannot make ready', async () => {
    expect(await counted(() => generateKeyPair('x25519'))).toBe(1);
    const { publicKeyEncoding, privateKeyEncoding } = ENCODED;
    expect(await counted(() => generateKeyPair('x25519', { publicKeyEncoding }))).toBe(1);
    expect(await counted(() => generateKeyPair('x25519', { privateKeyEncoding }))).toBe(1);
    expect(await counted(() => generateKeyPair('x25519', ENCODED))).toBe(0);
    expect(await counted(() => generateKeyPair('x25519', {}, { mode: 'inline' }))).toBe(0);
    expect(await counted(() => generateKeyPair('x25519', {}, { provider: 'default' }))).toBe(0);
    expect(await counted(() => generateKeyPair('rsa', { modulusLength: 512 }))).toBe(0);
  });

  test('they are counted, timed and published as all operations are', async () => {
    const messages: unknown[] = [];
    const listener = (message: unknown) => messages.push(message);
    diagnostics.subscribe('openssl-async:operation:finish', listener);
    try {
      const before = figures()?.latency.total.count ?? 0;
      const promise = generateKeyPair('x25519');
      expect(operations.inFlight).toBe(1);
      await promise;
      expect(operations.inFlight).toBe(0);
      expect(figures()?.latency.total.count).toBe(before + 1);
      expect(messages).toEqual([
        { algorithm: NAME, place: 'threadpool', pauses: 0, queueMicros: 0, runMicros: expect.any(Number) as number },
      ]);
    } finally {
      diagnostics.unsubscribe('openssl-async:operation:finish', listener);
    }
  });

  test('those that are aborted are counted as such, and go on unheard', async () => {
    const before = figures()?.abandoned ?? 0;
    const controller = new AbortController();
    const promise = generateKeyPair('x25519', {}, { signal: controller.signal });
    controller.abort();
    expect(await rejectionCode(promise)).toBe('ABORT_ERR');
    expect(figures()?.abandoned).toBe(before + 1);
    await until(() => operations.inFlight === 0);
  });
});
