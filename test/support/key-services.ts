// The HTTP interfaces of key services, as far as the recipes use them, over keys of this process. Each understands its own
// names of algorithms and nothing of the library's. node:crypto hashes by itself: what was hashed has to be MESSAGE.
import * as crypto from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const MESSAGE = Buffer.from('some data');
const { RSA_PKCS1_PADDING, RSA_PKCS1_PSS_PADDING, RSA_PSS_SALTLEN_DIGEST, RSA_PKCS1_OAEP_PADDING } = crypto.constants;

type Json = Record<string, unknown>;
type Pair = crypto.KeyPairKeyObjectResult;

const KEYS: Record<string, Pair> = {
  rsa: crypto.generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ec: crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  ed25519: crypto.generateKeyPairSync('ed25519'),
};

function keyOf(name: string): Pair {
  const key = KEYS[name];
  if (key === undefined) throw new Error(`no key ${name}`);
  return key;
}

function signDigest(key: Pair, hash: string, digest: Buffer, options: crypto.SigningOptions = {}): Buffer {
  if (!crypto.createHash(hash).update(MESSAGE).digest().equals(digest)) throw new Error(`not ${hash} of the message`);
  return crypto.sign(hash, MESSAGE, { key: key.privateKey, ...options });
}

const pss: crypto.SigningOptions = { padding: RSA_PKCS1_PSS_PADDING, saltLength: RSA_PSS_SALTLEN_DIGEST };
const decoded = (value: unknown, encoding: BufferEncoding = 'base64'): Buffer => Buffer.from(value as string, encoding);

/** By the operation of `X-Amz-Target`. */
const AWS: Record<string, (request: Json, key: Pair) => Json> = {
  GetPublicKey: (_request, { publicKey }) => ({
    PublicKey: publicKey.export({ format: 'der', type: 'spki' }).toString('base64'),
  }),
  Sign(request, key) {
    const { SigningAlgorithm, MessageType } = request as Record<string, string>;
    const message = decoded(request.Message);
    const sign = (): Buffer => {
      if (SigningAlgorithm === 'ED25519_SHA_512' && MessageType === 'RAW')
        return crypto.sign(null, message, key.privateKey);
      const [, scheme = '', bits = ''] =
        /^(RSASSA_PKCS1_V1_5|RSASSA_PSS|ECDSA)_SHA_(\d+)$/.exec(SigningAlgorithm ?? '') ?? [];
      if (MessageType !== 'DIGEST' || bits === '') throw new Error('ValidationException');
      if ((scheme === 'ECDSA') !== (key === KEYS.ec)) throw new Error('InvalidKeyUsageException');
      return signDigest(key, `sha${bits}`, message, scheme === 'RSASSA_PSS' ? pss : {});
    };
    return { Signature: sign().toString('base64'), SigningAlgorithm };
  },
  Decrypt({ EncryptionAlgorithm, CiphertextBlob }, { privateKey }) {
    const oaepHash = { RSAES_OAEP_SHA_1: 'sha1', RSAES_OAEP_SHA_256: 'sha256' }[EncryptionAlgorithm as string];
    const options = { key: privateKey, padding: RSA_PKCS1_OAEP_PADDING, oaepHash };
    return { Plaintext: crypto.privateDecrypt(options, decoded(CiphertextBlob)).toString('base64') };
  },
};

function google(path: string, request: Json): Json {
  const key = keyOf(/cryptoKeys\/(\w+)\//.exec(path)?.[1] ?? '');
  if (path.endsWith('/publicKey')) return { pem: key.publicKey.export({ format: 'pem', type: 'spki' }) };
  const [[hash, digest] = []] = Object.entries(request.digest as Json);
  return { signature: signDigest(key, hash ?? '', decoded(digest)).toString('base64') };
}

function azure(path: string, { alg, value }: Json): Json {
  const key = keyOf(/^\/keys\/(\w+)\//.exec(path)?.[1] ?? '');
  if (!path.endsWith('/sign')) {
    const jwk = key.publicKey.export({ format: 'jwk' });
    return { key: { ...jwk, kty: `${String(jwk.kty)}-HSM` } };
  }
  const [, scheme = '', bits = ''] = /^(RS|PS|ES)(\d+)$/.exec(alg as string) ?? [];
  const options: Record<string, crypto.SigningOptions> = {
    RS: { padding: RSA_PKCS1_PADDING },
    PS: pss,
    ES: { dsaEncoding: 'ieee-p1363' },
  };
  return { value: signDigest(key, `sha${bits}`, decoded(value, 'base64url'), options[scheme]).toString('base64url') };
}

function vault(path: string, request: Json): Json {
  const [, operation, name = ''] = /^\/v1\/transit\/(keys|sign)\/(\w+)$/.exec(path) ?? [];
  const key = keyOf(name);
  if (operation === 'keys') {
    return { data: { keys: { 1: { public_key: key.publicKey.export({ format: 'pem', type: 'spki' }) } } } };
  }
  const { prehashed, hash_algorithm: hash, signature_algorithm: algorithm } = request;
  if (prehashed !== true) throw new Error('only digests');
  const options = algorithm === 'pss' ? pss : {};
  const signature = signDigest(key, (hash as string).replace('sha2-', 'sha'), decoded(request.input), options);
  return { data: { signature: `vault:v1:${signature.toString('base64')}` } };
}

function answer(path: string, target: string | undefined, request: Json): Json {
  if (target !== undefined) {
    const key = keyOf((request.KeyId as string).replace('alias/', ''));
    return AWS[target.replace('TrentService.', '')]?.(request, key) ?? {};
  }
  if (path.startsWith('/v1/transit/')) return vault(path, request);
  return path.startsWith('/v1/projects/') ? google(path, request) : azure(path, request);
}

export interface KeyServices {
  /** For programs that ask them. */
  env: NodeJS.ProcessEnv;
  close(): void;
}

export async function startKeyServices(): Promise<KeyServices> {
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      const { pathname } = new URL(request.url ?? '', 'http://localhost');
      response.setHeader('content-type', 'application/x-amz-json-1.1');
      try {
        const target = request.headers['x-amz-target'] as string | undefined;
        response.end(JSON.stringify(answer(pathname, target, JSON.parse(body === '' ? '{}' : body) as Json)));
      } catch (error) {
        response.statusCode = 400;
        response.end(JSON.stringify({ __type: 'ValidationException', message: String(error) }));
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  return {
    env: {
      AWS_ENDPOINT_URL: url,
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
      CLOUDKMS_ENDPOINT: url,
      AZURE_VAULT_URL: url,
      VAULT_ADDR: url,
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
