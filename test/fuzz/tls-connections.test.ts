// Random traffic on several connections at once, wherever handshakes and records are: both sides write, pause, end,
// destroy and reset as they like. What arrives is what was sent, in order; where nobody breaks off, both sides get
// everything, and the end; nothing is left of any connection.
//
// Two runs: one with a seed that never changes, one with a new one each time. Both print theirs; FUZZ_SEED repeats one.
import * as crypto from 'node:crypto';
import * as nodeTls from 'node:tls';
import fc from 'fast-check';
import { createRemoteKey } from '../../lib';
import { connect, createServer, TLSSocket, type TlsOptions } from '../../lib/tls/tls';
import { pipedPair } from '../support/piped-pair';
import { close, listen, selfSigned } from '../support/tls';

const FIXED_SEED = 20_261_128;
const RANDOM_SEED = process.env.FUZZ_SEED === undefined ? Date.now() % 2 ** 31 : Number(process.env.FUZZ_SEED);
const RUNS = 400; // of each of the two
const KIBI = 1024;

const local = selfSigned('localhost');
const ed25519 = selfSigned('localhost', 'ed25519');
const held = createRemoteKey({
  publicKey: crypto.createPublicKey(ed25519.cert),
  sign: async ({ data = Buffer.alloc(0) }) => {
    await new Promise(setImmediate);
    return crypto.sign(null, data, ed25519.key);
  },
});

// What both directions of all connections consist of, each from another place on.
const PATTERN = crypto.randomBytes(512 * KIBI);

interface Action {
  readonly kind: 'write' | 'pause' | 'turn' | 'cork' | 'end' | 'destroy' | 'reset';
  readonly size: number;
}
interface Side {
  readonly actions: readonly Action[];
  readonly last: Action;
}
interface Plan {
  // Those of node:tls do not stay half-open over streams.
  readonly client: 'ours' | 'node' | 'ours over a stream';
  /** The client does not wait for the handshake. One of node:tls that has nothing to say ends without one. */
  readonly isEager: boolean;
  readonly sides: readonly [server: Side, client: Side];
}

// Small, as records are, and as what is lent to a thread.
const size = fc.oneof(fc.nat(200), fc.integer({ min: 16_000, max: 17_000 }), fc.nat(400 * KIBI));
const action: fc.Arbitrary<Action> = fc.record({
  kind: fc.constantFrom('write', 'write', 'write', 'pause', 'turn', 'cork'),
  size,
});
const last: fc.Arbitrary<Action> = fc.record({
  kind: fc.constantFrom('end', 'end', 'end', 'end', 'end', 'end', 'destroy', 'reset'),
  size: fc.constant(0),
});
const side: fc.Arbitrary<Side> = fc.record({ actions: fc.array(action, { maxLength: 8 }), last });
const plan: fc.Arbitrary<Plan> = fc.record({
  client: fc.constantFrom('ours', 'ours', 'node', 'ours over a stream'),
  isEager: fc.boolean(),
  sides: fc.tuple(side, side),
});
const serverOptions: fc.Arbitrary<TlsOptions> = fc.oneof(
  fc.record({
    records: fc.constantFrom('loop', 'threads'),
    threads: fc.integer({ min: 1, max: 2 }),
    maxInlineMicros: fc.constantFrom(0, 100, 100_000),
    maxVersion: fc.constantFrom('TLSv1.2', 'TLSv1.3'),
    key: fc.constantFrom(local.key, held as never),
  }),
  fc.record({
    threads: fc.constant(0),
    maxVersion: fc.constantFrom('TLSv1.2', 'TLSv1.3'),
    key: fc.constant(local.key),
  }),
);

/** One side of a connection: what it has sent and received so far. */
class Talker {
  readonly socket: nodeTls.TLSSocket;
  readonly #sendsFrom: number;
  readonly #receivesFrom: number;
  sent = 0;
  received = 0;
  isWrong = false;
  hasEnd = false;
  failure: Error | undefined;
  brokeOff = false;

  constructor(socket: nodeTls.TLSSocket, sendsFrom: number, receivesFrom: number) {
    this.socket = socket;
    this.#sendsFrom = sendsFrom;
    this.#receivesFrom = receivesFrom;
    socket.on('data', (chunk: Buffer) => {
      if (!chunk.equals(patternAt(this.#receivesFrom + this.received, chunk.length))) this.isWrong = true;
      this.received += chunk.length;
    });
    socket.on('end', () => {
      this.hasEnd = true;
    });
    socket.on('error', (error: Error) => {
      this.failure = error;
    });
  }

  async play({ actions, last: end }: Side): Promise<void> {
    const { socket } = this;
    for (const { kind, size: count } of [...actions, end]) {
      if (socket.destroyed) return;
      if (kind === 'write') {
        socket.write(patternAt(this.#sendsFrom + this.sent, count));
        this.sent += count;
      } else if (kind === 'turn') {
        await new Promise(setImmediate);
      } else if (kind === 'pause') {
        socket.pause();
        setTimeout(() => socket.resume(), count % 8);
      } else if (kind === 'cork') {
        socket.cork();
        process.nextTick(() => {
          socket.uncork();
        });
      } else if (kind === 'end') {
        socket.end();
      } else {
        this.brokeOff = true;
        if (kind === 'reset' && socket instanceof TLSSocket)
          socket.resetAndDestroy(); // others cannot
        else socket.destroy();
      }
    }
  }
}

function patternAt(begin: number, count: number): Buffer {
  const from = begin % PATTERN.length;
  if (from + count <= PATTERN.length) return PATTERN.subarray(from, from + count);
  return Buffer.concat([PATTERN.subarray(from), patternAt(0, count - (PATTERN.length - from))]);
}

async function closed(talker: Talker, name: string): Promise<void> {
  const { socket } = talker;
  if (socket.closed) return;
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      const { readableLength, writableLength, readableFlowing, destroyed, writableFinished } = socket;
      const { sent, received, hasEnd, brokeOff } = talker;
      const state = { readableLength, writableLength, readableFlowing, destroyed, writableFinished };
      reject(new Error(`${name}: not closed ${JSON.stringify({ ...state, sent, received, hasEnd, brokeOff })}`));
    }, 10_000);
    socket.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

type Named = nodeTls.TLSSocket & { servername: string | false };
type Connect = (options: nodeTls.ConnectionOptions) => nodeTls.TLSSocket;

/** The server's side; undefined when the client leaves before the server knows of the handshake. */
function secureOf(
  server: nodeTls.Server,
  client: nodeTls.TLSSocket,
  name: string,
  make: (socket: nodeTls.TLSSocket) => Talker,
): Promise<Talker | undefined> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error('no handshake'));
    }, 10_000);
    const hear = (accepted: Named): void => {
      // At once: its first events may follow before a promise is heard.
      if (accepted.servername === name) done(make(accepted));
    };
    const leave = (): void => {
      done(undefined);
      server.on('secureConnection', (late: Named) => {
        if (late.servername === name) late.destroy();
      });
    };
    const done = (accepted: Talker | undefined): void => {
      clearTimeout(timer);
      server.removeListener('secureConnection', hear);
      client.removeListener('close', leave);
      resolve(accepted);
    };
    server.on('secureConnection', hear);
    client.once('close', leave);
  });
}

/** One connection from its begin to its end. */
async function talk(
  server: nodeTls.Server,
  port: number,
  { client, isEager, sides }: Plan,
  number: number,
): Promise<void> {
  const make = (client.startsWith('ours') ? connect : nodeTls.connect) as Connect;
  const trusting = { rejectUnauthorized: false, servername: `c${String(number)}.test`, allowHalfOpen: true };
  let socket: nodeTls.TLSSocket;
  if (client.endsWith('stream')) {
    const [near, far] = pipedPair();
    near.allowHalfOpen = far.allowHalfOpen = true;
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on('error', () => undefined);
      // As a network would tell.
      one.once('close', () => {
        if (!one.writableFinished) other.destroy();
      });
    }
    server.emit('connection', far);
    socket = make({ ...trusting, socket: near });
  } else {
    socket = make({ ...trusting, host: '127.0.0.1', port });
  }
  const [toServer, toClient] = [number * 7919, number * 104_729];
  const far = new Talker(socket, toServer, toClient);
  const eager = isEager && client !== 'node' ? far.play(sides[1]) : undefined;
  const near = await secureOf(
    server,
    socket,
    trusting.servername,
    (accepted) => new Talker(accepted, toClient, toServer),
  );
  if (near === undefined) {
    expect(far).toMatchObject({ brokeOff: true, received: 0 });
    return;
  }
  await Promise.all([near.play(sides[0]), eager ?? far.play(sides[1])]);
  await Promise.all([closed(near, 'server'), closed(far, 'client')]);
  expect([near.isWrong, far.isWrong]).toEqual([false, false]);
  if (near.brokeOff || far.brokeOff) {
    expect(near.received).toBeLessThanOrEqual(far.sent);
    expect(far.received).toBeLessThanOrEqual(near.sent);
    return;
  }
  expect([near.failure, far.failure]).toEqual([undefined, undefined]);
  expect([near.received, far.received]).toEqual([far.sent, near.sent]);
  expect([near.hasEnd, far.hasEnd]).toEqual([true, true]);
}

const connectionsOf = (server: nodeTls.Server): Promise<number> =>
  new Promise((resolve) => {
    server.getConnections((_, count) => {
      resolve(count);
    });
  });

async function play(seed: number): Promise<void> {
  process.stdout.write(`tls-connections: seed ${String(seed)}\n`);
  const plans = fc.array(plan, { minLength: 1, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(serverOptions, plans, async (options, each) => {
      const cert = options.key === local.key ? local.cert : ed25519.cert;
      const server = createServer({ ...options, cert, allowHalfOpen: true });
      server.setMaxListeners(0);
      server.on('secureConnection', (socket) => socket.on('error', () => undefined));
      const port = await listen(server);
      try {
        const ends = await Promise.allSettled(each.map((one, number) => talk(server, port, one, number + 1)));
        for (const end of ends) if (end.status === 'rejected') throw end.reason;
        while ((await connectionsOf(server)) > 0) await new Promise((resolve) => setTimeout(resolve, 1));
      } finally {
        server.removeAllListeners('secureConnection');
        await close(server);
      }
    }),
    { seed, numRuns: RUNS, interruptAfterTimeLimit: 100_000 },
  );
}

describe('random traffic on connections', () => {
  test('with a seed that never changes', () => play(FIXED_SEED), 120_000);
  test('with a new seed', () => play(RANDOM_SEED), 120_000);
});
