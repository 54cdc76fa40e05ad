// Workers of node:cluster serve one port, however connections are shared out between them.
import { once } from 'node:events';
import { dial, textOf } from '../support/early-data';
import { connectTo, request } from '../support/tls';
import { TalkingChild } from '../support/talking-child';

interface Answer {
  worker: number;
  ours: boolean;
  reused: boolean;
  early: boolean;
  size: number;
}

type Message = { port: number } & { codes: number[] };

async function withCluster(policy: 'rr' | 'none', body: (port: number) => Promise<void>): Promise<void> {
  const primary = new TalkingChild<Message>('tls-cluster', [policy]);
  try {
    await body((await primary.next()).port);
    primary.send('end');
    expect(await primary.next()).toEqual({ codes: [0, 0] });
    expect(await primary.ended).toEqual({ code: 0, signal: null, stderr: '' });
  } finally {
    await primary.kill();
  }
}

async function ask(port: number, size = 0): Promise<Answer> {
  const { body } = await request(port, { agent: false, method: 'POST' }, Buffer.alloc(size));
  return JSON.parse(body.toString()) as Answer;
}

const policies: [name: string, policy: 'rr' | 'none'][] = [
  ['by the primary, in turn', 'rr'],
  ['by the system', 'none'],
];
// Windows hands no listening sockets to workers.
(process.platform === 'win32' ? describe.skip : describe)('connections are shared out', () => {
  test.each(policies)('%s', async (_, policy) => {
    await withCluster(policy, async (port) => {
      const sizes = Array.from({ length: 40 }, (_each, number) => number * 5000);
      const answers = await Promise.all(sizes.map((size) => ask(port, size)));
      expect(answers.map(({ size }) => size)).toEqual(sizes);
      expect(answers.every(({ ours }) => ours)).toBe(true);
      const workers = [...new Set(answers.map(({ worker }) => worker))].sort();
      // The system may give all connections to one.
      expect(policy === 'rr' ? [[1, 2]] : [[1], [2], [1, 2]]).toContainEqual(workers);
    });
  });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('and sessions go on in another worker: %s', async (maxVersion) => {
    await withCluster('rr', async (port) => {
      let session: Buffer | undefined;
      const seen: [worker: number, reused: boolean][] = [];
      for (let i = 0; i < 6; ++i) {
        const client = await connectTo(port, { maxVersion, session });
        // TLS 1.3 sends it after the handshake.
        if (maxVersion === 'TLSv1.2') session ??= client.getSession();
        else client.once('session', (given: Buffer) => (session ??= given));
        client.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
        const isReused = client.isSessionReused();
        const [text] = (await once(client, 'data')) as [Buffer];
        await once(client.resume(), 'close');
        const { worker, reused } = JSON.parse(text.toString().split('\r\n\r\n')[1] as string) as Answer;
        expect(isReused).toBe(reused);
        seen.push([worker, reused]);
      }
      const [[first], ...others] = seen as [(typeof seen)[0], ...typeof seen];
      expect(others.map(([, reused]) => reused)).toEqual([true, true, true, true, true]);
      expect(others.some(([worker]) => worker !== first)).toBe(true);
    });
  });

  test('and early data is taken once, by the worker that has given the ticket', async () => {
    await withCluster('rr', async (port) => {
      const earlyData = 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
      let session: Buffer | undefined;
      const seen: Answer[] = [];
      for (let i = 0; i < 6; ++i) {
        const client = dial(port, session === undefined ? { earlyData } : { earlyData, session });
        client.once('session', (given: Buffer) => (session ??= given));
        const text = await textOf(client);
        seen.push(JSON.parse(text.split('\r\n\r\n')[1] as string) as Answer);
        expect(client.earlyDataAccepted).toBe(seen[i]?.early);
      }
      expect(seen.slice(1).every(({ reused }) => reused)).toBe(true);
      expect(seen.filter(({ early }) => early).map(({ worker }) => worker)).toEqual([seen[0]?.worker]);
    });
  });
});
