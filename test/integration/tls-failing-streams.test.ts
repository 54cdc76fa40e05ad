// Streams below a server's connections that throw, end or are destroyed, at each state.
import { Duplex } from 'node:stream';
import { once } from 'node:events';
import { createServer } from '../../lib/tls/tls';
import { clientHello } from '../support/tls-clients';
import { pipedPair } from '../support/piped-pair';
import { identity, serve, clientOver, open, failureOf, whenNoneIsLeft, endStreams } from '../support/tls-over-streams';

afterEach(endStreams);

describe('a stream that fails', () => {
  const broken = new Error('a stream of the test is broken');

  test('by throwing in write() ends the handshake with its error', async () => {
    const [near, far] = pipedPair();
    far._write = () => {
      throw broken;
    };
    const server = createServer(identity);
    const failed = failureOf(server);
    serve(server, far);
    clientOver(near).on('error', () => undefined);
    expect(await failed).toBe(broken);
    expect(far.destroyed).toBe(true);
  });

  test('by throwing in write() is the error of an open connection', async () => {
    const { socket, client, far } = await open();
    far._write = () => {
      throw broken;
    };
    const failed = once(socket, 'error') as Promise<[Error]>;
    socket.write('lost');
    expect((await failed)[0]).toBe(broken);
    client.destroy();
  });

  test.each(['resume', 'on', 'end', 'write'] as const)('in %s() ends its connection', async (name) => {
    const server = createServer(identity, (socket) => socket.end('served'));
    server.on('tlsClientError', () => undefined);
    const [near, far] = pipedPair();
    Object.defineProperty(far, name, {
      configurable: true,
      value: () => {
        throw broken;
      },
    });
    serve(server, far);
    const client = clientOver(near).on('error', () => undefined);
    client.resume();
    await whenNoneIsLeft();
    Reflect.deleteProperty(far, name);
  });

  test('in pause() ends its connection', async () => {
    const { socket, client, far } = await open();
    far.pause = () => {
      throw broken;
    };
    const failed = once(socket, 'error') as Promise<[Error]>;
    socket.pause();
    client.write(Buffer.alloc(2 ** 20));
    expect((await failed)[0]).toBe(broken);
  });

  test('in destroy() is let go all the same', async () => {
    const { socket, client, far } = await open();
    far.destroy = () => {
      throw broken;
    };
    socket.destroy();
    await once(socket, 'close');
    expect(socket.errored).toBe(null);
    Reflect.deleteProperty(far, 'destroy');
    client.destroy();
  });

  test("by 'error' is the error of an open connection, and of a handshake", async () => {
    const { socket, client, far } = await open();
    const failed = once(socket, 'error') as Promise<[Error]>;
    far.destroy(broken);
    expect((await failed)[0]).toBe(broken);
    client.destroy();

    const server = createServer(identity);
    const failedToo = failureOf(server);
    const [, second] = pipedPair();
    serve(server, second);
    second.destroy(broken);
    expect(await failedToo).toBe(broken);
  });

  test('by a callback with an error', async () => {
    const { socket, client, far } = await open();
    far._write = (_, __, callback) => {
      callback(broken);
    };
    const failed = once(socket, 'error') as Promise<[Error]>;
    socket.write('lost');
    expect((await failed)[0]).toBe(broken);
    client.destroy();
  });

  test.each(['before it is handed over', 'before the hello', 'within the hello', 'while a name is asked for'])(
    'by an end %s',
    async (when) => {
      const server = createServer({
        ...identity,
        SNICallback: () => {
          server.emit('asked');
        },
      });
      const asked = once(server, 'asked');
      const failed = failureOf(server);
      const [near, far] = pipedPair();
      const hello = await clientHello({ servername: 'localhost' });
      if (when === 'before it is handed over') far.destroy();
      serve(server, far);
      if (when === 'within the hello') near.write(hello.subarray(0, 100));
      if (when === 'while a name is asked for') {
        near.write(hello);
        await asked;
      }
      far.destroy();
      const { code, message } = await failed;
      expect([code, message]).toEqual(['ECONNRESET', 'socket hang up']);
    },
  );

  test.each(['before the hello', 'while a name is asked for'])('by half an end %s', async (when) => {
    const server = createServer({ ...identity, SNICallback: () => undefined });
    const failed = failureOf(server);
    const [near, far] = pipedPair();
    serve(server, far);
    if (when === 'while a name is asked for') near.write(await clientHello({ servername: 'localhost' }));
    near.end();
    expect((await failed).code).toBe('ECONNRESET');
    expect(far.destroyed).toBe(true);
  });

  test('by texts or objects in place of bytes', async () => {
    const server = createServer(identity);
    for (const chunk of ['text', { no: 'bytes' }]) {
      const failed = failureOf(server);
      serve(
        server,
        new Duplex({ readableObjectMode: true, read: () => undefined }).on('error', () => undefined),
      );
      const stream = new Duplex({ objectMode: true, read: () => undefined });
      serve(server, stream);
      stream.push(chunk);
      expect((await failed).code).toBe('ERR_STREAM_WRAP');
      server.emit('over');
    }
  });
});
