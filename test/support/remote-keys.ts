// Keys whose private part is a function of a test: node:crypto does their work.
import * as crypto from 'node:crypto';
import {
  createRemoteKey,
  type RemoteDecryptRequest,
  type RemoteDeriveRequest,
  type RemoteKeyOptions,
  type RemoteSignRequest,
} from '../../lib';
import { PRIVATE_KEYS } from './keys';
import { turn } from './library';

export const MESSAGE = Buffer.from('some data');

export interface Pair {
  privateKey: crypto.KeyObject;
  publicKey: crypto.KeyObject;
}

export function pair(pem: string): Pair {
  const privateKey = crypto.createPrivateKey(pem);
  return { privateKey, publicKey: crypto.createPublicKey(privateKey) };
}

export const RSA = pair(PRIVATE_KEYS.rsa2048);
export const RSA_PSS = pair(PRIVATE_KEYS.rsaPssFree);
export const P256 = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
export const P521 = crypto.generateKeyPairSync('ec', { namedCurve: 'P-521' });
export const ED25519 = crypto.generateKeyPairSync('ed25519');
export const ED448 = crypto.generateKeyPairSync('ed448');
export const X25519 = crypto.generateKeyPairSync('x25519');
export const X448 = crypto.generateKeyPairSync('x448');

export const LIMITED = { timeoutMs: 20_000 };

/** Signs as the request says. node:crypto hashes by itself, so what was hashed has to be MESSAGE. */
export function signerOf(privateKey: crypto.KeyObject, dsaEncoding: 'der' | 'ieee-p1363' = 'der') {
  return ({ digestAlgorithm, digest, data, padding, saltLength }: RemoteSignRequest): Buffer => {
    if (data !== undefined) return crypto.sign(null, data, privateKey);
    const expected = crypto
      .createHash(digestAlgorithm as string)
      .update(MESSAGE)
      .digest();
    if (digest?.equals(expected) !== true) throw new Error(`not the ${String(digestAlgorithm)} of the message`);
    return crypto.sign(digestAlgorithm, MESSAGE, { key: privateKey, padding, saltLength, dsaEncoding });
  };
}

export const decrypterOf =
  (key: crypto.KeyObject) =>
  ({ data, padding, oaepHash, oaepLabel }: RemoteDecryptRequest): Buffer =>
    crypto.privateDecrypt({ key, padding, oaepHash, oaepLabel }, data);

export const deriverOf =
  (privateKey: crypto.KeyObject) =>
  ({ publicKey }: RemoteDeriveRequest): Buffer =>
    crypto.diffieHellman({
      privateKey,
      publicKey: crypto.createPublicKey({ key: publicKey, format: 'der', type: 'spki' }),
    });

/** A key that keeps what it was asked, and answers a turn later. */
export function recording(keys: Pair, options: Partial<RemoteKeyOptions> = {}) {
  const requests: RemoteSignRequest[] = [];
  const signer = signerOf(keys.privateKey, options.dsaEncoding);
  const key = createRemoteKey({
    publicKey: keys.publicKey,
    sign: async (request) => {
      requests.push(request);
      await turn();
      return signer(request);
    },
    ...LIMITED,
    ...options,
  });
  return { key, requests };
}

export const never = (): Promise<Buffer> => new Promise(() => undefined);
