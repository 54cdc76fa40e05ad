import { runAndCheck } from './support/expectations';

test('workers that are terminated while they make key pairs end by themselves', async () => {
  expect(await runAndCheck('key-pairs-worker-end', {}, { args: ['60'], timeoutMs: 110_000 })).toEqual([{ rounds: 60 }]);
}, 120_000);
