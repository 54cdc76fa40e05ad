// slowhttptest keeps hundreds of connections busy with as little as it can: others are served meanwhile.
import { stripVTControlCharacters } from 'node:util';
import { createServer } from 'openssl-async/https';
import { close, listen, read, request, run, selfSigned } from '../support/tls';
import { describeWith } from '../support/tools';

const identity = selfSigned('localhost');
const CONNECTIONS = 300;
const SECONDS = 8;
const BODY_BYTES = 2 ** 18;

const MODES = [
  ['slow headers', ['-H', '-i', '2', '-x', '10']],
  ['slow bodies', ['-B', '-i', '2', '-x', '10', '-s', '8192']],
  ['slow readers', ['-X', '-w', '10', '-y', '20', '-n', '2', '-z', '8', '-k', '3']],
] as const;

describeWith('slowhttptest')('slowhttptest', () => {
  test.each(MODES)(
    '%s',
    async (_, mode) => {
      const server = createServer(identity, (incoming, outgoing) => {
        void read(incoming).then(
          () => outgoing.end(incoming.url === '/big' ? Buffer.alloc(BODY_BYTES) : 'answer'),
          () => undefined, // a client that has gone
        );
      });
      let most = 0;
      let open = 0;
      server.on('secureConnection', (socket) => {
        most = Math.max(most, ++open);
        socket.on('close', () => --open);
      });
      const port = await listen(server);
      const url = `https://127.0.0.1:${String(port)}/big`;
      const rate = ['-c', String(CONNECTIONS), '-r', '150', '-l', String(SECONDS), '-p', '30'];
      let ended = 0;
      const attack = run('slowhttptest', [...mode, ...rate, '-u', url]).finally(() => {
        ++ended;
      });
      const times: number[] = [];
      while (ended === 0) {
        const begin = performance.now();
        const { body } = await request(port, { agent: false });
        expect(body.toString()).toBe('answer');
        times.push(performance.now() - begin);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      const { stdout } = await attack;
      // slowhttptest's own probe.
      expect(stripVTControlCharacters(stdout)).toMatch(/service available: +YES/);
      expect(most).toBeGreaterThanOrEqual(CONNECTIONS / 2);
      // How soon is the machine's matter, which the attacker uses, too.
      expect(times.length).toBeGreaterThan(1);
      const slowest = Math.round(Math.max(...times));
      console.log(`slowhttptest ${mode[0]}: ${String(most)} connections, slowest of others: ${String(slowest)} ms`);
      server.closeAllConnections();
      await close(server);
    },
    60_000,
  );
});
