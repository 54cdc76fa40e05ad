import { runScenario } from '../support/child';

// Here rather than among the lifecycle tests, because these run under the sanitizers.

async function isRight(scenario: string, ...args: string[]): Promise<void> {
  const { code, signal, stdout, stderr } = await runScenario(scenario, { args, timeoutMs: 120_000 });
  expect({ code, signal, stdout, stderr }).toEqual({ code: 0, signal: null, stdout: '{"right":true}\n', stderr: '' });
}

describe("users' code that runs in the middle of a call, and makes calls of its own", () => {
  test.each([
    ['subscribers', 'subscribers of every channel'],
    ['getters', 'getters of options'],
    ['proxies', 'options that are Proxies'],
    ['signals', 'signals of another make'],
    ['thenables', 'a getter of `then` on Object.prototype'],
    ['errors', 'Error.prepareStackTrace'],
  ])(
    '%s: %s',
    async (kind) => {
      await isRight('reentrancy', kind);
    },
    130_000,
  );
});

describe('JavaScript that is ended in the middle of a call', () => {
  test.each([
    ['vm', 'by a time limit of node:vm, at random instants'],
    ['stack', 'by an exhausted stack, at every depth'],
    ['generator', "in the generator of startJob()'s job"],
  ])(
    '%s: %s; nothing is left behind',
    async (way) => {
      await isRight('ended-javascript', way);
    },
    130_000,
  );
});

test('properties on Object.prototype change nobody’s key and nobody’s result', async () => {
  await isRight('polluted');
}, 130_000);

test('signals that were derived for one call go with it, and calls that share one warn of nothing', async () => {
  await isRight('derived-signals');
}, 130_000);

describe('several copies of the JavaScript over one addon', () => {
  test('each gets its own results; jobs of one are safe from the others', async () => {
    await isRight('copies-of-javascript', 'results');
  }, 130_000);

  test('a copy that nobody uses any more goes, with its file descriptors', async () => {
    await isRight('copies-of-javascript', 'collected');
  }, 130_000);

  test('as Jest has them with resetModules', async () => {
    type Library = typeof import('../../lib');
    const first = await import('../../lib');
    jest.resetModules();
    const second = await import('../../lib');
    expect(second).not.toBe(first);
    const data = Array.from({ length: 100 }, (_, i) => String(i));
    const digests = (library: Library, mode: 'inline' | 'offload'): Promise<string[]> =>
      Promise.all(data.map((each) => library.hash('sha256', each, { mode, outputEncoding: 'hex' })));
    const [a, b, c] = await Promise.all([
      digests(first, 'offload'),
      digests(second, 'offload'),
      digests(first, 'inline'),
    ]);
    expect(b).toEqual(a);
    expect(c).toEqual(a);
    expect(new Set(a).size).toBe(data.length);
  });
});
