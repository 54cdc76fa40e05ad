// The option `onread`: plaintext goes into the caller's memory. Beside clients of node:tls in the same test.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import * as path from 'node:path';
import * as nodeTls from 'node:tls';
import { connect, createServer, type ConnectionOptions } from '../../lib/tls/tls';
import { ROOT } from '../support/programs';
import { close, listen, selfSigned } from '../support/tls';

type Connect = (options: ConnectionOptions) => nodeTls.TLSSocket;
const CLIENTS: [string, Connect][] = [
  ['ours', connect],
  ["node:tls's", nodeTls.connect as Connect],
];
const message = Buffer.from(Array.from({ length: 64 * 1024 }, (_, i) => i % 251));
const server = createServer(selfSigned('localhost'), (socket) => {
  socket.resume();
  socket.end(message);
});
let port = 0;
beforeAll(async () => {
  port = await listen(server);
});
afterAll(() => close(server));

describe.each(CLIENTS)('of clients, %s', (_, make) => {
  let socket: nodeTls.TLSSocket;
  let taken: Buffer[];
  let data: number;

  function begin(buffer: unknown, callback?: (size: number, bytes: Uint8Array) => unknown): void {
    taken = [];
    data = 0;
    const onread = {
      buffer,
      callback: (size: number, bytes: Uint8Array): unknown => {
        taken.push(Buffer.from(bytes.subarray(0, size)));
        return callback?.(size, bytes);
      },
    } as never;
    socket = make({ port, host: '127.0.0.1', rejectUnauthorized: false, onread });
    socket.on('data', () => ++data);
  }

  async function expectAll(): Promise<void> {
    const closed = once(socket, 'close');
    await once(socket, 'end');
    expect(Buffer.concat(taken).equals(message)).toBe(true);
    expect([data, socket.bytesRead]).toEqual([0, message.length]);
    await closed;
  }

  test('the same memory is filled again and again', async () => {
    const memory = new Uint8Array(100);
    const seen = new Set<Uint8Array>();
    begin(memory, (_size, bytes) => seen.add(bytes));
    await expectAll();
    expect([...seen]).toEqual([memory]);
  });

  test('a function gives memory for each time', async () => {
    const memories: Uint8Array[] = [];
    const seen: Uint8Array[] = [];
    const give = (): Uint8Array => {
      memories.push(Buffer.alloc(1000));
      return memories[memories.length - 1] as Uint8Array;
    };
    begin(give, (_size, bytes) => seen.push(bytes));
    await expectAll();
    expect(memories).toHaveLength(seen.length + 1);
    expect(seen.every((each, i) => each === memories[i])).toBe(true);
  });

  test.each([
    ['pause()', false],
    ['a callback that returns false', true],
  ])('nothing comes after %s, until resume()', async (_name, returns) => {
    let calls = 0;
    let holds = true;
    let early = 0;
    begin(Buffer.alloc(5000), () => {
      if (holds && calls > 0) ++early;
      if (++calls > 1) return undefined;
      if (!returns) socket.pause();
      setImmediate(() =>
        setImmediate(() => {
          holds = false;
          socket.resume();
        }),
      );
      return !returns;
    });
    await expectAll();
    expect(calls).toBeGreaterThan(10);
    // node:tls goes on with a record that it has decrypted.
    if (make === connect) expect(early).toBe(0);
  });

  test('nothing comes after destroy()', async () => {
    let calls = 0;
    begin(Buffer.alloc(10), () => {
      ++calls;
      socket.destroy();
    });
    await once(socket, 'close');
    expect(calls).toBe(1);
  });

  test('what follows comes though the callback has thrown', () => {
    const module = make === connect ? path.join(ROOT, 'dist', 'tls.js') : 'node:tls';
    const program = `
      process.on('uncaughtException', (error) => console.log(error.message));
      const server = require('node:tls').createServer(${JSON.stringify(selfSigned('localhost'))}, (socket) => {
        socket.end('abcdefgh');
      });
      server.listen(0, '127.0.0.1', () => {
        const callback = (size, bytes) => {
          console.log(bytes.toString('latin1', 0, size));
          if (bytes[0] === 97) throw new Error('thrown');
        };
        const onread = { buffer: Buffer.alloc(4), callback };
        const { port } = server.address();
        const socket = require(${JSON.stringify(module)}).connect({ port, rejectUnauthorized: false, onread });
        for (const event of ['end', 'close']) socket.on(event, () => console.log(event));
        socket.on('close', () => server.close());
      });`;
    const { stdout } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8', timeout: 20_000 });
    expect(stdout.trim().split('\n')).toEqual(['abcd', 'thrown', 'efgh', 'end', 'close']);
  });

  test.each([
    ['no callback', { buffer: Buffer.alloc(10) }],
    ['no memory', { callback: () => undefined }],
    ['no object', 5],
  ])('is passed over with %s', async (_name, onread) => {
    socket = make({ port, host: '127.0.0.1', rejectUnauthorized: false, onread: onread as never });
    let size = 0;
    socket.on('data', (bytes: Buffer) => (size += bytes.length));
    await once(socket, 'close');
    expect(size).toBe(message.length);
  });
});

test.each([
  ['transferred', (memory: ArrayBuffer) => structuredClone(memory, { transfer: [memory] })],
  [
    'resized',
    (memory: ArrayBuffer) => {
      (memory as ArrayBuffer & { resize(size: number): void }).resize(0);
    },
  ],
])('memory that was %s ends the connection with an error', async (_, empty) => {
  const memory = new (ArrayBuffer as new (size: number, options: object) => ArrayBuffer)(4, { maxByteLength: 4 });
  let calls = 0;
  const callback = (): void => {
    ++calls;
    empty(memory);
  };
  const onread = { buffer: new Uint8Array(memory), callback } as never;
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, onread });
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
  expect([error.code, calls, socket.destroyed]).toEqual(['ERR_INVALID_ARG_VALUE', 1, true]);
});
