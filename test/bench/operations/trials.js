'use strict';

// The table of what is measured: operations, sides that carry them out, and what is expected of ours.

const os = require('node:os');

const IN_FLIGHT = [1, 16, 256, 4096];
const SIZES = [64, 1024, 16 * 1024, 1024 * 1024];

/**
 * Who carries an operation out. `form` is that of operations.js; `threads` of libuv's pool, whose default is 4. Those that
 * are `alone` are measured with one call in flight only: they have no more.
 */
const SIDES = [
  { id: 'ours', title: 'ours', form: 'ours' },
  { id: 'node', title: 'node', form: 'node', threads: 4 },
  { id: 'node-2', title: 'node, 2 threads', form: 'node', threads: 2 },
  { id: 'sync', title: 'sync', form: 'sync', alone: true },
];

/** `ceiling`: what `openssl speed` calls it, and which of the figures counts. */
const signature = (operation, subject, speed) => ({
  id: `${operation}-${subject}`,
  operation,
  subject,
  ceiling: { args: [speed], figure: operation === 'sign' ? 'first' : 'second' },
});
const signatures = (operation) => [
  signature(operation, 'RSA-2048', 'rsa2048'),
  signature(operation, 'RSA-3072', 'rsa3072'),
  signature(operation, 'P-256', 'ecdsap256'),
  signature(operation, 'P-384', 'ecdsap384'),
  signature(operation, 'Ed25519', 'ed25519'),
];
const agreement = (subject, speed) => ({
  id: `diffieHellman-${subject}`,
  operation: 'diffieHellman',
  subject,
  ceiling: { args: [speed], figure: 'first' },
});
const ofSizes = (operation, subject, speed) =>
  SIZES.map((size) => ({
    id: `${operation}-${subject}-${size}`,
    operation,
    subject,
    size,
    ceiling: { args: ['-bytes', size, '-evp', speed], figure: 'bytes' },
  }));
const plain = (operation, subject) => ({ id: `${operation}-${subject}`, operation, subject });

const WORKLOADS = [
  ...signatures('sign'),
  ...signatures('verify'),
  agreement('X25519', 'ecdhx25519'),
  agreement('P-256', 'ecdhp256'),
  agreement('P-384', 'ecdhp384'),
  plain('generateKeyPair', 'RSA-2048'),
  plain('generateKeyPair', 'P-256'),
  plain('generateKeyPair', 'Ed25519'),
  plain('pbkdf2', 'sha256'),
  plain('scrypt', 'N1024'),
  ...ofSizes('hash', 'sha256', 'sha256'),
  ...ofSizes('encrypt', 'aes-256-gcm', 'aes-256-gcm'),
  // A device of 1 ms, driven through runJob(), against 1 ms of work on a thread of the pool.
  { id: 'accelerator-1ms', operation: 'accelerator', subject: '1 ms', inFlight: [1024], sides: ['ours', 'node'] },
  // A holder of the key who takes 5 ms, asked by a JavaScript function, against that function by itself.
  { id: 'remote-key-5ms', operation: 'remoteKey', subject: '5 ms', inFlight: [10_000], sides: ['ours', 'node'] },
  // A device of 200 µs that has to be polled, by the library's heuristic, against a timer.
  { id: 'polled-200us', operation: 'polled', subject: '200 µs', inFlight: [1, 64, 1024], sides: ['ours', 'node'] },
];

const TRIALS = WORKLOADS.flatMap((workload) =>
  (workload.inFlight ?? IN_FLIGHT).map((inFlight) => ({
    ...workload,
    inFlight,
    title: [workload.operation, workload.subject, workload.size].filter((part) => part !== undefined).join(' '),
    sides: SIDES.filter(({ id, alone }) => (workload.sides?.includes(id) ?? true) && (!alone || inFlight === 1)),
  })),
);

/** What one thread of libuv's pool does of something that takes 1 ms, by as many as it has. */
const IDEAL_POOL_PER_SECOND = 4 * 1000;

const isAccelerator = ({ operation }) => operation === 'accelerator';
const isCrypto = ({ operation }) => !['accelerator', 'polled', 'remoteKey'].includes(operation);
const signs =
  (...subjects) =>
  ({ operation, subject, inFlight }) =>
    operation === 'sign' && subjects.includes(subject) && inFlight === 256;

/**
 * What ours has to reach: `atLeast` or `atMost` so many times what each side of `against` has, or `limit` by itself.
 * `inlined` is the part of ours that ran within the call.
 */
const TARGETS = [
  {
    id: 'throughput',
    title: "throughput at 16 and more in flight: not below node's",
    metric: 'opsPerSecond',
    against: ['node', 'node-2'],
    atLeast: 1,
    applies: (trial) => isCrypto(trial) && trial.inFlight >= 16,
  },
  {
    id: 'ceiling',
    title: 'RSA-2048 signatures at 256 in flight: ≥ 0.95 × openssl speed',
    metric: 'opsPerSecond',
    against: ['ceiling'],
    atLeast: 0.95,
    applies: signs('RSA-2048'),
  },
  {
    id: 'ceiling',
    title: 'P-256 and Ed25519 signatures at 256 in flight: ≥ 0.85 × openssl speed',
    metric: 'opsPerSecond',
    against: ['ceiling'],
    atLeast: 0.85,
    applies: signs('P-256', 'Ed25519'),
  },
  {
    id: 'main thread',
    title: "main thread's CPU per operation at 256 in flight: ≤ 0.8 × node's",
    metric: 'mainMicrosPerOp',
    against: ['node'],
    atMost: 0.8,
    applies: (trial) => isCrypto(trial) && trial.inFlight === 256,
  },
  {
    id: 'latency',
    title: "latency at 1 in flight: ≤ 1.1 × node's callback form",
    metric: 'latencyMicros',
    against: ['node'],
    atMost: 1.1,
    applies: ({ inFlight }) => inFlight === 1,
  },
  {
    id: 'latency inline',
    title: "latency at 1 in flight where 'auto' chose inline: ≤ 1.1 × the synchronous call",
    metric: 'latencyMicros',
    against: ['sync'],
    atMost: 1.1,
    applies: ({ inFlight }, { inlined }) => inFlight === 1 && inlined >= 0.9,
  },
  {
    id: 'loop delay',
    title: "p99 of the event loop's delay: not above node's",
    metric: 'delayP99Micros',
    against: ['node'],
    atMost: 1,
    applies: isCrypto,
  },
  {
    id: 'accelerator',
    title: "a device of 1 ms at 1024 in flight: ≥ 60 × libuv's pool of 4",
    metric: 'opsPerSecond',
    against: ['node', 'ideal'],
    atLeast: 60,
    applies: isAccelerator,
  },
  {
    id: 'accelerator main thread',
    title: 'a device of 1 ms at 1024 in flight: ≤ 4 µs of the main thread per operation',
    metric: 'mainMicrosPerOp',
    limit: 4,
    applies: isAccelerator,
  },
];

/** Processes that `openssl speed` uses: as many as the pools could keep busy. */
const CEILING_PROCESSES = os.availableParallelism();

module.exports = { CEILING_PROCESSES, IDEAL_POOL_PER_SECOND, SIDES, TARGETS, TRIALS };
