// A key of AWS KMS, through the SDK, in every way that the service signs and decrypts. What comes out is checked with
// node:crypto. The guide's programs ask the other services: documentation.test.ts runs them.
import { startKeyServices, type KeyServices } from '../support/key-services';
import { inChild, resultOf } from '../support/programs';

let services: KeyServices;

beforeAll(async () => {
  services = await startKeyServices();
});

afterAll(() => {
  services.close();
});

test('AWS KMS signs and decrypts by the names that kmsAlgorithms gives', async () => {
  const outcome = await inChild(
    async ({ library, require }) => {
      const crypto = require('node:crypto') as typeof import('node:crypto');
      const { DecryptCommand, GetPublicKeyCommand, KMSClient, SignCommand } =
        require('@aws-sdk/client-kms') as typeof import('@aws-sdk/client-kms');
      const { createRemoteKey, kmsAlgorithms, privateDecrypt, sign } = library;
      const client = new KMSClient({});
      const data = Buffer.from('some data');
      const remote = async (KeyId: string) => {
        const { PublicKey } = await client.send(new GetPublicKeyCommand({ KeyId }));
        const publicKey = crypto.createPublicKey({ key: Buffer.from(PublicKey ?? []), format: 'der', type: 'spki' });
        const key = createRemoteKey({
          publicKey,
          async sign(request) {
            const Message = request.digest ?? request.data;
            const command = new SignCommand({ KeyId, Message, ...kmsAlgorithms.aws.sign(request) });
            return (await client.send(command)).Signature ?? Buffer.alloc(0);
          },
          ...(publicKey.asymmetricKeyType === 'rsa' && {
            async decrypt(request) {
              const names = kmsAlgorithms.aws.decrypt(request);
              const command = new DecryptCommand({ KeyId, CiphertextBlob: request.data, ...names });
              return (await client.send(command)).Plaintext ?? Buffer.alloc(0);
            },
          }),
        });
        return { key, publicKey };
      };
      const valid: Record<string, unknown> = {};
      const rsa = await remote('alias/rsa');
      const { RSA_PKCS1_PSS_PADDING: padding, RSA_PSS_SALTLEN_DIGEST: saltLength } = crypto.constants;
      for (const digest of ['sha256', 'sha384', 'sha512']) {
        valid[`pkcs1 ${digest}`] = crypto.verify(digest, data, rsa.publicKey, await sign(digest, data, rsa.key));
        const signature = await sign(digest, data, { key: rsa.key, padding, saltLength });
        valid[`pss ${digest}`] = crypto.verify(digest, data, { key: rsa.publicKey, padding, saltLength }, signature);
      }
      const ec = await remote('alias/ec');
      valid.ecdsa = crypto.verify('sha256', data, ec.publicKey, await sign('sha256', data, ec.key));
      const ed25519 = await remote('alias/ed25519');
      valid.ed25519 = crypto.verify(null, data, ed25519.publicKey, await sign(null, data, ed25519.key));
      for (const oaepHash of ['sha1', 'sha256']) {
        const ciphertext = crypto.publicEncrypt({ key: rsa.publicKey, oaepHash }, data);
        valid[`oaep ${oaepHash}`] = (await privateDecrypt({ key: rsa.key, oaepHash }, ciphertext)).equals(data);
      }
      valid['longest salt'] = await sign('sha256', data, { key: rsa.key, padding }).catch(
        (error: unknown) => (error as { cause: { code?: string } }).cause.code,
      );
      return valid;
    },
    { env: services.env },
  );
  expect(resultOf(outcome)).toEqual({
    ...Object.fromEntries(
      ['pkcs1', 'pss'].flatMap((scheme) => [256, 384, 512].map((n) => [`${scheme} sha${n}`, true])),
    ),
    ecdsa: true,
    ed25519: true,
    'oaep sha1': true,
    'oaep sha256': true,
    'longest salt': 'ERR_ASYNC_REMOTE_KEY_UNSUPPORTED',
  });
});
