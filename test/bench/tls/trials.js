'use strict';

// What the TLS benchmark measures. A target is for ours / node's in the same round, or for ours / that of the side `of`:
// `atLeast` for rates, `atMost` for costs. `ours` names another side of ours than `ours`.

const handshakes = (id, title, { certificate, version, by = 'full', rate, main, process }) => ({
  id,
  title,
  workload: by === 'psk' ? 'psk' : 'handshakes',
  certificate,
  load: { mode: 'handshakes', inFlight: 32, version, by },
  figures: [
    { name: 'perSecond', title: 'per second', targets: [{ atLeast: rate }] },
    { name: 'mainMicros', title: 'main thread, µs', targets: [{ atMost: main }] },
    { name: 'processMicros', title: 'process, µs', targets: [{ atMost: process }] },
  ],
});

const requests = (id, title, { bytes, connections = 64, rate, rateOfHttp, main, onThreads = {} }) => ({
  id,
  title,
  workload: 'requests',
  certificate: 'rsa',
  load: { mode: 'wrk', bytes, connections },
  peers: ['threads', 'http', 'nginx'],
  figures: [
    {
      name: 'perSecond',
      title: 'per second',
      targets: [{ atLeast: rate }, { of: 'http', atLeast: rateOfHttp }],
    },
    {
      name: 'mainMicros',
      title: 'main thread, µs',
      targets: [{ atMost: main }, { ours: 'threads', atMost: onThreads.main }],
    },
    { name: 'threadMicros', title: 'TLS threads, µs' },
    { name: 'processMicros', title: 'process, µs', targets: [{ ours: 'threads', atMost: onThreads.process }] },
  ],
});

const streams = (id, title, { bytes, rate, main }) => ({
  id,
  title,
  workload: 'http2',
  certificate: 'rsa',
  load: { mode: 'h2load', bytes, connections: 16, streams: 8 },
  figures: [
    { name: 'perSecond', title: 'per second', targets: [{ atLeast: rate }] },
    { name: 'mainMicros', title: 'main thread, µs', targets: [{ atMost: main }] },
    { name: 'processMicros', title: 'process, µs' },
  ],
});

const clients = (id, title, { workload, does, inFlight, bytes, certificate = 'rsa' }) => ({
  id,
  title,
  workload,
  certificate,
  sides: ['node', 'ours'],
  load: { mode: 'clients', does, inFlight, bytes },
  figures: [
    { name: 'perSecond', title: 'per second' },
    { name: 'mainMicros', title: 'main thread, µs' },
    { name: 'processMicros', title: 'process, µs' },
  ],
});

const TRIALS = [
  handshakes('full-1.3-rsa', 'TLS 1.3 handshake, RSA-2048', {
    certificate: 'rsa',
    version: '1.3',
    rate: 1.25,
    main: 0.15,
    process: 0.8,
  }),
  handshakes('full-1.2-rsa', 'TLS 1.2 handshake, RSA-2048', { certificate: 'rsa', version: '1.2', rate: 1.25 }),
  handshakes('full-1.3-p256', 'TLS 1.3 handshake, P-256', {
    certificate: 'p256',
    version: '1.3',
    rate: 1.1,
    main: 0.2,
  }),
  handshakes('resumed-1.3', 'TLS 1.3 handshake, resumed', {
    certificate: 'rsa',
    version: '1.3',
    by: 'resume',
    rate: 1.3,
    main: 0.2,
  }),
  handshakes('resumed-1.2', 'TLS 1.2 handshake, resumed', { certificate: 'rsa', version: '1.2', by: 'resume' }),
  handshakes('psk-1.3', 'TLS 1.3 handshake, shared key', { certificate: 'rsa', version: '1.3', by: 'psk' }),
  handshakes('psk-1.2', 'TLS 1.2 handshake, shared key', { certificate: 'rsa', version: '1.2', by: 'psk' }),
  requests('12-bytes', 'keep-alive request, 12 B', {
    bytes: 12,
    rate: 1.45,
    rateOfHttp: 1.15,
    main: 0.68,
    onThreads: { main: 0.3, process: 0.8 },
  }),
  requests('1-kib', 'keep-alive request, 1 KiB', { bytes: 1024, rate: 1.35 }),
  requests('100-kib', 'keep-alive request, 100 KiB', { bytes: 100 * 1024, rate: 1.05 }),
  requests('1-mib', 'keep-alive request, 1 MiB', { bytes: 1024 * 1024, connections: 4, rate: 1.2 }),
  {
    id: '12-bytes-1000',
    title: 'request, 12 B, 1 000 connections',
    workload: 'requests',
    certificate: 'rsa',
    load: { mode: 'h2load', bytes: 12, connections: 1000 },
    peers: ['http', 'nginx'],
    figures: [
      { name: 'perSecond', title: 'per second' },
      { name: 'leastPerSecond', title: 'per second, slowest connection' },
      { name: 'meanMs', title: 'mean, ms' },
      { name: 'maxMs', title: 'longest, ms' },
      { name: 'mainMicros', title: 'main thread, µs' },
      { name: 'processMicros', title: 'process, µs' },
    ],
  },
  streams('http2-12-bytes', 'HTTP/2, 12 B, 16 × 8 streams', { bytes: 12, rate: 1.1, main: 0.8 }),
  streams('http2-100-kib', 'HTTP/2, 100 KiB, 16 × 8 streams', { bytes: 100 * 1024, main: 0.65 }),
  clients('client-1.3-p256', 'client: TLS 1.3 handshake, P-256', {
    workload: 'handshakes',
    does: 'handshakes',
    inFlight: 16,
    certificate: 'p256',
  }),
  clients('client-1.3-resumed', 'client: TLS 1.3 handshake, resumed', {
    workload: 'handshakes',
    does: 'resume',
    inFlight: 16,
  }),
  clients('client-1.3-psk', 'client: TLS 1.3 handshake, shared key', {
    workload: 'psk',
    does: 'psk',
    inFlight: 16,
  }),
  clients('client-12-bytes', 'client: keep-alive request by an agent, 12 B', {
    workload: 'requests',
    does: 'requests',
    inFlight: 64,
    bytes: 12,
  }),
  {
    id: 'echo',
    title: 'echo of 16 KiB, 16 connections',
    workload: 'echo',
    certificate: 'rsa',
    load: { mode: 'echo', connections: 16, bytes: 16 * 1024 },
    figures: [
      { name: 'perSecond', title: 'per second' },
      { name: 'p99Micros', title: 'p99, µs', targets: [{ atMost: 0.7 }] },
      { name: 'mainMicros', title: 'main thread, µs' },
    ],
  },
  {
    id: 'burst',
    title: 'burst of 64 TLS 1.3 handshakes, RSA-2048',
    workload: 'handshakes',
    certificate: 'rsa',
    load: { mode: 'burst', count: 64, bursts: 7, version: '1.3' },
    figures: [{ name: 'delayMaxMs', title: "event loop's longest delay, ms", targets: [{ atMost: 0.5 }] }],
  },
  {
    id: 'idle',
    title: 'idle connection, of 1 000',
    workload: 'handshakes',
    certificate: 'rsa',
    load: { mode: 'idle', count: 1000 },
    figures: [{ name: 'rssBytes', title: 'memory, bytes', targets: [{ atMost: 0.55 }] }],
  },
];

module.exports = { TRIALS };
