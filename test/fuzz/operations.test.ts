// Symmetric operations with whatever can be passed: they give what node:crypto gives, wherever they run, and however
// their data comes in parts; what is aborted rejects and leaves nothing behind.
import {
  createCipheriv as nodeCreateCipheriv,
  createHash as nodeCreateHash,
  createHmac,
  hkdfSync,
  pbkdf2Sync,
  scryptSync,
  type CipherGCMTypes,
} from 'node:crypto';
import fc from 'fast-check';
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  decrypt,
  encrypt,
  hash,
  hkdf,
  hmac,
  operations,
  pbkdf2,
  randomBytes,
  randomFill,
  scrypt,
  type AuthenticatedCiphertext,
  type OperationOptions,
} from '../../lib';

const FIXED_SEED = 20_260_102;
const RANDOM_SEED = process.env.FUZZ_SEED === undefined ? Date.now() % 2 ** 31 : Number(process.env.FUZZ_SEED);
const KIBI = 1024;
const MEBI = 1024 * KIBI;

const CIPHERS = [
  ['aes-128-cbc', 16, 16],
  ['aes-192-ctr', 24, 16],
  ['aes-256-gcm', 32, 12],
  ['aes-128-ocb', 16, 12],
  ['aes-256-ccm', 32, 12],
  ['chacha20-poly1305', 32, 12],
  ['aes-128-ecb', 16, 0],
  ['aes-256-cfb8', 32, 16],
] as const;
const authenticates = (algorithm: string): boolean => /gcm|ocb|ccm|poly/.test(algorithm);

const place: fc.Arbitrary<OperationOptions> = fc.constantFrom(
  {},
  { mode: 'auto' },
  { mode: 'inline' },
  { mode: 'offload' },
  { properties: 'provider=default' },
);
// Mostly short, around the sizes at which something changes, sometimes long.
const size = fc.oneof(
  { weight: 6, arbitrary: fc.nat(300) },
  { weight: 3, arbitrary: fc.constantFrom(4095, 4096, 8191, 8192, 8193, 16_383, 16_384, 16_385, 32_769) },
  { weight: 2, arbitrary: fc.nat(100 * KIBI) },
);
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });

/** `length` bytes that look random, and are the same for the same number. */
function bytes(length: number, seed: number): Buffer {
  const cipher = nodeCreateCipheriv('aes-128-ctr', Buffer.alloc(16, String(seed)), Buffer.alloc(16));
  return cipher.update(Buffer.alloc(length));
}

function partsOf(data: Buffer, at: readonly number[]): Buffer[] {
  const ends = [...at.map((cut) => Math.round(cut * data.length)), data.length].sort((a, b) => a - b);
  return ends.map((end, index) => data.subarray(ends[index - 1] ?? 0, end));
}

function expectBytes(actual: Buffer | ArrayBuffer, expected: Buffer | ArrayBuffer): void {
  expect(Buffer.compare(Buffer.from(actual as ArrayBuffer), Buffer.from(expected as ArrayBuffer))).toBe(0);
}

async function checkDigest(data: Buffer, at: readonly number[], options: OperationOptions): Promise<void> {
  const expected = nodeCreateHash('sha256').update(data).digest();
  expectBytes(await hash('sha256', data, options), expected);
  const updated = createHash('sha256', options);
  let copy = createHash('sha256', options);
  partsOf(data, at).forEach((part, index) => {
    const own = Buffer.from(part);
    updated.update(own);
    own.fill(0);
    if (index <= at.length >> 1) copy = updated.copy(options);
    else copy.update(part);
  });
  const streamed = createHash('sha256', options);
  for (const part of partsOf(data, at)) streamed.write(part);
  streamed.end();
  expectBytes(((await streamed.toArray()) as Buffer[])[0] ?? Buffer.alloc(0), expected);
  expectBytes(await updated.digest(), expected);
  expectBytes(await copy.digest(), expected);
}

async function checkCipher(
  [algorithm, keySize, ivSize]: (typeof CIPHERS)[number],
  data: Buffer,
  at: readonly number[],
  options: OperationOptions,
): Promise<void> {
  const key = bytes(keySize, data.length);
  const iv = ivSize === 0 ? null : bytes(ivSize, at.length);
  const tagged = authenticates(algorithm);
  const tagOptions = tagged ? { authTagLength: 16 } : {};
  const aad = tagged ? { aad: bytes(at.length * 3, 1) } : {};
  const node = nodeCreateCipheriv(algorithm as CipherGCMTypes, key, iv as Buffer, tagOptions as object);
  if (tagged) node.setAAD(aad.aad as Buffer, { plaintextLength: data.length });
  // Node 20 makes no tag of an empty message with CCM.
  const isBeyondNode = algorithm.endsWith('ccm') && data.length === 0;
  const expected = isBeyondNode ? data : Buffer.concat([node.update(data), node.final()]);

  const encrypted = await encrypt<string>(algorithm, key, iv, data, { ...tagOptions, ...aad, ...options });
  const whole = Buffer.isBuffer(encrypted) ? encrypted : encrypted.data;
  const authTag = Buffer.isBuffer(encrypted) ? undefined : encrypted.authTag;
  expectBytes(whole, expected);
  if (authTag !== undefined && !isBeyondNode) expectBytes(authTag, node.getAuthTag());
  const forDecrypt = { ...tagOptions, ...aad, ...options, ...(authTag === undefined ? {} : { authTag }) };
  expectBytes(await decrypt(algorithm, key, iv, whole, forDecrypt), data);

  const onePart = algorithm.endsWith('ccm');
  const cipher = createCipheriv(algorithm, key, iv, { ...tagOptions, ...options });
  if (aad.aad !== undefined) cipher.setAAD(aad.aad, { plaintextLength: data.length });
  const results = partsOf(data, onePart ? [] : at).map((part) => {
    const own = Buffer.from(part);
    const updated = cipher.update(own);
    own.fill(0);
    return updated;
  });
  expectBytes(Buffer.concat([...(await Promise.all(results)), await cipher.final()]), expected);
  const decipher = createDecipheriv(algorithm, key, iv, { ...tagOptions, ...options });
  if (aad.aad !== undefined) {
    expectBytes(cipher.getAuthTag(), authTag as Buffer);
    decipher.setAAD(aad.aad, { plaintextLength: data.length }).setAuthTag(cipher.getAuthTag());
  }
  for (const part of partsOf(whole, onePart ? [] : at)) decipher.write(part);
  decipher.end();
  expectBytes(Buffer.concat((await decipher.toArray()) as Buffer[]), data);
}

async function checkForgery(
  [algorithm, keySize, ivSize]: (typeof CIPHERS)[number],
  data: Buffer,
  at: number,
  options: OperationOptions,
): Promise<void> {
  const [key, iv] = [bytes(keySize, 1), bytes(ivSize, 2)];
  const encrypted = (await encrypt<string>(algorithm, key, iv, data, {
    authTagLength: 16,
    ...options,
  })) as AuthenticatedCiphertext;
  const all = Buffer.concat([encrypted.data, encrypted.authTag]);
  const bit = Math.min(Math.floor(at * all.length * 8), all.length * 8 - 1);
  all.writeUInt8(all.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
  const authTag = all.subarray(data.length);
  const forged = all.subarray(0, data.length);
  await expect(decrypt(algorithm, key, iv, forged, { authTag, authTagLength: 16, ...options })).rejects.toThrow(
    'Unsupported state or unable to authenticate data',
  );
}

async function checkDerivation(key: Buffer, salt: Buffer, length: number, options: OperationOptions): Promise<void> {
  const info = salt.subarray(0, 1024);
  const [derived, stretched, hardened] = await Promise.all([
    hkdf('sha256', key, salt, info, length, options),
    pbkdf2(key, salt, 1 + (length % 7), length, 'sha512', options),
    scrypt(key, salt, length, { N: 2 ** (1 + (length % 5)), r: 1 + (length % 3), p: 1 + (length % 2), ...options }),
  ]);
  const scryptOptions = { N: 2 ** (1 + (length % 5)), r: 1 + (length % 3), p: 1 + (length % 2) };
  expectBytes(derived, hkdfSync('sha256', key, salt, info, length));
  expectBytes(stretched, pbkdf2Sync(key, salt, 1 + (length % 7), length, 'sha512'));
  expectBytes(hardened, scryptSync(key, salt, length, scryptOptions));
  expectBytes(await hmac('sha384', key, salt, options), createHmac('sha384', key).update(salt).digest());
}

type Abortable = (data: Buffer, options: OperationOptions) => Promise<unknown>;
const abortables: readonly Abortable[] = [
  (data, options) => hash('sha256', data, options),
  (data, options) => hmac('sha256', 'key', data, options),
  (data, options) => createHash('sha256', options).update(data).update(data).digest(),
  (data, options) => encrypt('aes-128-gcm', Buffer.alloc(16), Buffer.alloc(12), data, options),
  (data, options) => {
    const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16), options);
    return Promise.all([cipher.update(data), cipher.update(data), cipher.final()]);
  },
  (data, options) => pbkdf2(data.subarray(0, 10), '', 1 + (data.length >> 3), 20, 'sha256', options),
  (data, options) => randomBytes(data.length, options),
  (data, options) => randomFill(data, 0, data.length, options),
];

// What is not aborted in time resolves; nothing else happens.
async function checkAborts(calls: readonly number[], data: Buffer, turns: number, options: OperationOptions) {
  const controller = new AbortController();
  const begun = calls.map((call) =>
    (abortables[call % abortables.length] as Abortable)(Buffer.from(data), { ...options, signal: controller.signal }),
  );
  const outcomes = Promise.allSettled(begun);
  for (let turn = 0; turn < turns; ++turn) await new Promise((resolve) => setImmediate(resolve));
  controller.abort();
  for (const outcome of await outcomes) {
    if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ name: 'AbortError', code: 'ABORT_ERR' });
  }
  while (operations.inFlight > 0) await new Promise((resolve) => setImmediate(resolve));
  expectBytes(await hash('sha256', data, options), nodeCreateHash('sha256').update(data).digest());
}

describe.each([
  ['a seed that never changes', FIXED_SEED],
  ['a new seed', RANDOM_SEED],
])('with %s', (_name, seed) => {
  const check = async (name: string, property: fc.IAsyncProperty<unknown>, numRuns: number): Promise<void> => {
    process.stdout.write(`${name}: seed ${String(seed)}\n`);
    await fc.assert(property, { seed, numRuns });
  };
  const data = fc.tuple(size, fc.nat(1000)).map(([length, content]) => bytes(length, content));
  const cipher = fc.constantFrom(...CIPHERS);
  const authenticating = fc.constantFrom(...CIPHERS.filter(([algorithm]) => authenticates(algorithm)));

  test('digests do not depend on the parts', () =>
    check('digests', fc.asyncProperty(data, cuts, place, checkDigest), 200));

  test('ciphers do not depend on the parts', () =>
    check('ciphers', fc.asyncProperty(cipher, data, cuts, place, checkCipher), 300));

  test('no bit can be changed', () =>
    check(
      'forgeries',
      fc.asyncProperty(authenticating, data, fc.double({ min: 0, max: 1, noNaN: true }), place, checkForgery),
      200,
    ));

  test('keys are derived as by node:crypto', () =>
    check('derivations', fc.asyncProperty(data, data, fc.integer({ min: 1, max: 1000 }), place, checkDerivation), 100));

  test('what is aborted leaves nothing behind', () =>
    check(
      'aborts',
      fc.asyncProperty(fc.array(fc.nat(), { minLength: 1, maxLength: 20 }), data, fc.nat(3), place, checkAborts),
      150,
    ));
});

test('16 MiB and more', async () => {
  const data = bytes(16 * MEBI + 1, 16);
  await checkDigest(data, [0.1, 0.11, 0.5], { mode: 'auto' });
  await checkCipher(CIPHERS[2], data, [0.3, 0.9], { mode: 'auto' });
  await checkCipher(CIPHERS[0], data, [0.5], { properties: 'provider=default' });
  expect(await randomBytes(16 * MEBI)).toHaveLength(16 * MEBI);
});
