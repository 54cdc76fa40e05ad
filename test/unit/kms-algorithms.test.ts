// Requests of remote keys, in the words of key services.
import { constants } from 'node:crypto';
import { kmsAlgorithms, type RemoteDecryptRequest, type RemoteSignRequest } from '../../lib';
import { codeOf } from '../support/library';

const { RSA_PKCS1_PADDING, RSA_PKCS1_PSS_PADDING, RSA_PKCS1_OAEP_PADDING, RSA_NO_PADDING } = constants;
const signing = (request: Partial<RemoteSignRequest>): RemoteSignRequest => request as RemoteSignRequest;
const decrypting = (request: Partial<RemoteDecryptRequest>): RemoteDecryptRequest => request as RemoteDecryptRequest;

const PKCS1 = signing({ algorithm: 'rsa', padding: RSA_PKCS1_PADDING, digestAlgorithm: 'sha256' });
const PSS = signing({
  ...{ algorithm: 'rsa', padding: RSA_PKCS1_PSS_PADDING, digestAlgorithm: 'sha512', mgf1Digest: 'sha512' },
  saltLength: 64,
});
const ECDSA = signing({ algorithm: 'ec', digestAlgorithm: 'sha384' });
const ED25519 = signing({ algorithm: 'ed25519' });
const OAEP = decrypting({
  algorithm: 'rsa',
  padding: RSA_PKCS1_OAEP_PADDING,
  oaepHash: 'sha256',
  mgf1Digest: 'sha256',
});

test('signatures', () => {
  const { aws, azure, google, pkcs11, vault } = kmsAlgorithms;
  expect([PKCS1, PSS, ECDSA, ED25519].map((request) => aws.sign(request))).toEqual([
    { SigningAlgorithm: 'RSASSA_PKCS1_V1_5_SHA_256', MessageType: 'DIGEST' },
    { SigningAlgorithm: 'RSASSA_PSS_SHA_512', MessageType: 'DIGEST' },
    { SigningAlgorithm: 'ECDSA_SHA_384', MessageType: 'DIGEST' },
    { SigningAlgorithm: 'ED25519_SHA_512', MessageType: 'RAW' },
  ]);
  expect([PKCS1, PSS, ECDSA].map((request) => azure.sign(request).alg)).toEqual(['RS256', 'PS512', 'ES384']);
  expect([PKCS1, ECDSA, ED25519].map((request) => google.sign(request).digest)).toEqual([
    'sha256',
    'sha384',
    undefined,
  ]);
  expect(vault.sign(PSS)).toEqual({
    ...{ prehashed: true, hash_algorithm: 'sha2-512', signature_algorithm: 'pss', salt_length: 'hash' },
  });
  expect([PKCS1, PSS, ECDSA, ED25519].map((request) => pkcs11.sign(request).mechanism)).toEqual([
    ...['CKM_RSA_PKCS', 'CKM_RSA_PKCS_PSS', 'CKM_ECDSA', 'CKM_EDDSA'],
  ]);
});

test('ciphertexts', () => {
  expect(kmsAlgorithms.aws.decrypt(OAEP)).toEqual({ EncryptionAlgorithm: 'RSAES_OAEP_SHA_256' });
  expect(kmsAlgorithms.azure.decrypt(OAEP)).toEqual({ alg: 'RSA-OAEP-256' });
  expect(kmsAlgorithms.pkcs11.decrypt(decrypting({ padding: RSA_PKCS1_PADDING }))).toEqual({
    mechanism: 'CKM_RSA_PKCS',
  });
});

test.each<[string, () => unknown]>([
  ['another salt', () => kmsAlgorithms.aws.sign({ ...PSS, saltLength: 20 })],
  ['another digest for MGF1', () => kmsAlgorithms.aws.sign({ ...PSS, mgf1Digest: 'sha1' })],
  ['no padding', () => kmsAlgorithms.aws.sign({ ...PKCS1, padding: RSA_NO_PADDING })],
  ['a weak digest', () => kmsAlgorithms.aws.sign({ ...PKCS1, digestAlgorithm: 'sha1' })],
  ['a name of Object.prototype', () => kmsAlgorithms.aws.sign(signing({ algorithm: 'constructor' as 'rsa' }))],
  ['a kind of key', () => kmsAlgorithms.azure.sign(ED25519)],
  ['a label', () => kmsAlgorithms.aws.decrypt({ ...OAEP, oaepLabel: Buffer.from('label') })],
])('%s is refused', (_title, action) => {
  expect(codeOf(action)).toBe('ERR_ASYNC_REMOTE_KEY_UNSUPPORTED');
});

test('nobody can change the tables', () => {
  expect(Object.isFrozen(kmsAlgorithms) && Object.isFrozen(kmsAlgorithms.aws)).toBe(true);
  expect(Object.isFrozen(kmsAlgorithms.aws.sign(PKCS1))).toBe(true);
});
