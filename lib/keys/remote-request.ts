// Requests to remote keys: read from the memory to which native code writes them, in batches.
import { fillFrom } from '../base/byte-views';
import { RemoteOperation, RemoteWord, WORDS_PER_REMOTE_REQUEST } from '../native/contract/tables';
import { environment, type Environment } from '../native/environment';

/** Types of keys that can be held elsewhere, as `asymmetricKeyType` names them. */
export type RemoteKeyType = 'rsa' | 'rsa-pss' | 'ec' | 'ed25519' | 'ed448' | 'x25519' | 'x448';

/** The part of a request that every function of a remote key gets. */
export interface RemoteRequest {
  /** The key's type. */
  readonly algorithm: RemoteKeyType;
  /** Aborted when nobody waits for the answer any more: the time is up, or the operation's caller gave up. */
  readonly signal: AbortSignal;
}

/** A request to {@link RemoteKeyOptions.sign}: to sign `digest`, or `data` where the algorithm takes messages whole. */
export interface RemoteSignRequest extends RemoteRequest {
  /** The name of the digest, for example `'sha256'`. Undefined with `data`. */
  readonly digestAlgorithm: string | undefined;
  /** RSA, ECDSA: the digest of the message. PKCS#1 v1.5 signs it within a DigestInfo (RFC 8017, section 9.2). */
  readonly digest: Buffer | undefined;
  /** Ed25519, Ed448: the message. RSA without a digest, as `privateEncrypt()` has it: the bytes to be padded. */
  readonly data: Buffer | undefined;
  /** RSA: `crypto.constants.RSA_PKCS1_PADDING`, `RSA_PKCS1_PSS_PADDING` or `RSA_NO_PADDING`. */
  readonly padding: number | undefined;
  /** PSS: bytes of the salt. */
  readonly saltLength: number | undefined;
  /** PSS: the digest of MGF1. */
  readonly mgf1Digest: string | undefined;
}

/** A request to {@link RemoteKeyOptions.decrypt}. */
export interface RemoteDecryptRequest extends RemoteRequest {
  /** The ciphertext. */
  readonly data: Buffer;
  /** `crypto.constants.RSA_PKCS1_OAEP_PADDING`, `RSA_PKCS1_PADDING` or `RSA_NO_PADDING`. */
  readonly padding: number;
  /** OAEP: the digest. */
  readonly oaepHash: string | undefined;
  /** OAEP: the digest of MGF1. */
  readonly mgf1Digest: string | undefined;
  /** OAEP: the label, if there is one. */
  readonly oaepLabel: Buffer | undefined;
}

/** A request to {@link RemoteKeyOptions.derive}. */
export interface RemoteDeriveRequest extends RemoteRequest {
  /** The peer's public key, on the key's own curve: DER of SubjectPublicKeyInfo. */
  readonly publicKey: Buffer;
}

export type RemoteOperationName = keyof typeof RemoteOperation;
export const REMOTE_OPERATIONS = Object.keys(RemoteOperation) as RemoteOperationName[];

const REQUESTS_PER_CALL = 256;
const words = new Float64Array(REQUESTS_PER_CALL * WORDS_PER_REMOTE_REQUEST);
const bytes = new Uint8Array(64 * 1024);

/** Has `onRequests` called with the number of requests that can be read. They stay until users' code runs. */
export function listenForRequests(env: Environment, onRequests: (count: number) => void): void {
  env.addon.remote.setSink(onRequests, words, bytes);
}

/** A word of the request with this index. */
export function requestWord(index: number, word: number): number {
  return words[index * WORDS_PER_REMOTE_REQUEST + word] as number;
}

/** The request with this index, as the function of its operation gets it. `signals` has its signal. */
export function readRequest(
  operation: RemoteOperationName,
  index: number,
  key: { type: RemoteKeyType; spki: Buffer },
  signals: { signal: AbortSignal },
): RemoteRequest {
  const part = (word: number): number => requestWord(index, word);
  const [data, label] = bytesOfRequest(index);
  switch (operation) {
    case 'sign':
      return new SignRequest(key.type, signals, data, part);
    case 'decrypt':
      return new DecryptRequest(key.type, signals, data, label, part);
    case 'derive':
      return new DeriveRequest(key.type, signals, peerKey(key.spki, data));
  }
}

// The bytes of short requests are in the batch, whose memory is reused. Functions may keep theirs, so they are copied.
function bytesOfRequest(index: number): readonly [bytes: Buffer, label: Buffer | undefined] {
  const offset = requestWord(index, RemoteWord.offset);
  if (offset < 0) {
    return environment().addon.remote.bytes(requestWord(index, RemoteWord.id)) ?? [Buffer.alloc(0), undefined];
  }
  const size = requestWord(index, RemoteWord.size);
  const labelSize = requestWord(index, RemoteWord.labelSize);
  return [
    fillFrom(Buffer.allocUnsafe(size), bytes, offset),
    labelSize < 0 ? undefined : fillFrom(Buffer.allocUnsafe(labelSize), bytes, offset + size),
  ];
}

type Part = (word: number) => number;

// A request as functions get it. Its own properties can be sent to another process; the signal stays here.
class Request implements RemoteRequest {
  readonly #signals: { signal: AbortSignal };

  constructor(
    readonly algorithm: RemoteKeyType,
    signals: { signal: AbortSignal },
  ) {
    this.#signals = signals;
  }

  get signal(): AbortSignal {
    return this.#signals.signal;
  }
}

class SignRequest extends Request implements RemoteSignRequest {
  readonly digestAlgorithm: string | undefined;
  readonly digest: Buffer | undefined;
  readonly data: Buffer | undefined;
  readonly padding: number | undefined;
  readonly saltLength: number | undefined;
  readonly mgf1Digest: string | undefined;

  constructor(algorithm: RemoteKeyType, signals: { signal: AbortSignal }, data: Buffer, part: Part) {
    super(algorithm, signals);
    this.digestAlgorithm = digestName(part(RemoteWord.digest));
    this.digest = this.digestAlgorithm === undefined ? undefined : data;
    this.data = this.digestAlgorithm === undefined ? data : undefined;
    this.padding = present(part(RemoteWord.padding));
    this.saltLength = present(part(RemoteWord.saltLength));
    this.mgf1Digest = digestName(part(RemoteWord.mgf1Digest));
  }
}

class DecryptRequest extends Request implements RemoteDecryptRequest {
  readonly padding: number;
  readonly oaepHash: string | undefined;
  readonly mgf1Digest: string | undefined;

  constructor(
    algorithm: RemoteKeyType,
    signals: { signal: AbortSignal },
    readonly data: Buffer,
    readonly oaepLabel: Buffer | undefined,
    part: Part,
  ) {
    super(algorithm, signals);
    this.padding = part(RemoteWord.padding);
    this.oaepHash = digestName(part(RemoteWord.digest));
    this.mgf1Digest = digestName(part(RemoteWord.mgf1Digest));
  }
}

class DeriveRequest extends Request implements RemoteDeriveRequest {
  constructor(
    algorithm: RemoteKeyType,
    signals: { signal: AbortSignal },
    readonly publicKey: Buffer,
  ) {
    super(algorithm, signals);
  }
}

const present = (word: number): number | undefined => (word === -1 ? undefined : word);

// Names of digests by their numbers.
const digestNames: string[] = [];

/** The name in `node:crypto` of a digest that OpenSSL's providers name `SHA2-256`, `SHA2-512/256`, `RIPEMD-160`. */
function digestName(number: number): string | undefined {
  if (number === 0) return undefined;
  return (digestNames[number] ??= environment()
    .addon.remote.name(number)
    .toLowerCase()
    .replace(/^sha2-/, 'sha')
    .replace('/', '-')
    .replace(/^ripemd-/, 'ripemd'));
}

const SEQUENCE = 0x30;
const BIT_STRING = 0x03;

/** SubjectPublicKeyInfo of a point on the same curve as the key of `spki` (RFC 5280, section 4.1). */
function peerKey(spki: Buffer, point: Buffer): Buffer {
  const [start] = contentOf(spki, 0);
  const [, end] = contentOf(spki, start);
  return wrap(
    SEQUENCE,
    Buffer.concat([spki.subarray(start, end), wrap(BIT_STRING, Buffer.concat([NO_UNUSED_BITS, point]))]),
  );
}

const NO_UNUSED_BITS = Buffer.of(0);

// Where the content of the DER element at `at` begins and ends.
function contentOf(der: Buffer, at: number): [start: number, end: number] {
  const first = der.readUInt8(at + 1);
  if (first < 0x80) return [at + 2, at + 2 + first];
  const start = at + 2 + (first & 0x7f);
  return [start, start + der.readUIntBE(at + 2, first & 0x7f)];
}

function wrap(tag: number, content: Buffer): Buffer {
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), content]);
  if (length < 0x100) return Buffer.concat([Buffer.of(tag, 0x81, length), content]);
  return Buffer.concat([Buffer.of(tag, 0x82, length >> 8, length & 0xff), content]);
}
