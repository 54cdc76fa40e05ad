// Numbers that C++ knows too.
// Written by scripts/generate-contract.js, from src-native/binding/contract.json.

/** Commands that a job of a generator is told to carry out. */
export const CommandKind = {
  pause: 0,
  blockPause: 1,
  unblockPause: 2,
  setWaitFd: 3,
  getFd: 4,
  clearFd: 5,
  return: 6,
} as const;
export type CommandKind = (typeof CommandKind)[keyof typeof CommandKind];

/** The status of a wait context, as OpenSSL numbers it (ASYNC_STATUS_…). */
export const WAIT_STATUSES = ['unsupported', 'error', 'ok', 'again'] as const;

/** The ways to wake a job: everything that it offers, or one of them only. */
export const WaitMode = {
  auto: 0,
  /** Fds are watched only while no status says whether there will be a callback. */
  callback: 1,
  /** The wait context carries no callback, so that an engine which asks for one uses an fd. */
  fd: 2,
  /** Neither: the job tries again and again. */
  poll: 3,
} as const;
export type WaitMode = (typeof WaitMode)[keyof typeof WaitMode];

/** The reasons to resume a paused job. */
export const WAKEUP_KINDS = ['fd', 'callback', 'poll'] as const;

/** Families of operations; there is a C++ file for each. */
export const Family = {
  sign: 0,
  verify: 1,
  digest: 2,
  publicEncrypt: 3,
  privateDecrypt: 4,
  privateEncrypt: 5,
  publicDecrypt: 6,
  keyExchange: 7,
  encapsulate: 8,
  decapsulate: 9,
  keyGeneration: 10,
  mac: 11,
  encrypt: 12,
  decrypt: 13,
  encryptStream: 14,
  decryptStream: 15,
  digestStream: 16,
  keyDerivation: 17,
  random: 18,
  store: 19,
} as const;
export type Family = (typeof Family)[keyof typeof Family];

/** Inputs of one call. */
export const MAX_INPUTS = 6;

/** Numbers of one call. */
export const MAX_NUMBERS = 6;

/** Outputs of one call. */
export const MAX_OUTPUTS = 2;

/** Numbers of a spec that signs or verifies. `p1363`: 1 for signatures as IEEE P1363 has them. */
export const signatureNumbers = <T>(given: { padding: T; saltLength: T; p1363: T }): T[] => [
  given.padding,
  given.saltLength,
  given.p1363,
];

/** Inputs of a call that verifies. */
export const verifyInputs = <T>(given: { data: T; signature: T }): T[] => [given.data, given.signature];

/** Numbers of a digest's spec. `outputLength`: of an extendable digest. `asStream`: present for the errors of crypto.createHash(), else they are those of crypto.hash(). */
export const digestNumbers = <T>(given: { outputLength: T; asStream: T }): T[] => [given.outputLength, given.asStream];

/** Inputs of a call for a MAC. The key is absent when the spec has it. */
export const macInputs = <T>(given: { data: T; key: T }): T[] => [given.data, given.key];

/** Inputs of a call that encrypts or decrypts with an RSA key. */
export const asymmetricCipherInputs = <T>(given: { data: T; label: T }): T[] => [given.data, given.label];

/** Inputs of a key exchange: the peer's key, or its point on the own curve. */
export const keyExchangeInputs = <T>(given: { key: T; point: T }): T[] => [given.key, given.point];

/** Names of a key pair's spec; empty for none. */
export const keyGenerationNames = <T>(given: { type: T; group: T; digest: T; mgf1Digest: T; cipher: T }): T[] => [
  given.type,
  given.group,
  given.digest,
  given.mgf1Digest,
  given.cipher,
];

/** Numbers of a key pair's spec. `ownStructure`: present for the private key's own structure instead of PKCS#8. */
export const keyGenerationNumbers = <T>(given: {
  bits: T;
  publicExponent: T;
  saltLength: T;
  divisorBits: T;
  generator: T;
  explicitParameters: T;
  ownStructure: T;
}): T[] => [
  given.bits,
  given.publicExponent,
  given.saltLength,
  given.divisorBits,
  given.generator,
  given.explicitParameters,
  given.ownStructure,
];

/** Inputs of a call for a whole message. The key is absent when the spec has it. */
export const cipherInputs = <T>(given: { data: T; iv: T; key: T; authenticatedData: T; tag: T }): T[] => [
  given.data,
  given.iv,
  given.key,
  given.authenticatedData,
  given.tag,
];

/** Numbers of a call for a whole message. `autoPadding`: 0 for none. */
export const cipherNumbers = <T>(given: { tagLength: T; autoPadding: T }): T[] => [given.tagLength, given.autoPadding];

/** Inputs of a call for a part of a message. */
export const cipherPartInputs = <T>(given: { data: T; authenticatedData: T; tag: T }): T[] => [
  given.data,
  given.authenticatedData,
  given.tag,
];

/** Numbers of a call for a part of a message. `isLast`: 1 for the last part. `plaintextLength`: for CCM. */
export const cipherPartNumbers = <T>(given: { isLast: T; autoPadding: T; plaintextLength: T }): T[] => [
  given.isLast,
  given.autoPadding,
  given.plaintextLength,
];

/** Names of a spec that derives keys: HKDF, PBKDF2 or SCRYPT, and a digest, empty for SCRYPT. */
export const keyDerivationNames = <T>(given: { function: T; digest: T }): T[] => [given.function, given.digest];

/** Inputs of HKDF. */
export const hkdfInputs = <T>(given: { key: T; salt: T; info: T }): T[] => [given.key, given.salt, given.info];

/** Inputs of PBKDF2 and scrypt. */
export const passwordInputs = <T>(given: { password: T; salt: T }): T[] => [given.password, given.salt];

/** Numbers of a call of PBKDF2. */
export const pbkdf2Numbers = <T>(given: { size: T; iterations: T }): T[] => [given.size, given.iterations];

/** Numbers of a call of scrypt. `maxMemory`: in bytes. */
export const scryptNumbers = <T>(given: { size: T; cost: T; blockSize: T; parallelization: T; maxMemory: T }): T[] => [
  given.size,
  given.cost,
  given.blockSize,
  given.parallelization,
  given.maxMemory,
];

/** The requests that a remote key may get. */
export const RemoteOperation = { sign: 0, decrypt: 1, derive: 2 } as const;
export type RemoteOperation = (typeof RemoteOperation)[keyof typeof RemoteOperation];

/** The caller's choice of where an operation runs. */
export const OperationMode = { auto: 0, inline: 1, offload: 2 } as const;
export type OperationMode = (typeof OperationMode)[keyof typeof OperationMode];

/** Where an operation runs. */
export const PLACES = ['inline', 'pool', 'job'] as const;

/** The reason why a module is to keep its own libcrypto. */
export const Isolation = {
  /** The user asks for it: ERR_ASYNC_MODULE_INCOMPATIBLE when it cannot be done. */
  wanted: 0,
  /** A provider is about to use the module: likewise when it is too late, as the module would crash. */
  provider: 1,
  /** An engine is about to use the module: as long as nothing is kept apart, everything is the process's OpenSSL. */
  engine: 2,
} as const;
export type Isolation = (typeof Isolation)[keyof typeof Isolation];

/** The methods of an engine that keys of one's own may use, as OpenSSL numbers them (ENGINE_METHOD_…). */
export const EngineMethod = { RSA: 1, EC: 2048, PKEY: 512 } as const;

/** The results of ASYNC_start_job(), and the hand-over of a job that is made of commands. */
export const RunStatus = { error: 0, noJobs: 1, pause: 2, finish: 3, handedOver: 4 } as const;
export type RunStatus = (typeof RunStatus)[keyof typeof RunStatus];

/** Events that JavaScript is told. */
export const EventKind = {
  /** `value` is the return value; `detail` is 1 when `takeFailure()` has the job's error queue. */
  finished: 0,
  /** `takeFailure()` has the error. */
  failed: 1,
  /** `value` is the last command's success, `detail` its fd. `continueJob()` is due. */
  handedOver: 2,
  /** `takeFailure()` has the error. The job is polled; its end will be told. */
  unwatchable: 3,
  /** This event and the next two come only while jobs are traced. */
  started: 4,
  paused: 5,
  /** `value` is a kind of wake-up. */
  resumed: 6,
  /** `value` is a kind of wake-up. */
  awaited: 7,
  operationDone: 8,
  /** `takeOperation()` has the error. */
  operationFailed: 9,
  /** `takeOperation()` has the outputs. */
  operationLarge: 10,
} as const;
export type EventKind = (typeof EventKind)[keyof typeof EventKind];

/** The words of an event. */
export const EventWord = { id: 0, kind: 1, value: 2, pauses: 3, fd: 4, callback: 5, poll: 6, detail: 7 } as const;
export const WORDS_PER_EVENT = 8;

/** The words of an operation's event. `kind` also holds the place and the pauses. */
export const OperationWord = {
  id: 0,
  kind: 1,
  value: 2,
  offset: 3,
  firstSize: 4,
  secondSize: 5,
  queueMicros: 6,
  runMicros: 7,
} as const;
export const WORDS_PER_OPERATION_EVENT = 8;

/** The bits of an operation event's `kind` that hold the kind itself. */
export const KIND_MASK = 255;

/** The bit of an operation event's `kind` at which the place begins; it has as many as the kind itself. */
export const PLACE_SHIFT = 8;

/** The bit of an operation event's `kind` at which the number of pauses begins. */
export const PAUSES_SHIFT = 16;

/** The words of a call. A size of −1 stands for no input. The inputs are in the call's bytes, unless `passed`. */
export const CallWord = { id: 0, mode: 1, inputCount: 2, passed: 3, firstSize: 4, firstNumber: 10 } as const;
export const CALL_WORDS = 16;

/** The answers of `operate()`. */
export const CallStatus = {
  queued: 0,
  /** The answer is in the result's words. */
  done: 1,
  /** Too many are in flight. */
  full: 2,
  noMemory: 3,
  /** It may not run on the loop's thread, and the system gives the pool no other. */
  noThreads: 4,
  idInUse: 5,
  /** The spec's algorithms are of another FIPS mode than the process is in now. */
  stale: 6,
} as const;
export type CallStatus = (typeof CallStatus)[keyof typeof CallStatus];

/** The first words of a batch of jobs: the number of its jobs, and of the bytes of their arguments. Native code resets both. */
export const BatchWord = { count: 0, bytes: 1 } as const;
export const BATCH_HEAD_WORDS = 2;

/** The words of a job in a batch. `argsSize` is -1 for a job without arguments. */
export const BatchJobWord = { id: 0, argsSize: 1 } as const;
export const WORDS_PER_BATCH_JOB = 2;

/** The words of an environment's state. `inside`: how many functions run that are called where C would be inside a job. */
export const StateWord = { inside: 0 } as const;
export const STATE_WORDS = 1;

/** The ends of an operation on Node.js's own thread pool. */
export const ThreadpoolOutcome = { done: 0, failed: 1, abandoned: 2, refused: 3 } as const;
export type ThreadpoolOutcome = (typeof ThreadpoolOutcome)[keyof typeof ThreadpoolOutcome];

/** Properties of a new remote key: its signatures are checked; ECDSA signatures come as IEEE P1363 has them. */
export const RemoteKeyFlag = { verifies: 1, p1363: 2 } as const;

/** The reasons why a request to a remote key has no answer. */
export const RemoteRefusal = { failed: 0, invalidResult: 1, timeout: 2 } as const;
export type RemoteRefusal = (typeof RemoteRefusal)[keyof typeof RemoteRefusal];

/** The words of a request to a remote key. Its bytes, which its label follows, are at `offset` of the batch's; at -1, they are to be fetched. A size of -1 is no label. Digests are numbers of names; 0 is none. */
export const RemoteWord = {
  id: 0,
  key: 1,
  job: 2,
  operation: 3,
  offset: 4,
  size: 5,
  labelSize: 6,
  digest: 7,
  mgf1Digest: 8,
  padding: 9,
  saltLength: 10,
} as const;
export const WORDS_PER_REMOTE_REQUEST = 11;

/** Events of TLS connections. */
export const TlsEvent = {
  /** The client hello was read; `helloOf()` has it, and `answer()` goes on. */
  asking: 0,
  /** The handshake is done; 1 as `value`: early data comes before that, and the event `completed`. */
  secure: 1,
  /** The connection is of no use any more. `value` is libuv's code, or a number of TlsFailure. */
  failed: 2,
  /** Plaintext, `size` bytes from `offset` on. */
  data: 3,
  /** The peer sends no more. `value` is 1 when it did not say so. */
  end: 4,
  /** All that was written has left. */
  drained: 5,
  /** A line of the key log, at `offset`. */
  keyLog: 6,
  /** A listener closed a connection, being full. `value` numbers its addresses. */
  dropped: 7,
  /** No handshake of a closed listener is under way any more; `id` is the listener's. */
  listenerIdle: 8,
  /** A client has connected; `proceed()` goes on. */
  accepted: 9,
  /** Ciphertext waits for its stream; `takeOutput()` gives it. */
  output: 10,
  /** Ciphertext of the stream that `feed()` has refused is taken now. */
  inputWanted: 11,
  /** Sessions are to be kept. Of a server, before TLS 1.3: `sessionsKept()` goes on. */
  newSessions: 12,
  /** Before TLS 1.3, the client has named a shared key; `giveKey()` goes on. */
  askingKey: 13,
  /** The server was asked about its certificate; `status()` has the answer. */
  status: 14,
  /** A later handshake is done: see `renegotiate()`. `value` is 1 where none has begun; `failure()` says why. */
  renegotiated: 15,
  /** The handshake is done, behind early data. */
  completed: 16,
  /** A client has begun a later handshake, which goes on after this event. */
  renegotiating: 17,
} as const;
export type TlsEvent = (typeof TlsEvent)[keyof typeof TlsEvent];

/** Where a handshake runs. */
export const TlsPlace = {
  /** On the event loop. */
  loop: 0,
  /** On a thread of its own. */
  thread: 1,
} as const;
export type TlsPlace = (typeof TlsPlace)[keyof typeof TlsPlace];

/** Reasons of a connection's failure that are not libuv's. */
export const TlsFailure = {
  /** `failureOf()` has OpenSSL's errors. */
  openssl: 0,
  /** The handshake took too long. */
  handshakeTimeout: 1,
  /** The peer left during the handshake. */
  handshakeEnded: 2,
  /** The hint for clients that share a key is too long. */
  keyHint: 3,
} as const;
export type TlsFailure = (typeof TlsFailure)[keyof typeof TlsFailure];

/** The words of an event of a TLS connection. */
export const TlsEventWord = { kind: 0, id: 1, listener: 2, value: 3, offset: 4, size: 5 } as const;
export const WORDS_PER_TLS_EVENT = 6;

/** Settings of a server that are true or false. */
export const TlsServerFlag = {
  requestsCertificate: 1,
  asks: 2,
  logsKeys: 4,
  rejectsUnauthorized: 8,
  tellsConnections: 16,
  tellsSessions: 32,
  findsSessions: 64,
  givesStatus: 128,
  sharesKeys: 256,
  holdsHttp2: 512,
  lends: 1024,
  traces: 2048,
  allowsRenegotiation: 4096,
} as const;

/** What a client wants of a connection. */
export const TlsClientFlag = {
  logsKeys: 1,
  requestsStatus: 2,
  authenticatesLater: 4,
  holdsHttp2: 8,
  traces: 16,
  mustTrust: 32,
} as const;
