// The names by which key services know a request to a remote key, as data.
import { constants } from 'node:crypto';
import { asyncError } from '../base/errors';
import type { RemoteDecryptRequest, RemoteSignRequest } from './remote-request';

/** AWS KMS: members of Sign. */
export interface AwsSigning {
  /** Names the key's kind, padding and digest. */
  readonly SigningAlgorithm:
    | `RSASSA_${'PKCS1_V1_5' | 'PSS'}_SHA_${'256' | '384' | '512'}`
    | `ECDSA_SHA_${'256' | '384' | '512'}`
    | 'ED25519_SHA_512';
  /** Whether `Message` is a digest, or signed whole. */
  readonly MessageType: 'DIGEST' | 'RAW';
}

/** AWS KMS: members of Decrypt. */
export interface AwsDecryption {
  /** Names the padding's digest. */
  readonly EncryptionAlgorithm: `RSAES_OAEP_SHA_${'1' | '256'}`;
}

/** Google Cloud KMS, asymmetricSign. The key version says everything else. */
export interface GoogleSigning {
  /** The member of `digest` that has it; undefined where `data` is signed whole. */
  readonly digest: 'sha256' | 'sha384' | 'sha512' | undefined;
}

/** Azure Key Vault: members of sign. */
export interface AzureSigning {
  /** The name in RFC 7518. `ES256` stands for P-256. */
  readonly alg: `${'RS' | 'PS' | 'ES'}${'256' | '384' | '512'}`;
}

/** Azure Key Vault: members of decrypt. */
export interface AzureDecryption {
  /** The name in RFC 7518. */
  readonly alg: 'RSA1_5' | 'RSA-OAEP' | 'RSA-OAEP-256';
}

/** HashiCorp Vault: members of transit/sign. */
export interface VaultSigning {
  /** Whether `input` is a digest, or signed whole. */
  readonly prehashed: boolean;
  /** The digest of `input`. */
  readonly hash_algorithm?: `sha2-${'256' | '384' | '512'}`;
  /** RSA: the padding. */
  readonly signature_algorithm?: 'pkcs1v15' | 'pss';
  /** PSS: as long as the digest. */
  readonly salt_length?: 'hash';
  /** ECDSA: DER. */
  readonly marshaling_algorithm?: 'asn1';
}

/** PKCS#11: names of the mechanism, and of what is in `CK_RSA_PKCS_PSS_PARAMS` or `CK_RSA_PKCS_OAEP_PARAMS`. */
export interface Pkcs11Mechanism {
  /** For C_SignInit or C_DecryptInit. */
  readonly mechanism: 'CKM_RSA_PKCS' | 'CKM_RSA_PKCS_PSS' | 'CKM_RSA_PKCS_OAEP' | 'CKM_ECDSA' | 'CKM_EDDSA';
  /** PSS and OAEP: the digest. */
  readonly hashAlg?: 'CKM_SHA_1' | `CKM_SHA${'256' | '384' | '512'}`;
  /** PSS and OAEP: the mask generation function. */
  readonly mgf?: `CKG_MGF1_SHA${'1' | '256' | '384' | '512'}`;
  /** PSS: bytes of the salt. */
  readonly saltLen?: number;
  /** PKCS#1 v1.5: hexadecimal; goes in front of the digest, and makes a DigestInfo of it (RFC 8017, section 9.2). */
  readonly prefix?: string;
}

type Signature = `${'pkcs1' | 'pss' | 'ecdsa'} ${'sha256' | 'sha384' | 'sha512'}` | 'ed25519';
type Ciphertext = 'pkcs1' | `oaep ${'sha1' | 'sha256' | 'sha384' | 'sha512'}`;
type Signatures<Row> = Readonly<Partial<Record<Signature, Row>>>;
type Ciphertexts<Row> = Readonly<Partial<Record<Ciphertext, Row>>>;

const AWS_SIGNATURES: Signatures<AwsSigning> = {
  'pkcs1 sha256': { SigningAlgorithm: 'RSASSA_PKCS1_V1_5_SHA_256', MessageType: 'DIGEST' },
  'pkcs1 sha384': { SigningAlgorithm: 'RSASSA_PKCS1_V1_5_SHA_384', MessageType: 'DIGEST' },
  'pkcs1 sha512': { SigningAlgorithm: 'RSASSA_PKCS1_V1_5_SHA_512', MessageType: 'DIGEST' },
  'pss sha256': { SigningAlgorithm: 'RSASSA_PSS_SHA_256', MessageType: 'DIGEST' },
  'pss sha384': { SigningAlgorithm: 'RSASSA_PSS_SHA_384', MessageType: 'DIGEST' },
  'pss sha512': { SigningAlgorithm: 'RSASSA_PSS_SHA_512', MessageType: 'DIGEST' },
  'ecdsa sha256': { SigningAlgorithm: 'ECDSA_SHA_256', MessageType: 'DIGEST' },
  'ecdsa sha384': { SigningAlgorithm: 'ECDSA_SHA_384', MessageType: 'DIGEST' },
  'ecdsa sha512': { SigningAlgorithm: 'ECDSA_SHA_512', MessageType: 'DIGEST' },
  ed25519: { SigningAlgorithm: 'ED25519_SHA_512', MessageType: 'RAW' },
};

const AWS_CIPHERTEXTS: Ciphertexts<AwsDecryption> = {
  'oaep sha1': { EncryptionAlgorithm: 'RSAES_OAEP_SHA_1' },
  'oaep sha256': { EncryptionAlgorithm: 'RSAES_OAEP_SHA_256' },
};

const GOOGLE_SIGNATURES: Signatures<GoogleSigning> = {
  'pkcs1 sha256': { digest: 'sha256' },
  'pkcs1 sha512': { digest: 'sha512' },
  'pss sha256': { digest: 'sha256' },
  'pss sha512': { digest: 'sha512' },
  'ecdsa sha256': { digest: 'sha256' },
  'ecdsa sha384': { digest: 'sha384' },
  ed25519: { digest: undefined },
};

const AZURE_SIGNATURES: Signatures<AzureSigning> = {
  'pkcs1 sha256': { alg: 'RS256' },
  'pkcs1 sha384': { alg: 'RS384' },
  'pkcs1 sha512': { alg: 'RS512' },
  'pss sha256': { alg: 'PS256' },
  'pss sha384': { alg: 'PS384' },
  'pss sha512': { alg: 'PS512' },
  'ecdsa sha256': { alg: 'ES256' },
  'ecdsa sha384': { alg: 'ES384' },
  'ecdsa sha512': { alg: 'ES512' },
};

const AZURE_CIPHERTEXTS: Ciphertexts<AzureDecryption> = {
  pkcs1: { alg: 'RSA1_5' },
  'oaep sha1': { alg: 'RSA-OAEP' },
  'oaep sha256': { alg: 'RSA-OAEP-256' },
};

const VAULT_SIGNATURES: Signatures<VaultSigning> = {
  'pkcs1 sha256': { prehashed: true, hash_algorithm: 'sha2-256', signature_algorithm: 'pkcs1v15' },
  'pkcs1 sha384': { prehashed: true, hash_algorithm: 'sha2-384', signature_algorithm: 'pkcs1v15' },
  'pkcs1 sha512': { prehashed: true, hash_algorithm: 'sha2-512', signature_algorithm: 'pkcs1v15' },
  'pss sha256': { prehashed: true, hash_algorithm: 'sha2-256', signature_algorithm: 'pss', salt_length: 'hash' },
  'pss sha384': { prehashed: true, hash_algorithm: 'sha2-384', signature_algorithm: 'pss', salt_length: 'hash' },
  'pss sha512': { prehashed: true, hash_algorithm: 'sha2-512', signature_algorithm: 'pss', salt_length: 'hash' },
  'ecdsa sha256': { prehashed: true, hash_algorithm: 'sha2-256', marshaling_algorithm: 'asn1' },
  'ecdsa sha384': { prehashed: true, hash_algorithm: 'sha2-384', marshaling_algorithm: 'asn1' },
  'ecdsa sha512': { prehashed: true, hash_algorithm: 'sha2-512', marshaling_algorithm: 'asn1' },
  ed25519: { prehashed: false },
};

const PKCS11_SIGNATURES: Signatures<Pkcs11Mechanism> = {
  'pkcs1 sha256': { mechanism: 'CKM_RSA_PKCS', prefix: '3031300d060960864801650304020105000420' },
  'pkcs1 sha384': { mechanism: 'CKM_RSA_PKCS', prefix: '3041300d060960864801650304020205000430' },
  'pkcs1 sha512': { mechanism: 'CKM_RSA_PKCS', prefix: '3051300d060960864801650304020305000440' },
  'pss sha256': { mechanism: 'CKM_RSA_PKCS_PSS', hashAlg: 'CKM_SHA256', mgf: 'CKG_MGF1_SHA256', saltLen: 32 },
  'pss sha384': { mechanism: 'CKM_RSA_PKCS_PSS', hashAlg: 'CKM_SHA384', mgf: 'CKG_MGF1_SHA384', saltLen: 48 },
  'pss sha512': { mechanism: 'CKM_RSA_PKCS_PSS', hashAlg: 'CKM_SHA512', mgf: 'CKG_MGF1_SHA512', saltLen: 64 },
  'ecdsa sha256': { mechanism: 'CKM_ECDSA' },
  'ecdsa sha384': { mechanism: 'CKM_ECDSA' },
  'ecdsa sha512': { mechanism: 'CKM_ECDSA' },
  ed25519: { mechanism: 'CKM_EDDSA' },
};

const PKCS11_CIPHERTEXTS: Ciphertexts<Pkcs11Mechanism> = {
  pkcs1: { mechanism: 'CKM_RSA_PKCS' },
  'oaep sha1': { mechanism: 'CKM_RSA_PKCS_OAEP', hashAlg: 'CKM_SHA_1', mgf: 'CKG_MGF1_SHA1' },
  'oaep sha256': { mechanism: 'CKM_RSA_PKCS_OAEP', hashAlg: 'CKM_SHA256', mgf: 'CKG_MGF1_SHA256' },
  'oaep sha384': { mechanism: 'CKM_RSA_PKCS_OAEP', hashAlg: 'CKM_SHA384', mgf: 'CKG_MGF1_SHA384' },
  'oaep sha512': { mechanism: 'CKM_RSA_PKCS_OAEP', hashAlg: 'CKM_SHA512', mgf: 'CKG_MGF1_SHA512' },
};

/** How one key service names algorithms. */
export interface SigningNames<Signing> {
  /** @throws `ERR_ASYNC_REMOTE_KEY_UNSUPPORTED` for a request that the service does not offer */
  readonly sign: (request: RemoteSignRequest) => Signing;
}

/** How one key service that also decrypts names algorithms. */
export interface KeyServiceNames<Signing, Decryption> extends SigningNames<Signing> {
  /** @throws `ERR_ASYNC_REMOTE_KEY_UNSUPPORTED` for a request that the service does not offer */
  readonly decrypt: (request: RemoteDecryptRequest) => Decryption;
}

/** Key services by name; see {@link kmsAlgorithms}. */
export interface KmsAlgorithms {
  /** AWS KMS: Sign and Decrypt. */
  readonly aws: KeyServiceNames<AwsSigning, AwsDecryption>;
  /** Google Cloud KMS: asymmetricSign. */
  readonly google: SigningNames<GoogleSigning>;
  /** Azure Key Vault: sign and decrypt. ECDSA signatures come as r and s: `dsaEncoding: 'ieee-p1363'`. */
  readonly azure: KeyServiceNames<AzureSigning, AzureDecryption>;
  /** HashiCorp Vault: transit/sign. */
  readonly vault: SigningNames<VaultSigning>;
  /** PKCS#11. ECDSA signatures come as r and s: `dsaEncoding: 'ieee-p1363'`. */
  readonly pkcs11: KeyServiceNames<Pkcs11Mechanism, Pkcs11Mechanism>;
}

/**
 * For the functions of {@link createRemoteKey}: the members of a key service's own request that name the algorithm, to
 * be spread into it. Each call gives a row of a table; nothing is sent.
 *
 * PSS is offered with a salt as long as the digest, which callers of `sign()` ask for with
 * `saltLength: crypto.constants.RSA_PSS_SALTLEN_DIGEST`; PSS and OAEP with the same digest for MGF1; OAEP without a
 * label.
 *
 * @example
 * ```ts
 * const key = createRemoteKey({
 *   publicKey,
 *   sign: async (request) => {
 *     const Message = request.digest ?? request.data;
 *     const command = new SignCommand({ KeyId, Message, ...kmsAlgorithms.aws.sign(request) });
 *     return (await client.send(command)).Signature;
 *   },
 * });
 * ```
 */
export const kmsAlgorithms: KmsAlgorithms = deepFreeze({
  aws: {
    sign: signatures('AWS KMS', AWS_SIGNATURES),
    decrypt: ciphertexts('AWS KMS', AWS_CIPHERTEXTS),
  },
  google: {
    sign: signatures('Google Cloud KMS', GOOGLE_SIGNATURES),
  },
  azure: {
    sign: signatures('Azure Key Vault', AZURE_SIGNATURES),
    decrypt: ciphertexts('Azure Key Vault', AZURE_CIPHERTEXTS),
  },
  vault: {
    sign: signatures('Vault', VAULT_SIGNATURES),
  },
  pkcs11: {
    sign: signatures('PKCS#11', PKCS11_SIGNATURES),
    decrypt: ciphertexts('PKCS#11', PKCS11_CIPHERTEXTS),
  },
});

function signatures<Row extends object>(service: string, table: Signatures<Row>): (request: RemoteSignRequest) => Row {
  deepFreeze(table);
  return (request) => find(service, table, signatureOf(request));
}

function ciphertexts<Row extends object>(
  service: string,
  table: Ciphertexts<Row>,
): (request: RemoteDecryptRequest) => Row {
  deepFreeze(table);
  return (request) => find(service, table, ciphertextOf(request));
}

function signatureOf({ algorithm, padding, digestAlgorithm = '', saltLength, mgf1Digest }: RemoteSignRequest): string {
  if (algorithm === 'ec') return `ecdsa ${digestAlgorithm}`;
  if (algorithm !== 'rsa' && algorithm !== 'rsa-pss') return algorithm;
  if (padding === constants.RSA_PKCS1_PADDING) return `pkcs1 ${digestAlgorithm}`;
  if (padding !== constants.RSA_PKCS1_PSS_PADDING) return `RSA padding ${String(padding)}`;
  const name = `pss ${digestAlgorithm}`;
  if (mgf1Digest !== digestAlgorithm) return `${name} with MGF1 of ${String(mgf1Digest)}`;
  if (saltLength === Number.parseInt(digestAlgorithm.slice('sha'.length)) / 8) return name;
  return `${name} with a salt of ${String(saltLength)} bytes, only RSA_PSS_SALTLEN_DIGEST`;
}

function ciphertextOf({ padding, oaepHash = '', mgf1Digest = oaepHash, oaepLabel }: RemoteDecryptRequest): string {
  if (padding === constants.RSA_PKCS1_PADDING) return 'pkcs1';
  if (padding !== constants.RSA_PKCS1_OAEP_PADDING) return `RSA padding ${String(padding)}`;
  const name = `oaep ${oaepHash}`;
  if (mgf1Digest !== oaepHash) return `${name} with MGF1 of ${mgf1Digest}`;
  return oaepLabel === undefined || oaepLabel.length === 0 ? name : `${name} with a label`;
}

function find<Row>(service: string, table: Readonly<Record<string, Row>>, name: string): Row {
  const row = Object.hasOwn(table, name) ? table[name] : undefined;
  if (row !== undefined) return row;
  throw asyncError('ERR_ASYNC_REMOTE_KEY_UNSUPPORTED', `${service} does not offer ${name}`);
}

function deepFreeze<T extends object>(value: T): T {
  for (const member of Object.values(value) as unknown[]) {
    if (typeof member === 'object' && member !== null) deepFreeze(member);
  }
  return Object.freeze(value);
}
