// An HTTPS server under load, with node:https and with openssl-async/https in turns: new connections, and requests on
// connections that stay. Then a server whose key somebody else has, which node:https cannot have at all.
//
//   npm run demo [-- --rounds 3]
import { fork, type ChildProcess } from 'node:child_process';
import { createPrivateKey, createPublicKey, sign as signHere } from 'node:crypto';
import { once } from 'node:events';
import * as nodeHttps from 'node:https';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { setTimeout as after } from 'node:timers/promises';
import Table from 'cli-table3';
import { createRemoteKey, type AsyncKey } from 'openssl-async';
import * as https from 'openssl-async/https';
import { ed25519, rsa } from './demo-identity';

const ROUND_MS = 1000;
const SIGNER_MS = 50;
const KINDS = ['handshakes', 'requests'] as const;
type Kind = (typeof KINDS)[number];

interface Side {
  name: string;
  kinds: readonly Kind[];
  create(respond: RequestListener): Server;
}

/** Medians are shown of what the rounds gave. */
interface Figures {
  perSecond: number[];
  /** The event loop's time for each, in microseconds. */
  loopMicros: number[];
  /** How late the event loop was, in milliseconds. */
  delayMs: number[];
}

function remoteKey(): AsyncKey {
  const key = createPrivateKey(ed25519.key);
  return createRemoteKey({
    publicKey: createPublicKey(ed25519.cert),
    async sign({ data }) {
      await after(SIGNER_MS);
      return signHere(null, data ?? Buffer.alloc(0), key);
    },
  });
}

const SIDES: readonly Side[] = [
  { name: 'node:https', kinds: KINDS, create: (respond) => nodeHttps.createServer(rsa, respond) },
  { name: 'openssl-async/https', kinds: KINDS, create: (respond) => https.createServer(rsa, respond) },
  {
    name: `its key ${SIGNER_MS} ms away`,
    kinds: ['handshakes'],
    create: (respond) => https.createServer({ cert: ed25519.cert, key: remoteKey() }, respond),
  },
];

export async function main(rounds = 3): Promise<void> {
  console.log(
    `\nAn HTTPS server on loopback, its load in another process, ${rounds} rounds of ${ROUND_MS / 1000} s in turns\n`,
  );
  const figures = new Map(SIDES.map((side) => [side, new Map(side.kinds.map((kind) => [kind, noFigures()]))]));
  const load = fork(__filename, ['load'], { execArgv: [] });
  let shown = show(figures, 0);
  for (let round = 0; round < rounds; ++round) {
    for (const side of SIDES) {
      for (const kind of side.kinds) {
        await measure(side, kind, load, figures.get(side)?.get(kind) ?? noFigures());
        shown = show(figures, shown);
      }
    }
  }
  load.disconnect();
  if (!process.stdout.isTTY) show(figures, 0, true);
  console.log(
    'loop: the time of the event loop for one; delay: how late it was, 99th percentile (monitorEventLoopDelay)\n' +
      'Both ends share the machine: a client costs as much as its server.',
  );
}

const noFigures = (): Figures => ({ perSecond: [], loopMicros: [], delayMs: [] });

async function measure(side: Side, kind: Kind, load: ChildProcess, figures: Figures): Promise<void> {
  const server = side.create((_, response) => {
    response.end('Hello, world');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const before = performance.eventLoopUtilization();
  delay.enable();
  load.send({ kind, port: (server.address() as AddressInfo).port });
  const [count] = (await once(load, 'message')) as [number];
  delay.disable();
  const { active } = performance.eventLoopUtilization(before);
  figures.perSecond.push((count / ROUND_MS) * 1000);
  figures.loopMicros.push((active * 1000) / Math.max(1, count));
  figures.delayMs.push(Math.max(0, delay.percentile(99) / 1e6 - 1));
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
}

function show(all: Map<Side, Map<Kind, Figures>>, linesBefore: number, always = false): number {
  if (!process.stdout.isTTY && !always) return 0;
  const heads = ['per second', 'loop, µs', 'delay, ms'];
  const table = new Table({
    head: ['', ...KINDS.flatMap((kind) => heads.map((head) => `${kind}\n${head}`))],
    colAligns: ['left', ...KINDS.flatMap(() => heads.map(() => 'right' as const))],
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  for (const [side, figures] of all) {
    const cells = KINDS.flatMap((kind) => {
      const { perSecond = [], loopMicros = [], delayMs = [] } = figures.get(kind) ?? {};
      return [median(perSecond, 0), median(loopMicros, 0), median(delayMs, 1)];
    });
    table.push([side.name, ...cells]);
  }
  const text = table.toString();
  if (linesBefore > 0) process.stdout.write(`\x1b[${linesBefore}A`);
  console.log(text);
  return text.split('\n').length;
}

function median(values: number[], digits: number): string {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]?.toFixed(digits) ?? '-';
}

// --- The other process

const IN_FLIGHT = 32;

function generateLoad(): void {
  process.on('message', ({ kind, port }: { kind: Kind; port: number }) => {
    void run(kind, port).then((count) => process.send?.(count));
  });
}

async function run(kind: Kind, port: number): Promise<number> {
  const agent = kind === 'requests' ? new nodeHttps.Agent({ keepAlive: true, maxSockets: IN_FLIGHT }) : undefined;
  const options = { port, host: '127.0.0.1', rejectUnauthorized: false, agent: agent ?? false };
  const end = performance.now() + ROUND_MS;
  let count = 0;
  async function client(): Promise<void> {
    while (performance.now() < end) {
      if (await request(options)) ++count;
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, client));
  agent?.destroy();
  return count;
}

function request(options: nodeHttps.RequestOptions): Promise<boolean> {
  return new Promise((resolve) => {
    nodeHttps
      .get(options, (response) => {
        response.resume().on('close', () => {
          resolve(true);
        });
      })
      .on('error', () => {
        resolve(false);
      });
  });
}

if (process.argv[2] === 'load') generateLoad();
