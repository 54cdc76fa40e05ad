import { runScenario } from '../support/child';

// Here rather than among the lifecycle tests, because these run under the sanitizers.
test('good and bad calls of operations, in every mode, end as they should and leave nothing behind', async () => {
  const { code, stdout, stderr } = await runScenario('operation-corpus', { timeoutMs: 120_000 });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(JSON.parse(stdout)).toEqual({ calls: true });
}, 130_000);
