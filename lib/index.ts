/// <reference types="node" preserve="true" />
/**
 * Real OpenSSL async jobs on the event loop.
 *
 * @packageDocumentation
 */
export {
  listEngines,
  loadEngine,
  type Engine,
  type EngineAlgorithm,
  type EngineCommand,
  type EngineCommandCall,
  type EngineDefault,
  type EngineInfo,
  type EngineKeyOptions,
  type EngineOptions,
  type EngineValue,
} from './hardware/engines';
export type { AsyncErrorCode, AsyncErrors, CodedError, OpenSSLError } from './base/errors';
export type { Command } from './jobs/command';
export type { JobMessage, WakeupKind } from './jobs/job-channels';
export type { OperationMessage, OperationPlace } from './operations/operation-channels';
export { Job, type JobState } from './jobs/job';
export {
  type GeneratorJobFunction,
  jobFunction,
  nativeJobFunction,
  type JobBody,
  type JobBytes,
  type JobFunction,
  type JobGenerator,
  type NativeJobFunction,
} from './jobs/job-function';
export {
  AsyncKey,
  type JsonWebKey,
  type KeyExportOptions,
  type KeyInput,
  type KeyLike,
  type KeyMaterial,
} from './keys/key';
export {
  privateDecrypt,
  privateEncrypt,
  publicDecrypt,
  publicEncrypt,
  type AsymmetricCipherKey,
  type AsymmetricCipherOptions,
} from './operations/asymmetric-cipher';
export type { BinaryLike } from './base/bytes';
export type { OperationOptions } from './operations/operation-options';
export {
  createCipheriv,
  createDecipheriv,
  type AadOptions,
  type CipherStream,
  type CipherStreamOptions,
  type CipherTransform,
  type DecipherStream,
} from './streams/cipher-stream';
export {
  decrypt,
  encrypt,
  type AuthenticatedCiphertext,
  type DecryptOptions,
  type Encrypted,
  type EncryptOptions,
} from './operations/cipher';
export { createHash, type HashStream, type HashStreamOptions } from './streams/hash-stream';
export type { IsolationOptions } from './native/isolation';
export type { DevicePollOptions, HardwareOptions, HeartbeatMessage, HeartbeatOptions } from './hardware/waiting';
export { hash, type HashOptions } from './operations/hash';
export { hmac, type HmacOptions } from './operations/hmac';
export { hkdf, pbkdf2, scrypt, type ScryptOptions } from './operations/key-derivation';
export { decapsulate, encapsulate, type EncapsulatedKey } from './operations/key-encapsulation';
export type { PrivateKeyEncoding, PublicKeyEncoding } from './operations/key-encoding';
export { diffieHellman, type DiffieHellmanKeys } from './operations/key-exchange';
export {
  generateKeyPair,
  type EncodedKey,
  type InFormat,
  type KeyPair,
  type KeyPairOptions,
  type KeyPairType,
} from './operations/key-pair';
export { operations, type Operations, type OperationsEvents } from './operations/in-flight';
export { randomBytes, randomFill } from './operations/random';
export type { SecretKeyLike } from './operations/secret-key';
export { sign, verify, type SigningKey, type SigningOptions } from './operations/sign';
export { createPrivateKey, createPublicKey, type StoredKey, type StoreOptions } from './operations/store';
export type { CryptoStreamOptions } from './streams/stream';
export type { ConfigureOptions, PollOptions } from './base/options';
export {
  listProviders,
  loadProvider,
  type Provider,
  type ProviderAlgorithms,
  type ProviderInfo,
  type ProviderListOptions,
  type ProviderOptions,
} from './hardware/providers';
export {
  kmsAlgorithms,
  type AwsDecryption,
  type AwsSigning,
  type AzureDecryption,
  type AzureSigning,
  type GoogleSigning,
  type KeyServiceNames,
  type KmsAlgorithms,
  type Pkcs11Mechanism,
  type SigningNames,
  type VaultSigning,
} from './keys/kms-algorithms';
export { createRemoteKey, type RemoteAnswer, type RemoteKeyOptions } from './keys/remote-key';
export type {
  RemoteDecryptRequest,
  RemoteDeriveRequest,
  RemoteKeyType,
  RemoteRequest,
  RemoteSignRequest,
} from './keys/remote-request';
export { runJob, type JobResult, type RunJobOptions, type WakeupCounts } from './jobs/run-job';
export {
  getCurrentJob,
  startJob,
  type ErrorResult,
  type FinishedResult,
  type NoJobsResult,
  type PausedResult,
  type StartJobResult,
} from './jobs/start-job';
export {
  stats,
  type AlgorithmStats,
  type JobCounts,
  type Latency,
  type LatencyHistogram,
  type OperationCounts,
  type OperationStats,
  type PoolStats,
  type ProviderStats,
  type Stats,
  type TlsHandshakeStats,
  type TlsStats,
} from './thread/statistics';
export {
  capability,
  cleanupThread,
  configure,
  initThread,
  isCapable,
  opensslVersion,
  unsupportedReason,
  type Capability,
  type InitThreadOptions,
} from './thread/thread';
export {
  WaitContext,
  type ChangedFds,
  type WaitFdCleanup,
  type WaitOptions,
  type WaitStatus,
} from './jobs/wait-context';
export { WaitSignal } from './jobs/wait-signal';
