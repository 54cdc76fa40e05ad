// Diffie-Hellman.
import { invalidArgType, invalidArgValue, nodeError } from '../base/errors';
import { objectEntry, privateKeyEntry, publicKeyEntry, readKeyInput, type KeyEntry, type KeyLike } from '../keys/key';
import { Family, keyExchangeInputs } from '../native/contract/tables';
import { attempt, call, firstOutput } from './call';
import { readOperationOptions, type OperationOptions } from './operation-options';
import { keySpec } from './spec';

/** The keys of {@link diffieHellman}. */
export interface DiffieHellmanKeys {
  /** The own key: DH, EC, X25519 or X448. */
  privateKey: KeyLike;
  /** The peer's key, of the same type and with the same group or curve; a private key stands for its public part. */
  publicKey: KeyLike;
}

/**
 * The secret that two parties share: `crypto.diffieHellman()` as a promise. DH with the groups of PKCS #3, ECDH (NIST
 * SP 800-56A), X25519 and X448 (RFC 7748). The secret is not uniformly random: derive keys from it, for example with
 * HKDF.
 *
 * Everything passed is copied, or was read, when the function returns. The costly setup is kept with the private key,
 * so pass a key that is used again as a `KeyObject` or an {@link AsyncKey}. The peer's key is checked.
 *
 * @param keys - the own key and the peer's, in every form that `crypto.createPrivateKey()` and `createPublicKey()` take
 * @returns the secret: as many bytes as the group's modulus or the curve's field has
 *
 * @throws Everything as a rejection: `ERR_CRYPTO_INCOMPATIBLE_KEY` for keys of different or other types,
 * `ERR_OSSL_MISMATCHING_DOMAIN_PARAMETERS` for different groups or curves (other `ERR_OSSL_…` with OpenSSL before 3.2),
 * `ERR_OSSL_FAILED_DURING_DERIVATION` for a peer's key that gives no secret, `ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE`,
 * `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `AbortError`, `ERR_ASYNC_TIMEOUT`, `ERR_ASYNC_QUEUE_FULL`,
 * `ERR_ASYNC_UNSUPPORTED`
 *
 * @example
 * ```ts
 * const own = await generateKeyPair('x25519');
 * const peer = await generateKeyPair('x25519');
 * const secret = await diffieHellman({ privateKey: own.privateKey, publicKey: peer.publicKey });
 * ```
 */
export function diffieHellman(keys: DiffieHellmanKeys, options?: OperationOptions): Promise<Buffer> {
  return attempt(() => {
    options = readOperationOptions(options);
    const { privateKey, publicKey } = readKeys(keys);
    requireSameType(privateKey, publicKey);
    const peer = publicKeyEntry(publicKey, 'options.publicKey');
    const own = privateKeyEntry(privateKey, 'options.privateKey');
    const spec = keySpec(own, 'diffieHellman', options, () => ({
      family: Family.keyExchange,
      algorithm: `diffieHellman ${own.label}`,
      names: [],
    }));
    return call(spec, peerInputs(own, peer), undefined, options, firstOutput);
  });
}

/** The peer's point when it is on the own curve, which spares decoding; otherwise the whole key. */
function peerInputs(own: KeyEntry, peer: KeyEntry): (Uint8Array | undefined)[] {
  const { point } = peer;
  if (point !== undefined && point.curve === own.publicEntry.point?.curve) {
    return keyExchangeInputs({ key: undefined, point: point.bytes });
  }
  return keyExchangeInputs({ key: peer.spki, point: undefined });
}

function readKeys(keys: unknown): { privateKey: unknown; publicKey: unknown } {
  if (typeof keys !== 'object' || keys === null || Array.isArray(keys)) {
    throw invalidArgType('options', 'of type object', keys);
  }
  const { privateKey, publicKey } = keys as Record<string, unknown>;
  for (const [name, key] of Object.entries({ privateKey, publicKey })) {
    if (key === undefined || key === null) throw invalidArgValue(`options.${name}`, key, 'is invalid');
  }
  return { privateKey: readKeyInput(privateKey), publicKey: readKeyInput(publicKey) };
}

const TYPES: ReadonlySet<string | undefined> = new Set(['dh', 'ec', 'x25519', 'x448']);

// As node:crypto, which lets OpenSSL refuse keys that have to be parsed.
function requireSameType(privateKey: unknown, publicKey: unknown): void {
  const own = objectEntry(privateKey);
  const peer = objectEntry(publicKey);
  if (own?.type !== 'private' || peer === undefined || peer.type === 'secret') return;
  const [ownType, peerType] = [own.keyObject.asymmetricKeyType, peer.keyObject.asymmetricKeyType];
  if (ownType === peerType && TYPES.has(ownType)) return;
  throw nodeError(
    'ERR_CRYPTO_INCOMPATIBLE_KEY',
    `Incompatible key types for Diffie-Hellman: ${String(ownType)} and ${String(peerType)}`,
  );
}
