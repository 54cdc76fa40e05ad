// Several thousand RSA-2048 signatures over a file: with sign() and the accelerator, each in an OpenSSL job of its own
// that pauses while a thread computes; with sign() as it comes; and with synchronous crypto.sign() for comparison. Then
// HTTPS servers: see demo-server.ts.
//
//   npm run demo [-- --signatures 4000 --in-flight 256 --threads 1 --file PATH --rounds 3]
import * as crypto from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import * as path from 'node:path';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { SingleBar } from 'cli-progress';
import Table from 'cli-table3';
import { configure, opensslVersion, sign, stats, type OperationOptions } from 'openssl-async';
import { main as servers } from './demo-server';
import { main as manPage } from './man-page';

interface Settings {
  signatures: number;
  inFlight: number;
  threads: number;
  file: string;
  /** Of the servers. */
  rounds: number;
}

interface Outcome {
  name: string;
  signatures: Buffer[];
  seconds: number;
  /** How late a timer of 1 ms was, in milliseconds. */
  delay: { p50: number; p99: number };
  pauses?: number;
  mostPaused?: number;
}

const ROOT = path.dirname(createRequire(__filename).resolve('openssl-async/package.json'));
const CHUNK_BYTES = 1024;
const TIMER_MS = 1;
const SAMPLE_EVERY = 16;
const BAR_INTERVAL_MS = 100;

async function main(): Promise<void> {
  const settings = readSettings();
  configure({ threads: settings.threads });

  console.log('The example program of ASYNC_start_job(3):\n');
  await manPage();

  const { privateKey, publicKey } = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
  const messages = readMessages(settings);
  console.log(
    `\n${settings.signatures} RSA-2048 signatures (SHA-256, PKCS#1 v1.5) over ${path.basename(settings.file)}, ` +
      `${settings.inFlight} requests at a time\n` +
      `${process.release.name} ${process.version}, ${opensslVersion() ?? 'no OpenSSL'}, ` +
      `${availableParallelism()} cores, ${settings.threads} pool thread${settings.threads === 1 ? '' : 's'}\n`,
  );

  const outcomes = [
    await signAsynchronously('accelerator', { provider: 'accelerator' }, privateKey, messages, settings),
    await signAsynchronously('sign()', undefined, privateKey, messages, settings),
    await signSynchronously('crypto.sign() × 1', 1, privateKey, messages),
    await signSynchronously(`crypto.sign() × ${settings.inFlight}`, settings.inFlight, privateKey, messages),
  ];
  const verified = await verify(publicKey, messages, outcomes);
  printTable(outcomes);
  console.log(
    `× 1, × ${settings.inFlight}: so many signatures in each turn of the event loop\n` +
      `delay: how late a timer of ${TIMER_MS} ms was (perf_hooks.monitorEventLoopDelay)\n\n` +
      `${verified} signatures verified with crypto.verify(); all four ways gave the same bytes.`,
  );
  await servers(settings.rounds);
}

// --- The four ways

async function signAsynchronously(
  name: string,
  options: OperationOptions | undefined,
  key: crypto.KeyObject,
  messages: Buffer[],
  settings: Settings,
): Promise<Outcome> {
  const signatures: Buffer[] = [];
  let mostPaused = 0;
  const before = stats().operations;
  const measured = await measure(name, messages.length, async (progress) => {
    const queue = messages.entries(); // which the clients share
    async function client(): Promise<void> {
      for (const [index, message] of queue) {
        signatures[index] = await sign('sha256', message, key, options);
        progress.done();
        if (index % SAMPLE_EVERY === 0) mostPaused = Math.max(mostPaused, stats().jobs.waiting);
      }
    }
    await Promise.all(Array.from({ length: settings.inFlight }, client));
  });
  const { pauses } = stats().operations;
  return { name, signatures, ...measured, pauses: pauses - before.pauses, mostPaused };
}

// What handles `perTurn` requests that came together handles them in one turn of the event loop.
async function signSynchronously(
  name: string,
  perTurn: number,
  key: crypto.KeyObject,
  messages: Buffer[],
): Promise<Outcome> {
  const signatures: Buffer[] = [];
  const measured = await measure(name, messages.length, async (progress) => {
    for (const message of messages) {
      signatures.push(crypto.sign('sha256', message, key));
      progress.done();
      if (signatures.length % perTurn === 0) await nextTurn();
    }
  });
  return { name, signatures, ...measured };
}

async function verify(key: crypto.KeyObject, messages: Buffer[], outcomes: Outcome[]): Promise<number> {
  const [{ signatures }, ...others] = outcomes as [Outcome, ...Outcome[]];
  for (const [index, message] of messages.entries()) {
    const signature = signatures[index];
    if (!signature || !crypto.verify('sha256', message, key, signature))
      throw new Error(`Signature ${index} is not valid`);
    // PKCS#1 v1.5 signatures are deterministic.
    if (others.some((other) => !other.signatures[index]?.equals(signature))) throw new Error(`${index} differs`);
    if (index % 64 === 0) await nextTurn();
  }
  return messages.length;
}

// --- What is signed

/** Each message is its number and a piece of the file, which begins anew when it is used up. */
function readMessages({ file, signatures }: Settings): Buffer[] {
  const content = readFileSync(file);
  const pieces = Math.max(1, Math.ceil(content.length / CHUNK_BYTES));
  return Array.from({ length: signatures }, (_, index) => {
    const number = Buffer.alloc(4);
    number.writeUInt32BE(index);
    const start = (index % pieces) * CHUNK_BYTES;
    return Buffer.concat([number, content.subarray(start, start + CHUNK_BYTES)]);
  });
}

// --- Measuring and showing

async function measure(
  name: string,
  total: number,
  action: (progress: { done(): void }) => Promise<void>,
): Promise<Pick<Outcome, 'seconds' | 'delay'>> {
  const { isTTY } = process.stdout as { isTTY?: boolean };
  const bar = isTTY === true ? new SingleBar({ format: `${name.padEnd(20)} {bar} {value}/{total} {live}` }) : undefined;
  let done = 0;
  const showing = setInterval(() => {
    const { inFlight, jobs } = stats();
    bar?.update(done, { live: inFlight > 0 ? `${inFlight} in flight, ${jobs.waiting} jobs paused` : '' });
  }, BAR_INTERVAL_MS);
  bar?.start(total, 0, { live: '' });
  const delay = monitorEventLoopDelay({ resolution: TIMER_MS });
  await nextTurn(); // drawing the bar is not what is measured
  delay.enable();
  const start = performance.now();
  try {
    await action({ done: () => ++done });
    const seconds = (performance.now() - start) / 1000;
    await nextTurn(); // the last turn counts, too
    return { seconds, delay: { p50: lateness(delay.percentile(50)), p99: lateness(delay.percentile(99)) } };
  } finally {
    delay.disable();
    clearInterval(showing);
    bar?.update(done, { live: '' });
    bar?.stop();
  }
}

function lateness(nanoseconds: number): number {
  return Math.max(0, nanoseconds / 1e6 - TIMER_MS);
}

function printTable(outcomes: Outcome[]): void {
  const table = new Table({
    head: ['', ...outcomes.map(({ name }) => name)],
    colAligns: ['left', ...outcomes.map(() => 'right' as const)],
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
    style: { head: [], border: [] },
  });
  const row = (name: string, cell: (outcome: Outcome) => string): void => {
    table.push([name, ...outcomes.map(cell)]);
  };
  row('signatures', ({ signatures }) => String(signatures.length));
  row('pauses', ({ pauses }) => String(pauses ?? '-'));
  row('most paused at once', ({ mostPaused }) => String(mostPaused ?? '-'));
  row('delay p50, ms', ({ delay }) => delay.p50.toFixed(2));
  row('delay p99, ms', ({ delay }) => delay.p99.toFixed(2));
  row('seconds', ({ seconds }) => seconds.toFixed(2));
  row('signatures/s', ({ signatures, seconds }) => (signatures.length / seconds).toFixed(0));
  console.log(table.toString());
}

// --- Command line

function readSettings(): Settings {
  const { values } = parseArgs({
    options: {
      signatures: { type: 'string', default: '4000' },
      'in-flight': { type: 'string', default: '256' },
      threads: { type: 'string', default: String(Math.min(64, Math.max(1, availableParallelism() - 1))) },
      rounds: { type: 'string', default: '3' },
      file: { type: 'string', default: path.join(ROOT, 'package-lock.json') },
    },
  });
  return {
    signatures: readCount('signatures', values.signatures, 1_000_000),
    inFlight: readCount('in-flight', values['in-flight'], 16_384),
    threads: readCount('threads', values.threads, 64),
    file: values.file,
    rounds: readCount('rounds', values.rounds, 100),
  };
}

function readCount(name: string, text: string, max: number): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > max)
    throw new Error(`--${name} takes a number from 1 to ${max}`);
  return count;
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
