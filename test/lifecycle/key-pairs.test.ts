import { runAndCheck } from '../support/scenario/expectations';

test('workers that are terminated while they make key pairs end by themselves', async () => {
  expect(await runAndCheck('key-pairs-worker-end', {}, { args: ['30'], timeoutMs: 110_000 })).toEqual([{ rounds: 30 }]);
}, 120_000);
