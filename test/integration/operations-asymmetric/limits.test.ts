// What every asymmetric operation takes last: limits of time, signals, and where it runs.
import {
  decapsulate,
  diffieHellman,
  encapsulate,
  generateKeyPair,
  operations,
  privateDecrypt,
  privateEncrypt,
  publicDecrypt,
  publicEncrypt,
  sign,
  verify,
  type OperationOptions,
} from '../../../lib';
import { rejection, rejectionCode, until } from '../../support/library';
import { DATA, KEYS } from './support';

const { publicKey, privateKey } = KEYS.rsa2048;
const BYTES = Buffer.alloc(256, 1);

// Whether they succeed does not matter here.
const CALLS: Record<string, (options: OperationOptions) => Promise<unknown>> = {
  sign: (options) => sign('sha256', DATA, privateKey, options),
  verify: (options) => verify('sha256', DATA, publicKey, BYTES, options),
  publicEncrypt: (options) => publicEncrypt(publicKey, DATA, options),
  privateDecrypt: (options) => privateDecrypt(privateKey, BYTES, options),
  privateEncrypt: (options) => privateEncrypt(privateKey, DATA, options),
  publicDecrypt: (options) => publicDecrypt(publicKey, BYTES, options),
  diffieHellman: (options) =>
    diffieHellman({ privateKey: KEYS.p256.privateKey, publicKey: KEYS.p256.publicKey }, options),
  encapsulate: (options) => encapsulate(publicKey, options),
  decapsulate: (options) => decapsulate(privateKey, BYTES, options),
  generateKeyPair: (options) => generateKeyPair('rsa', { modulusLength: 512 }, options),
  'generateKeyPair, as KeyObjects of an elliptic curve': (options) =>
    generateKeyPair('ec', { namedCurve: 'P-521' }, options),
  'generateKeyPair, encoded': (options) =>
    generateKeyPair(
      'ec',
      {
        namedCurve: 'P-521',
        publicKeyEncoding: { format: 'der', type: 'spki' },
        privateKeyEncoding: { format: 'der', type: 'pkcs8' },
      },
      options,
    ),
};

// A call that goes on unheard must not end in the next test.
afterEach(() => until(() => operations.inFlight === 0));

describe.each(Object.entries(CALLS))('%s', (_name, call) => {
  test('does not begin once its signal was aborted', async () => {
    const reason = new Error('enough');
    const error = await rejection(call({ signal: AbortSignal.abort(reason) }));
    expect(error).toMatchObject({ name: 'AbortError', code: 'ABORT_ERR', cause: reason });
  });

  test('rejects as soon as its signal is aborted', async () => {
    const controller = new AbortController();
    const promise = call({ signal: controller.signal, mode: 'offload' });
    controller.abort();
    expect(await rejection(promise)).toMatchObject({ name: 'AbortError', code: 'ABORT_ERR' });
  });

  test.each<[OperationOptions, string]>([
    [{ timeoutMs: 0 }, 'ERR_OUT_OF_RANGE'],
    [{ mode: 'nonsense' as 'auto' }, 'ERR_INVALID_ARG_VALUE'],
    [{ provider: 5 as unknown as string }, 'ERR_INVALID_ARG_TYPE'],
    [{ signal: {} as AbortSignal }, 'ERR_INVALID_ARG_TYPE'],
    [{ timeout: 5 } as OperationOptions, 'ERR_INVALID_ARG_VALUE'],
  ])('refuses %o', async (options, code) => {
    expect(await rejectionCode(call(options))).toBe(code);
  });

  test('fails when no provider has the implementation asked for', async () => {
    expect(await rejectionCode(call({ properties: 'provider=none' }))).toEqual(expect.any(String));
  });
});

test('a named provider is used', async () => {
  const options = { provider: 'default' };
  const sealed = await publicEncrypt(publicKey, DATA, options);
  expect(await privateDecrypt(privateKey, sealed, options)).toEqual(DATA);
  const keys = await generateKeyPair('x25519', {}, options);
  expect(await diffieHellman(keys, options)).toHaveLength(32);
});
