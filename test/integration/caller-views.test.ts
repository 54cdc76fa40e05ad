// Views that are not what they seem, given to every operation that takes bytes.
import { generateKeyPairSync, publicEncrypt as nodePublicEncrypt } from 'node:crypto';
import * as library from 'openssl-async';
import { HAS_JOBS } from '../support/jobs';

const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 });
const ed = generateKeyPairSync('ed25519');
const LARGE = 20_000;
function hex(bytes: unknown): string {
  return Buffer.from(bytes as ArrayBuffer).toString('hex');
}

/** By name: what is given one view, and answers in text that depends on its bytes. */
const OPERATIONS: Record<string, { size: number; run: (view: Uint8Array) => Promise<string> }> = {
  hash: { size: 40, run: async (view) => hex(await library.hash('sha256', view)) },
  'hash of much': { size: LARGE, run: async (view) => hex(await library.hash('sha256', view)) },
  'hash on the pool': { size: 40, run: async (view) => hex(await library.hash('sha256', view, { mode: 'offload' })) },
  createHash: { size: 40, run: async (view) => library.createHash('sha256').update(view).update(view).digest('hex') },
  'createHash of much': {
    size: LARGE,
    run: async (view) => library.createHash('sha256').update(view).update(view).digest('hex'),
  },
  'hmac key': { size: 20, run: async (view) => hex(await library.hmac('sha256', view, 'data')) },
  'hmac data': { size: 20, run: async (view) => hex(await library.hmac('sha256', 'key', view)) },
  'hkdf key': { size: 20, run: async (view) => hex(await library.hkdf('sha256', view, 'salt', 'info', 10)) },
  'hkdf salt': { size: 20, run: async (view) => hex(await library.hkdf('sha256', 'key', view, 'info', 10)) },
  'hkdf info': { size: 20, run: async (view) => hex(await library.hkdf('sha256', 'key', 'salt', view, 10)) },
  'pbkdf2 password': { size: 20, run: async (view) => hex(await library.pbkdf2(view, 'salt', 1, 10, 'sha256')) },
  'pbkdf2 salt': { size: 20, run: async (view) => hex(await library.pbkdf2('password', view, 1, 10, 'sha256')) },
  'scrypt password': { size: 20, run: async (view) => hex(await library.scrypt(view, 'salt', 10, { N: 2 })) },
  'encrypt key': {
    size: 32,
    run: async (view) => hex(await library.encrypt('aes-256-cbc', view, Buffer.alloc(16), 'data')),
  },
  'encrypt iv': {
    size: 16,
    run: async (view) => hex(await library.encrypt('aes-256-cbc', Buffer.alloc(32), view, 'data')),
  },
  'encrypt data': {
    size: LARGE,
    run: async (view) =>
      hex((await library.encrypt('aes-256-gcm', Buffer.alloc(32), Buffer.alloc(12), view, { aad: view })).authTag),
  },
  createCipheriv: {
    size: 16,
    run: async (view) => {
      const cipher = library.createCipheriv('aes-128-gcm', view, view).setAAD(view);
      return hex(Buffer.concat([await cipher.update(view), await cipher.final(), cipher.getAuthTag()]));
    },
  },
  sign: { size: 40, run: async (view) => hex(await library.sign(null, view, ed.privateKey)) },
  'verify data': {
    size: 40,
    run: async (view) => String(await library.verify(null, view, ed.publicKey, Buffer.alloc(64))),
  },
  'verify signature': { size: 64, run: async (view) => String(await library.verify(null, 'x', ed.publicKey, view)) },
  publicEncrypt: {
    size: 128,
    run: async (view) => hex(await library.publicEncrypt({ key: rsa.publicKey, padding: 3 }, view)),
  },
  privateDecrypt: {
    size: 128,
    run: async (view) => hex(await library.privateDecrypt({ key: rsa.privateKey, padding: 3 }, view)),
  },
  'key generation': {
    size: 8,
    run: async (view) => {
      const encoding = { format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: view } as const;
      const publicKeyEncoding = { format: 'pem', type: 'spki' } as const;
      const pair = await library.generateKeyPair('ed25519', { publicKeyEncoding, privateKeyEncoding: encoding });
      return typeof pair.privateKey;
    },
  },
  'job arguments': {
    size: 30,
    run: async (view) => {
      let seen = '';
      const read = library.jobFunction(function* (job, args: Uint8Array) {
        seen = hex(args);
        yield job.blockPause();
        return 1;
      });
      await library.runJob(read, { args: view });
      return seen;
    },
  },
};

function content(size: number): Uint8Array {
  if (size === 128)
    return nodePublicEncrypt(
      { key: rsa.publicKey, padding: 3 },
      Buffer.concat([Buffer.alloc(64), Buffer.alloc(64, 5)]),
    );
  return Buffer.alloc(size, 'bytes');
}

const NAMES = [Buffer.prototype, Uint8Array.prototype, Object.getPrototypeOf(Uint8Array.prototype) as object]
  .flatMap((prototype) => Reflect.ownKeys(prototype))
  .concat(['valueOf', 'toString', 'then', Symbol.toPrimitive, Symbol.toStringTag, Symbol.iterator]);

/** A Buffer of these bytes each of whose properties is a getter of the caller's. */
function trapped(bytes: Uint8Array, onRead: (name: PropertyKey) => void): Uint8Array {
  const view = Buffer.from(bytes);
  for (const name of new Set(NAMES)) {
    Object.defineProperty(view, name, {
      get: () => {
        onRead(name);
        return undefined;
      },
    });
  }
  return view;
}

/** A view of these bytes whose class overrides whatever can be. */
function subclassed(bytes: Uint8Array, onRead: (name: PropertyKey) => void): Uint8Array {
  class Own extends Uint8Array {}
  for (const name of new Set(NAMES)) {
    Object.defineProperty(Own.prototype, name, {
      get: () => {
        onRead(name);
        return undefined;
      },
    });
  }
  const view = new Uint8Array(bytes);
  Object.setPrototypeOf(view, Own.prototype);
  return view;
}

const working = Object.entries(OPERATIONS).filter(([name]) => HAS_JOBS || name !== 'job arguments');

describe.each(working)('%s', (_name, { size, run }) => {
  test.each([
    ['own properties', trapped],
    ['a subclass', subclassed],
  ])('runs none of the code in %s of a view', async (_kind, make) => {
    const read: PropertyKey[] = [];
    const bytes = content(size);
    const expected = await run(bytes);
    const result = await run(make(bytes, (name) => read.push(name)));
    expect({ result, read }).toEqual({ result: expected, read: [] });
  });

  test('takes shared memory of another realm', async () => {
    const shared = new SharedArrayBuffer(size);
    const view = new Uint8Array(shared);
    view.set(content(size));
    Object.setPrototypeOf(shared, Object.create(null) as object);
    await expect(run(view)).resolves.toBe(await run(content(size)));
  });
});
